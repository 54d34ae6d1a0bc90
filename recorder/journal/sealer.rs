//! Finished journal segments become sealed files, on a thread of its own. What cannot be sealed stays in the journal and
//! is tried again.

use crate::host::say::say;
use crate::journal::Fault;
use crate::journal::measurements::Measurements;
use crate::journal::reserve::Reserve;
use crate::journal::segment::{DAMAGED_SUFFIX, FinishedSegment};
use crate::journal::segment_rows::{EarlierExecs, Sealed, SegmentRows};
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use hashtrail::archive::{Archive, remove_if_there};
use hashtrail::manifest::Manifest;
use hashtrail::packages::PackageFile;
use hashtrail::seal::LooseFile;
use serde_json::json;
use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two attempts to seal what could not be sealed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The sealing thread and the way to it.
pub(crate) struct Sealer {
    segments: Sender<FinishedSegment>,
    packages: Sender<LooseFile<PackageFile>>,
    faults: Receiver<Fault>,
    waiting: Arc<AtomicU64>,
    bound: u64,
    thread: JoinHandle<Outcome>,
}

/// What is left when the thread has ended.
pub(crate) struct Outcome {
    /// The manifest.
    pub(crate) manifest: Manifest,
    /// Segments that could not be sealed, or have lost their headers, and why.
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
        let (packages, taken) = unbounded();
        let waiting = Arc::new(AtomicU64::new(0));
        let mut worker = Worker {
            archive,
            manifest,
            reserve,
            measurements,
            earlier: EarlierExecs::default(),
            faults: faulty,
            packages: taken,
            waiting: Arc::clone(&waiting),
            queue: VecDeque::new(),
            lost: Vec::new(),
            is_full_told: false,
        };
        let thread = std::thread::spawn(move || {
            worker.run(&received);
            worker.end()
        });
        Self { segments, packages, faults, waiting, bound, thread }
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

    /// The way in for snapshots of packages.
    pub(crate) fn packages(&self) -> Sender<LooseFile<PackageFile>> {
        self.packages.clone()
    }

    /// What failed since the last question.
    pub(crate) fn faults(&self) -> Vec<Fault> {
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
    faults: Sender<Fault>,
    packages: Receiver<LooseFile<PackageFile>>,
    waiting: Arc<AtomicU64>,
    queue: VecDeque<(FinishedSegment, Option<String>)>,
    /// Segments that nothing can seal, and why.
    lost: Vec<(PathBuf, String)>,
    is_full_told: bool,
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
            self.place_packages();
            if !self.queue.is_empty() {
                self.seal_all();
                self.measure();
            }
        }
    }

    fn end(mut self) -> Outcome {
        self.place_packages();
        self.seal_all();
        self.measure();
        let waiting =
            self.queue.into_iter().map(|(segment, error)| (segment.path().to_owned(), error.unwrap_or_default()));
        Outcome { manifest: self.manifest, unsealed: self.lost.into_iter().chain(waiting).collect() }
    }

    /// Tries every segment that waits; those that fail wait on.
    fn seal_all(&mut self) {
        let mut bytes = Vec::new();
        for (segment, before) in std::mem::take(&mut self.queue) {
            let sealed = self.seal(&segment, &mut bytes).or_else(|_| {
                // Sealing needs some space before it gives back more.
                self.reserve.release()?;
                self.seal(&segment, &mut bytes)
            });
            match sealed {
                Ok(retired) => {
                    match retired {
                        Retired::Sealed(_) => {}
                        Retired::Lost(error) => self.lose(&segment, &error),
                        // This recording began it with a header.
                        Retired::Empty => {
                            let path = segment.path().display();
                            self.lose(&segment, &anyhow!("`{path}` was written over with zeros or cut to nothing"));
                        }
                    }
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

    fn seal(&mut self, segment: &FinishedSegment, bytes: &mut Vec<u8>) -> Result<Retired> {
        seal_segment(&self.archive, &mut self.manifest, segment, bytes, &mut self.earlier)
    }

    fn lose(&mut self, segment: &FinishedSegment, error: &anyhow::Error) {
        let (path, error) = (segment.path().to_owned(), format!("{error:#}"));
        say!("warning: {error}");
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let _ = self.faults.send(("corrupt", "header_damaged", json!({ "segment": name, "error": error })));
        self.lost.push((path, error));
    }

    /// Puts snapshots of packages in their places; one that has none is lost, and that is told.
    fn place_packages(&mut self) {
        while let Ok(file) = self.packages.try_recv() {
            let name = file.path().display().to_string();
            if let Err(error) = file.place(&self.archive, &mut self.manifest) {
                self.report(&format!("cannot seal `{name}`: {error:#}"));
            }
        }
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
        if self.manifest.is_nearly_full() && !std::mem::replace(&mut self.is_full_told, true) {
            say!("warning: the manifest is nearly as large as what is read: record to another directory soon");
        }
    }

    fn report(&self, error: &str) {
        say!("warning: {error}");
        // Nobody listens any more when the recording ends.
        let _ = self.faults.send(("error", "seal_failed", json!({ "error": error })));
    }
}

/// What became of a segment that is not in the journal any more.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub(crate) enum Retired {
    /// Nothing is in it.
    Empty,
    /// It is sealed.
    Sealed(Sealed),
    /// Both copies of its header are damaged, so that nobody can tell what its records say; it is kept for people.
    Lost(anyhow::Error),
}

/// Seals one segment, which is read to `bytes`, and retires it.
///
/// # Errors
/// When it cannot be read, or a file cannot be written; the segment is then as it was.
pub(crate) fn seal_segment(
    archive: &Archive,
    manifest: &mut Manifest,
    segment: &FinishedSegment,
    bytes: &mut Vec<u8>,
    earlier: &mut EarlierExecs,
) -> Result<Retired> {
    let path = segment.path();
    segment.read(bytes)?;
    if bytes.iter().all(|byte| *byte == 0) {
        // A power cut came before its first sync.
        remove_if_there(path)?;
        return Ok(Retired::Empty);
    }
    let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let rows = match SegmentRows::read(bytes, &file_name) {
        Ok(rows) => rows,
        Err(error) => return keep_lost(path, error).map(Retired::Lost),
    };
    for damage in &rows.damages {
        say!("warning: `{}`: {damage}; everything else of it is sealed", path.display());
    }
    let sealed = rows.seal(archive, manifest, earlier)?;
    remove_if_there(path).context("cannot retire the journal segment")?;
    Ok(Retired::Sealed(sealed))
}

/// Takes a segment without a header out of the journal; gives `error` with what became of it.
fn keep_lost(path: &Path, error: anyhow::Error) -> Result<anyhow::Error> {
    let kept = path.with_extension(DAMAGED_SUFFIX);
    let (shown, shown_kept) = (path.display(), kept.display());
    match fs::rename(path, &kept) {
        Ok(()) => Ok(error.context(format!("`{shown}` cannot be sealed and is kept as `{shown_kept}`"))),
        Err(missing) if missing.kind() == ErrorKind::NotFound => {
            Ok(error.context(format!("`{shown}` cannot be sealed, and was deleted")))
        }
        Err(failed) => Err(error.context(format!("cannot keep `{shown}` as `{shown_kept}`: {failed}"))),
    }
}

#[cfg(test)]
mod tests;
