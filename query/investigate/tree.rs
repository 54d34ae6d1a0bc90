//! Processes below their parents: whole trees, or what stands above and below some of them.

mod words;

use super::people::People;
use crate::archives::act_filter::ActFilter;
use crate::archives::filter::RowFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope, user_digests_among};
use crate::caveats::asked_digest::AskedDigest;
use crate::caveats::undigested::is_lacking;
use crate::processes::covered::Covered;
use crate::processes::doubts::Doubts;
use crate::processes::family::{Family, Root};
use crate::processes::life::Life;
use crate::processes::recorded::Processes;
use crate::processes::sights::Sights;
use crate::processes::{Boot, Process};
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use anyhow::{Result, anyhow};
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::Prune;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Hooks of rows that say what a process runs.
const PROGRAM_HOOKS: [&str; 6] = [
    hooks::BPRM_CREDS_FOR_EXEC,
    hooks::BPRM_CREDS_FROM_FILE,
    hooks::BPRM_CHECK_SECURITY,
    hooks::BPRM_COMMITTING_CREDS,
    hooks::BPRM_COMMITTED_CREDS,
    hooks::RUNNING_PROCESS,
];
/// What is read of these to know whose they are.
const OF_PROCESS: [&str; 5] = ["recording_id", "host", "boot_id", "pid", "process_start_ns"];

/// A question about processes. What is empty asks for all.
pub(crate) struct TreeQuestion<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) pids: Vec<i32>,
    pub(crate) process_starts: Vec<i64>,
    /// Of any of their rows: users and containers.
    pub(crate) acts: ActFilter,
    /// Of programs that they ran.
    pub(crate) digests: Vec<String>,
    pub(crate) paths: PathPatterns,
}

/// A process in its tree.
pub(crate) struct Branch<'a> {
    pub(crate) process: &'a Process,
    pub(crate) boot: &'a Boot,
    pub(crate) life: &'a Life,
    /// The one above it.
    pub(crate) parent: Option<&'a Process>,
    /// Why there is none above it.
    pub(crate) root: Option<Root>,
    pub(crate) depth: u32,
    /// Whether it was asked for, or stands below one that was; else it is an ancestor of such.
    pub(crate) is_asked: bool,
    /// For each line above it but the first, and for its own: whether a sibling follows.
    pub(crate) siblings_follow: &'a [bool],
    /// What its recordings had of execs.
    pub(crate) covered: &'a Covered,
}

/// What else was found.
pub(crate) struct FoundTree {
    /// Processes that were asked for, with those below them.
    pub(crate) count: usize,
    /// What is not known of these and their ancestors.
    pub(crate) doubts: Doubts,
    pub(crate) covered: Covered,
    pub(crate) completeness: Completeness,
    pub(crate) asked_digest: AskedDigest,
}

/// Hands each process to `each`, behind its parent, until that wants no more; gives what is to be told beside them.
///
/// # Errors
/// When a scan cannot be made, there are too many processes, or those of `each`; files that cannot be read are problems.
pub(crate) fn find(
    question: &TreeQuestion<'_>,
    archives: &Archives<'_>,
    each: &mut dyn FnMut(&Branch<'_>) -> Result<ControlFlow<()>>,
) -> Result<FoundTree> {
    find_among(question, archives, &People::read(archives)?, each)
}

/// As [`find`], among processes that were read before.
///
/// # Errors
/// As [`find`].
pub(crate) fn find_among(
    question: &TreeQuestion<'_>,
    archives: &Archives<'_>,
    People { recordings, processes, family }: &People,
    each: &mut dyn FnMut(&Branch<'_>) -> Result<ControlFlow<()>>,
) -> Result<FoundTree> {
    let asked_digest = AskedDigest::check(&question.digests, archives, question.scope)?;
    if family.circles() > 0 {
        let count = family.circles();
        archives.problems().error(&anyhow!(
            "{count} time(s) the rows make a process an ancestor of itself: they contradict each other"
        ));
    }
    let selected = Selected::of(question, archives, processes, family)?;
    let covered = Covered::of(archives, recordings, question.scope);
    let mut found = FoundTree {
        count: selected.asked.iter().filter(|is_asked| **is_asked).count(),
        doubts: Doubts::default(),
        covered,
        completeness: Completeness::of(recordings, Answer::Processes, question.scope, archives.problems()),
        asked_digest,
    };
    for place in &selected.shown {
        found.doubts.count(&processes.list[*place as usize], family.root(*place, &processes.list[*place as usize]));
    }
    let mut sights = Sights::read(archives, recordings, processes, &selected.places(processes.list.len()))?;
    let FoundTree { doubts, covered, .. } = &mut found;
    show(processes, family, &selected, &mut sights, covered, &mut |branch| {
        doubts.count_digests(branch.life, is_lacking);
        each(branch)
    })?;
    found.completeness = Completeness {
        unsealed: archives.unsealed(),
        without_digests: found.asked_digest.is_without(),
        doubtful_contents: found.asked_digest.doubtful(),
        undigested: found.asked_digest.undigested(),
        problems: archives.problems().texts(),
        ..found.completeness
    };
    Ok(found)
}

impl FoundTree {
    /// Whether nothing that was asked for is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.doubts.are_none() && self.covered.is_whole() && self.completeness.is_complete()
    }
}

/// Which processes are shown.
struct Selected {
    /// In the order of the tree, with all their ancestors.
    shown: Vec<u32>,
    /// By place of the process.
    asked: Vec<bool>,
}

impl Selected {
    fn of(
        question: &TreeQuestion<'_>,
        archives: &Archives<'_>,
        processes: &Processes,
        family: &Family,
    ) -> Result<Self> {
        let list = &processes.list;
        let ran = runners(question, archives, processes)?;
        let acted = actors(question, archives, processes)?;
        let is_root = |place: usize| {
            let key = &list[place].key;
            (question.pids.is_empty() || question.pids.contains(&key.pid))
                && (question.process_starts.is_empty() || question.process_starts.contains(&key.start_ns))
                && [&ran, &acted].into_iter().flatten().all(|has| has[place])
        };
        let (mut below, mut asked, mut shown) =
            (vec![false; list.len()], vec![false; list.len()], vec![false; list.len()]);
        for place in &family.order {
            let parent = family.parent(*place);
            let place = *place as usize;
            below[place] = is_root(place) || parent.is_some_and(|parent| below[parent as usize]);
            asked[place] = below[place] && is_within(&list[place], question.scope);
            shown[place] = asked[place];
        }
        for place in family.order.iter().rev() {
            if let Some(parent) = family.parent(*place).filter(|_| shown[*place as usize]) {
                shown[parent as usize] = true;
            }
        }
        let shown = family.order.iter().copied().filter(|place| shown[*place as usize]).collect();
        Ok(Self { shown, asked })
    }

    /// For each process its place in the answer.
    fn places(&self, count: usize) -> Vec<Option<u32>> {
        let mut places = vec![None; count];
        (0..).zip(&self.shown).for_each(|(number, place)| places[*place as usize] = Some(number));
        places
    }

    /// For each that is shown whether a sibling follows.
    fn siblings_follow(&self, family: &Family) -> Vec<bool> {
        let mut follow = vec![false; self.shown.len()];
        let mut levels: Vec<bool> = Vec::new();
        for (number, place) in self.shown.iter().enumerate().rev() {
            let depth = family.depth(*place) as usize;
            levels.resize(depth + 1, false);
            follow[number] = std::mem::replace(&mut levels[depth], true);
        }
        follow
    }
}

/// Whether it was seen in the time that is asked about. One without a row was at no known time.
fn is_within(process: &Process, scope: &Scope) -> bool {
    let Some(seen) = process.seen else { return scope.since.is_none() && scope.until.is_none() };
    scope.since.is_none_or(|since| seen.last_time >= since) && scope.until.is_none_or(|until| seen.first_time < until)
}

/// By place, whether a process ran what is asked for; `None` where that is not asked.
fn runners(question: &TreeQuestion<'_>, archives: &Archives<'_>, processes: &Processes) -> Result<Option<Vec<bool>>> {
    let TreeQuestion { digests, paths, .. } = question;
    if digests.is_empty() && paths.is_empty() {
        return Ok(None);
    }
    let user_digests = user_digests_among(archives, digests)?;
    let prune = Prune {
        paths: paths.rules(),
        // The rows of events whose digest another row holds have none.
        digests: if user_digests.is_empty() { digests.clone() } else { Vec::new() },
        ..Prune::default()
    };
    let hooks = PROGRAM_HOOKS.iter().map(|hook| (*hook).to_owned()).collect();
    let filter = RowFilter {
        acts: ActFilter { hooks, ..ActFilter::default() },
        paths: paths.clone(),
        digests: digests.iter().cloned().collect(),
        user_digests: Arc::clone(&user_digests),
        ..RowFilter::default()
    };
    of_rows(archives, processes, &Scan { prune, predicates: filter.predicates(), ..Scan::default() }).map(Some)
}

/// By place, whether a process has a row of what is asked for; `None` where that is not asked.
fn actors(question: &TreeQuestion<'_>, archives: &Archives<'_>, processes: &Processes) -> Result<Option<Vec<bool>>> {
    if question.acts.is_empty() {
        return Ok(None);
    }
    let filter = RowFilter { acts: question.acts.clone(), ..RowFilter::default() };
    of_rows(archives, processes, &Scan { predicates: filter.predicates(), ..Scan::default() }).map(Some)
}

/// By place, whether a process has a row that a scan finds.
fn of_rows(archives: &Archives<'_>, processes: &Processes, scan: &Scan) -> Result<Vec<bool>> {
    let mut found = vec![false; processes.list.len()];
    archives.each_row(&Scan { columns: OF_PROCESS.to_vec(), ..scan.clone() }, |event: Event| {
        if let Some(place) = processes.of_row(&event) {
            found[place as usize] = true;
        }
    })?;
    Ok(found)
}

fn show(
    processes: &Processes,
    family: &Family,
    selected: &Selected,
    sights: &mut Sights,
    covered: &Covered,
    each: &mut dyn FnMut(&Branch<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let follow = selected.siblings_follow(family);
    let mut lines: Vec<bool> = Vec::new();
    for ((place, number), follows) in selected.shown.iter().zip(0..).zip(follow) {
        let process = &processes.list[*place as usize];
        let depth = family.depth(*place);
        lines.truncate((depth as usize).saturating_sub(1));
        if depth > 0 {
            lines.push(follows);
        }
        let life = sights.of_place(number)?;
        let branch = Branch {
            process,
            boot: &processes.boots[process.key.boot as usize],
            life: &life,
            parent: family.parent(*place).map(|parent| &processes.list[parent as usize]),
            root: family.root(*place, process),
            depth,
            is_asked: selected.asked[*place as usize],
            siblings_follow: &lines,
            covered,
        };
        if each(&branch)?.is_break() {
            return Ok(());
        }
    }
    Ok(())
}
