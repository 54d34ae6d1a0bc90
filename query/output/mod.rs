//! How rows are shown: one interface, three formats. Only this module writes data.

pub(crate) mod batch;
mod csv;
mod json;
mod lines;
mod options;
pub(crate) mod problems;
mod table;

pub(crate) use options::{Format, OutputOptions};

use crate::output::problems::note;
use crate::sorter::{Sortable, Sorted, Sorter};
use anyhow::{Result, bail};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::io::Write;
use std::ops::ControlFlow;

/// A row: names to values, some of them objects.
pub(crate) type Row = Map<String, Value>;

/// The row that `json!({…})` makes.
pub(crate) fn object(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

/// One way to show rows.
trait Formatter {
    /// Takes the next row.
    fn row(&mut self, row: &Row, writer: &mut dyn Write) -> Result<()>;
    /// Writes what is still held.
    fn finish(&mut self, writer: &mut dyn Write) -> Result<()>;
}

/// Takes rows, sorts and limits them, and shows them.
pub(crate) struct Output<'a> {
    writer: &'a mut dyn Write,
    formatter: Box<dyn Formatter>,
    options: OutputOptions,
    /// Rows that wait for `--sort`.
    sorter: Option<SortedBy>,
    written: usize,
}

impl<'a> Output<'a> {
    /// `columns` are what table and csv show; `a.b` is the member `b` of the object `a`. JSON shows whole rows.
    pub(crate) fn new(options: &OutputOptions, columns: &[&str], writer: &'a mut dyn Write) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let formatter: Box<dyn Formatter> = match options.format {
            Format::Table => Box::new(table::Table::new(columns)),
            Format::Json => Box::new(json::Json),
            Format::Csv => Box::new(csv::Csv::new(columns)),
        };
        Self::with(formatter, options, writer)
    }

    /// Shows what each row has as `line`.
    pub(crate) fn of_lines(options: &OutputOptions, writer: &'a mut dyn Write) -> Self {
        Self::with(Box::new(lines::Lines), options, writer)
    }

    fn with(formatter: Box<dyn Formatter>, options: &OutputOptions, writer: &'a mut dyn Write) -> Self {
        let limit = options.limit.unwrap_or(usize::MAX);
        let sorter = options.sort.as_deref().map(|column| SortedBy::new(column, limit));
        Self { writer, formatter, options: options.clone(), sorter, written: 0 }
    }

    /// Shows rows until the reader of the output has enough.
    pub(crate) fn show(mut self, rows: impl IntoIterator<Item = Row>) -> Result<()> {
        for row in rows {
            if self.row(row)?.is_break() {
                break;
            }
        }
        self.finish().map(drop)
    }

    /// Takes a row; `Break` when no more are wanted.
    pub(crate) fn row(&mut self, row: Row) -> Result<ControlFlow<()>> {
        match &mut self.sorter {
            Some(sorter) => sorter.push(row).map(ControlFlow::Continue),
            None => self.write(&row),
        }
    }

    /// Takes a row, which is made only if it can still be shown.
    pub(crate) fn offer(&mut self, row: impl FnOnce() -> Row) -> Result<()> {
        let is_full = self.sorter.is_none() && self.options.limit.is_some_and(|limit| self.written >= limit);
        if is_full { Ok(()) } else { self.row(row()).map(drop) }
    }

    /// Shows what is held; returns how many rows were shown.
    pub(crate) fn finish(mut self) -> Result<usize> {
        self.flush_rows()?;
        Ok(self.written)
    }

    /// As `finish`, and ends a JSON stream with this object.
    pub(crate) fn finish_with(mut self, summary: &Row) -> Result<usize> {
        self.flush_rows()?;
        let is_limited = self.options.limit.is_some_and(|limit| self.written >= limit);
        if self.options.format == Format::Json {
            let mut summary = summary.clone();
            if is_limited {
                summary.insert("limited".into(), true.into());
            }
            self.formatter.row(&summary, self.writer)?;
        } else if is_limited {
            note("as many rows as --limit allows are shown, and there may be more");
        }
        Ok(self.written)
    }

    fn flush_rows(&mut self) -> Result<()> {
        if let Some(sorter) = self.sorter.take() {
            for row in sorter.finish()? {
                if self.write(&row?)?.is_break() {
                    break;
                }
            }
        }
        self.formatter.finish(self.writer)
    }

    fn write(&mut self, row: &Row) -> Result<ControlFlow<()>> {
        let limit = self.options.limit.unwrap_or(usize::MAX);
        if self.written < limit {
            self.formatter.row(row, self.writer)?;
            self.written += 1;
        }
        Ok(if self.written < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }
}

/// Sorts rows by a column, `-COLUMN` for descending order.
///
/// # Errors
/// When none of the rows has the column.
pub(crate) fn sort_rows(rows: Vec<Row>, sort: &str) -> Result<Vec<Row>> {
    let mut sorted = SortedBy::new(sort, usize::MAX);
    rows.into_iter().try_for_each(|row| sorted.push(row))?;
    sorted.finish()?.collect()
}

/// Rows that are being sorted by a column.
struct SortedBy {
    column: String,
    sorter: Sorter<Row>,
    /// The columns of the first row, until one has the column.
    others: Vec<String>,
    has_column: bool,
}

impl Sortable for Row {
    fn bytes(&self) -> usize {
        let cells = self.iter().map(|(name, value)| name.capacity() + bytes_of(value) + size_of::<(usize, String)>());
        // Maps have room to grow, and allocations take more than what they hold.
        2 * cells.sum::<usize>()
    }
}

/// About what a value takes in memory.
fn bytes_of(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.capacity() + 16,
        Value::Array(values) => values.iter().map(bytes_of).sum(),
        Value::Object(members) => members.bytes(),
        _ => 0,
    };
    size_of::<Value>() + inner
}

impl SortedBy {
    fn new(sort: &str, limit: usize) -> Self {
        let (column, descending) = sort.strip_prefix('-').map_or((sort, false), |column| (column, true));
        let column = column.to_owned();
        let by = column.clone();
        let order = move |left: &Row, right: &Row| {
            let order = compare(cell(left, &by), cell(right, &by));
            if descending { order.reverse() } else { order }
        };
        Self { column, sorter: Sorter::new(order).with_limit(limit), others: Vec::new(), has_column: false }
    }

    fn push(&mut self, row: Row) -> Result<()> {
        if !self.has_column && self.others.is_empty() {
            self.others = row.keys().cloned().collect();
        }
        self.has_column |= cell(&row, &self.column).is_some();
        self.sorter.push(row)
    }

    /// # Errors
    /// When none of the rows has the column.
    fn finish(self) -> Result<Sorted<Row>> {
        if !self.has_column && !self.others.is_empty() {
            bail!("cannot sort by `{}`: the columns are {}", self.column, self.others.join(", "));
        }
        self.sorter.finish()
    }
}

/// The value of a column, `a.b` for a member of an object.
fn cell<'a>(row: &'a Row, column: &str) -> Option<&'a Value> {
    match column.split_once('.') {
        None => row.get(column),
        Some((object, member)) => row.get(object)?.as_object()?.get(member),
    }
}

/// Nothing before numbers before texts before the rest.
fn compare(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    let rank = |value: Option<&Value>| match value {
        None | Some(Value::Null) => 0,
        Some(Value::Number(_)) => 1,
        Some(Value::String(_)) => 2,
        Some(_) => 3,
    };
    match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => left.as_i64().cmp(&right.as_i64()),
        (Some(Value::String(left)), Some(Value::String(right))) => left.cmp(right),
        (Some(left), Some(right)) if rank(Some(left)) == 3 && rank(Some(right)) == 3 => {
            left.to_string().cmp(&right.to_string())
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn show(format: Format, limit: Option<usize>, sort: Option<&str>, rows: &[Value]) -> Result<String> {
        let options = OutputOptions { format, limit, sort: sort.map(str::to_owned) };
        let mut written = Vec::new();
        let mut output = Output::new(&options, &["path", "from.digest", "list"], &mut written);
        for row in rows {
            if output.row(row.as_object().expect("object").clone())?.is_break() {
                break;
            }
        }
        output.finish_with(json!({"type": "summary"}).as_object().expect("object"))?;
        Ok(String::from_utf8(written)?)
    }

    #[test]
    fn json_shows_whole_rows_and_the_summary() -> Result<()> {
        let shown = show(Format::Json, None, None, &[json!({"path": "/a\u{1b}\u{202e}", "n": null})])?;
        assert_eq!(shown, "{\"path\":\"/a\\u001b\\u202e\",\"n\":null}\n{\"type\":\"summary\"}\n");
        Ok(())
    }

    #[test]
    fn csv_quotes_escapes_and_disarms_formulas() -> Result<()> {
        let rows = [
            json!({"path": "=1+\"2\"", "from": {"digest": "aa"}, "list": ["x", "y"]}),
            json!({"path": "\ta,b\n", "from": null, "list": -5}),
        ];
        let shown = show(Format::Csv, None, None, &rows)?;
        assert_eq!(shown, "path,from.digest,list\n\"'=1+\"\"2\"\"\",aa,\"x;y\"\n\"'\\ta,b\\n\",,-5\n");
        Ok(())
    }

    #[test]
    fn tables_shorten_digests_and_escape() -> Result<()> {
        let digest = "0123456789abcdef0123456789abcdef";
        let shown = show(Format::Table, None, None, &[json!({"path": "/a\u{1b}", "from": {"digest": digest}})])?;
        assert!(shown.contains("/a\\x1b") && shown.contains("0123456789abcdef\u{2026}"), "{shown}");
        assert!(!shown.contains('\u{1b}'));
        Ok(())
    }

    #[test]
    fn rows_are_sorted_and_limited() -> Result<()> {
        let rows = [json!({"path": "b"}), json!({"path": "a"}), json!({"path": "c"})];
        assert_eq!(show(Format::Csv, Some(2), Some("-path"), &rows)?, "path,from.digest,list\nc,,\nb,,\n");
        assert_eq!(show(Format::Csv, Some(1), None, &rows)?, "path,from.digest,list\nb,,\n");
        assert!(show(Format::Csv, None, Some("nothing"), &rows).is_err());
        Ok(())
    }
}
