//! For `DuckDB`.

use super::dialect::{Dialect, path_text, stored_name};
use super::sources::Table;
use anyhow::Result;
use arrow::datatypes::DataType;

pub(super) struct DuckDb;

impl Dialect for DuckDb {
    fn words(&self) -> &'static str {
        include_str!("duckdb.words")
    }

    fn header(&self) -> &'static str {
        "To run it: hashtrail sql --engine duckdb --archive DIR | duckdb\n\n"
    }

    fn prelude(&self) -> &'static str {
        "SET TimeZone = 'UTC';\n"
    }

    fn table(&self, table: &Table) -> Result<String> {
        // Files of older recorders lack columns, and where all do, the empty rows have them.
        let columns = table.columns.iter();
        let columns: Vec<String> = columns
            .map(|column| format!("CAST(NULL AS {}) AS {}", type_name(&column.data_type), column.name))
            .collect();
        let mut query = format!("SELECT {} WHERE FALSE", columns.join(", "));
        if !table.files.is_empty() {
            let files = table.files.iter().map(|file| Ok(quoted(&without_globs(path_text(file)?))));
            let files = files.collect::<Result<Vec<_>>>()?.join(",\n    ");
            query += &format!(
                "\nUNION ALL BY NAME SELECT * FROM read_parquet([\n    {files}\n], union_by_name = true, hive_partitioning = \
                 false)"
            );
        }
        Ok(self.view(stored_name(table.name), &query))
    }

    fn policies(&self) -> &'static str {
        include_str!("duckdb_policies.sql")
    }

    fn view(&self, name: &str, query: &str) -> String {
        format!("CREATE OR REPLACE TEMP VIEW {name} AS\n{query};\n\n")
    }

    fn keep(&self, name: &str, query: &str) -> String {
        format!("CREATE OR REPLACE TEMP TABLE {name} AS\n{query};\n\n")
    }

    fn show(&self, query: &str) -> String {
        format!("{query};\n")
    }

    fn text(&self, text: &str) -> Result<String> {
        Ok(quoted(text))
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name that a glob finds by itself alone.
fn without_globs(path: &str) -> String {
    let mut name = String::new();
    for letter in path.chars() {
        if "*?[".contains(letter) {
            name.extend(['[', letter, ']']);
        } else {
            name.push(letter);
        }
    }
    name
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(element) => format!("{}[]", type_name(element.data_type())),
        DataType::Utf8 => "VARCHAR".into(),
        DataType::Timestamp(_, _) => "TIMESTAMPTZ".into(),
        DataType::Binary => "BLOB".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int32 => "INTEGER".into(),
        _ => "BIGINT".into(),
    }
}
