//! `changes`: each change of a file's digest, and the interval in which it happened.

use super::Context;
use crate::archives::{Archives, Scan};
use crate::attribution::Attribution;
use crate::change::{Change, ChangeKind, changes_of};
use crate::cli::{ChangesOptions, Format, SharedOptions};
use crate::filter::{PathPatterns, RowFilter};
use crate::gaps::Gap;
use crate::mapped::MappedWrites;
use crate::mounts::{MountedFiles, is_mounted_over};
use crate::observed::Observed;
use crate::output::{Output, Row, object};
use crate::problems::note;
use crate::recordings::Recordings;
use crate::resolve::resolve_or_report;
use crate::series::{Run, Version, group, names_its_file};
use crate::summary::Summary;
use crate::suppressed::Answer;
use crate::suspects::{self, Suspect, Suspects};
use crate::undigested::{self, Bounds};
use anyhow::Result;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use serde_json::{Value, json};
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

pub(super) fn run(options: &ChangesOptions, context: Context<'_>) -> Result<bool> {
    let shared = context.shared;
    let archives = Archives::open(shared, context.problems)?;
    let found = find(options, shared, &archives)?;
    let mut changes: Vec<&Change> = found.changes.iter().collect();
    if let (Some(limit), None) = (shared.output.limit, &shared.output.sort) {
        changes.truncate(limit);
    }
    let suspects = suspects::find(&archives, &found.recordings, &changes)?;
    let columns: &[&str] = if shared.output.format == Format::Table { &TABLE } else { &CSV };
    let mut output = Output::new(&shared.output, columns, context.writer);
    let attributions = attributions(&archives, &found.recordings, &changes, &suspects)?;
    for ((change, suspects), attribution) in changes.iter().zip(&suspects).zip(attributions) {
        let mut row = change_row(change, suspects, attribution, &found.recordings);
        if shared.output.format == Format::Table {
            row.insert("suspects".into(), suspects_cell(&suspects.list, attribution));
        }
        if output.row(row)?.is_break() {
            break;
        }
    }
    if shared.output.format == Format::Json {
        for row in found.mapped_writes.rows().chain(found.mounted.rows()) {
            if output.row(row)?.is_break() {
                break;
            }
        }
    }
    let summary = Summary {
        unsealed: archives.unsealed(),
        ..Summary::of(&found.recordings, Answer::Changes, shared, context.problems)
    };
    let written_while_mapped = found.mapped_writes.count;
    let without_digest = found.without_digest;
    let summary = Summary { doubtful: found.doubtful, without_digest, written_while_mapped, ..summary };
    let counts = [
        ("changes", found.changes.len()),
        ("doubtful", found.doubtful),
        ("without_digest", without_digest),
        ("written_while_mapped", written_while_mapped),
        ("mounted_over", found.mounted.len()),
    ];
    let mut last = summary.to_json(&counts);
    last.extend(found.observed.fields());
    output.finish_with(&last)?;
    say(&summary, &found, shared);
    Ok(!found.changes.is_empty() || written_while_mapped + found.mounted.len() > 0)
}

/// What was found, in the order of time.
struct Found {
    changes: Vec<Change>,
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

fn find(options: &ChangesOptions, shared: &SharedOptions, archives: &Archives<'_>) -> Result<Found> {
    let patterns = PathPatterns::new(&options.paths)?;
    patterns.notes().for_each(|text| note(&text));
    let prune = Prune { paths: patterns.rules(), ..Prune::default() };
    // Times exclude nothing here: the version before `--since` and the one after `--until` bound the intervals.
    let mut rows: Vec<FileVersion> =
        archives.rows(&Scan { prune, predicates: patterns.predicates(), ..Scan::default() })?;
    let recordings = Recordings::load(archives, &rows)?;
    rows.retain(names_its_file);
    let is_asked = |event: &Event| patterns.matches(event.path.as_deref().unwrap_or_default());
    let mut bounds = Bounds::new(shared);
    rows.iter().for_each(|row| bounds.see(row));
    let asked_events = RowFilter { paths: patterns.clone(), ..RowFilter::default() };
    let without_digest = undigested::count_hiding(archives, &bounds, asked_events)?;
    let mapped_writes = MappedWrites::find(archives, shared, &rows, is_asked)?;
    let mut observed = Observed::default();
    observed.look_for_unseen(archives, &patterns, &rows)?;
    let mut mounted = MountedFiles::default();
    let mut changes = Vec::new();
    let mut doubtful = 0;
    for (key, mut series) in group(rows, &recordings) {
        let observations = |run: &Run| usize::try_from(run.row.observations).unwrap_or(0);
        doubtful += series.doubtful.iter().map(observations).sum::<usize>();
        resolve_or_report(archives, &recordings, &key, &mut series);
        let over: Vec<&Run> =
            series.certain.iter().chain(&series.doubtful).filter(|run| is_mounted_over(run)).collect();
        mounted.add(&key, &over);
        let of_series = changes_of(&key, series.clone());
        if !options.paths.is_empty()
            && over.is_empty()
            && of_series.iter().all(|change| change.kind == ChangeKind::FirstSeen)
        {
            observed.add(&key, &series);
        }
        changes.extend(of_series);
    }
    mounted.look_for_mounts(archives)?;
    changes.retain(|change| {
        (options.first_seen || change.kind != ChangeKind::FirstSeen) && change.is_within(shared.since, shared.until)
    });
    changes.sort_by_key(|change| change.to.first().first);
    Ok(Found { changes, recordings, doubtful, without_digest, mapped_writes, mounted, observed })
}

/// The verdict on each change. Only where nobody was seen it matters by which names a file can be reached.
fn attributions(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[&Change],
    suspects: &[Suspects],
) -> Result<Vec<Option<Attribution>>> {
    let is_damaged = archives.problems().any();
    let of = |(change, suspects): (&&Change, &Suspects)| Attribution::of(change, suspects, recordings, is_damaged);
    let mut verdicts: Vec<Option<Attribution>> = changes.iter().zip(suspects).map(of).collect();
    let unseen: Vec<usize> =
        (0..verdicts.len()).filter(|number| verdicts[*number] == Some(Attribution::NobodySeen)).collect();
    let asked: Vec<&Change> = unseen.iter().map(|number| changes[*number]).collect();
    for (number, names) in unseen.into_iter().zip(suspects::other_names(archives, &asked)?) {
        verdicts[number] = verdicts[number].map(|verdict| verdict.with_names(changes[number], &names, recordings));
    }
    Ok(verdicts)
}

/// One change, as the contract has it.
fn change_row(change: &Change, suspects: &Suspects, attribution: Option<Attribution>, recordings: &Recordings) -> Row {
    let interval = change.interval();
    let gaps = interval.gaps(recordings, Answer::Changes);
    let to = &change.to.first().row;
    object(json!({
        "type": "change",
        "path": change.key.path,
        "host": change.key.host,
        "root_dev": to.root_dev,
        "root_ino": to.root_ino,
        "from": change.from.as_ref().map(|from| version_json(from, from.latest())),
        "to": version_json(&change.to, change.to.first()),
        "changed_after": change.after_time().map(Micros::rfc3339),
        "changed_before": change.before_time().rfc3339(),
        "changed_after_ns": change.after().map(|mark| mark.boot_ns),
        "changed_before_ns": change.before().boot_ns,
        "kind": change.kind.name(),
        "attribution": attribution.map(Attribution::name),
        "suspects": suspects.list.iter().map(Suspect::to_json).collect::<Vec<Value>>(),
        "suspects_omitted": suspects.omitted,
        "unnamed_acts": suspects.has_unnamed,
        "package": null,
        "complete": gaps.is_empty(),
        "coverage": interval.coverage(recordings),
        "gaps": gaps.iter().map(Gap::to_json).collect::<Vec<Value>>(),
        "doubts": change.doubts,
    }))
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
fn say(summary: &Summary, found: &Found, shared: &SharedOptions) {
    if shared.output.format != Format::Json {
        found.mapped_writes.notes().iter().for_each(|text| note(text));
        found.mounted.notes().iter().for_each(|text| note(text));
        found.observed.notes().iter().for_each(|text| note(text));
        summary.notes().iter().for_each(|text| note(text));
        if found.changes.iter().any(|change| change.kind == ChangeKind::AlgorithmChanged) {
            note(
                "algorithm_changed: digests of different algorithms cannot be compared, so the content may be the same",
            );
        }
    }
}
