//! Rows in the order of one of their columns.

use super::{Row, cell};
use crate::sorter::{Sortable, Sorted, Sorter};
use anyhow::{Result, bail};
use serde_json::Value;
use std::cmp::Ordering;

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
pub(super) struct SortedBy {
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
    pub(super) fn new(sort: &str, limit: usize) -> Self {
        let (column, descending) = sort.strip_prefix('-').map_or((sort, false), |column| (column, true));
        let column = column.to_owned();
        let by = column.clone();
        let order = move |left: &Row, right: &Row| {
            let order = compare(cell(left, &by), cell(right, &by));
            if descending { order.reverse() } else { order }
        };
        Self { column, sorter: Sorter::new(order).with_limit(limit), others: Vec::new(), has_column: false }
    }

    pub(super) fn push(&mut self, row: Row) -> Result<()> {
        if !self.has_column && self.others.is_empty() {
            self.others = row.keys().cloned().collect();
        }
        self.has_column |= cell(&row, &self.column).is_some();
        self.sorter.push(row)
    }

    /// # Errors
    /// When none of the rows has the column.
    pub(super) fn finish(self) -> Result<Sorted<Row>> {
        if !self.has_column && !self.others.is_empty() {
            bail!("cannot sort by `{}`: the columns are {}", self.column, self.others.join(", "));
        }
        self.sorter.finish()
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
