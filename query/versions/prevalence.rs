//! On how many hosts each content ran or was loaded.

use crate::archives::Scope;
use crate::recordings::clock::ClockSteps;
use crate::sorter::{Sortable, Sorter};
use crate::versions::sighting::{Execs, Within};
use hashtrail::cell::Micros;
use hashtrail::versions::FileVersion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Paths that are named.
const NAMED_MAX: usize = 5;

/// What a sight tells of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Sight {
    /// It ran or was loaded, so many times; `None` where the row does not say how many of these lie in the asked time.
    Loaded(Option<i64>),
    /// It was opened, locked or passed on, which runs nothing.
    Other,
    /// It was to be run, loaded or opened, and that failed or was denied.
    Tried,
    /// The digest is doubtful, so that it may have been another content.
    Doubtful,
    /// Nothing but execs: what else the row has is told by events.
    Execs,
}

/// One row of versions, or one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) algorithm: String,
    pub(crate) digest: String,
    pub(crate) host: String,
    pub(crate) path: Option<String>,
    pub(crate) sight: Sight,
    pub(crate) times: Option<(Micros, Micros)>,
    pub(crate) execs: Execs,
    /// Which row it was, so that one of two copies counts: recording, CPU and sequence number.
    pub(crate) source: (String, i32, i64),
}

impl Seen {
    /// Of a row of versions; `None` where it does not touch the time.
    pub(crate) fn of(row: &FileVersion, scope: &Scope, steps: &ClockSteps) -> Option<Self> {
        let Within { times, execs, is_whole } = Within::of(row, scope, steps)?;
        let sight = match row.doubts.is_empty() {
            true => Sight::Loaded(is_whole.then_some(row.observations)),
            false => Sight::Doubtful,
        };
        Some(Self {
            algorithm: row.digest_algorithm.clone(),
            digest: row.digest.clone(),
            host: row.host.clone(),
            path: row.path.clone(),
            sight,
            times,
            execs,
            source: (row.recording_id.clone(), row.first_cpu, row.first_seq),
        })
    }

    /// Sorts by content, and within it by path.
    pub(crate) fn sorter() -> Sorter<Self> {
        Sorter::new(|left: &Self, right| {
            let content = (&left.digest, &left.algorithm).cmp(&(&right.digest, &right.algorithm));
            let place = || (&left.path, &left.host, left.sight).cmp(&(&right.path, &right.host, right.sight));
            content.then_with(place).then_with(|| left.source.cmp(&right.source))
        })
    }

    pub(crate) fn is_of_content(&self, other: &Self) -> bool {
        (&self.algorithm, &self.digest) == (&other.algorithm, &other.digest)
    }
}

/// What was seen of one content.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Prevalence {
    pub(crate) algorithm: String,
    pub(crate) digest: String,
    /// Where it ran or was loaded.
    pub(crate) hosts: BTreeSet<String>,
    /// Where it was opened.
    opened_on: BTreeSet<String>,
    /// Where it was tried in vain.
    tried_on: BTreeSet<String>,
    /// Where it was seen with a doubt.
    doubtful_on: BTreeSet<String>,
    loads: i64,
    has_loads_in_part: bool,
    runs: Option<i64>,
    has_runs_in_part: bool,
    /// Observations by which nothing ran.
    pub(crate) not_run: usize,
    /// Those at which it ran or was loaded.
    pub(crate) paths: usize,
    pub(crate) first_paths: Vec<String>,
    last_path: Option<String>,
    pub(crate) times: Option<(Micros, Micros)>,
}

impl Prevalence {
    /// Takes the next sight, in the order of the sorter.
    pub(crate) fn take(&mut self, seen: &Seen) {
        let hosts = match seen.sight {
            Sight::Loaded(_) => &mut self.hosts,
            Sight::Other => &mut self.opened_on,
            Sight::Tried => &mut self.tried_on,
            Sight::Doubtful => &mut self.doubtful_on,
            Sight::Execs => return self.take_execs(seen.execs),
        };
        if !hosts.contains(&seen.host) {
            hosts.insert(seen.host.clone());
        }
        match seen.sight {
            Sight::Loaded(count) => self.take_loaded(seen, count),
            Sight::Other | Sight::Tried => self.not_run += 1,
            _ => {}
        }
    }

    fn take_loaded(&mut self, seen: &Seen, count: Option<i64>) {
        match count {
            Some(count) => self.loads = self.loads.saturating_add(count),
            None => self.has_loads_in_part = true,
        }
        self.take_execs(seen.execs);
        if let Some((first, last)) = seen.times {
            let (known_first, known_last) = self.times.unwrap_or((first, last));
            self.times = Some((known_first.min(first), known_last.max(last)));
        }
        if seen.path.is_some() && seen.path != self.last_path {
            self.last_path.clone_from(&seen.path);
            self.paths += 1;
            if self.first_paths.len() < NAMED_MAX {
                self.first_paths.extend(seen.path.clone());
            }
        }
    }

    fn take_execs(&mut self, execs: Execs) {
        match execs {
            Execs::NotTold => {}
            Execs::NotRecorded | Execs::InPart => self.has_runs_in_part = true,
            Execs::Count(count) => self.runs = Some(self.runs.unwrap_or(0).saturating_add(count)),
        }
    }

    /// Sights of it where it ran or was loaded; `None` where not all are known to lie in the asked time.
    pub(crate) fn observations(&self) -> Option<i64> {
        (!self.has_loads_in_part).then_some(self.loads)
    }

    /// Successful execs; `None` where a recording could not tell, or not how many of them lie in the asked time.
    pub(crate) fn runs(&self) -> Option<i64> {
        self.runs.filter(|_| !self.has_runs_in_part)
    }

    /// Hosts on which it was opened, and on none of them seen to run or to be loaded.
    pub(crate) fn opened_only(&self) -> usize {
        self.opened_on.difference(&self.hosts).count()
    }

    /// Hosts on which it was tried in vain, and neither opened nor seen to run or to be loaded.
    pub(crate) fn attempted_only(&self) -> usize {
        self.tried_on.difference(&(&self.hosts | &self.opened_on)).count()
    }

    /// Hosts on which it may have run: there it was seen with a doubt alone.
    pub(crate) fn doubtful_only(&self) -> usize {
        self.doubtful_on.difference(&self.hosts).count()
    }

    /// Sorts those on the fewest hosts first, then those that ran least.
    pub(crate) fn sorter(limit: usize) -> Sorter<Self> {
        let sorter = Sorter::new(|left: &Self, right: &Self| {
            let counts = (left.hosts.len(), left.runs()).cmp(&(right.hosts.len(), right.runs()));
            counts.then_with(|| (&left.digest, &left.algorithm).cmp(&(&right.digest, &right.algorithm)))
        });
        sorter.with_limit(limit)
    }
}

impl Sortable for Seen {
    fn bytes(&self) -> usize {
        let texts = [&self.algorithm, &self.digest, &self.host, &self.source.0].into_iter().chain(&self.path);
        // An allocation takes some bytes more than what it holds.
        size_of::<Self>() + texts.map(|text| text.capacity() + 16).sum::<usize>()
    }
}

impl Sortable for Prevalence {
    fn bytes(&self) -> usize {
        let texts = [&self.algorithm, &self.digest].into_iter().chain(&self.first_paths).chain(&self.last_path);
        let hosts = self.hosts.iter().chain(&self.opened_on).chain(&self.tried_on).chain(&self.doubtful_on);
        size_of::<Self>() + texts.chain(hosts).map(|text| text.capacity() + 16).sum::<usize>()
    }
}
