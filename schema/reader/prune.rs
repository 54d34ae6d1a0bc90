//! Which row groups of a sealed file can hold what a query looks for: by statistics and bloom filters.

use super::footer::check_bloom_filter;
use super::input::Input;
use anyhow::{Context, Result};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use std::fs::File;

/// What a query looks for. Each list is a choice, an empty one excludes nothing, and all lists must be met.
#[derive(Debug, Clone, Default)]
pub struct Prune {
    /// Spans of time.
    pub spans: Vec<Span>,
    /// Values of `path`.
    pub paths: Vec<PathRule>,
    /// Values of `digest`, lower-case hex.
    pub digests: Vec<String>,
}

/// Rows from `low` to `high`, both included, where a row lasts from one column's value to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Column of the row's begin.
    pub first: &'static str,
    /// Column of the row's end; may be the same.
    pub last: &'static str,
    /// Lowest value that is looked for.
    pub low: i64,
    /// Highest value that is looked for.
    pub high: i64,
}

/// What a path must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathRule {
    /// Exactly this.
    Exact(String),
    /// Something that begins with this.
    Prefix(String),
}

impl Prune {
    /// The row groups that can hold a row that is looked for.
    pub(super) fn row_groups(
        &self,
        builder: &ParquetRecordBatchReaderBuilder<Input>,
        file: &File,
    ) -> Result<Vec<usize>> {
        let mut kept = Vec::new();
        for (index, group) in builder.metadata().row_groups().iter().enumerate() {
            if self.spans_allow(group)
                && self.paths_allow(builder, file, index)?
                && self.digests_allow(builder, file, index)?
            {
                kept.push(index);
            }
        }
        Ok(kept)
    }

    fn spans_allow(&self, group: &RowGroupMetaData) -> bool {
        // There may be ten thousand spans of the same two columns.
        let mut known: Vec<(&str, Option<(i64, i64)>)> = Vec::new();
        let mut bounds = |name: &'static str| match known.iter().find(|(of, _)| *of == name) {
            Some((_, bounds)) => *bounds,
            None => {
                let bounds = integers(group, name);
                known.push((name, bounds));
                bounds
            }
        };
        let overlaps = |span: &Span| {
            bounds(span.first).is_none_or(|(low, _)| low <= span.high)
                && bounds(span.last).is_none_or(|(_, high)| high >= span.low)
        };
        self.spans.is_empty() || self.spans.iter().any(overlaps)
    }

    fn paths_allow(&self, builder: &ParquetRecordBatchReaderBuilder<Input>, file: &File, group: usize) -> Result<bool> {
        let exact = |rule: &PathRule| match rule {
            PathRule::Exact(path) => Some(path.clone()),
            PathRule::Prefix(_) => None,
        };
        let row_group = builder.metadata().row_group(group);
        let in_range: Vec<&PathRule> = self.paths.iter().filter(|rule| rule.is_within(row_group)).collect();
        match in_range.iter().copied().map(exact).collect::<Option<Vec<String>>>() {
            _ if self.paths.is_empty() => Ok(true),
            Some(paths) => bloom_allows(builder, file, group, "path", &paths),
            None => Ok(true),
        }
    }

    fn digests_allow(
        &self,
        builder: &ParquetRecordBatchReaderBuilder<Input>,
        file: &File,
        group: usize,
    ) -> Result<bool> {
        if self.digests.is_empty() {
            return Ok(true);
        }
        bloom_allows(builder, file, group, "digest", &self.digests)
    }
}

impl PathRule {
    fn is_within(&self, group: &RowGroupMetaData) -> bool {
        let Some((low, high)) = texts(group, "path") else { return true };
        match self {
            Self::Exact(path) => low <= path.as_bytes() && path.as_bytes() <= high,
            Self::Prefix(prefix) => {
                let prefix = prefix.as_bytes();
                // Everything with the prefix is at least the prefix, and cut to its length equal to it.
                high >= prefix && low.get(..prefix.len()).unwrap_or(low) <= prefix
            }
        }
    }
}

/// Whether the bloom filter of a column can hold one of these values; true where there is no filter.
fn bloom_allows(
    builder: &ParquetRecordBatchReaderBuilder<Input>,
    file: &File,
    group: usize,
    column: &str,
    values: &[String],
) -> Result<bool> {
    let Some(index) = leaf(builder.metadata(), column) else { return Ok(true) };
    if values.is_empty() {
        return Ok(false);
    }
    let chunk = builder.metadata().row_group(group).column(index);
    check_bloom_filter(file, chunk).with_context(|| format!("row group {group}, column `{column}`"))?;
    let filter = builder.get_row_group_column_bloom_filter(group, index)?;
    Ok(filter.is_none_or(|filter| values.iter().any(|value| filter.check(value.as_str()))))
}

fn leaf(metadata: &ParquetMetaData, column: &str) -> Option<usize> {
    let columns = metadata.file_metadata().schema_descr().columns();
    columns.iter().position(|descriptor| descriptor.path().string() == column)
}

fn statistics<'a>(group: &'a RowGroupMetaData, column: &str) -> Option<&'a Statistics> {
    let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    chunk.statistics()
}

/// Lowest and highest value of an INT64 column.
pub(super) fn integers(group: &RowGroupMetaData, column: &str) -> Option<(i64, i64)> {
    match statistics(group, column)? {
        Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    }
}

/// Bounds of a text column. Long values stand cut in the statistics, but remain bounds.
fn texts<'a>(group: &'a RowGroupMetaData, column: &str) -> Option<(&'a [u8], &'a [u8])> {
    match statistics(group, column)? {
        values @ Statistics::ByteArray(_) => Some((values.min_bytes_opt()?, values.max_bytes_opt()?)),
        _ => None,
    }
}
