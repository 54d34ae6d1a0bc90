//! `sql`: the change analysis in the SQL of another engine.

use super::Context;
use crate::archives::Archives;
use crate::sql::{Engine, Sources};
use anyhow::{Result, bail};
use clap::Args;

/// Options of `sql`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SqlOptions {
    /// Whose SQL
    #[arg(long, value_enum)]
    pub(crate) engine: Engine,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail sql --engine duckdb --archive '/mnt/evidence/*' | duckdb
  hashtrail sql --engine polars --archive web1 | python3
  hashtrail sql --engine spark --archive '/mnt/evidence/*' > changes.sql; spark-sql -f changes.sql";

pub(crate) fn run(options: &SqlOptions, context: Context<'_>) -> Result<bool> {
    let (scope, output) = (context.scope, context.output);
    if scope.since.is_some() || scope.until.is_some() {
        bail!("what is printed answers about all times: leave out --since and --until, and ask for times in SQL");
    }
    if output.sort.is_some() || output.limit.is_some() || !output.columns.is_empty() {
        bail!("what is printed are no rows: leave out --sort, --limit and --columns, and ask for them in SQL");
    }
    let archives = Archives::open(scope, context.problems)?;
    archives.note_unsealed();
    let script = options.engine.script(&Sources::of(&archives)?)?;
    context.writer.write_all(script.as_bytes())?;
    Ok(true)
}
