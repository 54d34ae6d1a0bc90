//! Sights of contents on two sides: what a comparison keeps of the rows of versions, sorted by what is compared.

use crate::archives::{Archives, Scan, Scope};
use crate::recordings::clock::ClockSteps;
use crate::sorter::{Sortable, Sorter};
use crate::versions::series::{Root, SeriesKey};
use anyhow::Result;
use hashtrail::cell::Micros;
use hashtrail::versions::FileVersion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is read of each row, here and for what is noted of all rows.
pub(crate) const COLUMNS: [&str; 24] = [
    "recording_id",
    "host",
    "boot_id",
    "root_dev",
    "root_ino",
    "root_is_host",
    "path",
    "path_flags",
    "dev",
    "ino",
    "ino_generation",
    "real_dev",
    "real_ino",
    "digest_algorithm",
    "digest",
    "first_time",
    "first_boot_ns",
    "first_cpu",
    "first_seq",
    "last_time",
    "last_boot_ns",
    "observations",
    "runs",
    "doubts",
];

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Side {
    Left,
    Right,
}

/// What rows must share to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A path under a root, on whatever host.
    Path,
    /// A digest under its algorithm, at whatever path.
    Digest,
}

/// A content, as its digest tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) algorithm: String,
    pub(crate) digest: String,
    pub(crate) is_doubtful: bool,
}

/// Successful execs in the time that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Execs {
    /// This row tells of none; others do.
    NotTold,
    /// The recording could not tell them.
    NotRecorded,
    /// A part of them lies outside of the time, and the row does not say which.
    InPart,
    Count(i64),
}

/// What of a row lies in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within {
    /// The first and the last observation that are known to.
    pub(crate) times: Option<(Micros, Micros)>,
    pub(crate) execs: Execs,
    /// Whether all observations are known to.
    pub(crate) is_whole: bool,
}

impl Within {
    /// `None` of a row that does not touch the time.
    pub(crate) fn of(row: &FileVersion, scope: &Scope, steps: &ClockSteps) -> Option<Self> {
        let (low, high) = scope.span();
        let (first, last) = steps.span(row);
        if last.0 < low || first.0 > high {
            return None;
        }
        let is_inside = |time: &Micros| (low..=high).contains(&time.0);
        let is_whole = is_inside(&first) && is_inside(&last);
        let inside = || [row.first_time, row.last_time].into_iter().filter(is_inside);
        let execs = match row.runs {
            None => Execs::NotRecorded,
            Some(count) if count == 0 || is_whole => Execs::Count(count),
            Some(_) => Execs::InPart,
        };
        Some(Self { times: inside().min().zip(inside().max()), execs, is_whole })
    }
}

/// The hosts of which a digest was observed in a time, at whatever path.
///
/// # Errors
/// When a scan cannot be made; files that cannot be read are problems.
pub(crate) fn hosts_with_digests(archives: &Archives<'_>, scope: &Scope) -> Result<BTreeSet<String>> {
    let mut hosts = BTreeSet::new();
    let steps = ClockSteps::read(archives)?;
    let columns =
        vec!["recording_id", "host", "first_time", "first_boot_ns", "last_time", "last_boot_ns", "observations"];
    archives.each_row(&Scan { columns, ..Scan::default() }, |row: FileVersion| {
        if !hosts.contains(&row.host) && Within::of(&row, scope, &steps).is_some() {
            hosts.insert(row.host);
        }
    })?;
    Ok(hosts)
}

/// A row of versions, or an event that has no digest though its policy asked for one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sighting {
    pub(crate) side: Side,
    pub(crate) host: String,
    pub(crate) path: Option<String>,
    pub(crate) root: Root,
    pub(crate) content: Option<Content>,
    /// The first and the last observation in the time that was asked about. `None` where it lies between two that a row joins.
    pub(crate) times: Option<(Micros, Micros)>,
    pub(crate) execs: Execs,
    /// Which row it was, so that one of two copies counts: recording, nanoseconds since boot, CPU and sequence number.
    pub(crate) source: (String, i64, i32, i64),
}

impl Sighting {
    /// Of a row that touches the time. What it joins was seen without another content between, so a row that begins
    /// before the time and ends after it stands for what was there.
    pub(crate) fn of(row: &FileVersion, key: SeriesKey, side: Side, within: Within) -> Self {
        let Within { times, execs, .. } = within;
        Self {
            side,
            host: key.host,
            path: key.path,
            root: key.root,
            content: Some(Content {
                algorithm: row.digest_algorithm.clone(),
                digest: row.digest.clone(),
                is_doubtful: !row.doubts.is_empty(),
            }),
            times,
            execs,
            source: (row.recording_id.clone(), row.first_boot_ns, row.first_cpu, row.first_seq),
        }
    }
}

impl Subject {
    /// Sorts sightings so that those of one subject stand together, and equal ones beside each other.
    pub(crate) fn sorter(self) -> Sorter<Sighting> {
        match self {
            Self::Path => Sorter::new(|left: &Sighting, right| {
                let subject = (&left.path, &left.root).cmp(&(&right.path, &right.root));
                let content = || (&left.content, left.side).cmp(&(&right.content, right.side));
                subject.then_with(content).then_with(|| left.source.cmp(&right.source))
            }),
            Self::Digest => Sorter::new(|left: &Sighting, right| {
                let place = || (left.side, &left.path).cmp(&(right.side, &right.path));
                left.digest().cmp(&right.digest()).then_with(place).then_with(|| left.source.cmp(&right.source))
            }),
        }
    }

    /// Whether both are of one.
    pub(crate) fn is_one(self, left: &Sighting, right: &Sighting) -> bool {
        match self {
            Self::Path => (&left.path, &left.root) == (&right.path, &right.root),
            Self::Digest => left.digest() == right.digest(),
        }
    }
}

impl Sighting {
    /// Algorithm and digest, doubtful or not.
    fn digest(&self) -> Option<(&str, &str)> {
        self.content.as_ref().map(|content| (content.algorithm.as_str(), content.digest.as_str()))
    }
}

impl Sortable for Sighting {
    fn bytes(&self) -> usize {
        let content = self.content.iter().flat_map(|content| [&content.algorithm, &content.digest]);
        let root = match &self.root {
            Root::Host => 0,
            Root::Other { boot_id, dev, .. } => boot_id.capacity() + dev.capacity() + 32,
        };
        let texts = [&self.host, &self.source.0].into_iter().chain(&self.path).chain(content);
        // An allocation takes some bytes more than what it holds.
        size_of::<Self>() + root + texts.map(|text| text.capacity() + 16).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{asked, version};

    fn seen(row: &FileVersion, since: Option<i64>, until: Option<i64>) -> Option<(Option<(i64, i64)>, Execs)> {
        let within = Within::of(row, &asked(since, until), &ClockSteps::default())?;
        let sighting = Sighting::of(row, SeriesKey::of(row), Side::Left, within);
        assert!(!within.is_whole || within.times == Some((row.first_time, row.last_time)));
        Some((sighting.times.map(|(first, last)| (first.0, last.0)), sighting.execs))
    }

    #[test]
    fn only_what_lies_in_the_time_is_told_of_a_row() {
        let row = FileVersion { runs: Some(3), ..version("aa", 10, 20) };
        assert_eq!(seen(&row, None, None), Some((Some((10, 20)), Execs::Count(3))));
        assert_eq!(seen(&row, None, Some(20)), Some((Some((10, 10)), Execs::InPart)));
        assert_eq!(seen(&row, Some(20), None), Some((Some((20, 20)), Execs::InPart)));
        assert_eq!(seen(&row, Some(12), Some(15)), Some((None, Execs::InPart)));
        assert_eq!((seen(&row, None, Some(10)), seen(&row, Some(21), None)), (None, None));
        let never_run = FileVersion { runs: Some(0), ..row.clone() };
        assert_eq!(seen(&never_run, Some(15), None), Some((Some((20, 20)), Execs::Count(0))));
        let not_recorded = FileVersion { runs: None, ..row };
        assert_eq!(seen(&not_recorded, None, None), Some((Some((10, 20)), Execs::NotRecorded)));
    }
}
