//! What was produced, stored and dropped on each CPU: produced = stored + dropped + suppressed.

use crate::content::hasher::HasherCounts;
use crate::journal::Full;
use crate::record::key::RecordKey;
use crate::sensor::CpuCounters;
use crate::sensor::skipped::Skipped;
use hashtrail::ledger::LedgerEntry;
use serde::Serialize;
use std::collections::BTreeMap;

/// Totals of one CPU since the start of the recording, as heartbeats state them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CpuTotals {
    /// CPU; -1 for the rows that user space makes.
    pub(crate) cpu: i32,
    /// Rows that matching hook entries asked for.
    pub(crate) produced: u64,
    /// Rows in the journal and in sealed files.
    pub(crate) stored: u64,
    /// Rows lost, by all causes.
    pub(crate) dropped: u64,
    /// Rows that rate limits and merges stopped.
    pub(crate) suppressed: u64,
    /// Part of `suppressed`: rate limits.
    pub(crate) suppressed_rate_limit: u64,
    /// Part of `suppressed`: merged into an earlier row of the same file and digest.
    pub(crate) suppressed_dedupe: u64,
    /// Calls that were not looked at: nested in a hash, in an interrupt, or without memory.
    pub(crate) missed: u64,
    /// Part of `missed`: inside a hash of the same thread, so no act of the task.
    pub(crate) missed_nested: u64,
    /// Part of `missed`: in an interrupt, so no act of the task that was interrupted. Only hooks by name can be there.
    pub(crate) missed_interrupt: u64,
    /// Part of `missed`: the kernel had no memory for the task. Whether a policy asked for the call is not known.
    pub(crate) missed_no_memory: u64,
    /// Part of `dropped`: the ring had no space.
    pub(crate) dropped_ring_full: u64,
    /// Part of `dropped`: the CPU has no ring.
    pub(crate) dropped_no_ring: u64,
    /// Part of `dropped`: the journal had no space.
    pub(crate) dropped_journal_full: u64,
    /// Part of `dropped`: the disk had no space for the journal.
    pub(crate) dropped_disk_full: u64,
    /// Calls that no selector matched, without those that a gate stopped.
    pub(crate) filtered: u64,
    /// Calls that matched but for the filter on their digest.
    pub(crate) dropped_by_digest: u64,
    /// Denials and signals of selectors that post nothing.
    pub(crate) acts_without_row: u64,
    /// Calls by the recorder itself.
    pub(crate) own_calls: u64,
    /// Calls whose texts could not be built, for want of scratch memory.
    pub(crate) no_scratch: u64,
    /// Rows that a filter could not be evaluated for.
    pub(crate) undecided: u64,
    /// Digests asked of IMA.
    pub(crate) digests: u64,
    /// Digests that were kept: of an earlier hook of the same exec, or of a file that cannot have changed.
    pub(crate) digests_reused: u64,
    /// Files that IMA read, for anyone.
    pub(crate) hashed_files: u64,
    /// Bytes of those files.
    pub(crate) hashed_bytes: u64,
}

impl CpuTotals {
    /// Rows that got a sequence number.
    fn numbered(&self) -> u64 {
        self.produced - self.suppressed
    }
}

/// What the drain saw of one CPU.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    stored: u64,
    journal_full: u64,
    disk_full: u64,
    /// One more than the highest sequence number.
    next_seq: u64,
    last_ns: i64,
    /// What is missing since the last heartbeat, as bounds.
    hole: Option<Hole>,
    /// Holes that no counter explained at the last heartbeat, and those that were reported.
    unexplained: u64,
    reported_unexplained: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hole {
    first_seq: u64,
    last_seq: u64,
    from_ns: i64,
}

impl Seen {
    fn taken(&self) -> u64 {
        self.stored + self.journal_full + self.disk_full
    }

    fn take(&mut self, key: RecordKey, full: Option<Full>) {
        match full {
            None => self.stored += 1,
            Some(Full::Journal) => self.journal_full += 1,
            Some(Full::Disk) => self.disk_full += 1,
        }
        if key.seq > self.next_seq {
            self.widen(self.next_seq, key.seq - 1, self.last_ns);
        }
        if full.is_some() {
            self.widen(key.seq, key.seq, key.boot_ns.min(self.last_ns));
        }
        self.next_seq = self.next_seq.max(key.seq + 1);
        self.last_ns = self.last_ns.max(key.boot_ns);
    }

    fn widen(&mut self, first_seq: u64, last_seq: u64, from_ns: i64) {
        let hole = self.hole.get_or_insert(Hole { first_seq, last_seq, from_ns });
        hole.first_seq = hole.first_seq.min(first_seq);
        hole.last_seq = hole.last_seq.max(last_seq);
        hole.from_ns = hole.from_ns.min(from_ns);
    }
}

/// Counts what the drain does, and compares it with what the kernel counts.
#[derive(Debug, Default)]
pub(crate) struct Accounting {
    seen: BTreeMap<u32, Seen>,
    unreadable: u64,
    user_digests: HasherCounts,
    reported_user_digests: HasherCounts,
    reported: Vec<CpuTotals>,
    reported_skipped: Skipped,
    reported_ns: Option<i64>,
}

impl Accounting {
    /// One record left its ring, and was stored or not.
    pub(crate) fn taken(&mut self, key: RecordKey, full: Option<Full>) {
        self.seen.entry(key.cpu).or_default().take(key, full);
    }

    /// One record was too short to say its CPU.
    pub(crate) fn unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// What became of the digests that user space was to take.
    pub(crate) fn user_digests(&mut self, counts: HasherCounts) {
        self.user_digests = counts;
    }

    /// The totals of each CPU that produced anything or may.
    pub(crate) fn totals(&self, counters: &[CpuCounters]) -> Vec<CpuTotals> {
        counters
            .iter()
            .map(|CpuCounters { cpu, counts, .. }| {
                let seen = self.seen.get(cpu).copied().unwrap_or_default();
                let dropped_in_kernel = counts.dropped_ring_full + counts.dropped_no_ring;
                CpuTotals {
                    cpu: cpu.cast_signed(),
                    produced: counts.seq + counts.suppressed_limit + counts.suppressed_dedupe,
                    stored: seen.stored,
                    dropped: dropped_in_kernel + seen.journal_full + seen.disk_full,
                    suppressed: counts.suppressed_limit + counts.suppressed_dedupe,
                    suppressed_rate_limit: counts.suppressed_limit,
                    suppressed_dedupe: counts.suppressed_dedupe,
                    missed: counts.missed_nested + counts.missed_interrupt + counts.missed_no_memory,
                    missed_nested: counts.missed_nested,
                    missed_interrupt: counts.missed_interrupt,
                    missed_no_memory: counts.missed_no_memory,
                    dropped_ring_full: counts.dropped_ring_full,
                    dropped_no_ring: counts.dropped_no_ring,
                    dropped_journal_full: seen.journal_full,
                    dropped_disk_full: seen.disk_full,
                    filtered: counts.filtered,
                    dropped_by_digest: counts.dropped_by_digest,
                    acts_without_row: counts.acts_without_row,
                    own_calls: counts.own_calls,
                    no_scratch: counts.no_scratch,
                    undecided: counts.undecided,
                    digests: counts.digests,
                    digests_reused: counts.digests_reused,
                    hashed_files: counts.hashed_files,
                    hashed_bytes: counts.hashed_bytes,
                }
            })
            .collect()
    }

    /// The detail of a heartbeat or stop: one JSON object.
    pub(crate) fn detail(&self, counters: &[CpuCounters], skipped: Skipped) -> String {
        serde_json::json!({
            "cpus": self.totals(counters),
            "skipped": skipped,
            "unreadable": self.unreadable,
            "user_digests": self.user_digests.answered,
            "user_digests_remembered": self.user_digests.remembered,
            "user_digests_dropped": self.user_digests.dropped,
        })
        .to_string()
    }

    /// The heartbeat of this moment, and an entry for what was lost since the last one, by CPU and cause. `now` is an
    /// empty entry of this moment.
    pub(crate) fn heartbeat(
        &mut self,
        counters: &[CpuCounters],
        skipped: Skipped,
        now: &LedgerEntry,
    ) -> Vec<LedgerEntry> {
        let totals = self.totals(counters);
        let mut entries = vec![LedgerEntry { detail: Some(self.detail(counters, skipped)), ..now.clone() }];
        for (current, CpuCounters { counts, .. }) in totals.iter().zip(counters) {
            let before = self.reported.iter().find(|before| before.cpu == current.cpu).copied().unwrap_or_default();
            let span = LedgerEntry { cpu: Some(current.cpu), ..self.since_last_heartbeat(now, counts.slowest_loss_ns) };
            let stopped = suppressed(&before, current).into_iter();
            entries.extend(stopped.map(|(cause, count)| loss("suppressed", cause, count, &span)));
            let missed = missed(&before, current).into_iter();
            entries.extend(missed.map(|(cause, count)| loss("loss", cause, count, &span)));
            let lost = losses(&before, current);
            let vanished = self.vanished(current, false);
            if !lost.is_empty() || vanished > 0 {
                let bounds = self.bounds(current, &before, counts.slowest_loss_ns, now);
                entries.extend(lost.into_iter().map(|(cause, count)| loss("loss", cause, count, &bounds)));
                entries.extend((vanished > 0).then(|| loss("tamper", "records_vanished", vanished, &bounds)));
            }
        }
        entries.extend(skipped.entries_since(self.reported_skipped, &self.since_last_heartbeat(now, 0)));
        let digests = self.user_digests.dropped - self.reported_user_digests.dropped;
        if digests > 0 {
            let span = self.since_last_heartbeat(now, 0);
            let from_ns = span.from_ns.min(self.user_digests.dropped_from_ns.or(span.from_ns));
            entries.push(loss("loss", "user_digests", digests, &LedgerEntry { from_ns, ..span }));
        }
        self.reported_user_digests = self.user_digests;
        self.reported = totals;
        self.reported_skipped = skipped;
        self.reported_ns = counters.iter().map(|cpu| cpu.read_ns).min();
        self.seen.values_mut().for_each(|seen| seen.hole = None);
        entries
    }

    /// The time of the acts whose loss was counted since then: a call is lost some time after its hook was entered.
    fn since_last_heartbeat(&self, now: &LedgerEntry, slowest_ns: u64) -> LedgerEntry {
        let from_ns = self.reported_ns.unwrap_or(0).saturating_sub(slowest_ns.cast_signed());
        LedgerEntry { from_ns: Some(from_ns.max(0)), to_ns: Some(now.boot_ns), ..now.clone() }
    }

    /// At the end, when nothing is on its way any more: what was produced and is neither stored nor counted as lost.
    pub(crate) fn unaccounted(&mut self, counters: &[CpuCounters], now: &LedgerEntry) -> Vec<LedgerEntry> {
        let mut entries = Vec::new();
        for (current, CpuCounters { counts, .. }) in self.totals(counters).iter().zip(counters) {
            let vanished = self.vanished(current, true);
            if vanished > 0 {
                let bounds = self.bounds(current, &CpuTotals::default(), counts.slowest_loss_ns, now);
                entries.push(loss("tamper", "records_vanished", vanished, &bounds));
            }
        }
        entries
    }

    /// Records that the kernel put into the ring and that did not come out, as far as not reported yet. Between the
    /// ends of a program records can come out of order, so a hole must stand for a heartbeat, unless this is the end.
    fn vanished(&mut self, current: &CpuTotals, is_end: bool) -> u64 {
        let seen = self.seen.entry(current.cpu.cast_unsigned()).or_default();
        let until = if is_end { current.numbered() } else { seen.next_seq };
        let missing = until.saturating_sub(seen.taken());
        let unexplained = missing.saturating_sub(current.dropped_ring_full + current.dropped_no_ring);
        let lasting = if is_end { unexplained } else { unexplained.min(seen.unexplained) };
        seen.unexplained = unexplained;
        let new = lasting.saturating_sub(seen.reported_unexplained);
        seen.reported_unexplained += new;
        new
    }

    /// The bounds of what is missing: from the last record before the holes that were seen, up to now. A call that was lost
    /// can have entered its hook before that record's, and after that of the record behind the hole.
    fn bounds(&self, current: &CpuTotals, before: &CpuTotals, slowest_ns: u64, now: &LedgerEntry) -> LedgerEntry {
        let seen = self.seen.get(&current.cpu.cast_unsigned()).copied().unwrap_or_default();
        let tail = Hole {
            first_seq: seen.next_seq.max(before.numbered()),
            last_seq: current.numbered().saturating_sub(1),
            from_ns: seen.last_ns.max(self.reported_ns.unwrap_or(0)),
        };
        let hole = match seen.hole {
            Some(hole) if tail.first_seq > tail.last_seq => hole,
            Some(hole) => Hole { last_seq: tail.last_seq, ..hole },
            None => Hole { first_seq: tail.first_seq.min(tail.last_seq), ..tail },
        };
        LedgerEntry {
            cpu: Some(current.cpu),
            first_seq: Some(hole.first_seq.cast_signed()),
            last_seq: Some(hole.last_seq.cast_signed()),
            from_ns: Some(hole.from_ns.saturating_sub(slowest_ns.cast_signed()).max(0)),
            to_ns: Some(now.boot_ns),
            ..now.clone()
        }
    }
}

/// An entry for what was lost within these bounds.
fn loss(kind: &str, cause: &str, count: u64, bounds: &LedgerEntry) -> LedgerEntry {
    LedgerEntry { kind: kind.into(), cause: Some(cause.into()), count: Some(count.cast_signed()), ..bounds.clone() }
}

/// What was lost between two totals of one CPU, by cause.
fn losses(before: &CpuTotals, current: &CpuTotals) -> Vec<(&'static str, u64)> {
    grown(&[
        ("ring_full", before.dropped_ring_full, current.dropped_ring_full),
        ("no_ring", before.dropped_no_ring, current.dropped_no_ring),
        ("journal_full", before.dropped_journal_full, current.dropped_journal_full),
        ("disk_full", before.dropped_disk_full, current.dropped_disk_full),
    ])
}

/// Calls of which all or a part is missing, whatever became of their rows, by cause.
fn missed(before: &CpuTotals, current: &CpuTotals) -> Vec<(&'static str, u64)> {
    grown(&[
        ("no_memory", before.missed_no_memory, current.missed_no_memory),
        ("no_scratch", before.no_scratch, current.no_scratch),
    ])
}

/// What the policies' own limits stopped between two totals of one CPU, by cause.
fn suppressed(before: &CpuTotals, current: &CpuTotals) -> Vec<(&'static str, u64)> {
    grown(&[
        ("rate_limit", before.suppressed_rate_limit, current.suppressed_rate_limit),
        ("dedupe", before.suppressed_dedupe, current.suppressed_dedupe),
        ("digest", before.dropped_by_digest, current.dropped_by_digest),
    ])
}

/// The counts that grew, and by how much.
fn grown(counts: &[(&'static str, u64, u64)]) -> Vec<(&'static str, u64)> {
    let growth = counts.iter().map(|(cause, before, current)| (*cause, current.saturating_sub(*before)));
    growth.filter(|(_, count)| *count > 0).collect()
}

#[cfg(test)]
mod tests;
