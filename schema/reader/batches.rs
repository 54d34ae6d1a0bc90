//! The rows of one sealed file, batch by batch.

use super::contain;
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// What all rows of a file may take, written out: this much and so many times its size. An event that says little new
/// takes 5 bytes in a file and up to 20 KiB in memory, with a path of 4 KiB that is not UTF-8 and stands there escaped.
const FREE_BYTES: u64 = 64 << 20;
const MAX_BYTES_PER_BYTE: u64 = 4096;

/// The batches of one sealed file. Ends after the first error.
pub struct Batches {
    path: PathBuf,
    source: Source,
    reader: Option<ParquetRecordBatchReader>,
    /// What later batches may take.
    left_bytes: u64,
}

/// What is read.
pub(super) struct Source {
    pub(super) file: Arc<File>,
    pub(super) metadata: ArrowReaderMetadata,
    pub(super) groups: Vec<usize>,
    /// The columns whose pages were checked.
    pub(super) columns: Vec<usize>,
    pub(super) batch_rows: usize,
}

impl Batches {
    pub(super) fn new(path: PathBuf, size_bytes: u64, source: Source, reader: ParquetRecordBatchReader) -> Self {
        let left_bytes = FREE_BYTES.saturating_add(size_bytes.saturating_mul(MAX_BYTES_PER_BYTE));
        Self { path, source, reader: Some(reader), left_bytes }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let decoded = contain(|| reader.next().transpose().context("the data is damaged"));
        let batch = decoded.map_err(|error| self.source.name_column(error)).and_then(|batch| {
            let bytes = batch.as_ref().map_or(0, RecordBatch::get_array_memory_size);
            let left = self.left_bytes.checked_sub(u64::try_from(bytes)?);
            self.left_bytes = left.context("its rows expand beyond all measure")?;
            Ok(batch)
        });
        let batch = batch.with_context(|| format!("cannot read `{}`", self.path.display())).transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.reader = None;
        }
        batch
    }
}

impl Source {
    /// The decoder does not say which column it failed at: the first that fails alone as well.
    fn name_column(&self, error: anyhow::Error) -> anyhow::Error {
        match self.columns.iter().find(|column| contain(|| self.decode(**column)).is_err()) {
            Some(column) => error.context(format!("column `{}`", self.metadata.schema().field(*column).name())),
            None => error,
        }
    }

    fn decode(&self, column: usize) -> Result<()> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.try_clone()?, self.metadata.clone());
        let projection = ProjectionMask::roots(self.metadata.parquet_schema(), [column]);
        let builder = builder.with_batch_size(self.batch_rows).with_row_groups(self.groups.clone());
        builder.with_projection(projection).build()?.try_for_each(|batch| Ok(batch.map(drop)?))
    }
}
