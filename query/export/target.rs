//! What a format is.

use crate::investigate::timeline::Moment;
use crate::output::Row;

/// For whom, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(crate) lines: Lines,
    /// What stands for a moment; empty where nothing does.
    pub(crate) row: fn(&Moment) -> Row,
}

/// What a line is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lines {
    /// An object.
    Json,
    /// These columns; the first line names them.
    Csv(&'static [&'static str]),
    /// What the row has as `line`, and each only once.
    Text,
}
