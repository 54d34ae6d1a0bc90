//! Which files changed and when, and who can have changed them.

use super::rows::Rows;
use super::verdicts::{Looked, Verdict};
use crate::archives::filter::RowFilter;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::mapped::MappedWrites;
use crate::caveats::mounts::{MountedFiles, is_mounted_over};
use crate::caveats::observed::Observed;
use crate::caveats::undigested;
use crate::output::{Row, object};
use crate::recordings::Recordings;
use crate::recordings::clock::ClockSteps;
use crate::recordings::completeness::Completeness;
use crate::recordings::gaps::Gap;
use crate::recordings::suppressed::Answer;
use crate::sorter::{Sortable, Sorted, Sorter};
use crate::suspects::attribution::Attribution;
use crate::suspects::{self, Suspect, Suspects};
use crate::versions::change::{Change, ChangeKind, changes_of};
use crate::versions::order::resolve_or_report;
use crate::versions::run::Run;
use crate::versions::series::{AllSeries, Series, SeriesKey, names_its_file};
use crate::versions::version::Version;
use anyhow::Result;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
    /// How many are looked into, the first ones; all are counted.
    pub(crate) most: Option<usize>,
    /// Whether what they look like is asked for, which takes two scans more.
    pub(crate) verdicts: bool,
}

/// A change with all that is known of how it came about.
pub(crate) struct Investigated<'a> {
    pub(crate) change: &'a Change,
    pub(crate) suspects: &'a Suspects,
    /// `None` for a first sight, which is no change.
    pub(crate) attribution: Option<Attribution>,
    /// What its interval lacks.
    pub(crate) gaps: Vec<Gap>,
    /// The hooks that every recording of its interval recorded.
    pub(crate) coverage: BTreeSet<&'a str>,
    /// `None` where they were not asked for.
    pub(crate) verdicts: Option<Vec<Verdict>>,
    /// The package that owns the path, and why that is not known; looked for with the verdicts.
    package: (Value, Value),
    recordings: &'a Recordings,
}

impl Investigated<'_> {
    /// Whether the path is, or was before, of the package with this name.
    pub(crate) fn is_of_package(&self, name: &str) -> bool {
        let package = &self.package.0;
        [package.get("package"), package.get("previous").and_then(|previous| previous.get("package"))]
            .into_iter()
            .flatten()
            .any(|found| found == name)
    }

    /// The change, as the contract has it.
    pub(crate) fn to_row(&self) -> Row {
        let Investigated { change, suspects, attribution, gaps, coverage, verdicts, package, recordings } = self;
        let to = &change.to.first().row;
        let mut row = object(json!({
            "type": "change",
            "path": change.key.path,
            "host": change.key.host,
            "root_dev": to.has_root().then_some(&to.root_dev),
            "root_ino": to.has_root().then_some(to.root_ino),
            "from": null,
            "to": null,
            "changed_after": change.told_after().map(Micros::rfc3339),
            "changed_before": change.before_time().rfc3339(),
            "changed_after_ns": change.after().map(|mark| mark.boot_ns),
            "changed_before_ns": change.before().boot_ns,
            "kind": change.kind.name(),
            "attribution": attribution.map(Attribution::name),
            "suspects": null,
            "suspects_omitted": suspects.omitted,
            "unnamed_acts": suspects.has_unnamed,
            "package": package.0,
            "complete": gaps.is_empty(),
            "coverage": coverage,
            "gaps": gaps.iter().map(Gap::to_json).collect::<Vec<Value>>(),
            "doubts": change.doubts,
        }));
        // The macro would copy them.
        row.insert("from".into(), change.from.as_deref().map(|from| version_json(from, from.latest())).into());
        row.insert("to".into(), version_json(&change.to, change.to.first()));
        row.insert("suspects".into(), suspects.list.iter().map(Suspect::to_json).collect());
        if let Some(verdicts) = verdicts {
            row.insert("package_unknown".into(), package.1.clone());
            row.insert("verdicts".into(), verdicts.iter().map(|verdict| verdict.to_json(recordings)).collect());
        }
        row
    }
}

/// A version; its inode is that of the run next to the change.
fn version_json(version: &Version, next_to_change: &Run) -> Value {
    let row = &next_to_change.row;
    let file = row.has_file().then_some((&row.dev, row.ino));
    json!({
        "algorithm": row.digest_algorithm, "digest": row.digest, "dev": file.map(|(dev, _)| dev), "ino": file.map(|(_, ino)| ino),
        "first_seen": version.first_seen().rfc3339(), "last_seen": version.last_seen().rfc3339(),
        "runs": version.exec_runs(),
    })
}

/// What else was found.
pub(crate) struct FoundChanges {
    /// All changes that there are.
    pub(crate) count: usize,
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
    look_into(archives, &recordings, changes.finish()?, question, each)?;
    let completeness = Completeness {
        unsealed: archives.unsealed(),
        doubtful,
        without_digest,
        written_while_mapped: mapped_writes.count,
        ..Completeness::of(&recordings, Answer::Changes, scope, archives.problems())
    };
    let completeness = completeness.with_gaps(begun_before);
    Ok(FoundChanges { count, files, has_other_algorithms, completeness, mapped_writes, mounted, observed })
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
    let looked = question.verdicts.then(|| Looked::look(archives, recordings, changes)).transpose()?;
    for (number, ((change, suspects), attribution)) in changes.iter().zip(&suspects).zip(attributions).enumerate() {
        let interval = change.interval();
        let gaps = interval.gaps(recordings, Answer::Changes);
        let coverage = interval.coverage(recordings);
        let verdicts = looked.as_ref().map(|looked| looked.verdicts(number, change, suspects, &gaps, recordings));
        let package = looked.as_ref().map(|looked| looked.package(change, suspects, &gaps)).unwrap_or_default();
        let one = Investigated { change, suspects, attribution, gaps, coverage, verdicts, package, recordings };
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
