//! Which changes an event may have made: those that share an inode number or a name with it at its time.

mod worth;

use super::act::Act;
use super::reach::{WRITTEN_BEFORE_NS, ends};
use crate::recordings::Recordings;
use crate::recordings::gaps::Mark;
use crate::versions::change::Change;
use ahash::RandomState;
use hashtrail::event::Event;
use hashtrail::versions::FileVersion;
use std::collections::HashMap;

/// Changes by what their suspects have in common with them. [`super::reach::reach`] decides; what is not found here it would not
/// take.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// By all inode numbers that a suspect can have.
    inodes: HashMap<i64, Intervals, RandomState>,
    /// By the last component of the path.
    names: HashMap<String, Intervals, RandomState>,
    /// By the components before it: moves of directories and mounts put another file at the path.
    directories: HashMap<String, Intervals, RandomState>,
    /// By files that were held open before the interval.
    held: Files,
    /// By files that were written before the interval, under another name.
    prepared: Files,
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
        let Self { inodes, names, directories, .. } = &mut candidates;
        inodes.values_mut().chain(names.values_mut()).chain(directories.values_mut()).for_each(Intervals::sort);
        candidates
    }

    fn add(&mut self, change: &Change, interval: Interval) {
        for run in ends(change) {
            for ino in std::iter::once(run.row.ino).chain(run.row.real_ino).chain(run.row.image_ino) {
                self.inodes.entry(ino).or_default().add(interval);
            }
            self.held.add(&run.row, interval);
        }
        if change.is_of_another_file() {
            self.prepared.add(&change.to.first().row, interval);
        }
        let path = change.key.path.as_deref().unwrap_or_default();
        let mut components: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        if let Some(name) = components.pop() {
            self.names.entry(name.to_owned()).or_default().add(interval);
        }
        for name in components {
            self.directories.entry(name.to_owned()).or_default().add(interval);
        }
    }

    /// The changes that an event may have made, each once, in their order.
    pub(super) fn of(&self, event: &Event, act: Act, at: Mark) -> Vec<usize> {
        let Event { ino, ino_generation, target_ino, real_ino, .. } = *event;
        let names = [&event.path, &event.target_path].map(|path| path.as_deref().map(|path| self.name(path)));
        let mut numbers: Vec<usize> =
            self.meeting(&Traits { ino, ino_generation, target_ino, real_ino, names }, act, at).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The same, some of them several times.
    fn meeting<'a>(&'a self, traits: &Traits<'a>, act: Act, at: Mark) -> impl Iterator<Item = usize> + 'a {
        let Traits { ino, ino_generation, target_ino, real_ino, names } = *traits;
        let inodes = [ino, target_ino, real_ino].into_iter().flatten();
        let known = inodes.filter_map(|ino| self.inodes.get(&ino));
        let names = names.into_iter().flatten();
        let known = known.chain(names.clone().filter_map(|name| name.of_last));
        let above = names.filter(move |_| act.moves_directories()).filter_map(|name| name.of_directory);
        let find = move |files: &'a Files| files.find(ino, ino_generation, real_ino).filter(move |of| at <= of.after);
        let held = (act == Act::OpenDescriptor).then_some(&self.held).into_iter().flat_map(find);
        let prepared = act.writes().then_some(&self.prepared).into_iter().flat_map(find);
        let held = held.filter(move |interval| interval.after.rank == at.rank);
        let prepared = prepared.filter(move |of| at.boot_ns >= of.after.boot_ns.saturating_sub(WRITTEN_BEFORE_NS));
        let before = held.chain(prepared).map(|interval| interval.change);
        known.chain(above).flat_map(move |intervals| intervals.holding(at)).chain(before)
    }

    fn name<'a>(&'a self, path: &'a str) -> Name<'a> {
        let last = last_component(path);
        Name { path, of_last: self.names.get(last), of_directory: self.directories.get(last) }
    }
}

/// What an event may have in common with a change.
struct Traits<'a> {
    ino: Option<i64>,
    ino_generation: Option<i64>,
    target_ino: Option<i64>,
    real_ino: Option<i64>,
    names: [Option<Name<'a>>; 2],
}

/// A path, and the changes that have its last component.
#[derive(Clone, Copy)]
struct Name<'a> {
    path: &'a str,
    of_last: Option<&'a Intervals>,
    of_directory: Option<&'a Intervals>,
}

/// When a change happened.
#[derive(Debug, Clone, Copy)]
struct Interval {
    after: Mark,
    before: Mark,
    /// Number of the change.
    change: usize,
}

/// Intervals of changes that share something.
#[derive(Debug, Default)]
struct Intervals {
    list: Vec<Interval>,
    /// For each the latest end of those up to it.
    latest: Vec<Mark>,
}

impl Intervals {
    fn add(&mut self, interval: Interval) {
        self.list.push(interval);
    }

    /// Once all are there.
    fn sort(&mut self) {
        self.list.sort_by_key(|interval| interval.after);
        let mut latest: Option<Mark> = None;
        for interval in &self.list {
            let end = latest.map_or(interval.before, |latest| latest.max(interval.before));
            self.latest.push(end);
            latest = Some(end);
        }
    }

    /// The changes whose intervals hold this moment.
    fn holding(&self, at: Mark) -> impl Iterator<Item = usize> + '_ {
        let begun = self.list.partition_point(|interval| interval.after <= at);
        let places = (0..begun).rev().take_while(move |place| self.latest[*place] >= at);
        places
            .map(|place| self.list[place])
            .filter(move |interval| interval.before >= at)
            .map(|interval| interval.change)
    }
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

fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
