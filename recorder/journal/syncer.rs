//! Makes the journal durable, on a thread of its own: draining a ring never waits for a disk.

use crate::journal::segment::FinishedSegment;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use hashtrail::archive::sync_directory;
use std::fs::File;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

enum Job {
    /// A new segment is written from now on.
    Watch(PathBuf, File),
    /// Enough was written: do not wait for the interval.
    Sync,
    /// This segment is finished.
    Finish(FinishedSegment),
}

/// A segment that could not be synced. What the kernel holds of it may be gone at the next failure of power, and a
/// second sync of the same file would wrongly succeed.
#[derive(Debug)]
pub(crate) struct SyncFailure {
    /// The segment.
    pub(crate) path: PathBuf,
    /// The kernel's words.
    pub(crate) error: String,
}

/// The thread and the way to it.
pub(crate) struct Syncer {
    jobs: Option<Sender<Job>>,
    failures: Receiver<SyncFailure>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts the thread. A sync begins each half `interval`: the other half is for the sync itself and for the rings, so
    /// that a power cut costs no more than `interval`. Finished segments go on to `finished`.
    pub(crate) fn start(interval: Duration, finished: Sender<FinishedSegment>) -> Self {
        let (jobs, received) = unbounded();
        let (failed, failures) = unbounded();
        let thread = std::thread::spawn(move || run(&received, &failed, &finished, interval / 2));
        Self { jobs: Some(jobs), failures, thread: Some(thread) }
    }

    /// Syncs this segment from now on.
    pub(crate) fn watch(&self, path: PathBuf, file: File) {
        self.send(Job::Watch(path, file));
    }

    /// Syncs now, if it does not do so already.
    pub(crate) fn sync(&self) {
        if self.jobs.as_ref().is_some_and(Sender::is_empty) {
            self.send(Job::Sync);
        }
    }

    /// Syncs a finished segment and hands it on.
    pub(crate) fn finish(&self, segment: FinishedSegment) {
        self.send(Job::Finish(segment));
    }

    /// Failures since the last question.
    pub(crate) fn failures(&self) -> Vec<SyncFailure> {
        self.failures.try_iter().collect()
    }

    /// Ends the thread.
    pub(crate) fn stop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // The thread only ends when this sender is gone.
            let _ = jobs.send(job);
        }
    }
}

fn run(jobs: &Receiver<Job>, failed: &Sender<SyncFailure>, finished: &Sender<FinishedSegment>, period: Duration) {
    let mut current: Option<(PathBuf, File)> = None;
    loop {
        match jobs.recv_timeout(period) {
            Ok(Job::Watch(path, file)) => {
                // A segment whose name is not durable is not either.
                let named = sync_directory(path.parent().unwrap_or(&path));
                current = Some((path, file));
                if let Err(error) = named {
                    fail(&mut current, failed, format!("{error:#}"));
                }
            }
            Ok(Job::Sync) | Err(RecvTimeoutError::Timeout) => sync(&mut current, failed),
            Ok(Job::Finish(segment)) => {
                // Sealing makes it durable too, but only later: until then a power cut would cost its end.
                sync(&mut current, failed);
                current = None;
                // The sealing thread ends after this one.
                let _ = finished.send(segment);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn sync(current: &mut Option<(PathBuf, File)>, failed: &Sender<SyncFailure>) {
    // Pages that were dirtied through the map are written too (fsync(2)).
    if let Some(Err(error)) = current.as_ref().map(|(_, file)| file.sync_data()) {
        fail(current, failed, error.to_string());
    }
}

fn fail(current: &mut Option<(PathBuf, File)>, failed: &Sender<SyncFailure>, error: String) {
    if let Some((path, _)) = current.take() {
        // Nobody listens any more when the recording ends.
        let _ = failed.send(SyncFailure { path, error });
    }
}
