//! The package baseline: which files the host's package manager says it owns, and whether they are as it says. Taken by a
//! thread of its own, which nothing waits for.

mod database;
mod dpkg;
mod entry;
mod lines;
mod others;
mod places;
mod problems;
mod reading;
mod rpm;
mod snapshot;
mod watcher;

use crate::host;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use database::Databases;
use entry::Stamp;
use hashtrail::archive::Archive;
use hashtrail::clock::ClockAnchor;
use hashtrail::packages::PackageFile;
use hashtrail::seal::LooseFile;
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use watcher::Watcher;

/// The longest wait for the last snapshot at the stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What a baseline is taken of, and how.
#[derive(Debug, Clone)]
pub(crate) struct BaselineOptions {
    pub(crate) archive: Archive,
    pub(crate) recording_id: String,
    pub(crate) host: String,
    /// How long the files of one snapshot are read; zero reads none.
    pub(crate) budget: Duration,
    pub(crate) max_hash_bytes: u64,
}

/// The databases as they were before anything was recorded: who looks at them later sees whether they are still the same.
#[derive(Debug)]
pub(crate) struct Begin {
    databases: Databases,
    stamp: Stamp,
    clock: ClockAnchor,
}

/// What the ledger should say.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) cause: &'static str,
    pub(crate) from_ns: Option<i64>,
    pub(crate) to_ns: Option<i64>,
    pub(crate) count: Option<i64>,
    pub(crate) detail: Value,
}

/// The thread that takes it, and what comes back.
pub(crate) struct Baseline {
    told: Receiver<Told>,
    is_stopping: Arc<AtomicBool>,
    /// Closed when the recording ends.
    _running: Option<Sender<()>>,
}

impl Begin {
    /// Looks at the databases, and reads nothing.
    pub(crate) fn look() -> Self {
        let clock = host::clock_anchor();
        let databases = Databases::below(Path::new("/"));
        let stamp = databases.stamp();
        Self { databases, stamp, clock }
    }
}

impl Baseline {
    /// Starts the thread. Finished files go into `files`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(begin: Begin, options: BaselineOptions, files: Sender<LooseFile<PackageFile>>) -> Result<Self> {
        let (tell, told) = unbounded();
        let (running, stop) = bounded(0);
        let is_stopping = Arc::new(AtomicBool::new(false));
        let not_covered = others::databases(Path::new("/"));
        let baseline = Self { told, is_stopping: Arc::clone(&is_stopping), _running: Some(running) };
        let nothing = |cause, detail| Told { cause, detail, ..Told::default() };
        if !is_root_of_host() {
            let error = "the recorder's root directory is not that of process 1";
            let _ = tell.send(nothing("failed", json!({ "error": error, "not_covered": not_covered })));
            return Ok(baseline);
        }
        if begin.databases.is_empty() {
            let _ = tell.send(nothing("none", json!({ "not_covered": not_covered })));
            return Ok(baseline);
        }
        let root = PathBuf::from("/");
        let mut watcher = Watcher::new(root, begin.databases, options, not_covered, (files, tell, is_stopping));
        let work = move || {
            // Of this thread alone, and of what it reads too: the kernel takes the class of reads from it.
            let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
            watcher.run((begin.stamp, begin.clock), &stop);
        };
        thread::Builder::new().name("packages".into()).spawn(work).context("cannot start the package baseline")?;
        Ok(baseline)
    }

    /// None is taken.
    pub(crate) fn off() -> Self {
        let (tell, told) = unbounded();
        let _ = tell.send(Told { cause: "off", detail: json!({}), ..Told::default() });
        Self { told, is_stopping: Arc::default(), _running: None }
    }

    /// What there is to tell since the last question.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.try_iter().collect()
    }

    /// Takes a last look, in which little is read, and ends. A thread that does not end in time is left: a filesystem may
    /// never answer.
    pub(crate) fn finish(mut self) -> Vec<Told> {
        self.is_stopping.store(true, Ordering::Relaxed);
        drop(self._running.take());
        let (limit, mut told) = (Instant::now() + STOP_LIMIT, Vec::new());
        loop {
            match self.told.recv_deadline(limit) {
                Ok(one) => told.push(one),
                Err(RecvTimeoutError::Disconnected) => return told,
                Err(RecvTimeoutError::Timeout) => {
                    let error = format!("the last look did not end within {} s", STOP_LIMIT.as_secs());
                    told.push(Told { cause: "unfinished", detail: json!({ "error": error }), ..Told::default() });
                    return told;
                }
            }
        }
    }
}

#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;

/// Whether this process sees the paths of the host.
fn is_root_of_host() -> bool {
    let (dev, ino) = host::host_root();
    std::fs::metadata("/").is_ok_and(|root| {
        let own = format!("{}:{}", rustix::fs::major(root.dev()), rustix::fs::minor(root.dev()));
        (own, root.ino().cast_signed()) == (dev, ino)
    })
}
