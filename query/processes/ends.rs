//! Which rows of a batch say of their process what no other one does. Nearly all rows are of processes that other rows tell, so only
//! the first and the last of each are looked at.

use ahash::RandomState;
use anyhow::{Context, Result};
use arrow::array::{AsArray, BooleanArray, PrimitiveArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{ArrowPrimitiveType, Int32Type, Int64Type, TimestampMicrosecondType};
use hashtrail::event::USER_SPACE_CPU;
use hashtrail::reader::{Judged, Predicate};
use std::collections::{HashMap, HashSet};

/// What a row of a hook is read for.
#[derive(Clone, Copy)]
pub(super) enum Tells {
    Nothing,
    /// That its process was there.
    Presence,
    More,
}

/// Rows of one process, or of what a look saw of it: the first and the last by place, and by time.
struct Ends {
    places: [usize; 2],
    times: [usize; 2],
}

/// The test for the reader. Rows of recordings that are not `known` are counted, so all are kept.
pub(super) fn predicate(known: HashSet<String>, tells: fn(&str) -> Tells) -> Predicate {
    let hashes = RandomState::new();
    let columns = vec!["recording_id", "hook", "cpu", "seq", "time", "boot_ns", "pid", "process_start_ns"];
    Predicate::new(columns, move |batch| keep(batch, &known, tells, &hashes)).coded()
}

fn keep(
    batch: &RecordBatch,
    known: &HashSet<String>,
    tells: fn(&str) -> Tells,
    hashes: &RandomState,
) -> Result<BooleanArray> {
    let mut hooks = Judged::of(batch, "hook")?;
    let mut ids = Judged::of(batch, "recording_id")?;
    let (cpus, pids) = (numbers::<Int32Type>(batch, "cpu")?, numbers::<Int32Type>(batch, "pid")?);
    let (seqs, boot_ns) = (numbers::<Int64Type>(batch, "seq")?, numbers::<Int64Type>(batch, "boot_ns")?);
    let starts = numbers::<Int64Type>(batch, "process_start_ns")?;
    let times = numbers::<TimestampMicrosecondType>(batch, "time")?;
    let place = |row: usize| (boot_ns.value(row), cpus.value(row), seqs.value(row));
    let mut kept = vec![false; batch.num_rows()];
    let mut ends: HashMap<_, Ends, RandomState> = HashMap::default();
    for (row, is_kept) in kept.iter_mut().enumerate() {
        let of_hook = hooks.of_row(row, tells).unwrap_or(Tells::More);
        let id = ids.of_row(row, |id| (hashes.hash_one(id), known.contains(id)));
        match (of_hook, id) {
            (Tells::Nothing, _) => {}
            (Tells::Presence, Some((id, true))) => {
                let key = (id, pids.value(row), starts.value(row), cpus.value(row) == USER_SPACE_CPU);
                let ends = ends.entry(key).or_insert(Ends { places: [row; 2], times: [row; 2] });
                widen(&mut ends.places, row, place);
                widen(&mut ends.times, row, |row| times.value(row));
            }
            _ => *is_kept = true,
        }
    }
    ends.values().flat_map(|ends| ends.places.iter().chain(&ends.times)).for_each(|row| kept[*row] = true);
    Ok(BooleanBuffer::from(kept).into())
}

/// Puts a row in the place of the first or the last one where it comes before or behind it.
fn widen<T: Ord>(ends: &mut [usize; 2], row: usize, of: impl Fn(usize) -> T) {
    if of(row) < of(ends[0]) {
        ends[0] = row;
    }
    if of(row) > of(ends[1]) {
        ends[1] = row;
    }
}

fn numbers<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>> {
    let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<T>());
    column.with_context(|| format!("`{name}` is no number"))
}
