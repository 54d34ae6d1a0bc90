//! Which contents ran or were loaded on few hosts. The index of versions tells nearly all of it; events are read only of digests
//! that were also seen where nothing runs, because a row of the index does not say how its file was used.

mod attempts;
mod used;

use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, Scan, Scope};
use crate::caveats::mapped::{MappedFiles, MappedWrites};
use crate::caveats::undigested;
use crate::recordings::clock::ClockSteps;
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use crate::recordings::{Recordings, Spans};
use crate::sorter::{Grouped, Sorter};
use crate::versions::prevalence::{Prevalence, Seen, Sight};
use crate::versions::sighting::{COLUMNS, hosts_with_digests};
use anyhow::{Result, anyhow};
use attempts::Attempts;
use hashtrail::event::Event;
use hashtrail::hooks;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use used::Used;

/// A question about contents that few hosts have.
pub(crate) struct RareQuestion<'a> {
    pub(crate) scope: &'a Scope,
    /// None asks about all files.
    pub(crate) paths: PathPatterns,
    pub(crate) most_hosts: usize,
    /// How many are wanted, the rarest ones; all are counted.
    pub(crate) most: Option<usize>,
}

/// What else was found.
pub(crate) struct FoundRare {
    /// All that so few hosts have.
    pub(crate) count: usize,
    /// All contents that ran or were loaded.
    pub(crate) loaded: usize,
    /// Contents that were opened, and never seen to run or to be loaded.
    pub(crate) only_opened: usize,
    /// Contents that were tried in vain, and neither opened nor seen to run or to be loaded.
    pub(crate) only_attempted: usize,
    /// Hosts that recorded a digest in the asked time, at whatever path.
    pub(crate) hosts: BTreeSet<String>,
    /// Hosts that recorded, and no digest.
    pub(crate) hosts_without_digests: BTreeSet<String>,
    pub(crate) algorithms: BTreeSet<String>,
    /// Hooks that can tell a digest, and that not every recording had all of the time.
    pub(crate) hooks_in_part: BTreeSet<String>,
    /// Recordings of execs that do not have which of them succeeded, in words.
    pub(crate) without_commits: Vec<String>,
    pub(crate) completeness: Completeness,
}

impl FoundRare {
    /// Whether all recorded the same, and nothing of it is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.completeness.is_complete()
            && self.hooks_in_part.is_empty()
            && self.without_commits.is_empty()
            && self.hosts_without_digests.is_empty()
    }

    /// What not all hosts recorded alike, for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.without_commits.is_empty() {
            let recordings = self.without_commits.join(", ");
            notes.push(format!(
                "not complete: these recordings do not have which execs succeeded, so one that failed counts as a run: {recordings}"
            ));
        }
        if !self.hooks_in_part.is_empty() {
            let hooks: Vec<&str> = self.hooks_in_part.iter().map(String::as_str).collect();
            notes.push(format!(
                "not complete: {} not recorded by each recording all of the time, so what only they see may be less rare",
                hooks.join(", ")
            ));
        }
        notes
    }
}

/// Hands each content that few hosts have to `each`, the rarest first; gives what is to be told beside them.
///
/// # Errors
/// When a scan cannot be made, or those of `each`; files that cannot be read are problems.
pub(crate) fn find(
    question: &RareQuestion<'_>,
    archives: &Archives<'_>,
    mut each: impl FnMut(&Prevalence) -> Result<()>,
) -> Result<FoundRare> {
    let RareQuestion { scope, paths, most_hosts, most } = question;
    let mut sorter = Seen::sorter();
    let attempts = Attempts::find(archives, paths, &Recordings::load(archives, &Spans::default())?)?;
    let used = Used::find(archives, scope, paths, attempts, &mut sorter)?;
    let index = Index::read(question, archives, &used, &mut sorter)?;
    used.read_loads(archives, scope, paths, &mut sorter)?;
    index.report_algorithms(archives);
    let mut found = Counts::default();
    let mut rare = Prevalence::sorter(most.unwrap_or(usize::MAX));
    let mut grouped = Grouped::new(sorter.finish()?)?;
    loop {
        let mut content = Prevalence::default();
        let first = grouped.next_group(Seen::is_of_content, |seen| content.take(seen))?;
        let Some(Seen { algorithm, digest, .. }) = first else { break };
        if found.takes(&content, *most_hosts) {
            (content.algorithm, content.digest) = (algorithm, digest);
            rare.push(content)?;
        }
    }
    for content in rare.finish()?.take(most.unwrap_or(usize::MAX)) {
        each(&content?)?;
    }
    let Counts { count, loaded, only_opened, only_attempted } = found;
    let recordings = Recordings::load(archives, &index.spans)?;
    let (any_hooks, all_hooks) = recordings.hooks(scope);
    let is_asked = |event: &Event| paths.matches(event.path.as_deref().unwrap_or_default());
    let mapped_writes = MappedWrites::find(archives, scope, &index.mapped, is_asked)?;
    let mut undigested = 0;
    undigested::each(archives, scope, paths, |_| {
        undigested += 1;
        Ok(())
    })?;
    let hosts = match paths.is_empty() {
        true => index.algorithms.values().flatten().cloned().collect(),
        false => hosts_with_digests(archives, scope)?,
    };
    let completeness = Completeness {
        unsealed: archives.unsealed(),
        doubtful_contents: index.doubtful,
        undigested,
        written_while_mapped: mapped_writes.count,
        without_digests: hosts.is_empty(),
        ..Completeness::of(&recordings, Answer::Versions, scope, archives.problems())
    };
    Ok(FoundRare {
        count,
        loaded,
        only_opened,
        only_attempted,
        hosts_without_digests: &recordings.hosts(scope) - &hosts,
        hosts,
        algorithms: index.algorithms.into_keys().collect(),
        hooks_in_part: (&any_hooks - &all_hooks).into_iter().filter(|hook| hooks::has_digest(hook)).collect(),
        without_commits: used.attempts.without_commits(&recordings, scope),
        completeness,
    })
}

/// What is counted of the contents.
#[derive(Default)]
struct Counts {
    count: usize,
    loaded: usize,
    only_opened: usize,
    only_attempted: usize,
}

impl Counts {
    /// Counts a content; gives whether few hosts have it.
    fn takes(&mut self, content: &Prevalence, most_hosts: usize) -> bool {
        let hosts = content.hosts.len();
        self.loaded += usize::from(hosts > 0);
        self.only_opened += usize::from(hosts == 0 && content.opened_only() > 0);
        self.only_attempted += usize::from(hosts == 0 && content.opened_only() == 0 && content.attempted_only() > 0);
        let is_rare = (1..=most_hosts).contains(&hosts);
        self.count += usize::from(is_rare);
        is_rare
    }
}

/// What the index of versions tells.
struct Index {
    spans: Spans,
    mapped: MappedFiles,
    /// Observations.
    doubtful: usize,
    /// With the hosts that recorded digests of each.
    algorithms: BTreeMap<String, BTreeSet<String>>,
}

impl Index {
    fn read(
        question: &RareQuestion<'_>,
        archives: &Archives<'_>,
        used: &Used,
        sorter: &mut Sorter<Seen>,
    ) -> Result<Self> {
        let RareQuestion { scope, paths, .. } = question;
        let steps = ClockSteps::read(archives)?;
        let mapped = MappedFiles::look(archives, scope)?;
        let mut index = Self { spans: Spans::default(), mapped, doubtful: 0, algorithms: BTreeMap::new() };
        let prune = Prune { paths: paths.rules(), ..Prune::default() };
        let scan = Scan { prune, columns: COLUMNS.to_vec(), predicates: paths.predicates(), ..Scan::default() };
        archives.each_row_until(&scan, |row: FileVersion| {
            index.spans.see(&row);
            if let Some(seen) = Seen::of(&row, scope, &steps) {
                index.see(&row);
                let is_by_events = seen.sight != Sight::Doubtful && used.has(&seen.algorithm, &seen.digest);
                // Which of its observations ran, its events say; its execs are here alone.
                let sight = if is_by_events { Sight::Execs } else { seen.sight };
                sorter.push(Seen { sight, times: seen.times.filter(|_| !is_by_events), ..seen })?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(index)
    }

    fn see(&mut self, row: &FileVersion) {
        self.mapped.see(row);
        if !row.doubts.is_empty() {
            self.doubtful = self.doubtful.saturating_add(usize::try_from(row.observations).unwrap_or(0));
        }
        let hosts = self.algorithms.entry(row.digest_algorithm.clone()).or_default();
        if !hosts.contains(&row.host) {
            hosts.insert(row.host.clone());
        }
    }

    /// One content under two algorithms is two digests, each of which seems rarer than it is: that is a problem.
    fn report_algorithms(&self, archives: &Archives<'_>) {
        if self.algorithms.len() > 1 {
            let of_hosts = |(name, hosts): (&String, &BTreeSet<String>)| {
                let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
                format!("{name} (on {})", hosts.join(", "))
            };
            let names: Vec<String> = self.algorithms.iter().map(of_hosts).collect();
            archives.problems().error(&anyhow!(
                "not comparable, wholly or in part: the recorded digests are {}: one content may count as several",
                names.join(", ")
            ));
        }
    }
}
