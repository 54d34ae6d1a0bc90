//! What is counted of all changes, however few of them are shown.

use super::scale::Scale;
use crate::investigate::changes::Investigated;
use crate::suspects::Suspect;
use crate::suspects::attribution::Attribution;
use std::collections::{BTreeMap, BTreeSet};

/// Programs that are counted apart; acts of others are counted together.
const PROGRAMS_MAX: usize = 1000;
/// Hosts of which it is counted when their changes were.
const HOSTS_MAX: usize = 1000;

/// Counts of changes.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// All that were asked for.
    pub(super) count: usize,
    /// By how they came about.
    pub(super) kinds: BTreeMap<&'static str, usize>,
    /// By what they look like: claims, and doubts.
    pub(super) verdicts: BTreeMap<&'static str, (usize, usize)>,
    /// By what can be said of who made them.
    pub(super) attributions: BTreeMap<&'static str, usize>,
    /// By host.
    pub(super) hosts: BTreeMap<String, usize>,
    /// Changes that each program can have made.
    pub(super) programs: BTreeMap<String, usize>,
    /// Changes that still other programs can have made, which are not counted apart.
    pub(super) by_others: usize,
    /// Changes in whose interval something was lost.
    pub(super) with_gaps: usize,
    /// Changes to or from a content that a list names.
    pub(super) known_bad: usize,
    /// By host and place in the time of the report, at the first sight of the new content.
    pub(super) places: BTreeMap<String, BTreeMap<u16, usize>>,
}

impl Tally {
    /// Takes a change.
    pub(super) fn take(&mut self, one: &Investigated<'_>, is_known_bad: bool, scale: Option<&Scale>) {
        self.count += 1;
        *self.kinds.entry(one.change.kind.name()).or_default() += 1;
        for verdict in one.verdicts.iter().flatten() {
            let (claims, doubts) = self.verdicts.entry(verdict.word).or_default();
            *(if verdict.doubts.is_empty() { claims } else { doubts }) += 1;
        }
        if let Some(attribution) = one.attribution {
            *self.attributions.entry(attribution.name()).or_default() += 1;
        }
        self.with_gaps += usize::from(!one.gaps.is_empty());
        self.known_bad += usize::from(is_known_bad);
        let host = &one.change.key.host;
        match self.hosts.get_mut(host) {
            Some(count) => *count += 1,
            None => drop(self.hosts.insert(host.clone(), 1)),
        }
        self.take_programs(one);
        let time = one.change.before_time();
        let scale = scale.filter(|scale| scale.holds(time));
        if let Some(scale) = scale.filter(|_| self.places.len() < HOSTS_MAX || self.places.contains_key(host)) {
            let places = self.places.entry(host.clone()).or_default();
            *places.entry(scale.place(time)).or_default() += 1;
        }
    }

    fn take_programs(&mut self, one: &Investigated<'_>) {
        if one.attribution != Some(Attribution::Suspects) {
            return;
        }
        let writers = one.suspects.list.iter().filter(|suspect| suspect.changes_content()).map(program);
        let mut is_other = one.suspects.omitted > 0;
        let mut left = PROGRAMS_MAX.saturating_sub(self.programs.len());
        for program in writers.collect::<BTreeSet<&str>>() {
            match self.programs.get_mut(program) {
                Some(count) => *count += 1,
                None if left > 0 => {
                    left -= 1;
                    self.programs.insert(program.to_owned(), 1);
                }
                None => is_other = true,
            }
        }
        self.by_others += usize::from(is_other);
    }

    /// Counts of a map, the largest first.
    pub(super) fn largest<K: Ord + AsRef<str>>(counts: &BTreeMap<K, usize>) -> Vec<(&str, usize)> {
        let mut largest: Vec<(&str, usize)> = counts.iter().map(|(name, count)| (name.as_ref(), *count)).collect();
        // Names stay in their order where the counts are the same.
        largest.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        largest
    }
}

/// The program of an act, or what its thread was called.
fn program(suspect: &Suspect) -> &str {
    suspect.seen.exe.as_deref().unwrap_or(&suspect.seen.comm)
}
