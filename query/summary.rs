//! The end of an answer: whether it is complete.

use crate::gaps::{Gap, Interval};
use crate::output::Row;
use crate::recordings::Recordings;
use crate::suppressed::Answer;
use hashtrail::cell::Micros;
use serde_json::Value;
use std::collections::BTreeSet;

/// The end of an answer: whether it is complete and, if not, what it cannot know.
pub(crate) struct Summary {
    pub(crate) gaps: Vec<Gap>,
    /// Whether files could not be read.
    pub(crate) damaged: bool,
    /// Whether anything was recorded at all.
    pub(crate) recorded: bool,
    /// Journal segments that are not sealed yet and not read here.
    pub(crate) unsealed: usize,
    /// Doubtful observations in the answer: what the content was at those times is not known, so a change may hide there.
    pub(crate) doubtful: usize,
}

impl Summary {
    /// All gaps of all hosts between two times that matter to an answer.
    pub(crate) fn of(
        recordings: &Recordings,
        answer: Answer,
        since: Option<Micros>,
        until: Option<Micros>,
        damaged: bool,
    ) -> Self {
        let hosts: BTreeSet<&str> = recordings.list.iter().map(|recording| recording.host.as_str()).collect();
        let gaps =
            hosts.into_iter().flat_map(|host| Interval { host, after: None, before: None }.gaps(recordings, answer));
        let touches =
            |gap: &Gap| since.is_none_or(|since| gap.to >= since) && until.is_none_or(|until| gap.from < until);
        Self {
            gaps: gaps.filter(touches).collect(),
            damaged,
            recorded: !recordings.list.is_empty(),
            doubtful: 0,
            unsealed: 0,
        }
    }

    fn is_complete(&self) -> bool {
        self.recorded && self.gaps.is_empty() && !self.damaged && self.doubtful == 0 && self.unsealed == 0
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
        row.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), Value::from(*count))));
        row
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_complete() {
            notes.push("complete: the recordings lost nothing that their policies asked for".to_owned());
        }
        for gap in &self.gaps {
            notes.push(format!("not complete: {}", gap.text()));
        }
        if !self.recorded {
            notes.push("not complete: there is no recording".to_owned());
        }
        if self.doubtful > 0 {
            let count = self.doubtful;
            notes.push(format!(
                "not complete: {count} observation(s) with a doubtful digest began no version, and a change may hide \
                 behind them; `hashtrail history` shows them"
            ));
        }
        if self.unsealed > 0 {
            notes.push(format!(
                "not complete: {} journal segment(s) are not sealed yet and not read here",
                self.unsealed
            ));
        }
        if self.damaged {
            notes.push("not complete: some files could not be read".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::Loss;
    use crate::testing::recordings;

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
        let notes = Summary::of(&recordings, Answer::Changes, None, None, false).notes();
        assert!(notes[0].starts_with("not complete: web suppressed 7 event(s) from "), "{notes:?}");
        assert!(notes[0].ends_with(" (rate_limit)"), "{notes:?}");
        assert!(notes[1].starts_with("not complete: web missed 7 event(s) from "), "{notes:?}");
    }

    #[test]
    fn what_is_not_sealed_yet_is_missing_from_the_answer() {
        let summary = Summary::of(&recordings(&["a"]), Answer::Changes, None, None, false);
        assert!(summary.is_complete());
        let summary = Summary { unsealed: 1, ..summary };
        assert!(!summary.is_complete() && summary.notes()[0].contains("1 journal segment(s)"));
    }
}
