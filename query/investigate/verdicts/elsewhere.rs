//! Where else the new contents and the paths of changes were seen: of each content and each path a few sights, however many there
//! are.

use super::shells::is_name_of_shell;
use crate::archives::{Archives, Scan};
use crate::recordings::{Position, Recordings};
use crate::versions::change::Change;
use crate::versions::run::Run;
use crate::versions::series::names_its_file;
use ahash::RandomState;
use anyhow::Result;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use hashtrail::cell::Micros;
use hashtrail::event::MOUNT_POINT;
use hashtrail::reader::{Judged, Predicate};
use hashtrail::versions::FileVersion;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is read of each row.
const COLUMNS: [&str; 21] = [
    "recording_id",
    "host",
    "boot_id",
    "root_dev",
    "root_ino",
    "root_is_host",
    "path",
    "path_flags",
    "dev",
    "ino",
    "ino_generation",
    "real_dev",
    "real_ino",
    "digest_algorithm",
    "digest",
    "first_time",
    "first_boot_ns",
    "first_cpu",
    "first_seq",
    "runs",
    "doubts",
];

type Set = HashSet<String, RandomState>;
type Map<T> = HashMap<String, Vec<T>, RandomState>;

/// A run of observations at another place, as far as it is told.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    pub(super) first: Position,
    pub(super) time: Micros,
    pub(super) path: Option<String>,
    pub(super) path_flags: Vec<String>,
    pub(super) boot_id: String,
    pub(super) dev: String,
    pub(super) ino: i64,
    pub(super) ino_generation: i64,
    /// Device and inode of the file beneath, which has the content.
    beneath: Option<(String, i64)>,
    pub(super) root_dev: String,
    pub(super) root_ino: i64,
    root_is_host: bool,
    pub(super) algorithm: String,
    pub(super) digest: String,
    /// Successful execs; `None` where that was not recorded.
    pub(super) runs: Option<i64>,
    pub(super) doubts: Vec<String>,
}

/// Sights of one content on one host, the first certain one of each sort, else the first doubtful one.
#[derive(Debug, Default)]
pub(super) struct Content {
    host: String,
    algorithm: String,
    /// At any path.
    first: Option<Sight>,
    /// At another path than that.
    other: Option<Sight>,
    /// At a path with the name of a shell or an interpreter.
    pub(super) shell: Option<Sight>,
    /// Where it ran.
    pub(super) memfd: Option<Sight>,
    pub(super) deleted: Option<Sight>,
}

/// Sights of one path on one host, by the root.
#[derive(Debug, Default)]
pub(super) struct Roots {
    host: String,
    /// Under the host's own root.
    own: Option<Sight>,
    /// Under any other.
    first: Option<Sight>,
    /// Under another one than that.
    other: Option<Sight>,
}

/// All of several changes.
pub(super) struct Elsewhere {
    contents: Map<Content>,
    paths: Map<Roots>,
}

/// Those of one change.
#[derive(Clone, Copy)]
pub(super) struct Sights<'a> {
    pub(super) content: Option<&'a Content>,
    pub(super) roots: Option<&'a Roots>,
}

impl Elsewhere {
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(super) fn look(archives: &Archives<'_>, recordings: &Recordings, changes: &[Change]) -> Result<Self> {
        let mut found = Self { contents: HashMap::default(), paths: HashMap::default() };
        changes.iter().for_each(|change| found.add(change));
        let predicates = vec![wanted(found.contents.keys(), found.paths.keys())];
        let scan = Scan { columns: COLUMNS.to_vec(), predicates, ..Scan::default() };
        archives.each_row(&scan, |row: FileVersion| found.see(row, recordings))?;
        Ok(found)
    }

    fn add(&mut self, change: &Change) {
        let row = &change.to.first().row;
        let host = || change.key.host.clone();
        let contents = self.contents.entry(row.digest.clone()).or_default();
        if !contents.iter().any(|content| content.is_of(row)) {
            let algorithm = row.digest_algorithm.clone();
            contents.push(Content { host: host(), algorithm, ..Content::default() });
        }
        let Some(path) = &change.key.path else { return };
        let roots = self.paths.entry(path.clone()).or_default();
        if !roots.iter().any(|roots| roots.host == change.key.host) {
            roots.push(Roots { host: host(), ..Roots::default() });
        }
    }

    fn see(&mut self, row: FileVersion, recordings: &Recordings) {
        let Some(run) = Run::new(row, recordings) else { return };
        let contents = self.contents.get_mut(&run.row.digest).into_iter().flatten();
        contents.filter(|content| content.is_of(&run.row)).for_each(|content| content.see(&run));
        let is_named = names_its_file(&run.row) && !has_flag(&run.row, MOUNT_POINT);
        if let Some(path) = run.row.path.as_ref().filter(|_| is_named) {
            let roots = self.paths.get_mut(path).into_iter().flatten();
            roots.filter(|roots| roots.host == run.row.host).for_each(|roots| roots.see(&run));
        }
    }

    /// Those of one of the changes.
    pub(super) fn of(&self, change: &Change) -> Sights<'_> {
        let row = &change.to.first().row;
        let content = self.contents.get(&row.digest).into_iter().flatten().find(|content| content.is_of(row));
        let roots = change.key.path.as_ref().and_then(|path| self.paths.get(path)).into_iter().flatten();
        Sights { content, roots: roots.into_iter().find(|roots| roots.host == change.key.host) }
    }
}

impl Content {
    fn is_of(&self, row: &FileVersion) -> bool {
        (&self.host, &self.algorithm) == (&row.host, &row.digest_algorithm)
    }

    fn see(&mut self, run: &Run) {
        let row = &run.row;
        if row.runs != Some(0) {
            if has_flag(row, "memfd") {
                keep(&mut self.memfd, run);
            } else if has_flag(row, "deleted") {
                keep(&mut self.deleted, run);
            }
        }
        if !names_its_file(row) || has_flag(row, MOUNT_POINT) {
            return;
        }
        if row.path.as_deref().is_some_and(is_name_of_shell) {
            keep(&mut self.shell, run);
        }
        let is_same = |sight: &Sight| sight.path == row.path;
        keep_two(&mut self.first, &mut self.other, run, is_same);
    }

    /// A sight at another path than this.
    pub(super) fn at_other_path(&self, path: Option<&str>) -> Option<&Sight> {
        [&self.first, &self.other].into_iter().flatten().find(|sight| sight.path.as_deref() != path)
    }
}

impl Roots {
    fn see(&mut self, run: &Run) {
        let row = &run.row;
        if !row.has_root() {
            return;
        }
        if row.root_is_host {
            return keep(&mut self.own, run);
        }
        let root = (row.boot_id.clone(), row.root_dev.clone(), row.root_ino);
        let is_same = |sight: &Sight| (&sight.boot_id, &sight.root_dev, sight.root_ino) == (&root.0, &root.1, root.2);
        keep_two(&mut self.first, &mut self.other, run, is_same);
    }

    /// A sight under another root than that of a row. Of two that are not the host's own it is known only within a boot.
    pub(super) fn under_other_than(&self, row: &FileVersion) -> Option<&Sight> {
        if !row.has_root() {
            return None;
        }
        if row.root_is_host {
            return self.first.as_ref();
        }
        let is_other = |sight: &&Sight| {
            sight.boot_id == row.boot_id && (&sight.root_dev, sight.root_ino) != (&row.root_dev, row.root_ino)
        };
        self.own.as_ref().or_else(|| [&self.first, &self.other].into_iter().flatten().find(is_other))
    }
}

impl Sight {
    fn of(run: &Run) -> Self {
        let row = run.row.clone();
        Self {
            first: run.first,
            time: row.first_time,
            path: row.path,
            path_flags: row.path_flags,
            boot_id: row.boot_id,
            dev: row.dev,
            ino: row.ino,
            ino_generation: row.ino_generation,
            beneath: row.real_dev.zip(row.real_ino),
            root_dev: row.root_dev,
            root_ino: row.root_ino,
            root_is_host: row.root_is_host,
            algorithm: row.digest_algorithm,
            digest: row.digest,
            runs: row.runs,
            doubts: row.doubts,
        }
    }

    /// Whether it is the very file of a row; across boots without the device number.
    pub(super) fn is_file_of(&self, row: &FileVersion) -> bool {
        (self.ino, self.ino_generation) == (row.ino, row.ino_generation)
            && (self.boot_id != row.boot_id || self.dev == row.dev)
            && row.has_file()
    }

    /// Whether it and a row are of one content on a stacked filesystem: one lies beneath the other, or both above one. The
    /// generation of what lies beneath is not known.
    pub(super) fn is_layer_of(&self, row: &FileVersion) -> bool {
        let own = (self.dev.clone(), self.ino);
        let (of_row, beneath_row) = ((row.dev.clone(), row.ino), row.real_dev.clone().zip(row.real_ino));
        let is_beneath = beneath_row.as_ref() == Some(&own) || self.beneath.as_ref() == Some(&of_row);
        self.boot_id == row.boot_id && (is_beneath || self.beneath.is_some() && self.beneath == beneath_row)
    }

    /// Whether its path begins at the root of a row.
    pub(super) fn is_under_root_of(&self, row: &FileVersion) -> bool {
        self.root_is_host && row.root_is_host
            || (&self.boot_id, &self.root_dev, self.root_ino) == (&row.boot_id, &row.root_dev, row.root_ino)
    }

    /// Whether a run comes before it: certain ones do, then earlier ones.
    fn is_after(&self, run: &Run) -> bool {
        (run.is_doubtful(), run.first) < (!self.doubts.is_empty(), self.first)
    }
}

/// Keeps the first.
fn keep(slot: &mut Option<Sight>, run: &Run) {
    if slot.as_ref().is_none_or(|sight| sight.is_after(run)) {
        *slot = Some(Sight::of(run));
    }
}

/// Keeps the first, and the first of those that are not the same.
fn keep_two(first: &mut Option<Sight>, other: &mut Option<Sight>, run: &Run, is_same: impl Fn(&Sight) -> bool) {
    match first {
        Some(sight) if sight.is_after(run) => {
            let before = first.replace(Sight::of(run));
            if before.as_ref().is_some_and(|sight| !is_same(sight)) {
                *other = before;
            }
        }
        Some(sight) if is_same(sight) => {}
        Some(_) => keep(other, run),
        None => *first = Some(Sight::of(run)),
    }
}

fn has_flag(row: &FileVersion, name: &str) -> bool {
    row.path_flags.iter().any(|flag| flag == name)
}

/// The test for the reader: rows with one of these digests or paths.
fn wanted<'a>(digests: impl Iterator<Item = &'a String>, paths: impl Iterator<Item = &'a String>) -> Predicate {
    let (digests, paths): (Arc<Set>, Arc<Set>) =
        (Arc::new(digests.cloned().collect()), Arc::new(paths.cloned().collect()));
    let keep = move |batch: &RecordBatch| -> Result<BooleanArray> {
        let (mut of_digest, mut of_path) = (Judged::of(batch, "digest")?, Judged::of(batch, "path")?);
        let is_wanted = |row: usize| {
            of_digest.of_row(row, |digest| digests.contains(digest)).unwrap_or(false)
                || of_path.of_row(row, |path| paths.contains(path)).unwrap_or(false)
        };
        Ok(BooleanBuffer::collect_bool(batch.num_rows(), is_wanted).into())
    };
    Predicate::new(vec!["digest", "path"], keep).coded()
}
