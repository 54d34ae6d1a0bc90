//! From ring to archive: the drain writes frames into journal segments, finished segments are sealed behind its back.

use crate::accounting::{Accounting, CpuTotals, Full};
use crate::frame::{FrameKind, Surroundings};
use crate::host;
use crate::journal::{SEGMENT_SUFFIX, SegmentWriter};
use crate::measurements::Measurements;
use crate::reserve::Reserve;
use crate::say::say;
use crate::sealer::Sealer;
use crate::sensor::CpuCounters;
use crate::session::Session;
use crate::signals::StopCause;
use crate::store::Store;
use crate::syncer::Syncer;
use anyhow::Result;
use hashtrail::archive::Archive;
use hashtrail::ledger::LedgerEntry;
use std::time::{Duration, Instant};

/// Largest segment: bounds what is sealed at once, in memory and time.
const SEGMENT_BYTES: u64 = 64 << 20;
/// The journal's bound holds at least this many segments: one is written while others are sealed.
const LEAST_SEGMENTS: u64 = 4;
/// The journal is synced after this much, even before the interval is over.
const SYNC_BYTES: usize = 1 << 20;
/// Between two attempts to make a segment where there is no space for one.
const SPACE_INTERVAL: Duration = Duration::from_millis(100);
/// Between two looks for an IMA policy.
const SURROUNDINGS_INTERVAL: Duration = Duration::from_secs(60);
/// Ledger entries that wait for space; a heartbeat does not wait, the next one says the same.
const WAITING_ENTRIES: usize = 4096;

/// How the archive is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PipelineOptions {
    /// A segment is sealed after this time, or when it is full.
    pub(crate) seal_interval: Duration,
    /// The journal is synced this often.
    pub(crate) sync_interval: Duration,
    /// Bound of all segments together.
    pub(crate) journal_bytes: u64,
    /// Whether the kernel's measurement list is stored.
    pub(crate) measurements: bool,
}

impl PipelineOptions {
    fn segment_bytes(&self) -> u64 {
        SEGMENT_BYTES.min(self.journal_bytes / LEAST_SEGMENTS)
    }
}

/// The way into the archive, driven by one thread.
pub(crate) struct Pipeline {
    archive: Archive,
    session: Session,
    options: PipelineOptions,
    surroundings: Surroundings,
    ima_checked: Instant,
    writer: Option<SegmentWriter>,
    /// The next segment. Where there is no space for one, execs and modules alone use the last quarter of this one.
    spare: Option<SegmentWriter>,
    segment: u32,
    segment_started: Instant,
    synced_bytes: usize,
    full: Option<(Full, Instant)>,
    waiting: Vec<LedgerEntry>,
    accounting: Accounting,
    reserve: Reserve,
    sealer: Sealer,
    syncer: Syncer,
}

/// What a finished recording amounts to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Totals of each CPU.
    pub(crate) totals: Vec<CpuTotals>,
    /// Head of the manifest's chain.
    pub(crate) head: String,
    /// Errors of sealing; their segments are kept in the journal.
    pub(crate) errors: Vec<String>,
}

impl Pipeline {
    /// Notes the start in the manifest and opens the first segment.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn start(
        store: Store,
        session: Session,
        options: PipelineOptions,
        start: &serde_json::Value,
    ) -> Result<Self> {
        let Store { archive, mut manifest } = store;
        let segment_bytes = options.segment_bytes();
        let reserve = Reserve::new(&archive, segment_bytes);
        reserve.take()?;
        manifest.append(&[("start", start.clone())])?;
        let measurements = options.measurements.then(|| Measurements::new(&session));
        let bound = options.journal_bytes / segment_bytes.max(1);
        let sealer = Sealer::start(archive.clone(), manifest, reserve.clone(), measurements, bound);
        let mut pipeline = Self {
            syncer: Syncer::start(options.sync_interval, sealer.inlet()),
            sealer,
            archive,
            surroundings: Surroundings {
                utc_offset_ns: host::clock_anchor().offset_ns(),
                ima_policy: session.facts.ima_policy,
            },
            session,
            options,
            ima_checked: Instant::now(),
            writer: None,
            spare: None,
            segment: 0,
            segment_started: Instant::now(),
            synced_bytes: 0,
            full: None,
            waiting: Vec::new(),
            accounting: Accounting::default(),
            reserve,
        };
        let first = pipeline.new_segment(segment_bytes)?;
        pipeline.begin(first)?;
        Ok(pipeline)
    }

    /// The recording's names.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Takes one record from a ring. What the journal has no place for is counted, never waited for.
    pub(crate) fn record(&mut self, record: &[u8]) {
        let Some(key) = crate::decode::record_key(record) else {
            self.accounting.unreadable();
            return;
        };
        let full = self.append(FrameKind::Record, record, key.is_bulk).err();
        self.accounting.taken(key, full);
    }

    /// Takes one ledger entry. What the journal has no place for waits.
    pub(crate) fn note(&mut self, entry: LedgerEntry) {
        if !self.waiting.is_empty() || !self.note_now(&entry) {
            if self.waiting.len() < WAITING_ENTRIES {
                self.waiting.push(entry);
            } else {
                say!("warning: no space for a ledger entry ({}), it is lost", entry.kind);
            }
        }
    }

    fn note_now(&mut self, entry: &LedgerEntry) -> bool {
        serde_json::to_vec(entry).is_ok_and(|payload| self.append(FrameKind::Ledger, &payload, false).is_ok())
    }

    /// A ledger entry of this moment, for [`Self::note`].
    pub(crate) fn ledger(&self, kind: &str) -> LedgerEntry {
        self.session.ledger(kind, &self.surroundings)
    }

    /// Once a second: clock, heartbeat, losses and faults into the journal; a segment that is due is closed.
    pub(crate) fn tick(&mut self, counters: &[CpuCounters], recursion_misses: u64) {
        if self.ima_checked.elapsed() >= SURROUNDINGS_INTERVAL {
            self.ima_checked = Instant::now();
            self.surroundings.ima_policy = host::ima_policy_loaded();
        }
        self.surroundings.utc_offset_ns = host::clock_anchor().offset_ns();
        self.note_faults();
        while self.waiting.first().cloned().is_some_and(|entry| self.note_now(&entry)) {
            self.waiting.remove(0);
        }
        // Without a place for them the losses stay unreported until there is one.
        if self.waiting.is_empty() && self.has_segment() {
            let now = self.ledger("heartbeat");
            for entry in self.accounting.heartbeat(counters, recursion_misses, &now) {
                self.note(entry);
            }
        }
        if self.segment_started.elapsed() >= self.options.seal_interval {
            if self.spare.is_none() {
                self.make_spare();
            }
            // Without a next one, this one is all the space that there is.
            if self.spare.is_some() {
                self.close_segment();
            }
        }
    }

    /// The totals so far.
    pub(crate) fn totals(&self, counters: &[CpuCounters]) -> Vec<CpuTotals> {
        self.accounting.totals(counters)
    }

    /// Whether what the counters say was produced is stored or counted as dropped: nothing is on its way any more.
    pub(crate) fn is_settled(&self, counters: &[CpuCounters]) -> bool {
        self.accounting.totals(counters).iter().all(|totals| totals.produced == totals.stored + totals.dropped)
    }

    /// Notes the stop, seals everything and ends the threads.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub(crate) fn finish(
        mut self,
        stop: &StopCause,
        counters: &[CpuCounters],
        recursion_misses: u64,
    ) -> Result<Outcome> {
        if !self.has_segment() {
            // The end of the ledger is what the reserve is kept for.
            self.reserve.release()?;
            let last = self.new_segment(self.reserve.bytes())?;
            self.begin(last)?;
        }
        self.tick(counters, recursion_misses);
        let now = self.ledger("stop");
        for entry in self.accounting.unaccounted(counters, &now) {
            self.note(entry);
        }
        let detail = self.accounting.detail(counters, recursion_misses);
        let mut counts: serde_json::Value = serde_json::from_str(&detail)?;
        counts["sender"] = serde_json::to_value(&stop.sender)?;
        let entry = LedgerEntry { cause: Some(stop.cause.clone()), detail: Some(counts.to_string()), ..now };
        self.note(entry.clone());
        self.close_segment();
        self.writer = self.spare.take();
        self.close_segment();
        self.syncer.stop();
        let mut sealed = self.sealer.finish()?;
        let errors: Vec<String> = sealed.unsealed.into_iter().map(|(_, error)| error).collect();
        if errors.is_empty() {
            let end = serde_json::json!({
                "recording_id": self.session.recording_id,
                "state": "SEALED",
                "time": entry.time.rfc3339(),
                "boot_ns": entry.boot_ns,
                "cause": stop.cause,
                "sender": stop.sender,
                "counts": serde_json::from_str::<serde_json::Value>(&detail)?,
            });
            sealed.manifest.append(&[("stop", end)])?;
        }
        self.reserve.release()?;
        let totals = self.accounting.totals(counters);
        Ok(Outcome { totals, head: sealed.manifest.head().to_owned(), errors })
    }

    /// Puts what the other threads could not do into the ledger. A segment whose sync failed is final.
    fn note_faults(&mut self) {
        for failure in self.syncer.failures() {
            say!("warning: cannot sync `{}`, a new segment is begun: {}", failure.path.display(), failure.error);
            if self.writer.as_ref().is_some_and(|writer| writer.path() == failure.path) {
                self.close_segment();
            }
            let segment = failure.path.file_name().map(|name| name.to_string_lossy().into_owned());
            let detail = serde_json::json!({ "segment": segment, "error": failure.error });
            self.note_fault("suspect", "sync_failed", &detail);
        }
        for error in self.sealer.faults() {
            self.note_fault("error", "seal_failed", &serde_json::json!({ "error": error }));
        }
    }

    fn note_fault(&mut self, kind: &str, cause: &str, detail: &serde_json::Value) {
        let entry = LedgerEntry { cause: Some(cause.into()), detail: Some(detail.to_string()), ..self.ledger(kind) };
        self.note(entry);
    }

    /// Appends to the current segment, or to the next one when it is full.
    fn append(&mut self, kind: FrameKind, payload: &[u8], is_bulk: bool) -> Result<(), Full> {
        for _ in 0..2 {
            if !self.has_segment() {
                break;
            }
            let Some(writer) = &mut self.writer else { break };
            if is_bulk && writer.is_nearly_full() && self.spare.is_none() {
                break;
            }
            if writer.append(kind, payload, self.surroundings) {
                if writer.position() - self.synced_bytes >= SYNC_BYTES {
                    self.synced_bytes = writer.position();
                    self.syncer.sync();
                }
                return Ok(());
            }
            self.close_segment();
        }
        Err(self.full.map_or(Full::Journal, |(full, _)| full))
    }

    /// Whether there is a segment to write to. Makes the next one in time; where there is no space, not at every call.
    fn has_segment(&mut self) -> bool {
        if self.spare.is_none() && self.writer.as_ref().is_none_or(SegmentWriter::is_nearly_full) {
            self.make_spare();
        }
        if self.writer.is_none()
            && let Some(spare) = self.spare.take()
            && let Err(error) = self.begin(spare)
        {
            say!("warning: {error:#}");
        }
        self.writer.is_some()
    }

    fn make_spare(&mut self) {
        let now = Instant::now();
        if self.full.is_some_and(|(_, since)| now.duration_since(since) < SPACE_INTERVAL) {
            return;
        }
        let before = self.full.take().map(|(full, _)| full);
        let made = if self.sealer.has_room() {
            self.new_segment(self.options.segment_bytes()).map_err(|error| (Full::Disk, format!("{error:#}")))
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

    fn new_segment(&mut self, bytes: u64) -> Result<SegmentWriter> {
        let name = format!("{}-{:06}.{SEGMENT_SUFFIX}", &self.session.recording_id[..8], self.segment);
        let path = self.archive.journal().join(name);
        let header = self.session.segment_header(self.segment);
        let writer = SegmentWriter::create(&path, bytes, &header, self.surroundings)?;
        self.segment += 1;
        Ok(writer)
    }

    fn begin(&mut self, writer: SegmentWriter) -> Result<()> {
        self.syncer.watch(writer.path().to_owned(), writer.file()?);
        self.synced_bytes = 0;
        self.writer = Some(writer);
        self.segment_started = Instant::now();
        Ok(())
    }

    fn close_segment(&mut self) {
        if let Some(writer) = self.writer.take() {
            let path = writer.path().to_owned();
            // Its map and its handle must be gone before anybody reads the segment: that would be a violation for IMA.
            drop(writer);
            self.sealer.expect();
            self.syncer.finish(path);
        }
    }
}
