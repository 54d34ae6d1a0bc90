//! Who can have changed a file between the last reading of its old content and the first sight of its new one.

pub(crate) mod act;
pub(crate) mod attribution;
mod candidates;
mod names;
mod reach;
mod seen;
#[cfg(test)]
mod tests;
mod unnamed;

use crate::archives::act_filter::ActFilter;
use crate::archives::{Archives, Scan};
use crate::recordings::Recordings;
use crate::recordings::clock::ClockSteps;
use crate::recordings::gaps::Mark;
use crate::versions::change::Change;
use act::Act;
use anyhow::Result;
use candidates::Candidates;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::reader::{Prune, Span};
use hashtrail::versions::FileVersion;
pub(crate) use names::{OtherNames, other_names};
pub(crate) use reach::is_file_of_row;
use reach::{WRITTEN_BEFORE_NS, When, reach};
use seen::Seen;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

/// How far wall clocks may have been set while a change happened, for the choice of partitions: a day.
const CLOCK_SLACK_MICROS: i64 = 86_400_000_000;

/// Suspects of one change with the same act that are kept.
const KEPT_OF_AN_ACT_MAX: usize = 1000;
/// What the suspects of several changes may take at once.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// An event that can have made a change, or belongs to how it was made.
#[derive(Debug, Clone)]
pub(crate) struct Suspect {
    pub(crate) seen: Rc<Seen>,
    act: Act,
    when: When,
}

impl Suspect {
    /// `None` when the event cannot have changed the content of its file.
    pub(crate) fn of_write(event: Event) -> Option<Self> {
        let act = Act::of(&event).filter(|act| act.writes())?;
        Some(Self { seen: Rc::new(Seen::of(event, 0)), act, when: When::Within })
    }

    /// Whether it can have changed the content that the path names.
    pub(crate) fn changes_content(&self) -> bool {
        self.act.changes_content()
    }

    /// Whether it is one of these acts.
    pub(crate) fn is_of(&self, acts: &ActFilter) -> bool {
        let ActFilter { hooks, pids, process_starts, uids, texts } = acts;
        let Seen { hook, pid, process_start_ns, uid, .. } = &*self.seen;
        let has = |wanted: &[i64], number: i64| wanted.is_empty() || wanted.contains(&number);
        (hooks.is_empty() || hooks.contains(hook))
            && has(pids, i64::from(*pid))
            && has(process_starts, *process_start_ns)
            && has(uids, *uid)
            && texts.iter().all(|text| self.seen.text(text.column).is_some_and(|found| text.matches(found)))
    }

    /// Whether it set this extended attribute in the interval.
    pub(crate) fn sets_attribute(&self, name: &str) -> bool {
        let is_named = self.seen.attributes.iter().any(|attribute| attribute == name);
        self.act == Act::SetXattr && self.when == When::Within && is_named
    }

    /// Whether it opened its file for writing, or truncated it, in the interval and while that was mapped executable.
    pub(crate) fn writes_mapped(&self) -> bool {
        self.act.writes() && self.when == When::Within && self.seen.mapped_executable == Some(true)
    }

    /// Whether its file is that of a row, by its own number: another file may have had the number before.
    pub(crate) fn is_of_file(&self, row: &FileVersion) -> bool {
        let Seen { boot_id, dev, ino, ino_generation, .. } = &*self.seen;
        (boot_id, dev.as_ref(), *ino, *ino_generation)
            == (&row.boot_id, Some(&row.dev), Some(row.ino), Some(row.ino_generation))
    }

    /// As the contract shows a suspect.
    pub(crate) fn to_json(&self) -> Value {
        let seen = &self.seen;
        json!({
            "time": seen.time.rfc3339(), "pid": seen.pid, "exe": seen.exe, "comm": seen.comm, "uid": seen.uid,
            "hook": seen.hook, "act": self.act.name(), "before_interval": self.when == When::Before,
            "tid": seen.tid, "process_start_ns": seen.process_start_ns,
            "ppid": seen.ppid, "parent_comm": seen.parent_comm, "auid": seen.auid, "euid": seen.euid,
            "container_id": seen.container_id, "path": seen.path, "path_flags": seen.path_flags, "target_path": seen.target_path,
            "attributes": seen.attributes, "argv": seen.argv,
        })
    }

    /// The same for a table.
    pub(crate) fn text(&self) -> String {
        let Seen { pid, uid, exe, comm, .. } = &*self.seen;
        let before = if self.when == When::Before { ", before the interval" } else { "" };
        format!("{} by {} (pid {pid}, uid {uid}{before})", self.act.name(), exe.as_ref().unwrap_or(comm))
    }
}

/// The suspects of one change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspects {
    /// In order of time.
    pub(crate) list: Vec<Suspect>,
    /// How many more there were: whoever repeats an act a million times hides no other one by it.
    pub(crate) omitted: usize,
    /// Whether there were acts whose names are not known and that can have made the change.
    pub(crate) has_unnamed: bool,
    kept: HashMap<Act, usize>,
}

impl Suspects {
    fn push(&mut self, suspect: Suspect) {
        let kept = self.kept.entry(suspect.act).or_default();
        if *kept < KEPT_OF_AN_ACT_MAX {
            *kept += 1;
            self.list.push(suspect);
        } else {
            self.omitted += 1;
        }
    }
}

/// For each change its suspects; `None` where those of several changes are more than memory should hold.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(crate) fn find(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[Change],
) -> Result<Option<Vec<Suspects>>> {
    let mut found = vec![Suspects::default(); changes.len()];
    let mut bytes = 0;
    let most = if changes.len() > 1 { KEPT_BYTES_MAX } else { usize::MAX };
    let candidates = Arc::new(Candidates::new(changes, recordings));
    let clock = Clock { steps: ClockSteps::read(archives)?, recordings };
    let Some(scan) = scan(&clock, changes, &candidates) else { return Ok(Some(found)) };
    archives.each_row_until(&scan, |event: Event| {
        let (Some(rank), Some(act)) = (recordings.rank(&event.recording_id), Act::of(&event)) else {
            return Ok(ControlFlow::Continue(()));
        };
        let at = Mark { rank, boot_ns: event.boot_ns };
        if unnamed::may_reach_any(&event, act)
            && unnamed::is_unnamed(act, [event.path.as_deref(), event.target_path.as_deref()], &event.path_flags)
        {
            for (change, suspects) in changes.iter().zip(&mut found) {
                suspects.has_unnamed |= unnamed::may_reach(change, &event, act, at);
            }
        }
        let reached = candidates.of(&event, act, at).into_iter();
        let reached = reached.filter_map(|change| Some((change, reach(&changes[change], &event, act, at)?)));
        let reached: Vec<(usize, When)> = reached.collect();
        if !reached.is_empty() {
            bytes += keep(&mut found, Seen::of(event, rank), act, reached);
        }
        Ok(if bytes > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if bytes > most {
        return Ok(None);
    }
    for Suspects { list, .. } in &mut found {
        list.sort_by_key(|suspect| suspect.seen.place);
        // An event can stand in two copies of an archive.
        list.dedup_by_key(|suspect| suspect.seen.place);
    }
    Ok(Some(found))
}

/// Keeps an event as a suspect of these changes; gives what it takes, which is nothing where there are enough like it.
fn keep(found: &mut [Suspects], seen: Seen, act: Act, reached: Vec<(usize, When)>) -> usize {
    let seen = Rc::new(seen);
    for (change, when) in reached {
        found[change].push(Suspect { seen: Rc::clone(&seen), act, when });
    }
    if Rc::strong_count(&seen) > 1 { seen.bytes() } else { 0 }
}

/// What lies in the intervals, and the descriptors that were open when a recording began, which may be long ago.
fn scan(clock: &Clock<'_>, changes: &[Change], candidates: &Arc<Candidates>) -> Option<Scan> {
    let begins: BTreeSet<usize> = changes.iter().filter_map(|change| Some(change.after()?.rank)).collect();
    let looks = begins.into_iter().filter_map(|rank| {
        let recording = clock.recordings.list.get(rank)?;
        Some((recording.start, recording.coverage.last_look()?))
    });
    let looks: Vec<_> = looks.collect();
    let intervals = changes.iter().filter_map(|change| clock.wall_span(change));
    let times = intervals.chain(looks.iter().map(|(start, look)| (start.0, look.time.0)));
    let (low, high) = times.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))?;
    let descriptors =
        looks.iter().map(|(_, look)| Span { first: "boot_ns", last: "boot_ns", low: i64::MIN, high: look.boot_ns });
    let spans = changes.iter().filter_map(|change| clock.span(change)).chain(descriptors).collect();
    Some(Scan {
        prune: Prune { spans, ..Prune::default() },
        dates: Some((
            Micros(low.saturating_sub(CLOCK_SLACK_MICROS)).date(),
            Micros(high.saturating_add(CLOCK_SLACK_MICROS)).date(),
        )),
        columns: seen::COLUMNS.to_vec(),
        predicates: candidates.predicates(),
    })
}

/// What the clocks showed while files changed.
struct Clock<'a> {
    steps: ClockSteps,
    recordings: &'a Recordings,
}

impl Clock<'_> {
    /// The clock since boot is exact but means something only within one boot; else the wall clock must do.
    fn span(&self, change: &Change) -> Option<Span> {
        if change.last_reading()?.boot_id() == change.to.first().row.boot_id {
            let low = change.after()?.boot_ns.saturating_sub(written_before_ns(change));
            return Some(Span { first: "boot_ns", last: "boot_ns", low, high: change.before().boot_ns });
        }
        let (low, high) = self.wall_span(change)?;
        let (low, high) = (low.saturating_sub(CLOCK_SLACK_MICROS), high.saturating_add(CLOCK_SLACK_MICROS));
        Some(Span { first: "time", last: "time", low, high })
    }

    /// The earliest and the latest time that an event in the interval can have, in microseconds: the clock may have been set
    /// between its ends, also while nobody recorded.
    fn wall_span(&self, change: &Change) -> Option<(i64, i64)> {
        change.after_time()?;
        let (first, last) = self.steps.span_of(change.interval(), change.end_times(), self.recordings);
        Some((first.0.saturating_sub(written_before_ns(change) / 1000), last.0))
    }
}

fn written_before_ns(change: &Change) -> i64 {
    if change.is_of_another_file() { WRITTEN_BEFORE_NS } else { 0 }
}
