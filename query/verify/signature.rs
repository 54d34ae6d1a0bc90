//! The signature over the manifest.

use super::MANIFEST;
use crate::finding::{Finding, Findings};
use hashtrail::archive::{Archive, open_regular};
use hashtrail::manifest::Parsed;
use hashtrail::signature::VerifyingKey;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};

const FILE: &str = "manifest.jsonl.minisig";
/// A signature has less than 500 bytes.
const MAX_BYTES: u64 = 4096;

/// Checks the signature; gives what it is worth in words.
pub(super) fn check(
    archive: &Archive,
    manifest: &[u8],
    parsed: &Parsed,
    key: Option<&VerifyingKey>,
    findings: &mut Findings,
) -> &'static str {
    let text = match read(archive) {
        Ok(text) => text,
        Err(error) => {
            findings.push(Finding::damage("signature_unreadable", FILE, "", format!("{error:#}")));
            return "unreadable";
        }
    };
    let (text, key) = match (text, key) {
        (None, None) => return "none",
        (Some(_), None) => return "not checked: give its key with --key",
        (None, Some(_)) => {
            findings.push(Finding::damage("signature_missing", FILE, "", "a key was given and there is no signature"));
            return "missing";
        }
        (Some(text), Some(key)) => (text, key),
    };
    match key.check(&text, manifest) {
        Ok(covered) if covered == manifest.len() => "good",
        Ok(covered) => {
            let first = parsed.lines.iter().find(|line| line.offset >= covered);
            let place = first.map(|line| format!("from line {} (byte {covered}) on", line.number)).unwrap_or_default();
            findings.push(Finding::damage("lines_not_signed", MANIFEST, place, "the signature covers what is before"));
            "good for a part"
        }
        Err(error) => {
            findings.push(Finding::damage("signature_wrong", FILE, "", format!("{error:#}")));
            "WRONG"
        }
    }
}

/// The text of the signature file; `None` where there is none.
fn read(archive: &Archive) -> anyhow::Result<Option<String>> {
    let file = match open_regular(&archive.signature(), OpenOptions::new().read(true)) {
        Err(error) if is_missing(&error) => return Ok(None),
        file => file?,
    };
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}
