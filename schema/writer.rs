//! Rows to one Parquet file.

use crate::columns::{Column, Layout, Row};
use anyhow::{Context, Result};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Rows per Arrow batch: bounds the memory that builders hold.
const BATCH_ROWS: usize = 8192;
/// Rows per row group: small groups repeat the dictionaries, large ones cannot be skipped.
const ROW_GROUP_ROWS: usize = 256 * 1024;
/// Past this a column chunk falls back from its dictionary to plain values and grows by half; the default is 1 MiB.
const DICTIONARY_BYTES: usize = 16 << 20;
/// zstd level of live files: higher ones gain 3 % and cost several times the time.
pub const LIVE_ZSTD_LEVEL: i32 = 3;
/// Version of the tables' columns, in each file's metadata.
pub const SCHEMA_VERSION: &str = "1";

/// Writes all rows to a new file, in the given order, and syncs it. `sorted_by` names the column that orders them.
///
/// # Errors
/// When the file exists already, or cannot be written or synced.
pub fn write<R: Row>(path: &Path, rows: &[R], sorted_by: &str, metadata: Vec<KeyValue>) -> Result<()> {
    let attempt = || -> Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let file = write_to(file, rows, sorted_by, metadata)?;
        Ok(file.sync_all()?)
    };
    attempt().with_context(|| format!("cannot write `{}`", path.display()))
}

fn write_to<R: Row>(file: File, rows: &[R], sorted_by: &str, metadata: Vec<KeyValue>) -> Result<File> {
    let properties = properties::<R>(sorted_by, metadata)?;
    // The Arrow schema would make Polars read dictionary columns as categories and pyarrow refuse the host partition.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(file, crate::columns::arrow_schema::<R>(), options)?;
    for chunk in rows.chunks(BATCH_ROWS) {
        writer.write(&R::batch(chunk)?)?;
    }
    Ok(writer.into_inner()?)
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
