//! A value with its type beside it, as threat platforms write them: `sha256` and a digest, `filename|sha256` and both.

use super::names::{Found, Meaning, Word, meaning, shortened, word};

/// What a value is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A digest, and the file's name where it stands beside it.
    Digest(Found, String),
    Fault(String),
    /// Something that is no digest of a file.
    Other,
}

/// Reads a value by its type.
pub(super) fn typed(kind: &str, value: &str) -> Typed {
    // MISP's samples are named, and known by their MD5.
    let kind = if kind == "malware-sample" { "filename|md5" } else { kind };
    let (name, kind, value) = match kind.split_once('|') {
        Some(("filename", kind)) => match value.rsplit_once('|') {
            Some((name, value)) => (name, kind, value),
            None if matches!(meaning(kind), Meaning::Other) => return Typed::Other,
            None => return Typed::Fault(format!("`{}` has no `|` between a name and a digest", shortened(value))),
        },
        _ => ("", kind, value),
    };
    match meaning(kind) {
        Meaning::Algorithm(algorithm) => digest(value, Some(&algorithm), name),
        Meaning::AnyDigest => digest(value, None, name),
        Meaning::Other => Typed::Other,
    }
}

/// Reads a value that is meant to be a digest.
pub(super) fn digest(value: &str, algorithm: Option<&str>, name: &str) -> Typed {
    match word(value.trim(), algorithm) {
        Word::Digest(found) => Typed::Digest(found, name.to_owned()),
        Word::Fault(fault) => Typed::Fault(fault),
        Word::Other => Typed::Fault(format!("`{}` is no digest in hex", shortened(value))),
    }
}

/// What is known of an entry, as a name for its digests: texts that say nothing are left out, and what was said before.
pub(super) fn label<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut said: Vec<&str> = Vec::new();
    for part in parts {
        if !super::names::is_none(part) && !said.contains(&part.trim()) {
            said.push(part.trim());
        }
    }
    said.join(" ")
}

/// What a platform says of a value that is not meant for detection.
pub(super) fn context_only(to_ids: Option<&str>) -> &'static str {
    match to_ids {
        Some("0" | "false" | "False") => "(not for detection: to_ids is off)",
        _ => "",
    }
}
