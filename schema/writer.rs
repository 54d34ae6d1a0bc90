//! Rows to one Parquet file.

mod known;

use crate::chunks::Layout;
use crate::chunks::press::Press;
use crate::columns::Row;
use anyhow::{Context, Result};
use known::KnownParts;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{DeltaBinaryPackedEncoderOptions, EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows between two looks at what was collected: bounds by how much it can be above the bounds below. A command line has 8,192
/// items at most, which stand in two columns, and takes 48 KiB where each byte of it is escaped.
const STEP_ROWS: usize = 64;
/// Items of all lists per row group: half of what the reader takes.
const ROW_GROUP_ITEMS: usize = 4 << 20;
/// Differences of numbers: so many are taken from the lowest of them, and each of so many parts has a width of its own. Short parts
/// follow the clock, whose differences come in bursts; long blocks keep those of the numbers of two CPUs alike for the compressor.
const DELTA_BLOCK: (usize, usize) = (1024, 32);
/// What the dictionaries of a row group may take. They are small enough for every reader then, so that no column needs a
/// second layout for values that do not repeat.
const DICTIONARIES_BYTES: usize = 24 << 20;
/// Version of the tables' columns, in each file's metadata.
pub const SCHEMA_VERSION: &str = "2";

/// How large and how small a file is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    zstd_level: i32,
    /// Rows of a page: what a reader skips by its bounds, and as far as the compressor looks back.
    page_rows: usize,
    /// Values of a page in each column, items of lists included.
    page_values: usize,
    /// Rows per row group: small groups repeat the dictionaries, large ones cannot be skipped.
    group_rows: usize,
    /// What a row group may take in memory: its dictionaries, its compressed pages, and what is not encoded yet.
    group_bytes: usize,
}

/// zstd level of live files: higher ones gain 3 % and cost several times the time.
pub const LIVE_ZSTD_LEVEL: i32 = 3;
/// While a recording runs.
pub(crate) const LIVE: Effort = Effort {
    zstd_level: LIVE_ZSTD_LEVEL,
    page_rows: 320 * STEP_ROWS,
    page_values: 64 << 10,
    group_rows: 256 << 10,
    group_bytes: DICTIONARIES_BYTES,
};
/// Of files that are merged, once, by a program that nothing waits for.
pub(crate) const MERGED: Effort = Effort {
    zstd_level: 19,
    page_rows: 2048 * STEP_ROWS,
    page_values: 256 << 10,
    group_rows: 1 << 20,
    group_bytes: 96 << 20,
};

/// Writes all rows to a new file, in the given order, and syncs it. `sorted_by` names the column that orders them.
///
/// # Errors
/// When the file exists already, or cannot be written or synced.
pub fn write<R: Row>(path: &Path, rows: &[R], sorted_by: &str, metadata: Vec<KeyValue>) -> Result<()> {
    let mut writer = Writer::<R>::create(path, sorted_by, metadata, LIVE)?;
    rows.iter().try_for_each(|row| writer.push(&row.view()))?;
    writer.finish()
}

/// A file that is being written, row by row.
pub(crate) struct Writer<R: Row> {
    path: PathBuf,
    parquet: SerializedFileWriter<File>,
    chunks: R::Chunks,
    known: KnownParts,
    press: Press,
    effort: Effort,
    /// Rows of the page that has not ended, and of the pages before it in its group.
    page_rows: usize,
    ended_rows: usize,
    /// Values in the longest column of those pages.
    ended_values: usize,
}

impl<R: Row> Writer<R> {
    /// Makes the file. `sorted_by` names the column that orders the rows to come.
    ///
    /// # Errors
    /// When the file exists already, or cannot be written.
    pub(crate) fn create(path: &Path, sorted_by: &str, metadata: Vec<KeyValue>, effort: Effort) -> Result<Self> {
        let attempt = || -> Result<SerializedFileWriter<File>> {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            let properties = properties::<R>(sorted_by, metadata, effort)?;
            // The Arrow schema is not in the file: it would make Polars read dictionary columns as categories and
            // pyarrow refuse the host partition.
            let schema = ArrowSchemaConverter::new().convert(&crate::columns::arrow_schema::<R>())?;
            Ok(SerializedFileWriter::new(file, schema.root_schema_ptr(), Arc::new(properties))?)
        };
        let parquet = attempt().with_context(|| cannot_write(path))?;
        let chunks =
            R::chunks(parquet.schema_descr().columns()).context("a column of the table is not in its schema")?;
        let (path, press) = (path.to_owned(), Press::new(effort.zstd_level)?);
        let known = KnownParts::default();
        Ok(Self { path, parquet, chunks, known, press, effort, page_rows: 0, ended_rows: 0, ended_values: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    #[inline]
    pub(crate) fn push(&mut self, row: &R::View<'_>) -> Result<()> {
        R::append(row, &mut self.chunks);
        self.end_row()
    }

    #[inline]
    fn end_row(&mut self) -> Result<()> {
        self.page_rows += 1;
        if self.page_rows.is_multiple_of(STEP_ROWS) { self.bound() } else { Ok(()) }
    }

    /// Writes what is left and syncs the file.
    ///
    /// # Errors
    /// When the file cannot be written or synced.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.end_group()?;
        let attempt = || -> Result<()> { Ok(self.parquet.into_inner()?.sync_all()?) };
        attempt().with_context(|| cannot_write(&self.path))
    }

    /// Ends the page or the group if it is large enough.
    fn bound(&mut self) -> Result<()> {
        let (mut bytes, mut dictionaries, mut values, mut items) = (0, 0, 0, 0);
        R::each(&mut self.chunks, &mut |chunk| {
            bytes += chunk.bytes();
            dictionaries += chunk.dictionary_bytes();
            values = values.max(chunk.values());
            items += chunk.items();
            Ok(())
        })?;
        let rows = self.ended_rows + self.page_rows;
        let Effort { page_rows, page_values, group_rows, group_bytes, .. } = self.effort;
        let is_large = rows >= group_rows || bytes >= group_bytes;
        if is_large || items >= ROW_GROUP_ITEMS || dictionaries >= DICTIONARIES_BYTES {
            return self.end_group();
        }
        if self.page_rows >= page_rows || values - self.ended_values >= page_values {
            self.ended_values = values;
            return self.end_page();
        }
        Ok(())
    }

    fn end_page(&mut self) -> Result<()> {
        let Self { chunks, press, page_rows, .. } = self;
        R::each(chunks, &mut |chunk| chunk.end_page(*page_rows, press)).with_context(|| cannot_write(&self.path))?;
        self.ended_rows += std::mem::take(&mut self.page_rows);
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        if self.page_rows > 0 {
            self.end_page()?;
        }
        if self.ended_rows == 0 {
            return Ok(());
        }
        (self.ended_rows, self.ended_values) = (0, 0);
        self.known.clear();
        let Self { parquet, chunks, press, .. } = self;
        let mut attempt = || -> Result<()> {
            let mut group = parquet.next_row_group()?;
            R::each(chunks, &mut |chunk| chunk.write(&mut group, press))?;
            group.close()?;
            Ok(())
        };
        attempt().with_context(|| cannot_write(&self.path))
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write `{}`", path.display())
}

fn codec(zstd_level: i32) -> Result<Compression> {
    Ok(Compression::ZSTD(ZstdLevel::try_new(zstd_level)?))
}

fn properties<R: Row>(sorted_by: &str, mut metadata: Vec<KeyValue>, effort: Effort) -> Result<WriterProperties> {
    metadata.push(KeyValue::new("hashtrail.schema_version".to_owned(), SCHEMA_VERSION.to_owned()));
    let columns = R::columns();
    let (block, parts) = DELTA_BLOCK;
    let mut builder = WriterProperties::builder()
        .set_delta_binary_packed_encoder_options(DeltaBinaryPackedEncoderOptions::try_new(block, parts)?)
        .set_compression(codec(effort.zstd_level)?)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("hashtrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(metadata));
    if let Some(index) = columns.iter().position(|column| column.name == sorted_by) {
        let column_idx = i32::try_from(index)?;
        builder =
            builder.set_sorting_columns(Some(vec![SortingColumn { column_idx, descending: false, nulls_first: true }]));
    }
    let deltas = columns.iter().filter(|column| column.layout == Layout::Delta);
    Ok(deltas
        .fold(builder, |builder, column| {
            let path = ColumnPath::from(column.name);
            builder
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
                .set_column_write_page_header_statistics(path, true)
        })
        .build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::ledger::LedgerEntry;
    use crate::versions::FileVersion;

    fn size_of_one_row<R: Row>(row: R) -> Result<u64> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("one");
        write(&path, &[row], "boot_ns", Vec::new())?;
        Ok(std::fs::metadata(&path)?.len())
    }

    /// An exec with every column that a hook can give.
    fn full_event() -> Event {
        let text = |length: usize| Some("x".repeat(length));
        Event {
            recording_id: "3f1c9e52-8b55-4f7a-9d53-0c3a86f6a1de".into(),
            host: "web-1.example.net".into(),
            boot_id: "0b0b6c39-0a7d-4c39-8f0a-6d6b6f1a2c11".into(),
            hook: "bprm_committed_creds".into(),
            served_by: "bprm_committed_creds".into(),
            policy: text(20),
            selector: text(1),
            message: text(80),
            tags: vec!["exec".into(), "ssh".into()],
            exe: text(60),
            path: text(60),
            dev: Some("254:0".into()),
            ino: Some(123_456),
            size_bytes: Some(1 << 20),
            mtime: Some(crate::cell::Micros(1_700_000_000_000_000)),
            ctime: Some(crate::cell::Micros(1_700_000_000_000_000)),
            argv: Some(vec!["x".repeat(40); 5]),
            digest_algorithm: text(6),
            digest: text(64),
            digest_source: text(3),
            digest_doubt: vec!["writer_open".into()],
            ..Event::default()
        }
    }

    /// How many of these execs can be read from a file of them.
    fn read_back(events: &[Event]) -> Result<usize> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("argv.parquet");
        write(&path, events, "boot_ns", Vec::new())?;
        let table = crate::reader::SealedTable::<Event>::open(&path)?;
        let batches = table.batches(&crate::reader::Prune::default(), &["argv"], None)?;
        batches.map(|batch| Ok(batch?.num_rows())).sum()
    }

    fn exec(argv: Vec<String>) -> Event {
        Event { argv: Some(argv), ..full_event() }
    }

    /// Nobody may be able to make an archive that its own reader refuses, by running programs with long command lines.
    #[test]
    fn many_long_command_lines_can_be_read_back() -> Result<()> {
        assert_eq!(read_back(&vec![exec(vec!["a".into(); 4096]); 5000])?, 5000);
        Ok(())
    }

    /// 8 KiB hold 8,192 empty arguments, and what is no UTF-8 stands in two columns.
    #[test]
    fn as_many_arguments_as_an_exec_can_have_can_be_read_back() -> Result<()> {
        let event = Event { argv_bytes: Some(vec![Vec::new(); 8192]), ..exec(vec![String::new(); 8192]) };
        assert_eq!(read_back(&vec![event; 1100])?, 1100);
        Ok(())
    }

    /// Each takes little, and what no row takes is the longest list of the longest item.
    #[test]
    fn an_exec_of_many_arguments_and_one_of_a_long_one_can_be_read_back() -> Result<()> {
        assert_eq!(read_back(&[exec(vec![String::new(); 8192]), exec(vec!["x".repeat(40_955)])])?, 2);
        Ok(())
    }

    /// Arguments that do not repeat, the longer ones at the end: a dictionary ends before it is too long for a page.
    #[test]
    fn long_arguments_that_do_not_repeat_can_be_read_back() -> Result<()> {
        let execs = |count: usize, bytes: usize| (0..count).map(move |number| exec(vec![format!("{number:bytes$}")]));
        assert_eq!(read_back(&execs(3072, 7_808).chain(execs(1024, 40_955)).collect::<Vec<Event>>())?, 4096);
        Ok(())
    }

    /// Rotation by time makes small files certain, so what a file costs beside its rows counts.
    #[test]
    fn a_file_of_one_row_is_small() -> Result<()> {
        let event = full_event();
        let context = crate::versions::VersionContext::default();
        let observed = Event {
            ino_generation: Some(1),
            fs_type: Some("ext4".into()),
            mode: Some(0o755),
            owner_uid: Some(0),
            owner_gid: Some(0),
            ..event.clone()
        };
        let version = crate::versions::runs_of(&[observed], &context).remove(0);
        let entry = LedgerEntry { detail: Some("x".repeat(500)), ..LedgerEntry::default() };
        for bytes in [size_of_one_row(event)?, size_of_one_row::<FileVersion>(version)?, size_of_one_row(entry)?] {
            assert!(bytes <= 17 << 10, "{bytes} bytes");
        }
        Ok(())
    }
}
