//! Sorts more than memory should hold: what is too much waits, sorted, in temporary files that have no name, and is merged.

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Lines, Seek, Write};
use std::rc::Rc;
use std::vec::IntoIter;

/// What one sort may hold in memory.
const HELD_BYTES: usize = 48 << 20;

/// What can be sorted.
pub(crate) trait Sortable: Serialize + DeserializeOwned {
    /// About what it takes in memory.
    fn bytes(&self) -> usize;
}

/// Which of two comes first.
type Order<T> = Rc<dyn Fn(&T, &T) -> Ordering>;

/// Takes what is to be sorted. Equals stay in the order in which they came.
pub(crate) struct Sorter<T> {
    order: Order<T>,
    /// How many of the first are wanted.
    limit: usize,
    most_bytes: usize,
    held: Vec<T>,
    held_bytes: usize,
    /// Each with one sorted item a line.
    spilled: Vec<File>,
}

impl<T: Sortable> Sorter<T> {
    pub(crate) fn new(order: impl Fn(&T, &T) -> Ordering + 'static) -> Self {
        let order = Rc::new(order);
        Self { order, limit: usize::MAX, most_bytes: HELD_BYTES, held: Vec::new(), held_bytes: 0, spilled: Vec::new() }
    }

    /// Only so many of the first are wanted.
    pub(crate) fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Takes the next.
    ///
    /// # Errors
    /// When memory is full and a temporary file cannot be written.
    pub(crate) fn push(&mut self, item: T) -> Result<()> {
        self.held_bytes += item.bytes();
        self.held.push(item);
        if self.held_bytes > self.most_bytes { self.make_room() } else { Ok(()) }
    }

    /// All that came, sorted.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(crate) fn finish(mut self) -> Result<Sorted<T>> {
        self.sort();
        let spilled = self.spilled.into_iter().map(|mut file| {
            file.rewind()?;
            Ok(Source::Spilled(BufReader::new(file).lines()))
        });
        let mut sources = spilled.collect::<Result<Vec<_>>>()?;
        sources.push(Source::Held(self.held.into_iter()));
        let mut sorted = Sorted { order: self.order, sources, heads: BinaryHeap::new() };
        (0..sorted.sources.len()).try_for_each(|source| sorted.advance(source))?;
        Ok(sorted)
    }

    fn sort(&mut self) {
        self.held.sort_by(|left, right| (self.order)(left, right));
        self.held.truncate(self.limit);
    }

    fn make_room(&mut self) -> Result<()> {
        self.sort();
        self.held_bytes = self.held.iter().map(Sortable::bytes).sum();
        if self.held_bytes <= self.most_bytes / 2 {
            return Ok(());
        }
        let file = tempfile::tempfile().and_then(|file| {
            let mut writer = BufWriter::new(file);
            for item in self.held.drain(..) {
                serde_json::to_writer(&mut writer, &item)?;
                writer.write_all(b"\n")?;
            }
            Ok(writer.into_inner()?)
        });
        let folder = || format!("cannot sort in `{}`, which TMPDIR names", std::env::temp_dir().display());
        self.spilled.push(file.with_context(folder)?);
        self.held_bytes = 0;
        Ok(())
    }
}

/// What was sorted, in order.
pub(crate) struct Sorted<T> {
    order: Order<T>,
    /// In the order in which their items came.
    sources: Vec<Source<T>>,
    /// The next item of each.
    heads: BinaryHeap<Head<T>>,
}

enum Source<T> {
    Held(IntoIter<T>),
    Spilled(Lines<BufReader<File>>),
}

struct Head<T> {
    item: T,
    source: usize,
    order: Order<T>,
}

impl<T: Sortable> Sorted<T> {
    /// Takes the next item of a source to the heads.
    fn advance(&mut self, source: usize) -> Result<()> {
        let item = match &mut self.sources[source] {
            Source::Held(items) => items.next(),
            Source::Spilled(lines) => {
                let line = lines.next().transpose().context("cannot read a temporary file")?;
                line.map(|line| serde_json::from_str(&line)).transpose().context("a temporary file was changed")?
            }
        };
        self.heads.extend(item.map(|item| Head { item, source, order: Rc::clone(&self.order) }));
        Ok(())
    }
}

impl<T: Sortable> Iterator for Sorted<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let Head { item, source, .. } = self.heads.pop()?;
        Some(self.advance(source).map(|()| item))
    }
}

/// What was sorted, in groups of neighbours: only one item of a group is held.
pub(crate) struct Grouped<T> {
    sorted: Sorted<T>,
    /// The first item of the next group.
    next: Option<T>,
}

impl<T: Sortable + PartialEq> Grouped<T> {
    /// # Errors
    /// When a temporary file cannot be read.
    pub(crate) fn new(mut sorted: Sorted<T>) -> Result<Self> {
        let next = sorted.next().transpose()?;
        Ok(Self { sorted, next })
    }

    /// Hands the items of the next group to `each`, those that equal the one before them once; gives the first.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(crate) fn next_group(
        &mut self,
        is_one: impl Fn(&T, &T) -> bool,
        mut each: impl FnMut(&T),
    ) -> Result<Option<T>> {
        let Some(first) = self.next.take() else { return Ok(None) };
        each(&first);
        let mut last = None;
        for item in self.sorted.by_ref() {
            let item = item?;
            if !is_one(&first, &item) {
                self.next = Some(item);
                break;
            }
            if *last.as_ref().unwrap_or(&first) != item {
                each(&item);
            }
            last = Some(item);
        }
        Ok(Some(first))
    }
}

/// The heap gives its greatest: the first item of the first source.
impl<T> Ord for Head<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.order)(&other.item, &self.item).then(other.source.cmp(&self.source))
    }
}

impl<T> PartialOrd for Head<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Head<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Head<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    impl Sortable for (u32, u32) {
        fn bytes(&self) -> usize {
            8
        }
    }

    /// Sorts by the first number; the second says when it came. Holds so many at most.
    fn sorted(most: usize, limit: usize, numbers: &[u32]) -> Result<(Vec<(u32, u32)>, usize)> {
        let sorter = Sorter::new(|left: &(u32, u32), right: &(u32, u32)| left.0.cmp(&right.0));
        let mut sorter = Sorter { most_bytes: most * 8, ..sorter.with_limit(limit) };
        numbers.iter().zip(0..).try_for_each(|(number, at)| sorter.push((*number, at)))?;
        let files = sorter.spilled.len();
        let items = sorter.finish()?.take(limit).collect::<Result<Vec<_>>>()?;
        Ok((items, files))
    }

    #[test]
    fn what_does_not_fit_is_sorted_all_the_same() -> Result<()> {
        let numbers: Vec<u32> = (0..1000).map(|number| number * 7919 % 101).collect();
        let mut expected: Vec<(u32, u32)> = numbers.iter().copied().zip(0..).collect();
        expected.sort_by_key(|(number, _)| *number);
        assert_eq!(sorted(1000, usize::MAX, &numbers)?, (expected.clone(), 0));
        assert_eq!(sorted(99, usize::MAX, &numbers)?, (expected, 10));
        Ok(())
    }

    #[test]
    fn neighbours_come_in_groups_and_equal_ones_once() -> Result<()> {
        let mut sorter = Sorter::new(|left: &(u32, u32), right: &(u32, u32)| left.cmp(right));
        [(2, 1), (1, 7), (2, 1), (1, 8), (2, 1), (3, 0)].into_iter().try_for_each(|item| sorter.push(item))?;
        let mut grouped = Grouped::new(sorter.finish()?)?;
        let mut groups = Vec::new();
        loop {
            let mut group = Vec::new();
            let first = grouped.next_group(|left, right| left.0 == right.0, |item| group.push(item.1))?;
            let Some(first) = first else { break };
            groups.push((first.0, group));
        }
        assert_eq!(groups, [(1, vec![7, 8]), (2, vec![1]), (3, vec![0])]);
        Ok(())
    }

    #[test]
    fn what_no_limit_lets_through_is_not_kept() -> Result<()> {
        let numbers: Vec<u32> = (0..1000).map(|number| number * 7919 % 101).collect();
        let (all, _) = sorted(1000, usize::MAX, &numbers)?;
        assert_eq!(sorted(99, 20, &numbers)?, (all[..20].to_vec(), 0));
        assert_eq!(sorted(99, 60, &numbers)?, (all[..60].to_vec(), 10));
        Ok(())
    }
}
