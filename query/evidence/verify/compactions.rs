//! Whether merged files hold the rows of those that they replace: the lines must fit together, and the digest that was taken
//! over the inputs' rows must be that of the rows that are there.

use super::MANIFEST;
use super::files::Checked;
use crate::evidence::finding::{Finding, Findings};
use hashtrail::archive::Archive;
use hashtrail::manifest::{Line, Standing};
use hashtrail::row_digest::RowDigest;

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
        match RowDigest::of_file(stated.file.table(), &archive.root().join(&stated.file.path), stated.file.rows) {
            Ok(found) if found == stated.rows_sha256 => {}
            Ok(_) => {
                let detail = "its rows are not those that its line says were merged";
                findings.push(Finding::damage("rows_disagree", name, "", detail));
            }
            Err(error) => findings.push(Finding::damage("rows_unreadable", name, "", format!("{error:#}"))),
        }
    }
}
