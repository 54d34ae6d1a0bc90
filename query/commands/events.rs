//! `events`: rows of the events table, in the order in which they were sealed.

use super::Context;
use crate::archives::filter::{PathPatterns, RowFilter};
use crate::archives::user_digests::{EventKey, KEY_COLUMNS, UserDigests, keys, references};
use crate::archives::{Archives, Scan, Scope, user_digests_among};
use crate::arguments::digest;
use crate::caveats::asked_digest::AskedDigest;
use crate::caveats::asked_hooks::AskedHooks;
use crate::caveats::observed::Observed;
use crate::output::batch;
use crate::output::problems::note;
use crate::output::{Format, Output};
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use crate::recordings::{Recordings, Spans};
use anyhow::{Context as _, Result};
use arrow::array::RecordBatch;
use clap::Args;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::reader::{Prune, Span};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What people look at first; json shows every column.
const SHOWN: [&str; 10] = ["time", "host", "hook", "pid", "uid", "comm", "exe", "path", "digest", "digest_status"];

/// Options of `events`.
#[derive(Debug, Default, Args)]
pub(crate) struct EventsOptions {
    /// LSM hook; repeatable
    #[arg(long, value_name = "HOOK")]
    pub(crate) hook: Vec<String>,
    /// Path or glob; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    /// Process; repeatable
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Vec<i64>,
    /// Real user; repeatable
    #[arg(long, value_name = "UID")]
    pub(crate) uid: Vec<i64>,
    /// Digest in hex; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse)]
    pub(crate) digest: Vec<String>,
    /// Columns to show, separated by commas; `hashtrail schema` lists them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
}

pub(crate) fn run(options: &EventsOptions, context: Context<'_>) -> Result<bool> {
    let scope = context.scope;
    let shown = shown_columns(options, context.output.format)?;
    let archives = Archives::open(scope, context.problems)?;
    let recordings = Recordings::load(&archives, &Spans::default())?;
    let asked_hooks = AskedHooks::check(&options.hook, &recordings, scope)?;
    let user_digests = user_digests_among(&archives, &options.digest)?;
    let asked_digest = AskedDigest::check(&options.digest, &archives, scope)?;
    let mut scan = scan(options, scope, &user_digests)?;
    scan.columns.clone_from(&shown);
    if let Some(sort) = &context.output.sort {
        let column = known_column(sort.trim_start_matches('-'))?;
        if !scan.columns.contains(&column) {
            scan.columns.push(column);
        }
    }
    let asked: HashSet<&'static str> = scan.columns.iter().copied().collect();
    if !archives.hosts().are_clear() && !asked.contains("recording_id") {
        scan.columns.push("recording_id");
    }
    if !user_digests.is_empty() {
        scan.columns.extend(KEY_COLUMNS.iter().filter(|name| !asked.contains(**name)));
    }
    let mut output = Output::new(context.output, &shown, context.writer);
    let mut found = 0_usize;
    let mut once = Once { user_digests: &user_digests, shown: HashSet::new() };
    archives.scan::<Event>(&scan, |batch| {
        for mut row in once.rows(batch)? {
            let name = row.get("recording_id").and_then(Value::as_str).and_then(|id| archives.hosts().name_of(id));
            if let (Some(name), Some(host)) = (name.map(Value::from), row.get_mut("host")) {
                *host = name;
            }
            row.retain(|name, _| asked.contains(name.as_str()));
            // Files of version 1 lack columns.
            for name in &shown {
                row.entry(*name).or_insert(Value::Null);
            }
            found += 1;
            if output.row(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let summary = Completeness {
        unsealed: archives.unsealed(),
        without_digests: asked_digest.is_without(),
        doubtful_contents: asked_digest.doubtful(),
        undigested: asked_digest.undigested(),
        ..Completeness::of(&recordings, Answer::Everything, scope, context.problems)
    };
    let mut observed = Observed::default();
    if found == 0 {
        observed.look_for_unmatched(&archives, &PathPatterns::new(&options.path)?)?;
    }
    let mut last = summary.to_json(&[("events", found)]);
    last.extend(asked_hooks.fields());
    last.extend(asked_digest.fields());
    last.extend(observed.fields().remove_entry("never_observed"));
    if !asked_hooks.are_recorded() {
        last.insert("complete".into(), false.into());
    }
    output.finish_with(&last)?;
    if context.output.format != Format::Json {
        observed.notes().iter().for_each(|text| note(text));
        asked_hooks.notes().iter().for_each(|text| note(text));
        let is_told = asked_hooks.are_recorded() || !summary.is_complete();
        summary.notes().iter().filter(|_| is_told).for_each(|text| note(text));
    }
    Ok(found > 0)
}

/// Shows an event whose digest another row holds with that digest, and then that other row no more.
struct Once<'a> {
    user_digests: &'a UserDigests,
    shown: HashSet<EventKey>,
}

impl Once<'_> {
    fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<Map<String, Value>>> {
        let row_at = |row| batch::row(batch, row);
        if self.user_digests.is_empty() {
            return (0..batch.num_rows()).map(row_at).collect();
        }
        let mut rows = Vec::new();
        for (place, (key, reference)) in keys(batch)?.into_iter().zip(references(batch)?).enumerate() {
            if reference.is_some_and(|event| self.shown.contains(&event)) {
                continue;
            }
            let mut row = row_at(place)?;
            if self.user_digests.has(&key) {
                self.user_digests.fill(&key, &mut row);
                self.shown.insert(key);
            }
            rows.push(row);
        }
        Ok(rows)
    }
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

fn scan(options: &EventsOptions, scope: &Scope, user_digests: &Arc<UserDigests>) -> Result<Scan> {
    let paths = PathPatterns::new(&options.path)?;
    paths.notes().for_each(|text| note(&text));
    let (low, high) = scope.span();
    let dates = scope.dates();
    let prune = Prune {
        spans: dates.iter().map(|_| Span { first: "time", last: "time", low, high }).collect(),
        paths: paths.rules(),
        // The rows of events whose digest another row holds have none.
        digests: if user_digests.is_empty() { options.digest.clone() } else { Vec::new() },
    };
    let filter = RowFilter {
        since: scope.since,
        until: scope.until,
        hooks: options.hook.clone(),
        paths,
        pids: options.pid.clone(),
        uids: options.uid.clone(),
        inode: None,
        digests: options.digest.iter().cloned().collect(),
        user_digests: Arc::clone(user_digests),
    };
    Ok(Scan { prune, dates, columns: Vec::new(), predicates: filter.predicates() })
}
