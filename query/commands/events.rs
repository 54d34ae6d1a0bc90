//! `events`: rows of the events table, in the order in which they were sealed.

use super::Context;
use crate::archives::Archives;
use crate::archives::filter::PathPatterns;
use crate::archives::text_filter::TextFilter;
use crate::arguments::digest;
use crate::investigate::events::{self, EventsQuestion};
use crate::output::problems::note;
use crate::output::{Format, Output};
use anyhow::{Context as _, Result};
use clap::Args;
use hashtrail::columns::Row;
use hashtrail::event::Event;

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
    /// Path or glob of the program that acted; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) exe: Vec<String>,
    /// Name of the thread that acted; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) comm: Vec<String>,
    /// Name of its parent; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) parent: Vec<String>,
    /// Container, or how its id begins; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) container: Vec<String>,
    /// Name of the policy that asked for the event; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Vec<String>,
    /// What the policy asked for; repeatable
    #[arg(long, value_name = "ACTION", value_parser = ["post", "deny", "signal", "kill"])]
    pub(crate) action: Vec<String>,
    /// Path or glob that a file is renamed or linked to; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) target: Vec<String>,
    /// Digest in hex; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse)]
    pub(crate) digest: Vec<String>,
    /// Columns to show, separated by commas; `hashtrail schema` lists them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
}

pub(crate) fn run(options: &EventsOptions, context: Context<'_>) -> Result<bool> {
    let shown = shown_columns(options, context.output.format)?;
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.path)?;
    let texts = text_filters(options)?;
    paths.notes().chain(texts.iter().flat_map(TextFilter::notes)).for_each(|text| note(&text));
    let question = EventsQuestion {
        scope: context.scope,
        hooks: &options.hook,
        paths,
        pids: &options.pid,
        uids: &options.uid,
        texts,
        digests: &options.digest,
        columns: with_sorted(&shown, context.output.sort.as_deref())?,
    };
    let mut output = Output::new(context.output, &shown, context.writer);
    let found = events::find(&question, &archives, &mut |row| output.row(row))?;
    let mut last = found.completeness.to_json(&[("events", found.count)]);
    last.extend(found.asked_hooks.fields());
    last.extend(found.asked_digest.fields());
    last.extend(found.observed.fields().remove_entry("never_observed"));
    if let Some(count) = found.without_exe {
        last.insert("without_exe".into(), count.into());
    }
    if !found.asked_hooks.are_recorded() || found.without_exe.is_some_and(|count| count > 0) {
        last.insert("complete".into(), false.into());
    }
    output.finish_with(&last)?;
    if context.output.format != Format::Json {
        found.observed.notes().iter().for_each(|text| note(text));
        found.asked_hooks.notes().iter().for_each(|text| note(text));
        if let Some(count) = found.without_exe.filter(|count| *count > 0) {
            note(&format!(
                "not complete: of {count} more event(s) it is not known which program acted, or it was a kernel thread"
            ));
        }
        let is_told = found.asked_hooks.are_recorded() || !found.completeness.is_complete();
        found.completeness.notes().iter().filter(|_| is_told).for_each(|text| note(text));
    }
    Ok(found.count > 0)
}

fn text_filters(options: &EventsOptions) -> Result<Vec<TextFilter>> {
    let mut asked = vec![
        TextFilter::of_paths("exe", &options.exe)?,
        TextFilter::of_names("comm", &options.comm),
        TextFilter::of_names("parent_comm", &options.parent),
        TextFilter::of_beginnings("container_id", &options.container),
        TextFilter::of_names("policy", &options.policy),
        TextFilter::of_names("action", &options.action),
        TextFilter::of_paths("target_path", &options.target)?,
    ];
    asked.retain(|filter| !filter.is_empty());
    Ok(asked)
}

/// The columns, and the one to sort by.
fn with_sorted(shown: &[&'static str], sort: Option<&str>) -> Result<Vec<&'static str>> {
    let mut columns = shown.to_vec();
    if let Some(sort) = sort {
        let column = known_column(sort.trim_start_matches('-'))?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(columns)
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
