//! `events`: rows of the events table, in the order in which they were sealed.

use super::Context;
use super::acts::ActOptions;
use super::answer::Tail;
use super::files::PackageOptions;
use crate::archives::patterns::PathPatterns;
use crate::archives::text_filter::TextFilter;
use crate::archives::{Archives, whole_digests};
use crate::arguments::digest;
use crate::investigate::events::{self, EventsQuestion};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output, OutputOptions};
use anyhow::{Context as _, Result};
use clap::Args;
use hashtrail::columns::Row;
use hashtrail::event::Event;

/// What people look at first; json shows every column.
const SHOWN: [&str; 10] = ["time", "host", "hook", "pid", "uid", "comm", "exe", "path", "digest", "digest_status"];

/// Options of `events`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EventsOptions {
    /// Path or glob; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    #[command(flatten)]
    pub(crate) acts: ActOptions,
    #[command(flatten)]
    pub(crate) packages: PackageOptions,
    /// Digest in hex; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse_beginning)]
    pub(crate) digest: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail events --hook bprm_committed_creds --uid 33 --archive web1
  hashtrail events --pid 4711 --process-start 5583202976 --archive web1 --format json
  hashtrail events --package openssl --action deny --archive '/mnt/evidence/*'";

pub(crate) fn run(options: &EventsOptions, context: Context<'_>) -> Result<bool> {
    let shown = shown_columns(context.output)?;
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.path)?;
    let acts = options.acts.filter()?;
    paths.notes().chain(acts.texts.iter().flat_map(TextFilter::notes)).for_each(|text| note(&text));
    let (paths, owned) = options.packages.narrow(paths, &archives, context.scope)?;
    let question = EventsQuestion {
        scope: context.scope,
        paths,
        acts,
        digests: &whole_digests(&archives, &options.digest)?,
        columns: with_sorted(&shown, context.output.sort.as_deref())?,
    };
    let mut output = Output::new(context.output, Columns::of(&shown), context.writer);
    let found = events::find(&question, &archives, &mut |row| output.row(row))?;
    let never_observed = found.observed.fields().remove_entry("never_observed");
    let without_exe = found.without_exe.map(|count| ("without_exe".to_owned(), count.into()));
    Tail::new(&found.completeness, &[("events", found.count)])
        .fields(found.asked_digest.fields())
        .told(never_observed.into_iter().collect(), found.observed.notes())
        .told(found.asked_hooks.fields(), found.asked_hooks.notes())
        .told(without_exe.into_iter().collect(), found.unknown_acts())
        .told(owned.fields(), owned.notes())
        .complete_only_if(found.is_complete() && owned.is_whole())
        .notes(found.completeness.notes())
        .show(output, context.output.format)?;
    Ok(found.count > 0)
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

fn shown_columns(output: &OutputOptions) -> Result<Vec<&'static str>> {
    if !output.columns.is_empty() {
        return output.columns.iter().map(|name| known_column(name)).collect();
    }
    if output.format == Format::Json {
        return Ok(Event::columns().iter().map(|column| column.name).collect());
    }
    Ok(SHOWN.to_vec())
}

fn known_column(name: &str) -> Result<&'static str> {
    let columns = Event::columns();
    let column = columns.iter().find(|column| column.name == name.trim());
    column.map(|column| column.name).with_context(|| format!("there is no column `{name}`; see `hashtrail schema`"))
}
