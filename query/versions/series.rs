//! Series of versions: the `files` rows of all archives, grouped and in the order of events.

use crate::recordings::Recordings;
use crate::sorter::{Sorted, Sorter};
use crate::versions::run::Run;
use anyhow::Result;
use hashtrail::event::{MOUNT_POINT, names_a_file};
use hashtrail::versions::FileVersion;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// Where a task's paths begin. Device numbers say nothing after a reboot, so the host's own root is one root for all
/// boots, and any other root ends with its boot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Root {
    Host,
    Other { boot_id: String, dev: String, ino: i64 },
}

/// What is followed: a path under a root of a host. Where the path does not name the file, or only by a mount over it,
/// `inode` is set, and the observations belong to that inode alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct SeriesKey {
    pub(crate) host: String,
    pub(crate) path: Option<String>,
    pub(crate) root: Root,
    inode: Option<(String, String, i64, i64)>,
    /// Number of the directory tree that stands at the path: see [`split_by_view`].
    view: usize,
}

/// The runs of one series in order. Doubtful ones begin no version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Series {
    pub(crate) certain: Vec<Run>,
    pub(crate) doubtful: Vec<Run>,
    /// A run of the same boot that saw another tree at the path, in its own mount namespace.
    pub(crate) beside: Option<Rc<Run>>,
}

impl SeriesKey {
    /// The series of a row, as long as one tree stands at the path.
    pub(crate) fn of(row: &FileVersion) -> Self {
        let Place { host, path, root, inode } = Place::of(row);
        let root = root.map_or(Root::Host, |(boot_id, dev, ino)| Root::Other {
            boot_id: boot_id.to_owned(),
            dev: dev.to_owned(),
            ino,
        });
        let inode = inode.map(|(boot_id, dev, ino, generation)| (boot_id.to_owned(), dev.to_owned(), ino, generation));
        Self { host: host.to_owned(), path: path.map(str::to_owned), root, inode, view: 0 }
    }

    /// Whether it is of a path; else it is of an inode alone.
    pub(crate) fn is_of_path(&self) -> bool {
        self.inode.is_none()
    }

    /// The same without regard to views.
    pub(crate) fn without_view(&self) -> Self {
        Self { view: 0, ..self.clone() }
    }
}

/// The key of a row's series, borrowed from it and in the same order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    host: &'a str,
    path: Option<&'a str>,
    /// None is the host's.
    root: Option<(&'a str, &'a str, i64)>,
    inode: Option<(&'a str, &'a str, i64, i64)>,
}

impl<'a> Place<'a> {
    fn of(row: &'a FileVersion) -> Self {
        let is_named = names_its_file(row) && !row.path_flags.iter().any(|flag| flag == MOUNT_POINT);
        Self {
            host: &row.host,
            path: row.path.as_deref(),
            root: (!row.root_is_host).then_some((&row.boot_id, &row.root_dev, row.root_ino)),
            inode: (!is_named).then_some((&row.boot_id, &row.dev, row.ino, row.ino_generation)),
        }
    }
}

/// Whether the path of a row is where the file stands.
pub(crate) fn names_its_file(row: &FileVersion) -> bool {
    row.path.is_some() && names_a_file(&row.path_flags)
}

/// Sorts rows of versions by their series.
pub(crate) fn sorter() -> Sorter<FileVersion> {
    Sorter::new(|left, right| Place::of(left).cmp(&Place::of(right)))
}

/// All series, one after the other in the order of their keys: only one is held at a time.
pub(crate) struct AllSeries<'a> {
    rows: Sorted<FileVersion>,
    /// The first row of the next series.
    next: Option<FileVersion>,
    recordings: &'a Recordings,
    /// Trees at the path of the last series.
    views: VecDeque<(SeriesKey, Series)>,
}

impl<'a> AllSeries<'a> {
    pub(crate) fn new(rows: Sorter<FileVersion>, recordings: &'a Recordings) -> Result<Self> {
        let mut rows = rows.finish()?;
        let next = rows.next().transpose()?;
        Ok(Self { rows, next, recordings, views: VecDeque::new() })
    }

    /// Reads the runs of the next place. A row that stands in two copies of an archive counts once.
    fn read(&mut self) -> Result<()> {
        let Some(first) = self.next.take() else { return Ok(()) };
        let key = SeriesKey::of(&first);
        let mut runs: Vec<Run> = Run::new(first, self.recordings).into_iter().collect();
        for row in self.rows.by_ref() {
            let row = row?;
            if SeriesKey::of(&row) != key {
                self.next = Some(row);
                break;
            }
            runs.extend(Run::new(row, self.recordings));
        }
        runs.sort_by_key(|run| (run.first, run.last));
        runs.dedup();
        let views = split_by_view(runs);
        let beside: Vec<Option<Rc<Run>>> = (0..views.len()).map(|view| beside(&views, view)).collect();
        for (view, (runs, beside)) in views.into_iter().zip(beside).enumerate() {
            let (certain, doubtful) = runs.into_iter().partition(|run| run.row.doubts.is_empty());
            self.views.push_back((SeriesKey { view, ..key.clone() }, Series { certain, doubtful, beside }));
        }
        Ok(())
    }
}

impl Iterator for AllSeries<'_> {
    type Item = Result<(SeriesKey, Series)>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.views.is_empty() && self.next.is_some() {
            if let Err(error) = self.read() {
                return Some(Err(error));
            }
        }
        self.views.pop_front().map(Ok)
    }
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

/// A run of another view in a boot of this one, best one that lies between this one's runs: then both trees stood there at a
/// time.
fn beside(views: &[Vec<Run>], view: usize) -> Option<Rc<Run>> {
    let own = &views[view];
    let (first, last) = (own.first()?, own.last()?);
    let others = || views.iter().enumerate().filter(|(number, _)| *number != view).flat_map(|(_, runs)| runs);
    let is_between = |run: &&Run| first.first < run.first && run.first < last.last;
    let boots: HashSet<&str> = own.iter().map(|run| run.row.boot_id.as_str()).collect();
    let of_boots = || others().filter(|run| boots.contains(run.row.boot_id.as_str()));
    of_boots().find(is_between).or_else(|| of_boots().next()).cloned().map(Rc::new)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{group, recordings, version};
    use crate::versions::version::versions;
    use hashtrail::cell::Micros;

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
        let versions = versions(&series.certain, Run::has_digest_of);
        assert_eq!(versions.len(), 2);
        assert_eq!((versions[0].observations(), versions[0].last_seen()), (2, Micros(6)));
    }

    #[test]
    fn execs_are_counted_only_where_each_row_tells_them() {
        let runs = |counts: [Option<i64>; 2]| {
            let [first, second] = counts;
            let rows = vec![
                FileVersion { runs: first, attempts: first, ..version("aa", 1, 2) },
                FileVersion { runs: second, attempts: second, ..version("aa", 3, 4) },
            ];
            let groups = group(rows, &recordings(&["r1"]));
            let series = groups.into_values().next().expect("series");
            let version = versions(&series.certain, Run::has_digest_of).remove(0);
            (version.exec_runs(), version.exec_attempts())
        };
        assert_eq!(runs([Some(2), Some(1)]), (Some(3), Some(3)));
        assert_eq!(runs([Some(2), None]), (None, None), "nobody knows how many more there were");
    }
}
