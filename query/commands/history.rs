//! `history`: every version of one file, or every place of one digest.

use super::{Context, version_row};
use crate::archives::filter::{PathPatterns, RowFilter};
use crate::archives::{Archives, Scan, Scope};
use crate::arguments::{digest, inode};
use crate::caveats::asked_digest::AskedDigest;
use crate::caveats::mapped::MappedWrites;
use crate::caveats::observed::Observed;
use crate::caveats::undigested;
use crate::investigate::rows::Rows;
use crate::output::problems::note;
use crate::output::{Format, Output};
use crate::recordings::Recordings;
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use crate::sorter::Sorter;
use crate::versions::order::resolve_or_report;
use crate::versions::run::Run;
use crate::versions::series::AllSeries;
use crate::versions::version::{Version, versions};
use anyhow::Result;
use clap::Args;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;

/// What table and csv show.
pub(super) const COLUMNS: [&str; 16] = [
    "host",
    "path",
    "path_flags",
    "algorithm",
    "digest",
    "first_seen",
    "last_seen",
    "observations",
    "runs",
    "attempts",
    "dev",
    "ino",
    "size_bytes",
    "mode",
    "owner_uid",
    "doubts",
];
/// A terminal is narrower.
pub(super) const TABLE: [&str; 12] = [
    "host",
    "path",
    "digest",
    "first_seen",
    "last_seen",
    "observations",
    "runs",
    "ino",
    "size_bytes",
    "mode",
    "owner_uid",
    "doubts",
];

/// Options of `history`.
#[derive(Debug, Default, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HistoryOptions {
    /// Path or glob
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// File by device and inode number, as in 8:1:1234
    #[arg(long, value_name = "DEV:INO", value_parser = inode::parse)]
    pub(crate) inode: Option<(String, i64)>,
    /// Every place of this digest
    #[arg(long, value_name = "HEX", value_parser = digest::parse)]
    pub(crate) digest: Option<String>,
}

pub(crate) fn run(options: &HistoryOptions, context: Context<'_>) -> Result<bool> {
    let scope = context.scope;
    let archives = Archives::open(scope, context.problems)?;
    let patterns = PathPatterns::new(options.path.as_slice())?;
    let rows = Rows::read(&archives, scope, &patterns, &scan(options)?, |_| true)?;
    let recordings = Recordings::load_for_versions(&archives, &rows.spans)?;
    let mapped_writes = MappedWrites::find(&archives, scope, &rows.mapped, asked(options)?)?;
    let asked_events = RowFilter { paths: patterns.clone(), inode: options.inode.clone(), ..RowFilter::default() };
    let is_of_events = options.digest.is_none();
    let without_digest =
        if is_of_events { undigested::count_hiding(&archives, &rows.bounds, asked_events)? } else { 0 };
    patterns.notes().for_each(|text| note(&text));
    let mut observed = Observed::default();
    observed.look_for_unseen(&archives, &rows.unseen)?;
    if let Some(inode) = options.inode.as_ref().filter(|_| rows.is_empty) {
        observed.look_for_inode(&archives, inode)?;
    }
    let asked_digest = AskedDigest::check(options.digest.as_slice(), &archives, scope)?;
    let columns: &[&str] = if context.output.format == Format::Table { &TABLE } else { &COLUMNS };
    let mut output = Output::new(context.output, columns, context.writer);
    // Of one digest not all versions were read, so its runs have no neighbours to be ordered among.
    let is_whole = options.digest.is_none();
    let mut found = 0;
    each_version(rows.sorter, &recordings, is_whole.then_some(&archives), |version| {
        found += usize::from(is_within(&version, scope));
        if is_within(&version, scope) { output.offer(|| version_row("version", &version)) } else { Ok(()) }
    })?;
    if context.output.format == Format::Json {
        for row in mapped_writes.rows() {
            if output.row(row)?.is_break() {
                break;
            }
        }
    }
    let summary = Completeness {
        unsealed: archives.unsealed(),
        written_while_mapped: mapped_writes.count,
        without_digest,
        without_digests: asked_digest.is_without(),
        doubtful_contents: asked_digest.doubtful(),
        undigested: asked_digest.undigested(),
        ..Completeness::of(&recordings, Answer::Versions, scope, context.problems)
    };
    let counts =
        [("versions", found), ("without_digest", without_digest), ("written_while_mapped", mapped_writes.count)];
    let mut last = summary.to_json(&counts);
    last.extend(observed.fields());
    last.extend(asked_digest.fields());
    output.finish_with(&last)?;
    if context.output.format != Format::Json {
        observed.notes().iter().for_each(|text| note(text));
        mapped_writes.notes().iter().for_each(|text| note(text));
        summary.notes().iter().for_each(|text| note(text));
    }
    Ok(found > 0 || mapped_writes.count > 0)
}

/// Whether an event is about what was asked for.
fn asked(options: &HistoryOptions) -> Result<impl Fn(&Event) -> bool> {
    let path = options.path.as_ref().map(|path| PathPatterns::new(std::slice::from_ref(path))).transpose()?;
    let inode = options.inode.clone();
    Ok(move |event: &Event| {
        let own = event.dev.clone().zip(event.ino);
        let beneath = event.real_dev.clone().zip(event.real_ino);
        inode.is_some() && [own, beneath].contains(&inode)
            || path.as_ref().zip(event.path.as_ref()).is_some_and(|(asked, path)| asked.matches(path))
    })
}

fn scan(options: &HistoryOptions) -> Result<Scan> {
    let patterns = PathPatterns::new(options.path.as_slice())?;
    let prune =
        Prune { paths: patterns.rules(), digests: options.digest.iter().cloned().collect(), ..Prune::default() };
    let filter = RowFilter {
        paths: patterns,
        inode: options.inode.clone(),
        digests: options.digest.iter().cloned().collect(),
        ..RowFilter::default()
    };
    Ok(Scan { prune, predicates: filter.predicates(), ..Scan::default() })
}

/// Hands on certain and doubtful versions of all series, each series in order of time. With archives, runs that interleave
/// are ordered by their events.
pub(super) fn each_version(
    rows: Sorter<FileVersion>,
    recordings: &Recordings,
    archives: Option<&Archives<'_>>,
    mut each: impl FnMut(Version) -> Result<()>,
) -> Result<()> {
    for series in AllSeries::new(rows, recordings)? {
        let (key, mut series) = series?;
        if let Some(archives) = archives {
            resolve_or_report(archives, recordings, &key, &mut series);
        }
        let is_same = |left: &Run, right: &Run| left.has_digest_of(right) && left.is_file_of(right);
        let is_as_doubtful = |left: &Run, right: &Run| is_same(left, right) && left.row.doubts == right.row.doubts;
        let mut of_series = versions(&series.certain, is_same);
        of_series.extend(versions(&series.doubtful, is_as_doubtful));
        of_series.sort_by_key(|version| version.first().first);
        of_series.into_iter().try_for_each(&mut each)?;
    }
    Ok(())
}

/// Whether a version was seen in [since, until).
pub(super) fn is_within(version: &Version, scope: &Scope) -> bool {
    scope.since.is_none_or(|since| version.last_seen() >= since)
        && scope.until.is_none_or(|until| version.first_seen() < until)
}
