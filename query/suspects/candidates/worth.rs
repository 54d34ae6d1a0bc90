//! Which rows are worth reading in full: of acts that share something with a change at their time, or have no name.

use super::{Candidates, Name, Traits};
use crate::recordings::gaps::Mark;
use crate::suspects::act::Act;
use crate::suspects::unnamed::{is_unnamed, may_reach_without};
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, Int32Array, Int64Array, ListArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use hashtrail::event::FS_RELATIVE;
use hashtrail::reader::{Judged, Need, Predicate};
use std::ops::ControlFlow;
use std::sync::Arc;

const COLUMNS: [&str; 13] = [
    "recording_id",
    "boot_ns",
    "hook",
    "open_flags",
    "ino",
    "ino_generation",
    "target_ino",
    "real_ino",
    "dev",
    "root_ino",
    "path",
    "target_path",
    "path_flags",
];

impl Candidates {
    /// The tests for the reader. Most rows are no act, which the first tells: of them nothing else is looked at.
    pub(in crate::suspects) fn predicates(self: &Arc<Self>) -> Vec<Predicate> {
        let candidates = Arc::clone(self);
        let is_act = Predicate::new(vec!["hook", "open_flags"], are_acts)
            .coded()
            .needing([Need::text("hook", |hook| Act::widest_of_hook(hook).is_some())]);
        vec![is_act, Predicate::new(COLUMNS.to_vec(), move |batch| candidates.keep(batch)).coded()]
    }

    pub(super) fn keep(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let mut acts = Acts::of(batch)?;
        let mut ranks = Judged::of(batch, "recording_id")?;
        let [mut paths, mut targets] = [Judged::of(batch, "path")?, Judged::of(batch, "target_path")?];
        let mut devs = Judged::of(batch, "dev")?;
        let [times, inos, generations, target_inos, roots] =
            ["boot_ns", "ino", "ino_generation", "target_ino", "root_ino"].map(|name| numbers(batch, name));
        let (times, inos, generations, target_inos, roots) = (times?, inos?, generations?, target_inos?, roots?);
        // Files of version 1 have no `real_ino`.
        let real_inos = batch.column_by_name("real_ino").map(|_| numbers(batch, "real_ino")).transpose()?;
        let flags = batch.column_by_name("path_flags").and_then(|column| column.as_list_opt::<i32>());
        let flags = flags.context("`path_flags` is no list")?;
        let mut is_kept = |row: usize| {
            let act = acts.of_row(row)?;
            let rank = ranks.of_row(row, |id| self.ranks.get(id).copied()).flatten()?;
            let names: [Option<Name<'_>>; 2] =
                [&mut paths, &mut targets].map(|texts| texts.of_row(row, |path| self.keys.name(path)));
            let path_flags = texts(flags, row);
            let traits = Traits {
                ino: value(inos, row),
                ino_generation: value(generations, row),
                target_ino: value(target_inos, row),
                real_ino: real_inos.and_then(|inos| value(inos, row)),
                root_ino: roots.value(row),
                dev: devs.of_row(row, |dev| self.keys.dev(dev)),
                names,
                is_relative: path_flags.iter().any(|flag| flag == FS_RELATIVE),
            };
            let at = Mark { rank, boot_ns: value(times, row)? };
            let is_known = self.each(&traits, act, at, &mut |_| ControlFlow::Break(())).is_break();
            let is_unnamed = || {
                may_reach_without(act, traits.ino)
                    && is_unnamed(act, names.map(|name| name.map(|name| name.path)), &path_flags)
            };
            Some(is_known || is_unnamed())
        };
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), |row| is_kept(row).unwrap_or(false)).into())
    }
}

/// For each row whether it is an act.
fn are_acts(batch: &RecordBatch) -> Result<BooleanArray> {
    let mut acts = Acts::of(batch)?;
    Ok(BooleanBuffer::collect_bool(batch.num_rows(), |row| acts.of_row(row).is_some()).into())
}

/// The widest act of each row.
struct Acts<'a> {
    hooks: Judged<'a, Option<Act>>,
    flags: &'a Int32Array,
}

impl<'a> Acts<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self> {
        let flags = batch.column_by_name("open_flags").and_then(|column| column.as_primitive_opt());
        Ok(Self { hooks: Judged::of(batch, "hook")?, flags: flags.context("`open_flags` is no number")? })
    }

    fn of_row(&mut self, row: usize) -> Option<Act> {
        let act = self.hooks.of_row(row, Act::widest_of_hook).flatten()?;
        let flags = || self.flags.is_valid(row).then(|| self.flags.value(row));
        act.has_flags(flags()).then_some(act)
    }
}

fn numbers<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array> {
    let column = batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"))?;
    column.as_primitive_opt().with_context(|| format!("`{name}` is no number"))
}

fn value(numbers: &Int64Array, row: usize) -> Option<i64> {
    numbers.is_valid(row).then(|| numbers.value(row))
}

/// The texts of a row's list, which mostly has none.
fn texts(lists: &ListArray, row: usize) -> Vec<String> {
    if lists.value_length(row) == 0 {
        return Vec::new();
    }
    let list = lists.value(row);
    list.as_string_opt::<i32>().into_iter().flatten().flatten().map(str::to_owned).collect()
}
