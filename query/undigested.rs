//! Events of which a policy asked for a digest and that have none: what the content was is not known.

use crate::archives::{Archives, Scan, asked_dates, asked_span};
use crate::cli::SharedOptions;
use crate::user_digests::{EventKey, KEY_COLUMNS, keys, references};
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use hashtrail::event::Event;
use hashtrail::reader::{Predicate, Prune};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Reasons for which there is no content that could have a digest, or none that runs.
const NO_CONTENT: [&str; 4] = ["no_file", "not_regular_file", "not_executable_mapping", "pseudo_filesystem"];
const COLUMNS: [&str; 4] = ["time", "hook", "digest_status", "digest_reason"];

/// Counts them, in the time and on the hosts that were asked about. What user space hashed later has a digest.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(crate) fn count(archives: &Archives<'_>, shared: &SharedOptions) -> Result<usize> {
    let (low, high) = asked_span(shared);
    let scan = Scan {
        prune: Prune::default(),
        dates: asked_dates(shared),
        columns: [&KEY_COLUMNS[..], &COLUMNS[..1], &COLUMNS[2..]].concat(),
        predicate: Some(Predicate { columns: COLUMNS.to_vec(), keep: Arc::new(move |batch| keep(batch, low, high)) }),
    };
    let mut lacking: HashSet<EventKey> = HashSet::new();
    let mut hashed: HashSet<EventKey> = HashSet::new();
    archives.scan::<Event>(&scan, |batch| {
        let status = text(batch, "digest_status")?;
        for (row, (key, reference)) in keys(batch)?.into_iter().zip(references(batch)?).enumerate() {
            match reference {
                Some(event) if status.value(row) == "ok" => _ = hashed.insert(event),
                Some(_) => {}
                None => _ = lacking.insert(key),
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(lacking.difference(&hashed).count())
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt()).with_context(|| format!("`{name}` is no text"))
}

/// Rows without a digest in the time, and those of user space, which may come later.
fn keep(batch: &RecordBatch, low: i64, high: i64) -> Result<BooleanArray> {
    let (hooks, status, reasons) = (text(batch, "hook")?, text(batch, "digest_status")?, text(batch, "digest_reason")?);
    let times = batch.column_by_name("time").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let times = times.context("`time` is no time")?;
    let is_kept = |row: usize| {
        let has_content = !(reasons.is_valid(row) && NO_CONTENT.contains(&reasons.value(row)));
        let is_lacking = status.value(row) == "unavailable" && has_content && (low..=high).contains(&times.value(row));
        hooks.value(row) == "user_digest" || is_lacking
    };
    Ok((0..batch.num_rows()).map(|row| Some(is_kept(row))).collect())
}
