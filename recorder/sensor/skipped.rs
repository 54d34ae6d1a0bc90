//! Runs of programs that the kernel's recursion guard skipped: it lets a program run once at a time on each CPU, also where
//! a task in it was preempted for another. Guarded are all programs up to Linux 6.1 without the backport of 271de525e1d7,
//! then only tracing programs; since 7 those can be preempted too.

use hashtrail::ledger::LedgerEntry;
use serde::Serialize;

/// Counts since the start of the recording, by what the programs are there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Skipped {
    /// Of programs that record calls: those have no row.
    pub(crate) events: u64,
    /// Of the programs that follow forks: those have no row, and the child begins without what its parent had.
    pub(crate) forks: u64,
    /// Of the programs on IMA's hash function: a digest that only they vouch for is marked `not_revalidated` where both of a
    /// pair were skipped.
    pub(crate) hash_probes: u64,
}

impl Skipped {
    /// What came since other counts, as ledger entries with the bounds of `span`.
    pub(crate) fn entries_since(self, before: Self, span: &LedgerEntry) -> Vec<LedgerEntry> {
        let counts = [
            ("loss", "recursion", before.events, self.events),
            ("skipped", "fork", before.forks, self.forks),
            ("skipped", "hash_probe", before.hash_probes, self.hash_probes),
        ];
        let new = counts.map(|(kind, cause, before, now)| (kind, cause, now.saturating_sub(before)));
        let entry = |(kind, cause, count): (&str, &str, u64)| LedgerEntry {
            kind: kind.into(),
            cause: Some(cause.into()),
            count: Some(count.cast_signed()),
            ..span.clone()
        };
        new.into_iter().filter(|(_, _, count)| *count > 0).map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_skipped_event_is_a_loss() {
        let before = Skipped { events: 1, forks: 2, hash_probes: 3 };
        let span = LedgerEntry { from_ns: Some(10), to_ns: Some(20), ..LedgerEntry::default() };
        let entries = Skipped { events: 5, forks: 7, hash_probes: 3 }.entries_since(before, &span);
        let found: Vec<_> =
            entries.iter().map(|entry| (entry.kind.as_str(), entry.cause.as_deref(), entry.count)).collect();
        assert_eq!(found, [("loss", Some("recursion"), Some(4)), ("skipped", Some("fork"), Some(5))]);
        assert!(entries.iter().all(|entry| (entry.from_ns, entry.to_ns) == (Some(10), Some(20))));
        assert!(before.entries_since(before, &span).is_empty());
    }
}
