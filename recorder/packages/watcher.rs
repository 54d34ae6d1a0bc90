//! When snapshots are taken: one at the start, and one each time that the database has changed and rests again.

use super::database::{Databases, Found, Package, PackageStamp};
use super::entry::Stamp;
use super::places::Places;
use super::problems::Problems;
use super::reading::{Limits, Reader};
use super::snapshot::{Key, Taking};
use super::{BaselineOptions, Told};
use crate::host;
use crate::host::say::say;
use anyhow::{Result, ensure};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use hashtrail::clock::ClockAnchor;
use hashtrail::packages::{PackageFile, Snapshot};
use hashtrail::seal::{LooseFile, SegmentName};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two looks at the database.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How long it must rest before a snapshot: an upgrade of many packages changes it many times.
const REST: Duration = Duration::from_secs(5);
/// How often it is told that nothing changed.
const UNCHANGED_INTERVAL: Duration = Duration::from_secs(60);
/// How long a last snapshot reads: packages that were changed just before the stop.
const LAST_BUDGET: Duration = Duration::from_secs(3);
/// How long a last snapshot waits until the one before is sealed, which takes about a second.
const PLACE_LIMIT: Duration = Duration::from_secs(2);

/// Looks after the databases of one host.
pub(super) struct Watcher {
    root: PathBuf,
    pub(super) databases: Databases,
    options: BaselineOptions,
    not_covered: Vec<String>,
    files: Sender<LooseFile<PackageFile>>,
    tell: Sender<Told>,
    is_stopping: Arc<AtomicBool>,
    next_number: u32,
    /// The last snapshot that is whole: the database then, and when it began.
    last: Option<(Stamp, i64, u32)>,
    /// The packages as they were in it.
    known: HashMap<Key, Vec<PackageStamp>>,
    /// The database as it was at the last look, and since when.
    seen: (Stamp, Instant),
    told_unchanged: Instant,
    /// What went wrong at the last attempt, which is told once.
    failure: Option<String>,
}

impl Watcher {
    pub(super) fn new(
        root: PathBuf,
        databases: Databases,
        options: BaselineOptions,
        not_covered: Vec<String>,
        (files, tell, is_stopping): (Sender<LooseFile<PackageFile>>, Sender<Told>, Arc<AtomicBool>),
    ) -> Self {
        Self {
            root,
            databases,
            options,
            not_covered,
            files,
            tell,
            is_stopping,
            next_number: 0,
            last: None,
            known: HashMap::new(),
            seen: (Stamp::default(), Instant::now()),
            told_unchanged: Instant::now(),
            failure: None,
        }
    }

    /// Until `stop` is closed. `begin` is the database as it was before anything was recorded.
    pub(super) fn run(&mut self, begin: (Stamp, ClockAnchor), stop: &Receiver<()>) {
        if !begin.0.is_busy {
            self.take(begin, self.options.budget);
        }
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(LOOK_INTERVAL) {
            self.look();
        }
        let clock = host::clock_anchor();
        let now = self.databases.stamp();
        if self.is_as_last(&now) {
            self.tell_unchanged(&clock);
        } else {
            // What is to be read is what changed since: little, and asked for.
            self.is_stopping.store(false, Ordering::Relaxed);
            let limit = Instant::now() + PLACE_LIMIT;
            while !self.is_placed() && Instant::now() < limit {
                std::thread::sleep(PLACE_LIMIT / 20);
            }
            self.take((now, clock), LAST_BUDGET.min(self.options.budget));
        }
    }

    fn look(&mut self) {
        let clock = host::clock_anchor();
        let now = self.databases.stamp();
        if self.is_as_last(&now) {
            if self.told_unchanged.elapsed() >= UNCHANGED_INTERVAL {
                self.tell_unchanged(&clock);
            }
            return;
        }
        if now != self.seen.0 {
            self.seen = (now, Instant::now());
        } else if !now.is_busy && self.seen.1.elapsed() >= REST && self.is_placed() {
            self.take((now, clock), self.options.budget);
            // Where it could not be taken, not at once again.
            self.seen.1 = Instant::now();
        }
    }

    /// Whether the snapshot before is in its place: both are written under one name.
    fn is_placed(&self) -> bool {
        self.next_number == 0 || !LooseFile::<PackageFile>::staging(&self.options.archive).exists()
    }

    fn is_as_last(&self, now: &Stamp) -> bool {
        self.last.as_ref().is_some_and(|(last, ..)| last == now)
    }

    fn tell_unchanged(&mut self, now: &ClockAnchor) {
        self.told_unchanged = Instant::now();
        if let Some((_, from_ns, number)) = self.last {
            let detail = json!({ "snapshot": number });
            let (from_ns, to_ns) = (Some(from_ns), Some(now.boot_ns));
            let _ = self.tell.send(Told { cause: "unchanged", from_ns, to_ns, detail, ..Told::default() });
        }
    }

    /// Takes a snapshot that began with the database like this.
    fn take(&mut self, begin: (Stamp, ClockAnchor), budget: Duration) {
        let (from_ns, number) = (begin.1.boot_ns, self.next_number);
        match self.snapshot(begin, budget) {
            Ok(told) => {
                let _ = self.tell.send(told);
                (self.told_unchanged, self.failure) = (Instant::now(), None);
            }
            Err(error) => {
                let error = format!("{error:#}");
                if self.failure.as_ref() == Some(&error) {
                    return;
                }
                say!("warning: the package baseline could not be taken, and is tried again: {error}");
                let detail = json!({ "snapshot": number, "error": error });
                self.failure = Some(error);
                let to_ns = Some(host::clock_anchor().boot_ns);
                let _ =
                    self.tell.send(Told { cause: "failed", from_ns: Some(from_ns), to_ns, detail, ..Told::default() });
            }
        }
    }

    pub(super) fn snapshot(&mut self, (stamp, clock): (Stamp, ClockAnchor), budget: Duration) -> Result<Told> {
        ensure!(self.is_placed(), "the snapshot before it is not sealed yet");
        let mut problems = Problems::default();
        let Found { packages, unread } = self.databases.packages(&mut problems)?;
        let mut now: HashMap<Key, Vec<PackageStamp>> = HashMap::new();
        packages.iter().for_each(|package| now.entry(key(package)).or_default().push(package.stamp()));
        let is_full = self.last.is_none();
        let number = self.next_number;
        self.next_number += 1;
        let BaselineOptions { archive, recording_id, host, max_hash_bytes, .. } = &self.options;
        let name = SegmentName { recording_id: recording_id.clone(), host: host.clone(), segment: number };
        let time = clock.time(clock.boot_ns);
        let mut file = LooseFile::create(archive, name, time)?;
        let mut told = Snapshot {
            snapshot: number.cast_signed(),
            full: is_full,
            managers: self.databases.managers(),
            not_covered: self.not_covered.clone(),
            ..Snapshot::default()
        };
        let row = PackageFile {
            recording_id: recording_id.clone(),
            host: host.clone(),
            snapshot: number.cast_signed(),
            time,
            boot_ns: clock.boot_ns,
            ..PackageFile::default()
        };
        let deadline = (!budget.is_zero()).then(|| Instant::now() + budget);
        let limits = Limits { deadline, max_bytes: *max_hash_bytes, is_stopping: &self.is_stopping };
        let mut taking = Taking {
            root: &self.root,
            databases: &self.databases,
            limits,
            file: &mut file,
            row,
            told: &mut told,
            places: Places::below(&self.root),
            reader: Reader::default(),
            problems,
        };
        // Of several versions that are installed at once all have rows again where one changes.
        let is_new = |package: &&Package| is_full || self.known.get(&key(package)) != now.get(&key(package));
        let new: Vec<&Package> = packages.iter().filter(is_new).collect();
        taking.take(&new)?;
        // What is in a database that could not be read is not gone.
        let lacking = self.known.iter().filter(|(key, _)| !is_full && !now.contains_key(*key));
        let (hidden, gone): (Vec<_>, Vec<_>) = lacking.partition(|(key, _)| unread.contains(key.0));
        gone.into_iter().try_for_each(|(key, _)| taking.take_removed(key.clone()))?;
        now.extend(hidden.into_iter().map(|(key, stamps)| (key.clone(), stamps.clone())));
        let (read_bytes, problems) = (taking.reader.read_bytes, taking.problems);
        told.packages = new.len() as u64;
        told.read_bytes = read_bytes;
        (told.problems, told.problem_count) = (problems.told, problems.count);
        told.settled = !stamp.is_busy && self.databases.stamp() == stamp;
        (self.last, self.known) =
            if told.settled { (Some((stamp, clock.boot_ns, number)), now) } else { (None, HashMap::new()) };
        let count = told.statuses.values().sum::<u64>();
        let _ = self.files.send(file);
        Ok(Told {
            cause: "snapshot",
            from_ns: Some(clock.boot_ns),
            to_ns: Some(host::clock_anchor().boot_ns),
            count: i64::try_from(count).ok(),
            detail: serde_json::to_value(&told)?,
        })
    }
}

fn key(package: &Package) -> Key {
    let entry = package.entry();
    (package.manager(), entry.name.clone(), entry.architecture.clone())
}
