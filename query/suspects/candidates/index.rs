//! Which intervals of those that share a key hold a moment: found without a look at the others, however many they are.

use crate::recordings::gaps::Mark;
use std::ops::ControlFlow;

/// When a change happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) after: Mark,
    pub(super) before: Mark,
    /// Number of the change.
    pub(super) change: usize,
}

/// Intervals by their keys. Those of one key stand together in the order of their begin, and are a tree: the middle one of a
/// stretch is above its two halves and knows how late any of the stretch ends.
#[derive(Debug, Default)]
pub(super) struct Index {
    intervals: Vec<Interval>,
    entries: Vec<Entry>,
}

/// An interval under one of its keys. Places are short: a long path has a key for each of its ends.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    /// Place of the interval.
    interval: u32,
    /// Place of the interval that ends last in the stretch of which this one is the middle.
    latest: u32,
}

impl Index {
    /// Adds an interval under all these keys.
    pub(super) fn add(&mut self, interval: Interval, keys: impl IntoIterator<Item = u64>) {
        // There are far less changes: they stand in memory.
        let place = u32::try_from(self.intervals.len()).unwrap_or(u32::MAX);
        self.intervals.push(interval);
        self.entries.extend(keys.into_iter().map(|key| Entry { key, interval: place, latest: place }));
    }

    /// Once all are there.
    pub(super) fn sort(&mut self) {
        let Self { intervals, entries } = self;
        let after = |entry: &Entry| intervals[entry.interval as usize].after;
        entries.sort_unstable_by_key(|entry| (entry.key, after(entry), entry.interval));
        entries.dedup_by_key(|entry| (entry.key, entry.interval));
        for of_key in entries.chunk_by_mut(|left, right| left.key == right.key) {
            note_latest(intervals, of_key);
        }
    }

    /// Hands on the change of each interval that has the key and holds the moment, until no more is wanted.
    pub(super) fn each(&self, key: u64, at: Mark, found: &mut impl FnMut(usize) -> ControlFlow<()>) -> ControlFlow<()> {
        let from = &self.entries[self.entries.partition_point(|entry| entry.key < key)..];
        self.holding(&from[..from.partition_point(|entry| entry.key == key)], at, found)
    }

    fn holding(
        &self,
        stretch: &[Entry],
        at: Mark,
        found: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(middle) = stretch.get(stretch.len() / 2) else { return ControlFlow::Continue(()) };
        if self.intervals[middle.latest as usize].before < at {
            return ControlFlow::Continue(());
        }
        self.holding(&stretch[..stretch.len() / 2], at, found)?;
        let interval = &self.intervals[middle.interval as usize];
        if interval.after > at {
            return ControlFlow::Continue(());
        }
        if interval.before >= at {
            found(interval.change)?;
        }
        self.holding(&stretch[stretch.len() / 2 + 1..], at, found)
    }
}

/// Notes in a stretch how late it ends, and its halves; gives the place of the interval that ends last.
fn note_latest(intervals: &[Interval], stretch: &mut [Entry]) -> Option<u32> {
    let middle = stretch.len() / 2;
    let (left, right) = stretch.split_at_mut(middle);
    let (middle, right) = right.split_first_mut()?;
    let of_halves = [note_latest(intervals, left), note_latest(intervals, right)];
    let places = of_halves.into_iter().flatten().chain([middle.interval]);
    let latest = places.max_by_key(|place| intervals[*place as usize].before)?;
    middle.latest = latest;
    Some(latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(boot_ns: i64) -> Mark {
        Mark { rank: 0, boot_ns }
    }

    fn found(index: &Index, key: u64, at: i64) -> Vec<usize> {
        let mut changes = Vec::new();
        let ended = index.each(key, mark(at), &mut |change| {
            changes.push(change);
            ControlFlow::Continue(())
        });
        assert!(ended.is_continue());
        changes.sort_unstable();
        changes
    }

    #[test]
    fn what_is_found_is_what_holds_the_moment() {
        let mut seed = 1_u64;
        let mut below = |limit: i64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from(seed >> 33).unwrap_or(0) % limit
        };
        for count in 0..80 {
            let mut index = Index::default();
            let mut all = Vec::new();
            for change in 0..count {
                let after = below(100);
                let interval = Interval { after: mark(after), before: mark(after + below(30)), change };
                let keys = [below(3), below(3)].map(i64::cast_unsigned);
                all.push((interval, keys));
                index.add(interval, keys);
            }
            index.sort();
            for key in 0..4 {
                for at in -1..132 {
                    let holds = |interval: &Interval| interval.after <= mark(at) && mark(at) <= interval.before;
                    let expected = all.iter().filter(|(interval, keys)| keys.contains(&key) && holds(interval));
                    let expected: Vec<usize> = expected.map(|(interval, _)| interval.change).collect();
                    assert_eq!(found(&index, key, at), expected, "{count} intervals, key {key} at {at}");
                }
            }
        }
    }

    #[test]
    fn whoever_has_enough_gets_no_more() {
        let mut index = Index::default();
        (0..9).for_each(|change| index.add(Interval { after: mark(1), before: mark(9), change }, [7]));
        index.sort();
        let mut count = 0;
        let ended = index.each(7, mark(5), &mut |_| {
            count += 1;
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((ended, count), (ControlFlow::Break(()), 2));
    }
}
