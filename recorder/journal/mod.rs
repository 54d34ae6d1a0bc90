//! The journal of a running recording: the segment that is written, the next one in time, and the threads behind them.
//! What there is no space for is said and counted, never waited for.

pub(crate) mod frame;
pub(crate) mod measurements;
pub(crate) mod recovery;
mod reserve;
pub(crate) mod sealer;
pub(crate) mod segment;
pub(crate) mod segment_rows;
pub(crate) mod store;
mod syncer;

use crate::host::say::say;
use crate::journal::frame::FrameKind;
use crate::journal::measurements::Measurements;
use crate::journal::reserve::Reserve;
use crate::journal::sealer::Sealer;
use crate::journal::segment::{SEGMENT_SUFFIX, SegmentWriter, segment_name};
use crate::journal::syncer::Syncer;
use crate::record::header::Surroundings;
use crate::record::session::Session;
use anyhow::{Result, ensure};
use crossbeam_channel::Sender;
use hashtrail::archive::{Archive, remove_if_there};
use hashtrail::manifest::Manifest;
use hashtrail::packages::PackageFile;
use hashtrail::seal::LooseFile;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Largest segment: bounds what is sealed at once, in memory and time.
const SEGMENT_BYTES: u64 = 32 << 20;
/// The journal's bound holds at least this many segments: one is written while others are sealed.
const LEAST_SEGMENTS: u64 = 4;
/// The journal is synced after this much, even before the interval is over.
const SYNC_BYTES: usize = 1 << 20;
/// Between two attempts to make a segment where there is no space for one.
const SPACE_INTERVAL: Duration = Duration::from_millis(100);

/// Why a record that left its ring is not in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The journal has reached its bound: sealing is behind.
    Journal,
    /// The disk has no space for a segment.
    Disk,
}

/// How the journal is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JournalOptions {
    /// A segment is sealed after this time, or when it is full.
    pub(crate) seal_interval: Duration,
    /// The journal is synced this often.
    pub(crate) sync_interval: Duration,
    /// Bound of all segments together.
    pub(crate) journal_bytes: u64,
    /// Whether the kernel's measurement list is stored.
    pub(crate) measurements: bool,
}

impl JournalOptions {
    fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES.min(self.journal_bytes / LEAST_SEGMENTS)
    }
}

/// Where frames go.
pub(crate) struct Journal {
    archive: Archive,
    session: Session,
    options: JournalOptions,
    writer: Option<SegmentWriter>,
    /// The next segment. Where there is no space for one, execs and modules alone use the last quarter of this one.
    spare: Option<SegmentWriter>,
    next_number: u32,
    started: Instant,
    synced_bytes: usize,
    full: Option<(Full, Instant)>,
    reserve: Reserve,
    sealer: Sealer,
    syncer: Syncer,
}

/// Something that a thread behind the journal could not do: kind, cause and detail of its ledger entry.
pub(crate) type Fault = (&'static str, &'static str, Value);

impl Journal {
    /// Takes the reserve, notes the start in the manifest, and begins the first segment.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn start(
        archive: Archive,
        mut manifest: Manifest,
        session: &Session,
        options: JournalOptions,
        surroundings: Surroundings,
        start: &Value,
    ) -> Result<Self> {
        let segment_bytes = options.segment_bytes();
        let reserve = Reserve::new(&archive, segment_bytes);
        ensure!(
            !manifest.is_nearly_full(),
            "the manifest is nearly as large as what is read: record to another directory"
        );
        reserve.take()?;
        manifest.append(&[("start", start.clone())])?;
        let measurements = options.measurements.then(|| Measurements::new(session));
        let bound = options.journal_bytes / segment_bytes.max(1);
        let sealer = Sealer::start(archive.clone(), manifest, reserve.clone(), measurements, bound);
        let mut segments = Self {
            syncer: Syncer::start(options.sync_interval, sealer.inlet()),
            sealer,
            archive,
            session: session.clone(),
            options,
            writer: None,
            spare: None,
            next_number: 0,
            started: Instant::now(),
            synced_bytes: 0,
            full: None,
            reserve,
        };
        let first = segments.create(segment_bytes, surroundings)?;
        segments.begin(first)?;
        Ok(segments)
    }

    /// Appends to the current segment, or to the next one when it is full.
    pub(crate) fn append(
        &mut self,
        kind: FrameKind,
        payload: &[u8],
        surroundings: Surroundings,
        is_bulk: bool,
    ) -> Result<(), Full> {
        for _ in 0..2 {
            if !self.is_open(surroundings) {
                break;
            }
            let Some(writer) = &mut self.writer else { break };
            if is_bulk && writer.is_nearly_full() && self.spare.is_none() {
                break;
            }
            if writer.append(kind, payload, surroundings) {
                if writer.position() - self.synced_bytes >= SYNC_BYTES {
                    self.synced_bytes = writer.position();
                    self.syncer.sync();
                }
                return Ok(());
            }
            self.close();
        }
        Err(self.full.map_or(Full::Journal, |(full, _)| full))
    }

    /// Whether there is a segment to write to. Makes the next one in time; where there is no space, not at every call.
    pub(crate) fn is_open(&mut self, surroundings: Surroundings) -> bool {
        if self.spare.is_none() && self.writer.as_ref().is_none_or(SegmentWriter::is_nearly_full) {
            self.make_spare(surroundings);
        }
        if self.writer.is_none()
            && let Some(spare) = self.spare.take()
            && let Err(error) = self.begin(spare)
        {
            say!("warning: {error:#}");
        }
        self.writer.is_some()
    }

    /// Begins a segment whose header says what `session` says now; no later segment has an older header.
    ///
    /// # Errors
    /// When there is no space for it.
    pub(crate) fn renew(&mut self, session: &Session, surroundings: Surroundings) -> Result<()> {
        self.session = session.clone();
        if let Some(spare) = self.spare.take() {
            // Nothing was written to it.
            let path = spare.path().to_owned();
            drop(spare);
            remove_if_there(&path)?;
        }
        let next = self.create(self.options.segment_bytes(), surroundings)?;
        self.close();
        self.begin(next)
    }

    /// Closes a segment that is due to be sealed; without a next one, it is all the space that there is.
    pub(crate) fn close_if_due(&mut self, surroundings: Surroundings) {
        if self.started.elapsed() < self.options.seal_interval {
            return;
        }
        if self.spare.is_none() {
            self.make_spare(surroundings);
        }
        if self.spare.is_some() {
            self.close();
        }
    }

    /// What the threads behind could not do since the last question. A segment whose sync failed is final.
    pub(crate) fn faults(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for failure in self.syncer.failures() {
            say!("warning: cannot sync `{}`, a new segment is begun: {}", failure.path.display(), failure.error);
            if self.writer.as_ref().is_some_and(|writer| writer.path() == failure.path) {
                self.close();
            }
            let segment = failure.path.file_name().map(|name| name.to_string_lossy().into_owned());
            faults.push(("suspect", "sync_failed", json!({ "segment": segment, "error": failure.error })));
        }
        faults.extend(self.sealer.faults());
        faults
    }

    /// The way in for snapshots of packages.
    pub(crate) fn packages(&self) -> Sender<LooseFile<PackageFile>> {
        self.sealer.packages()
    }

    /// For the end of the ledger, which is what the reserve is kept for too: a segment, if need be from the reserve.
    ///
    /// # Errors
    /// When there is no space even so.
    pub(crate) fn open_last(&mut self, surroundings: Surroundings) -> Result<()> {
        if self.is_open(surroundings) {
            return Ok(());
        }
        self.reserve.release()?;
        let last = self.create(self.reserve.bytes(), surroundings)?;
        self.begin(last)
    }

    /// Seals everything and ends the threads.
    ///
    /// # Errors
    /// When a thread has panicked.
    pub(crate) fn finish(mut self) -> Result<sealer::Outcome> {
        self.close();
        self.writer = self.spare.take();
        self.close();
        self.syncer.stop();
        let sealed = self.sealer.finish()?;
        self.reserve.release()?;
        Ok(sealed)
    }

    fn make_spare(&mut self, surroundings: Surroundings) {
        let now = Instant::now();
        if self.full.is_some_and(|(_, since)| now.duration_since(since) < SPACE_INTERVAL) {
            return;
        }
        let before = self.full.take().map(|(full, _)| full);
        let made = if self.sealer.has_room() {
            self.create(self.options.segment_bytes(), surroundings).map_err(|error| (Full::Disk, format!("{error:#}")))
        } else {
            Err((Full::Journal, "the journal has reached its bound".to_owned()))
        };
        match made {
            Ok(spare) => {
                self.spare = Some(spare);
                if before.is_some() {
                    say!("warning: there is space again; what was lost is in the ledger");
                }
            }
            Err((full, reason)) => {
                self.full = Some((full, now));
                if before != Some(full) {
                    say!("warning: events may be lost from now on, and are counted: {reason}");
                }
            }
        }
    }

    fn create(&mut self, bytes: u64, surroundings: Surroundings) -> Result<SegmentWriter> {
        let name = format!("{}.{SEGMENT_SUFFIX}", segment_name(&self.session.recording_id, self.next_number));
        let header = self.session.segment_header(self.next_number);
        let writer = SegmentWriter::create(&self.archive.journal().join(name), bytes, &header, surroundings)?;
        self.next_number += 1;
        Ok(writer)
    }

    fn begin(&mut self, writer: SegmentWriter) -> Result<()> {
        self.syncer.watch(writer.path().to_owned(), writer.file()?);
        self.synced_bytes = 0;
        self.writer = Some(writer);
        self.started = Instant::now();
        Ok(())
    }

    fn close(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.sealer.expect();
            self.syncer.finish(writer.finish());
        }
    }
}
