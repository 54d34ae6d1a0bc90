//! The options of every command that say how its rows are shown.

use super::zone::{self, Zone};
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
    /// Show these columns, separated by commas; 'a.b' is the member b of a. Those of json, whatever the format
    #[arg(long, global = true, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Show digests, paths and lists whole in tables, too
    #[arg(long, global = true)]
    pub(crate) full: bool,
    /// Zone of the times in rows: utc, local, an offset such as +02:00, or a name such as Europe/Berlin. Those in texts and
    /// notes, which end with Z, are in UTC, and so are those that options name without a zone
    #[arg(long, global = true, default_value = "utc", value_parser = zone::parse, allow_hyphen_values = true)]
    pub(crate) zone: Zone,
    /// Show times in UTC, as is the default
    #[arg(long, global = true, overrides_with = "zone")]
    pub(crate) utc: bool,
    /// Do not start a pager on a terminal; PAGER= does the same
    #[arg(long, global = true)]
    pub(crate) no_pager: bool,
    /// How to show rows; json is one object a line
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,
}

impl OutputOptions {
    /// Whether rows of each kind stand in a table of their own: columns that are chosen are those of one table.
    pub(crate) fn shows_tables(&self) -> bool {
        self.format == Format::Table && self.columns.is_empty()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Csv,
}
