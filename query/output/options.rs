//! The options of every command that say how its rows are shown.

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Shared options")]
pub(crate) struct OutputOptions {
    /// Show at most this many rows
    #[arg(long, global = true, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Sort by this column, '-COLUMN' for descending order; rows that memory should not hold wait in TMPDIR
    #[arg(long, global = true, value_name = "COLUMN", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// How to show rows; json is one object a line
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Csv,
}
