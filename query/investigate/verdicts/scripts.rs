//! What ran a script: the rows of one exec share its number, whatever files it went through. A rule of binfmt_misc has files of other
//! kinds run by an interpreter too, and the rows of such an exec are the same.

use super::evidence::Evidence;
use super::{Case, Verdict, was};
use crate::archives::{Archives, Scan};
use crate::recordings::{Position, Recordings};
use crate::versions::change::Change;
use crate::versions::run::Run;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::{Judged, Need, Predicate, Prune, Span};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const SCRIPT: &str = "script";

/// How long after the script was hashed the exec goes on with its interpreter at most; what comes later is not looked for.
const WINDOW_NS: i64 = 2_000_000_000;
/// The kernel follows four interpreters at most, and the first row is the script's.
const ROWS_MAX: usize = 8;
/// How far wall clocks may have been set, for the choice of partitions: a day.
const CLOCK_SLACK_MICROS: i64 = 86_400_000_000;

const COLUMNS: [&str; 15] = [
    "recording_id",
    "host",
    "boot_id",
    "cpu",
    "seq",
    "time",
    "boot_ns",
    "hook",
    "exec_id",
    "path",
    "dev",
    "ino",
    "ino_generation",
    "digest",
    "digest_doubt",
];

/// The exec of a script.
#[derive(Debug)]
pub(super) struct Script {
    script: Step,
    /// The files that the exec went on to; empty of an exec that stayed with its own.
    interpreters: Vec<Step>,
    /// Whether it succeeded, as far as that was seen.
    is_committed: bool,
}

/// One row of an exec.
#[derive(Debug)]
struct Step {
    place: Position,
    time: Micros,
    hook: String,
    exec_id: Option<i64>,
    path: Option<String>,
    /// Device, inode number and generation.
    file: (Option<String>, Option<i64>, Option<i64>),
    digest: Option<String>,
    doubts: Vec<String>,
}

/// The execs of several changes' new versions, by the number of the change.
pub(super) struct Scripts(HashMap<usize, Script>);

impl Scripts {
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn look(archives: &Archives<'_>, recordings: &Recordings, changes: &[Change]) -> Result<Self> {
        let mut found = HashMap::new();
        let asked: Vec<(usize, &Run)> =
            changes.iter().enumerate().filter_map(|(number, change)| Some((number, exec_of(change)?))).collect();
        let Some(scan) = scan(&asked) else { return Ok(Self(found)) };
        let anchors: HashMap<Position, usize> = asked.iter().map(|(number, run)| (run.first, *number)).collect();
        let mut execs: HashMap<(usize, i64), usize> = HashMap::new();
        archives.each_row(&scan, |event: Event| {
            let Some((rank, exec_id)) = recordings.rank(&event.recording_id).zip(event.exec_id) else { return };
            let step = Step::of(event, rank);
            if let Some(number) = anchors.get(&step.place) {
                execs.insert((rank, exec_id), *number);
                found.entry(*number).or_insert_with(|| Script::of(step));
            } else if let Some(number) = execs.get(&(rank, exec_id)) {
                found.entry(*number).and_modify(|script| script.see(step));
            }
        })?;
        Ok(Self(found))
    }

    /// That of a change whose new version ran as a script.
    pub(super) fn of(&self, number: usize) -> Option<&Script> {
        self.0.get(&number).filter(|script| !script.interpreters.is_empty())
    }
}

impl Script {
    fn of(script: Step) -> Self {
        Self { script, interpreters: Vec::new(), is_committed: false }
    }

    /// Takes a later row of the exec. It can stand in two copies of an archive.
    fn see(&mut self, step: Step) {
        self.is_committed |= step.hook == hooks::BPRM_COMMITTED_CREDS;
        let is_known = self.interpreters.iter().any(|known| known.place == step.place);
        if step.file != self.script.file && !is_known && self.interpreters.len() < ROWS_MAX {
            self.interpreters.push(step);
        }
    }
}

impl Step {
    fn of(event: Event, rank: usize) -> Self {
        Self {
            place: Position { rank, boot_ns: event.boot_ns, cpu: event.cpu, seq: event.seq },
            time: event.time,
            hook: event.hook,
            exec_id: event.exec_id,
            path: event.path,
            file: (event.dev, event.ino, event.ino_generation),
            digest: event.digest,
            doubts: event.digest_doubt,
        }
    }

    fn evidence(&self) -> Evidence {
        let (dev, ino, ino_generation) = &self.file;
        let columns = json!({
            "hook": self.hook, "exec_id": self.exec_id, "dev": dev, "ino": ino, "ino_generation": ino_generation,
            "digest": self.digest,
        });
        Evidence::new(self.place, self.time, self.path.clone(), columns)
    }
}

/// The exec of the new version went on to another file, which is the interpreter.
pub(super) fn script(case: &Case<'_>) -> Option<Verdict> {
    let Script { script, interpreters, is_committed } = case.script?;
    let last = interpreters.last()?;
    let mut doubts = Vec::new();
    if !is_committed {
        doubts.push("that the exec succeeded was not seen".to_owned());
    }
    if !last.doubts.is_empty() {
        doubts.push(format!("the digest of the interpreter is doubtful: {}", last.doubts.join(", ")));
    }
    let by = last.path.as_deref().map_or_else(|| "a file whose path is not known".into(), |path| format!("`{path}`"));
    let says = format!("the file {} run by another one, {by}: as a script, or by a rule of binfmt_misc", was(&doubts));
    let evidence = std::iter::once(script).chain(interpreters).map(Step::evidence).collect();
    Some(Verdict { word: SCRIPT, says, doubts, evidence })
}

/// Where the new version was executed first, or may have been.
fn exec_of(change: &Change) -> Option<&Run> {
    let to = &change.to;
    to.ran().or_else(|| Some(to.first()).filter(|_| to.exec_runs().is_none() || to.exec_attempts() > Some(0)))
}

fn scan(asked: &[(usize, &Run)]) -> Option<Scan> {
    let times = || asked.iter().map(|(_, run)| run.row.first_time.0);
    let date = |micros: i64| Micros(micros).date();
    let dates = (
        date(times().min()?.saturating_sub(CLOCK_SLACK_MICROS)),
        date(times().max()?.saturating_add(CLOCK_SLACK_MICROS)),
    );
    let windows = windows(asked);
    let span = |(low, high): &(i64, i64)| Span { first: "boot_ns", last: "boot_ns", low: *low, high: *high };
    let spans = windows.iter().map(span).collect();
    use hooks::is_exec;
    let of_execs = Predicate::new(vec!["hook"], move |batch| {
        let mut hooks = Judged::of(batch, "hook")?;
        let keep = |row| hooks.of_row(row, is_exec).unwrap_or(false);
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), keep).into())
    });
    let of_execs = of_execs.coded().needing([Need::text("hook", is_exec)]);
    let windows = Arc::new(windows);
    let in_windows = Predicate::new(vec!["boot_ns"], move |batch| keep_in(batch, &windows));
    Some(Scan {
        prune: Prune { spans, ..Prune::default() },
        dates: Some(dates),
        columns: COLUMNS.to_vec(),
        predicates: vec![of_execs, in_windows],
    })
}

/// When rows of the execs can be, joined where they overlap.
fn windows(asked: &[(usize, &Run)]) -> Vec<(i64, i64)> {
    let window = |run: &Run| {
        let hashed_ns = run.first.boot_ns.saturating_add(run.row.first_duration_ns.unwrap_or(0).max(0));
        (run.first.boot_ns, hashed_ns.saturating_add(WINDOW_NS))
    };
    let mut windows: Vec<(i64, i64)> = asked.iter().map(|(_, run)| window(run)).collect();
    windows.sort_unstable();
    windows.dedup_by(|next, before| {
        let overlaps = next.0 <= before.1;
        if overlaps {
            before.1 = before.1.max(next.1);
        }
        overlaps
    });
    windows
}

fn keep_in(batch: &RecordBatch, windows: &[(i64, i64)]) -> Result<BooleanArray> {
    let times = batch.column_by_name("boot_ns").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let times = times.context("`boot_ns` is no number")?;
    let is_in = |row: usize| {
        let at = times.value(row);
        let begun = windows.partition_point(|window| window.0 <= at);
        times.is_valid(row) && begun.checked_sub(1).is_some_and(|last| at <= windows[last].1)
    };
    Ok(BooleanBuffer::collect_bool(batch.num_rows(), is_in).into())
}
