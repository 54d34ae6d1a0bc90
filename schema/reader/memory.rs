//! How many rows are decoded at once, so that a batch stays within a budget. A value of a dictionary is written out for
//! each row that refers to it: 4,096 rows that all mean one value of 16 MiB would take 64 GiB.

use super::longest_row::longest_row_bytes;
use super::pages::{Pages, walk_pages};
use anyhow::{Context, Result, bail};
use parquet::arrow::ProjectionMask;
use parquet::column::page::{Page, PageReader};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::serialized_reader::SerializedPageReader;
use std::cmp::Reverse;
use std::fs::File;
use std::sync::Arc;

/// Rows of a batch when nothing is large.
const MOST_ROWS: u64 = 4096;
/// What the values of a batch may take, written out. Buffers that grow by doubling take up to twice as much.
const BATCH_BYTES: u64 = 48 << 20;
/// What the dictionaries and the pages that are open at once may take: one of each for every column.
const OPEN_BYTES: u64 = 192 << 20;
/// Offset, validity and level of a value, or the value itself where all have one size.
const VALUE_BYTES: u64 = 16;
/// Values of a dictionary whose lists are looked into: each takes 32 bytes then.
const MOST_DICTIONARY_VALUES: u32 = 1 << 20;

/// Checks the pages of the columns that will be read, and says how many rows fit in a batch.
pub(super) fn batch_rows(
    file: &Arc<File>,
    metadata: &ParquetMetaData,
    groups: &[usize],
    read: &ProjectionMask,
) -> Result<usize> {
    let leaves = (0..metadata.file_metadata().schema_descr().num_columns()).filter(|leaf| read.leaf_included(*leaf));
    let mut columns = leaves.map(|leaf| Column::measure(file, metadata, groups, leaf)).collect::<Result<Vec<_>>>()?;
    let open_bytes: u64 = columns.iter().map(|column| column.open_bytes).sum();
    if open_bytes > OPEN_BYTES {
        bail!("dictionaries and pages that are needed at once claim {open_bytes} bytes");
    }
    // The sizes of pages are bounds of what is in them, and cheap; the largest are looked at until the rest fits.
    columns.sort_by_cached_key(|column| Reverse(column.bytes(MOST_ROWS)));
    for index in 0..columns.len() {
        if bytes_of(&columns, MOST_ROWS) <= BATCH_BYTES {
            break;
        }
        columns[index].look_closer(file)?;
    }
    let mut rows = MOST_ROWS;
    while bytes_of(&columns, rows) > BATCH_BYTES {
        rows /= 2;
        if rows == 0 {
            let largest = columns.iter().max_by_key(|column| column.bytes(1));
            let name = largest.map(|column| column.name()).unwrap_or_default();
            bail!("a single row could take {} bytes, most of them in column `{name}`", bytes_of(&columns, 1));
        }
    }
    Ok(usize::try_from(rows)?)
}

fn bytes_of(columns: &[Column<'_>], rows: u64) -> u64 {
    columns.iter().map(|column| column.bytes(rows)).fold(0, u64::saturating_add)
}

/// What the values of one column can take, over all row groups that are read.
struct Column<'a> {
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
    fn measure(file: &File, metadata: &'a ParquetMetaData, groups: &[usize], leaf: usize) -> Result<Self> {
        let chunks = groups.iter().map(|group| metadata.row_group(*group).column(leaf)).collect();
        let mut column = Self {
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
            let pages = walk_pages(file, chunk);
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
    fn look_closer(&mut self, file: &Arc<File>) -> Result<()> {
        (self.longest_bytes, self.row_values, self.row_bytes) = (0, 1, Some(0));
        for chunk in self.chunks.clone() {
            let context = || format!("column `{}` is damaged", self.name());
            let (longest, dictionary_values) = longest_value(file, chunk).with_context(context)?;
            let row_values = most_values_of_a_row(file, chunk).with_context(context)?;
            let row_bytes = row_bytes(file, chunk, dictionary_values, row_values).with_context(context)?;
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

fn pages_of(file: &Arc<File>, chunk: &ColumnChunkMetaData) -> Result<SerializedPageReader<File>> {
    Ok(SerializedPageReader::new(file.clone(), chunk, usize::try_from(chunk.num_values())?, None)?)
}

/// What the longest row of a chunk of lists takes, where that can be looked at.
fn row_bytes(
    file: &Arc<File>,
    chunk: &ColumnChunkMetaData,
    dictionary_values: u32,
    row_values: u64,
) -> Result<Option<u64>> {
    let is_list = chunk.column_descr().max_rep_level() > 0;
    if !is_list || !has_texts(chunk) || dictionary_values > MOST_DICTIONARY_VALUES {
        return Ok(None);
    }
    longest_row_bytes(chunk.column_descr_ptr(), Box::new(pages_of(file, chunk)?), row_values, VALUE_BYTES)
}

/// Length of the longest value in the dictionary of a chunk, and how many values it says that it has.
fn longest_value(file: &Arc<File>, chunk: &ColumnChunkMetaData) -> Result<(u64, u32)> {
    if !has_texts(chunk) || chunk.num_values() == 0 {
        return Ok((0, 0));
    }
    let Some(Page::DictionaryPage { buf, num_values, .. }) = pages_of(file, chunk)?.get_next_page()? else {
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

/// The length that begins `bytes`, and what follows it.
fn take_length(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk().context("a length is missing")?;
    Ok((usize::try_from(u32::from_le_bytes(*length))?, rest))
}

/// Number of items in the longest list of a chunk.
fn most_values_of_a_row(file: &Arc<File>, chunk: &ColumnChunkMetaData) -> Result<u64> {
    let mut longest = Longest { row: 0, most: 1 };
    if chunk.column_descr().max_rep_level() == 0 {
        return Ok(longest.most);
    }
    let mut pages = pages_of(file, chunk)?;
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
    /// Reads levels of one bit in Parquet's hybrid of runs and bit-packed groups.
    fn add_levels(&mut self, mut bytes: &[u8], mut values: u64) -> Result<()> {
        while values > 0 {
            let head = take_varint(&mut bytes)?;
            let count = head >> 1;
            if head & 1 == 0 {
                let (level, rest) = bytes.split_first().context("a run has no level")?;
                bytes = rest;
                let count = count.min(values);
                self.add_run(*level & 1, count);
                values -= count;
            } else {
                // A last group may be cut where its values end.
                let packed = bytes.split_off(..usize::try_from(count)?.min(bytes.len())).unwrap_or_default();
                for level in packed.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)) {
                    if values == 0 {
                        break;
                    }
                    self.add_run(level, 1);
                    values -= 1;
                }
            }
            if count == 0 {
                bail!("a run of no levels");
            }
        }
        Ok(())
    }

    fn add_run(&mut self, level: u8, count: u64) {
        match level {
            0 => self.row = 1,
            _ => self.row += count,
        }
        self.most = self.most.max(self.row);
    }
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..u32::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first().context("the levels end")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a run is too long")
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
        // 30 values of 20,000 bytes a row: 64 rows take 37 MiB, 100 would take 57.
        assert_eq!(sizes, [64, 36]);
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
