//! Timelines in the words of other tools: one object a line, or CSV.

mod csv;
mod ecs;
mod timesketch;
mod words;

use crate::investigate::timeline::Moment;
use crate::output::Row;
use clap::ValueEnum;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// JSON lines for `timesketch_importer`
    Timesketch,
    /// JSON lines in the Elastic Common Schema
    Ecs,
    /// A line of fixed columns each, for a spreadsheet
    Csv,
    /// Whole rows of events, changes and gaps, one object a line
    Jsonl,
}

impl Target {
    /// The columns of CSV; none: a line is a JSON object.
    pub(crate) fn columns(self) -> Option<&'static [&'static str]> {
        (self == Self::Csv).then_some(&csv::COLUMNS)
    }

    /// What stands for a moment.
    pub(crate) fn row(self, moment: &Moment) -> Row {
        match self {
            Self::Timesketch => timesketch::row(moment),
            Self::Ecs => ecs::row(moment),
            Self::Csv => csv::row(moment),
            Self::Jsonl => words::with_type(moment),
        }
    }
}
