//! Whole rows, as `--format json` has them, without a summary.

use super::target::{Lines, Target};
use super::words;

pub(crate) const TARGET: Target = Target {
    name: "jsonl",
    help: "Whole rows of events, changes and gaps, one object a line",
    lines: Lines::Json,
    row: words::with_type,
};
