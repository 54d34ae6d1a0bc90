//! The rows of one sealed file, batch by batch.

use super::contain;
use super::input::Input;
use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use std::path::PathBuf;

/// What all rows of a file may take, written out: this much and so many times its size. An event that says little new
/// takes 5 bytes in a file and up to 20 KiB in memory, with a path of 4 KiB that is not UTF-8 and stands there escaped.
const FREE_BYTES: u64 = 64 << 20;
const MAX_BYTES_PER_BYTE: u64 = 4096;

/// The batches of one sealed file. Ends after the first error.
pub struct Batches {
    path: PathBuf,
    /// `None` at the end.
    open: Option<(Source, ParquetRecordBatchReader)>,
    /// What later batches may take.
    left_bytes: u64,
}

/// What is read.
pub(super) struct Source {
    pub(super) input: Input,
    pub(super) metadata: ArrowReaderMetadata,
    pub(super) groups: Vec<usize>,
    /// The columns that are decoded.
    pub(super) columns: Vec<usize>,
    /// Of all rows of the groups; `None` for all.
    pub(super) selection: Option<RowSelection>,
    pub(super) batch_rows: usize,
}

impl Batches {
    pub(super) fn new(path: PathBuf, size_bytes: u64, source: Source) -> Result<Self> {
        let left_bytes = FREE_BYTES.saturating_add(size_bytes.saturating_mul(MAX_BYTES_PER_BYTE));
        let reader = source.reader(&source.columns, source.selection.clone())?;
        Ok(Self { path, open: Some((source, reader)), left_bytes })
    }

    /// Of a file of which nothing is to be read.
    pub(super) fn none(path: PathBuf) -> Self {
        Self { path, open: None, left_bytes: 0 }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let (source, reader) = self.open.as_mut()?;
        let decoded = contain(|| reader.next().transpose().context("the data is damaged"));
        let batch = decoded.map_err(|error| source.name_column(error)).and_then(|batch| {
            let bytes = batch.as_ref().map_or(0, RecordBatch::get_array_memory_size);
            let left = self.left_bytes.checked_sub(u64::try_from(bytes)?);
            self.left_bytes = left.context("its rows expand beyond all measure")?;
            Ok(batch)
        });
        let batch = batch.with_context(|| format!("cannot read `{}`", self.path.display())).transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.open = None;
        }
        batch
    }
}

impl Source {
    /// A reader of some columns.
    pub(super) fn reader(
        &self,
        columns: &[usize],
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), self.metadata.clone());
        let projection = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let builder = builder.with_batch_size(self.batch_rows).with_row_groups(self.groups.clone());
        let builder = builder.with_projection(projection);
        let builder = if let Some(selection) = selection { builder.with_row_selection(selection) } else { builder };
        Ok(builder.build()?)
    }

    /// The decoder does not say which column it failed at: the first that fails alone as well.
    pub(super) fn name_column(&self, error: anyhow::Error) -> anyhow::Error {
        let fails = |column: &&usize| {
            contain(|| self.reader(&[**column], None)?.try_for_each(|batch| Ok(batch.map(drop)?))).is_err()
        };
        match self.columns.iter().find(fails) {
            Some(column) => error.context(format!("column `{}`", self.metadata.schema().field(*column).name())),
            None => error,
        }
    }
}
