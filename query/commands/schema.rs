//! `schema`: every column of every table, or the dataset as a whole.

use super::Context;
use crate::output::{Columns, Output, Row as ShownRow, object};
use anyhow::{Result, bail};
use arrow::datatypes::DataType;
use clap::Args;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;
use hashtrail::writer::SCHEMA_VERSION;
use serde_json::{Value, json};

/// Options of `schema`.
#[derive(Debug, Args)]
pub(crate) struct SchemaOptions {
    /// One JSON object with the version, and the folders, partitions and columns of each table, to be kept beside archives
    #[arg(long)]
    pub(crate) dataset: bool,
}

pub(crate) fn run(options: &SchemaOptions, context: Context<'_>) -> Result<bool> {
    if options.dataset {
        return print_dataset(context);
    }
    let columns = ["table", "name", "type", "nullable", "meaning"];
    let mut output = Output::new(context.output, Columns::of(&columns), context.writer);
    let rows = table::<Event>().chain(table::<FileVersion>()).chain(table::<LedgerEntry>());
    for row in rows.chain(table::<PackageFile>()) {
        if output.row(row)?.is_break() {
            break;
        }
    }
    Ok(output.finish()? > 0)
}

/// What an engine or a catalogue has to know of archives: files of one table are one dataset, in however many archives they stand.
fn print_dataset(context: Context<'_>) -> Result<bool> {
    let output = context.output;
    if output.sort.is_some() || output.limit.is_some() || !output.columns.is_empty() {
        bail!("a dataset is one object: leave out --sort, --limit and --columns");
    }
    let tables = [dataset::<Event>(), dataset::<FileVersion>(), dataset::<LedgerEntry>(), dataset::<PackageFile>()];
    let version: u32 = SCHEMA_VERSION.parse()?;
    let dataset = json!({"format": "hashtrail", "schema_version": version, "file_format": "parquet", "tables": tables});
    writeln!(context.writer, "{}", serde_json::to_string_pretty(&dataset)?)?;
    Ok(true)
}

fn dataset<R: Row>() -> Value {
    let columns: Vec<ShownRow> = table::<R>()
        .map(|mut column| {
            column.remove("table");
            column
        })
        .collect();
    json!({
        "name": R::TABLE,
        "files": format!("{}/host=*/date=*/*.parquet", R::TABLE),
        "partitions": [{"name": "host", "type": "STRING"}, {"name": "date", "type": "DATE"}],
        "columns": columns,
    })
}

fn table<R: Row>() -> impl Iterator<Item = ShownRow> {
    R::columns().into_iter().map(|column| {
        object(json!({
            "table": R::TABLE, "name": column.name, "type": type_name(&column.data_type),
            "nullable": column.nullable, "meaning": column.meaning,
        }))
    })
}

/// The name that Parquet gives to the type.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "STRING".to_owned(),
        DataType::Timestamp(_, _) => "TIMESTAMP(MICROS, UTC)".to_owned(),
        DataType::List(element) => format!("LIST of {}", type_name(element.data_type())),
        other => other.to_string().to_uppercase(),
    }
}
