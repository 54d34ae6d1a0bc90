//! The signature over the manifest.

use super::{Anchors, MANIFEST};
use crate::evidence::finding::{Finding, Findings, Severity};
use hashtrail::archive::{Archive, open_regular};
use hashtrail::manifest::{Line, Parsed};
use hashtrail::signature::{Author, Valid, VerifyingKey};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};

const FILE: &str = "manifest.jsonl.minisig";
/// A signature has less than 500 bytes.
const MAX_BYTES: u64 = 4096;

/// What a good signature is worth without `--key`.
const OWN_KEY: &str = "consistent with its own key, whose owner is not known";

/// Checks the signature against the key that was given, or else the one that the archive itself names; gives what it is
/// worth in words.
pub(super) fn check(
    archive: &Archive,
    manifest: &[u8],
    parsed: &Parsed,
    anchors: &Anchors,
    findings: &mut Findings,
) -> String {
    let given = anchors.key.as_ref();
    let text = match read(archive) {
        Ok(text) => text.filter(|text| !text.trim().is_empty()),
        Err(error) => {
            findings.push(Finding::damage("signature_unreadable", FILE, "", format!("{error:#}")));
            return "unreadable".to_owned();
        }
    };
    let own = own_keys(parsed, findings);
    let Some(text) = text else {
        let Some(detail) = promised(parsed, given) else { return "none".to_owned() };
        findings.push(Finding::damage("signature_missing", FILE, "", detail));
        return "missing".to_owned();
    };
    let keys: Vec<&VerifyingKey> = given.map_or_else(|| own.iter().collect(), |given| vec![given]);
    let mut reason = None;
    for key in keys {
        match key.check(&text, manifest) {
            Ok(valid) => {
                findings.extend(signed_later(key, valid.bytes, parsed));
                return judge(valid, manifest, parsed, anchors, findings);
            }
            // The last recording's key is asked first.
            Err(error) => reason = reason.or(Some(format!("{error:#}"))),
        }
    }
    let Some(mut reason) = reason else {
        return "not checked: the archive names no key, give it with --key".to_owned();
    };
    if given.is_some() && own.iter().any(|key| key.check(&text, manifest).is_ok()) {
        reason.push_str("; it is consistent with the key that the archive names, which is another");
    }
    findings.push(Finding::damage("signature_wrong", FILE, "", reason));
    "WRONG".to_owned()
}

/// Why there must be a signature, if there must.
fn promised(parsed: &Parsed, given: Option<&VerifyingKey>) -> Option<String> {
    let start = signed_starts(parsed).last();
    match (start, given) {
        (Some(line), _) => Some(format!(
            "line {} names the public key of a signature, and there is none, or an empty file: it was taken away",
            line.number
        )),
        (None, Some(_)) => Some("a key was given and there is no signature".to_owned()),
        (None, None) => None,
    }
}

/// The start lines whose recorder signed.
fn signed_starts(parsed: &Parsed) -> impl Iterator<Item = &Line> {
    parsed.lines.iter().filter(|line| line.kind() == "start" && line.text("public_key").is_some())
}

/// The public keys that the archive names, that of the last recording first.
fn own_keys(parsed: &Parsed, findings: &mut Findings) -> Vec<VerifyingKey> {
    let mut keys: Vec<VerifyingKey> = Vec::new();
    for line in signed_starts(parsed) {
        match VerifyingKey::parse(&line.text("public_key").unwrap_or_default()) {
            Ok(key) if keys.iter().all(|known| known.base64() != key.base64()) => keys.insert(0, key),
            Ok(_) => {}
            Err(error) => {
                let place = format!("line {}", line.number);
                findings.push(Finding::damage("line_wrong", MANIFEST, place, format!("its public_key: {error}")));
            }
        }
    }
    keys
}

/// Recordings whose recorder did not sign with the key that vouches for them now.
fn signed_later(key: &VerifyingKey, signed_bytes: usize, parsed: &Parsed) -> Vec<Finding> {
    let own = Some(key.base64());
    let starts = parsed.lines.iter().filter(|line| line.kind() == "start" && line.offset() < signed_bytes);
    let starts = starts.filter(|line| line.text("public_key") != own);
    let detail = "its recorder does not say that it signed with this key: the signature vouches for the archive as it was when \
                  it was signed, not as it was recorded";
    starts.map(|line| Finding::notice("signed_later", MANIFEST, format!("line {}", line.number), detail)).collect()
}

/// What a valid signature is worth.
fn judge(valid: Valid, manifest: &[u8], parsed: &Parsed, anchors: &Anchors, findings: &mut Findings) -> String {
    let is_vouched_for = anchors.key.is_some();
    let mut worth = if is_vouched_for { "good" } else { OWN_KEY }.to_owned();
    match valid.author {
        Author::Hashtrail => {}
        Author::Other => {
            worth = if is_vouched_for { "valid and foreign".to_owned() } else { format!("{OWN_KEY}; foreign") };
            let detail = "it is valid and foreign: made with the key, over the whole manifest, and not by hashtrail";
            findings.push(Finding::notice("signature_foreign", FILE, "", detail));
        }
        Author::Altered => {
            worth = "valid and foreign: altered".to_owned();
            let detail = "it is valid and foreign: `minisign -V` takes it, and hashtrail did not write it so: what \
                          nothing signs (the untrusted comment, spare bits, line ends) was changed";
            findings.push(Finding::damage("signature_altered", FILE, "", detail));
        }
    }
    if valid.bytes < manifest.len() {
        let first = parsed.lines.iter().find(|line| line.offset() >= valid.bytes);
        let place = first.map(|line| format!("from line {} (byte {}) on", line.number, valid.bytes));
        let detail = "the signature covers what is before";
        let finding = Finding::damage("lines_not_signed", MANIFEST, place.unwrap_or_default(), detail);
        // The head that the user noted vouches for all lines, signed or not.
        let has_head = anchors.head.as_deref().is_some_and(|head| super::check_head(head, parsed).is_none());
        findings.push(if has_head { Finding { severity: Severity::Notice, ..finding } } else { finding });
        worth.push_str(", for a part");
    }
    worth
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
