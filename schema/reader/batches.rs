//! The rows of one sealed file, batch by batch: row group after row group, so that what is known of the rows of one is all that is
//! held.

use super::coded::coded;
use super::contain;
use super::decoding::{Decoder, Decoding, Selected};
use super::dictionary::Column;
use super::input::Input;
use super::memory::Measured;
use super::{Predicate, places};
use anyhow::{Context, Result, ensure};
use arrow::array::{Array, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelectionPolicy,
};
use std::cell::OnceCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

/// What all rows of a file may take, written out: this much and so many times its size. An event that says little new
/// takes less than 3 bytes in a file and up to 20 KiB in memory, with a path of 4 KiB that is not UTF-8 and stands there escaped.
const FREE_BYTES: u64 = 64 << 20;
const MAX_BYTES_PER_BYTE: u64 = 8192;

/// The batches of one sealed file. Ends after the first error.
pub struct Batches {
    path: PathBuf,
    reading: Reading,
    /// Row groups to come.
    groups: VecDeque<usize>,
    open: Option<Group>,
    /// What later batches may take.
    left_bytes: u64,
}

/// What is read of a file, and of which rows.
pub(super) struct Reading {
    pub(super) input: Input,
    pub(super) metadata: ArrowReaderMetadata,
    /// The same with codes for texts, once they are needed.
    pub(super) coded: OnceCell<ArrowReaderMetadata>,
    /// The columns that are handed on.
    pub(super) columns: Vec<usize>,
    pub(super) predicates: Vec<Predicate>,
}

/// A row group that is being read.
struct Group {
    number: usize,
    rows: Decoding,
}

impl Batches {
    pub(super) fn new(path: PathBuf, size_bytes: u64, reading: Reading, groups: Vec<usize>) -> Self {
        let left_bytes = FREE_BYTES.saturating_add(size_bytes.saturating_mul(MAX_BYTES_PER_BYTE));
        Self { path, reading, groups: groups.into(), open: None, left_bytes }
    }

    /// The next batch that has rows.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some(group) = &mut self.open else {
                let Some(number) = self.groups.pop_front() else { return Ok(None) };
                self.open = self.reading.open(number)?;
                continue;
            };
            let decoded = group.rows.next_batch();
            let decoded = decoded.map_err(|error| self.reading.name_column(group.number, &self.reading.columns, error));
            let Some((batch, bytes)) = decoded? else {
                self.open = None;
                continue;
            };
            let bytes = u64::try_from(bytes)?;
            self.left_bytes = self.left_bytes.checked_sub(bytes).context("its rows expand beyond all measure")?;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next_batch().with_context(|| format!("cannot read `{}`", self.path.display())).transpose();
        if !matches!(batch, Some(Ok(_))) {
            (self.open, self.groups) = (None, VecDeque::new());
        }
        batch
    }
}

impl Reading {
    fn mask(&self, columns: &[usize]) -> ProjectionMask {
        ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied())
    }

    /// All columns that are needed, those of the predicates too.
    fn needed(&self) -> Result<Vec<usize>> {
        let mut needed = self.columns.clone();
        for predicate in &self.predicates {
            needed.extend(places(&self.metadata, &predicate.columns)?);
        }
        needed.sort_unstable();
        needed.dedup();
        Ok(needed)
    }

    /// Checks the pages of row groups, and what they take at once.
    ///
    /// # Errors
    /// When a page header is damaged or claims too much.
    pub(super) fn measure(&self, groups: &[usize]) -> Result<Measured<'_>> {
        Measured::of(&self.input, self.metadata.metadata(), groups, &self.mask(&self.needed()?))
    }

    /// Begins with a row group. The rows that all predicates keep are found first, and the other columns are not read for it;
    /// `None` where there is none. What a batch of the others may take depends on how many are kept.
    fn open(&self, number: usize) -> Result<Option<Group>> {
        let mut measured = contain(|| self.measure(&[number]))?;
        let mut selected = None;
        for predicate in &self.predicates {
            let kept = self.kept(number, predicate, &mut measured, selected.as_ref())?;
            if kept.count == 0 {
                return Ok(None);
            }
            selected = Some(kept);
        }
        let rows = self.decode(number, &self.columns, &mut measured, selected.as_ref(), false)?;
        Ok(Some(Group { number, rows }))
    }

    /// The rows that a predicate keeps of those that were kept before.
    fn kept(
        &self,
        number: usize,
        predicate: &Predicate,
        measured: &mut Measured<'_>,
        selected: Option<&Selected>,
    ) -> Result<Selected> {
        let columns = places(&self.metadata, &predicate.columns)?;
        let mut rows = self.decode(number, &columns, measured, selected, predicate.is_coded)?;
        let mut kept = BooleanBufferBuilder::new(0);
        let mut keep = || -> Result<()> {
            while let Some((batch, _)) = rows.next_batch()? {
                kept.append_buffer(&contain(|| of_batch(predicate, &batch))?);
            }
            Ok(())
        };
        keep().map_err(|error| self.name_column(number, &columns, error))?;
        let kept = kept.finish();
        Ok(selected.map_or_else(|| Selected::new(kept.clone()), |selected| selected.narrowed(&kept)))
    }

    /// Begins with the selected rows of some columns, in batches that are not too large. Where all rows are handed on, the decoder
    /// reads all columns; else it is left with those that are no dictionaries.
    fn decode(
        &self,
        number: usize,
        columns: &[usize],
        measured: &mut Measured<'_>,
        selected: Option<&Selected>,
        stays_coded: bool,
    ) -> Result<Decoding> {
        let rows = usize::try_from(self.metadata.metadata().row_group(number).num_rows())?;
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        columns.dedup();
        let is_coded = stays_coded || selected.is_some();
        let by_code = if is_coded { contain(|| self.by_code(number, &columns, rows))? } else { Vec::new() };
        let is_other = |column: &usize| by_code.iter().all(|(of, _)| of != column);
        let others: Vec<usize> = columns.iter().copied().filter(is_other).collect();
        let kept_rows = selected.map_or(u64::MAX, |selected| selected.count as u64);
        let batch_rows = contain(|| measured.batch_rows(&self.input, &self.mask(&columns), kept_rows))?;
        // Files of an older schema version may have none of the columns: then it counts the rows.
        let decoder = if others.is_empty() && !by_code.is_empty() {
            None
        } else {
            let selection = selected.and_then(Selected::selection);
            let selects = selection.is_some();
            let metadata = if is_coded { self.coded()? } else { &self.metadata };
            Some(Decoder { reader: self.reader(metadata, number, &others, batch_rows, selection)?, selects })
        };
        let schema = Arc::clone(self.metadata.schema());
        Ok(Decoding::new(decoder, by_code, (columns, schema), (rows, batch_rows), selected, stays_coded))
    }

    /// The columns that are read by their dictionaries.
    fn by_code(&self, number: usize, columns: &[usize], rows: usize) -> Result<Vec<(usize, Column)>> {
        let schema = self.metadata.parquet_schema();
        let mut by_code = Vec::new();
        for place in columns {
            let Some(leaf) = (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == *place) else {
                continue;
            };
            let chunk = self.metadata.metadata().row_group(number).column(leaf);
            let field = self.metadata.schema().field(*place);
            let column = Column::open(&self.input, chunk, field.data_type(), rows)
                .with_context(|| format!("the data is damaged: column `{}`", field.name()))?;
            by_code.extend(column.map(|column| (*place, column)));
        }
        Ok(by_code)
    }

    fn coded(&self) -> Result<&ArrowReaderMetadata> {
        if let Some(coded) = self.coded.get() {
            return Ok(coded);
        }
        let coded = contain(|| coded(&self.metadata))?;
        Ok(self.coded.get_or_init(|| coded))
    }

    fn reader(
        &self,
        metadata: &ArrowReaderMetadata,
        number: usize,
        columns: &[usize],
        batch_rows: usize,
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader> {
        contain(|| {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), metadata.clone());
            let builder = builder.with_batch_size(batch_rows).with_row_groups(vec![number]);
            // A mask would make a batch of all rows between those that are kept.
            let builder =
                builder.with_projection(self.mask(columns)).with_row_selection_policy(RowSelectionPolicy::Selectors);
            let builder = if let Some(selection) = selection { builder.with_row_selection(selection) } else { builder };
            Ok(builder.build()?)
        })
    }

    /// The decoder does not say which column it failed at: the first that fails alone as well.
    fn name_column(&self, number: usize, columns: &[usize], error: anyhow::Error) -> anyhow::Error {
        let fails = |column: &&usize| {
            let read = || {
                let mut measured = self.measure(&[number])?;
                let batch_rows = measured.batch_rows(&self.input, &self.mask(&[**column]), u64::MAX)?;
                let mut reader = self.reader(&self.metadata, number, &[**column], batch_rows, None)?;
                reader.try_for_each(|batch| Ok(batch.map(drop)?))
            };
            contain(read).is_err()
        };
        match columns.iter().find(fails) {
            Some(column) => error.context(format!("column `{}`", self.metadata.schema().field(*column).name())),
            None => error,
        }
    }
}

/// Whether a predicate keeps each row of a batch; what it does not know of is not kept.
fn of_batch(predicate: &Predicate, batch: &RecordBatch) -> Result<BooleanBuffer> {
    let kept = (predicate.keep)(batch)?;
    ensure!(kept.len() == batch.num_rows(), "{} of {} rows were looked at", kept.len(), batch.num_rows());
    Ok(match kept.nulls() {
        Some(nulls) => kept.values() & nulls.inner(),
        None => kept.values().clone(),
    })
}
