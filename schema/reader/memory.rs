//! How many rows are decoded at once, so that a batch stays within a budget. A value of a dictionary is written out for
//! each row that refers to it: 4,096 rows that all mean one value of 16 MiB would take 64 GiB.

use super::bits::{Run, bits, each_run, take_length};
use super::checked_pages::Pages;
use super::input::Input;
use super::longest_row::longest_row_bytes;
use super::pages::walk_pages;
use anyhow::{Context, Result, bail};
use parquet::arrow::ProjectionMask;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::serialized_reader::SerializedPageReader;
use std::cmp::Reverse;
use std::sync::Arc;

/// Rows of a batch when nothing is large.
const MOST_ROWS: u64 = 4096;
/// What the values of a batch may take, written out. Buffers that grow by doubling take up to twice as much, and two files
/// are read at once.
const BATCH_BYTES: u64 = 24 << 20;
/// The same of a single row, which cannot be cut.
const ROW_BYTES: u64 = 48 << 20;
/// What the dictionaries and the pages that are open at once may take: one of each for every column.
const OPEN_BYTES: u64 = 192 << 20;
/// The same of a file that is read while another one is.
const SHARED_OPEN_BYTES: u64 = 32 << 20;
/// Offset, validity and level of a value, or the value itself where all have one size.
const VALUE_BYTES: u64 = 16;
/// Values of a dictionary whose lists are looked into: each takes 32 bytes then.
const MOST_DICTIONARY_VALUES: u32 = 1 << 20;

/// The columns that will be read, their pages checked.
pub(super) struct Measured<'a> {
    columns: Vec<Column<'a>>,
    open_bytes: u64,
}

impl<'a> Measured<'a> {
    pub(super) fn of(
        input: &Input,
        metadata: &'a ParquetMetaData,
        groups: &[usize],
        read: &ProjectionMask,
    ) -> Result<Self> {
        let leaves =
            (0..metadata.file_metadata().schema_descr().num_columns()).filter(|leaf| read.leaf_included(*leaf));
        let columns = leaves.map(|leaf| Column::measure(input, metadata, groups, leaf));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let open_bytes: u64 = columns.iter().map(|column| column.open_bytes).sum();
        if open_bytes > OPEN_BYTES {
            bail!("dictionaries and pages that are needed at once claim {open_bytes} bytes");
        }
        Ok(Self { columns, open_bytes })
    }

    /// Whether it takes more than is left beside another file.
    pub(super) fn is_large(&self) -> bool {
        self.open_bytes > SHARED_OPEN_BYTES
    }

    /// How many rows of some of the columns fit in a batch, where at most `kept_rows` are kept of all.
    pub(super) fn batch_rows(&mut self, input: &Input, read: &ProjectionMask, kept_rows: u64) -> Result<usize> {
        let most_rows = kept_rows.clamp(1, MOST_ROWS);
        let mut columns: Vec<_> = self.columns.iter_mut().filter(|column| read.leaf_included(column.leaf)).collect();
        // The sizes of pages are bounds of what is in them, and cheap; the largest are looked at until the rest fits.
        columns.sort_by_cached_key(|column| Reverse(column.bytes(most_rows)));
        for index in 0..columns.len() {
            if bytes_of(&columns, most_rows) <= BATCH_BYTES {
                break;
            }
            columns[index].look_closer(input)?;
        }
        let mut rows = most_rows;
        while bytes_of(&columns, rows) > BATCH_BYTES {
            rows /= 2;
            if rows == 0 && bytes_of(&columns, 1) <= ROW_BYTES {
                return Ok(1);
            }
            if rows == 0 {
                let largest = columns.iter().max_by_key(|column| column.bytes(1));
                let name = largest.map(|column| column.name()).unwrap_or_default();
                bail!("a single row could take {} bytes, most of them in column `{name}`", bytes_of(&columns, 1));
            }
        }
        Ok(usize::try_from(rows)?)
    }
}

fn bytes_of(columns: &[&mut Column<'_>], rows: u64) -> u64 {
    columns.iter().map(|column| column.bytes(rows)).fold(0, u64::saturating_add)
}

/// What the values of one column can take, over all row groups that are read.
struct Column<'a> {
    /// Number among the leaves of the schema.
    leaf: usize,
    chunks: Vec<&'a ColumnChunkMetaData>,
    /// Largest dictionary and data page.
    open_bytes: u64,
    /// Upper bound of a dictionary's longest value.
    longest_bytes: u64,
    /// Upper bound of the values in one row.
    row_values: u64,
    /// Upper bound of what one row takes, where that was found out.
    row_bytes: Option<u64>,
    values: u64,
    plain_bytes: u64,
    largest_plain_bytes: u64,
}

impl<'a> Column<'a> {
    fn measure(input: &Input, metadata: &'a ParquetMetaData, groups: &[usize], leaf: usize) -> Result<Self> {
        let chunks = groups.iter().map(|group| metadata.row_group(*group).column(leaf)).collect();
        let mut column = Self {
            leaf,
            chunks,
            open_bytes: 0,
            longest_bytes: 0,
            row_values: 1,
            row_bytes: None,
            values: 0,
            plain_bytes: 0,
            largest_plain_bytes: 0,
        };
        for (group, chunk) in groups.iter().zip(column.chunks.clone()) {
            let pages = walk_pages(input, chunk);
            column.add(chunk, pages.with_context(|| format!("row group {group}, column `{}`", column.name()))?);
        }
        Ok(column)
    }

    fn add(&mut self, chunk: &ColumnChunkMetaData, pages: Pages) {
        self.open_bytes = self.open_bytes.max(pages.dictionary_bytes + pages.largest_bytes);
        self.values += pages.values;
        if chunk.column_descr().max_rep_level() > 0 {
            self.row_values = self.row_values.max(pages.values);
        }
        if has_texts(chunk) {
            self.longest_bytes = self.longest_bytes.max(pages.dictionary_bytes);
            self.plain_bytes += pages.plain_bytes;
            self.largest_plain_bytes = self.largest_plain_bytes.max(pages.largest_plain_bytes);
        }
    }

    fn name(&self) -> String {
        self.chunks.first().map(|chunk| chunk.column_path().string()).unwrap_or_default()
    }

    /// Upper bound of what `rows` rows take, wherever they stand.
    fn bytes(&self, rows: u64) -> u64 {
        let values = rows.saturating_mul(self.row_values).min(self.values);
        let plain = values.saturating_mul(self.largest_plain_bytes).min(self.plain_bytes);
        let texts = values.saturating_mul(self.longest_bytes + VALUE_BYTES);
        let in_rows = self.row_bytes.map_or(u64::MAX, |row_bytes| rows.saturating_mul(row_bytes));
        texts.min(in_rows).saturating_add(plain)
    }

    /// Replaces the bounds that come from sizes of pages by those of the values in them.
    fn look_closer(&mut self, input: &Input) -> Result<()> {
        (self.longest_bytes, self.row_values, self.row_bytes) = (0, 1, Some(0));
        for chunk in self.chunks.clone() {
            let context = || format!("column `{}` is damaged", self.name());
            let (longest, dictionary_values) = longest_value(input, chunk).with_context(context)?;
            let row_values = most_values_of_a_row(input, chunk).with_context(context)?;
            let row_bytes = row_bytes(input, chunk, dictionary_values, row_values).with_context(context)?;
            self.longest_bytes = self.longest_bytes.max(longest);
            self.row_values = self.row_values.max(row_values);
            self.row_bytes = self.row_bytes.zip(row_bytes).map(|(most, bytes)| most.max(bytes));
        }
        Ok(())
    }
}

fn has_texts(chunk: &ColumnChunkMetaData) -> bool {
    chunk.column_type() == parquet::basic::Type::BYTE_ARRAY
}

fn pages_of(input: &Input, chunk: &ColumnChunkMetaData) -> Result<SerializedPageReader<Input>> {
    Ok(SerializedPageReader::new(Arc::new(input.clone()), chunk, usize::try_from(chunk.num_values())?, None)?)
}

/// What the longest row of a chunk of lists takes, where that can be looked at.
fn row_bytes(
    input: &Input,
    chunk: &ColumnChunkMetaData,
    dictionary_values: u32,
    row_values: u64,
) -> Result<Option<u64>> {
    let is_list = chunk.column_descr().max_rep_level() > 0;
    if !is_list || !has_texts(chunk) || dictionary_values > MOST_DICTIONARY_VALUES {
        return Ok(None);
    }
    longest_row_bytes(chunk.column_descr_ptr(), Box::new(pages_of(input, chunk)?), row_values, VALUE_BYTES)
}

/// Length of the longest value in the dictionary of a chunk, and how many values it says that it has.
fn longest_value(input: &Input, chunk: &ColumnChunkMetaData) -> Result<(u64, u32)> {
    if !has_texts(chunk) || chunk.num_values() == 0 {
        return Ok((0, 0));
    }
    let Some(Page::DictionaryPage { buf, num_values, .. }) = pages_of(input, chunk)?.get_next_page()? else {
        return Ok((0, 0));
    };
    let (mut rest, mut longest) = (buf.as_ref(), 0);
    while !rest.is_empty() {
        let (length, values) = take_length(rest)?;
        longest = longest.max(length);
        rest = values.get(length..).context("a dictionary ends within a value")?;
    }
    Ok((u64::try_from(longest)?, num_values))
}

/// Number of items in the longest list of a chunk.
fn most_values_of_a_row(input: &Input, chunk: &ColumnChunkMetaData) -> Result<u64> {
    let mut longest = Longest { row: 0, most: 1 };
    if chunk.column_descr().max_rep_level() == 0 {
        return Ok(longest.most);
    }
    let mut pages = pages_of(input, chunk)?;
    while let Some(page) = pages.get_next_page()? {
        if let Page::DataPage { buf, num_values, .. } = page {
            let (length, rest) = take_length(&buf)?;
            let levels = rest.get(..length).context("a page ends within its levels")?;
            longest.add_levels(levels, num_values.into())?;
        }
    }
    Ok(longest.most)
}

/// Follows the levels of a list column: 0 begins a row, 1 goes on with it.
struct Longest {
    row: u64,
    most: u64,
}

impl Longest {
    fn add_levels(&mut self, levels: &[u8], values: u64) -> Result<()> {
        each_run(levels, values, |run| match run {
            Run::Same(level, count) => self.add_run(level, count),
            Run::Packed(bytes, count) => bits(bytes, count).for_each(|level| self.add_run(level, 1)),
        })
    }

    fn add_run(&mut self, goes_on: bool, count: u64) {
        match goes_on {
            false => self.row = 1,
            true => self.row += count,
        }
        self.most = self.most.max(self.row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::tests::{version, write};
    use crate::reader::{Prune, SealedTable, rows};
    use crate::versions::FileVersion;

    #[test]
    fn large_values_make_small_batches() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let flags = vec!["x".repeat(20_000); 30];
        let written: Vec<_> =
            (0..100).map(|row| FileVersion { path_flags: flags.clone(), ..version("/a", "aa", row) }).collect();
        let path = write(directory.path(), &written)?;
        let table = SealedTable::<FileVersion>::open(&path)?;
        let batches = table.batches(&Prune::default(), &[], None)?.collect::<Result<Vec<_>>>()?;
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.num_rows()).collect();
        // 30 values of 20,000 bytes a row: 32 rows take 18 MiB, 64 would take 37.
        assert_eq!(sizes, [32, 32, 32, 4]);
        let read: Vec<FileVersion> = batches.iter().flat_map(rows).collect::<Result<_>>()?;
        assert_eq!(read, written);
        Ok(())
    }

    #[test]
    fn the_longest_list_is_found_in_runs_and_groups() -> Result<()> {
        let mut longest = Longest { row: 0, most: 1 };
        // A run of 5 rows; a group of 8 levels, 0 1 1 1 0 1 1 1; a run of 300 levels 1 that the last row goes on with.
        longest.add_levels(&[10, 0, 3, 0b1110_1110, 0xd8, 0x04, 1], 313)?;
        assert_eq!(longest.most, 304);
        // The next page goes on with the row.
        longest.add_levels(&[4, 1], 2)?;
        assert_eq!(longest.most, 306);
        for damaged in [&[][..], &[0, 0], &[10], &[0xff; 6], &[1]] {
            assert!(longest.add_levels(damaged, 5).is_err(), "{damaged:?}");
        }
        Ok(())
    }
}
