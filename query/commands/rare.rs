//! `rare`: digests by how few hosts ran or loaded them.

use super::answer::Tail;
use super::files::PackageOptions;
use super::{Context, without_digests};
use crate::archives::Archives;
use crate::archives::patterns::PathPatterns;
use crate::investigate::rare::{self, FoundRare, RareQuestion};
use crate::known::{Known, KnownOptions};
use crate::output::problems::note;
use crate::output::{Columns, Output, Row, object};
use crate::versions::prevalence::Prevalence;
use anyhow::Result;
use clap::Args;
use hashtrail::cell::Micros;
use serde_json::json;

/// What table and csv show.
const COLUMNS: [&str; 14] = [
    "hosts",
    "host_names",
    "algorithm",
    "digest",
    "observations",
    "runs",
    "not_run",
    "opened_only",
    "attempted_only",
    "doubtful_only",
    "paths",
    "first_paths",
    "first_seen",
    "last_seen",
];
/// A terminal is narrower.
const TABLE: [&str; 9] =
    ["hosts", "host_names", "digest", "observations", "runs", "paths", "first_paths", "first_seen", "last_seen"];

/// Options of `rare`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RareOptions {
    /// Paths or globs: only what was seen there counts; without them, all files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Digests that at most so many hosts ran or loaded
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub(crate) at_most: usize,
    #[command(flatten)]
    pub(crate) packages: PackageOptions,
    #[command(flatten)]
    pub(crate) known: KnownOptions,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail rare --archive '/mnt/evidence/*'
  hashtrail rare --package openssl --archive '/mnt/evidence/*'
  hashtrail rare '/usr/**' --at-most 2 --archive '/mnt/evidence/*' --format json

What only opens, locks or passes a file runs nothing and makes no host one that has it: it counts as not_run, as does an exec
that failed or an act that was denied. A run of observations that begins before --since or ends after --until counts as seen; how often in that time is then not known.";

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is no number of hosts from 1 on"))
}

pub(crate) fn run(options: &RareOptions, context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().for_each(|text| note(&text));
    let (paths, owned) = options.packages.narrow(paths, &archives, context.scope)?;
    let format = context.output.format;
    let most = if context.output.sort.is_none() { context.output.limit } else { None };
    let question = RareQuestion { scope: context.scope, paths, most_hosts: options.at_most, most };
    let known = Known::find(&options.known, &archives)?;
    let columns = Columns::new(&TABLE, &COLUMNS).and(known.columns());
    let mut output = Output::new(context.output, columns, context.writer);
    let row = |content: &Prevalence| known.marked(rare_row(content), format);
    let found = rare::find(&question, &archives, |content| output.offer(|| row(content)))?;
    tail(&found, options.at_most)
        .told(known.fields(), known.notes())
        .told(owned.fields(), owned.notes())
        .complete_only_if(found.is_complete() && owned.is_whole())
        .notes(found.completeness.notes())
        .show(output, format)?;
    Ok(found.count > 0)
}

fn rare_row(content: &Prevalence) -> Row {
    let Prevalence { algorithm, digest, hosts, not_run, paths, first_paths, times, .. } = content;
    object(json!({
        "type": "rare", "algorithm": algorithm, "digest": digest, "hosts": hosts.len(), "host_names": hosts,
        "observations": content.observations(), "runs": content.runs(), "not_run": not_run,
        "opened_only": content.opened_only(), "attempted_only": content.attempted_only(),
        "doubtful_only": content.doubtful_only(),
        "paths": paths, "first_paths": first_paths,
        "first_seen": times.map(|(first, _): (Micros, Micros)| first.rfc3339()),
        "last_seen": times.map(|(_, last)| last.rfc3339()),
    }))
}

/// What the rows do not show; whether the answer is complete, its caller adds.
fn tail(found: &FoundRare, at_most: usize) -> Tail {
    let completeness = &found.completeness;
    let counts = [
        ("rare", found.count),
        ("loaded", found.loaded),
        ("only_opened", found.only_opened),
        ("only_attempted", found.only_attempted),
        ("hosts", found.hosts.len()),
        ("doubtful", completeness.doubtful_contents),
        ("without_digest", completeness.undigested),
        ("written_while_mapped", completeness.written_while_mapped),
    ];
    let fields = object(json!({
        "host_names": found.hosts, "hosts_without_digests": found.hosts_without_digests, "algorithms": found.algorithms,
        "hooks_recorded_in_part": found.hooks_in_part, "without_commits": found.without_commits,
    }));
    Tail::new(completeness, &counts).told(fields, notes(found, at_most))
}

/// What was counted, and what not all hosts recorded alike.
fn notes(found: &FoundRare, at_most: usize) -> Vec<String> {
    let FoundRare { count, loaded, only_opened, only_attempted, hosts, .. } = found;
    let mut notes = vec![format!(
        "{count} of {loaded} digest(s) ran or were loaded on at most {at_most} of {} host(s); {only_opened} more were seen \
         otherwise, as when they are opened, and {only_attempted} tried in vain",
        hosts.len()
    )];
    if hosts.len() <= at_most {
        notes.push(
            "so few hosts recorded digests that each digest is as rare as can be, which says nothing of it".into(),
        );
    }
    let all = hosts | &found.hosts_without_digests;
    notes.extend(without_digests(&found.hosts_without_digests, &all));
    notes.extend(found.notes());
    notes
}
