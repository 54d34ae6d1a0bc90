//! Good files of every table, with every column filled: as the writer leaves them, with small pages and groups, and
//! those without compression, where damage reaches the decoders that zstd shields otherwise.

use anyhow::Result;
use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, Int32Array, Int64Array, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field};
use hashtrail::chunks::Layout;
use hashtrail::columns::{Column, Row, arrow_schema};
use hashtrail::{reader, writer};
use parquet::arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

const ROWS: usize = 150;

/// The good files of a table.
pub(super) fn good_files<R: Row>(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let columns = R::columns().iter().map(filled).collect();
    let batch = RecordBatch::try_new(arrow_schema::<R>(), columns)?;
    let rows: Vec<R> = reader::rows::<R>(&batch).collect::<Result<_>>()?;
    let path = folder.join("new");
    let take = || -> Result<Vec<u8>> {
        let bytes = fs::read(&path)?;
        fs::remove_file(&path)?;
        Ok(bytes)
    };
    writer::write(&path, &rows, "time", Vec::new())?;
    let mut files = vec![take()?];
    for compression in [Compression::ZSTD(ZstdLevel::try_new(writer::LIVE_ZSTD_LEVEL)?), Compression::UNCOMPRESSED] {
        write_in_groups::<R>(&path, &batch, compression)?;
        files.push(take()?);
    }
    Ok(files)
}

fn filled(column: &Column) -> ArrayRef {
    let is_null = |row: usize| column.nullable && row.is_multiple_of(7);
    let text = |row: usize| format!("{}-{}", column.name, row % 40);
    let number = |row: usize| (!is_null(row)).then_some(i64::try_from(row * row).unwrap_or(0));
    match &column.data_type {
        DataType::Utf8 => {
            let mut builder = StringBuilder::new();
            (0..ROWS).for_each(|row| builder.append_option((!is_null(row)).then(|| text(row))));
            Arc::new(builder.finish())
        }
        DataType::Binary => {
            let mut builder = BinaryBuilder::new();
            (0..ROWS).for_each(|row| builder.append_option((!is_null(row)).then(|| text(row))));
            Arc::new(builder.finish())
        }
        DataType::Int64 => Arc::new((0..ROWS).map(number).collect::<Int64Array>()),
        DataType::Int32 => {
            let number = |row| number(row).and_then(|number| i32::try_from(number).ok());
            Arc::new((0..ROWS).map(number).collect::<Int32Array>())
        }
        DataType::Boolean => {
            Arc::new((0..ROWS).map(|row| (!is_null(row)).then_some(row.is_multiple_of(3))).collect::<BooleanArray>())
        }
        DataType::Timestamp(..) => {
            Arc::new((0..ROWS).map(number).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        DataType::List(element) => filled_lists(element, |row| (!is_null(row)).then(|| vec![text(row); row % 4])),
        other => panic!("no table has a column of type {other}"),
    }
}

fn filled_lists(element: &Arc<Field>, items: impl Fn(usize) -> Option<Vec<String>>) -> ArrayRef {
    let items = (0..ROWS).map(items);
    if *element.data_type() == DataType::Utf8 {
        let mut builder = ListBuilder::new(StringBuilder::new()).with_field(element.clone());
        items.for_each(|items| builder.append_option(items.map(|items| items.into_iter().map(Some))));
        return Arc::new(builder.finish());
    }
    let mut builder = ListBuilder::new(BinaryBuilder::new()).with_field(element.clone());
    items.for_each(|items| builder.append_option(items.map(|items| items.into_iter().map(Some))));
    Arc::new(builder.finish())
}

/// As the writer does, but with three row groups and several pages in each chunk.
fn write_in_groups<R: Row>(path: &Path, batch: &RecordBatch, compression: Compression) -> Result<()> {
    let version = KeyValue::new("hashtrail.schema_version".to_owned(), writer::SCHEMA_VERSION.to_owned());
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROWS.div_ceil(3)))
        .set_data_page_row_count_limit(20)
        .set_write_batch_size(10)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_key_value_metadata(Some(vec![version]));
    for column in R::columns() {
        let path = parquet::schema::types::ColumnPath::from(column.name);
        properties = match column.layout {
            Layout::Dictionary => properties,
            Layout::Delta => properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            Layout::LookUp => properties
                .set_column_write_page_header_statistics(path.clone(), true)
                .set_column_bloom_filter_enabled(path, true),
        };
    }
    let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(File::create(path)?, batch.schema(), options)?;
    writer.write(batch)?;
    writer.close()?;
    Ok(())
}
