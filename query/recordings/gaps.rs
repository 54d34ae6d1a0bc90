//! What an answer cannot know: the times in which events were lost or nobody recorded.

use crate::recordings::steps::span_of_loss;
use crate::recordings::suppressed::{Answer, is_suppressed};
use crate::recordings::{Loss, Recording, Recordings};
use hashtrail::cell::Micros;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How much later than others an event can leave the kernel, and so stand in a later segment: after this much the
/// recorder counts it as lost.
const LATE_NS: i64 = 1_000_000_000;

/// The cause of gaps in which nobody recorded: before, between and after recordings.
const NOT_RECORDED: &str = "not_recorded";

/// The cause of gaps over recordings of which not everything was passed on.
const REDACTED: &str = "redacted";

/// A time in which a change could hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) host: String,
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    /// The earliest and the latest time that the clock showed in it, which may have been set meanwhile.
    pub(super) span: (Micros, Micros),
    pub(crate) cause: String,
    /// Number of events; `None` when nobody can know.
    pub(crate) lost: Option<i64>,
}

/// A moment in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    pub(super) fn recordings<'r>(&self, recordings: &'r Recordings) -> impl Iterator<Item = (usize, &'r Recording)> {
        let first = self.after.map_or(0, |mark| mark.rank);
        let last = self.before.map_or(usize::MAX, |mark| mark.rank);
        let of_host =
            move |(rank, recording): &(usize, &Recording)| (first..=last).contains(rank) && recording.host == self.host;
        recordings.list.iter().enumerate().filter(of_host)
    }

    /// The part of a recording that lies in the interval, in nanoseconds since boot.
    pub(super) fn part(&self, rank: usize) -> (i64, i64) {
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
    pub(crate) fn coverage<'r>(&self, recordings: &'r Recordings) -> BTreeSet<&'r str> {
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
        let mut last: Option<&Recording> = None;
        for (rank, recording) in self.recordings(recordings) {
            let (first_ns, last_ns) = self.part(rank);
            let gap = |from, to, cause: &str, lost| Gap {
                host: recording.host.clone(),
                from,
                to,
                span: (from, to),
                cause: cause.to_owned(),
                lost,
            };
            if let Some(last) = last.filter(|last| last.ends_before(recording)) {
                // The clock may have been set back between the two.
                let (end, start) = (last.end, recording.start);
                gaps.push(gap(end.min(start), end.max(start), NOT_RECORDED, None));
            }
            last = last.filter(|last| last.outlasts(recording)).or(Some(recording));
            // When the content was read is not known, and may have been before anybody recorded.
            if first_ns == 0 && recording.start_ns > 0 {
                let boot = Micros(recording.start.0.saturating_sub(recording.start_ns / 1000));
                gaps.push(gap(boot, recording.start, NOT_RECORDED, None));
            }
            if !recording.has_ledger {
                gaps.push(gap(recording.start, recording.end, "no_ledger", None));
            }
            let touches = |loss: &&Loss| loss.to_ns >= first_ns && loss.from_ns <= last_ns;
            let suppressed = recording.suppressed.iter().filter(|loss| answer.can_miss(loss, &recording.coverage));
            let skipped = recording.skipped.iter().filter(|loss| answer.needs_skipped(loss));
            let losses = recording.losses.iter().chain(suppressed).chain(skipped).filter(touches).cloned();
            gaps.extend(joined(losses.collect()).into_iter().map(|loss| {
                // The first loss is noted as since boot; before the start there was nothing to lose.
                let from = loss.from.max(recording.start).min(loss.to);
                Gap { span: span_of_loss(&loss, recording), ..gap(from, loss.to, &loss.cause, loss.count) }
            }));
        }
        in_order(gaps)
    }
}

/// The same gap can stand in two copies of an archive.
pub(super) fn in_order(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_by(|left, right| (left.from, left.to, &left.cause).cmp(&(right.from, right.to, &right.cause)));
    gaps.dedup();
    gaps
}

/// The times that were asked about and lie before or after all recordings of a host. An open end asks about no time after the
/// recordings, unless it begins there; then it asks until `now`.
pub(crate) fn outside(recordings: &Recordings, since: Option<Micros>, until: Option<Micros>, now: Micros) -> Vec<Gap> {
    let mut spans: BTreeMap<&str, (Micros, Micros)> = BTreeMap::new();
    for Recording { host, start, end, .. } in &recordings.list {
        let span = spans.entry(host).or_insert((*start, *end));
        *span = (span.0.min(*start), span.1.max(*end));
    }
    let mut gaps = Vec::new();
    for (host, (start, end)) in spans {
        let until = until.or_else(|| since.filter(|since| *since > end).map(|since| now.max(since)));
        let before =
            since.filter(|since| *since < start).map(|since| (since, until.map_or(start, |until| until.min(start))));
        let after = until.filter(|until| *until > end).map(|until| (since.map_or(end, |since| since.max(end)), until));
        let gap = |(from, to)| Gap {
            host: host.to_owned(),
            from,
            to,
            span: (from, to),
            cause: NOT_RECORDED.into(),
            lost: None,
        };
        gaps.extend(before.into_iter().chain(after).map(gap));
    }
    gaps
}

/// What the kernel skipped and no answer about contents and writers needs, in order of time.
pub(crate) fn skipped(recordings: &Recordings, since: Option<Micros>, until: Option<Micros>) -> Vec<Gap> {
    let mut skipped = Vec::new();
    for recording in &recordings.list {
        skipped.extend(joined(recording.skipped.clone()).into_iter().map(|loss| Gap {
            host: recording.host.clone(),
            from: loss.from.max(recording.start).min(loss.to),
            to: loss.to,
            span: span_of_loss(&loss, recording),
            cause: loss.cause,
            lost: loss.count,
        }));
    }
    skipped.retain(|gap| gap.is_asked(since, until));
    skipped.sort_by_key(|gap| gap.from);
    skipped
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
    /// Whether it touches the time that is asked about.
    pub(super) fn is_asked(&self, since: Option<Micros>, until: Option<Micros>) -> bool {
        since.is_none_or(|since| self.span.1 >= since) && until.is_none_or(|until| self.span.0 < until)
    }

    /// In words.
    pub(crate) fn text(&self) -> String {
        let lost = self.lost.map_or("an unknown number of events".to_owned(), |lost| format!("{lost} event(s)"));
        let (from, to) = (self.from.rfc3339(), self.to.rfc3339());
        if self.cause == REDACTED {
            return format!(
                "{}: something was taken out of what was recorded from {from} to {to} ({REDACTED})",
                self.host
            );
        }
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
    use crate::output::problems::Problems;
    use crate::recordings::completeness::Completeness;
    use crate::recordings::coverage::Coverage;
    use crate::testing::asked;
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
            start_ns: start * 1000,
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
    fn a_recording_of_a_later_boot_ends_the_gap_before_it() {
        let of_boot = |boot: &str, recording| Recording { boot_id: Some(boot.into()), ..recording };
        let [a, b, c] = [("a", 0, 100), ("b", 150, 200), ("c", 250, 300)]
            .map(|(id, start, end)| recording(id, start, end, &[], &[]));
        let recordings = recordings(vec![of_boot("1", a), of_boot("2", b), of_boot("2", c)]);
        let gaps = interval((0, 50), (2, 260)).gaps(&recordings, Answer::Changes);
        let spans: Vec<(Micros, Micros)> = gaps.iter().map(|gap| (gap.from, gap.to)).collect();
        assert_eq!(spans, [(Micros(100), Micros(150)), (Micros(200), Micros(250))], "while b recorded is no gap");
    }

    #[test]
    fn a_recording_within_another_one_ends_no_time_of_that() {
        let within = vec![("a", 0, 300), ("b", 50, 100), ("c", 350, 400)];
        let boot = |(id, start, end)| Recording { boot_id: Some("1".into()), ..recording(id, start, end, &[], &[]) };
        let recordings = recordings(within.into_iter().map(boot).collect());
        let gaps = interval((0, 10), (2, 360)).gaps(&recordings, Answer::Changes);
        assert_eq!(gaps.iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>(), [(Micros(300), Micros(350))]);
    }

    #[test]
    fn time_between_recordings_is_a_gap_and_coverage_is_what_both_had() {
        let first = recording("a", 0, 100, &["mmap_file", "bprm_check_security"], &[]);
        let recordings = recordings(vec![first, recording("b", 150, 200, &["mmap_file"], &[])]);
        let interval = interval((0, 50), (1, 160));
        let gaps = interval.gaps(&recordings, Answer::Changes);
        assert_eq!((gaps[0].from, gaps[0].to, gaps[0].cause.as_str()), (Micros(100), Micros(150), NOT_RECORDED));
        assert_eq!(interval.coverage(&recordings).into_iter().collect::<Vec<_>>(), ["mmap_file"]);
        let summary = Completeness::of(&recordings, Answer::Changes, &asked(Some(160), None), &Problems::default());
        assert_eq!(summary.gaps, []);
    }

    #[test]
    fn a_clock_that_was_set_back_hides_no_time_between_recordings() {
        let of = |boot: &str, start_ns, end_ns, recording: Recording| Recording {
            boot_id: Some(boot.into()),
            start_ns,
            end_ns,
            ..recording
        };
        let gaps = |boot: &str, start_ns: i64| {
            let first = of("boot1", 0, 100_000, recording("a", 0, 100, &[], &[]));
            let second = of(boot, start_ns, start_ns + 50_000, recording("b", 60, 110, &[], &[]));
            let gaps =
                interval((0, 10), (1, start_ns / 1000 + 10)).gaps(&recordings(vec![first, second]), Answer::Changes);
            gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect::<Vec<_>>()
        };
        assert_eq!(gaps("boot1", 150_000), [(60, 100)]);
        assert_eq!(gaps("boot2", 10_000), [(60, 100)], "nobody records while the host boots");
        assert_eq!(gaps("boot1", 90_000), [], "they overlap");
    }

    #[test]
    fn time_that_was_asked_about_and_not_recorded_is_a_gap() {
        let two = recordings(vec![recording("a", 40, 100, &[], &[]), recording("b", 150, 200, &[], &[])]);
        let found = |since: Option<i64>, until: Option<i64>| {
            let gaps = Completeness::of(&two, Answer::Changes, &asked(since, until), &Problems::default()).gaps;
            assert!(gaps.iter().all(|gap| gap.cause == "not_recorded"), "{gaps:?}");
            gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect::<Vec<_>>()
        };
        assert_eq!(found(None, None), [(100, 150)]);
        assert_eq!(found(Some(10), None), [(10, 40), (100, 150)]);
        assert_eq!(found(Some(10), Some(20)), [(10, 20)]);
        assert_eq!(found(Some(50), Some(90)), []);
        assert_eq!(found(Some(160), Some(300)), [(200, 300)]);
        assert_eq!(found(Some(300), Some(400)), [(300, 400)]);
        assert_eq!(found(Some(160), None), [], "an open end asks about what was recorded");
        let now = Micros(1_000);
        assert_eq!(outside(&two, Some(Micros(300)), None, now)[0].to, now, "unless there is nothing");
    }

    #[test]
    fn a_gap_of_two_copies_is_told_once() {
        let mut twice = recording("a", 0, 100, &[], &[(10, 20)]);
        twice.losses[0].count = None;
        let mut copy = recording("b", 0, 100, &[], &[(10, 20)]);
        copy.losses[0].count = None;
        let found =
            Completeness::of(&recordings(vec![twice, copy]), Answer::Changes, &asked(None, None), &Problems::default());
        assert_eq!(found.gaps.len(), 1, "{:?}", found.gaps);
    }

    #[test]
    fn what_was_read_at_some_time_since_boot_may_have_changed_before_the_recording() {
        let recordings = recordings(vec![recording("a", 40, 100, &[], &[])]);
        let gaps = |after| interval((0, after), (0, 60)).gaps(&recordings, Answer::Changes);
        assert_eq!((gaps(0)[0].from, gaps(0)[0].to, gaps(0)[0].cause.as_str()), (Micros(0), Micros(40), NOT_RECORDED));
        assert_eq!(gaps(45), []);
    }
}
