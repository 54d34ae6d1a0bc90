//! What a name says of a value: the algorithm of a digest, or something else that is no digest of a file.

use crate::digest::{Digest, name_of_length, plain_name};

/// A word of at least so many hex digits was meant to be a digest.
const MEANT_DIGITS: usize = 32;
/// No name of an algorithm is longer.
const MAX_NAME: usize = 16;
/// What stands around the name of an algorithm in the names of columns, types and keys.
const AROUND: [&str; 10] =
    ["hash", "hashes", "file", "filehash", "digest", "digests", "checksum", "fingerprint", "sum", "hex"];

/// A digest with what is said of its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) digest: Digest,
    /// As it is named, plainly.
    pub(super) algorithm: Option<String>,
}

impl Found {
    /// The algorithm that is named, else what the length says.
    pub(super) fn algorithm(&self) -> &str {
        self.algorithm.as_deref().unwrap_or(self.digest.name_by_length())
    }
}

/// What a word of a list is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    Digest(Found),
    /// It was meant to be a digest and is none.
    Fault(String),
    Other,
}

/// Reads a word, with the algorithm that is named beside it.
pub(super) fn word(word: &str, algorithm: Option<&str>) -> Word {
    if word.len() < MEANT_DIGITS || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Word::Other;
    }
    let shown = shortened(word);
    let Some(digest) = Digest::from_hex(word) else {
        return Word::Fault(format!("`{shown}` has {} hex digits, which no digest has", word.len()));
    };
    let is_known = |name: &&str| (32..=128).any(|length| name_of_length(length) == Some(&plain_name(name)));
    match algorithm.filter(is_known) {
        Some(named) if plain_name(named) != digest.name_by_length() => said_to_be(&shown, named, &digest),
        _ => of_family(&shown, digest, algorithm.map(plain_name)),
    }
}

/// A family of algorithms has one of each length.
fn of_family(shown: &str, digest: Digest, named: Option<String>) -> Word {
    let bits = digest.bytes().len() * 8;
    let algorithm = match named.as_deref() {
        Some("sha" | "sha2") if digest.name_by_length() == "md5" => return said_to_be(shown, "sha", &digest),
        Some("sha" | "sha2") => None,
        Some("sha3") => Some(format!("sha3{bits}")),
        _ => named,
    };
    Word::Digest(Found { digest, algorithm })
}

fn said_to_be(shown: &str, named: &str, digest: &Digest) -> Word {
    Word::Fault(format!("`{shown}` is said to be {named}, and has the length of {}", digest.name_by_length()))
}

/// Whether a digest stands in a text against other signs, so that it is no word of its own.
pub(super) fn holds_digest(text: &str) -> bool {
    let is_digest = |part: &str| part.len() >= MEANT_DIGITS && Digest::from_hex(part).is_some();
    text.split(|letter: char| !letter.is_ascii_hexdigit()).any(is_digest)
}

/// Whether a word is the name of a hash algorithm.
pub(super) fn is_algorithm(word: &str) -> bool {
    const BEGINNINGS: [&str; 15] = [
        "md2",
        "md4",
        "md5",
        "sha",
        "sm3",
        "rmd",
        "ripemd",
        "blake",
        "streebog",
        "wp",
        "whirlpool",
        "tgr",
        "skein",
        "keccak",
        "gost",
    ];
    let is_possible =
        word.len() <= MAX_NAME && word.starts_with(|first: char| "msrbwtkg".contains(first.to_ascii_lowercase()));
    if !is_possible {
        return false;
    }
    let name = plain_name(word);
    let is_beginning = |beginning: &&str| {
        let rest = name.strip_prefix(*beginning);
        rest.is_some_and(|rest| {
            rest.len() < 8 && rest.bytes().all(|byte| byte.is_ascii_digit() || b"sb/".contains(&byte))
        })
    };
    BEGINNINGS.iter().any(is_beginning)
}

/// What a name says of the values that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Digests of files by this algorithm, by its plain name.
    Algorithm(String),
    /// Digests, of what their length says.
    AnyDigest,
    Other,
}

/// Reads `sha256`, `SHA-256`, `sha256_hash`, `FileHash-SHA256`, `file.hash.sha256`, `hash`. A digest of anything else than a
/// file's content (`imphash`, `x509-fingerprint-sha256`) has another name, and no meaning here.
pub(super) fn meaning(name: &str) -> Meaning {
    if name.len() > 64 {
        return Meaning::Other;
    }
    let name = name.trim().to_ascii_lowercase();
    let bare = name.strip_prefix("filehash-").or_else(|| name.strip_prefix("file-")).unwrap_or(&name);
    let parts: Vec<&str> = bare.split(['_', '.', ' ', ':']).filter(|part| !part.is_empty()).collect();
    let left: Vec<&str> = parts.iter().filter(|part| !AROUND.contains(part)).copied().collect();
    match &left[..] {
        [] if parts.iter().any(|part| part.contains("hash") || part.contains("digest") || *part == "checksum") => {
            Meaning::AnyDigest
        }
        [part] => {
            let part = part.strip_suffix("hash").filter(|part| is_algorithm(part)).unwrap_or(part);
            if is_algorithm(part) { Meaning::Algorithm(plain_name(part)) } else { Meaning::Other }
        }
        _ => Meaning::Other,
    }
}

/// Whether a name is one of digests that are none of a file's content, or cannot be compared bit by bit.
pub(super) fn is_other_hash(name: &str) -> bool {
    const NAMES: [&str; 20] = [
        "ssdeep",
        "tlsh",
        "imphash",
        "impfuzzy",
        "authentihash",
        "pehash",
        "vhash",
        "telfhash",
        "gimphash",
        "dhash",
        "sdhash",
        "cdhash",
        "symhash",
        "crc32",
        "tiger",
        "ja3",
        "ja3s",
        "jarm",
        "hassh",
        "hasshserver",
    ];
    /// Prints of certificates and of network clients, as `x509-fingerprint-sha256`.
    const PRINTS: [&str; 6] =
        ["x509-fingerprint-", "x509_fingerprint_", "ja3-fingerprint-", "ja3s-fingerprint-", "hassh-", "hasshserver-"];
    let name = name.to_ascii_lowercase();
    let is_print = PRINTS.iter().any(|print| name.starts_with(print));
    is_print
        || NAMES
            .iter()
            .any(|other| name == *other || name.ends_with(&format!("_{other}")) || name.ends_with(&format!("|{other}")))
}

/// Whether a word before a digest says that it is another kind of hash than one of a file's content.
pub(super) fn labels_other_hash(word: &str) -> bool {
    let is_some_hash = || word.len() <= 64 && word.to_ascii_lowercase().ends_with("hash");
    is_other_hash(word) || is_some_hash() && meaning(word) == Meaning::Other
}

/// Whether a value says that there is none.
pub(super) fn is_none(value: &str) -> bool {
    ["", "n/a", "na", "-", "none", "null", "nan"].contains(&value.trim().to_ascii_lowercase().as_str())
}

pub(super) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(80).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
