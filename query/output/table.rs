//! Aligned columns for people. Not on a terminal the rows are as wide as they need to be.

use super::{Formatter, Row, cell};
use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Grid};
use hashtrail::escape::escape;
use serde_json::Value;
use std::io::Write;

/// Rows that are laid out together: bounds the memory, and the columns fit what is shown at once.
const ROWS_AT_ONCE: usize = 1000;
/// Enough of a digest to tell versions apart; json and csv show it whole.
const DIGEST_CHARACTERS: usize = 16;
/// List items that are shown before the rest is only counted.
const ITEMS: usize = 4;

pub(super) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns, rows: Vec::new() }
    }
}

impl Formatter for Table {
    fn row(&mut self, row: &Row, writer: &mut dyn Write) -> Result<()> {
        self.rows.push(self.columns.iter().map(|column| text(column, cell(row, column))).collect());
        if self.rows.len() == ROWS_AT_ONCE { self.finish(writer) } else { Ok(()) }
    }

    fn finish(&mut self, writer: &mut dyn Write) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut grid = Grid::new();
        grid.load_style(NOTHING).set_header(self.columns.iter().map(|column| column.to_uppercase()));
        grid.set_content_arrangement(ContentArrangement::Dynamic);
        grid.add_rows(std::mem::take(&mut self.rows));
        for line in grid.lines() {
            writeln!(writer, "{}", line.trim())?;
        }
        Ok(())
    }
}

fn text(column: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) if column.ends_with("digest") => escape(&short(text)).into_owned(),
        Some(Value::Array(digests)) if column.ends_with("digests") => {
            plain(&digests.iter().map(|digest| digest.as_str().map(short)).collect())
        }
        Some(Value::Number(mode)) if column == "mode" => format!("{:o}", mode.as_i64().unwrap_or_default()),
        Some(value) => plain(value),
    }
}

/// The start of a digest.
fn short(digest: &str) -> String {
    let start: String = digest.chars().take(DIGEST_CHARACTERS).collect();
    if start.len() < digest.len() { start + "\u{2026}" } else { start }
}

/// A value without the names of its members.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escape(text).into_owned(),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => {
            let mut items: Vec<String> = values.iter().take(ITEMS).map(plain).collect();
            if values.len() > ITEMS {
                items.push(format!("and {} more", values.len() - ITEMS));
            }
            items.join(", ")
        }
        Value::Object(members) => members.values().map(plain).collect::<Vec<_>>().join(" "),
    }
}
