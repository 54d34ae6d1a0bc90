//! Asks all that a report tells. What is held is bounded: a page shows the first of many, and says how many there are.

use super::ReportQuestion;
use super::chosen::{Chosen, Shown, Worth};
use super::lines::ProcessLine;
use super::scale::Scale;
use super::spans::{self, Lane};
use super::tally::Tally;
use crate::archives::act_filter::ActFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, OpenArchive};
use crate::investigate::changes::{self, ChangesQuestion, FoundChanges, Investigated};
use crate::investigate::people::People;
use crate::investigate::rare::{self, FoundRare, RareQuestion};
use crate::investigate::tree::{self, FoundTree, TreeQuestion};
use crate::investigate::versions::{self, FoundVersions};
use crate::investigate::wanted::Wanted;
use crate::investigate::who::{Case, Known};
use crate::recordings::Recordings;
use crate::recordings::completeness::Completeness;
use crate::recordings::gaps::{self, Gap};
use crate::recordings::suppressed::Answer;
use crate::versions::prevalence::Prevalence;
use crate::versions::version::Version;
use anyhow::Result;
use hashtrail::manifest::Line;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Changes that are shown where nothing else is asked for.
const CHANGES_MAX: usize = 500;
/// Sights of known-bad contents that are shown.
const HITS_MAX: usize = 200;
/// Rare contents that are shown.
const RARE_MAX: usize = 50;
/// New contents whose processes are looked for, and lines of processes that are shown.
const CONTENTS_MAX: usize = 50;
const LINES_MAX: usize = 300;
/// Programs of one process that are shown.
const PROGRAMS_MAX: usize = 6;

/// All that a page tells.
pub(crate) struct Findings<'a> {
    pub(super) archives: &'a Archives<'a>,
    /// What is told of each recording's host, kernel, case and operator.
    pub(super) started: Vec<Started>,
    pub(super) recordings: &'a Recordings,
    /// Of all answers.
    pub(super) gaps: Vec<Gap>,
    pub(super) skipped: Vec<Gap>,
    /// `None` where there is no time.
    pub(super) scale: Option<Scale>,
    pub(super) changes: FoundChanges,
    pub(super) tally: Tally,
    pub(super) shown: Shown,
    pub(super) known: Known<'a>,
    pub(super) lanes: Vec<Lane>,
    /// Files of cases that have no lane.
    pub(super) without_lane: usize,
    pub(super) hits: Option<Hits>,
    pub(super) trees: Option<Trees>,
    pub(super) rare: Option<(FoundRare, Vec<Prevalence>)>,
}

/// What the manifest says of a recording's start.
pub(super) struct Started {
    pub(super) host: String,
    pub(super) kernel: Option<String>,
    pub(super) case: Option<String>,
    pub(super) operator: Option<String>,
}

/// Where known-bad contents were seen.
pub(super) struct Hits {
    pub(super) found: FoundVersions,
    /// The first ones, with their names.
    pub(super) list: Vec<(Version, Vec<String>)>,
    /// How many of the digests were seen.
    pub(super) seen: usize,
}

/// Processes that ran new contents.
pub(super) struct Trees {
    pub(super) found: FoundTree,
    pub(super) digests: Vec<String>,
    /// Contents that were left out.
    pub(super) without: usize,
    pub(super) lines: Vec<ProcessLine>,
    /// Processes with their ancestors that are not shown.
    pub(super) omitted: usize,
}

impl<'a> Findings<'a> {
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn gather(
        question: &ReportQuestion<'_>,
        archives: &'a Archives<'a>,
        people: &'a People,
    ) -> Result<Self> {
        let scope = question.scope;
        let recordings = &people.recordings;
        let Completeness { gaps, .. } = Completeness::of(recordings, Answer::Everything, scope, archives.problems());
        let scale = scale(question, recordings, &gaps);
        let mut tally = Tally::default();
        let mut chosen = Chosen::new(question.most.unwrap_or(CHANGES_MAX));
        let changes = find_changes(question, archives, &mut |one, is_known_bad| {
            tally.take(one, is_known_bad, scale.as_ref());
            chosen.take(one, Worth::of(one, is_known_bad), people);
        })?;
        let shown = chosen.finish();
        let known = Known::read(archives, people, scope, &shown.cases)?;
        let (lanes, without_lane) = match &scale {
            Some(scale) => spans::read(&shown.cases, archives, scope, scale, &question.is_listed())?,
            None => (Vec::new(), 0),
        };
        Ok(Self {
            archives,
            started: archives.list.iter().flat_map(OpenArchive::starts).map(Started::of).collect(),
            recordings,
            skipped: gaps::skipped(recordings, scope.since, scope.until),
            gaps,
            scale,
            changes,
            tally,
            known,
            lanes,
            without_lane,
            hits: hits(question, archives)?,
            trees: trees(question, archives, people, &shown.cases)?,
            rare: rare(question, archives, people)?,
            shown,
        })
    }

    /// Whether there is a change or a known-bad content.
    pub(crate) fn is_something(&self) -> bool {
        self.tally.count > 0 || self.hits.as_ref().is_some_and(|hits| hits.found.count > 0)
    }
}

impl Started {
    fn of(line: &Line) -> Self {
        let kernel = || line.field("facts")?.get("kernel")?.as_str().map(str::to_owned);
        Self {
            host: line.text("host").unwrap_or_default(),
            kernel: line.text("kernel").or_else(kernel),
            case: line.text("case").filter(|case| !case.is_empty()),
            operator: line.text("operator").filter(|operator| !operator.is_empty()),
        }
    }
}

/// The time that is asked about, as far as something is known of it.
fn scale(question: &ReportQuestion<'_>, recordings: &Recordings, gaps: &[Gap]) -> Option<Scale> {
    let scope = question.scope;
    let asked = recordings.list.iter().filter(|recording| recording.is_asked(scope));
    let recorded = asked.flat_map(|recording| [recording.start, recording.end]);
    let times = recorded.chain(gaps.iter().flat_map(|gap| [gap.from, gap.to]));
    let scale = Scale::of(times.chain(scope.since).chain(scope.until))?;
    // What lies outside was not asked about.
    Some(Scale {
        from: scope.since.map_or(scale.from, |since| since.max(scale.from)),
        to: scope.until.map_or(scale.to, |until| until.min(scale.to)),
    })
}

/// Hands on each change that is asked for, and whether a list names one of its contents.
fn find_changes(
    question: &ReportQuestion<'_>,
    archives: &Archives<'_>,
    each: &mut dyn FnMut(&Investigated<'_>, bool),
) -> Result<FoundChanges> {
    let wanted = Wanted::default();
    let asked = ChangesQuestion {
        wanted: &wanted,
        scope: question.scope,
        paths: PathPatterns::new(question.paths)?,
        first_seen: false,
        most: None,
        verdicts: true,
    };
    let is_listed = question.is_listed();
    changes::find(&asked, archives, &mut |one| {
        let words = question.verdicts;
        let mut verdicts = one.verdicts.iter().flatten();
        if words.is_empty() || verdicts.any(|verdict| words.iter().any(|word| word == verdict.word)) {
            let versions = one.change.from.iter().chain([&one.change.to]);
            let mut digests = versions.map(|version| version.first().row.digest.as_str());
            each(&one, digests.any(&is_listed));
        }
        Ok(ControlFlow::Continue(()))
    })
}

fn hits(question: &ReportQuestion<'_>, archives: &Archives<'_>) -> Result<Option<Hits>> {
    let Some(known_bad) = &question.known_bad else { return Ok(None) };
    let (mut list, mut seen) = (Vec::new(), BTreeSet::new());
    let found = versions::lookup(&known_bad.wanted, &PathPatterns::default(), question.scope, archives, |version| {
        let digest = &version.first().row.digest;
        if list.len() < HITS_MAX {
            list.push((version.clone(), known_bad.wanted.labels(digest)?));
        }
        if !seen.contains(digest) {
            seen.insert(digest.clone());
        }
        Ok(())
    })?;
    Ok(Some(Hits { found, list, seen: seen.len() }))
}

/// The processes that ran the new contents of the changes that are shown.
fn trees(
    question: &ReportQuestion<'_>,
    archives: &Archives<'_>,
    people: &People,
    cases: &[Case],
) -> Result<Option<Trees>> {
    let (mut digests, mut others): (Vec<String>, BTreeSet<&str>) = (Vec::new(), BTreeSet::new());
    for case in cases {
        let digest = &case.change.to.first().row.digest;
        if digests.contains(digest) {
            continue;
        }
        if digests.len() < CONTENTS_MAX {
            digests.push(digest.clone());
        } else {
            others.insert(digest);
        }
    }
    if digests.is_empty() {
        return Ok(None);
    }
    let asked = TreeQuestion {
        scope: question.scope,
        pids: Vec::new(),
        process_starts: Vec::new(),
        acts: ActFilter::default(),
        digests: digests.clone(),
        paths: PathPatterns::default(),
    };
    let (mut lines, mut omitted) = (Vec::new(), 0);
    let found = tree::find_among(&asked, archives, people, &mut |branch| {
        if lines.len() < LINES_MAX {
            lines.extend(ProcessLine::of(branch, PROGRAMS_MAX));
        } else {
            omitted += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(Some(Trees { found, digests, without: others.len(), lines, omitted }))
}

/// What ran on one host alone, where several recorded.
fn rare(
    question: &ReportQuestion<'_>,
    archives: &Archives<'_>,
    people: &People,
) -> Result<Option<(FoundRare, Vec<Prevalence>)>> {
    if people.recordings.hosts(question.scope).len() < 2 {
        return Ok(None);
    }
    let asked = RareQuestion {
        scope: question.scope,
        paths: PathPatterns::new(question.paths)?,
        most_hosts: 1,
        most: Some(RARE_MAX),
    };
    let mut list = Vec::new();
    let found = rare::find(&asked, archives, |content| {
        list.push(content.clone());
        Ok(())
    })?;
    Ok(Some((found, list)))
}
