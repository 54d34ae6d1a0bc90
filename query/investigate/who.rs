//! Who made each change of a file: the processes that can have written it, each with those that stand above it, up to the
//! login, the container or the service that it came from.

use super::changes::{self, ChangesQuestion, FoundChanges, Investigated};
use super::people::People;
use super::tree::Branch;
use super::verdicts::Verdict;
use crate::archives::{Archives, Scope};
use crate::caveats::undigested::is_lacking;
use crate::output::Row;
use crate::processes::ParentSource;
use crate::processes::covered::Covered;
use crate::processes::doubts::Doubts;
use crate::processes::family::{Family, Root};
use crate::processes::life::Life;
use crate::processes::recorded::Processes;
use crate::processes::sights::Sights;
use crate::recordings::completeness::Completeness;
use crate::recordings::gaps::Gap;
use crate::recordings::suppressed::Answer;
use crate::suspects::attribution::Attribution;
use crate::suspects::{Suspect, Suspects};
use crate::versions::change::Change;
use anyhow::Result;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// Changes that are looked into together: all their writers are held at once.
const CHANGES_MAX: usize = 1000;
/// What is told of each.
const MOST: Most = Most { writers: 50, acts: 20 };
/// Processes above a writer that are told, the nearest.
const ABOVE_MAX: usize = 64;

/// A change, with those who can have made it.
pub(crate) struct Case {
    pub(crate) change: Change,
    pub(crate) attribution: Option<Attribution>,
    /// What its interval lacks.
    pub(crate) gaps: Vec<Gap>,
    /// The hooks that every recording of its interval recorded.
    pub(crate) coverage: Vec<String>,
    pub(crate) has_unnamed: bool,
    /// Empty where they were not asked for.
    pub(crate) verdicts: Vec<Verdict>,
    /// The fields that tell of the package.
    pub(crate) package: Row,
    /// By their first acts.
    writers: Vec<Writer>,
    /// Acts and writers that are not told.
    pub(crate) omitted: usize,
}

/// A process that can have made a change.
struct Writer {
    place: u32,
    acts: Vec<Suspect>,
}

/// A writer with those above it.
pub(crate) struct Chain<'a> {
    pub(crate) acts: &'a [Suspect],
    /// From the root down to the writer.
    pub(crate) links: Vec<Branch<'a>>,
    /// How many more stand above these.
    pub(crate) above: u32,
    origin: Origin,
    /// Whether each process from there on is known by its fork. Any other may have been adopted by the one that stands above it.
    pub(crate) is_origin_certain: bool,
}

/// Where a writer came from, with the place of that process in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The first process that was seen in the writer's login session.
    Login(usize),
    /// The first that was seen in its container.
    Container(usize),
    /// It has neither: the process below the first one of the boot.
    Service(usize),
    /// It has neither, and its chain begins at a process whose parent is not known.
    Unknown,
}

/// What else was found.
pub(crate) struct FoundWho {
    pub(crate) changes: FoundChanges,
    /// Changes that are counted and not told.
    pub(crate) omitted: usize,
    pub(crate) doubts: Doubts,
    pub(crate) covered: Covered,
}

/// Takes a change with the ways of its writers; `Break` when no more are wanted.
type TakeCase<'a> = dyn FnMut(&Case, &[Chain<'_>]) -> Result<ControlFlow<()>> + 'a;

/// Hands each change to `each`, in the order of time, until that wants no more; gives what is to be told beside them.
///
/// # Errors
/// When a scan cannot be made, there are too many processes, or those of `each`; files that cannot be read are problems.
pub(crate) fn find(
    question: &ChangesQuestion<'_>,
    archives: &Archives<'_>,
    each: &mut TakeCase<'_>,
) -> Result<FoundWho> {
    let people = People::read(archives)?;
    let most = question.most.unwrap_or(CHANGES_MAX).min(CHANGES_MAX);
    // Which are wanted is known only of those that were looked into.
    let looked_into = question.wanted.is_empty().then_some(most);
    let limited = ChangesQuestion { most: looked_into, paths: question.paths.clone(), ..*question };
    let mut cases = Vec::new();
    let mut changes = changes::find(&limited, archives, &mut |one| {
        if cases.len() < most {
            cases.push(Case::of(&one, &people, &MOST));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let known = Known::read(archives, &people, question.scope, &cases)?;
    for case in &cases {
        if each(case, &known.chains(case))?.is_break() {
            break;
        }
    }
    let Known { doubts, covered, .. } = known;
    let wanted = if question.wanted.is_empty() { changes.count } else { changes.narrowed.count };
    let omitted = wanted.saturating_sub(cases.len());
    let of_processes = Completeness::of(&people.recordings, Answer::Processes, question.scope, archives.problems());
    let gaps = &mut changes.completeness.gaps;
    gaps.extend(of_processes.gaps);
    gaps.sort_by(|left, right| {
        (left.from, left.to, &left.cause, &left.host).cmp(&(right.from, right.to, &right.cause, &right.host))
    });
    gaps.dedup();
    changes.completeness.problems = of_processes.problems;
    Ok(FoundWho { changes, omitted, doubts, covered })
}

impl FoundWho {
    /// Whether nothing that was asked for is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.doubts.are_none()
            && self.covered.is_whole()
            && self.changes.completeness.is_complete()
            && self.changes.narrowed.is_whole()
    }
}

/// How much of a change is kept.
pub(crate) struct Most {
    /// Writers of one change.
    pub(crate) writers: usize,
    /// Acts of one writer.
    pub(crate) acts: usize,
}

impl Case {
    pub(crate) fn of(one: &Investigated<'_>, people: &People, most: &Most) -> Self {
        let Investigated { change, suspects, attribution, gaps, coverage, verdicts, .. } = one;
        let (writers, omitted) = writers(suspects, &people.processes, most);
        Self {
            change: (*change).clone(),
            attribution: *attribution,
            gaps: gaps.clone(),
            coverage: coverage.iter().map(|hook| (*hook).to_owned()).collect(),
            has_unnamed: suspects.has_unnamed,
            verdicts: verdicts.clone().unwrap_or_default(),
            package: one.package_fields(),
            writers,
            omitted: omitted + suspects.omitted,
        }
    }
}

/// The processes behind acts that can have changed the content, and how much of that is left out.
fn writers(suspects: &Suspects, processes: &Processes, most: &Most) -> (Vec<Writer>, usize) {
    let (mut writers, mut omitted): (Vec<Writer>, usize) = (Vec::new(), 0);
    let mut numbers: HashMap<u32, usize> = HashMap::new();
    for suspect in suspects.list.iter().filter(|suspect| suspect.changes_content()) {
        let Some(place) = suspect.seen.process(processes) else {
            omitted += 1;
            continue;
        };
        let number = *numbers.entry(place).or_insert(writers.len());
        if number == writers.len() && number < most.writers {
            writers.push(Writer { place, acts: Vec::new() });
        }
        match writers.get_mut(number).filter(|writer| writer.acts.len() < most.acts) {
            Some(writer) => writer.acts.push(suspect.clone()),
            None => omitted += 1,
        }
    }
    (writers, omitted)
}

/// What was recorded of all processes in the chains of several changes.
pub(crate) struct Known<'p> {
    people: &'p People,
    /// By their places.
    lives: BTreeMap<u32, Life>,
    pub(crate) doubts: Doubts,
    pub(crate) covered: Covered,
}

impl<'p> Known<'p> {
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn read(archives: &Archives<'_>, people: &'p People, scope: &Scope, cases: &[Case]) -> Result<Self> {
        let People { recordings, processes, family } = people;
        let covered = Covered::of(archives, recordings, scope);
        let mut places = vec![None; processes.list.len()];
        let mut lives: BTreeMap<u32, Life> = BTreeMap::new();
        for writer in cases.iter().flat_map(|case| &case.writers) {
            lives.extend(upwards(family, writer.place).map(|place| (place, Life::default())));
        }
        (0..).zip(lives.keys()).for_each(|(number, place)| places[*place as usize] = Some(number));
        let mut sights = Sights::read(archives, recordings, processes, &places)?;
        let mut doubts = Doubts::default();
        for (number, (place, life)) in (0..).zip(&mut lives) {
            *life = sights.of_place(number)?;
            let process = &processes.list[*place as usize];
            doubts.count(process, family.root(*place, process));
            doubts.count_digests(life, is_lacking);
        }
        Ok(Self { people, lives, doubts, covered })
    }

    /// The ways of all writers of a change.
    pub(crate) fn chains<'a>(&'a self, case: &'a Case) -> Vec<Chain<'a>> {
        case.writers.iter().map(|writer| self.chain(writer)).collect()
    }

    fn chain<'a>(&'a self, writer: &'a Writer) -> Chain<'a> {
        /// Nothing stands beside the processes of a chain.
        const ALONE: [bool; ABOVE_MAX] = [false; ABOVE_MAX];
        let People { processes, family, .. } = self.people;
        let mut upwards: Vec<u32> = upwards(family, writer.place).collect();
        upwards.reverse();
        let link = |(number, place): (usize, &u32)| {
            let process = &processes.list[*place as usize];
            Some(Branch {
                process,
                boot: &processes.boots[process.key.boot as usize],
                life: self.lives.get(place)?,
                parent: family.parent(*place).map(|parent| &processes.list[parent as usize]),
                root: family.root(*place, process),
                depth: family.depth(*place),
                is_asked: *place == writer.place,
                siblings_follow: &ALONE[..number],
                covered: &self.covered,
            })
        };
        let links: Vec<Branch<'_>> = upwards.iter().enumerate().filter_map(link).collect();
        let above = links.first().map_or(0, |link| link.depth);
        let origin = origin(&links);
        Chain { acts: &writer.acts, origin, is_origin_certain: is_certain(origin, &links), links, above }
    }
}

impl Case {
    /// The acts that are kept of all writers.
    pub(crate) fn acts(&self) -> impl Iterator<Item = &Suspect> {
        self.writers.iter().flat_map(|writer| &writer.acts)
    }
}

impl<'a> Chain<'a> {
    /// The kind of the origin, and its process.
    pub(crate) fn origin(&self) -> (&'static str, Option<&Branch<'a>>) {
        let (kind, place) = match self.origin {
            Origin::Login(place) => ("login", Some(place)),
            Origin::Container(place) => ("container", Some(place)),
            Origin::Service(place) => ("service", Some(place)),
            Origin::Unknown => ("unknown", None),
        };
        (kind, place.and_then(|place| self.links.get(place)))
    }
}

/// A process and the nearest of those above it, upwards.
fn upwards(family: &Family, place: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(place), |place| family.parent(*place)).take(ABOVE_MAX)
}

fn origin(links: &[Branch<'_>]) -> Origin {
    if let Some(first) = first_with(links, |life| life.latest().and_then(|latest| latest.session_id)) {
        return Origin::Login(first);
    }
    let container = |life: &Life| life.latest().and_then(|latest| latest.container_id.clone());
    if let Some(first) = first_with(links, container) {
        return Origin::Container(first);
    }
    match links.first().map(|link| link.root) {
        Some(Some(Root::First)) => Origin::Service(links.len().min(2) - 1),
        _ => Origin::Unknown,
    }
}

fn is_certain(origin: Origin, links: &[Branch<'_>]) -> bool {
    let place = match origin {
        Origin::Login(place) | Origin::Container(place) | Origin::Service(place) => place,
        Origin::Unknown => return false,
    };
    let is_forked = |link: &Branch<'_>| link.process.parent.is_some_and(|parent| parent.source == ParentSource::Fork);
    links[place..].iter().all(|link| link.root == Some(Root::First) || is_forked(link))
}

/// The first of those that have what the last one has, without one between that has not.
fn first_with<T: PartialEq>(links: &[Branch<'_>], of: impl Fn(&Life) -> Option<T>) -> Option<usize> {
    let wanted = of(links.last()?.life)?;
    let with = links.iter().rev().take_while(|link| of(link.life).as_ref() == Some(&wanted)).count();
    links.len().checked_sub(with)
}
