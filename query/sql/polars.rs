//! For Polars: a Python program, because its SQL keeps no table, reads no list of files and takes no JSON apart.

use super::dialect::{Dialect, path_text, stored_name};
use super::sources::Table;
use anyhow::Result;
use arrow::datatypes::DataType;
use serde_json::Value;

pub(super) struct Polars;

impl Dialect for Polars {
    fn words(&self) -> &'static str {
        include_str!("polars.words")
    }

    fn comment(&self) -> &'static str {
        "#"
    }

    fn header(&self) -> &'static str {
        "To run it: hashtrail sql --engine polars --archive DIR | python3\n\
         Every stage is SQL. Python keeps what a stage gives (`CREATE TABLE` of Polars keeps a plan, which doubles with each stage),\n\
         says which files are read, and reads the policies in the ledger, which are JSON.\n\n"
    }

    fn prelude(&self) -> &'static str {
        include_str!("polars_prelude.py")
    }

    fn table(&self, table: &Table) -> Result<String> {
        let columns = table.columns.iter();
        let columns: Vec<String> =
            columns.map(|column| format!("    {}: {},", python(column.name), type_name(&column.data_type))).collect();
        let files = table.files.iter().map(|file| Ok(format!("    {},", python(path_text(file)?))));
        let lines = |begin: &str, lines: Vec<String>, end: &str| {
            if lines.is_empty() { format!("{begin}{end}") } else { format!("{begin}\n{}\n{end}", lines.join("\n")) }
        };
        Ok(format!(
            "read({}, {}, {})\n\n",
            python(stored_name(table.name)),
            lines("{", columns, "}"),
            lines("[", files.collect::<Result<_>>()?, "]")
        ))
    }

    fn policies(&self) -> &'static str {
        include_str!("polars_policies.py")
    }

    fn view(&self, name: &str, query: &str) -> String {
        format!("view({}, \"\"\"\n{query}\n\"\"\")\n\n", python(name))
    }

    fn keep(&self, name: &str, query: &str) -> String {
        format!("keep({}, \"\"\"\n{query}\n\"\"\")\n\n", python(name))
    }

    fn show(&self, query: &str) -> String {
        format!("show(\"\"\"\n{query}\n\"\"\")\n")
    }

    fn text(&self, text: &str) -> Result<String> {
        // It stands in a text of Python.
        Ok(format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace('"', "\\\"")))
    }
}

/// A text of Python. What JSON escapes, Python does in the same way.
fn python(text: &str) -> String {
    Value::from(text).to_string()
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(element) => format!("polars.List({})", type_name(element.data_type())),
        DataType::Utf8 => "polars.String".into(),
        DataType::Timestamp(_, _) => "polars.Datetime(\"us\", \"UTC\")".into(),
        DataType::Binary => "polars.Binary".into(),
        DataType::Boolean => "polars.Boolean".into(),
        DataType::Int32 => "polars.Int32".into(),
        _ => "polars.Int64".into(),
    }
}
