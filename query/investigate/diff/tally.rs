//! What one side has of a path or of a digest.

use crate::versions::sighting::{Execs, Sighting};
use hashtrail::cell::Micros;
use std::collections::BTreeSet;

/// Paths of a digest that are named.
const NAMED_MAX: usize = 5;

/// What one side has observed of a subject.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Those that are certain.
    pub(crate) digests: BTreeSet<String>,
    /// Those that were seen with a doubt.
    pub(crate) doubtful: BTreeSet<String>,
    /// Events that have none though their policy asked for one.
    pub(crate) without_digest: usize,
    /// How many paths, where sightings come in their order.
    pub(crate) paths: usize,
    pub(crate) first_paths: Vec<String>,
    last_path: Option<String>,
    pub(crate) hosts: BTreeSet<String>,
    /// The first and the last observation that is known to lie in the time that was asked about.
    pub(crate) times: Option<(Micros, Micros)>,
    runs: Option<i64>,
    has_runs_in_part: bool,
}

impl Tally {
    pub(super) fn take(&mut self, sighting: &Sighting) {
        let Sighting { host, path, content, times, execs, .. } = sighting;
        match content {
            Some(content) => {
                let digests = if content.is_doubtful { &mut self.doubtful } else { &mut self.digests };
                if !digests.contains(&content.digest) {
                    digests.insert(content.digest.clone());
                }
            }
            None => self.without_digest += 1,
        }
        if !self.hosts.contains(host) {
            self.hosts.insert(host.clone());
        }
        if let Some((first, last)) = *times {
            let (known_first, known_last) = self.times.unwrap_or((first, last));
            self.times = Some((known_first.min(first), known_last.max(last)));
        }
        match *execs {
            Execs::NotTold => {}
            Execs::NotRecorded | Execs::InPart => self.has_runs_in_part = true,
            Execs::Count(count) => self.runs = Some(self.runs.unwrap_or(0).saturating_add(count)),
        }
        self.take_path(path.as_ref());
    }

    fn take_path(&mut self, path: Option<&String>) {
        if path.is_none() || path == self.last_path.as_ref() {
            return;
        }
        self.last_path = path.cloned();
        self.paths += 1;
        if self.first_paths.len() < NAMED_MAX {
            self.first_paths.extend(path.cloned());
        }
    }

    /// The same where these events of the subject have no digest.
    pub(super) fn beside(&self, without: &Self) -> Self {
        let has_runs_in_part = self.has_runs_in_part || without.has_runs_in_part;
        Self { without_digest: without.without_digest, has_runs_in_part, ..self.clone() }
    }

    /// Successful execs; `None` where a recording could not tell, or not how many of them lie in the time that was asked about.
    pub(crate) fn runs(&self) -> Option<i64> {
        self.runs.filter(|_| !self.has_runs_in_part)
    }
}
