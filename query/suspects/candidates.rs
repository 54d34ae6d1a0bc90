//! Which changes an event may have made: those that share an inode number or a name with it at its time.

mod index;
mod keys;
mod worth;

use super::act::Act;
use super::reach::{WRITTEN_BEFORE_NS, ends};
use crate::recordings::Recordings;
use crate::recordings::gaps::Mark;
use crate::versions::change::Change;
use crate::versions::series::Root;
use ahash::RandomState;
use hashtrail::event::{Event, FS_RELATIVE};
use hashtrail::versions::FileVersion;
use index::{Index, Interval};
use keys::{Keys, Name};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

/// Changes by what their suspects have in common with them. [`super::reach::reach`] decides; what is not found here it would not
/// take. A name is asked for as a whole: how many files share the last part of one costs nothing.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    keys: Keys,
    index: Index,
    /// By files that were held open before the interval.
    held: Files,
    /// By files that were written before the interval, under another name.
    prepared: Files,
    /// Whether any change is under another root than the host's.
    has_other_roots: bool,
    /// Places of the recordings in the order.
    ranks: HashMap<String, usize, RandomState>,
}

impl Candidates {
    pub(super) fn new(changes: &[Change], recordings: &Recordings) -> Self {
        let ranks = recordings.list.iter().enumerate().map(|(rank, recording)| (recording.id.clone(), rank)).collect();
        let mut candidates = Self { ranks, ..Self::default() };
        for (number, change) in changes.iter().enumerate().filter(|(_, change)| change.from.is_some()) {
            let Some(after) = change.after() else { continue };
            let interval = Interval { after, before: change.before(), change: number };
            candidates.add(change, interval);
        }
        candidates.index.sort();
        candidates
    }

    fn add(&mut self, change: &Change, interval: Interval) {
        let Self { keys, index, held, prepared, has_other_roots, .. } = self;
        let mut of_change = Vec::new();
        for run in ends(change) {
            let inodes = std::iter::once(run.row.ino).chain(run.row.real_ino).chain(run.row.image_ino);
            of_change.extend(inodes.map(|ino| keys.inode(ino)));
            held.add(&run.row, interval);
        }
        if change.is_of_another_file() {
            prepared.add(&change.to.first().row, interval);
        }
        if let Some(path) = &change.key.path {
            let name = keys.name(path);
            let devs: BTreeSet<u64> = ends(change).map(|run| keys.dev(&run.row.dev)).collect();
            of_change.extend(devs.iter().flat_map(|dev| keys.ends(*dev, path)));
            match &change.key.root {
                Root::Host => of_change.push(keys.path(name)),
                Root::Other { ino, .. } => {
                    *has_other_roots = true;
                    of_change.push(keys.under_root(*ino, name));
                    of_change.extend(devs.iter().map(|dev| keys.whole_of_root(*dev, name)));
                }
            }
            if change.is_of_another_file() {
                of_change.extend(keys.above(path));
            }
        }
        index.add(interval, of_change);
    }

    /// The changes that an event may have made, each once, in their order.
    pub(super) fn of(&self, event: &Event, act: Act, at: Mark) -> Vec<usize> {
        let Event { ino, ino_generation, target_ino, real_ino, root_ino, .. } = *event;
        let names = [&event.path, &event.target_path].map(|path| path.as_deref().map(|path| self.keys.name(path)));
        let dev = event.dev.as_deref().map(|dev| self.keys.dev(dev));
        let is_relative = event.path_flags.iter().any(|flag| flag == FS_RELATIVE);
        let traits = Traits { ino, ino_generation, target_ino, real_ino, root_ino, dev, names, is_relative };
        let mut numbers = Vec::new();
        let _ = self.each(&traits, act, at, &mut |number| {
            numbers.push(number);
            ControlFlow::Continue(())
        });
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The same, some of them several times, until no more are wanted.
    fn each<'a>(
        &'a self,
        traits: &Traits<'_>,
        act: Act,
        at: Mark,
        found: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Traits { ino, ino_generation, target_ino, real_ino, names, .. } = *traits;
        for ino in [ino, target_ino, real_ino].into_iter().flatten() {
            self.index.each(self.keys.inode(ino), at, found)?;
        }
        for name in names.into_iter().flatten() {
            self.each_named(name, traits, act, at, found)?;
        }
        let find = |files: &'a Files| files.find(ino, ino_generation, real_ino).filter(move |of| at <= of.after);
        if act == Act::OpenDescriptor {
            let held = find(&self.held).filter(|interval| interval.after.rank == at.rank);
            held.map(|interval| interval.change).try_for_each(&mut *found)?;
        }
        if act.writes() {
            let is_near = |of: &Interval| at.boot_ns >= of.after.boot_ns.saturating_sub(WRITTEN_BEFORE_NS);
            let prepared = find(&self.prepared).filter(is_near);
            prepared.map(|interval| interval.change).try_for_each(found)?;
        }
        ControlFlow::Continue(())
    }

    fn each_named(
        &self,
        name: Name<'_>,
        traits: &Traits<'_>,
        act: Act,
        at: Mark,
        found: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Self { keys, index, has_other_roots, .. } = self;
        index.each(keys.path(name), at, found)?;
        if *has_other_roots {
            index.each(keys.under_root(traits.root_ino, name), at, found)?;
        }
        match traits.dev {
            Some(dev) if traits.is_relative => index.each(keys.end(dev, name), at, found)?,
            Some(dev) if *has_other_roots => {
                keys.wholes_within(dev, name.path).try_for_each(|key| index.each(key, at, found))?;
            }
            _ => {}
        }
        if act.moves_directories() {
            index.each(keys.directory(name), at, found)?;
        }
        ControlFlow::Continue(())
    }
}

/// What an event may have in common with a change.
struct Traits<'a> {
    ino: Option<i64>,
    ino_generation: Option<i64>,
    target_ino: Option<i64>,
    real_ino: Option<i64>,
    root_ino: i64,
    dev: Option<u64>,
    names: [Option<Name<'a>>; 2],
    /// Whether its names may begin at the filesystem's root.
    is_relative: bool,
}

/// Changes by the files of their rows, as [`super::reach::is_file_of_row`] and the image of a loop device have it.
#[derive(Debug, Default)]
struct Files {
    /// Inode number and generation.
    exact: HashMap<(i64, i64), Vec<Interval>, RandomState>,
    /// Inode number: a file that lies beneath the event's is known without its generation.
    own: HashMap<i64, Vec<Interval>, RandomState>,
    /// What lies beneath the row's file, or the image that its filesystem is in.
    beneath: HashMap<i64, Vec<Interval>, RandomState>,
}

impl Files {
    fn add(&mut self, row: &FileVersion, interval: Interval) {
        self.exact.entry((row.ino, row.ino_generation)).or_default().push(interval);
        self.own.entry(row.ino).or_default().push(interval);
        for ino in row.real_ino.into_iter().chain(row.image_ino) {
            self.beneath.entry(ino).or_default().push(interval);
        }
    }

    fn find(
        &self,
        ino: Option<i64>,
        generation: Option<i64>,
        real_ino: Option<i64>,
    ) -> impl Iterator<Item = Interval> + '_ {
        let exact = ino.zip(generation).and_then(|key| self.exact.get(&key));
        let own = real_ino.and_then(|ino| self.own.get(&ino));
        let beneath = ino.into_iter().chain(real_ino).filter_map(|ino| self.beneath.get(&ino));
        exact.into_iter().chain(own).chain(beneath).flatten().copied()
    }
}

#[cfg(test)]
mod tests;
