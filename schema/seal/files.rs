//! The files of one table of a segment, one for each date.

use super::{SegmentName, place};
use crate::archive::{Archive, remove_if_there};
use crate::cell::Micros;
use crate::columns::Row;
use crate::manifest::{Manifest, SealedFile, SequenceRange};
use crate::writer::Writer;
use anyhow::Result;
use parquet::file::metadata::KeyValue;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the rows of a segment go.
pub(super) struct TableFiles<'a, R: Row> {
    archive: &'a Archive,
    name: &'a SegmentName,
    sorted_by: &'static str,
    /// By date; none for a file that the manifest names already.
    dates: BTreeMap<String, Option<TableFile<R>>>,
    /// Of the last row, as days since the epoch.
    last_day: Option<i64>,
    /// Of the last row.
    last_date: String,
}

/// One file: written beside the tree, until it is whole.
pub(super) struct TableFile<R: Row> {
    path: PathBuf,
    staging: Staging,
    writer: Writer<R>,
    rows: u64,
    from: Micros,
    to: Micros,
    sequences: BTreeMap<i32, SequenceRange>,
}

/// A file that is not yet at its place. What cannot be written whole only takes space.
struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl<'a, R: Row> TableFiles<'a, R> {
    pub(super) fn new(archive: &'a Archive, name: &'a SegmentName, sorted_by: &'static str) -> Self {
        Self { archive, name, sorted_by, dates: BTreeMap::new(), last_day: None, last_date: String::new() }
    }

    /// Writes a row to the file of its date; gives that file, and none where it was sealed before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(
        &mut self,
        manifest: &Manifest,
        time: Micros,
        row: &R::View<'_>,
    ) -> Result<Option<&mut TableFile<R>>> {
        const DAY_MICROSECONDS: i64 = 24 * 60 * 60 * 1_000_000;
        let day = time.0.div_euclid(DAY_MICROSECONDS);
        if self.last_day != Some(day) {
            (self.last_day, self.last_date) = (Some(day), time.date());
            if !self.dates.contains_key(&self.last_date) {
                let file = self.create(manifest, time)?;
                self.dates.insert(self.last_date.clone(), file);
            }
        }
        let Some(Some(file)) = self.dates.get_mut(&self.last_date) else { return Ok(None) };
        file.push(time, row)?;
        Ok(Some(file))
    }

    /// The file of the last date.
    fn create(&self, manifest: &Manifest, time: Micros) -> Result<Option<TableFile<R>>> {
        let path = Archive::sealed_name::<R>(&self.name.host, &self.last_date, &self.name.file_stem());
        let is_new = !manifest.names(&path);
        is_new.then(|| TableFile::create(self.archive, self.name, path, self.sorted_by, time)).transpose()
    }

    /// Puts all files at their places.
    ///
    /// # Errors
    /// When one cannot be written, synced or renamed.
    pub(super) fn finish(self, manifest: &Manifest) -> Result<Vec<SealedFile>> {
        let files = self.dates.into_values().flatten();
        files.map(|file| file.place(self.archive, manifest, self.name)).collect()
    }
}

impl<R: Row> TableFile<R> {
    fn create(archive: &Archive, name: &SegmentName, path: PathBuf, sorted_by: &str, time: Micros) -> Result<Self> {
        let staging = staging_of(archive, &path);
        let metadata = vec![
            KeyValue::new("hashtrail.recording_id".to_owned(), name.recording_id.clone()),
            KeyValue::new("hashtrail.segment".to_owned(), name.segment.to_string()),
        ];
        remove_if_there(&staging)?;
        let staging = Staging(staging);
        let writer = Writer::create(&staging.0, sorted_by, metadata)?;
        Ok(Self { path, staging, writer, rows: 0, from: time, to: time, sequences: BTreeMap::new() })
    }

    fn push(&mut self, time: Micros, row: &R::View<'_>) -> Result<()> {
        self.rows += 1;
        self.from = self.from.min(time);
        self.to = self.to.max(time);
        self.writer.push(row)
    }

    /// Counts the number of an event for the manifest.
    pub(super) fn count(&mut self, cpu: i32, seq: i64) {
        let range = self.sequences.entry(cpu).or_insert(SequenceRange { cpu, first: seq, last: seq, count: 0 });
        range.first = range.first.min(seq);
        range.last = range.last.max(seq);
        range.count += 1;
    }

    fn place(self, archive: &Archive, manifest: &Manifest, name: &SegmentName) -> Result<SealedFile> {
        self.writer.finish()?;
        let content = place(archive, manifest, &self.staging.0, &self.path)?;
        Ok(SealedFile {
            path: self.path,
            content,
            rows: self.rows,
            from: self.from.rfc3339(),
            to: self.to.rfc3339(),
            recording_id: name.recording_id.clone(),
            segment: name.segment,
            sequences: self.sequences.into_values().collect(),
        })
    }
}

/// One name for each table and date, without the suffix that DuckDB's globs take.
fn staging_of(archive: &Archive, path: &Path) -> PathBuf {
    archive.journal().join(path.with_extension("tmp").to_string_lossy().replace('/', "+"))
}
