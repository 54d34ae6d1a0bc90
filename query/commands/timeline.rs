//! `timeline`: events, changes and gaps in the order of time, also in the words of other tools.

use super::Context;
use super::acts::ActOptions;
use super::answer::{Tail, counts_of_changes};
use super::files::PackageOptions;
use crate::archives::patterns::PathPatterns;
use crate::archives::text_filter::TextFilter;
use crate::archives::{Archives, whole_digests};
use crate::arguments::digest;
use crate::caveats::asked_digest::AskedDigest;
use crate::export::{self, Lines, Target};
use crate::investigate::changes::ChangesQuestion;
use crate::investigate::events::EventsQuestion;
use crate::investigate::timeline::Timeline;
use crate::investigate::wanted::Wanted;
use crate::output::problems::note;
use crate::output::zone::Zone;
use crate::output::{Columns, Format, Output, OutputOptions, Row};
use crate::packages::owned::Owned;
use anyhow::{Result, bail};
use clap::Args;
use hashtrail::columns::Row as _;
use hashtrail::event::Event;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

const TABLE: [&str; 4] = ["datetime", "host", "type", "message"];

/// Options of `timeline`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TimelineOptions {
    /// Paths or globs ('*' stops at '/', '**' does not); without them, all files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Write it for another tool; no summary ends it, and notes stand on stderr
    #[arg(long, value_name = "TOOL", value_parser = export::parser())]
    pub(crate) to: Option<Target>,
    /// Only changes and gaps
    #[arg(long)]
    pub(crate) without_events: bool,
    #[command(flatten)]
    pub(crate) acts: ActOptions,
    /// Only events with this digest and changes from or to it, beside gaps; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse_beginning)]
    pub(crate) digest: Vec<String>,
    #[command(flatten)]
    pub(crate) packages: PackageOptions,
    /// Also where each file was first seen
    #[arg(long)]
    pub(crate) first_seen: bool,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail timeline '/usr/sbin/*' --archive web1 --since '2 days ago'
  hashtrail timeline --package openssl --archive web1
  hashtrail timeline --to timesketch --archive '/mnt/evidence/*' > case.jsonl
  hashtrail timeline --to ocsf --archive web1 > case.jsonl
  hashtrail timeline --to bodyfile --archive web1 > case.body; mactime -b case.body -d -y

Options about acts (--pid, --uid, --hook, …) are about events: changes, which have suspects, and gaps stand beside these.";

pub(crate) fn run(options: &TimelineOptions, context: Context<'_>) -> Result<bool> {
    if context.output.sort.is_some() {
        bail!("a timeline stands in the order of time: leave out --sort");
    }
    if options.to.is_some() && !context.output.columns.is_empty() {
        bail!("the columns of a format for another tool are those that it knows: leave out --columns");
    }
    let acts = options.acts.filter()?;
    if options.without_events && !acts.is_empty() {
        bail!("--without-events leaves nothing of what the options about acts ask for");
    }
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().chain(acts.texts.iter().flat_map(TextFilter::notes)).for_each(|text| note(&text));
    let digests = whole_digests(&archives, &options.digest)?;
    if options.without_events {
        AskedDigest::check(&digests, &archives, context.scope)?;
    }
    // Acts are about events alone: a change has its suspects.
    let wanted = Wanted { digests: digests.clone(), packages: options.packages.package.clone(), ..Wanted::default() };
    let changes = ChangesQuestion {
        scope: context.scope,
        paths: paths.clone(),
        first_seen: options.first_seen,
        most: None,
        wanted: &wanted,
        verdicts: false,
    };
    let (paths, owned) = options.packages.narrow(paths, &archives, context.scope)?;
    let events = EventsQuestion {
        scope: context.scope,
        paths,
        acts,
        digests: &digests,
        columns: Event::columns().iter().map(|column| column.name).collect(),
    };
    let found = Timeline::find(&changes, (!options.without_events).then_some(&events), &archives)?;
    show(options, context.output, context.writer, found, &owned)
}

fn show(
    options: &TimelineOptions,
    output: &OutputOptions,
    writer: &mut dyn std::io::Write,
    mut found: Timeline,
    owned: &Owned,
) -> Result<bool> {
    let (format, columns) = shape(options.to, output.format);
    // Other tools read times by themselves.
    let zone = if options.to.is_some() { Zone::Utc } else { output.zone };
    let options_of_output = OutputOptions { format, zone, ..output.clone() };
    let target = options.to.unwrap_or(if format == Format::Json { export::JSONL } else { export::CSV });
    let mut shown = match options.to.map(|target| target.lines) {
        Some(Lines::Text) => Output::of_lines(&options_of_output, writer),
        _ => Output::new(&options_of_output, Columns::of(columns), writer),
    };
    let (mut count, mut once, mut without_line) = (0_usize, Once::default(), 0_usize);
    for moment in found.moments.by_ref() {
        count += 1;
        let row = (target.row)(&moment?);
        without_line += usize::from(row.is_empty());
        if once.is_new(&row) && shown.row(row)?.is_break() {
            break;
        }
    }
    let other_tool = (without_line > 0).then(|| {
        format!("{without_line} of {count} events, changes and gaps saw no file with its times, and have no line")
    });
    let tail = tail(&found, owned).notes(other_tool);
    match options.to {
        Some(_) => tail.show_notes_after(shown)?,
        None => tail.show(shown, format)?,
    }
    Ok(count > 0)
}

/// Takes lines that were not there before: one content is seen in one state again and again.
#[derive(Default)]
struct Once(HashSet<[u8; 32]>);

impl Once {
    /// Whether the row is to be shown.
    fn is_new(&mut self, row: &Row) -> bool {
        match row.get("line").and_then(Value::as_str) {
            Some(line) => self.0.insert(Sha256::digest(line).into()),
            None => !row.is_empty(),
        }
    }
}

/// What the rows do not show.
fn tail(found: &Timeline, owned: &Owned) -> Tail {
    let Some(events) = &found.events else {
        return Tail::of_changes(&found.changes);
    };
    let without_exe = events.without_exe.map(|count| ("without_exe".to_owned(), count.into()));
    Tail::of_changes(&found.changes)
        .fields(events.completeness.to_json(&counts_of_changes(&found.changes)))
        .fields([("events".to_owned(), events.count.into())].into_iter().collect())
        .fields(events.asked_digest.comparison())
        .told(events.asked_hooks.fields(), events.asked_hooks.notes())
        .told(without_exe.into_iter().collect(), events.unknown_acts())
        .told(owned.fields(), owned.notes())
        .complete_only_if(found.is_complete() && owned.is_whole())
        .notes(events.completeness.notes())
}

/// How lines are written, and the columns of a table or CSV.
fn shape(to: Option<Target>, format: Format) -> (Format, &'static [&'static str]) {
    let to = to.or((format == Format::Csv).then_some(export::CSV));
    match to.map(|target| target.lines) {
        Some(Lines::Csv(columns)) => (Format::Csv, columns),
        Some(Lines::Json) => (Format::Json, &[]),
        Some(Lines::Text) => (format, &[]),
        None => (format, &TABLE),
    }
}
