use super::*;
use crate::record::wire;

fn counters(seq: u64, dropped_ring_full: u64) -> [CpuCounters; 1] {
    lost(wire::counters { seq, dropped_ring_full, ..wire::counters::default() }, 10)
}

fn lost(counts: wire::counters, read_ns: i64) -> [CpuCounters; 1] {
    [CpuCounters { cpu: 3, read_ns, counts }]
}

fn at(boot_ns: i64) -> LedgerEntry {
    LedgerEntry { boot_ns, kind: "heartbeat".into(), ..LedgerEntry::default() }
}

fn key(seq: u64, boot_ns: i64) -> RecordKey {
    RecordKey { cpu: 3, seq, boot_ns, is_bulk: false }
}

type Bounds<'a> = (&'a str, Option<&'a str>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn bounds(entries: &[LedgerEntry]) -> Vec<Bounds<'_>> {
    let bounds = |entry: &'_ LedgerEntry| (entry.count, entry.first_seq, entry.last_seq, entry.from_ns, entry.to_ns);
    let all = |entry| {
        let (count, first, last, from, to) = bounds(entry);
        (entry.kind.as_str(), entry.cause.as_deref(), count, first, last, from, to)
    };
    entries.iter().skip(1).map(all).collect()
}

#[test]
fn a_loss_is_stated_once_with_its_bounds() {
    let mut accounting = Accounting::default();
    accounting.taken(key(0, 5), None);
    assert_eq!(accounting.heartbeat(&counters(1, 0), Skipped::default(), &at(10)).len(), 1);
    // 1 to 4 did not fit into the ring, 5 did, 6 did not fit into the journal.
    accounting.taken(key(5, 16), None);
    accounting.taken(key(6, 17), Some(Full::Disk));
    let entries = accounting.heartbeat(&counters(7, 4), Skipped { events: 2, ..Skipped::default() }, &at(20));
    let (from, to) = (Some(5), Some(20));
    assert_eq!(
        bounds(&entries),
        [
            ("loss", Some("ring_full"), Some(4), Some(1), Some(6), from, to),
            ("loss", Some("disk_full"), Some(1), Some(1), Some(6), from, to),
            ("loss", Some("recursion"), Some(2), None, None, Some(10), Some(20)),
        ]
    );
    assert_eq!(accounting.heartbeat(&counters(7, 4), Skipped { events: 2, ..Skipped::default() }, &at(30)).len(), 1);
    let totals = accounting.totals(&counters(7, 4));
    assert_eq!((totals[0].produced, totals[0].stored, totals[0].dropped), (7, 2, 5));
    assert!(accounting.unaccounted(&counters(7, 4), &at(40)).is_empty());
}

#[test]
fn what_is_lost_at_the_end_has_bounds_too() {
    let mut accounting = Accounting::default();
    accounting.taken(key(0, 5), None);
    let entries = accounting.heartbeat(&counters(4, 3), Skipped::default(), &at(10));
    assert_eq!(bounds(&entries), [("loss", Some("ring_full"), Some(3), Some(1), Some(3), Some(5), Some(10))]);
}

#[test]
fn a_hole_that_nothing_explains_is_tampering_once_it_lasts() {
    let mut accounting = Accounting::default();
    accounting.taken(key(0, 5), None);
    accounting.taken(key(3, 6), None);
    assert_eq!(accounting.heartbeat(&counters(4, 0), Skipped::default(), &at(10)).len(), 1, "it may still come");
    accounting.taken(key(2, 6), None);
    let entries = accounting.heartbeat(&counters(4, 0), Skipped::default(), &at(20));
    assert_eq!((entries[1].kind.as_str(), entries[1].count), ("tamper", Some(1)));
    assert_eq!(accounting.heartbeat(&counters(4, 0), Skipped::default(), &at(30)).len(), 1, "said once");
    let end = accounting.unaccounted(&counters(6, 1), &at(40));
    assert_eq!((end[0].count, end[0].last_seq), (Some(1), Some(5)), "5 was dropped or 4, one of them vanished");
}

#[test]
fn a_gap_covers_the_act_and_not_only_the_moment_in_which_its_loss_was_counted() {
    let mut accounting = Accounting::default();
    accounting.heartbeat(&lost(wire::counters::default(), 90), Skipped::default(), &at(100));
    let counts =
        wire::counters { no_scratch: 2, missed_no_memory: 1, slowest_loss_ns: 30, ..wire::counters::default() };
    let entries = accounting.heartbeat(&lost(counts, 190), Skipped::default(), &at(200));
    assert_eq!(
        bounds(&entries),
        [
            ("loss", Some("no_memory"), Some(1), None, None, Some(60), Some(200)),
            ("loss", Some("no_scratch"), Some(2), None, None, Some(60), Some(200)),
        ]
    );
    let later = wire::counters { no_scratch: 3, ..counts };
    let entries = accounting.heartbeat(&lost(later, 290), Skipped::default(), &at(300));
    assert_eq!(bounds(&entries), [("loss", Some("no_scratch"), Some(1), None, None, Some(160), Some(300))]);
}
