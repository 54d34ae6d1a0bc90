//! What can be said of who made a change, also where nobody was seen.

use crate::recordings::suppressed::Answer;
use crate::recordings::{Recording, Recordings};
use crate::suspects::{OtherNames, Suspect, Suspects};
use crate::versions::change::{Change, ChangeKind};
use hashtrail::hooks;

/// The verdict on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribution {
    /// At least one event can have made it.
    Suspects,
    /// No recorded event can have made it, and every one through this path was recorded.
    NobodySeen,
    /// No recorded event can have made it, and some were lost, or it is not known where they were.
    Gap,
    /// No recorded event can have made it, and not every one was asked for.
    NotCovered,
}

impl Attribution {
    pub(crate) const ALL: [Self; 4] = [Self::Suspects, Self::NobodySeen, Self::Gap, Self::NotCovered];

    /// `None` for a first sight, which is no change. `is_damaged`: files of the archive could not be read.
    pub(crate) fn of(change: &Change, suspects: &Suspects, recordings: &Recordings, is_damaged: bool) -> Option<Self> {
        let interval = change.interval();
        Some(if change.kind == ChangeKind::FirstSeen {
            return None;
        } else if suspects.list.iter().any(Suspect::changes_content) {
            Self::Suspects
        } else if is_damaged
            || suspects.has_unnamed
            || interval.reaches_unsealed(recordings)
            || !interval.gaps(recordings, Answer::Writers).is_empty()
        {
            Self::Gap
        } else if is_covered(change, recordings) {
            Self::NobodySeen
        } else {
            Self::NotCovered
        })
    }

    /// The same once the other names of the file are known: acts by these had to be recorded too.
    pub(crate) fn with_names(self, change: &Change, names: &OtherNames, recordings: &Recordings) -> Self {
        let is_covered = |path: &String| is_path_covered(change, path, recordings);
        if self == Self::NobodySeen && (names.has_unknown || !names.paths.iter().all(is_covered)) {
            return Self::NotCovered;
        }
        self
    }

    /// As the contract has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Suspects => "suspects",
            Self::NobodySeen => "nobody seen",
            Self::Gap => "unknown: gap",
            Self::NotCovered => "not covered",
        }
    }
}

/// Whether every act that can have made a change is among its suspects, those by the other names of its file too.
pub(crate) fn has_all_acts(change: &Change, suspects: &Suspects, names: &OtherNames, recordings: &Recordings) -> bool {
    let interval = change.interval();
    !suspects.has_unnamed
        && suspects.omitted == 0
        && !interval.reaches_unsealed(recordings)
        && interval.gaps(recordings, Answer::Writers).is_empty()
        && is_covered(change, recordings)
        && !names.has_unknown
        && names.paths.iter().all(|path| is_path_covered(change, path, recordings))
}

/// Whether every act on the path was recorded, and the change was made by one on this path. A doubtful digest in the
/// interval may hide a change of its own; another directory or filesystem at the path came by a mount or from above.
fn is_covered(change: &Change, recordings: &Recordings) -> bool {
    change.doubts.is_empty()
        && change.is_in_one_directory()
        && change.key.path.as_deref().is_some_and(|path| is_path_covered(change, path, recordings))
}

/// Whether every act on this path in the interval was recorded.
fn is_path_covered(change: &Change, path: &str, recordings: &Recordings) -> bool {
    let covers = |recording: &Recording, first_ns, last_ns| {
        hooks::CHANGES.iter().all(|hooks| recording.coverage.covers(hooks, path, first_ns, last_ns))
            && recording.coverage.has_seen_descriptors(last_ns)
    };
    change.interval().all(recordings, covers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recordings::Loss;
    use crate::recordings::coverage::Coverage;
    use crate::testing::{change_to, recordings, replaced, rewritten, version};
    use hashtrail::cell::Micros;
    use hashtrail::ledger::LedgerEntry;
    use hashtrail::versions::FileVersion;
    use serde_json::{Value, json};

    const HOOKS: [&str; 5] = ["file_open", "inode_rename", "inode_link", "inode_unlink", "inode_setattr"];

    fn coverage(hooks: &[&str], prefix: &str, unseen: u64) -> Coverage {
        let mut coverage = Coverage::default();
        let prefixes: serde_json::Map<String, Value> =
            hooks.iter().map(|hook| ((*hook).to_owned(), json!([prefix]))).collect();
        for (boot_ns, kind, detail) in [
            (1_000, "policy", json!({"hooks": hooks, "coverage": prefixes})),
            (2_000, "snapshot", json!({"descriptors_unseen": unseen})),
        ] {
            let detail = Some(detail.to_string());
            coverage.add(&LedgerEntry { boot_ns, kind: kind.into(), detail, ..LedgerEntry::default() });
        }
        coverage
    }

    /// One recording that covers everything, changed by the test.
    fn recorded(change: impl FnOnce(&mut Recording)) -> Recordings {
        let mut recordings = recordings(&["r1"]);
        recordings.list[0].coverage = coverage(&HOOKS, "", 0);
        change(&mut recordings.list[0]);
        recordings
    }

    fn verdict(change: &Change, recordings: &Recordings) -> &'static str {
        Attribution::of(change, &Suspects::default(), recordings, false).map_or("", Attribution::name)
    }

    #[test]
    fn nobody_was_seen_only_where_everybody_would_have_been() {
        let complete = recorded(|_| {});
        assert_eq!((verdict(&rewritten(), &complete), verdict(&replaced(), &complete)), ("nobody seen", "nobody seen"));
        for missing in HOOKS {
            let hooks: Vec<&str> = HOOKS.into_iter().filter(|hook| *hook != missing).collect();
            let recordings = recorded(|recording| recording.coverage = coverage(&hooks, "/usr/", 0));
            assert_eq!(verdict(&rewritten(), &recordings), "not covered", "without {missing}");
        }
        let with =
            |hooks: &[&str], prefix, unseen| recorded(|recording| recording.coverage = coverage(hooks, prefix, unseen));
        assert_eq!(verdict(&rewritten(), &with(&HOOKS, "/usr/", 0)), "nobody seen");
        assert_eq!(verdict(&rewritten(), &with(&HOOKS, "/etc/", 0)), "not covered", "another path");
        assert_eq!(verdict(&rewritten(), &with(&HOOKS, "", 1)), "not covered", "a descriptor was not looked at");
        let by_path = ["file_post_open", "path_rename", "path_link", "path_unlink", "path_truncate"];
        assert_eq!(verdict(&rewritten(), &with(&by_path, "", 0)), "nobody seen");
        let by_file = ["file_post_open", "path_rename", "path_link", "path_unlink", "file_truncate"];
        assert_eq!(verdict(&rewritten(), &with(&by_file, "", 0)), "not covered", "truncate opens nothing");
    }

    #[test]
    fn without_a_look_at_descriptors_by_the_end_of_the_interval_nothing_is_covered() {
        let late = recorded(|recording| {
            let mut look = LedgerEntry { boot_ns: 31_000, kind: "snapshot".into(), ..LedgerEntry::default() };
            look.detail = Some("{\"descriptors_unseen\":0}".into());
            recording.coverage = coverage(&HOOKS, "", 1);
            recording.coverage.add(&look);
        });
        assert_eq!(verdict(&rewritten(), &late), "not covered");
    }

    #[test]
    fn where_something_is_missing_nobody_knows() {
        let loss = |from_ns, to_ns| Loss {
            cpu: None,
            count: None,
            cause: "ftrace_disabled".into(),
            from_ns,
            to_ns,
            from: Micros(from_ns / 1000),
            to: Micros(to_ns / 1000),
        };
        let lost = |from_ns, to_ns| recorded(|recording| recording.losses.push(loss(from_ns, to_ns)));
        assert_eq!(verdict(&rewritten(), &lost(25_000, 26_000)), "unknown: gap");
        assert_eq!(verdict(&rewritten(), &lost(5_000, 19_000)), "nobody seen", "the loss was before");
        let complete = recorded(|_| {});
        let damaged = Attribution::of(&rewritten(), &Suspects::default(), &complete, true);
        assert_eq!(damaged, Some(Attribution::Gap));
        let unsealed = |end_ns| recorded(|recording| (recording.is_unsealed, recording.end_ns) = (true, end_ns));
        assert_eq!(verdict(&rewritten(), &unsealed(30_000)), "unknown: gap");
        assert_eq!(verdict(&rewritten(), &unsealed(2_000_000_000)), "nobody seen", "all of the interval is sealed");
        let mut two = recordings(&["r1", "r2"]);
        (two.list[0].end, two.list[1].start, two.list[1].end) = (Micros(22), Micros(28), Micros(50));
        let change = change_to(FileVersion { recording_id: "r2".into(), ..version("bb", 30, 40) }, &two);
        assert_eq!(verdict(&change, &two), "unknown: gap", "nobody recorded between the two");
    }

    #[test]
    fn doubts_and_other_directories_are_not_covered() {
        let complete = recorded(|_| {});
        let doubtful = Change { doubts: vec!["old".into()], ..rewritten() };
        assert_eq!(verdict(&doubtful, &complete), "not covered");
        let moved = FileVersion { ino: 13, parent_ino: Some(60), ..version("bb", 30, 40) };
        assert_eq!(verdict(&change_to(moved, &complete), &complete), "not covered");
        let same_file = FileVersion { parent_ino: Some(60), ..version("bb", 30, 40) };
        assert_eq!(verdict(&change_to(same_file, &complete), &complete), "nobody seen");
    }

    #[test]
    fn a_first_sight_has_no_verdict() {
        let change = Change { kind: ChangeKind::FirstSeen, from: None, ..rewritten() };
        assert_eq!(verdict(&change, &recorded(|_| {})), "");
    }
}
