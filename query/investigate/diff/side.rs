//! One side of a comparison: its rows, and how much can be said of it.

use super::{Asked, DiffQuestion};
use crate::archives::Scan;
use crate::caveats::mapped::{MappedFiles, MappedWrites};
use crate::caveats::undigested;
use crate::recordings::clock::ClockSteps;
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use crate::recordings::{Recording, Recordings, Spans};
use crate::sorter::Sorter;
use crate::versions::series::{Root, SeriesKey};
use crate::versions::sighting::{COLUMNS, Execs, Side, Sighting, Subject, Within, hosts_with_digests};
use anyhow::Result;
use hashtrail::event::{Event, MOUNT_POINT, names_a_file};
use hashtrail::hooks;
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

/// Hooks that each exec calls: one that records all of them misses none.
const EXEC_HOOKS: [&str; 3] = [hooks::BPRM_CREDS_FOR_EXEC, hooks::BPRM_CHECK_SECURITY, hooks::BPRM_COMMITTED_CREDS];

/// What was read of a side.
pub(super) struct SideRead<'a> {
    asked: &'a Asked<'a>,
    recordings: Recordings,
    mapped: MappedWrites,
    /// Those of its digests, with the hosts that recorded digests of each.
    pub(super) algorithms: BTreeMap<String, BTreeSet<String>>,
    /// Those that recorded a digest at whatever path.
    hosts_with_digests: BTreeSet<String>,
    /// Observations.
    doubtful: usize,
    unnamed: usize,
    /// Events.
    without_digest: usize,
}

/// How much can be said of a side.
pub(crate) struct Told {
    pub(crate) completeness: Completeness,
    pub(crate) hosts: BTreeSet<String>,
    /// Those of which no digest was observed.
    pub(crate) hosts_without_digests: BTreeSet<String>,
    pub(crate) algorithms: BTreeSet<String>,
    /// Those that were recorded all of the time.
    pub(crate) hooks: BTreeSet<String>,
    /// Those that can tell a digest, and that the other side recorded at some time and this one not all of the time.
    pub(crate) missing_hooks: BTreeSet<String>,
    /// Observations of files that no path names, which are compared by their digests alone.
    pub(crate) unnamed: usize,
}

impl<'a> SideRead<'a> {
    /// Reads the rows that were asked for.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn read(
        side: Side,
        asked: &'a Asked<'a>,
        question: &DiffQuestion<'_>,
        sorter: &mut Sorter<Sighting>,
    ) -> Result<Self> {
        let Asked { archives, scope } = asked;
        let steps = ClockSteps::read(archives)?;
        let mut rows = Rows { side, subject: question.subject, ..Rows::of(MappedFiles::look(archives, scope)?) };
        let prune = Prune { paths: question.paths.rules(), ..Prune::default() };
        let scan =
            Scan { prune, columns: COLUMNS.to_vec(), predicates: question.paths.predicates(), ..Scan::default() };
        archives.each_row_until(&scan, |row: FileVersion| {
            rows.take(&row, Within::of(&row, scope, &steps)).map_or(Ok(()), |sighting| sorter.push(sighting))?;
            Ok(ControlFlow::Continue(()))
        })?;
        undigested::each(archives, scope, &question.paths, |event| {
            rows.take_undigested(event).map_or(Ok(()), |sighting| sorter.push(sighting))
        })?;
        let Rows { spans, mapped, algorithms, doubtful, unnamed, without_digest, .. } = rows;
        let is_asked = |event: &Event| question.paths.matches(event.path.as_deref().unwrap_or_default());
        let recordings = Recordings::load(archives, &spans)?;
        let mapped = MappedWrites::find(archives, scope, &mapped, is_asked)?;
        let hosts_with_digests = match question.paths.is_empty() {
            true => algorithms.values().flatten().cloned().collect(),
            false => hosts_with_digests(archives, scope)?,
        };
        Ok(Self { asked, recordings, mapped, algorithms, hosts_with_digests, doubtful, unnamed, without_digest })
    }

    /// Those of the time that was asked about.
    fn recordings(&self) -> impl Iterator<Item = &Recording> {
        self.recordings.list.iter().filter(|recording| recording.is_asked(&self.asked.scope))
    }

    /// Whether each exec of a path was recorded.
    pub(super) fn records_execs(&self, path: &str) -> bool {
        let records = |recording: &Recording| recording.coverage.covers(&EXEC_HOOKS, path, i64::MIN, i64::MAX);
        self.recordings().next().is_some() && self.recordings().all(records)
    }

    /// Hooks that can tell a digest and that were recorded at some time.
    pub(super) fn any_hooks(&self) -> BTreeSet<String> {
        let (hooks, _) = self.recordings.hooks(&self.asked.scope);
        hooks.into_iter().filter(|hook| hooks::has_digest(hook)).collect()
    }

    /// What is to be told, beside a side that recorded these hooks.
    pub(super) fn told(self, other_hooks: &BTreeSet<String>) -> Told {
        let Asked { archives, scope } = self.asked;
        let (_, hooks) = self.recordings.hooks(scope);
        let hosts = self.recordings.hosts(scope);
        Told {
            completeness: Completeness {
                unsealed: archives.unsealed(),
                doubtful: self.doubtful,
                without_digest: self.without_digest,
                written_while_mapped: self.mapped.count,
                without_digests: self.hosts_with_digests.is_empty(),
                ..Completeness::of(&self.recordings, Answer::Versions, scope, archives.problems())
            },
            hosts_without_digests: &hosts - &self.hosts_with_digests,
            hosts,
            algorithms: self.algorithms.into_keys().collect(),
            missing_hooks: other_hooks - &hooks,
            hooks,
            unnamed: self.unnamed,
        }
    }
}

/// The rows of a side while they are read.
struct Rows {
    side: Side,
    subject: Subject,
    spans: Spans,
    mapped: MappedFiles,
    algorithms: BTreeMap<String, BTreeSet<String>>,
    doubtful: usize,
    unnamed: usize,
    without_digest: usize,
    /// The host's own root, by recording.
    host_roots: HashMap<String, (String, i64)>,
}

impl Rows {
    fn of(mapped: MappedFiles) -> Self {
        Self {
            side: Side::Left,
            subject: Subject::Path,
            spans: Spans::default(),
            mapped,
            algorithms: BTreeMap::new(),
            doubtful: 0,
            unnamed: 0,
            without_digest: 0,
            host_roots: HashMap::new(),
        }
    }

    /// Takes a row of a version, of which so much lies in the asked time.
    fn take(&mut self, row: &FileVersion, within: Option<Within>) -> Option<Sighting> {
        self.spans.see(row);
        if row.root_is_host && !self.host_roots.contains_key(&row.recording_id) {
            self.host_roots.insert(row.recording_id.clone(), (row.root_dev.clone(), row.root_ino));
        }
        let key = SeriesKey::of(row);
        let is_compared = self.subject == Subject::Digest || key.is_of_path();
        let sighting = Sighting::of(row, key, self.side, within?);
        self.mapped.see(row);
        let observations = usize::try_from(row.observations).unwrap_or(0);
        if !row.doubts.is_empty() {
            self.doubtful = self.doubtful.saturating_add(observations);
        }
        let hosts = self.algorithms.entry(row.digest_algorithm.clone()).or_default();
        if !hosts.contains(&row.host) {
            hosts.insert(row.host.clone());
        }
        if !is_compared {
            self.unnamed = self.unnamed.saturating_add(observations);
        }
        Some(sighting).filter(|_| is_compared)
    }

    /// Takes an event that has no digest. It tells of its path that it was observed.
    fn take_undigested(&mut self, event: Event) -> Option<Sighting> {
        self.without_digest += 1;
        let is_named = names_a_file(&event.path_flags) && !event.path_flags.iter().any(|flag| flag == MOUNT_POINT);
        if self.subject != Subject::Path || !is_named || event.path.is_none() {
            return None;
        }
        // Where no row says which root is the host's, it may be any.
        // Of an exec without a digest nothing counts whether it succeeded.
        let execs = if event.is_exec_hook() { Execs::NotRecorded } else { Execs::NotTold };
        let of_event = (event.root_dev, event.root_ino);
        let is_host = self.host_roots.get(&event.recording_id).is_none_or(|host| *host == of_event);
        let (dev, ino) = of_event;
        Some(Sighting {
            side: self.side,
            host: event.host,
            path: event.path,
            root: if is_host { Root::Host } else { Root::Other { boot_id: event.boot_id, dev, ino } },
            content: None,
            times: Some((event.time, event.time)),
            execs,
            source: (event.recording_id, event.time.0, event.cpu, event.seq),
        })
    }
}
