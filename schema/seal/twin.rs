//! A sealed file of one archive again in another, row by row: under the same name, with rows in the same order.

use super::{Staging, place};
use crate::archive::Archive;
use crate::columns::Row;
use crate::manifest::{Manifest, SealedFile};
use crate::writer::{LIVE, Writer};
use anyhow::{Result, ensure};
use parquet::file::metadata::KeyValue;
use serde_json::Value;

/// Such a file, while it is written.
pub struct TwinFile<R: Row> {
    of: SealedFile,
    staging: Staging,
    writer: Writer<R>,
    rows: u64,
}

impl<R: Row> TwinFile<R> {
    /// Begins it beside the tree of its archive. The table must be that of the file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(archive: &Archive, of: &SealedFile, sorted_by: &str) -> Result<Self> {
        let staging = Staging::new(archive.journal().join(format!("{}.tmp", R::TABLE)))?;
        let metadata = vec![
            KeyValue::new("hashtrail.recording_id".to_owned(), of.recording_id.clone()),
            KeyValue::new("hashtrail.segment".to_owned(), of.segment.to_string()),
        ];
        let writer = Writer::create(staging.path(), sorted_by, metadata, LIVE)?;
        Ok(Self { of: of.clone(), staging, writer, rows: 0 })
    }

    /// Adds the next row, which must be of the same event.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, row: &R::View<'_>) -> Result<()> {
        self.rows += 1;
        self.writer.push(row)
    }

    /// Puts it in its place, and names it in the manifest, with a word about the file that it is a twin of.
    ///
    /// # Errors
    /// When it cannot be written or named, or has not as many rows.
    pub fn place(self, archive: &Archive, manifest: &mut Manifest, parent: Value) -> Result<()> {
        ensure!(self.rows == self.of.rows, "`{}` has {} rows, not {}", self.of.path.display(), self.rows, self.of.rows);
        self.writer.finish()?;
        let content = place(archive, manifest, self.staging.path(), &self.of.path)?;
        let mut line = serde_json::to_value(SealedFile { content, ..self.of })?;
        line["parent"] = parent;
        manifest.append(&[("file", line)])
    }
}
