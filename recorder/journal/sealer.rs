//! Finished journal segments become sealed files, on a thread of its own. What cannot be sealed stays in the journal and
//! is tried again.

use crate::host::say::say;
use crate::journal::measurements::Measurements;
use crate::journal::reserve::Reserve;
use crate::journal::segment::{DAMAGED_SUFFIX, FinishedSegment};
use crate::journal::segment_rows::{EarlierExecs, Sealed, SegmentRows};
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use hashtrail::archive::{Archive, remove_if_there};
use hashtrail::manifest::Manifest;
use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two attempts to seal what could not be sealed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The sealing thread and the way to it.
pub(crate) struct Sealer {
    segments: Sender<FinishedSegment>,
    faults: Receiver<String>,
    waiting: Arc<AtomicU64>,
    bound: u64,
    thread: JoinHandle<Outcome>,
}

/// What is left when the thread has ended.
pub(crate) struct Outcome {
    /// The manifest.
    pub(crate) manifest: Manifest,
    /// Segments that could not be sealed, and why.
    pub(crate) unsealed: Vec<(PathBuf, String)>,
}

impl Sealer {
    /// Starts the thread. At most `bound` segments may exist at once, the one being written and the next included.
    pub(crate) fn start(
        archive: Archive,
        manifest: Manifest,
        reserve: Reserve,
        measurements: Option<Measurements>,
        bound: u64,
    ) -> Self {
        let (segments, received) = unbounded();
        let (faulty, faults) = unbounded();
        let waiting = Arc::new(AtomicU64::new(0));
        let mut worker = Worker {
            archive,
            manifest,
            reserve,
            measurements,
            earlier: EarlierExecs::default(),
            faults: faulty,
            waiting: Arc::clone(&waiting),
            queue: VecDeque::new(),
        };
        let thread = std::thread::spawn(move || {
            worker.run(&received);
            worker.end()
        });
        Self { segments, faults, waiting, bound, thread }
    }

    /// Whether a next segment, beside the one that is written, keeps the journal within its bound.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Acquire) + 2 <= self.bound
    }

    /// Counts a finished segment that is on its way.
    pub(crate) fn expect(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// The way in for finished segments.
    pub(crate) fn inlet(&self) -> Sender<FinishedSegment> {
        self.segments.clone()
    }

    /// What failed since the last question.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.try_iter().collect()
    }

    /// Waits until everything was tried; all inlets must be gone.
    ///
    /// # Errors
    /// When the thread has panicked.
    pub(crate) fn finish(self) -> Result<Outcome> {
        drop(self.segments);
        self.thread.join().map_err(|_| anyhow!("the sealing thread has panicked; the journal is kept"))
    }
}

/// The thread's own state.
struct Worker {
    archive: Archive,
    manifest: Manifest,
    reserve: Reserve,
    measurements: Option<Measurements>,
    earlier: EarlierExecs,
    faults: Sender<String>,
    waiting: Arc<AtomicU64>,
    queue: VecDeque<(FinishedSegment, Option<String>)>,
}

impl Worker {
    fn run(&mut self, segments: &Receiver<FinishedSegment>) {
        self.measure();
        loop {
            match segments.recv_timeout(RETRY_INTERVAL) {
                Ok(segment) => self.queue.push_back((segment, None)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.queue.is_empty() {
                self.seal_all();
                self.measure();
            }
        }
    }

    fn end(mut self) -> Outcome {
        self.seal_all();
        self.measure();
        let unsealed = self
            .queue
            .into_iter()
            .map(|(segment, error)| (segment.path().to_owned(), error.unwrap_or_default()))
            .collect();
        Outcome { manifest: self.manifest, unsealed }
    }

    /// Tries every segment that waits; those that fail wait on.
    fn seal_all(&mut self) {
        for (segment, before) in std::mem::take(&mut self.queue) {
            let sealed = self.seal(&segment).or_else(|_| {
                // Sealing needs some space before it gives back more.
                self.reserve.release()?;
                self.seal(&segment)
            });
            match sealed {
                Ok(()) => {
                    self.waiting.fetch_sub(1, Ordering::AcqRel);
                    // Where there is no space yet, the next seal tries again.
                    let _ = self.reserve.take();
                }
                Err(error) => {
                    let error =
                        format!("cannot seal `{}`, it is kept and tried again: {error:#}", segment.path().display());
                    if before.as_ref() != Some(&error) {
                        self.report(&error);
                    }
                    self.queue.push_back((segment, Some(error)));
                }
            }
        }
    }

    fn seal(&mut self, segment: &FinishedSegment) -> Result<()> {
        seal_segment(&self.archive, &mut self.manifest, segment, &mut self.earlier).map(drop)
    }

    /// Stores what the kernel's measurement list has grown by; also the last step after each seal.
    fn measure(&mut self) {
        if let Some(measurements) = &mut self.measurements
            && let Err(error) = measurements.store(&self.archive, &mut self.manifest)
        {
            self.report(&format!("cannot store the kernel's measurement list: {error:#}"));
        }
        if let Some(fault) = self.manifest.take_fault() {
            self.report(&fault);
        }
    }

    fn report(&self, error: &str) {
        say!("warning: {error}");
        // Nobody listens any more when the recording ends.
        let _ = self.faults.send(error.to_owned());
    }
}

/// Seals one segment and retires it; gives what is to be known of it, `None` where nothing was in it.
///
/// # Errors
/// When a file cannot be written; the segment is then as it was. A segment whose headers are damaged is renamed.
pub(crate) fn seal_segment(
    archive: &Archive,
    manifest: &mut Manifest,
    segment: &FinishedSegment,
    earlier: &mut EarlierExecs,
) -> Result<Option<Sealed>> {
    let (path, bytes) = (segment.path(), segment.read()?);
    if bytes.iter().all(|byte| *byte == 0) {
        // A power cut came before its first sync.
        remove_if_there(path)?;
        return Ok(None);
    }
    let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let segment = SegmentRows::read(&bytes, &file_name).or_else(|error| {
        let kept = path.with_extension(DAMAGED_SUFFIX);
        fs::rename(path, &kept)?;
        Err(error.context(format!("`{}` cannot be sealed and is kept as `{}`", path.display(), kept.display())))
    })?;
    for damage in &segment.damages {
        say!("warning: `{}`: {damage}; everything else of it is sealed", path.display());
    }
    let sealed = segment.seal(archive, manifest, earlier)?;
    remove_if_there(path).context("cannot retire the journal segment")?;
    Ok(Some(sealed))
}

#[cfg(test)]
mod tests;
