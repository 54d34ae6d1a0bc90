//! The end of an answer: whether it is complete.

use crate::archives::Scope;
use crate::output::Row;
use crate::output::problems::Problems;
use crate::recordings::Recordings;
use crate::recordings::gaps::{self, Gap, Interval};
use crate::recordings::suppressed::Answer;
use hashtrail::cell::Micros;
use serde_json::Value;
use std::collections::BTreeSet;

/// Gaps that are told one by one.
const TOLD_MAX: usize = 10;

/// The end of an answer: whether it is complete and, if not, what it cannot know.
pub(crate) struct Completeness {
    pub(crate) gaps: Vec<Gap>,
    /// What could not be read or is missing, in words.
    pub(crate) problems: Vec<String>,
    /// Whether anything was recorded at all.
    pub(crate) recorded: bool,
    /// Journal segments that are not sealed yet and not read here.
    pub(crate) unsealed: usize,
    /// Doubtful observations in the answer: what the content was at those times is not known, so a change may hide there.
    pub(crate) doubtful: usize,
    /// Writes of files that were mapped executable: what ran then is not known.
    pub(crate) written_while_mapped: usize,
    /// Doubtful observations, where a digest was asked for: the content may have been the one with it.
    pub(crate) doubtful_contents: usize,
    /// Events without a digest that a policy asked for, where a digest was asked for: the same holds for them.
    pub(crate) undigested: usize,
    /// Events without a digest that a policy asked for, of what was asked about: a change may hide behind them.
    pub(crate) without_digest: usize,
    /// Whether a digest was asked for, and no digest was recorded at all.
    pub(crate) without_digests: bool,
}

impl Completeness {
    /// All gaps of all hosts in the time that was asked about that matter to an answer.
    pub(crate) fn of(recordings: &Recordings, answer: Answer, scope: &Scope, problems: &Problems) -> Self {
        let Scope { since, until, .. } = *scope;
        let hosts: BTreeSet<&str> = recordings.list.iter().map(|recording| recording.host.as_str()).collect();
        let within =
            hosts.into_iter().flat_map(|host| Interval { host, after: None, before: None }.gaps(recordings, answer));
        let now = Micros(chrono::Utc::now().timestamp_micros());
        let mut gaps = gaps::outside(recordings, since, until, now);
        gaps.extend(within.filter(|gap| gap.is_asked(since, until)));
        gaps.sort_by_key(|gap| gap.from);
        Self {
            gaps,
            problems: problems.texts(),
            recorded: !recordings.list.is_empty(),
            doubtful: 0,
            written_while_mapped: 0,
            unsealed: 0,
            doubtful_contents: 0,
            undigested: 0,
            without_digest: 0,
            without_digests: false,
        }
    }

    /// With further gaps, each once.
    pub(crate) fn with_gaps(mut self, gaps: Vec<Gap>) -> Self {
        self.gaps.extend(gaps);
        self.gaps = gaps::in_order(self.gaps);
        self
    }

    /// Whether nothing that was asked for is missing.
    pub(crate) fn is_complete(&self) -> bool {
        let unknown = self.doubtful
            + self.doubtful_contents
            + self.undigested
            + self.without_digest
            + self.written_while_mapped
            + self.unsealed;
        self.recorded && !self.without_digests && self.gaps.is_empty() && self.problems.is_empty() && unknown == 0
    }

    /// The last object of a JSON stream.
    pub(crate) fn to_json(&self, counts: &[(&str, usize)]) -> Row {
        let gaps = self.gaps.iter().map(|gap| {
            let mut fields = gap.to_json();
            fields["host"] = gap.host.clone().into();
            fields
        });
        let mut row = Row::new();
        row.insert("type".into(), "summary".into());
        row.insert("complete".into(), self.is_complete().into());
        row.insert("gaps".into(), gaps.collect());
        row.insert("problems".into(), self.problems.clone().into());
        row.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), Value::from(*count))));
        row
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_complete() {
            notes.push("complete: the recordings lost nothing that their policies asked for".to_owned());
        }
        notes.extend(self.gaps.iter().take(TOLD_MAX).map(|gap| format!("not complete: {}", gap.text())));
        notes.extend(self.more_gaps());
        if !self.recorded {
            notes.push("not complete: there is no recording".to_owned());
        }
        if self.recorded && self.without_digests {
            notes.push("not complete: no digest was recorded in this time, so none can have been found".to_owned());
        }
        if self.doubtful > 0 {
            let count = self.doubtful;
            notes.push(format!(
                "not complete: {count} observation(s) with a doubtful digest began no version, and a change may hide \
                 behind them; `hashtrail history` shows them"
            ));
        }
        if self.doubtful_contents > 0 {
            let count = self.doubtful_contents;
            notes.push(format!(
                "not complete: {count} observation(s) have a doubtful digest, and the content may have been another, also one \
                 that was asked for"
            ));
        }
        if self.undigested > 0 {
            let count = self.undigested;
            notes.push(format!(
                "not complete: {count} event(s) have no digest though their policy asked for one (`hashtrail events` says why), \
                 and the content may have been one that was asked for"
            ));
        }
        if self.without_digest > 0 {
            let count = self.without_digest;
            notes.push(format!(
                "not complete: {count} observation(s) have no digest though their policy asked for one (`hashtrail events` says \
                 why), and a change may hide behind them"
            ));
        }
        if self.written_while_mapped > 0 {
            let count = self.written_while_mapped;
            notes.push(format!(
                "not complete: {count} time(s) a file was opened for writing or truncated while it was mapped executable, \
                 so what ran may have been changed and changed back"
            ));
        }
        if self.unsealed > 0 {
            notes.push(format!(
                "not complete: {} journal segment(s) are not sealed yet and not read here",
                self.unsealed
            ));
        }
        if !self.problems.is_empty() {
            let count = self.problems.len();
            notes.push(format!(
                "not complete: {count} error(s), named above: something could not be read or is missing"
            ));
        }
        notes
    }

    /// Those that are not told one by one.
    fn more_gaps(&self) -> Option<String> {
        let more = self.gaps.get(TOLD_MAX..).filter(|more| !more.is_empty())?;
        let from = more.iter().map(|gap| gap.from).min()?.rfc3339();
        let to = more.iter().map(|gap| gap.to).max()?.rfc3339();
        let lost = more.iter().map(|gap| gap.lost).try_fold(0_i64, |sum, lost| sum.checked_add(lost?));
        let lost = lost.map_or("an unknown number of events".to_owned(), |lost| format!("{lost} event(s)"));
        let count = more.len();
        Some(format!("not complete: {count} more gap(s) from {from} to {to}, {lost}; `hashtrail gaps` lists them"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::Loss;
    use crate::testing::{asked, recordings};

    #[test]
    fn what_was_stopped_is_told_in_other_words_than_what_was_lost() {
        let loss = |cause: &str| Loss {
            cpu: None,
            count: Some(7),
            cause: cause.into(),
            from_ns: 1_000,
            to_ns: 2_000,
            from: Micros(1),
            to: Micros(2),
        };
        let mut recordings = recordings(&["a"]);
        recordings.list[0].suppressed.push(loss("rate_limit"));
        recordings.list[0].losses.push(loss("ring_full"));
        let notes = Completeness::of(&recordings, Answer::Changes, &asked(None, None), &Problems::default()).notes();
        assert!(notes[0].starts_with("not complete: web suppressed 7 event(s) from "), "{notes:?}");
        assert!(notes[0].ends_with(" (rate_limit)"), "{notes:?}");
        assert!(notes[1].starts_with("not complete: web missed 7 event(s) from "), "{notes:?}");
    }

    #[test]
    fn what_is_not_sealed_yet_is_missing_from_the_answer() {
        let summary = Completeness::of(&recordings(&["a"]), Answer::Changes, &asked(None, None), &Problems::default());
        assert!(summary.is_complete());
        let summary = Completeness { unsealed: 1, ..summary };
        assert!(!summary.is_complete() && summary.notes()[0].contains("1 journal segment(s)"));
    }
    #[test]
    fn more_than_ten_gaps_are_summed_up() {
        let mut recordings = recordings(&["a"]);
        recordings.list[0].losses = (0..13)
            .map(|at| Loss {
                cpu: None,
                count: Some(2),
                cause: "ring_full".into(),
                from_ns: at * 10_000,
                to_ns: at * 10_000 + 1,
                from: Micros(at * 10),
                to: Micros(at * 10 + 1),
            })
            .collect();
        let notes = Completeness::of(&recordings, Answer::Changes, &asked(None, None), &Problems::default()).notes();
        assert_eq!(notes.len(), 11, "{notes:?}");
        assert!(
            notes[10].starts_with("not complete: 3 more gap(s) from ") && notes[10].contains(", 6 event(s);"),
            "{notes:?}"
        );
    }
}
