//! The selected rows of one row group, as they are decoded.

use super::dictionary::Column;
use super::{coded, contain};
use anyhow::{Context, Result, ensure};
use arrow::array::{BooleanArray, BooleanBufferBuilder, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection};
use std::sync::Arc;

/// Rows that are kept are picked out while they are decoded, where there are at most so many runs of them, and each has this many
/// rows about it: shorter ones take longer to be picked out than to be thrown away.
const MOST_RUNS: usize = 1 << 16;
const LEAST_ROWS_OF_A_RUN: usize = 32;

/// Some rows of a group.
pub(super) struct Selected {
    /// Whether each row of the group is one.
    rows: BooleanBuffer,
    pub(super) count: usize,
}

impl Selected {
    pub(super) fn new(rows: BooleanBuffer) -> Self {
        let count = rows.count_set_bits();
        Self { rows, count }
    }

    /// Those of them that are kept: one value for each of them.
    pub(super) fn narrowed(&self, kept: &BooleanBuffer) -> Self {
        let mut rows = BooleanBufferBuilder::new(self.rows.len());
        rows.append_n(self.rows.len(), false);
        let of_kept = self.rows.set_indices().enumerate().filter(|(place, _)| kept.value(*place));
        of_kept.for_each(|(_, row)| rows.set_bit(row, true));
        Self::new(rows.finish())
    }

    /// As the decoder picks them out; `None` where it should decode all.
    pub(super) fn selection(&self) -> Option<RowSelection> {
        let runs = self.rows.set_slices().take(MOST_RUNS + 1).count();
        let are_few = runs <= MOST_RUNS && runs.saturating_mul(LEAST_ROWS_OF_A_RUN) <= self.rows.len();
        are_few.then(|| RowSelection::from_filters(&[BooleanArray::new(self.rows.clone(), None)]))
    }
}

/// Rows that are being decoded: some columns by their dictionaries, the others by the decoder.
pub(super) struct Decoding {
    decoder: Option<Decoder>,
    by_code: Vec<(usize, Column)>,
    /// Columns in order, by their places in the file.
    columns: Vec<usize>,
    schema: SchemaRef,
    selected: Option<BooleanBuffer>,
    /// Rows of the group that were passed.
    passed: usize,
    /// Rows to give yet.
    left: usize,
    batch_rows: usize,
    /// Whether texts that are read as codes stay so.
    stays_coded: bool,
}

/// The decoder of what is no dictionary.
pub(super) struct Decoder {
    pub(super) reader: ParquetRecordBatchReader,
    /// Whether it gives only what is selected.
    pub(super) selects: bool,
}

impl Decoding {
    pub(super) fn new(
        decoder: Option<Decoder>,
        by_code: Vec<(usize, Column)>,
        (columns, schema): (Vec<usize>, SchemaRef),
        (rows, batch_rows): (usize, usize),
        selected: Option<&Selected>,
        stays_coded: bool,
    ) -> Self {
        let gives_selected = decoder.as_ref().is_none_or(|decoder| decoder.selects);
        let left = selected.filter(|_| gives_selected).map_or(rows, |selected| selected.count);
        let selected = selected.map(|selected| selected.rows.clone());
        Self { decoder, by_code, columns, schema, selected, passed: 0, left, batch_rows, stays_coded }
    }

    /// The next rows, which may be none, and the memory that they took.
    pub(super) fn next_batch(&mut self) -> Result<Option<(RecordBatch, usize)>> {
        contain(|| {
            let decoded = match &mut self.decoder {
                Some(decoder) => decoder.reader.next().transpose().context("the data is damaged")?,
                None => None,
            };
            let given = match (&decoded, &self.decoder) {
                (Some(batch), _) => batch.num_rows(),
                (None, None) => self.left.min(self.batch_rows),
                (None, Some(_)) => 0,
            };
            if given == 0 {
                // A decoder that ends early says nothing of it.
                ensure!(self.left == 0, "the data is damaged: {} row(s) are missing", self.left);
                return Ok(None);
            }
            self.left = self.left.checked_sub(given).context("the data is damaged: there are too many rows")?;
            let batch = self.put_together(given, decoded)?;
            let bytes = coded::check(&batch)?;
            if self.stays_coded {
                return Ok(Some((batch, bytes)));
            }
            let written = coded::write_out(&batch)?;
            // What is not written out is the same in both.
            let bytes = written.get_array_memory_size();
            Ok(Some((written, bytes)))
        })
    }

    /// The columns of the next rows: so many selected ones, or so many of all.
    fn put_together(&mut self, given: usize, decoded: Option<RecordBatch>) -> Result<RecordBatch> {
        let is_picked = self.decoder.as_ref().is_some_and(|decoder| !decoder.selects);
        let (rows, wanted) = match &self.selected {
            None => (given, None),
            Some(selected) if is_picked => (given, Some(selected.slice(self.passed, given))),
            Some(selected) => {
                let rest = selected.slice(self.passed, selected.len() - self.passed);
                let last = rest.set_indices().nth(given - 1).context("more rows than are selected")?;
                (last + 1, Some(rest.slice(0, last + 1)))
            }
        };
        self.passed += rows;
        let decoded = match (decoded, &wanted) {
            (Some(batch), Some(wanted)) if is_picked => {
                Some(filter_record_batch(&batch, &BooleanArray::new(wanted.clone(), None))?)
            }
            (decoded, _) => decoded,
        };
        let mut others = decoded.iter().flat_map(RecordBatch::columns);
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for place in &self.columns {
            let field = self.schema.field(*place);
            let by_code = self.by_code.iter_mut().find(|(of, _)| of == place);
            let array = match by_code {
                Some((_, column)) => column
                    .next(rows, wanted.as_ref())
                    .with_context(|| format!("the data is damaged: column `{}`", field.name()))?,
                None => Arc::clone(others.next().context("a column is missing")?),
            };
            fields.push(field.clone().with_data_type(array.data_type().clone()));
            arrays.push(array);
        }
        let count = wanted.map_or(given, |wanted| wanted.count_set_bits());
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::tests::{version, write};
    use crate::reader::{Judged, Predicate, Prune, SealedTable, rows};
    use crate::versions::FileVersion;

    /// Rows in which values repeat, change and are absent, over several pages.
    fn written() -> Vec<FileVersion> {
        let mut seed = 1_u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        let row = |row: i64| {
            let absent = below(3);
            let run = row / 700;
            FileVersion {
                path: (absent > 0 && run % 3 > 0).then(|| format!("/{}", below(300))),
                parent_ino: (run % 4 != 1).then(|| below(5).cast_signed()),
                real_ino: (absent == 1 && run % 5 > 1).then_some(row),
                ino: below(70_000).cast_signed(),
                path_flags: vec!["deleted".to_owned(); usize::try_from(below(3)).unwrap_or(0)],
                root_is_host: below(2) == 0,
                ..version("/", &format!("{:02x}", run % 50), row)
            }
        };
        (0..50_000).map(row).collect()
    }

    #[test]
    fn what_is_read_by_dictionaries_is_what_was_written() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let written = written();
        let path = write(directory.path(), &written)?;
        let table = SealedTable::<FileVersion>::open(&path)?;
        type Test = fn(&FileVersion) -> bool;
        let tests: [(&'static str, Test, usize); 5] = [
            ("every second row", |row| row.last_time.0 % 2 == 0, 25_000),
            ("one row in a thousand", |row| row.last_time.0 % 1000 == 7, 50),
            ("some stretches", |row| row.last_time.0 / 300 % 50 == 3, 1200),
            ("all", |_| true, 50_000),
            ("the last one", |row| row.last_time.0 == 49_999, 1),
        ];
        for (name, test, count) in tests {
            let of_row = Predicate::new(vec!["last_time"], move |batch| {
                let keep = |row: Result<FileVersion>| Ok(Some(test(&row?)));
                rows(batch).map(keep).collect::<Result<BooleanArray>>()
            });
            let of_text = Predicate::new(vec!["path", "digest", "parent_ino"], |batch| {
                let (mut paths, mut digests) = (Judged::of(batch, "path")?, Judged::of(batch, "digest")?);
                let is_kept = |row| {
                    let is_asked = paths.of_row(row, |path| path != "/7");
                    is_asked.unwrap_or(true) && digests.of_row(row, |digest| digest != "03") == Some(true)
                };
                Ok((0..batch.num_rows()).map(is_kept).map(Some).collect())
            });
            let is_asked = |row: &&FileVersion| row.path.as_deref() != Some("/7") && row.digest != "03";
            for predicates in [
                vec![of_row.clone()],
                vec![of_row.clone(), of_text.clone().coded()],
                vec![of_text.clone().coded(), of_row.clone()],
                vec![of_row.clone(), of_text.clone()],
            ] {
                let expected: Vec<&FileVersion> = written.iter().filter(|row| test(row)).collect();
                assert_eq!(expected.len(), count, "{name}");
                let expected = expected.into_iter().filter(|row| predicates.len() == 1 || is_asked(row));
                let mut found = Vec::new();
                for batch in table.batches(&Prune::default(), &[], &predicates)? {
                    found.extend(rows(&batch?).collect::<Result<Vec<FileVersion>>>()?);
                }
                let is_same = found.iter().eq(expected);
                assert!(is_same, "{name}, {} predicates: {} rows", predicates.len(), found.len());
            }
        }
        Ok(())
    }
}
