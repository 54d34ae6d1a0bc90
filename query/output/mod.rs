//! How rows are shown: one interface, three formats. Only this module writes data.

mod csv;
pub(crate) mod escape;
mod json;
mod table;

use crate::cli::{Format, OutputOptions};
use crate::problems::note;
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
    held: Vec<Row>,
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
        Self { writer, formatter, options: options.clone(), held: Vec::new(), written: 0 }
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
        if self.options.sort.is_some() {
            self.held.push(row);
            let limit = self.options.limit.unwrap_or(usize::MAX);
            // Of sorted rows only the first ones can still be shown, so memory is bounded by the limit.
            if self.held.len() > limit.saturating_mul(2).saturating_add(1000) {
                self.sort_held()?;
                self.held.truncate(limit);
            }
            return Ok(ControlFlow::Continue(()));
        }
        self.write(&row)
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
        self.sort_held()?;
        for row in std::mem::take(&mut self.held) {
            if self.write(&row)?.is_break() {
                break;
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

    fn sort_held(&mut self) -> Result<()> {
        self.options.sort.as_ref().map_or(Ok(()), |sort| sort_rows(&mut self.held, sort))
    }
}

/// Sorts rows by a column, `-COLUMN` for descending order.
///
/// # Errors
/// When none of the rows has the column.
pub(crate) fn sort_rows(rows: &mut [Row], sort: &str) -> Result<()> {
    let (column, descending) = sort.strip_prefix('-').map_or((sort, false), |column| (column, true));
    if let Some(first) = rows.first()
        && !rows.iter().any(|row| cell(row, column).is_some())
    {
        let columns: Vec<&str> = first.keys().map(String::as_str).collect();
        bail!("cannot sort by `{column}`: the columns are {}", columns.join(", "));
    }
    rows.sort_by(|left, right| {
        let order = compare(cell(left, column), cell(right, column));
        if descending { order.reverse() } else { order }
    });
    Ok(())
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
