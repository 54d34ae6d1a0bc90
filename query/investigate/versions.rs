//! Every version of a file, and every place of a digest.

use super::rows::Rows;
use crate::archives::filter::{RowFilter, text_test};
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::asked_digest::AskedDigest;
use crate::caveats::mapped::MappedWrites;
use crate::caveats::observed::Observed;
use crate::caveats::undigested;
use crate::recordings::clock::ClockSteps;
use crate::recordings::completeness::Completeness;
use crate::recordings::gaps::{Interval, Mark};
use crate::recordings::suppressed::Answer;
use crate::recordings::{Position, Recordings};
use crate::sorter::Sorter;
use crate::versions::order::resolve_or_report;
use crate::versions::run::Run;
use crate::versions::series::{AllSeries, SeriesKey};
use crate::versions::version::{Version, versions};
use anyhow::Result;
use hashtrail::digest_list::Wanted;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;

/// A question about files, or about the places of one digest.
pub(crate) struct HistoryQuestion<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) paths: PathPatterns,
    pub(crate) inode: Option<(String, i64)>,
    pub(crate) digest: Option<String>,
}

/// What else was found.
pub(crate) struct FoundVersions {
    /// All versions that there are.
    pub(crate) count: usize,
    pub(crate) completeness: Completeness,
    pub(crate) mapped_writes: MappedWrites,
    pub(crate) asked_digest: AskedDigest,
    /// What was asked for and nobody saw.
    pub(crate) observed: Observed,
}

/// Hands each version of the files to `each`; gives what is to be told beside them.
///
/// # Errors
/// When a scan cannot be made, or those of `each`; files that cannot be read are problems.
pub(crate) fn history(
    question: &HistoryQuestion<'_>,
    archives: &Archives<'_>,
    each: impl FnMut(&Version) -> Result<()>,
) -> Result<FoundVersions> {
    let HistoryQuestion { scope, paths, inode, digest } = question;
    let rows = Rows::read(archives, scope, paths, &scan_of_history(question), |_| true)?;
    // Of one digest not all versions were read, so its runs have no neighbours to be ordered among.
    let are_whole = digest.is_none();
    let load = if are_whole { Recordings::load } else { Recordings::load_for_versions };
    let recordings = load(archives, &rows.spans)?;
    let mapped_writes = MappedWrites::find(archives, scope, &rows.mapped, |event| is_about(event, question))?;
    let asked_events = RowFilter { paths: paths.clone(), inode: inode.clone(), ..RowFilter::default() };
    let without_digest = if are_whole { undigested::count_hiding(archives, &rows.bounds, asked_events)? } else { 0 };
    let mut observed = Observed::default();
    observed.look_for_unseen(archives, &rows.unseen)?;
    if let Some(inode) = inode.as_ref().filter(|_| rows.is_empty) {
        observed.look_for_inode(archives, inode)?;
    }
    let asked_digest = AskedDigest::check(digest.as_slice(), archives, scope)?;
    let count = each_version(rows.sorter, &recordings, (archives, are_whole), scope, each)?;
    let completeness = completeness(archives, &recordings, scope, &asked_digest, &mapped_writes);
    let completeness = Completeness { without_digest, ..completeness };
    Ok(FoundVersions { count, completeness, mapped_writes, asked_digest, observed })
}

/// As [`history`], of all digests that are wanted, at these paths.
///
/// # Errors
/// As [`history`].
pub(crate) fn lookup(
    wanted: &Wanted,
    paths: &PathPatterns,
    scope: &Scope,
    archives: &Archives<'_>,
    each: impl FnMut(&Version) -> Result<()>,
) -> Result<FoundVersions> {
    let asked_digest = AskedDigest::check_listed(wanted, archives, scope)?;
    let rows = Rows::read(archives, scope, paths, &scan_of_lookup(wanted, paths), |_| true)?;
    let recordings = Recordings::load_for_versions(archives, &rows.spans)?;
    let is_asked = |event: &Event| paths.matches(event.path.as_deref().unwrap_or_default());
    let mapped_writes = MappedWrites::find(archives, scope, &rows.mapped, is_asked)?;
    let mut observed = Observed::default();
    observed.look_for_unmatched(archives, &rows.unseen)?;
    let count = each_version(rows.sorter, &recordings, (archives, false), scope, each)?;
    let completeness = completeness(archives, &recordings, scope, &asked_digest, &mapped_writes);
    Ok(FoundVersions { count, completeness, mapped_writes, asked_digest, observed })
}

fn completeness(
    archives: &Archives<'_>,
    recordings: &Recordings,
    scope: &Scope,
    asked_digest: &AskedDigest,
    mapped_writes: &MappedWrites,
) -> Completeness {
    Completeness {
        unsealed: archives.unsealed(),
        written_while_mapped: mapped_writes.count,
        without_digests: asked_digest.is_without(),
        doubtful_contents: asked_digest.doubtful(),
        undigested: asked_digest.undigested(),
        ..Completeness::of(recordings, Answer::Versions, scope, archives.problems())
    }
}

/// Whether an event is about what was asked for.
fn is_about(event: &Event, question: &HistoryQuestion<'_>) -> bool {
    let HistoryQuestion { paths, inode, .. } = question;
    let own = event.dev.clone().zip(event.ino);
    let beneath = event.real_dev.clone().zip(event.real_ino);
    inode.is_some() && [own, beneath].contains(inode)
        || !paths.is_empty() && event.path.as_ref().is_some_and(|path| paths.matches(path))
}

fn scan_of_history(question: &HistoryQuestion<'_>) -> Scan {
    let HistoryQuestion { paths, inode, digest, .. } = question;
    let prune = Prune { paths: paths.rules(), digests: digest.iter().cloned().collect(), ..Prune::default() };
    let filter = RowFilter {
        paths: paths.clone(),
        inode: inode.clone(),
        digests: digest.iter().cloned().collect(),
        ..RowFilter::default()
    };
    Scan { prune, predicates: filter.predicates(), ..Scan::default() }
}

/// A long list excludes no row group, so its digests are tested on the rows alone.
fn scan_of_lookup(wanted: &Wanted, paths: &PathPatterns) -> Scan {
    const PRUNED_MAX: usize = 10_000;
    let digests = wanted.all(PRUNED_MAX).unwrap_or_default();
    let prune = Prune { digests, paths: paths.rules(), ..Prune::default() };
    let mut predicates = paths.predicates();
    predicates.push(text_test("digest", wanted.test()));
    Scan { prune, predicates, ..Scan::default() }
}

/// Hands on certain and doubtful versions of all series that were seen in the scope, each series in order of time, and counts
/// them. Of whole series, runs that interleave are ordered by their events.
fn each_version(
    rows: Sorter<FileVersion>,
    recordings: &Recordings,
    (archives, are_whole): (&Archives<'_>, bool),
    scope: &Scope,
    mut each: impl FnMut(&Version) -> Result<()>,
) -> Result<usize> {
    let mut count = 0;
    let steps = ClockSteps::read_for(archives, scope)?;
    let span_of = |key: &SeriesKey, version: &Version| {
        let mark = |position: Position| Some(Mark { rank: position.rank, boot_ns: position.boot_ns });
        let (after, before) = (mark(version.first().first), mark(version.latest().last));
        let seen = [version.first_seen(), version.last_seen()];
        steps.span_of(Interval { host: &key.host, after, before }, seen, recordings)
    };
    for series in AllSeries::new(rows, recordings)? {
        let (key, mut series) = series?;
        if are_whole {
            resolve_or_report(archives, recordings, &key, &mut series);
        }
        let is_as_doubtful = |left: &Run, right: &Run| left.is_version_of(right) && left.row.doubts == right.row.doubts;
        let mut of_series = versions(&series.certain, Run::is_version_of);
        of_series.extend(versions(&series.doubtful, is_as_doubtful));
        of_series.sort_by_key(|version| version.first().first);
        for version in of_series.iter().filter(|version| scope.touches(span_of(&key, version))) {
            count += 1;
            each(version)?;
        }
    }
    Ok(count)
}
