//! Digests that user space took, by the events that they are for.

use super::{Archives, Scan};
use crate::output::Row;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use hashtrail::event::Event;
use hashtrail::hooks;
use serde_json::{Value, json};
use std::collections::HashMap;

/// (`recording_id`, `cpu`, `seq`): the key of an event.
pub(crate) type EventKey = (String, i32, i64);

/// The columns that say which event a row is, and which one it is about.
pub(crate) const KEY_COLUMNS: [&str; 6] = ["hook", "recording_id", "cpu", "seq", "ref_cpu", "ref_seq"];

/// What a row says of its digest.
const DIGEST_COLUMNS: [&str; 8] = [
    "digest_algorithm",
    "digest",
    "digest_status",
    "digest_reason",
    "digest_source",
    "digest_doubt",
    "digest_duration_ns",
    "content_read_ns",
];

/// The columns of the digest of each event that user space took one for.
#[derive(Debug, Default)]
pub(crate) struct UserDigests {
    by_event: HashMap<EventKey, [Value; 8]>,
}

impl UserDigests {
    /// Those in the rows of a scan.
    ///
    /// # Errors
    /// When the scan cannot be made; files that cannot be read are problems.
    pub(crate) fn read(archives: &Archives<'_>, scan: &Scan) -> Result<Self> {
        let mut by_event = HashMap::new();
        archives.each_row(scan, |event: Event| {
            let Some((cpu, seq)) = event.answers() else { return };
            let columns = [
                json!(event.digest_algorithm),
                json!(event.digest),
                json!(event.digest_status),
                json!(event.digest_reason),
                json!(event.digest_source),
                json!(event.digest_doubt),
                json!(event.digest_duration_ns),
                json!(event.content_read_ns),
            ];
            by_event.insert((event.recording_id, cpu, seq), columns);
        })?;
        Ok(Self { by_event })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_event.is_empty()
    }

    /// Whether there is a digest for this event.
    pub(crate) fn has(&self, event: &EventKey) -> bool {
        self.by_event.contains_key(event)
    }

    /// Puts the digest of an event into its row.
    pub(crate) fn fill(&self, event: &EventKey, row: &mut Row) {
        for (name, value) in DIGEST_COLUMNS.iter().zip(self.by_event.get(event).into_iter().flatten()) {
            if let Some(cell) = row.get_mut(*name) {
                *cell = value.clone();
            }
        }
    }
}

/// The keys of the events in a batch.
pub(crate) fn keys(batch: &RecordBatch) -> Result<Vec<EventKey>> {
    let ids = batch.column_by_name("recording_id").and_then(|column| column.as_string_opt::<i32>());
    let cpus = batch.column_by_name("cpu").and_then(|column| column.as_primitive_opt::<Int32Type>());
    let seqs = batch.column_by_name("seq").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let (ids, (cpus, seqs)) = ids.zip(cpus.zip(seqs)).context("the columns of the key are missing")?;
    let key = |row| (ids.value(row).to_owned(), cpus.value(row), seqs.value(row));
    Ok((0..batch.num_rows()).map(key).collect())
}

/// For each row of a batch the event that it is about, if it is a digest of user space.
pub(crate) fn references(batch: &RecordBatch) -> Result<Vec<Option<EventKey>>> {
    let hooks = batch.column_by_name("hook").and_then(|column| column.as_string_opt::<i32>());
    let cpus = batch.column_by_name("ref_cpu").and_then(|column| column.as_primitive_opt::<Int32Type>());
    let seqs = batch.column_by_name("ref_seq").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let (hooks, (cpus, seqs)) = hooks.zip(cpus.zip(seqs)).context("the columns of the reference are missing")?;
    let reference = |(row, (id, ..)): (usize, EventKey)| {
        let is_one = hooks.value(row) == hooks::USER_DIGEST && cpus.is_valid(row) && seqs.is_valid(row);
        is_one.then(|| (id, cpus.value(row), seqs.value(row)))
    };
    Ok(keys(batch)?.into_iter().enumerate().map(reference).collect())
}
