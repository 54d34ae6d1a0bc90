//! What recordings had of processes at all: where forks, execs or a look at what ran already are missing, so is what they tell.

use crate::archives::{Archives, Scope};
use crate::output::{Row, object};
use crate::recordings::{Recording, Recordings};
use hashtrail::hooks;
use serde_json::json;
use std::collections::HashSet;

/// Hooks of which one sees every exec.
const EXEC_HOOKS: [&str; 2] = [hooks::BPRM_CHECK_SECURITY, hooks::BPRM_COMMITTED_CREDS];

/// What is missing, in words: which recordings lack it.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    /// Rows of forks.
    without_forks: Vec<String>,
    /// A look that missed no process, with the exact start of each.
    without_look: Vec<String>,
    /// Rows of all execs.
    without_execs: Vec<String>,
    /// By rank, whether the recording had each exec that succeeded.
    commits: Vec<bool>,
}

impl Covered {
    /// Of the recordings in the time that is asked about.
    pub(crate) fn of(archives: &Archives<'_>, recordings: &Recordings, scope: &Scope) -> Self {
        let starts = archives.list.iter().flat_map(|archive| archive.starts());
        let with_forks: HashSet<String> = starts
            .filter(|line| line.field("programs").is_some_and(|programs| programs.get(hooks::PROCESS_FORK).is_some()))
            .filter_map(|line| line.text("recording_id"))
            .collect();
        let has_execs =
            |recording: &Recording, hooks: &[&str]| recording.coverage.covers(hooks, "", i64::MIN, i64::MAX);
        let lacking = |has: &dyn Fn(&Recording) -> bool| {
            let lacking = recordings.list.iter().filter(|recording| recording.is_asked(scope) && !has(recording));
            lacking.map(Recording::in_words).collect()
        };
        Self {
            without_forks: lacking(&|recording| with_forks.contains(&recording.id)),
            without_look: lacking(&|recording| recording.coverage.has_seen_processes()),
            without_execs: lacking(&|recording| has_execs(recording, &EXEC_HOOKS)),
            commits: recordings
                .list
                .iter()
                .map(|recording| has_execs(recording, &[hooks::BPRM_COMMITTED_CREDS]))
                .collect(),
        }
    }

    /// Whether nothing is missing.
    pub(crate) fn is_whole(&self) -> bool {
        self.without_forks.is_empty() && self.without_look.is_empty() && self.without_execs.is_empty()
    }

    /// For the end of an answer.
    pub(crate) fn fields(&self) -> Row {
        object(json!({
            "without_forks": self.without_forks, "without_look": self.without_look, "without_execs": self.without_execs,
        }))
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        let lacking = [
            (&self.without_forks, "no rows of forks"),
            (&self.without_look, "no whole look at what ran when they began"),
            (&self.without_execs, "not every exec"),
        ];
        let lacking = lacking.into_iter().filter(|(recordings, _)| !recordings.is_empty());
        lacking
            .map(|(recordings, what)| format!("not complete: these recordings have {what}: {}", recordings.join(", ")))
    }

    /// Whether an exec without a row that it succeeded did not.
    pub(crate) fn has_commits(&self, rank: usize) -> bool {
        self.commits.get(rank).copied().unwrap_or_default()
    }
}
