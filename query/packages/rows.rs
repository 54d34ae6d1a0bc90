//! The rows of the paths of a question, and in which snapshots their packages have rows at all.

use super::looks::{Look, Looks};
use crate::archives::{Archives, Scan};
use crate::recordings::Recordings;
use anyhow::Result;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use hashtrail::packages::PackageFile;
use hashtrail::reader::{Judged, Predicate};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What is read of all rows: which packages a snapshot has.
const COLUMNS: [&str; 5] = ["recording_id", "snapshot", "manager", "package", "architecture"];

/// A package of a recording, by its manager, name and architecture.
type Key = (usize, String, String, Option<String>);

#[derive(Debug, Default)]
pub(super) struct Files {
    by_path: HashMap<(usize, String), Vec<PackageFile>>,
    snapshots: HashMap<Key, BTreeSet<i32>>,
}

impl Files {
    /// Reads the rows of these paths, and counts those of all snapshots.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn read(
        archives: &Archives<'_>,
        recordings: &Recordings,
        paths: HashSet<String>,
        looks: &mut [Looks],
    ) -> Result<Self> {
        let mut files = Self::default();
        let scan = Scan { predicates: vec![of_paths(paths)], ..Scan::default() };
        archives.each_row(&scan, |row: PackageFile| {
            if let Some((rank, path)) = recordings.rank(&row.recording_id).zip(row.real_path.clone()) {
                files.snapshots.entry(key(rank, &row)).or_default();
                files.by_path.entry((rank, path)).or_default().push(row);
            }
        })?;
        let scan = Scan { columns: COLUMNS.to_vec(), ..Scan::default() };
        archives.each_row(&scan, |row: PackageFile| {
            let Some(rank) = recordings.rank(&row.recording_id) else { return };
            if let Some(look) = looks.get_mut(rank).and_then(|looks| looks.get_mut(row.snapshot)) {
                look.rows += 1;
            }
            if let Some(snapshots) = files.snapshots.get_mut(&key(rank, &row)) {
                snapshots.insert(row.snapshot);
            }
        })?;
        Ok(files)
    }

    pub(super) fn all(&self, rank: usize, path: &str) -> Vec<&PackageFile> {
        self.by_path.get(&(rank, path.to_owned())).into_iter().flatten().collect()
    }

    /// The rows of the packages that own a path at a look: of each package those of its last snapshot until then.
    ///
    /// # Errors
    /// When a snapshot is not whole.
    pub(super) fn owners(
        &self,
        rank: usize,
        path: &str,
        looks: &Looks,
        at: &Look,
    ) -> Result<Vec<&PackageFile>, String> {
        let chain = looks.chain(at)?;
        let is_last = |row: &&PackageFile| {
            let snapshots = self.snapshots.get(&key(rank, row)).into_iter().flatten();
            let last = snapshots.filter(|snapshot| chain.contains(snapshot)).max();
            last == Some(&row.snapshot) && row.is_owned()
        };
        Ok(self.all(rank, path).into_iter().filter(is_last).collect())
    }
}

fn key(rank: usize, row: &PackageFile) -> Key {
    (rank, row.manager.clone(), row.package.clone(), row.architecture.clone())
}

fn of_paths(paths: HashSet<String>) -> Predicate {
    let paths = Arc::new(paths);
    let keep = move |batch: &RecordBatch| -> Result<BooleanArray> {
        let mut judged = Judged::of(batch, "real_path")?;
        let is_asked = |row: usize| judged.of_row(row, |path| paths.contains(path)).unwrap_or(false);
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), is_asked).into())
    };
    Predicate::new(vec!["real_path"], keep).coded()
}
