//! From ring to archive: the drain writes frames into journal segments, finished segments are sealed behind its back.

use crate::accounting::{Accounting, CpuTotals};
use crate::host;
use crate::journal::{FrameKind, SEGMENT_SUFFIX, SegmentHeader, SegmentWriter, Surroundings};
use crate::sealer::{self, Sealer};
use crate::sensor::CpuCounters;
use crate::session::Session;
use crate::syncer::Syncer;
use anyhow::{Context, Result};
use hashtrail::archive::Archive;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use std::time::{Duration, Instant};

/// Largest segment: bounds what is sealed at once, in memory and time.
const SEGMENT_BYTES: u64 = 64 << 20;
/// The journal's bound holds at least this many segments: one is written while others are sealed.
const LEAST_SEGMENTS: u64 = 4;
/// Between two looks for an IMA policy.
const SURROUNDINGS_INTERVAL: Duration = Duration::from_secs(60);

/// How the archive is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PipelineOptions {
    /// A segment is sealed after this time, or when it is full.
    pub(crate) seal_interval: Duration,
    /// The journal is synced this often.
    pub(crate) sync_interval: Duration,
    /// Bound of all segments together.
    pub(crate) journal_bytes: u64,
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
    segment: u32,
    segment_started: Instant,
    accounting: Accounting,
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
    /// Seals what an earlier recording left, notes the start and opens the first segment.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn start(
        archive: Archive,
        session: Session,
        options: PipelineOptions,
        start: &serde_json::Value,
    ) -> Result<Self> {
        let mut manifest = Manifest::open(&archive)?;
        sealer::seal_left_over(&archive, &mut manifest)?;
        manifest.append("start", start)?;
        let surroundings = Surroundings { clock: host::clock_anchor(), ima_policy: session.facts.ima_policy };
        let mut pipeline = Self {
            sealer: Sealer::start(archive.clone(), manifest, options.journal_bytes / options.segment_bytes().max(1)),
            syncer: Syncer::start(options.sync_interval),
            archive,
            session,
            options,
            surroundings,
            ima_checked: Instant::now(),
            writer: None,
            segment: 0,
            segment_started: Instant::now(),
            accounting: Accounting::default(),
        };
        pipeline.open_segment()?;
        Ok(pipeline)
    }

    /// The recording's names.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Takes one record from a ring. What the journal has no place for is counted, never waited for.
    pub(crate) fn record(&mut self, record: &[u8]) {
        let Some((cpu, _)) = crate::decode::record_key(record) else {
            self.accounting.unreadable();
            return;
        };
        let stored = self.append(FrameKind::Record, record);
        self.accounting.taken(cpu, stored);
    }

    /// Takes one ledger entry.
    pub(crate) fn note(&mut self, entry: &LedgerEntry) {
        if let Ok(payload) = serde_json::to_vec(entry) {
            self.append(FrameKind::Ledger, &payload);
        }
    }

    /// A ledger entry of this moment, for [`Self::note`].
    pub(crate) fn ledger(&self, kind: &str) -> LedgerEntry {
        self.session.ledger(kind, &self.surroundings)
    }

    /// Once a second: clock, heartbeat and losses into the journal; a segment that is due is closed.
    pub(crate) fn tick(&mut self, counters: &[CpuCounters], recursion_misses: u64) {
        if self.ima_checked.elapsed() >= SURROUNDINGS_INTERVAL {
            self.ima_checked = Instant::now();
            self.surroundings.ima_policy = host::ima_policy_loaded();
        }
        self.surroundings.clock = host::clock_anchor();
        self.note_surroundings();
        let now = self.ledger("heartbeat");
        for entry in self.accounting.heartbeat(counters, recursion_misses, &now) {
            self.note(&entry);
        }
        if self.segment_started.elapsed() >= self.options.seal_interval {
            self.close_segment();
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
    pub(crate) fn finish(mut self, cause: &str, counters: &[CpuCounters], recursion_misses: u64) -> Result<Outcome> {
        self.tick(counters, recursion_misses);
        let totals = self.accounting.totals(counters);
        let mut stop = self.ledger("stop");
        stop.cause = Some(cause.to_owned());
        stop.detail = Some(self.accounting.detail(counters, recursion_misses));
        self.note(&stop);
        self.close_segment();
        self.syncer.stop();
        let (mut manifest, errors) = self.sealer.finish()?;
        let detail: serde_json::Value = serde_json::from_str(stop.detail.as_deref().unwrap_or("{}"))?;
        manifest.append(
            "stop",
            &serde_json::json!({
                "recording_id": self.session.recording_id,
                "time": stop.time.rfc3339(),
                "boot_ns": stop.boot_ns,
                "cause": cause,
                "counts": detail,
            }),
        )?;
        Ok(Outcome { totals, head: manifest.head().to_owned(), errors })
    }

    /// Appends to the current segment, or to a new one when it is full; `false` when the journal has no place.
    fn append(&mut self, kind: FrameKind, payload: &[u8]) -> bool {
        for _ in 0..2 {
            if self.writer.is_none() && self.open_segment().is_err() {
                return false;
            }
            if self.writer.as_mut().is_some_and(|writer| writer.append(kind, payload)) {
                return true;
            }
            self.close_segment();
        }
        false
    }

    fn open_segment(&mut self) -> Result<()> {
        if !self.sealer.has_room() {
            anyhow::bail!("the journal has reached its bound");
        }
        let name = format!("{}-{:06}.{SEGMENT_SUFFIX}", &self.session.recording_id[..8], self.segment);
        let path = self.archive.journal().join(name);
        let mut writer = SegmentWriter::create(&path, self.options.segment_bytes())?;
        let header = SegmentHeader {
            recording_id: self.session.recording_id.clone(),
            host: self.session.host.clone(),
            boot_id: self.session.facts.boot_id.clone(),
            segment: self.segment,
            entries: self.session.entries.clone(),
            versions: self.session.versions.clone(),
        };
        if !writer.append(FrameKind::Header, &serde_json::to_vec(&header)?) {
            anyhow::bail!("the policies do not fit into a journal segment; raise --journal-size");
        }
        self.syncer.watch(writer.file().context("the journal cannot be synced")?);
        self.writer = Some(writer);
        self.segment += 1;
        self.segment_started = Instant::now();
        self.note_surroundings();
        Ok(())
    }

    fn note_surroundings(&mut self) {
        if let Ok(payload) = serde_json::to_vec(&self.surroundings) {
            self.append(FrameKind::Surroundings, &payload);
        }
    }

    fn close_segment(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.sealer.seal(writer.path().to_owned());
        }
    }
}
