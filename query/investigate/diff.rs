//! What one host or capture has that the other has not: paths with their digests, or digests with their paths, on two sides.

mod side;
mod tally;

pub(crate) use side::Told;
pub(crate) use tally::Tally;

use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scope};
use crate::sorter::Grouped;
use crate::versions::series::Root;
use crate::versions::sighting::{Side, Sighting, Subject};
use anyhow::{Result, anyhow};
use side::SideRead;
use std::collections::{BTreeMap, BTreeSet};

/// A question about what two sides have.
pub(crate) struct DiffQuestion<'a> {
    pub(crate) left: Asked<'a>,
    pub(crate) right: Asked<'a>,
    pub(crate) subject: Subject,
    /// None asks about all files.
    pub(crate) paths: PathPatterns,
}

/// The archives and the time of one side.
pub(crate) struct Asked<'a> {
    pub(crate) archives: &'a Archives<'a>,
    pub(crate) scope: Scope,
}

/// How the sides differ in a path or digest. Nothing here says that a file was not there: only what was observed is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Observed on the left, and not on the right.
    OnlyLeft,
    OnlyRight,
    /// Observed on both, with different sets of digests.
    Different,
    /// Observed on both; one of them has nothing but doubtful digests of it, or events without one.
    NotKnown,
    /// Observed on both, and one of them has digests of other algorithms only.
    NotComparable,
    Same,
}

/// One path under one root, or one digest, on both sides.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) kind: Kind,
    /// Path and root, where those are compared.
    pub(crate) place: Option<(String, Root)>,
    /// `None` of a path that was observed without any digest.
    pub(crate) algorithm: Option<String>,
    /// Where digests are compared.
    pub(crate) digest: Option<String>,
    pub(crate) left: Option<Tally>,
    pub(crate) right: Option<Tally>,
    /// Of a path that one side has not observed: whether its policies had each exec there recorded.
    pub(crate) execs_recorded: Option<bool>,
}

/// What else was found.
pub(crate) struct FoundDifferences {
    pub(crate) counts: BTreeMap<Kind, usize>,
    pub(crate) left: Told,
    pub(crate) right: Told,
    /// Paths that one side has not observed, and whose execs it did not all record.
    pub(crate) unrecorded_execs: usize,
    /// Paths that one side alone has observed, under a root that no other boot has.
    pub(crate) other_roots: usize,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::OnlyLeft, Self::OnlyRight, Self::Different, Self::NotKnown, Self::NotComparable, Self::Same];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OnlyLeft => "only_left",
            Self::OnlyRight => "only_right",
            Self::Different => "different",
            Self::NotKnown => "not_known",
            Self::NotComparable => "not_comparable",
            Self::Same => "same",
        }
    }

    /// Of two sides, each with what it has of a content's algorithm; and whether it has it under another one.
    fn of(left: (Option<&Tally>, bool), right: (Option<&Tally>, bool)) -> Self {
        match (left, right) {
            ((Some(left), _), (Some(right), _)) if left.digests.is_empty() || right.digests.is_empty() => {
                Self::NotKnown
            }
            ((Some(left), _), (Some(right), _)) if left.digests == right.digests => Self::Same,
            ((Some(_), _), (Some(_), _)) => Self::Different,
            ((_, true), _) | (_, (_, true)) => Self::NotComparable,
            ((Some(_), _), _) => Self::OnlyLeft,
            _ => Self::OnlyRight,
        }
    }

    /// Whether one side alone has observed it.
    pub(crate) fn is_one_sided(self) -> bool {
        matches!(self, Self::OnlyLeft | Self::OnlyRight)
    }
}

impl FoundDifferences {
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// All but what is the same.
    pub(crate) fn differences(&self) -> usize {
        self.counts.iter().filter(|(kind, _)| **kind != Kind::Same).map(|(_, count)| count).sum()
    }

    /// Whether both sides recorded the same, and nothing of it is missing.
    pub(crate) fn is_complete(&self) -> bool {
        [&self.left, &self.right].iter().all(|side| {
            side.completeness.is_complete() && side.missing_hooks.is_empty() && side.hosts_without_digests.is_empty()
        })
    }
}

/// Hands each path or digest to `each`, also what is the same, in order; gives what is to be told beside them.
///
/// # Errors
/// When a scan cannot be made, or those of `each`; files that cannot be read are problems.
pub(crate) fn find(
    question: &DiffQuestion<'_>,
    mut each: impl FnMut(&Difference) -> Result<()>,
) -> Result<FoundDifferences> {
    let mut sorter = question.subject.sorter();
    let left = SideRead::read(Side::Left, &question.left, question, &mut sorter)?;
    let right = SideRead::read(Side::Right, &question.right, question, &mut sorter)?;
    report_algorithms(&question.left, &left, &right);
    let mut found = Counts::default();
    let mut grouped = Grouped::new(sorter.finish()?)?;
    loop {
        let mut group = Group::default();
        let is_one = |left: &Sighting, right: &Sighting| question.subject.is_one(left, right);
        let Some(first) = grouped.next_group(is_one, |sighting| group.take(sighting))? else { break };
        for difference in group.differences(question.subject, &first, [&left, &right]) {
            found.count(&difference);
            each(&difference)?;
        }
    }
    let Counts { kinds, unrecorded_execs, other_roots } = found;
    let (left_hooks, right_hooks) = (left.any_hooks(), right.any_hooks());
    let (left, right) = (left.told(&right_hooks), right.told(&left_hooks));
    Ok(FoundDifferences { counts: kinds, left, right, unrecorded_execs, other_roots })
}

/// Digests of an algorithm that only one side has cannot be compared: that is a problem, as where a digest is looked for.
fn report_algorithms(asked: &Asked<'_>, left: &SideRead<'_>, right: &SideRead<'_>) {
    let names = |side: &SideRead<'_>| {
        let of_hosts = |(name, hosts): (&String, &BTreeSet<String>)| {
            let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
            format!("{name} (on {})", hosts.join(", "))
        };
        side.algorithms.iter().map(of_hosts).collect::<Vec<_>>().join(", ")
    };
    let has_all = |one: &SideRead<'_>, other: &SideRead<'_>| {
        one.algorithms.keys().all(|name| other.algorithms.contains_key(name))
    };
    let is_known = !left.algorithms.is_empty() && !right.algorithms.is_empty();
    if is_known && !(has_all(left, right) && has_all(right, left)) {
        asked.archives.problems().error(&anyhow!(
            "not comparable, wholly or in part: the digests of the left side are {}, those of the right side {}",
            names(left),
            names(right)
        ));
    }
}

/// What is counted of the differences.
#[derive(Default)]
struct Counts {
    kinds: BTreeMap<Kind, usize>,
    unrecorded_execs: usize,
    other_roots: usize,
}

impl Counts {
    fn count(&mut self, difference: &Difference) {
        let Difference { kind, place, execs_recorded, .. } = difference;
        *self.kinds.entry(*kind).or_default() += 1;
        self.unrecorded_execs += usize::from(*execs_recorded == Some(false));
        let is_elsewhere = place.as_ref().is_some_and(|(_, root)| *root != Root::Host);
        self.other_roots += usize::from(kind.is_one_sided() && is_elsewhere);
    }
}

/// All sightings of one subject.
#[derive(Default)]
struct Group {
    left: SideGroup,
    right: SideGroup,
}

/// What one side has of a subject.
#[derive(Default)]
struct SideGroup {
    by_algorithm: BTreeMap<String, Tally>,
    /// Events that have no digest though their policy asked for one.
    without_digest: Option<Tally>,
}

impl SideGroup {
    fn take(&mut self, sighting: &Sighting) {
        let tally = match &sighting.content {
            Some(content) if self.by_algorithm.contains_key(&content.algorithm) => {
                self.by_algorithm.get_mut(&content.algorithm)
            }
            Some(content) => Some(self.by_algorithm.entry(content.algorithm.clone()).or_default()),
            None => Some(self.without_digest.get_or_insert_default()),
        };
        if let Some(tally) = tally {
            tally.take(sighting);
        }
    }

    /// What it has of an algorithm, and whether it has another one alone.
    fn of(&self, algorithm: &str) -> (Option<Tally>, bool) {
        let without_digest = self.without_digest.as_ref();
        match self.by_algorithm.get(algorithm) {
            Some(tally) => {
                let tally = without_digest.map_or_else(|| tally.clone(), |without| tally.beside(without));
                (Some(tally), false)
            }
            None if self.by_algorithm.is_empty() => (without_digest.cloned(), false),
            None => (None, true),
        }
    }
}

impl Group {
    fn take(&mut self, sighting: &Sighting) {
        match sighting.side {
            Side::Left => self.left.take(sighting),
            Side::Right => self.right.take(sighting),
        }
    }

    fn differences(&self, subject: Subject, first: &Sighting, sides: [&SideRead<'_>; 2]) -> Vec<Difference> {
        let mut algorithms: BTreeSet<&str> =
            self.left.by_algorithm.keys().chain(self.right.by_algorithm.keys()).map(String::as_str).collect();
        // Where no side has a digest, there is still what was observed.
        if algorithms.is_empty() {
            algorithms.insert("");
        }
        algorithms.into_iter().map(|algorithm| self.difference(subject, first, algorithm, sides)).collect()
    }

    fn difference(
        &self,
        subject: Subject,
        first: &Sighting,
        algorithm: &str,
        [left, right]: [&SideRead<'_>; 2],
    ) -> Difference {
        let is_by_digest = subject == Subject::Digest;
        // Of a digest nobody knows whether it is that of a file whose digest of another algorithm the side has.
        let is_without = |side: &SideRead<'_>| {
            is_by_digest && !side.algorithms.is_empty() && !side.algorithms.contains_key(algorithm)
        };
        let (left_tally, left_other) = self.left.of(algorithm);
        let (right_tally, right_other) = self.right.of(algorithm);
        let kind = Kind::of(
            (left_tally.as_ref(), left_other || is_without(left)),
            (right_tally.as_ref(), right_other || is_without(right)),
        );
        let place = first.path.clone().filter(|_| !is_by_digest).map(|path| (path, first.root.clone()));
        let digest = first.content.as_ref().filter(|_| is_by_digest).map(|content| content.digest.clone());
        let other = match kind {
            Kind::OnlyLeft => Some(right),
            Kind::OnlyRight => Some(left),
            _ => None,
        };
        let execs_recorded = place.as_ref().zip(other).map(|((path, _), other)| other.records_execs(path));
        let algorithm = (!algorithm.is_empty()).then(|| algorithm.to_owned());
        Difference { kind, place, algorithm, digest, left: left_tally, right: right_tally, execs_recorded }
    }
}
