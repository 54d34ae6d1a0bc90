//! Who made each change of a file: the processes that can have written it, each with those that stand above it, up to the
//! login, the container or the service that it came from.

use super::changes::{self, ChangesQuestion, FoundChanges, Investigated};
use super::tree::Branch;
use crate::archives::Archives;
use crate::caveats::undigested::is_lacking;
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
use crate::recordings::{Recordings, Spans};
use crate::suspects::attribution::Attribution;
use crate::suspects::{Suspect, Suspects};
use crate::versions::change::Change;
use anyhow::Result;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// Changes that are looked into together: all their writers are held at once.
const CHANGES_MAX: usize = 1000;
/// Writers of one change, and acts of one writer, that are told.
const WRITERS_MAX: usize = 50;
const ACTS_MAX: usize = 20;
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
    pub(crate) origin: Origin,
    /// Whether each process from there on is known by its fork. Any other may have been adopted by the one that stands above it.
    pub(crate) is_origin_certain: bool,
}

/// Where a writer came from, with the place of that process in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
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
    let recordings = Recordings::load(archives, &Spans::default())?;
    let processes = Processes::read(archives, &recordings)?;
    let family = Family::of(&processes);
    let most = question.most.unwrap_or(CHANGES_MAX).min(CHANGES_MAX);
    let limited = ChangesQuestion { most: Some(most), paths: question.paths.clone(), ..*question };
    let mut cases = Vec::new();
    let mut changes = changes::find(&limited, archives, &mut |one| {
        cases.push(Case::of(&one, &processes));
        Ok(ControlFlow::Continue(()))
    })?;
    let covered = Covered::of(archives, &recordings, question.scope);
    let known = Known::read(archives, &recordings, &processes, &family, &cases)?;
    let mut doubts = Doubts::default();
    for (place, life) in &known.lives {
        let process = &processes.list[*place as usize];
        doubts.count(process, family.root(*place, process));
        doubts.count_digests(life, is_lacking);
    }
    for case in &cases {
        let chains: Vec<Chain<'_>> =
            case.writers.iter().map(|writer| known.chain(writer, &processes, &family, &covered)).collect();
        if each(case, &chains)?.is_break() {
            break;
        }
    }
    let omitted = changes.count.saturating_sub(cases.len());
    let of_processes = Completeness::of(&recordings, Answer::Processes, question.scope, archives.problems());
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
        self.doubts.are_none() && self.covered.is_whole() && self.changes.completeness.is_complete()
    }
}

impl Case {
    fn of(one: &Investigated<'_>, processes: &Processes) -> Self {
        let Investigated { change, suspects, attribution, gaps, coverage, .. } = one;
        let (writers, omitted) = writers(suspects, processes);
        Self {
            change: (*change).clone(),
            attribution: *attribution,
            gaps: gaps.clone(),
            coverage: coverage.iter().map(|hook| (*hook).to_owned()).collect(),
            has_unnamed: suspects.has_unnamed,
            writers,
            omitted: omitted + suspects.omitted,
        }
    }
}

/// The processes behind acts that can have changed the content, and how much of that is left out.
fn writers(suspects: &Suspects, processes: &Processes) -> (Vec<Writer>, usize) {
    let (mut writers, mut omitted): (Vec<Writer>, usize) = (Vec::new(), 0);
    let mut numbers: HashMap<u32, usize> = HashMap::new();
    for suspect in suspects.list.iter().filter(|suspect| suspect.changes_content()) {
        let Some(place) = suspect.seen.process(processes) else {
            omitted += 1;
            continue;
        };
        let number = *numbers.entry(place).or_insert(writers.len());
        if number == writers.len() && number < WRITERS_MAX {
            writers.push(Writer { place, acts: Vec::new() });
        }
        match writers.get_mut(number).filter(|writer| writer.acts.len() < ACTS_MAX) {
            Some(writer) => writer.acts.push(suspect.clone()),
            None => omitted += 1,
        }
    }
    (writers, omitted)
}

/// What was recorded of all processes in the chains, by their places.
struct Known {
    lives: BTreeMap<u32, Life>,
}

impl Known {
    fn read(
        archives: &Archives<'_>,
        recordings: &Recordings,
        processes: &Processes,
        family: &Family,
        cases: &[Case],
    ) -> Result<Self> {
        let mut places = vec![None; processes.list.len()];
        let mut lives: BTreeMap<u32, Life> = BTreeMap::new();
        for writer in cases.iter().flat_map(|case| &case.writers) {
            lives.extend(upwards(family, writer.place).map(|place| (place, Life::default())));
        }
        (0..).zip(lives.keys()).for_each(|(number, place)| places[*place as usize] = Some(number));
        let mut sights = Sights::read(archives, recordings, processes, &places)?;
        for (number, life) in (0..).zip(lives.values_mut()) {
            *life = sights.of_place(number)?;
        }
        Ok(Self { lives })
    }

    fn chain<'a>(
        &'a self,
        writer: &'a Writer,
        processes: &'a Processes,
        family: &Family,
        covered: &'a Covered,
    ) -> Chain<'a> {
        /// Nothing stands beside the processes of a chain.
        const ALONE: [bool; ABOVE_MAX] = [false; ABOVE_MAX];
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
                covered,
            })
        };
        let links: Vec<Branch<'_>> = upwards.iter().enumerate().filter_map(link).collect();
        let above = links.first().map_or(0, |link| link.depth);
        let origin = origin(&links);
        Chain { acts: &writer.acts, origin, is_origin_certain: is_certain(origin, &links), links, above }
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
