//! `sql`: the change analysis in the SQL of another engine.

use super::Context;
use crate::archives::{Archives, Scope};
use crate::output::problems::Problems;
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
    /// Print the stages over tables without rows, for a job that finds the archives itself: samples/spark/fleet.py
    #[arg(long)]
    pub(crate) without_archives: bool,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail sql --engine duckdb --archive '/mnt/evidence/*' | duckdb
  hashtrail sql --engine polars --archive web1 | python3
  hashtrail sql --engine spark --archive '/mnt/evidence/*' > changes.sql; spark-sql -f changes.sql
  hashtrail sql --engine spark --without-archives > stages.sql; spark-submit fleet.py --sql stages.sql --archives s3a://evidence/ --out …";

pub(crate) fn run(options: &SqlOptions, context: Context<'_>) -> Result<bool> {
    let (scope, output) = (context.scope, context.output);
    if scope.since.is_some() || scope.until.is_some() {
        bail!("what is printed answers about all times: leave out --since and --until, and ask for times in SQL");
    }
    if output.sort.is_some() || output.limit.is_some() || !output.columns.is_empty() {
        bail!("what is printed are no rows: leave out --sort, --limit and --columns, and ask for them in SQL");
    }
    let sources =
        if options.without_archives { without_archives(scope)? } else { of_archives(scope, context.problems)? };
    let script = options.engine.script(&sources)?;
    context.writer.write_all(script.as_bytes())?;
    Ok(true)
}

fn of_archives(scope: &Scope, problems: &Problems) -> Result<Sources> {
    let archives = Archives::open(scope, problems)?;
    archives.note_unsealed();
    Sources::of(&archives)
}

fn without_archives(scope: &Scope) -> Result<Sources> {
    if !scope.archive.is_empty() || !scope.host.is_empty() {
        bail!("--without-archives prints nothing of an archive: leave out --archive and --host");
    }
    Ok(Sources::none())
}
