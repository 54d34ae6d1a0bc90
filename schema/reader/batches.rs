//! The rows of one sealed file, batch by batch: row group after row group, so that what is known of the rows of one is all that is
//! held.

use super::contain;
use super::input::Input;
use super::memory::Measured;
use super::{Predicate, places};
use anyhow::{Context, Result, ensure};
use arrow::array::{Array, BooleanArray, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelectionPolicy,
};
use std::collections::VecDeque;
use std::path::PathBuf;

/// What all rows of a file may take, written out: this much and so many times its size. An event that says little new
/// takes 5 bytes in a file and up to 20 KiB in memory, with a path of 4 KiB that is not UTF-8 and stands there escaped.
const FREE_BYTES: u64 = 64 << 20;
const MAX_BYTES_PER_BYTE: u64 = 4096;
/// Rows that are kept are picked out while they are decoded, where there are at most so many runs of them, and each has this many
/// rows about it: shorter ones take longer to be picked out than to be thrown away.
const MOST_RUNS: usize = 1 << 16;
const LEAST_ROWS_OF_A_RUN: usize = 32;

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
    /// The columns that are handed on.
    pub(super) columns: Vec<usize>,
    pub(super) predicates: Vec<Predicate>,
}

/// A row group that is being read.
struct Group {
    number: usize,
    /// The columns that are decoded.
    columns: Vec<usize>,
    reader: ParquetRecordBatchReader,
    /// Rows that it has to give yet.
    left_rows: usize,
    /// Whether the rows are not picked out yet.
    is_unfiltered: bool,
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
            let decoded = contain(|| group.reader.next().transpose().context("the data is damaged"));
            let decoded = decoded.map_err(|error| self.reading.name_column(group.number, &group.columns, error));
            let Some(batch) = decoded? else {
                ensure!(group.left_rows == 0, "the data is damaged: {} row(s) are missing", group.left_rows);
                self.open = None;
                continue;
            };
            group.left_rows = group.left_rows.saturating_sub(batch.num_rows());
            let bytes = u64::try_from(batch.get_array_memory_size())?;
            self.left_bytes = self.left_bytes.checked_sub(bytes).context("its rows expand beyond all measure")?;
            let batch = if group.is_unfiltered { contain(|| self.reading.filter(batch))? } else { batch };
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
        let mut selection: Option<RowSelection> = None;
        for predicate in &self.predicates {
            let kept = self.kept(number, predicate, &mut measured, selection.as_ref())?;
            let runs = kept.set_slices().count();
            if runs == 0 {
                return Ok(None);
            }
            if runs > MOST_RUNS || runs.saturating_mul(LEAST_ROWS_OF_A_RUN) > kept.len() {
                let columns = self.needed()?;
                let reader = self.reader(number, &columns, &mut measured, None)?;
                let left_rows = self.rows_of(number, None)?;
                return Ok(Some(Group { number, columns, reader, left_rows, is_unfiltered: true }));
            }
            let kept = RowSelection::from_filters(&[BooleanArray::new(kept, None)]);
            selection = Some(selection.map_or_else(|| kept.clone(), |selection| selection.and_then(&kept)));
        }
        let left_rows = self.rows_of(number, selection.as_ref())?;
        let reader = self.reader(number, &self.columns, &mut measured, selection)?;
        Ok(Some(Group { number, columns: self.columns.clone(), reader, left_rows, is_unfiltered: false }))
    }

    /// How many rows of a group are selected.
    fn rows_of(&self, number: usize, selection: Option<&RowSelection>) -> Result<usize> {
        let all = || self.metadata.metadata().row_group(number).num_rows();
        selection.map_or_else(|| Ok(usize::try_from(all())?), |selection| Ok(selection.row_count()))
    }

    /// Whether a predicate keeps each of the rows that were kept before.
    fn kept(
        &self,
        number: usize,
        predicate: &Predicate,
        measured: &mut Measured<'_>,
        selection: Option<&RowSelection>,
    ) -> Result<BooleanBuffer> {
        let columns = places(&self.metadata, &predicate.columns)?;
        let reader = self.reader(number, &columns, measured, selection.cloned())?;
        let rows = self.rows_of(number, selection)?;
        let kept = contain(|| {
            let mut kept = BooleanBufferBuilder::new(0);
            for batch in reader {
                kept.append_buffer(&of_batch(predicate, &batch.context("the data is damaged")?)?);
            }
            // A decoder that ends early says nothing of it.
            ensure!(kept.len() == rows, "the data is damaged: it has {} of {rows} rows", kept.len());
            Ok(kept.finish())
        });
        kept.map_err(|error| self.name_column(number, &columns, error))
    }

    /// The rows of a batch of all needed columns that all predicates keep, without the columns that only those need.
    fn filter(&self, mut batch: RecordBatch) -> Result<RecordBatch> {
        let needed = self.needed()?;
        // The batch has them in the order of the schema.
        let places_of = |columns: Vec<usize>| -> Vec<usize> {
            (0..needed.len()).filter(|place| columns.contains(&needed[*place])).collect()
        };
        for predicate in &self.predicates {
            let looked_at = batch.project(&places_of(places(&self.metadata, &predicate.columns)?))?;
            batch = filter_record_batch(&batch, &BooleanArray::new(of_batch(predicate, &looked_at)?, None))?;
        }
        Ok(batch.project(&places_of(self.columns.clone()))?)
    }

    /// A reader of some columns, in batches that are not too large.
    fn reader(
        &self,
        number: usize,
        columns: &[usize],
        measured: &mut Measured<'_>,
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader> {
        let kept_rows = selection.as_ref().map_or(u64::MAX, |selection| selection.row_count() as u64);
        let batch_rows = contain(|| measured.batch_rows(&self.input, &self.mask(columns), kept_rows))?;
        self.plain_reader(number, columns, batch_rows, selection)
    }

    fn plain_reader(
        &self,
        number: usize,
        columns: &[usize],
        batch_rows: usize,
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.input.clone(), self.metadata.clone());
        let builder = builder.with_batch_size(batch_rows).with_row_groups(vec![number]);
        // A mask would make a batch of all rows between those that are kept.
        let builder =
            builder.with_projection(self.mask(columns)).with_row_selection_policy(RowSelectionPolicy::Selectors);
        let builder = if let Some(selection) = selection { builder.with_row_selection(selection) } else { builder };
        contain(|| Ok(builder.build()?))
    }

    /// The decoder does not say which column it failed at: the first that fails alone as well.
    fn name_column(&self, number: usize, columns: &[usize], error: anyhow::Error) -> anyhow::Error {
        let fails = |column: &&usize| {
            let read = || {
                let mut measured = self.measure(&[number])?;
                self.reader(number, &[**column], &mut measured, None)?.try_for_each(|batch| Ok(batch.map(drop)?))
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
    Ok(match kept.nulls() {
        Some(nulls) => kept.values() & nulls.inner(),
        None => kept.values().clone(),
    })
}
