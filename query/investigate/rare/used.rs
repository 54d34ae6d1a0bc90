//! How files were used: which observations ran or loaded what they saw, as their events say.

use crate::archives::filter::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::event_set::EventSet;
use crate::sorter::Sorter;
use crate::versions::prevalence::{Seen, Sight};
use crate::versions::sighting::Execs;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use hashtrail::event::Event;
use hashtrail::reader::{Need, Predicate, Prune};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Hooks that run or load what they see, beside those of an exec.
const LOADING: [&str; 4] = ["mmap_file", "file_mprotect", "kernel_read_file", "running_process"];
/// The hook of what user space hashed, for an event of any other hook.
const USER_DIGEST: &str = "user_digest";
/// Digests that are kept apart; when there are more, events are read of all.
const DIGESTS_MAX: usize = 1 << 20;
/// What is read of an event.
const COLUMNS: [&str; 12] = [
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
];

/// The digests that were seen where nothing runs, and the events that user space hashed.
pub(super) struct Used {
    /// Events that ran or loaded something, and that user space took a digest for.
    loads: EventSet,
    digests: Arc<Digests>,
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
        sorter: &mut Sorter<Seen>,
    ) -> Result<Self> {
        let loads = hashed_loads(archives)?;
        let (low, high) = scope.span();
        let mut digests = Digests::default();
        let scan = scan(paths, of_hooks(|hook| !is_loading(hook)));
        archives.each_row_until(&scan, |event: Event| {
            if is_load(&event, &loads) {
                return Ok(ControlFlow::Continue(()));
            }
            if let Some((algorithm, digest)) = event.digest_algorithm.as_deref().zip(event.digest.as_deref()) {
                digests.insert(algorithm, digest);
            }
            if (low..=high).contains(&event.time.0) {
                seen(event, Sight::Other).map_or(Ok(()), |seen| sorter.push(seen))?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Self { loads, digests: Arc::new(digests) })
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
        let mut scan = scan(paths, of_hooks(|hook| is_loading(hook) || hook == USER_DIGEST));
        let digests = Arc::clone(&self.digests);
        let is_wanted = move |batch: &RecordBatch| of_digests(batch, &digests);
        scan.predicates.push(Predicate::new(vec!["digest_algorithm", "digest"], is_wanted));
        archives.each_row_until(&scan, |event: Event| {
            if (low..=high).contains(&event.time.0) && is_load(&event, &self.loads) {
                seen(event, Sight::Loaded(Some(1))).map_or(Ok(()), |seen| sorter.push(seen))?;
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Whether such an event runs or loads its file.
fn is_loading(hook: &str) -> bool {
    hook.starts_with("bprm_") || LOADING.contains(&hook)
}

/// Whether an event shows the digest of what ran or was loaded. Of what user space hashed, the event that it is for says that;
/// where this one is not here, nobody knows that anything ran.
fn is_load(event: &Event, loads: &EventSet) -> bool {
    match event.answers() {
        Some((cpu, seq)) => loads.has(&event.recording_id, cpu, seq),
        None => is_loading(&event.hook),
    }
}

/// What an event with a certain digest shows; a doubtful one is told by its row of versions.
fn seen(event: Event, sight: Sight) -> Option<Seen> {
    let Event { digest_algorithm, digest, host, path, time, recording_id, cpu, seq, digest_doubt, .. } = event;
    let (algorithm, digest) = digest_algorithm.zip(digest).filter(|_| digest_doubt.is_empty())?;
    let (times, source) = (Some((time, time)), (recording_id, cpu, seq));
    Some(Seen { algorithm, digest, host, path, sight, times, execs: Execs::NotRecorded, source })
}

/// The events that ran or loaded something and that user space hashed.
fn hashed_loads(archives: &Archives<'_>) -> Result<EventSet> {
    let mut hashed = EventSet::default();
    let of_user = Scan {
        columns: vec!["recording_id", "hook", "digest", "ref_cpu", "ref_seq"],
        predicates: vec![of_hooks(|hook| hook == USER_DIGEST)],
        ..Scan::default()
    };
    archives.each_row(&of_user, |event: Event| {
        if let Some((cpu, seq)) = event.answers() {
            hashed.insert(&event.recording_id, cpu, seq);
        }
    })?;
    let mut loads = EventSet::default();
    if hashed.is_empty() {
        return Ok(loads);
    }
    let columns = vec!["recording_id", "cpu", "seq"];
    let loading = Scan { columns, predicates: vec![of_hooks(is_loading)], ..Scan::default() };
    archives.each_row(&loading, |event: Event| {
        if hashed.has(&event.recording_id, event.cpu, event.seq) {
            loads.insert(&event.recording_id, event.cpu, event.seq);
        }
    })?;
    Ok(loads)
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

fn of_hooks(is_wanted: fn(&str) -> bool) -> Predicate {
    let keep = move |batch: &RecordBatch| {
        let hooks = batch.column_by_name("hook").and_then(|column| column.as_string_opt::<i32>());
        let hooks = hooks.context("`hook` is no text")?;
        Ok(hooks.iter().map(|hook| Some(hook.is_some_and(is_wanted))).collect())
    };
    Predicate::new(vec!["hook"], keep).needing([Need::text("hook", is_wanted)])
}

fn of_digests(batch: &RecordBatch, digests: &Digests) -> Result<BooleanArray> {
    let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let columns = text("digest_algorithm").zip(text("digest")).context("the columns of the digest are missing")?;
    let is_kept = |(algorithm, digest): (Option<&str>, Option<&str>)| {
        algorithm.zip(digest).is_some_and(|(algorithm, digest)| digests.has(algorithm, digest))
    };
    Ok(columns.0.iter().zip(columns.1).map(|row| Some(is_kept(row))).collect())
}
