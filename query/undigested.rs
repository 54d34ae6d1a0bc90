//! Events of which a policy asked for a digest and that have none: what the content was is not known.

use crate::archives::{Archives, Scan, asked_dates, asked_span};
use crate::cli::SharedOptions;
use crate::user_digests::{EventKey, KEY_COLUMNS, keys, references};
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use hashtrail::cell::Micros;
use hashtrail::event::{Event, names_a_file};
use hashtrail::reader::{Predicate, Prune};
use hashtrail::versions::FileVersion;
use std::collections::{HashMap, HashSet};
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

/// The place of observations, in one recording: path and root.
type Place = (String, Option<String>, String, i64);

/// Counts those that are about what was asked for, and behind which a change that touches the asked time may hide: no run of
/// the same path begins or ends between them and that time.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(crate) fn count_hiding(
    archives: &Archives<'_>,
    shared: &SharedOptions,
    rows: &[FileVersion],
    is_asked: impl Fn(&Event) -> bool,
) -> Result<usize> {
    let mut known: HashMap<Place, Vec<Micros>> = HashMap::new();
    for row in rows.iter().filter(|row| row.doubts.is_empty()) {
        let place = (row.recording_id.clone(), row.path.clone(), row.root_dev.clone(), row.root_ino);
        known.entry(place).or_default().extend([row.first_time, row.last_time]);
    }
    let is_known = |event: &Event, from: Micros, to: Micros| {
        let place = (event.recording_id.clone(), event.path.clone(), event.root_dev.clone(), event.root_ino);
        known.get(&place).is_some_and(|times| times.iter().any(|time| from <= *time && *time < to))
    };
    let mut lacking: HashSet<EventKey> = HashSet::new();
    archives.each_row(&lacking_scan(), |event: Event| {
        let is_far = shared.since.is_some_and(|since| is_known(&event, event.time, since))
            || shared.until.is_some_and(|until| is_known(&event, until, event.time));
        if event.hook != "user_digest" && names_a_file(&event.path_flags) && is_asked(&event) && !is_far {
            lacking.insert((event.recording_id, event.cpu, event.seq));
        }
    })?;
    let hashed = if lacking.is_empty() { HashSet::new() } else { hashed(archives)? };
    Ok(lacking.difference(&hashed).count())
}

/// All times: what was seen before and after the asked one bounds the changes in it.
fn lacking_scan() -> Scan {
    let keep = |batch: &RecordBatch| {
        let (status, reasons) = (text(batch, "digest_status")?, text(batch, "digest_reason")?);
        Ok((0..batch.num_rows()).map(|row| Some(is_lacking(status, reasons, row))).collect())
    };
    let predicate = Predicate { columns: vec!["digest_status", "digest_reason"], keep: Arc::new(keep) };
    Scan { predicate: Some(predicate), ..Scan::default() }
}

/// The events whose digest user space took.
fn hashed(archives: &Archives<'_>) -> Result<HashSet<EventKey>> {
    let scan = Scan { columns: [&KEY_COLUMNS[..], &["digest_status"]].concat(), ..Scan::default() };
    let mut hashed = HashSet::new();
    archives.scan::<Event>(&scan, |batch| {
        let status = text(batch, "digest_status")?;
        let of_row = references(batch)?.into_iter().enumerate();
        hashed.extend(of_row.filter_map(|(row, event)| event.filter(|_| status.value(row) == "ok")));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(hashed)
}

fn is_lacking(status: &StringArray, reasons: &StringArray, row: usize) -> bool {
    let has_content = !(reasons.is_valid(row) && NO_CONTENT.contains(&reasons.value(row)));
    status.value(row) == "unavailable" && has_content
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch.column_by_name(name).and_then(|column| column.as_string_opt()).with_context(|| format!("`{name}` is no text"))
}

/// Rows without a digest in the time, and those of user space, which may come later.
fn keep(batch: &RecordBatch, low: i64, high: i64) -> Result<BooleanArray> {
    let (hooks, status, reasons) = (text(batch, "hook")?, text(batch, "digest_status")?, text(batch, "digest_reason")?);
    let times = batch.column_by_name("time").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let times = times.context("`time` is no time")?;
    let is_kept = |row: usize| {
        let is_asked = (low..=high).contains(&times.value(row));
        hooks.value(row) == "user_digest" || (is_asked && is_lacking(status, reasons, row))
    };
    Ok((0..batch.num_rows()).map(|row| Some(is_kept(row))).collect())
}
