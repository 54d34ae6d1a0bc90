//! `changes`: each change of a file's digest, and the interval in which it happened.

use super::Context;
use crate::archives::Archives;
use crate::archives::filter::PathPatterns;
use crate::investigate::changes::{self, ChangesQuestion, FoundChanges};
use crate::output::problems::note;
use crate::output::{Format, Output};
use crate::suspects::Suspect;
use crate::suspects::attribution::Attribution;
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use std::collections::HashSet;

const TABLE: [&str; 9] =
    ["path", "host", "kind", "from.digest", "to.digest", "changed_after", "changed_before", "complete", "suspects"];
const CSV: [&str; 22] = [
    "path",
    "host",
    "root_dev",
    "root_ino",
    "kind",
    "from.algorithm",
    "from.digest",
    "from.ino",
    "from.last_seen",
    "from.runs",
    "to.algorithm",
    "to.digest",
    "to.ino",
    "to.first_seen",
    "to.runs",
    "changed_after",
    "changed_before",
    "complete",
    "attribution",
    "suspects",
    "gaps",
    "doubts",
];

/// Options of `changes`.
#[derive(Debug, Default, Args)]
pub(crate) struct ChangesOptions {
    /// Paths or globs ('*' stops at '/', '**' does not); without them, all files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Also print where each file was first seen
    #[arg(long)]
    pub(crate) first_seen: bool,
}

pub(crate) fn run(options: &ChangesOptions, context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().for_each(|text| note(&text));
    let format = context.output.format;
    let most = if context.output.sort.is_none() { context.output.limit } else { None };
    let question = ChangesQuestion { scope: context.scope, paths, first_seen: options.first_seen, most };
    let columns: &[&str] = if format == Format::Table { &TABLE } else { &CSV };
    let mut output = Output::new(context.output, columns, context.writer);
    let found = changes::find(&question, &archives, &mut |one| {
        let mut row = one.to_row();
        if format == Format::Table {
            row.insert("suspects".into(), suspects_cell(&one.suspects.list, one.attribution));
        }
        output.row(row)
    })?;
    if format == Format::Json {
        for row in found.mapped_writes.rows().chain(found.mounted.rows()) {
            if output.row(row)?.is_break() {
                break;
            }
        }
    }
    let written_while_mapped = found.mapped_writes.count;
    let counts = [
        ("changes", found.count),
        ("doubtful", found.completeness.doubtful),
        ("without_digest", found.completeness.without_digest),
        ("written_while_mapped", written_while_mapped),
        ("mounted_over", found.mounted.len()),
    ];
    let mut last = found.completeness.to_json(&counts);
    last.extend(found.observed.fields());
    output.finish_with(&last)?;
    if format != Format::Json {
        say(&found);
    }
    Ok(found.count > 0 || written_while_mapped + found.mounted.len() > 0)
}

/// Those who can have changed the content, each act of a process once; where there are none, what that means.
fn suspects_cell(suspects: &[Suspect], attribution: Option<Attribution>) -> Value {
    if attribution != Some(Attribution::Suspects) {
        return attribution.map(Attribution::name).into();
    }
    let mut texts: Vec<String> =
        suspects.iter().filter(|suspect| suspect.changes_content()).map(Suspect::text).collect();
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts.into()
}

/// What table and csv cannot hold, on stderr.
fn say(found: &FoundChanges) {
    found.mapped_writes.notes().iter().for_each(|text| note(text));
    found.mounted.notes().iter().for_each(|text| note(text));
    found.observed.notes().iter().for_each(|text| note(text));
    found.completeness.notes().iter().for_each(|text| note(text));
    if found.has_other_algorithms {
        note("algorithm_changed: digests of different algorithms cannot be compared, so the content may be the same");
    }
}
