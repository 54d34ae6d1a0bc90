//! `changes`: each change of a file's digest, and the interval in which it happened.

use super::Context;
use crate::archives::filter::{PathPatterns, RowFilter};
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::mapped::MappedWrites;
use crate::caveats::mounts::{MountedFiles, is_mounted_over};
use crate::caveats::observed::Observed;
use crate::caveats::undigested;
use crate::output::problems::note;
use crate::output::{Format, Output, Row, object};
use crate::recordings::Recordings;
use crate::recordings::completeness::Summary;
use crate::recordings::gaps::Gap;
use crate::recordings::suppressed::Answer;
use crate::rows::Rows;
use crate::sorter::{Sortable, Sorted, Sorter};
use crate::suspects::attribution::Attribution;
use crate::suspects::{self, Suspect, Suspects};
use crate::versions::change::{Change, ChangeKind, changes_of};
use crate::versions::order::resolve_or_report;
use crate::versions::run::Run;
use crate::versions::series::{AllSeries, names_its_file};
use crate::versions::version::Version;
use anyhow::Result;
use clap::Args;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::ops::ControlFlow;

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

/// What changes are looked into together may take in memory: each look is a scan of the events.
const TOGETHER_BYTES: usize = 32 << 20;

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
    let scope = context.scope;
    let archives = Archives::open(scope, context.problems)?;
    let most = if context.output.sort.is_none() { context.output.limit } else { None };
    let mut found = find(options, scope, most, &archives)?;
    let columns: &[&str] = if context.output.format == Format::Table { &TABLE } else { &CSV };
    let mut output = Output::new(context.output, columns, context.writer);
    show(&archives, &mut found, most, context.output.format, &mut output)?;
    if context.output.format == Format::Json {
        for row in found.mapped_writes.rows().chain(found.mounted.rows()) {
            if output.row(row)?.is_break() {
                break;
            }
        }
    }
    let summary = Summary {
        unsealed: archives.unsealed(),
        ..Summary::of(&found.recordings, Answer::Changes, scope, context.problems)
    };
    let written_while_mapped = found.mapped_writes.count;
    let without_digest = found.without_digest;
    let summary = Summary { doubtful: found.doubtful, without_digest, written_while_mapped, ..summary };
    let counts = [
        ("changes", found.count),
        ("doubtful", found.doubtful),
        ("without_digest", without_digest),
        ("written_while_mapped", written_while_mapped),
        ("mounted_over", found.mounted.len()),
    ];
    let mut last = summary.to_json(&counts);
    last.extend(found.observed.fields());
    output.finish_with(&last)?;
    if context.output.format != Format::Json {
        say(&summary, &found);
    }
    Ok(found.count > 0 || written_while_mapped + found.mounted.len() > 0)
}

/// What was found.
struct Found {
    /// In the order of time, as many as are shown.
    changes: Sorted<Change>,
    /// All that there are.
    count: usize,
    has_other_algorithms: bool,
    recordings: Recordings,
    /// Doubtful observations, which begin no version.
    doubtful: usize,
    /// Observations without a digest, behind which a change may hide.
    without_digest: usize,
    mapped_writes: MappedWrites,
    mounted: MountedFiles,
    /// What was asked for by a path and did not change.
    observed: Observed,
}

fn find(options: &ChangesOptions, scope: &Scope, most: Option<usize>, archives: &Archives<'_>) -> Result<Found> {
    let patterns = PathPatterns::new(&options.paths)?;
    patterns.notes().for_each(|text| note(&text));
    let prune = Prune { paths: patterns.rules(), ..Prune::default() };
    // Times exclude nothing here: the version before `--since` and the one after `--until` bound the intervals.
    let scan = Scan { prune, predicates: patterns.predicates(), ..Scan::default() };
    let is_about_all = options.paths.is_empty() && !options.first_seen;
    let rows = if is_about_all {
        Rows::read_changed(archives, scope)?
    } else {
        Rows::read(archives, scope, &patterns, &scan, names_its_file)?
    };
    let recordings = Recordings::load(archives, &rows.spans)?;
    let asked_events = RowFilter { paths: patterns.clone(), ..RowFilter::default() };
    let without_digest = undigested::count_hiding(archives, &rows.bounds, asked_events)?;
    let is_asked = |event: &Event| patterns.matches(event.path.as_deref().unwrap_or_default());
    let mapped_writes = MappedWrites::find(archives, scope, &rows.mapped, is_asked)?;
    let mut observed = Observed::default();
    observed.look_for_unseen(archives, &rows.unseen)?;
    let mut mounted = MountedFiles::default();
    let mut changes = Sorter::new(|left: &Change, right: &Change| left.to.first().first.cmp(&right.to.first().first));
    if let Some(most) = most {
        changes = changes.with_limit(most);
    }
    let (mut count, mut doubtful, mut has_other_algorithms) = (0, 0, false);
    for series in AllSeries::new(rows.sorter, &recordings)? {
        let (key, mut series) = series?;
        let observations = |run: &Run| usize::try_from(run.row.observations).unwrap_or(0);
        doubtful += series.doubtful.iter().map(observations).sum::<usize>();
        resolve_or_report(archives, &recordings, &key, &mut series);
        let over: Vec<&Run> =
            series.certain.iter().chain(&series.doubtful).filter(|run| is_mounted_over(run)).collect();
        mounted.add(&key, &over);
        let of_series = changes_of(&key, &series);
        let is_first_seen = |change: &Change| change.kind == ChangeKind::FirstSeen;
        if !options.paths.is_empty() && over.is_empty() && of_series.iter().all(is_first_seen) {
            observed.add(&key, &series);
        }
        for change in of_series {
            let is_asked = options.first_seen || !is_first_seen(&change);
            if is_asked && change.is_within(scope.since, scope.until) {
                count += 1;
                has_other_algorithms |= change.kind == ChangeKind::AlgorithmChanged;
                changes.push(change)?;
            }
        }
    }
    mounted.look_for_mounts(archives)?;
    let changes = changes.finish()?;
    Ok(Found {
        changes,
        count,
        has_other_algorithms,
        recordings,
        doubtful,
        without_digest,
        mapped_writes,
        mounted,
        observed,
    })
}

/// Shows the changes, as many at a time as memory should hold.
fn show(
    archives: &Archives<'_>,
    found: &mut Found,
    most: Option<usize>,
    format: Format,
    output: &mut Output<'_>,
) -> Result<()> {
    let mut left = most.unwrap_or(usize::MAX);
    loop {
        let (mut together, mut bytes) = (Vec::new(), 0);
        while left > 0
            && bytes < TOGETHER_BYTES
            && let Some(change) = found.changes.next().transpose()?
        {
            bytes += change.bytes();
            left -= 1;
            together.push(change);
        }
        if together.is_empty() || show_together(archives, &found.recordings, &together, format, output)?.is_break() {
            return Ok(());
        }
    }
}

/// Shows these changes; where their suspects are too many, one half after the other.
fn show_together(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[Change],
    format: Format,
    output: &mut Output<'_>,
) -> Result<ControlFlow<()>> {
    let Some(suspects) = suspects::find(archives, recordings, changes)? else {
        let (left, right) = changes.split_at(changes.len() / 2);
        if show_together(archives, recordings, left, format, output)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        return show_together(archives, recordings, right, format, output);
    };
    let attributions = attributions(archives, recordings, changes, &suspects)?;
    for ((change, suspects), attribution) in changes.iter().zip(&suspects).zip(attributions) {
        let mut row = change_row(change, suspects, attribution, recordings);
        if format == Format::Table {
            row.insert("suspects".into(), suspects_cell(&suspects.list, attribution));
        }
        if output.row(row)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The verdict on each change. Only where nobody was seen it matters by which names a file can be reached.
fn attributions(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[Change],
    suspects: &[Suspects],
) -> Result<Vec<Option<Attribution>>> {
    let is_damaged = archives.problems().any();
    let of = |(change, suspects): (&Change, &Suspects)| Attribution::of(change, suspects, recordings, is_damaged);
    let mut verdicts: Vec<Option<Attribution>> = changes.iter().zip(suspects).map(of).collect();
    let unseen: Vec<usize> =
        (0..verdicts.len()).filter(|number| verdicts[*number] == Some(Attribution::NobodySeen)).collect();
    let asked: Vec<&Change> = unseen.iter().map(|number| &changes[*number]).collect();
    let other_names = suspects::other_names(archives, &asked)?;
    // What that look could not read may hold another name, or an act.
    if archives.problems().any() {
        unseen.iter().for_each(|number| verdicts[*number] = Some(Attribution::Gap));
        return Ok(verdicts);
    }
    for (number, names) in unseen.into_iter().zip(other_names) {
        verdicts[number] = verdicts[number].map(|verdict| verdict.with_names(&changes[number], &names, recordings));
    }
    Ok(verdicts)
}

/// One change, as the contract has it.
fn change_row(change: &Change, suspects: &Suspects, attribution: Option<Attribution>, recordings: &Recordings) -> Row {
    let interval = change.interval();
    let gaps = interval.gaps(recordings, Answer::Changes);
    let to = &change.to.first().row;
    let mut row = object(json!({
        "type": "change",
        "path": change.key.path,
        "host": change.key.host,
        "root_dev": to.root_dev,
        "root_ino": to.root_ino,
        "from": null,
        "to": null,
        "changed_after": change.after_time().map(Micros::rfc3339),
        "changed_before": change.before_time().rfc3339(),
        "changed_after_ns": change.after().map(|mark| mark.boot_ns),
        "changed_before_ns": change.before().boot_ns,
        "kind": change.kind.name(),
        "attribution": attribution.map(Attribution::name),
        "suspects": null,
        "suspects_omitted": suspects.omitted,
        "unnamed_acts": suspects.has_unnamed,
        "package": null,
        "complete": gaps.is_empty(),
        "coverage": interval.coverage(recordings),
        "gaps": gaps.iter().map(Gap::to_json).collect::<Vec<Value>>(),
        "doubts": change.doubts,
    }));
    // The macro would copy them.
    row.insert("from".into(), change.from.as_deref().map(|from| version_json(from, from.latest())).into());
    row.insert("to".into(), version_json(&change.to, change.to.first()));
    row.insert("suspects".into(), suspects.list.iter().map(Suspect::to_json).collect());
    row
}

/// A version; its inode is that of the run next to the change.
fn version_json(version: &Version, next_to_change: &Run) -> Value {
    let row = &next_to_change.row;
    json!({
        "algorithm": row.digest_algorithm, "digest": row.digest, "dev": row.dev, "ino": row.ino,
        "first_seen": version.first_seen().rfc3339(), "last_seen": version.last_seen().rfc3339(),
        "runs": version.exec_runs(),
    })
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
fn say(summary: &Summary, found: &Found) {
    found.mapped_writes.notes().iter().for_each(|text| note(text));
    found.mounted.notes().iter().for_each(|text| note(text));
    found.observed.notes().iter().for_each(|text| note(text));
    summary.notes().iter().for_each(|text| note(text));
    if found.has_other_algorithms {
        note("algorithm_changed: digests of different algorithms cannot be compared, so the content may be the same");
    }
}
