//! Which rows are worth reading in full, and which changes each may have made: those that share an inode number or a name with it
//! at its time, or have no name.

use super::act::{Act, WRITES};
use super::reach::ends;
use super::unnamed::is_unnamed;
use crate::change::Change;
use crate::gaps::Mark;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use hashtrail::event::Event;
use hashtrail::reader::{Need, Predicate};
use hashtrail::versions::FileVersion;
use std::collections::HashMap;
use std::sync::Arc;

/// Changes by what their suspects have in common with them. [`super::reach::reach`] decides; what is not found here it would not
/// take.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// By all inode numbers that a suspect can have.
    inodes: HashMap<i64, Intervals>,
    /// By the last component of the path.
    names: HashMap<String, Intervals>,
    /// By the components before it: moves of directories and mounts put another file at the path.
    directories: HashMap<String, Intervals>,
    /// By files that were held open before the interval.
    held: Files,
    /// By files that were written before the interval, under another name.
    prepared: Files,
}

impl Candidates {
    pub(super) fn new(changes: &[Change]) -> Self {
        let mut candidates = Self::default();
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
            self.held.add(&run.row, interval.change);
        }
        if change.is_of_another_file() {
            self.prepared.add(&change.to.first().row, interval.change);
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
        let inodes = [event.ino, event.target_ino, event.real_ino].into_iter().flatten();
        let names: Vec<&str> =
            [event.path.as_deref(), event.target_path.as_deref()].into_iter().flatten().map(last_component).collect();
        let known = inodes.filter_map(|ino| self.inodes.get(&ino));
        let known = known.chain(names.iter().filter_map(|name| self.names.get(*name)));
        let above = names.iter().filter(|_| act.moves_directories()).filter_map(|name| self.directories.get(*name));
        let mut numbers: Vec<usize> = known.chain(above).flat_map(|intervals| intervals.holding(at)).collect();
        if act == Act::OpenDescriptor {
            self.held.find(event, &mut numbers);
        }
        if act.writes() {
            self.prepared.find(event, &mut numbers);
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The tests for the reader. Most rows are no act, which the first tells: of them the names are not read.
    pub(super) fn predicates(self: &Arc<Self>) -> Vec<Predicate> {
        let candidates = Arc::clone(self);
        let columns = vec!["hook", "open_flags", "ino", "target_ino", "real_ino", "path", "target_path", "path_flags"];
        let is_act = Predicate::new(vec!["hook", "open_flags"], are_acts)
            .needing([Need::text("hook", |hook| Act::of_hook(hook, Some(WRITES)).is_some())]);
        vec![is_act, Predicate::new(columns, move |batch| candidates.keep(batch))]
    }

    fn keep(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let column = |name: &str| batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"));
        let text = |name: &str| column(name)?.as_string_opt::<i32>().with_context(|| format!("`{name}` is no text"));
        let number = |name: &str| {
            column(name)?.as_primitive_opt::<Int64Type>().with_context(|| format!("`{name}` is no number"))
        };
        let flags = column("open_flags")?.as_primitive_opt::<Int32Type>().context("`open_flags` is no number")?;
        let path_flags = column("path_flags")?.as_list_opt::<i32>().context("`path_flags` is no list")?;
        let (hooks, paths, targets) = (text("hook")?, text("path")?, text("target_path")?);
        // Files of version 1 have no `real_ino`.
        let real_inos = batch.column_by_name("real_ino").map(|_| number("real_ino")).transpose()?;
        let inodes: Vec<&Int64Array> = [number("ino")?, number("target_ino")?].into_iter().chain(real_inos).collect();
        let is_known_inode = |row: usize| {
            inodes.iter().any(|column| column.is_valid(row) && self.inodes.contains_key(&column.value(row)))
        };
        let is_known_name = |act: Act, path: Option<&str>| {
            path.map(last_component).is_some_and(|name| {
                self.names.contains_key(name) || act.moves_directories() && self.directories.contains_key(name)
            })
        };
        let kept = hooks.iter().zip(flags).zip(paths.iter().zip(targets)).enumerate();
        let kept = kept.map(|(row, ((hook, flags), (path, target)))| {
            let Some(act) = hook.and_then(|hook| Act::of_hook(hook, flags)) else { return false };
            let names = [path, target];
            is_known_inode(row)
                || names.into_iter().any(|name| is_known_name(act, name))
                || is_unnamed(act, names, &texts(&path_flags.value(row)))
        });
        Ok(kept.collect::<Vec<bool>>().into())
    }
}

/// For each row whether it is an act.
fn are_acts(batch: &RecordBatch) -> Result<BooleanArray> {
    let hooks = batch.column_by_name("hook").and_then(|column| column.as_string_opt::<i32>());
    let flags = batch.column_by_name("open_flags").and_then(|column| column.as_primitive_opt::<Int32Type>());
    let (hooks, flags) = hooks.zip(flags).context("the columns of the act are missing")?;
    let is_act = |(hook, flags): (Option<&str>, _)| hook.is_some_and(|hook| Act::of_hook(hook, flags).is_some());
    Ok(hooks.iter().zip(flags).map(|row| Some(is_act(row))).collect())
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
    fn holding(&self, at: Mark) -> impl Iterator<Item = usize> {
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
    exact: HashMap<(i64, i64), Vec<usize>>,
    /// Inode number: a file that lies beneath the event's is known without its generation.
    own: HashMap<i64, Vec<usize>>,
    /// What lies beneath the row's file, or the image that its filesystem is in.
    beneath: HashMap<i64, Vec<usize>>,
}

impl Files {
    fn add(&mut self, row: &FileVersion, change: usize) {
        self.exact.entry((row.ino, row.ino_generation)).or_default().push(change);
        self.own.entry(row.ino).or_default().push(change);
        for ino in row.real_ino.into_iter().chain(row.image_ino) {
            self.beneath.entry(ino).or_default().push(change);
        }
    }

    fn find(&self, event: &Event, numbers: &mut Vec<usize>) {
        let exact = event.ino.zip(event.ino_generation).and_then(|key| self.exact.get(&key));
        let own = event.real_ino.and_then(|ino| self.own.get(&ino));
        let beneath = event.ino.into_iter().chain(event.real_ino).filter_map(|ino| self.beneath.get(&ino));
        numbers.extend(exact.into_iter().chain(own).chain(beneath).flatten());
    }
}

/// The texts of a list.
fn texts(list: &dyn Array) -> Vec<String> {
    list.as_string_opt::<i32>().into_iter().flatten().flatten().map(str::to_owned).collect()
}

fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
