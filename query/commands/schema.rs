//! `schema`: every column of every table.

use super::Context;
use crate::output::{Columns, Output, Row as ShownRow, object};
use anyhow::Result;
use arrow::datatypes::DataType;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;
use serde_json::json;

pub(crate) fn run(context: Context<'_>) -> Result<bool> {
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
