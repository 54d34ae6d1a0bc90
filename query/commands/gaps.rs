//! `gaps`: when the recorder was blind, what was lost and what its policies suppressed.

use super::Context;
use super::answer::Tail;
use crate::archives::Archives;
use crate::output::{Columns, Output, object};
use crate::recordings::completeness::Completeness;
use crate::recordings::gaps::{self, Gap};
use crate::recordings::suppressed::Answer;
use crate::recordings::{Recordings, Spans};
use anyhow::Result;
use serde_json::json;

const COLUMNS: [&str; 5] = ["host", "from", "to", "cause", "lost"];

pub(crate) fn run(context: Context<'_>) -> Result<bool> {
    let scope = context.scope;
    let archives = Archives::open(scope, context.problems)?;
    let recordings = Recordings::load(&archives, &Spans::default())?;
    let summary = Completeness {
        unsealed: archives.unsealed(),
        ..Completeness::of(&recordings, Answer::Everything, scope, context.problems)
    };
    let mut output = Output::new(context.output, Columns::of(&COLUMNS), context.writer);
    let skipped = gaps::skipped(&recordings, scope.since, scope.until);
    let rows = summary.gaps.iter().map(|gap| ("gap", gap)).chain(skipped.iter().map(|gap| ("skipped", gap)));
    for (kind, gap) in rows {
        let row = object(json!({
            "type": kind, "host": gap.host, "from": gap.from.rfc3339(), "to": gap.to.rfc3339(), "cause": gap.cause,
            "lost": gap.lost,
        }));
        if output.row(row)?.is_break() {
            break;
        }
    }
    // The rows say what is missing; that nothing is, only a note can.
    let notes = if summary.gaps.is_empty() { summary.notes() } else { Vec::new() };
    let tail = Tail::new(&summary, &[]).notes(notes).notes(skipped.iter().map(skipped_text));
    tail.show(output, context.output.format)?;
    Ok(!summary.gaps.is_empty() || !skipped.is_empty())
}

/// What the kernel skipped, in words.
fn skipped_text(gap: &Gap) -> String {
    let count = gap.lost.unwrap_or_default();
    let (from, to) = (gap.from.rfc3339(), gap.to.rfc3339());
    let what = match gap.cause.as_str() {
        "fork" => format!("{count} new process(es) have no row"),
        "hash_probe" => {
            format!("{count} hash(es) of the kernel went by unseen, and digests may be `not_revalidated` for it")
        }
        cause => format!("{count} run(s) of a program ({cause})"),
    };
    format!(
        "the kernel skipped programs on {}: {what}, from {from} to {to}; contents and writers are complete",
        gap.host
    )
}
