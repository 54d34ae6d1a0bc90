//! Events for which a policy asked for a digest and that have none: what the content was is not known.

use crate::archives::filter::RowFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::event_set::EventSet;
use crate::recordings::clock::ClockSteps;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use hashtrail::cell::Micros;
use hashtrail::event::{Event, names_a_file};
use hashtrail::hooks;
use hashtrail::reader::{Need, Predicate, Span};
use hashtrail::versions::FileVersion;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;

/// Reasons for which there is no content that could have a digest, or none that runs.
const NO_CONTENT: [&str; 4] = ["no_file", "not_regular_file", "not_executable_mapping", "pseudo_filesystem"];
/// The status of what has no digest.
const UNAVAILABLE: &str = "unavailable";
/// What is read of an event.
const COLUMNS: [&str; 9] = ["recording_id", "cpu", "seq", "hook", "time", "path", "path_flags", "root_dev", "root_ino"];

/// Whether status and reason of an event say that its digest is missing.
pub(crate) fn is_lacking(status: &str, reason: Option<&str>) -> bool {
    status == UNAVAILABLE && !reason.is_some_and(|reason| NO_CONTENT.contains(&reason))
}

/// Counts them, in the time and on the hosts that were asked about. What user space hashed later has a digest.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(crate) fn count(archives: &Archives<'_>, scope: &Scope) -> Result<usize> {
    let (low, high) = scope.span();
    let mut scan = scan_of_lacking();
    scan.prune.spans.push(Span { first: "time", last: "time", low, high });
    scan.dates = scope.dates();
    count_of(archives, &scan, |event| (low..=high).contains(&event.time.0))
}

/// Counts those that are about what was asked for, and behind which a change that touches the asked time may hide: no run of
/// the same path begins or ends between them and that time.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(crate) fn count_hiding(archives: &Archives<'_>, bounds: &Bounds, asked: RowFilter) -> Result<usize> {
    // All times: what was seen before and after the asked one bounds the changes in it.
    let mut scan = scan_of_lacking();
    // What asks for every path asks for events without one too.
    let asked = if asked.paths.matches("") { RowFilter { paths: PathPatterns::default(), ..asked } } else { asked };
    scan.prune.paths = asked.paths.rules();
    scan.predicates.extend(asked.predicates());
    count_of(archives, &scan, |event| names_a_file(&event.path_flags) && !bounds.are_between(event))
}

/// Hands each of them that is about what was asked for to `each`, once, in the time and on the hosts that were asked about.
///
/// # Errors
/// When a scan cannot be made, or those of `each`; files that cannot be read are problems.
pub(crate) fn each(
    archives: &Archives<'_>,
    scope: &Scope,
    asked: &PathPatterns,
    mut each: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let (low, high) = scope.span();
    let mut scan = scan_of_lacking();
    scan.columns.extend(["host", "boot_id"]);
    scan.prune.spans.push(Span { first: "time", last: "time", low, high });
    scan.dates = scope.dates();
    if !asked.matches("") {
        scan.prune.paths = asked.rules();
        scan.predicates.extend(asked.predicates());
    }
    let mut lacking = set_of(archives, &scan, |event| (low..=high).contains(&event.time.0))?;
    if lacking.is_empty() {
        return Ok(());
    }
    archives.each_row_until(&scan, |event: Event| {
        if lacking.remove(&event.recording_id, event.cpu, event.seq) {
            each(event)?;
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// Counts those of a scan that pass a test and that user space did not hash.
fn count_of(archives: &Archives<'_>, scan: &Scan, is_wanted: impl Fn(&Event) -> bool) -> Result<usize> {
    Ok(set_of(archives, scan, is_wanted)?.len())
}

/// Those of a scan that pass a test and that user space did not hash.
fn set_of(archives: &Archives<'_>, scan: &Scan, is_wanted: impl Fn(&Event) -> bool) -> Result<EventSet> {
    let mut lacking = EventSet::default();
    archives.each_row(scan, |event: Event| {
        if event.hook != hooks::USER_DIGEST && is_wanted(&event) {
            lacking.insert(&event.recording_id, event.cpu, event.seq);
        }
    })?;
    if !lacking.is_empty() {
        archives.each_row(&scan_of_hashed(), |event: Event| {
            if let Some((cpu, seq)) = event.ref_cpu.zip(event.ref_seq) {
                lacking.remove(&event.recording_id, cpu, seq);
            }
        })?;
    }
    Ok(lacking)
}

fn scan_of_lacking() -> Scan {
    let is_unavailable = |batch: &RecordBatch| {
        let status = text(batch, "digest_status")?;
        Ok((0..batch.num_rows()).map(|row| Some(status.value(row) == UNAVAILABLE)).collect())
    };
    let has_content = |batch: &RecordBatch| {
        let reasons = text(batch, "digest_reason")?;
        let has_none = |row| reasons.is_valid(row) && NO_CONTENT.contains(&reasons.value(row));
        Ok((0..batch.num_rows()).map(|row| Some(!has_none(row))).collect())
    };
    Scan {
        columns: COLUMNS.to_vec(),
        // Most rows are decided by the first.
        predicates: vec![
            Predicate::new(vec!["digest_status"], is_unavailable)
                .needing([Need::text("digest_status", |status| status == UNAVAILABLE)]),
            Predicate::new(vec!["digest_reason"], has_content),
        ],
        ..Scan::default()
    }
}

/// The rows of what user space hashed.
fn scan_of_hashed() -> Scan {
    let keep = |batch: &RecordBatch| {
        let (hooks, status) = (text(batch, "hook")?, text(batch, "digest_status")?);
        let is_hashed = |row| hooks.value(row) == hooks::USER_DIGEST && status.value(row) == "ok";
        Ok((0..batch.num_rows()).map(|row| Some(is_hashed(row))).collect())
    };
    Scan {
        columns: vec!["recording_id", "ref_cpu", "ref_seq"],
        predicates: vec![
            Predicate::new(vec!["hook", "digest_status"], keep)
                .needing([Need::text("hook", |hook| hook == hooks::USER_DIGEST)]),
        ],
        ..Scan::default()
    }
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt()).with_context(|| format!("`{name}` is no text"))
}

/// For each place in one recording, path and root, the runs that are nearest to the asked time outside of it. Places stand as
/// their hashes by a key that nobody knows.
#[derive(Debug)]
pub(crate) struct Bounds {
    since: Option<Micros>,
    until: Option<Micros>,
    steps: ClockSteps,
    places: RandomState,
    /// The last begin or end of a run before the time.
    last_before: HashMap<u64, Micros>,
    /// The first one after it.
    first_after: HashMap<u64, Micros>,
}

impl Bounds {
    pub(crate) fn new(scope: &Scope, steps: ClockSteps) -> Self {
        Self {
            since: scope.since,
            until: scope.until,
            steps,
            places: RandomState::new(),
            last_before: HashMap::new(),
            first_after: HashMap::new(),
        }
    }

    /// Whether they depend on runs at all.
    pub(crate) fn are_needed(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Takes a run. Doubtful digests bound nothing, and where the clock was set no time says what came first.
    pub(crate) fn see(&mut self, row: &FileVersion) {
        if !self.are_needed() || !row.doubts.is_empty() || self.steps.has(&row.recording_id) {
            return;
        }
        let place = self.places.hash_one((&row.recording_id, &row.path, &row.root_dev, row.root_ino));
        for time in [row.first_time, row.last_time] {
            if self.since.is_some_and(|since| time < since) {
                let last = self.last_before.entry(place).or_insert(time);
                *last = time.max(*last);
            }
            if self.until.is_some_and(|until| until <= time) {
                let first = self.first_after.entry(place).or_insert(time);
                *first = time.min(*first);
            }
        }
    }

    /// Whether a run of its place begins or ends between an event and the asked time.
    fn are_between(&self, event: &Event) -> bool {
        let place = self.places.hash_one((&event.recording_id, &event.path, &event.root_dev, event.root_ino));
        self.last_before.get(&place).is_some_and(|last| event.time <= *last)
            || self.first_after.get(&place).is_some_and(|first| *first < event.time)
    }
}
