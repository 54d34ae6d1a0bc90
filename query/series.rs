//! Series of versions: the `files` rows of all archives, grouped and in the order of events.

use crate::recordings::{Position, Recordings};
use hashtrail::cell::Micros;
use hashtrail::event::{MOUNT_POINT, names_a_file};
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a task's paths begin. Device numbers say nothing after a reboot, so the host's own root is one root for all
/// boots, and any other root ends with its boot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Root {
    Host,
    Other { boot_id: String, dev: String, ino: i64 },
}

/// What is followed: a path under a root of a host. Where the path does not name the file, or only by a mount over it,
/// `inode` is set, and the observations belong to that inode alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SeriesKey {
    pub(crate) host: String,
    pub(crate) path: Option<String>,
    pub(crate) root: Root,
    inode: Option<(String, String, i64, i64)>,
    /// Number of the directory tree that stands at the path: see [`split_by_view`].
    view: usize,
}

/// A `files` row with its place in the order of events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) row: FileVersion,
    pub(crate) first: Position,
    pub(crate) last: Position,
}

/// The runs of one series in order. Doubtful ones begin no version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) certain: Vec<Run>,
    pub(crate) doubtful: Vec<Run>,
}

/// Neighbouring runs that are one version.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// In order; never empty.
    runs: Vec<Run>,
}

impl SeriesKey {
    /// The series of a row, as long as one tree stands at the path.
    pub(crate) fn of(row: &FileVersion) -> Self {
        let is_named = names_its_file(row) && !row.path_flags.iter().any(|flag| flag == MOUNT_POINT);
        let root = if row.root_is_host {
            Root::Host
        } else {
            Root::Other { boot_id: row.boot_id.clone(), dev: row.root_dev.clone(), ino: row.root_ino }
        };
        let inode = (!is_named).then(|| (row.boot_id.clone(), row.dev.clone(), row.ino, row.ino_generation));
        Self { host: row.host.clone(), path: row.path.clone(), root, inode, view: 0 }
    }

    /// The same without regard to views.
    pub(crate) fn without_view(&self) -> Self {
        Self { view: 0, ..self.clone() }
    }
}

/// Whether the path of a row is where the file stands.
pub(crate) fn names_its_file(row: &FileVersion) -> bool {
    row.path.is_some() && names_a_file(&row.path_flags)
}

impl Run {
    /// `None` when the recording of the row is not known.
    pub(crate) fn new(row: FileVersion, recordings: &Recordings) -> Option<Self> {
        let rank = recordings.rank(&row.recording_id)?;
        let first = Position { rank, boot_ns: row.first_boot_ns, cpu: row.first_cpu, seq: row.first_seq };
        let last = Position { rank, boot_ns: row.last_boot_ns, cpu: row.last_cpu, seq: row.last_seq };
        Some(Self { row, first, last: last.max(first) })
    }

    pub(crate) fn has_digest_of(&self, other: &Self) -> bool {
        self.has_algorithm_of(other) && self.row.digest == other.row.digest
    }

    pub(crate) fn has_algorithm_of(&self, other: &Self) -> bool {
        self.row.digest_algorithm == other.row.digest_algorithm
    }

    /// Whether both are the same inode; across boots without the device number.
    pub(crate) fn is_file_of(&self, other: &Self) -> bool {
        let (this, that) = (&self.row, &other.row);
        (this.ino, this.ino_generation) == (that.ino, that.ino_generation)
            && (this.boot_id != that.boot_id || this.dev == that.dev)
    }
}

/// Groups rows into series. A row that stands in two copies of an archive counts once.
pub(crate) fn group(rows: Vec<FileVersion>, recordings: &Recordings) -> BTreeMap<SeriesKey, Series> {
    let mut paths: BTreeMap<SeriesKey, Vec<Run>> = BTreeMap::new();
    for run in rows.into_iter().filter_map(|row| Run::new(row, recordings)) {
        paths.entry(SeriesKey::of(&run.row)).or_default().push(run);
    }
    let mut groups = BTreeMap::new();
    for (key, mut runs) in paths {
        runs.sort_by_key(|run| (run.first, run.last));
        runs.dedup();
        for (view, runs) in split_by_view(runs).into_iter().enumerate() {
            let (certain, doubtful) = runs.into_iter().partition(|run| run.row.doubts.is_empty());
            groups.insert(SeriesKey { view, ..key.clone() }, Series { certain, doubtful });
        }
    }
    groups
}

/// What runs of one tree share.
#[derive(PartialEq, Eq, Hash)]
enum Shared<'a> {
    Namespace(&'a str, i64),
    Directory(i64),
    File(&'a str, &'a str, i64, i64),
}

/// A mount namespace can show another tree at a path than the host does, under the same root. Runs belong together when
/// they share the file, its directory or the namespace; services whose namespaces show the host's own tree share its
/// directories with it. Without a directory a run may be anywhere, and all stay together.
fn split_by_view(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut trees = Trees((0..runs.len()).collect());
    let mut seen: HashMap<Shared<'_>, usize> = HashMap::new();
    for (index, Run { row, .. }) in runs.iter().enumerate() {
        let Some(directory) = row.parent_ino else { return vec![runs] };
        for shared in [
            Shared::Namespace(&row.boot_id, row.mnt_ns),
            Shared::Directory(directory),
            Shared::File(&row.boot_id, &row.dev, row.ino, row.ino_generation),
        ] {
            trees.join(index, *seen.entry(shared).or_insert(index));
        }
    }
    let mut views: BTreeMap<usize, Vec<Run>> = BTreeMap::new();
    for (index, run) in runs.into_iter().enumerate() {
        views.entry(trees.first(index)).or_default().push(run);
    }
    views.into_values().collect()
}

/// For each run an earlier one of the same tree, or itself.
struct Trees(Vec<usize>);

impl Trees {
    fn first(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, left: usize, right: usize) {
        let (left, right) = (self.first(left), self.first(right));
        self.0[left.max(right)] = left.min(right);
    }
}

/// Joins neighbours that `same` calls one version.
pub(crate) fn versions(runs: Vec<Run>, same: impl Fn(&Run, &Run) -> bool) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::new();
    for run in runs {
        match versions.last_mut() {
            Some(version) if same(version.last(), &run) => version.runs.push(run),
            _ => versions.push(Version { runs: vec![run] }),
        }
    }
    versions
}

impl Version {
    /// In order; never empty.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The run with the first observation.
    pub(crate) fn first(&self) -> &Run {
        &self.runs[0]
    }

    /// The run that began last.
    pub(crate) fn last(&self) -> &Run {
        &self.runs[self.runs.len() - 1]
    }

    /// The run with the last observation: runs of one digest may overlap.
    pub(crate) fn latest(&self) -> &Run {
        self.runs.iter().max_by_key(|run| run.last).unwrap_or(self.last())
    }

    pub(crate) fn first_seen(&self) -> Micros {
        self.first().row.first_time
    }

    pub(crate) fn last_seen(&self) -> Micros {
        self.latest().row.last_time
    }

    pub(crate) fn observations(&self) -> i64 {
        self.sum(|row| Some(row.observations)).unwrap_or(0)
    }

    /// Successful execs; `None` where no recording could tell.
    pub(crate) fn exec_runs(&self) -> Option<i64> {
        self.sum(|row| row.runs)
    }

    pub(crate) fn exec_attempts(&self) -> Option<i64> {
        self.sum(|row| row.attempts)
    }

    pub(crate) fn doubts(&self) -> Vec<String> {
        doubts_of(self.runs.iter())
    }

    fn sum(&self, count: impl Fn(&FileVersion) -> Option<i64>) -> Option<i64> {
        self.runs.iter().filter_map(|run| count(&run.row)).reduce(i64::saturating_add)
    }
}

/// The doubts of runs, each once.
pub(crate) fn doubts_of<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<String> {
    let doubts: BTreeSet<&String> = runs.flat_map(|run| &run.row.doubts).collect();
    doubts.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recordings, version};

    #[test]
    fn roots_and_inodes_without_a_name_are_series_of_their_own() {
        let host = version("aa", 1, 2);
        let other_root = FileVersion { root_is_host: false, root_ino: 99, ..version("bb", 1, 2) };
        let next_boot = FileVersion { boot_id: "boot2".into(), root_dev: "9:9".into(), ..version("aa", 3, 4) };
        let deleted = FileVersion { path_flags: vec!["deleted".into()], ..version("cc", 3, 4) };
        let groups = group(vec![host, other_root, next_boot, deleted], &recordings(&["r1"]));
        let mut sizes: Vec<usize> = groups.values().map(|series| series.certain.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 1, 2]);
    }

    #[test]
    fn another_tree_in_a_mount_namespace_is_a_series_of_its_own() {
        let at = |digest, first, mnt_ns, parent_ino, ino| FileVersion {
            mnt_ns,
            parent_ino: Some(parent_ino),
            ino,
            ..version(digest, first, first)
        };
        let sizes = |rows| group(rows, &recordings(&["r1"])).into_values().map(|series| series.certain.len()).collect();
        // A service's namespace that shows the host's tree, before and after a replacement: one series.
        let service = vec![at("aa", 1, 1, 50, 12), at("bb", 2, 2, 50, 13), at("bb", 3, 3, 50, 13)];
        let sizes_of_service: Vec<usize> = sizes(service);
        assert_eq!(sizes_of_service, [3]);
        // Another directory mounted there: two series. The host's directory replaced: one.
        let mut mounted: Vec<usize> =
            sizes(vec![at("aa", 1, 1, 50, 12), at("bb", 2, 2, 60, 13), at("aa", 3, 1, 50, 12)]);
        mounted.sort_unstable();
        assert_eq!(mounted, [1, 2]);
        let replaced: Vec<usize> = sizes(vec![at("aa", 1, 1, 50, 12), at("bb", 2, 1, 60, 13)]);
        assert_eq!(replaced, [2]);
        // A single file mounted over the path.
        let over = FileVersion { path_flags: vec![MOUNT_POINT.into()], ..at("bb", 2, 1, 50, 13) };
        assert_eq!(group(vec![at("aa", 1, 1, 50, 12), over], &recordings(&["r1"])).len(), 2);
    }

    #[test]
    fn copies_count_once_and_neighbours_join() {
        let rows = vec![version("aa", 5, 6), version("aa", 1, 2), version("aa", 1, 2), version("bb", 7, 8)];
        let groups = group(rows, &recordings(&["r1"]));
        let series = groups.into_values().next().expect("series");
        let versions = versions(series.certain, Run::has_digest_of);
        assert_eq!(versions.len(), 2);
        assert_eq!((versions[0].observations(), versions[0].last_seen()), (2, Micros(6)));
    }
}
