//! Rows that tell more of a process than that it was there, in the order of the tree: whatever does not fit into memory
//! waits in temporary files.

use super::life::{Life, Lives};
use super::recorded::{Processes, tells_more};
use super::sight::{COLUMNS, Sight};
use crate::archives::{Archives, Scan};
use crate::recordings::{Position, Recordings};
use crate::sorter::Sorter;
use anyhow::{Context, Result};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::{Judged, Predicate};
use std::collections::HashSet;
use std::sync::Arc;

/// What was recorded of processes, by the places that they have in an answer.
pub(crate) struct Sights(Lives);

impl Sights {
    /// Reads the rows of the processes that have a place in the answer: `places` has one for each process, and `None` for
    /// those that nobody asks about.
    ///
    /// # Errors
    /// When a scan cannot be made, or the rows cannot be sorted; files that cannot be read are problems.
    pub(crate) fn read(
        archives: &Archives<'_>,
        recordings: &Recordings,
        processes: &Processes,
        places: &[Option<u32>],
    ) -> Result<Self> {
        let mut sorter = Sorter::new(|left: &Sight, right: &Sight| left.order().cmp(&right.order()));
        let wanted = Wanted::of(processes, recordings, places);
        let scan = Scan { columns: COLUMNS.to_vec(), predicates: vec![wanted.predicate()], ..Scan::default() };
        archives.each_row_until(&scan, |event: Event| {
            let process = processes.of_row(&event);
            if let Some(place) = process.and_then(|process| places[process as usize]) {
                let rank = recordings.rank(&event.recording_id).unwrap_or(usize::MAX);
                sorter.push(Sight::of(event, place, rank))?;
            }
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        Ok(Self(Lives::new(sorter.finish()?)))
    }

    /// What was recorded of the process at a place; places are asked in their order.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(crate) fn of_place(&mut self, place: u32) -> Result<Life> {
        self.0.of_place(place)
    }
}

/// Which rows are read.
struct Wanted {
    /// Recording, CPU and number of the only rows of processes that no other row tells of.
    keys: HashSet<(String, i32, i64)>,
}

impl Wanted {
    fn of(processes: &Processes, recordings: &Recordings, places: &[Option<u32>]) -> Self {
        let asked = processes.list.iter().zip(places).filter(|(_, place)| place.is_some());
        let key = |Position { rank, cpu, seq, .. }| {
            let id = recordings.list.get(rank).map(|recording| recording.id.clone());
            (id.unwrap_or_default(), cpu, seq)
        };
        Self { keys: asked.filter_map(|(process, _)| process.untold_row()).map(key).collect() }
    }

    fn predicate(self) -> Predicate {
        let wanted = Arc::new(self);
        Predicate::new(vec!["hook", "recording_id", "cpu", "seq"], move |batch| wanted.keep(batch))
    }

    fn keep(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let mut hooks = Judged::of(batch, "hook")?;
        let mut ids = Judged::of(batch, "recording_id")?;
        let cpus = batch.column_by_name("cpu").and_then(|column| column.as_primitive_opt::<Int32Type>());
        let seqs = batch.column_by_name("seq").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (cpus, seqs) = cpus.zip(seqs).context("the columns of the key are missing")?;
        let kept = (0..batch.num_rows()).map(|row| {
            let tells = hooks.of_row(row, |hook| tells_more(hook) || hook == hooks::USER_DIGEST) == Some(true);
            let mut is_only_row = || {
                let id = ids.of_row(row, |id| id).unwrap_or_default();
                self.keys.contains(&(id.to_owned(), cpus.value(row), seqs.value(row)))
            };
            Some(tells || !self.keys.is_empty() && is_only_row())
        });
        Ok(kept.collect())
    }
}
