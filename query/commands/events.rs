//! `events`: rows of the events table, in the order in which they were sealed.

use super::Context;
use crate::archives::{Archives, Scan};
use crate::cell;
use crate::cli::{EventsOptions, Format, SharedOptions};
use crate::filter::{PathPatterns, RowFilter};
use crate::output::Output;
use anyhow::{Context as _, Result};
use hashtrail::cell::Micros;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::reader::{Prune, Span};
use std::ops::ControlFlow;

/// What people look at first; json shows every column.
const SHOWN: [&str; 10] = ["time", "host", "hook", "pid", "uid", "comm", "exe", "path", "digest", "digest_status"];

pub(super) fn run(options: &EventsOptions, context: Context<'_>) -> Result<bool> {
    let shared = context.shared;
    let shown = shown_columns(options, shared.output.format)?;
    let archives = Archives::open(shared, context.problems)?;
    archives.note_unsealed();
    let mut scan = scan(options, shared)?;
    scan.columns.clone_from(&shown);
    if let Some(sort) = &shared.output.sort {
        let column = known_column(sort.trim_start_matches('-'))?;
        if !scan.columns.contains(&column) {
            scan.columns.push(column);
        }
    }
    let mut output = Output::new(&shared.output, &shown, context.writer);
    archives.scan::<Event>(&scan, |batch| {
        for row in 0..batch.num_rows() {
            if output.row(cell::row(batch, row)?)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(output.finish()? > 0)
}

fn shown_columns(options: &EventsOptions, format: Format) -> Result<Vec<&'static str>> {
    if !options.columns.is_empty() {
        return options.columns.iter().map(|name| known_column(name)).collect();
    }
    if format == Format::Json {
        return Ok(Event::columns().iter().map(|column| column.name).collect());
    }
    Ok(SHOWN.to_vec())
}

fn known_column(name: &str) -> Result<&'static str> {
    let columns = Event::columns();
    let column = columns.iter().find(|column| column.name == name.trim());
    column.map(|column| column.name).with_context(|| format!("there is no column `{name}`; see `hashtrail schema`"))
}

fn scan(options: &EventsOptions, shared: &SharedOptions) -> Result<Scan> {
    let paths = PathPatterns::new(&options.path)?;
    let span = |since: Option<Micros>, until: Option<Micros>| Span {
        first: "time",
        last: "time",
        low: since.map_or(i64::MIN, |since| since.0),
        high: until.map_or(i64::MAX, |until| until.0.saturating_sub(1)),
    };
    let is_timed = shared.since.is_some() || shared.until.is_some();
    let dates = is_timed.then(|| {
        let first = shared.since.map_or_else(String::new, Micros::date);
        (first, shared.until.map_or_else(|| "9999-99-99".to_owned(), Micros::date))
    });
    let prune = Prune {
        spans: is_timed.then(|| span(shared.since, shared.until)).into_iter().collect(),
        paths: paths.rules(),
        digests: options.digest.clone(),
    };
    let filter = RowFilter {
        since: shared.since,
        until: shared.until,
        hooks: options.hook.clone(),
        paths,
        pids: options.pid.clone(),
        uids: options.uid.clone(),
        inode: None,
        digests: options.digest.iter().cloned().collect(),
    };
    Ok(Scan { prune, dates, columns: Vec::new(), predicate: filter.predicate() })
}
