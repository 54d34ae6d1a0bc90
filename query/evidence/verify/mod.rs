//! Whether an archive is as it was sealed. First the chain and the digests, which need no trust in the files; then, only
//! in files whose digest is right, what the rows say.

mod compactions;
mod counts;
mod files;
mod measurements;
pub(crate) mod notes;
mod recordings;
mod sequences;
mod signature;

use crate::evidence::finding::{Finding, Findings, Severity};
use anyhow::Result;
use hashtrail::archive::Archive;
use hashtrail::manifest::{self, Parsed, Standing};
use hashtrail::signature::VerifyingKey;
use std::path::PathBuf;

pub(crate) use measurements::Measured;
pub(crate) use recordings::State;

/// What the user vouches for.
#[derive(Debug, Default)]
pub(crate) struct Anchors {
    /// Key that signed the manifest.
    pub(crate) key: Option<VerifyingKey>,
    /// Head of the chain, as the recorder printed it.
    pub(crate) head: Option<String>,
    /// Measurement lists of the host from elsewhere: name and content.
    pub(crate) measurement_lists: Vec<(PathBuf, Vec<u8>)>,
}

/// What a verification found.
#[derive(Debug)]
pub(crate) struct Verification {
    /// How the recordings ended; the worst one.
    pub(crate) state: State,
    /// Everything that was found.
    pub(crate) findings: Vec<Finding>,
    /// Recordings that the manifest names.
    pub(crate) recordings: usize,
    /// Files whose digest is right.
    pub(crate) files: usize,
    /// Bytes of those.
    pub(crate) size_bytes: u64,
    /// Events in those.
    pub(crate) events: u64,
    /// Digest of the manifest's last line.
    pub(crate) head: String,
    /// What the signature is worth, in words.
    pub(crate) signature: String,
    /// What the kernel's own measurements say.
    pub(crate) measured: Measured,
}

impl Verification {
    /// Whether the archive is sealed, and all of it is as it was sealed.
    pub(crate) fn is_good(&self) -> bool {
        self.state == State::Sealed && !self.findings.iter().any(|finding| finding.severity == Severity::Damage)
    }
}

/// Verifies one archive. Damage is a finding, never an error; `progress` is told of each file.
///
/// # Errors
/// When the archive is no directory.
pub(crate) fn verify(
    root: &std::path::Path,
    anchors: &Anchors,
    progress: impl FnMut(usize, usize),
) -> Result<Verification> {
    let archive = Archive::open(root)?;
    let mut findings = Findings::default();
    let bytes = manifest::read(&archive.manifest()).unwrap_or_else(|error| {
        findings.push(Finding::damage("manifest_unreadable", MANIFEST, "", format!("{error:#}")));
        Vec::new()
    });
    let parsed = manifest::parse(&bytes);
    findings.extend(parsed.damages.iter().map(|damage| {
        let place = format!("line {} (byte {})", damage.line, damage.offset);
        Finding::damage("manifest_damaged", MANIFEST, place, damage.reason.clone())
    }));
    findings.extend(without_checksum(&parsed));
    let signature = signature::check(&archive, &bytes, &parsed, anchors, &mut findings);
    findings.extend(anchors.head.as_deref().and_then(|head| check_head(head, &parsed)));
    let standing = Standing::in_tree(&archive, &parsed.lines);
    let checked = files::check(&archive, &parsed.lines, &standing, &mut findings, progress);
    compactions::check(&archive, &parsed.lines, &standing, &checked, &mut findings);
    let state = recordings::check(&archive, &parsed.lines, &standing, &checked, &mut findings);
    let (events, stored) = sequences::check(&archive, &parsed.lines, &checked, &mut findings);
    findings.extend(counts::check(&parsed.lines, &stored));
    let measured = measurements::check(&archive, &parsed.lines, &checked, &anchors.measurement_lists, &mut findings);
    let is_changed = Standing::in_tree(&archive, &parsed.lines).files() != standing.files();
    if is_changed || manifest::read(&archive.manifest()).is_ok_and(|now| now != bytes) {
        let detail = "it was written to while it was read: what is missing or unlisted may be for that, verify again";
        findings.push(Finding::notice("manifest_grew", MANIFEST, "", detail));
    }
    Ok(Verification {
        state,
        recordings: parsed.lines.iter().filter(|line| line.kind() == "start").count(),
        files: checked.good.len(),
        size_bytes: checked.good.values().sum(),
        events,
        head: parsed.lines.last().map(|line| line.digest.clone()).unwrap_or_default(),
        signature,
        measured,
        findings: findings.into_list(),
    })
}

const MANIFEST: &str = "manifest.jsonl";

/// Lines that nothing vouches for but the line after them.
fn without_checksum(parsed: &Parsed) -> Option<Finding> {
    let mut lines = parsed.lines.iter().filter(|line| !line.has_checksum).map(|line| line.number);
    let first = lines.next()?;
    let place = lines.next_back().map_or(format!("line {first}"), |last| format!("lines {first} to {last}"));
    let detail = "an older recorder wrote no checksum into them; each is checked by the line after it, the last one only by a \
                  signature or --head";
    Some(Finding::notice("lines_without_checksum", MANIFEST, place, detail))
}

/// The head that the user noted must be that of the last line.
fn check_head(head: &str, parsed: &Parsed) -> Option<Finding> {
    let found = parsed.lines.iter().position(|line| line.digest.eq_ignore_ascii_case(head));
    match found.map(|index| &parsed.lines[index + 1..]) {
        Some([]) => None,
        Some([first, .., last] | [first @ last]) => Some(Finding::damage(
            "lines_after_head",
            MANIFEST,
            format!("lines {} to {}", first.number, last.number),
            "they came after the head that was given, which does not vouch for them",
        )),
        None => Some(Finding::damage(
            "head_not_found",
            MANIFEST,
            "",
            "no line has the head that was given: the end was cut, or an older or another archive stands in its place",
        )),
    }
}

#[cfg(test)]
mod tests;
