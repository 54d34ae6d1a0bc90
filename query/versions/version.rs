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
    /// The first run of observations with an exec that succeeded.
    ran: Option<Rc<Run>>,
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
            runs.iter().try_fold(0_i64, |sum, run| Some(sum.saturating_add(count(&run.row)?)))
        };
        let first = Rc::new(runs.first()?.clone());
        // Runs of one digest may overlap.
        let latest = runs.iter().max_by_key(|run| run.last)?;
        let latest_of = if *latest == *first { Rc::clone(&first) } else { Rc::new(latest.clone()) };
        let known = |run: &Run| [&first, &latest_of].into_iter().find(|known| ***known == *run).map(Rc::clone);
        let ran = runs.iter().find(|run| run.row.runs.is_some_and(|count| count > 0));
        Some(Self {
            ran: ran.map(|run| known(run).unwrap_or_else(|| Rc::new(run.clone()))),
            latest: latest_of,
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

    /// The first run of observations with an exec that succeeded, as far as that was recorded.
    pub(crate) fn ran(&self) -> Option<&Run> {
        self.ran.as_deref()
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

    /// Successful execs; `None` where not every recording could tell.
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
        let is_own = |run: &&Rc<Run>| !Rc::ptr_eq(&self.first, run);
        let latest = Some(&self.latest).filter(is_own);
        let ran = self.ran.as_ref().filter(is_own).filter(|ran| !Rc::ptr_eq(&self.latest, ran));
        let others = latest.into_iter().chain(ran).map(|run| run.row.bytes());
        size_of::<Self>() + self.first.row.bytes() + others.sum::<usize>()
    }
}
