//! Steps of the wall clock. Between its first and its last observation a row may have others at any time that the clock showed.

use super::Recordings;
use super::gaps::Interval;
use crate::archives::{Archives, Scan, Scope};
use anyhow::Result;
use arrow::array::{AsArray, RecordBatch};
use hashtrail::cell::Micros;
use hashtrail::ledger::LedgerEntry;
use hashtrail::reader::{Need, Predicate};
use hashtrail::versions::FileVersion;
use serde_json::Value;
use std::collections::HashMap;

/// The kind of their entries.
const CLOCK: &str = "clock";
/// How long after a step events may still have the time of the clock before it.
const LATE_NS: i64 = 2_000_000_000;

/// All steps that the ledgers tell.
#[derive(Debug, Default)]
pub(crate) struct ClockSteps {
    by_recording: HashMap<String, Vec<Step>>,
}

/// One step, with what the clock showed before and after it.
#[derive(Debug)]
struct Step {
    boot_ns: i64,
    shown: [Micros; 2],
}

impl ClockSteps {
    /// Those that matter for a question: without a time nobody asks for them.
    ///
    /// # Errors
    /// As [`ClockSteps::read`].
    pub(crate) fn read_for(archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        if scope.since.is_none() && scope.until.is_none() { Ok(Self::default()) } else { Self::read(archives) }
    }

    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn read(archives: &Archives<'_>) -> Result<Self> {
        let is_clock = |batch: &RecordBatch| {
            let kinds = batch.column_by_name("kind").and_then(|column| column.as_string_opt::<i32>());
            Ok((0..batch.num_rows()).map(|row| Some(kinds.is_none_or(|kinds| kinds.value(row) == CLOCK))).collect())
        };
        let predicate = Predicate::new(vec!["kind"], is_clock).needing([Need::text("kind", |kind| kind == CLOCK)]);
        let columns = vec!["recording_id", "kind", "boot_ns", "detail"];
        let mut found = Self::default();
        archives.each_row(
            &Scan { columns, predicates: vec![predicate], ..Scan::default() },
            |entry: LedgerEntry| {
                let shown = shown(&entry).unwrap_or([Micros(i64::MIN), Micros(i64::MAX)]);
                let steps = found.by_recording.entry(entry.recording_id).or_default();
                steps.push(Step { boot_ns: entry.boot_ns, shown });
            },
        )?;
        Ok(found)
    }

    /// The earliest and the latest time that an observation of a row can have.
    pub(crate) fn span(&self, row: &FileVersion) -> (Micros, Micros) {
        let (first_ns, last_ns) = (row.first_boot_ns, row.last_boot_ns);
        // All observations of a row that has one are at its one time.
        let steps = self.shown(&row.recording_id, first_ns, last_ns).filter(|_| row.observations > 1);
        hull([row.first_time, row.last_time], steps)
    }

    /// The earliest and the latest time that the clock may have shown in an interval, at whose ends it showed these.
    pub(crate) fn span_of(
        &self,
        interval: Interval<'_>,
        ends: [Micros; 2],
        recordings: &Recordings,
    ) -> (Micros, Micros) {
        let mut times = Vec::new();
        let ranks = interval.after.map(|mark| mark.rank).zip(interval.before.map(|mark| mark.rank));
        for (rank, recording) in interval.recordings(recordings) {
            let (first_ns, last_ns) = interval.part(rank);
            times.extend(self.shown(&recording.id, first_ns, last_ns));
            // It goes on to the end of one recording, and from the beginning of the next.
            times.extend(ranks.filter(|(first, _)| *first < rank).map(|_| recording.start));
            times.extend(ranks.filter(|(_, last)| rank < *last).map(|_| recording.end));
        }
        hull(ends, times.into_iter())
    }

    /// Whether the clock was set during a recording.
    pub(crate) fn has(&self, recording_id: &str) -> bool {
        self.by_recording.contains_key(recording_id)
    }

    /// What the clock showed at steps between two moments.
    fn shown(&self, recording_id: &str, first_ns: i64, last_ns: i64) -> impl Iterator<Item = Micros> {
        let span = first_ns.saturating_sub(LATE_NS)..=last_ns.saturating_add(LATE_NS);
        let steps = self.by_recording.get(recording_id).into_iter().flatten();
        steps.filter(move |step| span.contains(&step.boot_ns)).flat_map(|step| step.shown)
    }
}

/// The earliest and the latest of two times and of others.
fn hull([left, right]: [Micros; 2], others: impl Iterator<Item = Micros>) -> (Micros, Micros) {
    others.fold((left.min(right), left.max(right)), |(first, last), time| (first.min(time), last.max(time)))
}

/// `None` where the entry does not say it.
fn shown(entry: &LedgerEntry) -> Option<[Micros; 2]> {
    let detail: Value = serde_json::from_str(entry.detail.as_deref()?).ok()?;
    let at = |name: &str| Some(Micros(detail.get(name)?.as_i64()?.checked_add(entry.boot_ns)? / 1000));
    Some([at("offset_before_ns")?, at("offset_ns")?])
}
