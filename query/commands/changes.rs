//! `changes`: each change of a file's digest, and the interval in which it happened.

use super::Context;
use crate::archives::Archives;
use crate::archives::patterns::PathPatterns;
use crate::investigate::changes::{self, ChangesQuestion, FoundChanges};
use crate::investigate::verdicts::{self, Verdict};
use crate::known::{Known, KnownOptions};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output};
use crate::suspects::Suspect;
use crate::suspects::attribution::Attribution;
use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use hashtrail::packages::PackageFile;
use serde_json::Value;
use std::collections::HashSet;
use std::ops::ControlFlow;

const TABLE: [&str; 10] = [
    "path",
    "host",
    "kind",
    "from.digest",
    "to.digest",
    "changed_after",
    "changed_before",
    "complete",
    "verdicts",
    "suspects",
];
const CSV: [&str; 26] = [
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
    "package.package",
    "package.says",
    "package_unknown",
    "complete",
    "attribution",
    "suspects",
    "gaps",
    "doubts",
    "verdicts",
];
/// Where the package manager was looked at.
const PACKAGE: &str = "package.says";

/// Options of `changes`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ChangesOptions {
    /// Paths or globs ('*' stops at '/', '**' does not); without them, all files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Also print where each file was first seen
    #[arg(long)]
    pub(crate) first_seen: bool,
    /// Only changes with this verdict, whether it is a claim or a doubt; repeated, with any of them
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(verdicts::words()))]
    pub(crate) verdict: Vec<String>,
    #[command(flatten)]
    pub(crate) known: KnownOptions,
    /// Only changes of files of this package; repeated, of any of them
    #[arg(long, value_name = "NAME")]
    pub(crate) package: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail changes /usr/bin/sudo --archive web1
  hashtrail changes '/usr/sbin/*' --archive '/mnt/evidence/*' --since '2 days ago' --format json
  hashtrail changes --verdict setuid_gained --verdict masquerade --archive web1
  hashtrail changes --known-good rds.db --archive web1";

pub(crate) fn run(options: &ChangesOptions, context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().for_each(|text| note(&text));
    let format = context.output.format;
    let asked = &options.verdict;
    let is_filtered = !asked.is_empty() || !options.package.is_empty();
    // Which of them have a verdict or a package is known only of those that were looked into.
    let most = context.output.limit.filter(|_| context.output.sort.is_none() && !is_filtered);
    let question =
        ChangesQuestion { scope: context.scope, paths, first_seen: options.first_seen, most, verdicts: true };
    let has_packages = archives.list.iter().any(|archive| !archives.files::<PackageFile>(archive, None).is_empty());
    let known = Known::find(&options.known, &archives)?;
    let marks: &[&str] = if known.is_asked() { &["from.known", "to.known"] } else { &[] };
    let table = [&TABLE[..], if has_packages { &[PACKAGE] } else { &[] }].concat();
    let mut output = Output::new(context.output, Columns::new(&table, &CSV).and(marks), context.writer);
    let mut shown = 0;
    let found = changes::find(&question, &archives, &mut |one| {
        let verdicts = one.verdicts.as_deref().unwrap_or_default();
        let has_verdict = || verdicts.iter().any(|verdict| asked.iter().any(|word| word == verdict.word));
        let has_package = || options.package.iter().any(|name| one.is_of_package(name));
        if (!asked.is_empty() && !has_verdict()) || (!options.package.is_empty() && !has_package()) {
            return Ok(ControlFlow::Continue(()));
        }
        shown += 1;
        let mut row = one.to_row();
        for side in ["from", "to"] {
            if let Some(Value::Object(version)) = row.get_mut(side) {
                *version = known.marked(std::mem::take(version), format);
            }
        }
        if format != Format::Json {
            row.insert("verdicts".into(), verdicts_cell(verdicts, format));
        }
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
    let mut counts = vec![
        ("changes", found.count),
        ("doubtful", found.completeness.doubtful),
        ("without_digest", found.completeness.without_digest),
        ("written_while_mapped", written_while_mapped),
        ("mounted_over", found.mounted.len()),
    ];
    if is_filtered {
        counts.push((if asked.is_empty() { "of_package" } else { "with_verdict" }, shown));
    }
    let mut last = found.completeness.to_json(&counts);
    last.extend(found.observed.fields());
    last.extend(known.fields());
    output.finish_with(&last)?;
    if format != Format::Json {
        known.notes().iter().for_each(|text| note(text));
        say(&found);
    }
    let is_found = if is_filtered { shown > 0 } else { found.count > 0 };
    Ok(is_found || written_while_mapped + found.mounted.len() > 0)
}

/// The words of the verdicts, doubts with a question mark: all of them, also in a table.
fn verdicts_cell(verdicts: &[Verdict], format: Format) -> Value {
    let words: Vec<String> = verdicts.iter().map(Verdict::short).collect();
    if format == Format::Table && !words.is_empty() { words.join(", ").into() } else { words.into() }
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
