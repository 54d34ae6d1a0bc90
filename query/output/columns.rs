//! Which columns of a row are shown.

use super::{Format, OutputOptions, Row, cell};
use anyhow::{Result, bail};
use serde_json::Value;

/// What table and csv show of rows; `a.b` is the member `b` of the object `a`. JSON shows whole rows.
pub(crate) struct Columns {
    table: Vec<String>,
    csv: Vec<String>,
    of_several_kinds: bool,
}

impl Columns {
    /// A terminal is narrower than a spreadsheet.
    pub(crate) fn new<T: AsRef<str>, C: AsRef<str>>(table: &[T], csv: &[C]) -> Self {
        Self {
            table: table.iter().map(|name| name.as_ref().to_owned()).collect(),
            csv: csv.iter().map(|name| name.as_ref().to_owned()).collect(),
            of_several_kinds: false,
        }
    }

    /// The same for both.
    pub(crate) fn of<T: AsRef<str>>(columns: &[T]) -> Self {
        Self::new(columns, columns)
    }

    /// And these, in both.
    pub(crate) fn and(mut self, more: &[&str]) -> Self {
        let more = || more.iter().map(|name| (*name).to_owned());
        self.table.extend(more());
        self.csv.extend(more());
        self
    }

    /// Rows of several kinds, each with columns that the others do not have.
    pub(crate) fn of_several_kinds(self) -> Self {
        Self { of_several_kinds: true, ..self }
    }

    /// What is shown, and what of it the user chose.
    pub(super) fn choose(self, options: &OutputOptions) -> (Vec<String>, Option<Chosen>) {
        match &options.columns[..] {
            [] if options.format == Format::Table => (self.table, None),
            [] => (self.csv, None),
            chosen => (chosen.to_vec(), Some(Chosen::new(chosen, self.of_several_kinds))),
        }
    }
}

/// The columns that `--columns` names, held against the rows: which there are is known only of these.
pub(super) struct Chosen {
    columns: Vec<String>,
    /// Whether a row had each, once that is known.
    are_there: Vec<Option<bool>>,
    /// Those of the first row.
    others: Vec<String>,
    /// Whether a row may lack what another has.
    of_several_kinds: bool,
}

impl Chosen {
    pub(super) fn new(columns: &[String], of_several_kinds: bool) -> Self {
        let are_there = vec![None; columns.len()];
        Self { columns: columns.to_vec(), are_there, others: Vec::new(), of_several_kinds }
    }

    /// Looks for them in the next row.
    ///
    /// # Errors
    /// When it is the first and lacks one.
    pub(super) fn check(&mut self, row: &Row) -> Result<()> {
        let is_first = self.others.is_empty();
        for (column, is_there) in self.columns.iter().zip(&mut self.are_there).filter(|(_, seen)| **seen != Some(true))
        {
            *is_there = has(row, column).or(*is_there);
        }
        if is_first {
            self.others = names(row);
        }
        if is_first && !self.of_several_kinds { self.finish() } else { Ok(()) }
    }

    /// # Errors
    /// When no row had one of them, though there were rows.
    pub(super) fn finish(&self) -> Result<()> {
        match self.columns.iter().zip(&self.are_there).find(|(_, is_there)| **is_there == Some(false)) {
            Some((column, _)) => bail!("there is no column `{column}`: the columns are {}", self.others.join(", ")),
            None => Ok(()),
        }
    }

    /// The row with these columns alone, and its type, by which rows of several kinds are told apart.
    pub(super) fn of(&self, row: &Row) -> Row {
        let mut chosen = Row::new();
        for column in ["type"].into_iter().chain(self.columns.iter().map(String::as_str)) {
            let (name, member) = column.split_once('.').map_or((column, None), |(name, member)| (name, Some(member)));
            match (row.get(name), member) {
                (None, _) => {}
                (Some(Value::Object(members)), Some(member)) => {
                    let object = chosen.entry(name).or_insert_with(|| Value::Object(Row::new()));
                    if let (Value::Object(object), Some(value)) = (object, members.get(member)) {
                        object.insert(member.to_owned(), value.clone());
                    }
                }
                (Some(value), _) => _ = chosen.insert(name.to_owned(), value.clone()),
            }
        }
        chosen
    }
}

/// Whether a row has a column. Where nothing stands in the place of an object, its members are not known.
fn has(row: &Row, column: &str) -> Option<bool> {
    match column.split_once('.') {
        Some((object, _)) if row.get(object).is_some_and(Value::is_null) => None,
        _ => Some(cell(row, column).is_some()),
    }
}

/// The columns of a row, and those of the objects in it.
fn names(row: &Row) -> Vec<String> {
    let members = |(name, value): (&String, &Value)| match value {
        Value::Object(members) => members.keys().map(|member| format!("{name}.{member}")).collect(),
        _ => vec![name.clone()],
    };
    row.iter().flat_map(members).collect()
}
