//! Which files changed and when, and who can have changed them.

pub(crate) use super::investigated::Investigated;
use super::rows::Rows;
use super::verdicts::{Looked, Packaged};
use super::wanted::{Narrowed, Wanted};
use crate::archives::filter::RowFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::mapped::MappedWrites;
use crate::caveats::mounts::{MountedFiles, is_mounted_over};
use crate::caveats::observed::Observed;
use crate::caveats::undigested;
use crate::recordings::Recordings;
use crate::recordings::clock::ClockSteps;
use crate::recordings::completeness::Completeness;
use crate::recordings::gaps::Gap;
use crate::recordings::suppressed::Answer;
use crate::sorter::{Sortable, Sorted, Sorter};
use crate::suspects::attribution::{Attribution, has_all_acts};
use crate::suspects::{self, OtherNames, Suspects};
use crate::versions::change::{Change, ChangeKind, changes_of};
use crate::versions::order::resolve_or_report;
use crate::versions::run::Run;
use crate::versions::series::{AllSeries, Series, SeriesKey, names_its_file};
use anyhow::Result;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use std::ops::ControlFlow;

/// What changes are looked into together may take in memory: each look is a scan of the events.
const TOGETHER_BYTES: usize = 32 << 20;

/// A question about changes.
pub(crate) struct ChangesQuestion<'a> {
    pub(crate) scope: &'a Scope,
    /// None asks about all files.
    pub(crate) paths: PathPatterns,
    /// Whether first sights are asked for too.
    pub(crate) first_seen: bool,
    /// How many are looked into, the first ones; all are counted. None where not all are wanted.
    pub(crate) most: Option<usize>,
    /// Which of them are handed on.
    pub(crate) wanted: &'a Wanted,
    /// Whether what they look like is asked for, which takes two scans more.
    pub(crate) verdicts: bool,
}

/// What else was found.
pub(crate) struct FoundChanges {
    /// All changes that there are.
    pub(crate) count: usize,
    pub(crate) narrowed: Narrowed,
    /// Files that they are of: paths under a root of a host.
    pub(crate) files: usize,
    pub(crate) has_other_algorithms: bool,
    pub(crate) completeness: Completeness,
    pub(crate) mapped_writes: MappedWrites,
    pub(crate) mounted: MountedFiles,
    /// What was asked for by a path and did not change.
    pub(crate) observed: Observed,
}

/// Hands each change to `each`, in the order of time, until that wants no more; gives what is to be told beside them.
///
/// # Errors
/// When a scan cannot be made, or those of `each`; files that cannot be read are problems.
pub(crate) fn find(
    question: &ChangesQuestion<'_>,
    archives: &Archives<'_>,
    each: &mut dyn FnMut(Investigated<'_>) -> Result<ControlFlow<()>>,
) -> Result<FoundChanges> {
    let ChangesQuestion { scope, paths, .. } = question;
    let rows = read(question, archives)?;
    let recordings = Recordings::load(archives, &rows.spans)?;
    let asked_events = RowFilter { paths: paths.clone(), ..RowFilter::default() };
    let without_digest = undigested::count_hiding(archives, &rows.bounds, asked_events)?;
    let is_asked = |event: &Event| paths.matches(event.path.as_deref().unwrap_or_default());
    let mapped_writes = MappedWrites::find(archives, scope, &rows.mapped, is_asked)?;
    let mut collected = Collected::new(question.most, ClockSteps::read_for(archives, scope)?);
    collected.observed.look_for_unseen(archives, &rows.unseen)?;
    collected.take_all(question, archives, &recordings, rows.sorter)?;
    let Collected {
        changes, count, files, doubtful, has_other_algorithms, mut mounted, observed, begun_before, ..
    } = collected;
    mounted.look_for_mounts(archives)?;
    let mut narrowed = Narrowed::by(question.wanted);
    look_into(archives, &recordings, changes.finish()?, question, &mut |one| match question
        .wanted
        .takes(&one, &mut narrowed)
    {
        true => each(one),
        false => Ok(ControlFlow::Continue(())),
    })?;
    let completeness = Completeness {
        unsealed: archives.unsealed(),
        doubtful,
        without_digest,
        written_while_mapped: mapped_writes.count,
        ..Completeness::of(&recordings, Answer::Changes, scope, archives.problems())
    };
    let completeness = completeness.with_gaps(begun_before);
    Ok(FoundChanges { count, narrowed, files, has_other_algorithms, completeness, mapped_writes, mounted, observed })
}

fn read(question: &ChangesQuestion<'_>, archives: &Archives<'_>) -> Result<Rows> {
    let ChangesQuestion { scope, paths, first_seen, .. } = question;
    if paths.is_empty() && !first_seen {
        return Rows::read_changed(archives, scope);
    }
    let prune = Prune { paths: paths.rules(), ..Prune::default() };
    // Times exclude nothing here: the version before `--since` and the one after `--until` bound the intervals.
    let scan = Scan { prune, predicates: paths.predicates(), ..Scan::default() };
    Rows::read(archives, scope, paths, &scan, names_its_file)
}

/// What the series of versions tell.
struct Collected {
    changes: Sorter<Change>,
    count: usize,
    files: usize,
    /// Doubtful observations, which begin no version.
    doubtful: usize,
    has_other_algorithms: bool,
    mounted: MountedFiles,
    observed: Observed,
    steps: ClockSteps,
    /// What lies in intervals that may have begun before anybody recorded.
    begun_before: Vec<Gap>,
}

impl Collected {
    fn new(most: Option<usize>, steps: ClockSteps) -> Self {
        let changes = Sorter::new(|left: &Change, right: &Change| left.to.first().first.cmp(&right.to.first().first));
        Self {
            changes: changes.with_limit(most.unwrap_or(usize::MAX)),
            count: 0,
            files: 0,
            doubtful: 0,
            has_other_algorithms: false,
            mounted: MountedFiles::default(),
            observed: Observed::default(),
            steps,
            begun_before: Vec::new(),
        }
    }

    fn take_all(
        &mut self,
        question: &ChangesQuestion<'_>,
        archives: &Archives<'_>,
        recordings: &Recordings,
        rows: Sorter<FileVersion>,
    ) -> Result<()> {
        for series in AllSeries::new(rows, recordings)? {
            let (key, mut series) = series?;
            let observations = |run: &Run| usize::try_from(run.row.observations).unwrap_or(0);
            self.doubtful += series.doubtful.iter().map(observations).sum::<usize>();
            resolve_or_report(archives, recordings, &key, &mut series);
            self.take(question, recordings, &key, &series)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        question: &ChangesQuestion<'_>,
        recordings: &Recordings,
        key: &SeriesKey,
        series: &Series,
    ) -> Result<()> {
        let over: Vec<&Run> =
            series.certain.iter().chain(&series.doubtful).filter(|run| is_mounted_over(run)).collect();
        self.mounted.add(key, &over);
        let of_series = changes_of(key, series);
        let is_first_seen = |change: &Change| change.kind == ChangeKind::FirstSeen;
        if !question.paths.is_empty() && over.is_empty() && of_series.iter().all(is_first_seen) {
            self.observed.add(key, series);
        }
        let before = self.count;
        for change in of_series {
            let is_asked = question.first_seen || !is_first_seen(&change);
            let span = || self.steps.span_of(change.interval(), change.end_times(), recordings);
            if is_asked && question.scope.touches(span()) {
                self.count += 1;
                if change.after().is_some_and(|after| after.boot_ns == 0) {
                    let mut gaps = change.interval().gaps(recordings, Answer::Changes);
                    gaps.retain(|gap| !self.begun_before.contains(gap));
                    self.begun_before.append(&mut gaps);
                }
                self.has_other_algorithms |= change.kind == ChangeKind::AlgorithmChanged;
                self.changes.push(change)?;
            }
        }
        self.files += usize::from(self.count > before);
        Ok(())
    }
}

/// Looks into the changes, as many at a time as memory should hold.
fn look_into(
    archives: &Archives<'_>,
    recordings: &Recordings,
    mut changes: Sorted<Change>,
    question: &ChangesQuestion<'_>,
    each: &mut dyn FnMut(Investigated<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut left = question.most.unwrap_or(usize::MAX);
    loop {
        let (mut together, mut bytes) = (Vec::new(), 0);
        while left > 0
            && bytes < TOGETHER_BYTES
            && let Some(change) = changes.next().transpose()?
        {
            bytes += change.bytes();
            left -= 1;
            together.push(change);
        }
        if together.is_empty() || look_into_together(archives, recordings, &together, question, each)?.is_break() {
            return Ok(());
        }
    }
}

/// Looks into these changes; where their suspects are too many, into one half after the other.
fn look_into_together(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[Change],
    question: &ChangesQuestion<'_>,
    each: &mut dyn FnMut(Investigated<'_>) -> Result<ControlFlow<()>>,
) -> Result<ControlFlow<()>> {
    let Some(suspects) = suspects::find(archives, recordings, changes)? else {
        let (left, right) = changes.split_at(changes.len() / 2);
        if look_into_together(archives, recordings, left, question, each)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        return look_into_together(archives, recordings, right, question, each);
    };
    let attributions = attributions(archives, recordings, changes, &suspects)?;
    let have_all_acts = match question.wanted.acts.is_empty() {
        true => vec![false; changes.len()],
        false => have_all_acts(archives, recordings, changes, &suspects)?,
    };
    let packaged = Packaged::look(archives, recordings, changes)?;
    let look = || Looked::look(archives, recordings, changes, &packaged);
    let looked = question.verdicts.then(look).transpose()?;
    for (number, ((change, suspects), attribution)) in changes.iter().zip(&suspects).zip(attributions).enumerate() {
        let interval = change.interval();
        let gaps = interval.gaps(recordings, Answer::Changes);
        let coverage = interval.coverage(recordings);
        let verdicts = looked.as_ref().map(|looked| looked.verdicts(number, change, suspects, &gaps, recordings));
        let package = packaged.of(change, suspects, &gaps);
        let has_all_acts = have_all_acts[number];
        let one =
            Investigated { change, suspects, attribution, has_all_acts, gaps, coverage, verdicts, package, recordings };
        if each(one)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The verdict on each change. Only where nobody was seen it matters by which names a file can be reached.
fn attributions(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[Change],
    suspects: &[Suspects],
) -> Result<Vec<Option<Attribution>>> {
    let is_damaged = archives.problems().any();
    let of = |(change, suspects): (&Change, &Suspects)| Attribution::of(change, suspects, recordings, is_damaged);
    let mut verdicts: Vec<Option<Attribution>> = changes.iter().zip(suspects).map(of).collect();
    let unseen: Vec<usize> =
        (0..verdicts.len()).filter(|number| verdicts[*number] == Some(Attribution::NobodySeen)).collect();
    let asked: Vec<&Change> = unseen.iter().map(|number| &changes[*number]).collect();
    let other_names = suspects::other_names(archives, &asked)?;
    // What that look could not read may hold another name, or an act.
    if archives.problems().any() {
        unseen.iter().for_each(|number| verdicts[*number] = Some(Attribution::Gap));
        return Ok(verdicts);
    }
    for (number, names) in unseen.into_iter().zip(other_names) {
        verdicts[number] = verdicts[number].map(|verdict| verdict.with_names(&changes[number], &names, recordings));
    }
    Ok(verdicts)
}

/// Of each change whether all that can have made it are known.
fn have_all_acts(
    archives: &Archives<'_>,
    recordings: &Recordings,
    changes: &[Change],
    suspects: &[Suspects],
) -> Result<Vec<bool>> {
    let names = suspects::other_names(archives, &changes.iter().collect::<Vec<_>>())?;
    let is_damaged = archives.problems().any();
    let of = |((change, suspects), names): ((&Change, &Suspects), OtherNames)| {
        !is_damaged && has_all_acts(change, suspects, &names, recordings)
    };
    Ok(changes.iter().zip(suspects).zip(names).map(of).collect())
}
