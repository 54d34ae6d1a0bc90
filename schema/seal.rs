//! A finished journal segment becomes sealed files: written beside the tree, synced, renamed in, named in the manifest.

use crate::archive::{Archive, make_directory_below, remove_if_there, rename_new, sync_directory};
use crate::cell::Micros;
use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::manifest::{Content, Manifest, SealedFile, SequenceRange};
use crate::versions::{VersionContext, mark_other_sizes, runs_of};
use crate::writer;
use anyhow::{Context, Result, bail};
use parquet::file::metadata::KeyValue;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// Which segment of which recording on which host.
#[derive(Debug, Clone)]
pub struct SegmentName {
    /// Recording that wrote it.
    pub recording_id: String,
    /// Label of the host, as in the partition.
    pub host: String,
    /// Number of the segment in its recording.
    pub segment: u32,
}

impl SegmentName {
    /// Stem of the sealed files' names: `<first 8 of recording_id>-<segment>`.
    #[must_use]
    pub fn file_stem(&self) -> String {
        format!("{}-{:06}", self.recording_id.get(..8).unwrap_or(&self.recording_id), self.segment)
    }
}

/// Seals one segment. The rows may come in any order. A file that the manifest names already is left as it is, so a
/// segment whose sealing was cut short can be sealed again.
///
/// # Errors
/// When a file cannot be written, synced, renamed or named in the manifest; the journal segment must then be kept.
pub fn seal(
    archive: &Archive,
    manifest: &mut Manifest,
    name: &SegmentName,
    context: &VersionContext,
    mut events: Vec<Event>,
    mut ledger: Vec<LedgerEntry>,
) -> Result<Vec<SealedFile>> {
    events.sort_by_key(|event| (event.boot_ns, event.cpu, event.seq));
    ledger.sort_by_key(|entry| entry.boot_ns);
    mark_other_sizes(&mut events);
    let versions = runs_of(&events, context);

    let mut sequences = sequences_by_date(&events);
    let mut sealed = seal_table(archive, manifest, name, events, "boot_ns", |event| event.time)?;
    for (date, file) in &mut sealed {
        file.sequences = sequences.remove(date).unwrap_or_default();
    }
    sealed.extend(seal_table(archive, manifest, name, versions, "path", |version| version.first_time)?);
    sealed.extend(seal_table(archive, manifest, name, ledger, "boot_ns", |entry| entry.time)?);
    let files: Vec<SealedFile> = sealed.into_iter().map(|(_, file)| file).collect();
    let lines = files.iter().map(|file| Ok(("file", serde_json::to_value(file)?))).collect::<Result<Vec<_>>>()?;
    manifest.append(&lines)?;
    Ok(files)
}

/// Writes one table's rows, one file for each date.
fn seal_table<R: Row>(
    archive: &Archive,
    manifest: &Manifest,
    name: &SegmentName,
    rows: Vec<R>,
    sorted_by: &str,
    time: impl Fn(&R) -> Micros,
) -> Result<Vec<(String, SealedFile)>> {
    let mut dates: BTreeMap<String, Vec<R>> = BTreeMap::new();
    for row in rows {
        dates.entry(time(&row).date()).or_default().push(row);
    }
    let mut sealed = Vec::new();
    for (date, rows) in dates {
        let path = Archive::sealed_name::<R>(&name.host, &date, &name.file_stem());
        if manifest.names(&path) {
            continue;
        }
        let times = || rows.iter().map(&time);
        let (from, to) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
        let content = seal_file(archive, manifest, name, &path, &rows, sorted_by)?;
        let file = SealedFile {
            path,
            content,
            rows: rows.len() as u64,
            from: from.rfc3339(),
            to: to.rfc3339(),
            recording_id: name.recording_id.clone(),
            segment: name.segment,
            sequences: Vec::new(),
        };
        sealed.push((date, file));
    }
    Ok(sealed)
}

/// Writes, syncs and renames one file; returns what it holds.
fn seal_file<R: Row>(
    archive: &Archive,
    manifest: &Manifest,
    name: &SegmentName,
    path: &Path,
    rows: &[R],
    sorted_by: &str,
) -> Result<Content> {
    // One name for each table and date, without the suffix that DuckDB's globs take.
    let staging = archive.journal().join(path.with_extension("tmp").to_string_lossy().replace('/', "+"));
    let metadata = vec![
        KeyValue::new("hashtrail.recording_id".to_owned(), name.recording_id.clone()),
        KeyValue::new("hashtrail.segment".to_owned(), name.segment.to_string()),
    ];
    remove_if_there(&staging)?;
    let placed =
        writer::write(&staging, rows, sorted_by, metadata).and_then(|()| place(archive, manifest, &staging, path));
    if placed.is_err() {
        // What could not be written whole only takes space.
        let _ = std::fs::remove_file(&staging);
    }
    placed
}

/// Moves a written and synced file to its place in the archive, which only a file that no line names can hold; gives
/// what it holds.
///
/// # Errors
/// When a line names the place, or the file cannot be read back, renamed or made durable.
pub fn place(archive: &Archive, manifest: &Manifest, staging: &Path, path: &Path) -> Result<Content> {
    if manifest.names(path) {
        bail!("`{}` is sealed already", path.display());
    }
    let content = File::open(staging)
        .map_err(anyhow::Error::from)
        .and_then(Content::of)
        .with_context(|| format!("cannot read back `{}`", staging.display()))?;
    let target = archive.root().join(path);
    let directory = target.parent().context("a sealed file has a folder")?;
    make_directory_below(archive.root(), path.parent().unwrap_or(path))?;
    remove_if_there(&target)?;
    rename_new(staging, &target)
        .with_context(|| format!("cannot rename `{}` to `{}`", staging.display(), target.display()))?;
    sync_directory(directory)?;
    Ok(content)
}

/// The sequence ranges of each date's events, by CPU.
fn sequences_by_date(events: &[Event]) -> BTreeMap<String, Vec<SequenceRange>> {
    let mut ranges: BTreeMap<(String, i32), SequenceRange> = BTreeMap::new();
    for event in events {
        let range = ranges.entry((event.time.date(), event.cpu)).or_insert(SequenceRange {
            cpu: event.cpu,
            first: event.seq,
            last: event.seq,
            count: 0,
        });
        range.first = range.first.min(event.seq);
        range.last = range.last.max(event.seq);
        range.count += 1;
    }
    let mut dates: BTreeMap<String, Vec<SequenceRange>> = BTreeMap::new();
    for ((date, _), range) in ranges {
        dates.entry(date).or_default().push(range);
    }
    dates
}
