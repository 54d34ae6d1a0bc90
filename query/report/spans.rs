//! The versions of a few files as spans of time.

use super::scale::Scale;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scope};
use crate::investigate::versions::{self, HistoryQuestion};
use crate::investigate::who::Case;
use crate::versions::series::SeriesKey;
use crate::versions::version::Version;
use anyhow::Result;
use hashtrail::cell::Micros;
use std::collections::BTreeSet;

/// Files whose versions are shown.
const LANES_MAX: usize = 30;
/// Versions of one file that stand by themselves, however near they are to each other.
const ALONE_MAX: usize = 50;
/// Of more, those that begin and end in one such part of the width, in thousandths, are one span.
const JOINED_PLACES: u16 = 5;
/// Spans of one file, which are more only where the clock goes back and forth.
const SPANS_MAX: usize = 500;

/// A time in which one content was seen, or several in so short a time that a drawing cannot tell them apart.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) digest: String,
    pub(super) first: Micros,
    pub(super) last: Micros,
    /// How many versions these are.
    pub(super) versions: usize,
    pub(super) is_doubtful: bool,
    /// Whether a list names the content, or one of several.
    pub(super) is_listed: bool,
    /// Successful execs; `None` where no recording could tell.
    pub(super) runs: Option<i64>,
}

/// The versions of one file in their order.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) key: SeriesKey,
    pub(super) spans: Vec<Span>,
    /// All versions that there are.
    pub(super) count: usize,
    /// Versions after the last span, which were too many.
    pub(super) omitted: usize,
}

/// Lanes of the files that changed, those of the first cases, and how many more files of cases there are.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(super) fn read(
    cases: &[Case],
    archives: &Archives<'_>,
    scope: &Scope,
    scale: &Scale,
    is_listed: &dyn Fn(&str) -> bool,
) -> Result<(Vec<Lane>, usize)> {
    let mut lanes: Vec<Lane> = Vec::new();
    let mut others = BTreeSet::new();
    for key in cases.iter().map(|case| case.change.key.without_view()).filter(|key| key.path.is_some()) {
        if lanes.iter().any(|lane| lane.key == key) {
            continue;
        }
        if lanes.len() < LANES_MAX {
            lanes.push(Lane { key, spans: Vec::new(), count: 0, omitted: 0 });
        } else {
            others.insert(key);
        }
    }
    if lanes.is_empty() {
        return Ok((lanes, 0));
    }
    let paths = PathPatterns::exact(lanes.iter().filter_map(|lane| lane.key.path.clone()));
    let question = HistoryQuestion { scope, paths, inode: None, digest: None };
    versions::history(&question, archives, |version| {
        let key = SeriesKey::of(&version.first().row);
        if let Some(lane) = lanes.iter_mut().find(|lane| lane.key == key) {
            lane.take(version, scale, is_listed(&version.first().row.digest));
        }
        Ok(())
    })?;
    Ok((lanes, others.len()))
}

impl Lane {
    fn take(&mut self, version: &Version, scale: &Scale, is_listed: bool) {
        self.count += 1;
        let (first, last) = (version.first_seen(), version.last_seen());
        let is_doubtful = !version.doubts().is_empty();
        let part = |time| scale.place(time) / JOINED_PLACES;
        let is_full = self.spans.len() >= SPANS_MAX;
        match self.spans.last_mut() {
            Some(span) if self.count > ALONE_MAX && part(span.first) == part(last) => {
                span.versions += 1;
                span.last = span.last.max(last);
                span.is_doubtful |= is_doubtful;
                span.is_listed |= is_listed;
                span.runs = span.runs.zip(version.exec_runs()).map(|(left, right)| left.saturating_add(right));
            }
            _ if !is_full => self.spans.push(Span {
                digest: version.first().row.digest.clone(),
                first,
                last,
                versions: 1,
                is_doubtful,
                is_listed,
                runs: version.exec_runs(),
            }),
            _ => self.omitted += 1,
        }
    }
}
