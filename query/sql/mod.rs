//! The change analysis in SQL for other engines, from one template: what a stage says stands once, in `*.sql`, and only what engines
//! spell in different ways stands for each of them.

mod dialect;
mod duckdb;
mod polars;
mod sources;
mod spark;
mod stages;
mod words;

use anyhow::Result;
use clap::ValueEnum;
use dialect::Dialect;
pub(crate) use sources::Sources;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// SQL for the program `duckdb` and its libraries
    Duckdb,
    /// SQL for `spark-sql` and `spark.sql`, a statement at a time
    Spark,
    /// A Python program that has Polars run the SQL
    Polars,
}

/// What is said before the statements.
const HEADER: &str = include_str!("header.txt");

/// The rows that the last statement shows.
const SHOWN: &str =
    "SELECT host, path, kind, from_digest, to_digest, changed_after, changed_before, complete, gaps, doubts, suspects
FROM changes
ORDER BY changed_before, host, path, change";

impl Engine {
    fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Duckdb => &duckdb::DuckDb,
            Self::Spark => &spark::Spark,
            Self::Polars => &polars::Polars,
        }
    }

    /// All that the engine needs to answer about these archives.
    ///
    /// # Errors
    /// When a path cannot stand in it.
    pub(crate) fn script(self, sources: &Sources) -> Result<String> {
        let dialect = self.dialect();
        let mut script = comments(dialect, HEADER.lines().chain(dialect.header().lines()));
        script += &comments(dialect, sources.notes.iter().map(String::as_str));
        script += dialect.prelude();
        script += "\n";
        for table in &sources.tables {
            script += &dialect.table(table)?;
        }
        script += &dialect.keep("manifests", &dialect::recordings_as_rows(dialect, &sources.recordings)?);
        script += &dialect.view("events", &dialect::events_with_digests());
        script += dialect.policies();
        script += "\n";
        for stage in stages::stages(dialect)? {
            script += &comments(dialect, stage.comments.iter().map(String::as_str));
            script += &dialect.keep(&stage.name, &stage.query);
        }
        script += &dialect.show(SHOWN);
        Ok(script)
    }
}

fn comments<'a>(dialect: &dyn Dialect, lines: impl Iterator<Item = &'a str>) -> String {
    let begin = dialect.comment();
    lines.map(|line| format!("{begin} {line}").trim_end().to_owned() + "\n").collect()
}

#[cfg(test)]
mod tests;
