//! What an answer cannot know: the times in which events were lost or nobody recorded.

use crate::recordings::{Loss, Recording, Recordings};
use crate::suppressed::{Answer, is_suppressed};
use hashtrail::cell::Micros;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How much later than others an event can leave the kernel, and so stand in a later segment: after this much the
/// recorder counts it as lost.
const LATE_NS: i64 = 1_000_000_000;

/// A time in which a change could hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) host: String,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    pub(crate) cause: String,
    /// Number of events; `None` when nobody can know.
    pub(crate) lost: Option<i64>,
}

/// A moment in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) rank: usize,
    pub(crate) boot_ns: i64,
}

/// An interval of one host's recordings; open where an end is `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval<'a> {
    pub(crate) host: &'a str,
    pub(crate) after: Option<Mark>,
    pub(crate) before: Option<Mark>,
}

impl Interval<'_> {
    /// The recordings that the interval touches, with their ranks.
    fn recordings<'r>(&self, recordings: &'r Recordings) -> impl Iterator<Item = (usize, &'r Recording)> {
        let first = self.after.map_or(0, |mark| mark.rank);
        let last = self.before.map_or(usize::MAX, |mark| mark.rank);
        let of_host =
            move |(rank, recording): &(usize, &Recording)| (first..=last).contains(rank) && recording.host == self.host;
        recordings.list.iter().enumerate().filter(of_host)
    }

    /// The part of a recording that lies in the interval, in nanoseconds since boot.
    fn part(&self, rank: usize) -> (i64, i64) {
        let end = |end: Option<Mark>| end.filter(|mark| mark.rank == rank).map(|mark| mark.boot_ns);
        (end(self.after).unwrap_or(i64::MIN), end(self.before).unwrap_or(i64::MAX))
    }

    /// Whether a test holds for the part of each recording that lies in the interval; false where there is none.
    pub(crate) fn all(&self, recordings: &Recordings, test: impl Fn(&Recording, i64, i64) -> bool) -> bool {
        let mut results = self.recordings(recordings).map(|(rank, recording)| {
            let (first_ns, last_ns) = self.part(rank);
            test(recording, first_ns, last_ns)
        });
        results.next() == Some(true) && results.all(|result| result)
    }

    /// The hooks that every recording of the interval recorded.
    pub(crate) fn coverage(&self, recordings: &Recordings) -> BTreeSet<String> {
        let hooks = self.recordings(recordings).map(|(rank, recording)| {
            let (first_ns, last_ns) = self.part(rank);
            recording.coverage.hooks_between(first_ns, last_ns)
        });
        hooks.reduce(|left, right| &left & &right).unwrap_or_default()
    }

    /// Whether events of the interval may stand in journal segments that are not sealed yet.
    pub(crate) fn reaches_unsealed(&self, recordings: &Recordings) -> bool {
        self.recordings(recordings).any(|(rank, recording)| {
            recording.is_unsealed && self.part(rank).1 > recording.end_ns.saturating_sub(LATE_NS)
        })
    }

    /// The gaps that touch the interval and in which something for the answer can be missing, in order of time.
    pub(crate) fn gaps(&self, recordings: &Recordings, answer: Answer) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let mut end: Option<Micros> = None;
        for (rank, recording) in self.recordings(recordings) {
            let gap = |from, to, cause: &str, lost| Gap {
                host: recording.host.clone(),
                from,
                to,
                cause: cause.to_owned(),
                lost,
            };
            if let Some(end) = end.filter(|end| *end < recording.start) {
                gaps.push(gap(end, recording.start, "not_running", None));
            }
            end = end.max(Some(recording.end));
            if !recording.has_ledger {
                gaps.push(gap(recording.start, recording.end, "no_ledger", None));
            }
            let (first_ns, last_ns) = self.part(rank);
            let touches = |loss: &&Loss| loss.to_ns >= first_ns && loss.from_ns <= last_ns;
            let suppressed = recording.suppressed.iter().filter(|loss| answer.can_miss(loss, &recording.coverage));
            let losses = recording.losses.iter().chain(suppressed).filter(touches).cloned();
            gaps.extend(joined(losses.collect()).into_iter().map(|loss| {
                // The first loss is noted as since boot; before the start there was nothing to lose.
                gap(loss.from.max(recording.start).min(loss.to), loss.to, &loss.cause, loss.count)
            }));
        }
        gaps.sort_by_key(|gap| gap.from);
        gaps
    }
}

/// Joins losses of one cause that touch: a long loss is noted once a second for each CPU. Only the time since boot tells
/// what touches, because the wall clock is slewed and stepped between two entries.
fn joined(mut losses: Vec<Loss>) -> Vec<Loss> {
    losses.sort_by(|left, right| (&left.cause, left.from_ns).cmp(&(&right.cause, right.from_ns)));
    let mut joined: Vec<Loss> = Vec::new();
    for loss in losses {
        match joined.last_mut() {
            Some(last) if last.cause == loss.cause && loss.from_ns <= last.to_ns => {
                if loss.to_ns > last.to_ns {
                    (last.to_ns, last.to) = (loss.to_ns, loss.to);
                }
                last.count = last.count.zip(loss.count).and_then(|(left, right)| left.checked_add(right));
            }
            _ => joined.push(loss),
        }
    }
    joined
}

impl Gap {
    /// In words.
    pub(crate) fn text(&self) -> String {
        let lost = self.lost.map_or("an unknown number of events".to_owned(), |lost| format!("{lost} event(s)"));
        let (from, to) = (self.from.rfc3339(), self.to.rfc3339());
        let verb = if is_suppressed(&self.cause) { "suppressed" } else { "missed" };
        format!("{} {verb} {lost} from {from} to {to} ({})", self.host, self.cause)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({"from": self.from.rfc3339(), "to": self.to.rfc3339(), "cause": self.cause, "lost": self.lost})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Coverage;
    use crate::summary::Summary;
    use hashtrail::ledger::LedgerEntry;
    use std::collections::HashMap;

    fn recording(id: &str, start: i64, end: i64, hooks: &[&str], losses: &[(i64, i64)]) -> Recording {
        let loss = |(from, to): &(i64, i64)| Loss {
            cpu: None,
            count: Some(2),
            cause: "ring_full".into(),
            from_ns: from * 1000,
            to_ns: to * 1000,
            from: Micros(*from),
            to: Micros(*to),
        };
        let mut coverage = Coverage::default();
        coverage.add(&LedgerEntry {
            kind: "policy".into(),
            detail: Some(json!({ "hooks": hooks }).to_string()),
            ..LedgerEntry::default()
        });
        Recording {
            id: id.into(),
            host: "web".into(),
            start: Micros(start),
            end: Micros(end),
            end_ns: end * 1000,
            coverage,
            losses: losses.iter().map(loss).collect(),
            has_ledger: true,
            ..Recording::default()
        }
    }

    fn recordings(list: Vec<Recording>) -> Recordings {
        let ids = list.iter().map(|recording| recording.id.clone()).collect();
        let known: HashMap<_, _> = list.into_iter().map(|recording| (recording.id.clone(), recording)).collect();
        Recordings::in_order(known, vec![ids])
    }

    fn interval(after: (usize, i64), before: (usize, i64)) -> Interval<'static> {
        let mark = |(rank, micros): (usize, i64)| Some(Mark { rank, boot_ns: micros * 1000 });
        Interval { host: "web", after: mark(after), before: mark(before) }
    }

    #[test]
    fn only_losses_that_touch_the_interval_count() {
        let recordings = recordings(vec![recording("a", 0, 100, &["mmap_file"], &[(10, 20), (15, 22), (50, 60)])]);
        let gaps = interval((0, 0), (0, 30)).gaps(&recordings, Answer::Changes);
        assert_eq!(gaps.len(), 1, "losses that touch are one gap");
        assert_eq!((gaps[0].from, gaps[0].to, gaps[0].lost), (Micros(10), Micros(22), Some(4)));
        assert!(interval((0, 30), (0, 40)).gaps(&recordings, Answer::Changes).is_empty());
    }

    #[test]
    fn losses_that_touch_are_one_gap_whatever_the_wall_clock_did_between_them() {
        let mut recording = recording("a", 0, 100, &[], &[(10, 20), (20, 30)]);
        recording.losses[1].from = Micros(25);
        recording.losses[1].to = Micros(35);
        let gaps = interval((0, 0), (0, 100)).gaps(&recordings(vec![recording]), Answer::Changes);
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!((gaps[0].from, gaps[0].to, gaps[0].lost), (Micros(10), Micros(35), Some(4)));
    }

    #[test]
    fn time_between_recordings_is_a_gap_and_coverage_is_what_both_had() {
        let first = recording("a", 0, 100, &["mmap_file", "bprm_check_security"], &[]);
        let recordings = recordings(vec![first, recording("b", 150, 200, &["mmap_file"], &[])]);
        let interval = interval((0, 50), (1, 160));
        let gaps = interval.gaps(&recordings, Answer::Changes);
        assert_eq!((gaps[0].from, gaps[0].to, gaps[0].cause.as_str()), (Micros(100), Micros(150), "not_running"));
        assert_eq!(interval.coverage(&recordings).into_iter().collect::<Vec<_>>(), ["mmap_file"]);
        let summary = Summary::of(&recordings, Answer::Changes, Some(Micros(160)), None, false);
        assert_eq!(summary.gaps, []);
    }
}
