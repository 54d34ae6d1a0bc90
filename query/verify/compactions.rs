//! Whether merged files hold the rows of those that they replace: the lines must fit together, and the digest that was taken
//! over the inputs' rows must be that of the rows that are there.

use super::MANIFEST;
use super::files::Checked;
use crate::finding::{Finding, Findings};
use anyhow::Result;
use hashtrail::archive::Archive;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{CompactedFile, Line, Standing};
use hashtrail::row_digest::RowDigest;
use hashtrail::versions::FileVersion;
use std::path::Path;

/// Checks each compaction whose file is as it was written.
pub(super) fn check(
    archive: &Archive,
    lines: &[Line],
    standing: &Standing,
    checked: &Checked,
    findings: &mut Findings,
) {
    for (index, fault) in &standing.faults {
        let line = lines.get(*index).map_or(index + 1, |line| line.number);
        findings.push(Finding::damage("compaction_wrong", MANIFEST, format!("line {line}"), fault.clone()));
    }
    for stated in standing.done().filter(|stated| checked.good.contains_key(&stated.file.path)) {
        let name = stated.file.path.to_string_lossy().into_owned();
        match rows_sha256(&archive.root().join(&stated.file.path), stated) {
            Ok(found) if found == stated.rows_sha256 => {}
            Ok(_) => {
                let detail = "its rows are not those that its line says were merged";
                findings.push(Finding::damage("rows_disagree", name, "", detail));
            }
            Err(error) => findings.push(Finding::damage("rows_unreadable", name, "", format!("{error:#}"))),
        }
    }
}

fn rows_sha256(path: &Path, stated: &CompactedFile) -> Result<String> {
    match stated.file.path.iter().next().and_then(|folder| folder.to_str()) {
        Some(Event::TABLE) => RowDigest::of_file::<Event>(path),
        Some(FileVersion::TABLE) => RowDigest::of_file::<FileVersion>(path),
        _ => RowDigest::of_file::<LedgerEntry>(path),
    }
}
