//! Finished journal segments become sealed files, on a thread of its own. The same way seals what a crash left behind.

use crate::decode;
use crate::journal::{self, FrameKind, SEGMENT_SUFFIX, SegmentHeader, Surroundings};
use anyhow::{Context, Result, anyhow};
use crossbeam_channel::{Sender, unbounded};
use hashtrail::archive::Archive;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::seal::{SegmentName, seal};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// The sealing thread and the way to it.
pub(crate) struct Sealer {
    segments: Sender<PathBuf>,
    waiting: Arc<AtomicU64>,
    bound: u64,
    thread: JoinHandle<(Manifest, Vec<String>)>,
}

impl Sealer {
    /// Starts the thread. At most `bound` segments may exist at once, the one being written included.
    pub(crate) fn start(archive: Archive, mut manifest: Manifest, bound: u64) -> Self {
        let (segments, received) = unbounded::<PathBuf>();
        let waiting = Arc::new(AtomicU64::new(0));
        let still_waiting = Arc::clone(&waiting);
        let thread = std::thread::spawn(move || {
            let mut errors = Vec::new();
            for path in received {
                if let Err(error) = seal_segment(&archive, &mut manifest, &path) {
                    let message = format!("cannot seal `{}`, it is kept: {error:#}", path.display());
                    eprintln!("error: {message}");
                    errors.push(message);
                }
                still_waiting.fetch_sub(1, Ordering::AcqRel);
            }
            (manifest, errors)
        });
        Self { segments, waiting, bound, thread }
    }

    /// Whether one more segment keeps the journal within its bound.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Acquire) < self.bound
    }

    /// Hands over a finished segment.
    pub(crate) fn seal(&self, path: PathBuf) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        // The thread only ends when this sender is gone.
        let _ = self.segments.send(path);
    }

    /// Waits until everything is sealed; gives back the manifest, and what could not be sealed.
    ///
    /// # Errors
    /// When the thread has panicked.
    pub(crate) fn finish(self) -> Result<(Manifest, Vec<String>)> {
        drop(self.segments);
        self.thread.join().map_err(|_| anyhow!("the sealing thread has panicked; the journal is kept"))
    }
}

/// Seals every segment that an earlier recording left.
///
/// # Errors
/// When the journal folder cannot be read or a segment cannot be sealed.
pub(crate) fn seal_left_over(archive: &Archive, manifest: &mut Manifest) -> Result<()> {
    let directory = archive.journal();
    let entries = fs::read_dir(&directory).with_context(|| format!("cannot read `{}`", directory.display()))?;
    let mut segments: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == SEGMENT_SUFFIX))
        .collect();
    segments.sort();
    for path in segments {
        eprintln!("sealing what an earlier recording left: `{}`", path.display());
        seal_segment(archive, manifest, &path)?;
    }
    Ok(())
}

/// Seals one segment and retires it.
fn seal_segment(archive: &Archive, manifest: &mut Manifest, path: &Path) -> Result<()> {
    let bytes = fs::read(path)?;
    let Some(segment) = read_segment(&bytes, path)? else {
        return fs::remove_file(path).context("cannot remove the empty segment");
    };
    let name = SegmentName {
        recording_id: segment.header.recording_id,
        host: segment.header.host,
        segment: segment.header.segment,
    };
    seal(archive, manifest, &name, &segment.header.versions, segment.events, segment.ledger)?;
    fs::remove_file(path).context("cannot retire the journal segment")
}

/// What a segment holds, as rows.
struct Segment {
    header: SegmentHeader,
    events: Vec<Event>,
    ledger: Vec<LedgerEntry>,
}

/// Decodes a segment; `None` when it has no header, and so no records.
fn read_segment(bytes: &[u8], path: &Path) -> Result<Option<Segment>> {
    let mut segment: Option<Segment> = None;
    let mut surroundings = Surroundings::default();
    for frame in journal::frames(bytes) {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                eprintln!("warning: `{}`: {error:#}; what stands before it is sealed", path.display());
                if let Some(segment) = &mut segment {
                    segment.ledger.push(fault(segment, &surroundings, "journal_damaged", &format!("{error:#}")));
                }
                break;
            }
        };
        match (frame.kind, &mut segment) {
            (FrameKind::Header, _) => {
                let header = serde_json::from_slice(frame.payload).context("the segment's header")?;
                segment = Some(Segment { header, events: Vec::new(), ledger: Vec::new() });
            }
            (_, None) => anyhow::bail!("the segment does not begin with its header"),
            (FrameKind::Surroundings, _) => {
                surroundings = serde_json::from_slice(frame.payload).context("surroundings")?
            }
            (FrameKind::Ledger, Some(segment)) => {
                segment.ledger.push(serde_json::from_slice(frame.payload).context("ledger entry")?)
            }
            (FrameKind::Record, Some(segment)) => match decode::decode(frame.payload, &segment.header, &surroundings) {
                Ok(event) => segment.events.push(event),
                Err(error) => {
                    eprintln!("warning: `{}`: unreadable record: {error:#}", path.display());
                    segment.ledger.push(fault(segment, &surroundings, "unreadable_record", &format!("{error:#}")));
                }
            },
        }
    }
    Ok(segment)
}

/// A ledger entry for what could not be read.
fn fault(segment: &Segment, surroundings: &Surroundings, cause: &str, error: &str) -> LedgerEntry {
    LedgerEntry {
        recording_id: segment.header.recording_id.clone(),
        host: segment.header.host.clone(),
        time: surroundings.clock.time(surroundings.clock.boot_ns),
        boot_ns: surroundings.clock.boot_ns,
        kind: "error".into(),
        cause: Some(cause.into()),
        count: Some(1),
        detail: Some(serde_json::json!({ "error": error }).to_string()),
        ..LedgerEntry::default()
    }
}
