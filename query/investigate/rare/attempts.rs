//! Execs that did not succeed: their files were looked at and never ran.

use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::event_set::EventSet;
use crate::recordings::{Recording, Recordings};
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::{Need, Predicate, Prune};
use hashtrail::versions::FileVersion;
use std::collections::{BTreeSet, HashSet};

/// What tells attempts from runs.
#[derive(Default)]
pub(super) struct Attempts {
    /// Algorithm and digest of what was to be run.
    digests: BTreeSet<(String, String)>,
    /// Recordings that had each exec that succeeded, all of the time.
    telling: HashSet<String>,
    /// Recordings that did not.
    silent: HashSet<String>,
    /// Execs that succeeded, each by recording and `exec_id`.
    succeeded: EventSet,
}

impl Attempts {
    /// Looks for them in the index.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn find(archives: &Archives<'_>, paths: &PathPatterns, recordings: &Recordings) -> Result<Self> {
        let has_all =
            |recording: &&Recording| recording.coverage.covers(&[hooks::BPRM_COMMITTED_CREDS], "", i64::MIN, i64::MAX);
        let is_partial = |recording: &&Recording| {
            recording.coverage.hooks().contains(hooks::BPRM_COMMITTED_CREDS) && !has_all(recording)
        };
        let silent = recordings.list.iter().filter(is_partial).map(|recording| recording.id.clone()).collect();
        let whole: HashSet<&str> = recordings.list.iter().filter(has_all).map(|recording| &*recording.id).collect();
        let mut found = Self { silent, ..Self::default() };
        let prune = Prune { paths: paths.rules(), ..Prune::default() };
        let predicates = [Predicate::new(vec!["attempts"], may_tell)].into_iter().chain(paths.predicates()).collect();
        let columns = vec!["recording_id", "digest_algorithm", "digest", "attempts"];
        archives.each_row(&Scan { prune, columns, predicates, ..Scan::default() }, |row: FileVersion| {
            // Of execs at the end of a segment a row does not say what they came to; the events of a whole recording do.
            if row.attempts.is_none() && !whole.contains(&*row.recording_id) {
                found.silent.insert(row.recording_id);
            } else {
                found.digests.insert((row.digest_algorithm, row.digest));
                found.telling.insert(row.recording_id);
            }
        })?;
        let Self { telling, silent, .. } = &mut found;
        telling.retain(|id| !silent.contains(id));
        if !found.telling.is_empty() {
            let columns = vec!["recording_id", "hook", "exec_id"];
            let scan = Scan {
                columns,
                predicates: vec![of_hooks(|hook| hook == hooks::BPRM_COMMITTED_CREDS)],
                ..Scan::default()
            };
            archives.each_row(&scan, |event: Event| {
                if let Some(exec_id) = event.exec_id {
                    found.succeeded.insert(&event.recording_id, 0, exec_id);
                }
            })?;
        }
        Ok(found)
    }

    /// Algorithm and digest of what was to be run.
    pub(super) fn digests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.digests.iter().map(|(algorithm, digest)| (algorithm.as_str(), digest.as_str()))
    }

    /// Whether an event is of an exec that did not succeed.
    pub(super) fn has(&self, event: &Event) -> bool {
        let has_failed = |exec_id| !self.succeeded.has(&event.recording_id, 0, exec_id);
        event.is_exec_hook() && self.telling.contains(&event.recording_id) && event.exec_id.is_some_and(has_failed)
    }

    /// Recordings of execs that do not have which of them succeeded, in words.
    pub(super) fn without_commits(&self, recordings: &Recordings, scope: &Scope) -> Vec<String> {
        let has_execs =
            |recording: &Recording| recording.coverage.hooks().into_iter().any(|hook| hooks::is_exec(&hook));
        let lacks = |recording: &&Recording| {
            recording.is_asked(scope) && self.silent.contains(&recording.id) && has_execs(recording)
        };
        recordings.list.iter().filter(lacks).map(Recording::in_words).collect()
    }
}

/// Rows with attempts, and those of recordings that did not have which execs succeeded.
fn may_tell(batch: &RecordBatch) -> Result<BooleanArray> {
    let attempts = batch.column_by_name("attempts").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let attempts = attempts.context("`attempts` is no number")?;
    Ok((0..batch.num_rows()).map(|row| Some(attempts.is_null(row) || attempts.value(row) > 0)).collect())
}

/// Rows of the hooks that are wanted.
pub(super) fn of_hooks(is_wanted: fn(&str) -> bool) -> Predicate {
    let keep = move |batch: &RecordBatch| {
        let hooks = text(batch, "hook")?;
        Ok(hooks.iter().map(|hook| Some(hook.is_some_and(is_wanted))).collect())
    };
    Predicate::new(vec!["hook"], keep).needing([Need::text("hook", is_wanted)])
}

/// The texts of a column.
pub(super) fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.with_context(|| format!("`{name}` is no text"))
}
