//! Versions: neighbouring runs that had one content.

use crate::sorter::Sortable;
use crate::versions::reading::Reading;
use crate::versions::run::{Run, doubts_of};
use hashtrail::cell::Micros;
use hashtrail::versions::FileVersion;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// Neighbouring runs that are one version: what is told of them, however many they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    first: Rc<Run>,
    latest: Rc<Run>,
    reading: Reading,
    observations: i64,
    exec_runs: Option<i64>,
    exec_attempts: Option<i64>,
    doubts: Vec<String>,
}

/// Joins neighbours that `same` calls one version.
pub(crate) fn versions(runs: &[Run], same: impl Fn(&Run, &Run) -> bool) -> Vec<Version> {
    runs.chunk_by(same).filter_map(Version::of).collect()
}

impl Version {
    /// `None` of no run.
    fn of(runs: &[Run]) -> Option<Self> {
        let sum = |count: fn(&FileVersion) -> Option<i64>| {
            runs.iter().filter_map(|run| count(&run.row)).reduce(i64::saturating_add)
        };
        let first = Rc::new(runs.first()?.clone());
        // Runs of one digest may overlap.
        let latest = runs.iter().max_by_key(|run| run.last)?;
        Some(Self {
            latest: if *latest == *first { Rc::clone(&first) } else { Rc::new(latest.clone()) },
            reading: Reading::last_of(runs, latest),
            observations: sum(|row| Some(row.observations)).unwrap_or(0),
            exec_runs: sum(|row| row.runs),
            exec_attempts: sum(|row| row.attempts),
            doubts: doubts_of(runs.iter()),
            first,
        })
    }

    /// The run with the first observation.
    pub(crate) fn first(&self) -> &Run {
        &self.first
    }

    /// The run with the last observation.
    pub(crate) fn latest(&self) -> &Run {
        &self.latest
    }

    /// When the content was really read last.
    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    pub(crate) fn first_seen(&self) -> Micros {
        self.first().row.first_time
    }

    pub(crate) fn last_seen(&self) -> Micros {
        self.latest().row.last_time
    }

    pub(crate) fn observations(&self) -> i64 {
        self.observations
    }

    /// Successful execs; `None` where no recording could tell.
    pub(crate) fn exec_runs(&self) -> Option<i64> {
        self.exec_runs
    }

    pub(crate) fn exec_attempts(&self) -> Option<i64> {
        self.exec_attempts
    }

    pub(crate) fn doubts(&self) -> &[String] {
        &self.doubts
    }

    /// About what it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let latest = if Rc::ptr_eq(&self.first, &self.latest) { 0 } else { self.latest.row.bytes() };
        size_of::<Self>() + self.first.row.bytes() + latest
    }
}
