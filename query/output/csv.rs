//! Comma-separated values with one header line, safe to open in a spreadsheet. What a cell was can be had again: backslashes in
//! it are doubled before others stand for what is not shown, and before `;` in the items of a list.

use super::{Formatter, Row, cell};
use anyhow::Result;
use hashtrail::escape::{escape_json, escape_reversibly};
use serde_json::Value;
use std::io::Write;

pub(super) struct Csv {
    columns: Vec<String>,
    header_written: bool,
}

impl Csv {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns, header_written: false }
    }

    fn header(&mut self, writer: &mut dyn Write) -> Result<()> {
        if !self.header_written {
            self.header_written = true;
            writeln!(writer, "{}", self.columns.join(","))?;
        }
        Ok(())
    }
}

impl Formatter for Csv {
    fn row(&mut self, row: &Row, writer: &mut dyn Write) -> Result<()> {
        self.header(writer)?;
        let cells: Vec<String> = self.columns.iter().map(|column| field(cell(row, column))).collect();
        Ok(writeln!(writer, "{}", cells.join(","))?)
    }

    fn finish(&mut self, writer: &mut dyn Write) -> Result<()> {
        self.header(writer)
    }
}

fn field(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return String::new(),
        // A negative number is no formula.
        Some(value @ (Value::Number(_) | Value::Bool(_))) => return value.to_string(),
        Some(Value::String(text)) => escape_reversibly(text).into_owned(),
        Some(Value::Array(values)) if values.iter().all(Value::is_string) => {
            let items = values.iter().filter_map(Value::as_str);
            items.map(|item| escape_reversibly(item).replace(';', "\\;")).collect::<Vec<_>>().join(";")
        }
        Some(value) => return quote(&escape_json(&value.to_string())),
    };
    // Spreadsheets run cells that begin so as formulas; a quote of its own is not to be taken for ours.
    let prefix = if text.starts_with(['=', '+', '-', '@', '\'']) { "'" } else { "" };
    quote(&format!("{prefix}{text}"))
}

fn quote(text: &str) -> String {
    if text.contains([',', '"', ' ', '\'', '\\', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
