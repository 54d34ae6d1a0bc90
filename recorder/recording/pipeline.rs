//! From ring to archive: records and ledger entries into the journal, and what became of them.

use crate::content::hasher::{self, Hasher};
use crate::host;
use crate::host::say::say;
use crate::journal::frame::FrameKind;
use crate::journal::store::Store;
use crate::journal::{Journal, JournalOptions};
use crate::lists::Lists;
use crate::packages::{Baseline, BaselineOptions, Begin, Told};
use crate::record::header::EntryName;
use crate::record::header::Surroundings;
use crate::record::key::RecordKey;
use crate::record::own_row::OwnRow;
use crate::record::session::Session;
use crate::record::wire;
use crate::recording::accounting::{Accounting, CpuTotals};
use crate::recording::listed::{Finding, Listed};
use crate::recording::signals::StopCause;
use crate::sensor::CpuCounters;
use crate::sensor::skipped::Skipped;
use anyhow::Result;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Manifest;
use hashtrail::packages::LEDGER_KIND;
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Between two looks for an IMA policy.
const SURROUNDINGS_INTERVAL: Duration = Duration::from_secs(60);
/// Ledger entries that wait for space; a heartbeat does not wait, the next one says the same.
const WAITING_ENTRIES: usize = 4096;

/// The way into the archive, driven by one thread.
pub(crate) struct Pipeline {
    session: Session,
    surroundings: Surroundings,
    ima_checked: Instant,
    waiting: Vec<LedgerEntry>,
    accounting: Accounting,
    /// Rows that user space made.
    own_rows: u64,
    hasher: Option<Hasher>,
    listed: Option<Listed>,
    baseline: Option<Baseline>,
    journal: Journal,
}

/// What a finished recording amounts to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Totals of each CPU.
    pub(crate) totals: Vec<CpuTotals>,
    /// Manifest with everything that was sealed.
    pub(crate) manifest: Manifest,
    /// Errors of sealing; their journal are kept in the journal.
    pub(crate) errors: Vec<String>,
}

impl Pipeline {
    /// Notes the start in the manifest and opens the first segment.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn start(store: Store, session: Session, options: JournalOptions, start: &Value) -> Result<Self> {
        let surroundings =
            Surroundings { utc_offset_ns: host::clock_anchor().offset_ns(), ima_policy: session.facts.ima_policy };
        let journal = Journal::start(store.archive, store.manifest, &session, options, surroundings, start)?;
        Ok(Self {
            session,
            surroundings,
            ima_checked: Instant::now(),
            waiting: Vec::new(),
            accounting: Accounting::default(),
            own_rows: 0,
            hasher: None,
            listed: None,
            baseline: None,
            journal,
        })
    }

    /// The recording's names.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Takes one record from a ring. What the journal has no place for is counted, never waited for.
    pub(crate) fn record(&mut self, record: &[u8]) {
        let Some(head) = wire::read::<wire::event>(record) else {
            self.accounting.unreadable();
            return;
        };
        if let Some(hasher) = &mut self.hasher {
            hasher.look_at(&head, record);
        }
        let key = RecordKey::of(&head);
        let full = self.journal.append(FrameKind::Record, record, self.surroundings, key.is_bulk).err();
        let is_stored = full.is_none();
        self.accounting.taken(key, full);
        if let Some(listed) = &mut self.listed {
            let finding = listed.look_at(&head, record, &self.session.entries);
            self.tell(finding, key, is_stored);
        }
    }

    /// From now on rows whose digest is on one of these lists are said and noted.
    pub(crate) fn compare_with(&mut self, lists: Rc<Lists>) {
        self.listed = (!lists.is_empty()).then(|| Listed::new(lists));
    }

    fn tell(&mut self, finding: Finding, key: RecordKey, is_stored: bool) {
        finding.said.iter().for_each(|text| say!("{text}"));
        if let Some((policy, mut detail)) = finding.noted {
            detail["stored"] = is_stored.into();
            let seq = Some(key.seq.cast_signed());
            let entry = LedgerEntry {
                cpu: Some(key.cpu.cast_signed()),
                first_seq: seq,
                last_seq: seq,
                from_ns: Some(key.boot_ns),
                to_ns: Some(key.boot_ns),
                count: Some(1),
                policy,
                detail: Some(detail.to_string()),
                ..self.ledger("listed")
            };
            self.note(entry);
        }
    }

    /// Takes a row that user space makes. The rows are numbered as those of a further CPU.
    pub(crate) fn record_own(&mut self, mut row: OwnRow) {
        row.head.cpu = wire::USER_CPU;
        row.head.seq = self.own_rows;
        self.own_rows += 1;
        self.record(&row.record());
    }

    /// From now on user space hashes what the kernel cannot, up to this size.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start_hasher(&mut self, max_hash_bytes: u64) -> Result<()> {
        self.hasher = Some(Hasher::start(max_hash_bytes)?);
        Ok(())
    }

    /// Takes the digests of user space that are ready.
    pub(crate) fn take_user_digests(&mut self) {
        while let Some(row) = self.hasher.as_mut().and_then(Hasher::answer) {
            self.record_own(row);
        }
        self.note_user_digests();
    }

    /// Takes those that come in time, and no more.
    fn end_user_digests(&mut self) {
        let limit = Instant::now() + hasher::STOP_LIMIT;
        while let Some(row) = self.hasher.as_mut().and_then(|hasher| hasher.last_answer(limit)) {
            self.record_own(row);
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.end();
        }
        self.note_user_digests();
    }

    fn note_user_digests(&mut self) {
        if let Some(hasher) = &self.hasher {
            self.accounting.user_digests(hasher.counts());
        }
    }

    /// The kernel's counters, and those of the rows that user space made.
    fn with_own_rows(&self, counters: &[CpuCounters]) -> Vec<CpuCounters> {
        let counts = wire::counters { seq: self.own_rows, ..wire::counters::default() };
        let read_ns = host::clock_anchor().boot_ns;
        let own = (self.own_rows > 0).then_some(CpuCounters { cpu: wire::USER_CPU, read_ns, counts });
        counters.iter().copied().chain(own).collect()
    }

    /// Other policies from now on, with these entries.
    ///
    /// # Errors
    /// When there is no space for a segment that knows them.
    pub(crate) fn add_entries(&mut self, entries: &[EntryName]) -> Result<()> {
        self.session.add_entries(entries);
        self.journal.renew(&self.session, self.surroundings)
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
        let Ok(payload) = serde_json::to_vec(entry) else { return false };
        self.journal.append(FrameKind::Ledger, &payload, self.surroundings, false).is_ok()
    }

    /// A ledger entry of this moment, for [`Self::note`].
    pub(crate) fn ledger(&self, kind: &str) -> LedgerEntry {
        self.session.ledger(kind, &self.surroundings)
    }

    /// Starts the package baseline; without `begin` none is taken, and the ledger says so.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start_baseline(&mut self, begin: Option<Begin>, options: BaselineOptions) -> Result<()> {
        let files = self.journal.packages();
        self.baseline =
            Some(begin.map_or_else(|| Ok(Baseline::off()), |begin| Baseline::start(begin, options, files))?);
        Ok(())
    }

    fn note_baseline(&mut self, told: Vec<Told>) {
        for Told { cause, from_ns, to_ns, count, detail } in told {
            let now = self.ledger(LEDGER_KIND);
            let (cause, detail) = (Some(cause.to_owned()), Some(detail.to_string()));
            self.note(LedgerEntry { cause, from_ns, to_ns, count, detail, ..now });
        }
    }

    /// Once a second: clock, heartbeat, losses and faults into the journal; a segment that is due is closed.
    pub(crate) fn tick(&mut self, counters: &[CpuCounters], skipped: Skipped) {
        let counters = &self.with_own_rows(counters);
        if self.ima_checked.elapsed() >= SURROUNDINGS_INTERVAL {
            self.ima_checked = Instant::now();
            self.surroundings.ima_policy = host::ima_policy_loaded();
        }
        self.surroundings.utc_offset_ns = host::clock_anchor().offset_ns();
        for (kind, cause, detail) in self.journal.faults() {
            let now = self.ledger(kind);
            self.note(LedgerEntry { cause: Some(cause.into()), detail: Some(detail.to_string()), ..now });
        }
        self.note_baseline(self.baseline.as_ref().map(Baseline::told).unwrap_or_default());
        while self.waiting.first().cloned().is_some_and(|entry| self.note_now(&entry)) {
            self.waiting.remove(0);
        }
        // Without a place for them the losses stay unreported until there is one.
        if self.waiting.is_empty() && self.journal.is_open(self.surroundings) {
            let now = self.ledger("heartbeat");
            for entry in self.accounting.heartbeat(counters, skipped, &now) {
                self.note(entry);
            }
            self.hasher.iter_mut().for_each(Hasher::forget_dropped);
        }
        self.journal.close_if_due(self.surroundings);
    }

    /// The totals so far.
    pub(crate) fn totals(&self, counters: &[CpuCounters]) -> Vec<CpuTotals> {
        self.accounting.totals(&self.with_own_rows(counters))
    }

    /// Whether what the counters say was produced is stored or counted as dropped: nothing is on its way any more.
    pub(crate) fn is_settled(&self, counters: &[CpuCounters]) -> bool {
        self.totals(counters).iter().all(|cpu| cpu.produced == cpu.stored + cpu.dropped + cpu.suppressed)
    }

    /// Notes the stop, seals everything and ends the threads.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub(crate) fn finish(mut self, stop: &StopCause, counters: &[CpuCounters], skipped: Skipped) -> Result<Outcome> {
        self.journal.open_last(self.surroundings)?;
        self.end_user_digests();
        let told = self.baseline.take().map(Baseline::finish).unwrap_or_default();
        self.note_baseline(told);
        self.tick(counters, skipped);
        let counters = &self.with_own_rows(counters);
        let now = self.ledger("stop");
        for entry in self.accounting.unaccounted(counters, &now) {
            self.note(entry);
        }
        let detail = self.accounting.detail(counters, skipped);
        let mut counts: Value = serde_json::from_str(&detail)?;
        counts["sender"] = serde_json::to_value(&stop.sender)?;
        if let Some(listed) = &self.listed {
            counts["listed"] = listed.rows().into();
        }
        let entry = LedgerEntry { cause: Some(stop.cause.clone()), detail: Some(counts.to_string()), ..now };
        self.note(entry.clone());
        let mut errors: Vec<String> =
            self.waiting.iter().map(|entry| format!("no space for a ledger entry ({})", entry.kind)).collect();
        let mut sealed = self.journal.finish()?;
        errors.extend(sealed.unsealed.into_iter().map(|(_, error)| error));
        if errors.is_empty() {
            let end = json!({
                "recording_id": self.session.recording_id,
                "state": "SEALED",
                "time": entry.time.rfc3339(),
                "boot_ns": entry.boot_ns,
                "cause": stop.cause,
                "sender": stop.sender,
                "counts": serde_json::from_str::<Value>(&detail)?,
            });
            sealed.manifest.append(&[("stop", end)])?;
            errors.extend(sealed.manifest.take_fault());
        }
        let totals = self.accounting.totals(counters);
        Ok(Outcome { totals, manifest: sealed.manifest, errors })
    }
}
