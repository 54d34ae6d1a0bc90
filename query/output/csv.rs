//! Comma-separated values with one header line, safe to open in a spreadsheet. What a cell was can be had again: backslashes in
//! it are doubled before others stand for what is not shown, and before `;` in the items of a list, each of which is disarmed by
//! itself.

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

/// What begins a formula, also in the wide letters that some spreadsheets read alike.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

fn field(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        // A negative number is no formula.
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::String(text)) => quote(&disarmed(&escape_reversibly(text), ";")),
        Some(Value::Array(values)) if values.iter().all(Value::is_string) => {
            let items = values.iter().filter_map(Value::as_str);
            quote(&items.map(|item| disarmed(&escape_reversibly(item), "\\;")).collect::<Vec<_>>().join(";"))
        }
        Some(value) => quote(&in_one_cell(&escape_json(&value.to_string()), ";", "\\u003b")),
    }
}

/// Text that no spreadsheet runs: a `'` stands before what would begin a formula, and before a `'`, which is not to be taken for
/// that one.
fn disarmed(text: &str, semicolon: &str) -> String {
    let prefix = if begins_formula(text) || text.starts_with('\'') { "'" } else { "" };
    format!("{prefix}{}", in_one_cell(text, semicolon, "\\x3b"))
}

fn begins_formula(text: &str) -> bool {
    text.trim_start_matches([' ', '"']).starts_with(FORMULA)
}

/// In many countries a spreadsheet takes `;` for the end of a cell, even in quotes that began another: where what follows would
/// run, it is written as an escape.
fn in_one_cell(text: &str, semicolon: &str, escaped: &str) -> String {
    let mut parts = text.split(';');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole += if begins_formula(part) { escaped } else { semicolon };
        whole += part;
    }
    whole
}

fn quote(text: &str) -> String {
    if text.contains([',', '"', ' ', '\'', '\\', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
