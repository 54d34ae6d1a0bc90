//! `timeline`: events, changes and gaps in the order of time, also in the words of other tools.

use super::Context;
use super::acts::ActOptions;
use crate::archives::Archives;
use crate::archives::patterns::PathPatterns;
use crate::export::{self, Lines, Target};
use crate::investigate::changes::{ChangesQuestion, FoundChanges};
use crate::investigate::events::EventsQuestion;
use crate::investigate::timeline::Timeline;
use crate::output::problems::note;
use crate::output::zone::Zone;
use crate::output::{Columns, Format, Output, OutputOptions, Row};
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
    /// Only events of this LSM hook, beside changes and gaps; repeatable
    #[arg(long, value_name = "HOOK", conflicts_with = "without_events")]
    pub(crate) hook: Vec<String>,
    #[command(flatten)]
    pub(crate) acts: ActOptions,
    /// Also where each file was first seen
    #[arg(long)]
    pub(crate) first_seen: bool,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail timeline '/usr/sbin/*' --archive web1 --since '2 days ago'
  hashtrail timeline --to timesketch --archive '/mnt/evidence/*' > case.jsonl
  hashtrail timeline --to ocsf --archive web1 > case.jsonl
  hashtrail timeline --to bodyfile --archive web1 > case.body; mactime -b case.body -d -y";

pub(crate) fn run(options: &TimelineOptions, context: Context<'_>) -> Result<bool> {
    if context.output.sort.is_some() {
        bail!("a timeline stands in the order of time: leave out --sort");
    }
    if options.to.is_some() && !context.output.columns.is_empty() {
        bail!("the columns of a format for another tool are those that it knows: leave out --columns");
    }
    if options.without_events && !options.acts.is_empty() {
        bail!("--without-events leaves nothing of what the options about acts ask for");
    }
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().for_each(|text| note(&text));
    let changes = ChangesQuestion {
        scope: context.scope,
        paths: paths.clone(),
        first_seen: options.first_seen,
        most: None,
        verdicts: false,
    };
    let events = EventsQuestion {
        scope: context.scope,
        hooks: &options.hook,
        paths,
        pids: &options.acts.pid,
        uids: &options.acts.uid,
        texts: options.acts.texts()?,
        digests: &[],
        columns: Event::columns().iter().map(|column| column.name).collect(),
    };
    let found = Timeline::find(&changes, (!options.without_events).then_some(&events), &archives)?;
    show(options, context.output, context.writer, found)
}

fn show(
    options: &TimelineOptions,
    output: &OutputOptions,
    writer: &mut dyn std::io::Write,
    mut found: Timeline,
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
    let last = summary(&found);
    if options.to.is_some() {
        shown.finish()?;
    } else {
        shown.finish_with(&last)?;
    }
    if options.to.is_some() || format != Format::Json {
        say(&found);
        if without_line > 0 {
            note(&format!(
                "{without_line} of {count} events, changes and gaps saw no file with its times, and have no line"
            ));
        }
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

fn summary(found: &Timeline) -> Row {
    let FoundChanges { completeness, .. } = &found.changes;
    let mut counts = vec![
        ("changes", found.changes.count),
        ("doubtful", completeness.doubtful),
        ("without_digest", completeness.without_digest),
        ("written_while_mapped", found.changes.mapped_writes.count),
        ("mounted_over", found.changes.mounted.len()),
    ];
    let mut last = match &found.events {
        Some(events) => {
            counts.push(("events", events.count));
            let mut last = events.completeness.to_json(&counts);
            last.extend(events.asked_hooks.fields());
            last.extend(events.without_exe.map(|count| ("without_exe".to_owned(), count.into())));
            last
        }
        None => completeness.to_json(&counts),
    };
    last.extend(found.changes.observed.fields());
    last.insert("complete".into(), found.is_complete().into());
    last
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

fn say(found: &Timeline) {
    found.changes.mapped_writes.notes().iter().for_each(|text| note(text));
    found.changes.mounted.notes().iter().for_each(|text| note(text));
    found.changes.observed.notes().iter().for_each(|text| note(text));
    let mut notes = found.changes.completeness.notes();
    if let Some(events) = &found.events {
        events.asked_hooks.notes().iter().for_each(|text| note(text));
        events.unknown_acts().iter().for_each(|text| note(text));
        notes.extend(events.completeness.notes());
    }
    // Each of the two answers may be complete by itself.
    notes.retain(|text| found.is_complete() || !text.starts_with("complete"));
    notes.dedup();
    notes.iter().for_each(|text| note(text));
}
