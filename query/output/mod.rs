//! How rows are shown: one interface, three formats. Only this module writes data.

pub(crate) mod batch;
mod columns;
mod csv;
mod fit;
mod json;
mod lines;
mod options;
pub(crate) mod problems;
pub(crate) mod progress;
pub(crate) mod screen;
mod sorting;
mod table;
pub(crate) mod zone;

pub(crate) use columns::Columns;
pub(crate) use options::{Format, OutputOptions};
pub(crate) use sorting::sort_rows;

use crate::output::problems::note;
use anyhow::Result;
use columns::Chosen;
use serde_json::{Map, Value};
use sorting::SortedBy;
use std::borrow::Cow;
use std::io::Write;
use std::ops::ControlFlow;
use zone::Zone;

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
    chosen: Option<Chosen>,
    /// Rows that wait for `--sort`.
    sorter: Option<SortedBy>,
    written: usize,
}

impl<'a> Output<'a> {
    /// Shows these columns, or those that the options choose.
    pub(crate) fn new(options: &OutputOptions, columns: Columns, writer: &'a mut dyn Write) -> Self {
        let (columns, chosen) = columns.choose(options);
        let formatter: Box<dyn Formatter> = match options.format {
            Format::Table => Box::new(table::Table::new(columns, options.full)),
            Format::Json => Box::new(json::Json),
            Format::Csv => Box::new(csv::Csv::new(columns)),
        };
        Self { chosen, ..Self::with(formatter, options, writer) }
    }

    /// Shows what each row has as `line`.
    pub(crate) fn of_lines(options: &OutputOptions, writer: &'a mut dyn Write) -> Self {
        Self::with(Box::new(lines::Lines), options, writer)
    }

    fn with(formatter: Box<dyn Formatter>, options: &OutputOptions, writer: &'a mut dyn Write) -> Self {
        let limit = options.limit.unwrap_or(usize::MAX);
        let sorter = options.sort.as_deref().map(|column| SortedBy::new(column, limit));
        Self { writer, formatter, options: options.clone(), chosen: None, sorter, written: 0 }
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
            self.show_row(Cow::Owned(summary))?;
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
        self.formatter.finish(self.writer)?;
        // What is said after the rows stands after them.
        self.writer.flush()?;
        self.chosen.as_ref().map_or(Ok(()), Chosen::finish)
    }

    fn show_row(&mut self, mut row: Cow<'_, Row>) -> Result<()> {
        if self.options.zone != Zone::Utc {
            self.options.zone.apply(row.to_mut());
        }
        self.formatter.row(&row, self.writer)
    }

    fn write(&mut self, row: &Row) -> Result<ControlFlow<()>> {
        let limit = self.options.limit.unwrap_or(usize::MAX);
        if self.written < limit {
            let mut row = Cow::Borrowed(row);
            if let Some(chosen) = &mut self.chosen {
                chosen.check(&row)?;
                row = Cow::Owned(chosen.of(&row));
            }
            self.show_row(row)?;
            self.written += 1;
        }
        Ok(if self.written < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }
}

/// The value of a column, `a.b` for a member of an object.
fn cell<'a>(row: &'a Row, column: &str) -> Option<&'a Value> {
    match column.split_once('.') {
        None => row.get(column),
        Some((object, member)) => row.get(object)?.as_object()?.get(member),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn show(format: Format, limit: Option<usize>, sort: Option<&str>, rows: &[Value]) -> Result<String> {
        shown(&OutputOptions { format, limit, sort: sort.map(str::to_owned), ..OutputOptions::default() }, rows)
    }

    fn shown(options: &OutputOptions, rows: &[Value]) -> Result<String> {
        let mut written = Vec::new();
        let mut output = Output::new(options, Columns::of(&["path", "from.digest", "list"]), &mut written);
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
            json!({"path": "'a\\n", "from": null, "list": ["a;b", "c\\"]}),
            json!({"path": "a;b\";\"=1", "from": {"digest": {"a": ";-1;2"}}, "list": ["-c", "a; =1", "'x"]}),
        ];
        let shown = show(Format::Csv, None, None, &rows)?;
        assert_eq!(
            shown,
            "path,from.digest,list\n\"'=1+\"\"2\"\"\",aa,\"x;y\"\n\"\\ta,b\\n\",,-5\n\"''a\\\\n\",,\"a\\;b;c\\\\\"\n\
             \"a;b\"\"\\x3b\"\"=1\",\"{\"\"a\"\":\"\"\\u003b-1;2\"\"}\",\"'-c;a\\x3b =1;''x\"\n"
        );
        Ok(())
    }

    #[test]
    fn tables_shorten_digests_and_escape() -> Result<()> {
        let digest = "0123456789abcdef0123456789abcdef";
        let shown = show(Format::Table, None, None, &[json!({"path": "/a\u{1b}", "from": {"digest": digest}})])?;
        assert!(shown.contains("/a\\x1b") && shown.contains("0123456789ab\u{2026}"), "{shown}");
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

    #[test]
    fn columns_are_chosen_in_each_format() -> Result<()> {
        let rows = [
            json!({"type": "change", "path": "/a", "from": null, "n": 1}),
            json!({"type": "change", "path": "/b", "from": {"digest": "aa", "runs": 2}, "n": 2}),
        ];
        let choose = |format, columns: &[&str]| {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            shown(&OutputOptions { format, columns, ..OutputOptions::default() }, &rows)
        };
        assert_eq!(choose(Format::Csv, &["n", "from.runs"])?, "n,from.runs\n1,\n2,2\n");
        assert_eq!(choose(Format::Table, &["from.digest"])?, "FROM.DIGEST\n-\naa\n");
        let lines = "{\"type\":\"change\",\"from\":null}\n{\"type\":\"change\",\"from\":{\"runs\":2}}\n{\"type\":\"summary\"}\n";
        assert_eq!(choose(Format::Json, &["from.runs"])?, lines);
        let unknown = choose(Format::Csv, &["path", "digest"]).expect_err("no such column").to_string();
        assert_eq!(unknown, "there is no column `digest`: the columns are type, path, from, n");
        let unknown = choose(Format::Csv, &["from.ino"]).expect_err("no such member").to_string();
        assert!(unknown.starts_with("there is no column `from.ino`"), "{unknown}");
        Ok(())
    }
}
