//! Processes below their parents, each once and in one order whatever the rows came in.

use super::recorded::Processes;
use super::{Parent, Process};

/// No process.
const NONE: u32 = u32::MAX;

/// Why nothing stands above a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// It has no parent.
    First,
    /// Its parent is not known.
    Unknown,
    /// The rows make it an ancestor of itself.
    Circle,
}

impl Root {
    pub(crate) const ALL: [Self; 3] = [Self::First, Self::Unknown, Self::Circle];

    /// As users see it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Unknown => "parent_unknown",
            Self::Circle => "circle",
        }
    }
}

/// All trees.
pub(crate) struct Family {
    /// Places of processes, each behind its parent and before that one's next child.
    pub(crate) order: Vec<u32>,
    /// By place of the process: place of its parent in the tree, or [`NONE`].
    parents: Vec<u32>,
    /// By place of the process.
    depths: Vec<u32>,
    /// Those that were cut off from their parents, in order.
    cut: Vec<u32>,
}

impl Family {
    /// Puts processes into trees, those of one parent in their order.
    pub(crate) fn of(processes: &Processes) -> Self {
        let list = &processes.list;
        let parents = list.iter().map(|process| {
            let key = process.parent?.key?;
            processes.place(&key)
        });
        let mut family = Self {
            order: Vec::with_capacity(list.len()),
            parents: parents.map(|place| place.unwrap_or(NONE)).collect(),
            depths: vec![0; list.len()],
            cut: Vec::new(),
        };
        family.cut_circles();
        family.put_in_order();
        family
    }

    /// In each circle the first process loses its parent.
    fn cut_circles(&mut self) {
        // On no way yet, and on one that ends at a root.
        const NEW: u32 = NONE;
        const DONE: u32 = NONE - 1;
        let mut on_way = vec![NEW; self.parents.len()];
        for begin in 0..u32::try_from(self.parents.len()).unwrap_or(NONE) {
            let mut place = begin;
            while place != NONE && on_way[place as usize] == NEW {
                on_way[place as usize] = begin;
                place = self.parents[place as usize];
            }
            if place != NONE && on_way[place as usize] == begin {
                self.cut_circle_at(place);
            }
            let mut place = begin;
            while place != NONE && on_way[place as usize] == begin {
                on_way[place as usize] = DONE;
                place = self.parents[place as usize];
            }
        }
        self.cut.sort_unstable();
    }

    /// Cuts the circle that a process is in.
    fn cut_circle_at(&mut self, begin: u32) {
        let (mut first, mut place) = (begin, self.parents[begin as usize]);
        while place != begin {
            first = first.min(place);
            place = self.parents[place as usize];
        }
        self.parents[first as usize] = NONE;
        self.cut.push(first);
    }

    fn put_in_order(&mut self) {
        let children = Children::of(&self.parents);
        let mut left: Vec<u32> =
            (0..).zip(&self.parents).filter(|(_, parent)| **parent == NONE).map(|(place, _)| place).collect();
        left.reverse();
        while let Some(place) = left.pop() {
            let parent = self.parents[place as usize];
            self.depths[place as usize] = if parent == NONE { 0 } else { self.depths[parent as usize] + 1 };
            self.order.push(place);
            left.extend(children.of_parent(place).iter().rev());
        }
    }

    /// Place of the parent.
    pub(crate) fn parent(&self, place: u32) -> Option<u32> {
        Some(self.parents[place as usize]).filter(|parent| *parent != NONE)
    }

    /// How many stand above.
    pub(crate) fn depth(&self, place: u32) -> u32 {
        self.depths[place as usize]
    }

    /// Why nothing stands above.
    pub(crate) fn root(&self, place: u32, process: &Process) -> Option<Root> {
        if self.parent(place).is_some() {
            return None;
        }
        Some(match process.parent {
            _ if self.cut.binary_search(&place).is_ok() => Root::Circle,
            Some(Parent { key: None, .. }) => Root::First,
            _ => Root::Unknown,
        })
    }

    /// How many processes the rows make ancestors of themselves.
    pub(crate) fn circles(&self) -> usize {
        self.cut.len()
    }
}

/// Children by their parents.
struct Children {
    list: Vec<u32>,
    /// By place of the parent where its children begin; one more at the end.
    begins: Vec<u32>,
}

impl Children {
    fn of(parents: &[u32]) -> Self {
        let mut begins = vec![0_u32; parents.len() + 1];
        for parent in parents.iter().filter(|parent| **parent != NONE) {
            begins[*parent as usize + 1] += 1;
        }
        for place in 1..begins.len() {
            begins[place] += begins[place - 1];
        }
        let mut next = begins.clone();
        let mut list = vec![0; begins.last().map_or(0, |count| *count as usize)];
        for (place, parent) in (0..).zip(parents).filter(|(_, parent)| **parent != NONE) {
            let next = &mut next[*parent as usize];
            list[*next as usize] = place;
            *next += 1;
        }
        Self { list, begins }
    }

    fn of_parent(&self, parent: u32) -> &[u32] {
        let bound = |place: usize| self.begins[place] as usize;
        &self.list[bound(parent as usize)..bound(parent as usize + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processes::{ParentSource, ProcessKey};

    /// Processes by number, each with the number of its parent.
    fn family(parents: &[usize]) -> (Processes, Family) {
        let key = |number: usize| ProcessKey { boot: 0, start_ns: i64::try_from(number).expect("a number"), pid: 1 };
        let process = |(number, parent): (usize, &usize)| Process {
            key: key(number),
            seen: None,
            parent: Some(Parent { key: Some(key(*parent)), source: ParentSource::Fork }),
            ran_before: false,
            is_told: true,
            is_in_ticks: false,
        };
        let processes = Processes::of(parents.iter().enumerate().map(process).collect());
        let family = Family::of(&processes);
        (processes, family)
    }

    #[test]
    fn each_circle_is_cut_at_its_first_process() {
        let (processes, family) = family(&[0, 4, 1, 2, 3, 6, 5, 3, 99, 8]);
        assert_eq!((family.order.as_slice(), family.circles()), (&[0, 1, 2, 3, 4, 7, 5, 6, 8, 9][..], 3));
        let root = |place: u32| family.root(place, &processes.list[place as usize]);
        assert_eq!([0, 1, 5, 8].map(root), [Root::Circle, Root::Circle, Root::Circle, Root::Unknown].map(Some));
        assert_eq!(([2, 3, 7].map(root), family.depth(7)), ([None; 3], 3));
    }

    #[test]
    fn a_million_processes_below_each_other_are_a_tree() {
        let count = 1_000_000;
        let (_, below) = family(&(0..count).map(|number: usize| number.saturating_sub(1)).collect::<Vec<_>>());
        assert_eq!((below.order.len(), below.depth(999_999)), (count, 999_999));
        let (_, circle) = family(&(0..count).map(|number| (number + 1) % count).collect::<Vec<_>>());
        assert_eq!((circle.order.len(), circle.circles(), circle.depth(1)), (count, 1, 999_999));
    }
}
