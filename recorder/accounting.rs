//! What was produced, stored and dropped on each CPU: produced = stored + dropped + suppressed.

use crate::sensor::CpuCounters;
use hashtrail::ledger::LedgerEntry;
use serde::Serialize;
use std::collections::BTreeMap;

/// Totals of one CPU since the start of the recording, as heartbeats state them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CpuTotals {
    /// CPU.
    pub(crate) cpu: u32,
    /// Rows that matching hook entries asked for.
    pub(crate) produced: u64,
    /// Rows in the journal and in sealed files.
    pub(crate) stored: u64,
    /// Rows lost, by all causes.
    pub(crate) dropped: u64,
    /// Rows that rate limits stopped.
    pub(crate) suppressed: u64,
    /// Calls that were not looked at: nested in a hash, or without memory.
    pub(crate) missed: u64,
    /// Part of `missed`: inside a hash of the same thread, so no act of the task.
    pub(crate) missed_nested: u64,
    /// Part of `missed`: the kernel had no memory for the task. Whether a policy asked for the call is not known.
    pub(crate) missed_no_memory: u64,
    /// Part of `dropped`: the ring had no space.
    pub(crate) dropped_ring_full: u64,
    /// Part of `dropped`: the CPU has no ring.
    pub(crate) dropped_no_ring: u64,
    /// Part of `dropped`: the journal had no space.
    pub(crate) dropped_journal_full: u64,
    /// Calls that no selector matched.
    pub(crate) filtered: u64,
    /// Calls by the recorder itself.
    pub(crate) own_calls: u64,
    /// Rows without a path, for want of scratch memory.
    pub(crate) no_scratch: u64,
    /// Digests asked of IMA.
    pub(crate) digests: u64,
    /// Digests that served a second hook of the same exec.
    pub(crate) digests_reused: u64,
    /// Files that IMA read, for anyone.
    pub(crate) hashed_files: u64,
    /// Bytes of those files.
    pub(crate) hashed_bytes: u64,
}

/// Counts what the drain does, and compares it with what the kernel counts.
#[derive(Debug, Default)]
pub(crate) struct Accounting {
    stored: BTreeMap<u32, u64>,
    journal_full: BTreeMap<u32, u64>,
    unreadable: u64,
    reported: Vec<CpuTotals>,
    reported_recursion_misses: u64,
    reported_ns: Option<i64>,
}

impl Accounting {
    /// One record of this CPU left its ring, and was stored or not.
    pub(crate) fn taken(&mut self, cpu: u32, stored: bool) {
        let counts = if stored { &mut self.stored } else { &mut self.journal_full };
        *counts.entry(cpu).or_default() += 1;
    }

    /// One record was too short to say its CPU.
    pub(crate) fn unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// The totals of each CPU that produced anything or may.
    pub(crate) fn totals(&self, counters: &[CpuCounters]) -> Vec<CpuTotals> {
        let of = |counts: &BTreeMap<u32, u64>, cpu: u32| counts.get(&cpu).copied().unwrap_or_default();
        counters
            .iter()
            .map(|CpuCounters { cpu, counts }| {
                let dropped_journal_full = of(&self.journal_full, *cpu);
                CpuTotals {
                    cpu: *cpu,
                    produced: counts.seq,
                    stored: of(&self.stored, *cpu),
                    dropped: counts.dropped_ring_full + counts.dropped_no_ring + dropped_journal_full,
                    suppressed: 0,
                    missed: counts.missed_nested + counts.missed_no_memory,
                    missed_nested: counts.missed_nested,
                    missed_no_memory: counts.missed_no_memory,
                    dropped_ring_full: counts.dropped_ring_full,
                    dropped_no_ring: counts.dropped_no_ring,
                    dropped_journal_full,
                    filtered: counts.filtered,
                    own_calls: counts.own_calls,
                    no_scratch: counts.no_scratch,
                    digests: counts.digests,
                    digests_reused: counts.digests_reused,
                    hashed_files: counts.hashed_files,
                    hashed_bytes: counts.hashed_bytes,
                }
            })
            .collect()
    }

    /// The detail of a heartbeat or stop: one JSON object.
    pub(crate) fn detail(&self, counters: &[CpuCounters], recursion_misses: u64) -> String {
        serde_json::json!({
            "cpus": self.totals(counters),
            "recursion_misses": recursion_misses,
            "unreadable": self.unreadable,
        })
        .to_string()
    }

    /// The heartbeat of this moment, and a loss entry for what was lost since the last one, by CPU and cause. `now` is
    /// an empty entry of this moment.
    pub(crate) fn heartbeat(
        &mut self,
        counters: &[CpuCounters],
        recursion_misses: u64,
        now: &LedgerEntry,
    ) -> Vec<LedgerEntry> {
        let totals = self.totals(counters);
        let mut entries = vec![LedgerEntry { detail: Some(self.detail(counters, recursion_misses)), ..now.clone() }];
        for current in &totals {
            let before = self.reported.iter().find(|before| before.cpu == current.cpu).copied().unwrap_or_default();
            entries.extend(losses(&before, current).into_iter().map(|(cause, count)| LedgerEntry {
                cpu: Some(current.cpu.cast_signed()),
                first_seq: Some(before.produced.cast_signed()),
                last_seq: Some(current.produced.saturating_sub(1).cast_signed()),
                ..self.loss(cause, count, now)
            }));
        }
        let recursion = recursion_misses.saturating_sub(self.reported_recursion_misses);
        if recursion > 0 {
            entries.push(self.loss("recursion", recursion, now));
        }
        self.reported = totals;
        self.reported_recursion_misses = recursion_misses;
        self.reported_ns = Some(now.boot_ns);
        entries
    }

    /// A loss between the last heartbeat and this moment.
    fn loss(&self, cause: &str, count: u64, now: &LedgerEntry) -> LedgerEntry {
        LedgerEntry {
            kind: "loss".into(),
            cause: Some(cause.into()),
            from_ns: Some(self.reported_ns.unwrap_or(0)),
            to_ns: Some(now.boot_ns),
            count: Some(count.cast_signed()),
            ..now.clone()
        }
    }
}

/// What was lost between two totals of one CPU, by cause.
fn losses(before: &CpuTotals, current: &CpuTotals) -> Vec<(&'static str, u64)> {
    [
        ("ring_full", before.dropped_ring_full, current.dropped_ring_full),
        ("no_ring", before.dropped_no_ring, current.dropped_no_ring),
        ("journal_full", before.dropped_journal_full, current.dropped_journal_full),
        ("no_memory", before.missed_no_memory, current.missed_no_memory),
    ]
    .into_iter()
    .map(|(cause, before, current)| (cause, current.saturating_sub(before)))
    .filter(|(_, count)| *count > 0)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn a_loss_is_stated_once_with_its_bounds() {
        let mut accounting = Accounting::default();
        let counters = |seq, dropped_ring_full| {
            [CpuCounters { cpu: 3, counts: wire::counters { seq, dropped_ring_full, ..wire::counters::default() } }]
        };
        let at = |boot_ns| LedgerEntry { boot_ns, kind: "heartbeat".into(), ..LedgerEntry::default() };
        accounting.taken(3, true);
        assert_eq!(accounting.heartbeat(&counters(1, 0), 0, &at(10)).len(), 1);
        accounting.taken(3, true);
        accounting.taken(3, false);
        let entries = accounting.heartbeat(&counters(8, 5), 2, &at(20));
        let found: Vec<_> = entries
            .iter()
            .skip(1)
            .map(|entry| {
                (entry.cause.as_deref(), entry.count, entry.first_seq, entry.last_seq, entry.from_ns, entry.to_ns)
            })
            .collect();
        assert_eq!(
            found,
            [
                (Some("ring_full"), Some(5), Some(1), Some(7), Some(10), Some(20)),
                (Some("journal_full"), Some(1), Some(1), Some(7), Some(10), Some(20)),
                (Some("recursion"), Some(2), None, None, Some(10), Some(20)),
            ]
        );
        assert_eq!(accounting.heartbeat(&counters(8, 5), 2, &at(30)).len(), 1);
        let totals = accounting.totals(&counters(8, 5));
        assert_eq!((totals[0].produced, totals[0].stored, totals[0].dropped), (8, 2, 6));
    }
}
