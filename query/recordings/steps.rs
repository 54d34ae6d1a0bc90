//! Steps of the wall clock, as the ledger notes them, and what the clock showed at moments since boot.

use super::{Loss, Recording};
use hashtrail::cell::Micros;
use hashtrail::ledger::LedgerEntry;
use serde_json::Value;

/// The kind of their entries.
pub(super) const CLOCK: &str = "clock";
/// How long after a step events may still have the time of the clock before it.
const LATE_NS: i64 = 2_000_000_000;

/// One step, with what the clock was ahead of the time since boot before and after it, where its entry says that.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) boot_ns: i64,
    pub(super) offsets_ns: Option<[i64; 2]>,
}

/// The earliest and the latest time that the clock may have shown in a loss. Its own times are told by the clock when it was noted,
/// which may have been set since; where it was not, both differ by what a clock is slewed.
pub(super) fn span_of_loss(loss: &Loss, recording: &Recording) -> (Micros, Micros) {
    let steps = &recording.clock_steps;
    // Before the start there was nothing to lose.
    let from_ns = loss.from_ns.max(recording.start_ns).min(loss.to_ns);
    let noted = [loss.from.max(recording.start).min(loss.to), loss.to];
    let ends =
        [(from_ns, noted[0]), (loss.to_ns, noted[1])].map(|(boot_ns, noted)| shown_at(steps, boot_ns).unwrap_or(noted));
    let slewed =
        noted.into_iter().zip(ends).filter(|(noted, end)| noted.0.abs_diff(end.0) < LATE_NS.unsigned_abs() / 1000);
    hull(ends, shown(steps, from_ns, loss.to_ns).chain(slewed.map(|(noted, _)| noted)))
}

/// What the clock showed at steps between two moments.
pub(super) fn shown(steps: &[Step], first_ns: i64, last_ns: i64) -> impl Iterator<Item = Micros> {
    let span = first_ns.saturating_sub(LATE_NS)..=last_ns.saturating_add(LATE_NS);
    steps.iter().filter(move |step| span.contains(&step.boot_ns)).flat_map(Step::shown)
}

/// What the clock showed at a moment, as the next step tells it.
pub(super) fn shown_at(steps: &[Step], boot_ns: i64) -> Option<Micros> {
    let later = steps.iter().filter(|step| step.boot_ns >= boot_ns);
    let [before_ns, _] = later.min_by_key(|step| step.boot_ns)?.offsets_ns?;
    Some(time(before_ns, boot_ns))
}

impl Step {
    /// What its entry says.
    pub(super) fn of(entry: &LedgerEntry) -> Self {
        Self { boot_ns: entry.boot_ns, offsets_ns: offsets(entry) }
    }

    /// What the clock showed just before it and after; any time where nobody knows that.
    fn shown(&self) -> [Micros; 2] {
        let of_offsets = |offsets: [i64; 2]| offsets.map(|offset_ns| time(offset_ns, self.boot_ns));
        self.offsets_ns.map_or([Micros(i64::MIN), Micros(i64::MAX)], of_offsets)
    }
}

fn time(offset_ns: i64, boot_ns: i64) -> Micros {
    Micros(offset_ns.saturating_add(boot_ns) / 1000)
}

/// The earliest and the latest of two times and of others.
pub(super) fn hull([left, right]: [Micros; 2], others: impl Iterator<Item = Micros>) -> (Micros, Micros) {
    others.fold((left.min(right), left.max(right)), |(first, last), time| (first.min(time), last.max(time)))
}

/// `None` where the entry does not say them.
fn offsets(entry: &LedgerEntry) -> Option<[i64; 2]> {
    let detail: Value = serde_json::from_str(entry.detail.as_deref()?).ok()?;
    let is_time = |offset_ns: &i64| offset_ns.checked_add(entry.boot_ns).is_some();
    let offset = |name: &str| detail.get(name)?.as_i64().filter(is_time);
    Some([offset("offset_before_ns")?, offset("offset_ns")?])
}
