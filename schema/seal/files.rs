//! The files of one table of a segment, one for each date.

use super::{SegmentName, Staging, place};
use crate::archive::Archive;
use crate::cell::Micros;
use crate::columns::Row;
use crate::event::{Event, EventSource, EventView, PARTS};
use crate::manifest::{Manifest, SealedFile, SequenceRange};
use crate::writer::{LIVE, Writer};
use anyhow::Result;
use parquet::file::metadata::KeyValue;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the rows of a segment go.
pub(super) struct TableFiles<'a, R: Row> {
    archive: &'a Archive,
    name: &'a SegmentName,
    sorted_by: &'static str,
    /// With their dates; none for a file that the manifest names already.
    files: Vec<(String, Option<TableFile<R>>)>,
    /// Days since the epoch of the last row, and the place of its file.
    last: Option<(i64, usize)>,
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

impl<'a, R: Row> TableFiles<'a, R> {
    pub(super) fn new(archive: &'a Archive, name: &'a SegmentName, sorted_by: &'static str) -> Self {
        Self { archive, name, sorted_by, files: Vec::new(), last: None }
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
        let Some(file) = self.file_of(manifest, time)? else { return Ok(None) };
        file.push(time, row)?;
        Ok(Some(file))
    }

    /// The file of a date, and none where it was sealed before.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn file_of(&mut self, manifest: &Manifest, time: Micros) -> Result<Option<&mut TableFile<R>>> {
        const DAY_MICROSECONDS: i64 = 24 * 60 * 60 * 1_000_000;
        let day = time.0.div_euclid(DAY_MICROSECONDS);
        let place = match self.last {
            Some((last, place)) if last == day => place,
            _ => self.place_of(manifest, time)?,
        };
        self.last = Some((day, place));
        Ok(self.files.get_mut(place).and_then(|(_, file)| file.as_mut()))
    }

    /// Where the file of a date is, which is made where it is missing.
    fn place_of(&mut self, manifest: &Manifest, time: Micros) -> Result<usize> {
        let date = time.date();
        if let Some(place) = self.files.iter().position(|(known, _)| *known == date) {
            return Ok(place);
        }
        let path = Archive::sealed_name::<R>(&self.name.host, &date, &self.name.file_stem());
        let is_new = !manifest.names(&path);
        let create = || {
            let staging = Staging::new(staging_of(self.archive, &path))?;
            TableFile::create(staging, self.name, path, self.sorted_by, time)
        };
        let file = is_new.then(create).transpose()?;
        self.files.push((date, file));
        Ok(self.files.len() - 1)
    }

    /// Puts all files at their places.
    ///
    /// # Errors
    /// When one cannot be written, synced or renamed.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<Vec<SealedFile>> {
        self.files.sort_by(|(left, _), (right, _)| left.cmp(right));
        let files = self.files.into_iter().filter_map(|(_, file)| file);
        files.map(|file| file.place(self.archive, manifest, self.name)).collect()
    }
}

impl<R: Row> TableFile<R> {
    pub(super) fn create(
        staging: Staging,
        name: &SegmentName,
        path: PathBuf,
        sorted_by: &str,
        time: Micros,
    ) -> Result<Self> {
        let metadata = vec![
            KeyValue::new("hashtrail.recording_id".to_owned(), name.recording_id.clone()),
            KeyValue::new("hashtrail.segment".to_owned(), name.segment.to_string()),
        ];
        let writer = Writer::create(staging.path(), sorted_by, metadata, LIVE)?;
        Ok(Self { path, staging, writer, rows: 0, from: time, to: time, sequences: BTreeMap::new() })
    }

    /// Where it will stand, relative to the archive.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(&mut self, time: Micros, row: &R::View<'_>) -> Result<()> {
        self.count_row(time);
        self.writer.push(row)
    }

    fn count_row(&mut self, time: Micros) {
        self.rows += 1;
        self.from = self.from.min(time);
        self.to = self.to.max(time);
    }

    /// Counts the number of an event for the manifest.
    pub(super) fn count(&mut self, cpu: i32, seq: i64) {
        self.sequences.entry(cpu).or_insert_with(|| SequenceRange::new(cpu, seq)).add(seq);
    }

    /// Puts it at its place.
    ///
    /// # Errors
    /// When it cannot be written, synced or renamed.
    pub(super) fn place(self, archive: &Archive, manifest: &Manifest, name: &SegmentName) -> Result<SealedFile> {
        self.writer.finish()?;
        let content = place(archive, manifest, self.staging.path(), &self.path)?;
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

impl TableFile<Event> {
    /// Looks which parts of an event came before.
    pub(super) fn find<'a>(&mut self, event: &impl EventSource<'a>) -> [bool; PARTS] {
        self.writer.find(event)
    }

    /// Writes the row of the event that was looked at last.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push_found(&mut self, row: &EventView<'_>) -> Result<()> {
        self.count_row(row.time);
        self.count(row.cpu, row.seq);
        self.writer.push_found(row)
    }
}

/// One name for each table and date, without the suffix that DuckDB's globs take.
fn staging_of(archive: &Archive, path: &Path) -> PathBuf {
    archive.journal().join(path.with_extension("tmp").to_string_lossy().replace('/', "+"))
}
