//! `schema`: every column of every table, the dataset as a whole, and what each command answers in JSON.

use super::Context;
use crate::contract::{self, json_schema};
use crate::output::{Columns, Format, Output, OutputOptions, Row as ShownRow, object};
use anyhow::{Context as _, Result, bail};
use arrow::datatypes::DataType;
use clap::Args;
use clap::builder::PossibleValuesParser;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;
use hashtrail::writer::SCHEMA_VERSION;
use serde_json::{Value, json};

/// Options of `schema`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaOptions {
    /// What a command answers with --format json instead, as JSON Schema (draft 2020-12)
    #[arg(long, value_name = "COMMAND", value_parser = PossibleValuesParser::new(contract::verbs()))]
    json_schema: Option<String>,
    /// One JSON object with the version, and the folders, partitions and columns of each table, to be kept beside archives
    #[arg(long, conflicts_with = "json_schema")]
    dataset: bool,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail schema
  hashtrail schema --json-schema changes > changes.schema.json
  hashtrail schema --dataset > dataset.json";

pub(crate) fn run(options: &SchemaOptions, context: Context<'_>) -> Result<bool> {
    if let Some(command) = &options.json_schema {
        return show_answer(command, context);
    }
    if options.dataset {
        return show_dataset(context);
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

fn show_answer(command: &str, context: Context<'_>) -> Result<bool> {
    check_is_whole(context.output)?;
    let answer = contract::answer(command).with_context(|| format!("`{command}` does not answer in JSON"))?;
    writeln!(context.writer, "{:#}", json_schema::of(&answer))?;
    Ok(true)
}

/// What an engine or a catalogue has to know of archives: files of one table are one dataset, in however many archives they stand.
fn show_dataset(context: Context<'_>) -> Result<bool> {
    check_is_whole(context.output)?;
    let tables = [dataset::<Event>(), dataset::<FileVersion>(), dataset::<LedgerEntry>(), dataset::<PackageFile>()];
    let version: u32 = SCHEMA_VERSION.parse()?;
    let dataset = json!({"format": "hashtrail", "schema_version": version, "file_format": "parquet", "tables": tables});
    writeln!(context.writer, "{dataset:#}")?;
    Ok(true)
}

fn check_is_whole(output: &OutputOptions) -> Result<()> {
    let is_narrowed = output.sort.is_some() || output.limit.is_some() || !output.columns.is_empty();
    if is_narrowed || output.format == Format::Csv {
        bail!("this is one object of JSON: leave out --columns, --sort, --limit and --format csv");
    }
    Ok(())
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
