//! `gaps`: when the recorder was blind, what was lost and what its policies suppressed.

use super::Context;
use crate::archives::Archives;
use crate::cli::Format;
use crate::output::{Output, object};
use crate::problems::note;
use crate::recordings::Recordings;
use crate::summary::Summary;
use crate::suppressed::Answer;
use anyhow::Result;
use serde_json::json;

const COLUMNS: [&str; 5] = ["host", "from", "to", "cause", "lost"];

pub(super) fn run(context: Context<'_>) -> Result<bool> {
    let shared = context.shared;
    let archives = Archives::open(shared, context.problems)?;
    let recordings = Recordings::load(&archives, &[])?;
    let summary = Summary {
        unsealed: archives.unsealed(),
        ..Summary::of(&recordings, Answer::Everything, shared.since, shared.until, context.problems.any())
    };
    let mut output = Output::new(&shared.output, &COLUMNS, context.writer);
    for gap in &summary.gaps {
        let row = object(json!({
            "type": "gap", "host": gap.host, "from": gap.from.rfc3339(), "to": gap.to.rfc3339(), "cause": gap.cause,
            "lost": gap.lost,
        }));
        if output.row(row)?.is_break() {
            break;
        }
    }
    output.finish_with(&summary.to_json(&[]))?;
    if shared.output.format != Format::Json {
        summary.notes().iter().filter(|_| summary.gaps.is_empty()).for_each(|text| note(text));
    }
    Ok(!summary.gaps.is_empty())
}
