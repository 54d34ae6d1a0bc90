//! How files were used: which observations ran or loaded what they saw, as their events say.

use super::attempts::{Attempts, of_hooks, text};
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::event_set::EventSet;
use crate::sorter::Sorter;
use crate::versions::prevalence::{Seen, Sight};
use crate::versions::sighting::Execs;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use hashtrail::event::{DENY, Event};
use hashtrail::hooks;
use hashtrail::reader::{Need, Predicate, Prune};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Hooks that run or load what they see, beside those of an exec.
const LOADING: [&str; 4] = [hooks::MMAP_FILE, hooks::FILE_MPROTECT, hooks::KERNEL_READ_FILE, hooks::RUNNING_PROCESS];
/// Digests that are kept apart; when there are more, events are read of all.
const DIGESTS_MAX: usize = 1 << 20;
/// What is read of an event.
const COLUMNS: [&str; 15] = [
    "recording_id",
    "host",
    "cpu",
    "seq",
    "time",
    "hook",
    "path",
    "digest_algorithm",
    "digest",
    "digest_doubt",
    "ref_cpu",
    "ref_seq",
    "exec_id",
    "action",
    "enforced",
];

/// The digests that were seen where nothing runs, and the events that user space hashed.
pub(super) struct Used {
    hashed: Hashed,
    pub(super) attempts: Attempts,
    digests: Arc<Digests>,
}

/// Events that user space took a digest for.
#[derive(Default)]
struct Hashed {
    /// Those that ran or loaded something.
    loads: EventSet,
    /// Those that tried in vain.
    tried: EventSet,
}

/// Digests as hashes by a key that nobody knows. Two with one hash are only read of more than one place.
#[derive(Default)]
struct Digests {
    hashes: RandomState,
    known: HashSet<u64>,
}

impl Digests {
    fn insert(&mut self, algorithm: &str, digest: &str) {
        if self.known.len() < DIGESTS_MAX {
            self.known.insert(self.hashes.hash_one((algorithm, digest)));
        }
    }

    fn has(&self, algorithm: &str, digest: &str) -> bool {
        self.known.len() >= DIGESTS_MAX || self.known.contains(&self.hashes.hash_one((algorithm, digest)))
    }
}

impl Used {
    /// Looks for observations by which nothing runs, at any time: a row of versions does not say which of its observations they are.
    /// Those of the asked time are sights.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn find(
        archives: &Archives<'_>,
        scope: &Scope,
        paths: &PathPatterns,
        attempts: Attempts,
        sorter: &mut Sorter<Seen>,
    ) -> Result<Self> {
        let mut digests = Digests::default();
        attempts.digests().for_each(|(algorithm, digest)| digests.insert(algorithm, digest));
        let hashed = Hashed::read(archives, &attempts)?;
        let used = Self { hashed, attempts, digests: Arc::default() };
        let (low, high) = scope.span();
        for rows in [of_hooks(|hook| !is_loading(hook)), denied_loads()] {
            archives.each_row_until(&scan(paths, rows), |event: Event| {
                let sight = used.sight_of(&event);
                if matches!(sight, Sight::Loaded(_)) {
                    return Ok(ControlFlow::Continue(()));
                }
                if let Some((algorithm, digest)) = event.digest_algorithm.as_deref().zip(event.digest.as_deref()) {
                    digests.insert(algorithm, digest);
                }
                if (low..=high).contains(&event.time.0) {
                    seen(event, sight).map_or(Ok(()), |seen| sorter.push(seen))?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(Self { digests: Arc::new(digests), ..used })
    }

    /// What an event shows of its content. Of what user space hashed, the event that it is for says that; where this one is not
    /// here, nobody knows that anything ran.
    fn sight_of(&self, event: &Event) -> Sight {
        let (is_loaded, is_tried) = match event.answers() {
            Some((cpu, seq)) => {
                let is_in = |events: &EventSet| events.has(&event.recording_id, cpu, seq);
                (is_in(&self.hashed.loads), is_in(&self.hashed.tried))
            }
            None => (is_loading(&event.hook), event.is_denied() || self.attempts.has(event)),
        };
        match (is_loaded, is_tried) {
            (_, true) => Sight::Tried,
            (true, _) => Sight::Loaded(Some(1)),
            _ => Sight::Other,
        }
    }

    /// Whether a digest was seen where nothing runs, so that its rows of versions do not tell what ran.
    pub(super) fn has(&self, algorithm: &str, digest: &str) -> bool {
        self.digests.has(algorithm, digest)
    }

    /// Reads the events that ran or loaded what has such a digest.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn read_loads(
        &self,
        archives: &Archives<'_>,
        scope: &Scope,
        paths: &PathPatterns,
        sorter: &mut Sorter<Seen>,
    ) -> Result<()> {
        if self.digests.known.is_empty() {
            return Ok(());
        }
        let (low, high) = scope.span();
        let mut scan = scan(paths, of_hooks(|hook| is_loading(hook) || hook == hooks::USER_DIGEST));
        let digests = Arc::clone(&self.digests);
        let is_wanted = move |batch: &RecordBatch| of_digests(batch, &digests);
        scan.predicates.push(Predicate::new(vec!["digest_algorithm", "digest"], is_wanted));
        archives.each_row_until(&scan, |event: Event| {
            let sight = self.sight_of(&event);
            // All others were seen before.
            let is_new = matches!(sight, Sight::Loaded(_)) || self.attempts.has(&event) && !event.is_denied();
            if is_new && (low..=high).contains(&event.time.0) {
                seen(event, sight).map_or(Ok(()), |seen| sorter.push(seen))?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Whether such an event runs or loads its file.
fn is_loading(hook: &str) -> bool {
    hooks::is_exec(hook) || LOADING.contains(&hook)
}

/// What an event with a certain digest shows; a doubtful one is told by its row of versions.
fn seen(event: Event, sight: Sight) -> Option<Seen> {
    let Event { digest_algorithm, digest, host, path, time, recording_id, cpu, seq, digest_doubt, .. } = event;
    let (algorithm, digest) = digest_algorithm.zip(digest).filter(|_| digest_doubt.is_empty())?;
    let (times, source) = (Some((time, time)), (recording_id, cpu, seq));
    Some(Seen { algorithm, digest, host, path, sight, times, execs: Execs::NotTold, source })
}

impl Hashed {
    fn read(archives: &Archives<'_>, attempts: &Attempts) -> Result<Self> {
        let mut hashed = EventSet::default();
        let of_user = Scan {
            columns: vec!["recording_id", "hook", "digest", "ref_cpu", "ref_seq"],
            predicates: vec![of_hooks(|hook| hook == hooks::USER_DIGEST)],
            ..Scan::default()
        };
        archives.each_row(&of_user, |event: Event| {
            if let Some((cpu, seq)) = event.answers() {
                hashed.insert(&event.recording_id, cpu, seq);
            }
        })?;
        let mut found = Self::default();
        if hashed.is_empty() {
            return Ok(found);
        }
        for rows in [of_hooks(is_loading), denied_others()] {
            let columns = vec!["recording_id", "cpu", "seq", "hook", "exec_id", "action", "enforced"];
            archives.each_row(&Scan { columns, predicates: vec![rows], ..Scan::default() }, |event: Event| {
                let Event { recording_id, cpu, seq, .. } = &event;
                if hashed.has(recording_id, *cpu, *seq) {
                    let is_tried = event.is_denied() || attempts.has(&event);
                    let events = if is_tried { &mut found.tried } else { &mut found.loads };
                    events.insert(recording_id, *cpu, *seq);
                }
            })?;
        }
        Ok(found)
    }
}

/// Rows with a digest, of the paths that were asked for.
fn scan(paths: &PathPatterns, of_hooks: Predicate) -> Scan {
    let has_digest = Predicate::new(vec!["digest"], |batch| {
        let digests = batch.column_by_name("digest").context("`digest` is missing")?;
        Ok((0..batch.num_rows()).map(|row| Some(digests.is_valid(row))).collect())
    });
    let prune = Prune { paths: paths.rules(), ..Prune::default() };
    let predicates = [of_hooks, has_digest].into_iter().chain(paths.predicates()).collect();
    Scan { prune, columns: COLUMNS.to_vec(), predicates, ..Scan::default() }
}

/// Rows of hooks that would have run or loaded a file and were denied.
fn denied_loads() -> Predicate {
    denied(is_loading)
}

fn denied_others() -> Predicate {
    denied(|hook| !is_loading(hook))
}

fn denied(is_wanted: fn(&str) -> bool) -> Predicate {
    let keep = move |batch: &RecordBatch| {
        let (hooks, actions) = (text(batch, "hook")?, text(batch, "action")?);
        let enforced = batch.column_by_name("enforced").and_then(|column| column.as_boolean_opt());
        let enforced = enforced.context("`enforced` is no boolean")?;
        let is_denied = |row| actions.value(row) == DENY && enforced.value(row) && is_wanted(hooks.value(row));
        Ok((0..batch.num_rows()).map(|row| Some(is_denied(row))).collect())
    };
    let needed = [Need::text("action", |action| action == DENY), Need::text("hook", is_wanted)];
    Predicate::new(vec!["hook", "action", "enforced"], keep).needing(needed)
}

fn of_digests(batch: &RecordBatch, digests: &Digests) -> Result<BooleanArray> {
    let columns = (text(batch, "digest_algorithm")?, text(batch, "digest")?);
    let is_kept = |(algorithm, digest): (Option<&str>, Option<&str>)| {
        algorithm.zip(digest).is_some_and(|(algorithm, digest)| digests.has(algorithm, digest))
    };
    Ok(columns.0.iter().zip(columns.1).map(|row| Some(is_kept(row))).collect())
}
