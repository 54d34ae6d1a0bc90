//! Rows to one Parquet file.

use crate::columns::{Column, Layout, Row};
use anyhow::{Context, Result};
use arrow::array::AsArray;
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Rows per Arrow batch: bounds the memory that builders hold, and the items of lists, as a command line has 4096 at most.
const BATCH_ROWS: usize = 1024;
/// Items of lists per row group, but for its last batch: half of what the reader takes.
const ROW_GROUP_ITEMS: usize = 4 << 20;
/// Rows per row group: small groups repeat the dictionaries, large ones cannot be skipped.
const ROW_GROUP_ROWS: usize = 256 * 1024;
/// Past this a column chunk falls back from its dictionary to plain values and grows by half; the default is 1 MiB.
const DICTIONARY_BYTES: usize = 16 << 20;
/// zstd level of live files: higher ones gain 3 % and cost several times the time.
pub const LIVE_ZSTD_LEVEL: i32 = 3;
/// Version of the tables' columns, in each file's metadata.
pub const SCHEMA_VERSION: &str = "2";

/// Writes all rows to a new file, in the given order, and syncs it. `sorted_by` names the column that orders them.
///
/// # Errors
/// When the file exists already, or cannot be written or synced.
pub fn write<R: Row>(path: &Path, rows: &[R], sorted_by: &str, metadata: Vec<KeyValue>) -> Result<()> {
    let mut writer = Writer::<R>::create(path, sorted_by, metadata)?;
    rows.iter().try_for_each(|row| writer.push(&row.view()))?;
    writer.finish()
}

/// A file that is being written, row by row.
pub(crate) struct Writer<R: Row> {
    path: PathBuf,
    parquet: ArrowWriter<File>,
    builders: R::Builders,
    batch_rows: usize,
    group_items: usize,
}

impl<R: Row> Writer<R> {
    /// Makes the file. `sorted_by` names the column that orders the rows to come.
    ///
    /// # Errors
    /// When the file exists already, or cannot be written.
    pub(crate) fn create(path: &Path, sorted_by: &str, metadata: Vec<KeyValue>) -> Result<Self> {
        let attempt = || -> Result<ArrowWriter<File>> {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            let properties = properties::<R>(sorted_by, metadata)?;
            // The Arrow schema would make Polars read dictionary columns as categories and pyarrow refuse the host
            // partition.
            let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
            Ok(ArrowWriter::try_new_with_options(file, crate::columns::arrow_schema::<R>(), options)?)
        };
        let parquet = attempt().with_context(|| cannot_write(path))?;
        Ok(Self { path: path.to_owned(), parquet, builders: R::Builders::default(), batch_rows: 0, group_items: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn push(&mut self, row: &R::View<'_>) -> Result<()> {
        R::append(row, &mut self.builders);
        self.batch_rows += 1;
        if self.batch_rows == BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    /// Writes what is left and syncs the file.
    ///
    /// # Errors
    /// When the file cannot be written or synced.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.write_batch()?;
        let Self { path, parquet, .. } = self;
        let attempt = || -> Result<()> { Ok(parquet.into_inner()?.sync_all()?) };
        attempt().with_context(|| cannot_write(&path))
    }

    fn write_batch(&mut self) -> Result<()> {
        if self.batch_rows == 0 {
            return Ok(());
        }
        self.batch_rows = 0;
        let batch = R::finish(&mut self.builders)?;
        let items = batch.columns().iter().filter_map(|column| Some(column.as_list_opt::<i32>()?.values().len()));
        self.group_items += items.max().unwrap_or(0);
        let mut attempt = || -> Result<()> {
            self.parquet.write(&batch)?;
            if self.group_items >= ROW_GROUP_ITEMS {
                self.parquet.flush()?;
                self.group_items = 0;
            }
            Ok(())
        };
        attempt().with_context(|| cannot_write(&self.path))
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write `{}`", path.display())
}

fn properties<R: Row>(sorted_by: &str, mut metadata: Vec<KeyValue>) -> Result<WriterProperties> {
    metadata.push(KeyValue::new("hashtrail.schema_version".to_owned(), SCHEMA_VERSION.to_owned()));
    let columns = R::columns();
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LIVE_ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("hashtrail ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(metadata));
    if let Some(index) = columns.iter().position(|column| column.name == sorted_by) {
        let column_idx = i32::try_from(index)?;
        builder =
            builder.set_sorting_columns(Some(vec![SortingColumn { column_idx, descending: false, nulls_first: true }]));
    }
    Ok(columns.iter().fold(builder, lay_out).build())
}

/// DuckDB skips pages by the statistics in page headers, and reads no page index; both stand only where users look up.
fn lay_out(builder: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.name);
    match column.layout {
        Layout::Dictionary => builder,
        Layout::Delta => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
            .set_column_write_page_header_statistics(path, true),
        Layout::LookUp => builder
            .set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
            .set_column_write_page_header_statistics(path.clone(), true)
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path.clone(), 0.01)
            .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64),
    }
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

    /// Nobody may be able to make an archive that its own reader refuses, by running programs with long command lines.
    #[test]
    fn many_long_command_lines_can_be_read_back() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("argv.parquet");
        let event = Event { argv: Some(vec!["a".into(); 4096]), ..full_event() };
        write(&path, &vec![event; 5000], "boot_ns", Vec::new())?;
        let table = crate::reader::SealedTable::<Event>::open(&path)?;
        let batches = table.batches(&crate::reader::Prune::default(), &["argv"], None)?;
        let rows = batches.map(|batch| Ok(batch?.num_rows())).sum::<Result<usize>>()?;
        assert_eq!(rows, 5000);
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
