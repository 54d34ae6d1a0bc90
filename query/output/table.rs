//! Aligned columns for people: as wide as the terminal, or else as they need to be.

use super::fit::{BETWEEN, fit};
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
const DIGEST_CHARACTERS: usize = 12;
/// List items that are shown before the rest is only counted.
const ITEMS: usize = 4;

pub(super) struct Table {
    columns: Vec<String>,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Of the terminal, if the table goes to one.
    width: Option<usize>,
    /// Whether digests and lists are shown whole.
    is_full: bool,
}

impl Table {
    pub(super) fn new(columns: Vec<String>, is_full: bool) -> Self {
        let headers = columns.iter().map(|column| column.to_uppercase()).collect();
        Self { columns, headers, rows: Vec::new(), width: Grid::new().width().map(usize::from), is_full }
    }

    fn text(&self, column: &str, value: Option<&Value>) -> String {
        match value {
            None | Some(Value::Null) => "-".to_owned(),
            Some(Value::String(text)) if column.ends_with("digest") => escape(&self.digest(text)).into_owned(),
            Some(Value::Array(digests)) if column.ends_with("digests") => {
                self.plain(&digests.iter().map(|digest| digest.as_str().map(|text| self.digest(text))).collect())
            }
            Some(Value::Number(mode)) if column == "mode" => format!("{:o}", mode.as_i64().unwrap_or_default()),
            Some(value) => self.plain(value),
        }
    }

    /// The start of a digest.
    fn digest(&self, digest: &str) -> String {
        let most = if self.is_full { usize::MAX } else { DIGEST_CHARACTERS };
        let start: String = digest.chars().take(most).collect();
        if start.len() < digest.len() { start + "\u{2026}" } else { start }
    }

    /// A value without the names of its members.
    fn plain(&self, value: &Value) -> String {
        match value {
            Value::Null => "-".to_owned(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => escape(text).into_owned(),
            Value::Array(values) if values.is_empty() => "-".to_owned(),
            Value::Array(values) => {
                let most = if self.is_full { usize::MAX } else { ITEMS };
                let mut items: Vec<String> = values.iter().take(most).map(|value| self.plain(value)).collect();
                if values.len() > most {
                    items.push(format!("and {} more", values.len() - most));
                }
                items.join(", ")
            }
            Value::Object(members) => members.values().map(|value| self.plain(value)).collect::<Vec<_>>().join(" "),
        }
    }

    fn grid(&self, rows: Vec<Vec<String>>, writer: &mut dyn Write) -> Result<()> {
        let mut grid = Grid::new();
        grid.load_style(NOTHING).set_header(&self.headers).add_rows(rows);
        grid.set_content_arrangement(ContentArrangement::Disabled);
        for column in grid.column_iter_mut() {
            column.set_padding((0, u16::try_from(BETWEEN)?));
        }
        for line in grid.lines() {
            writeln!(writer, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// One field a line, as where the terminal is too narrow for a row.
    fn fields(&self, rows: Vec<Vec<String>>, writer: &mut dyn Write) -> Result<()> {
        let widest = self.headers.iter().map(String::len).max().unwrap_or_default();
        for row in rows {
            for (header, cell) in self.headers.iter().zip(row) {
                writeln!(writer, "{header:widest$}  {cell}")?;
            }
            writeln!(writer)?;
        }
        Ok(())
    }
}

impl Formatter for Table {
    fn row(&mut self, row: &Row, writer: &mut dyn Write) -> Result<()> {
        self.rows.push(self.columns.iter().map(|column| self.text(column, cell(row, column))).collect());
        if self.rows.len() == ROWS_AT_ONCE { self.finish(writer) } else { Ok(()) }
    }

    fn finish(&mut self, writer: &mut dyn Write) -> Result<()> {
        let mut rows = std::mem::take(&mut self.rows);
        let is_narrow = self.width.is_some_and(|width| !fit(&self.headers, &mut rows, width, self.is_full));
        match () {
            () if rows.is_empty() => Ok(()),
            () if is_narrow => self.fields(rows, writer),
            () => self.grid(rows, writer),
        }
    }
}
