//! The kernel's own measurement lists against the archive's digests.

use super::MANIFEST;
use super::files::Checked;
use crate::evidence::finding::{Finding, Findings};
use crate::evidence::ima::{Agreement, ListSummary, PcrValue, Source, examine};
use anyhow::{Context, Result};
use hashtrail::archive::{Archive, open_regular};
use hashtrail::manifest::{Line, MeasurementList};
use hashtrail::reader::{Prune, SealedTable, rows};
use hashtrail::versions::FileVersion;
use std::fs::OpenOptions;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The register that IMA extends.
const PCR: u32 = 10;
/// Measurement lists above this size in all are not compared.
const MAX_LIST_BYTES: usize = 128 << 20;

/// What the lists say.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// One for each list.
    pub(crate) lists: Vec<ListSummary>,
    /// How the archive's digests compare with them.
    pub(crate) agreement: Agreement,
}

/// Replays the stored lists and those that were given, and compares their digests with the archive's.
pub(super) fn check(
    archive: &Archive,
    lines: &[Line],
    checked: &Checked,
    given: &[(PathBuf, Vec<u8>)],
    findings: &mut Findings,
) -> Measured {
    let mut sources = stored(archive, lines, checked, findings);
    sources.extend(given.iter().map(|(path, bytes)| Source {
        name: path.to_string_lossy().into_owned(),
        bytes: bytes.clone(),
        ..Source::default()
    }));
    if sources.is_empty() {
        return Measured::default();
    }
    let versions = versions(archive, lines, checked, findings);
    let report = examine(&sources, &versions);
    findings.extend(report.findings);
    Measured { lists: report.lists, agreement: report.agreement }
}

/// The stored pieces put together: one list for each boot, or more where the kernel's list was trimmed.
fn stored(archive: &Archive, lines: &[Line], checked: &Checked, findings: &mut Findings) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for line in lines.iter().filter(|line| line.kind() == "ima") {
        let Some(path) = line.path().filter(|path| checked.good.contains_key(path)) else { continue };
        let name = path.to_string_lossy().into_owned();
        let place = format!("line {}", line.number);
        let Ok(piece) = line.read::<MeasurementList>() else {
            findings.push(Finding::damage("line_wrong", MANIFEST, place, "a field is missing"));
            continue;
        };
        let used: usize = sources.iter().map(|source| source.bytes.len()).sum();
        let bytes = match read(&archive.root().join(&path), MAX_LIST_BYTES.saturating_sub(used)) {
            Ok(bytes) => bytes,
            Err(error) => {
                findings.push(Finding::damage("list_unreadable", name, "", format!("{error:#}")));
                continue;
            }
        };
        let pcrs = piece.pcr10.into_iter().map(|(bank, value)| PcrValue { pcr: PCR, bank, value });
        let open = sources.iter_mut().rev().find(|source| source.boot_id.as_ref() == Some(&piece.boot_id));
        match open {
            Some(open) if piece.from_byte > 0 && open.bytes.len() as u64 == piece.from_byte => {
                open.bytes.extend(bytes);
                open.pcrs.extend(pcrs);
            }
            // Another recording of the same boot stores the whole list again.
            Some(open) if piece.from_byte == 0 && bytes.starts_with(&open.bytes) => {
                open.bytes = bytes;
                open.pcrs.extend(pcrs);
            }
            _ if piece.from_byte == 0 => {
                sources.push(Source { name, bytes, boot_id: Some(piece.boot_id), pcrs: pcrs.collect() });
            }
            _ => findings.push(Finding::damage("list_gap", name, place, "the piece before it is missing")),
        }
    }
    sources
}

fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path, OpenOptions::new().read(true))?.take(max_bytes as u64 + 1).read_to_end(&mut bytes)?;
    (bytes.len() <= max_bytes).then_some(bytes).context("the measurement lists are too large to be compared")
}

/// The `files` rows whose files are as they were sealed.
fn versions(archive: &Archive, lines: &[Line], checked: &Checked, findings: &mut Findings) -> Vec<FileVersion> {
    let mut versions = Vec::new();
    let tables = lines.iter().filter_map(Line::path);
    for path in tables.filter(|path| path.starts_with("files") && checked.good.contains_key(path)) {
        if let Err(error) = read_versions(&archive.root().join(&path), &mut versions) {
            findings.push(Finding::damage("rows_unreadable", path.to_string_lossy(), "", format!("{error:#}")));
        }
    }
    versions
}

fn read_versions(path: &Path, versions: &mut Vec<FileVersion>) -> Result<()> {
    for batch in SealedTable::<FileVersion>::open(path)?.batches(&Prune::default(), &[], None)? {
        for version in rows::<FileVersion>(&batch?) {
            versions.push(version?);
        }
    }
    Ok(())
}
