//! Rows of versions with their place in the order of events.

use crate::recordings::{Position, Recordings};
use crate::sorter::Sortable;
use hashtrail::versions::FileVersion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A `files` row with its place in the order of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) row: FileVersion,
    pub(crate) first: Position,
    pub(crate) last: Position,
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

    /// Whether both show one version of one file, which stands or stood alike at its path.
    pub(crate) fn is_version_of(&self, other: &Self) -> bool {
        self.has_digest_of(other) && self.is_file_of(other) && self.row.path_flags == other.row.path_flags
    }

    /// Whether the digest may be another's: then the run begins no version.
    pub(crate) fn is_doubtful(&self) -> bool {
        !self.row.doubts.is_empty()
    }

    /// Whether both are known to be the same inode; across boots without the device number.
    pub(crate) fn is_file_of(&self, other: &Self) -> bool {
        let (this, that) = (&self.row, &other.row);
        (this.ino, this.ino_generation) == (that.ino, that.ino_generation)
            && (this.boot_id != that.boot_id || this.dev == that.dev)
            && this.has_file()
    }
}

/// The doubts of runs, each once.
pub(crate) fn doubts_of<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<String> {
    let doubts: BTreeSet<&String> = runs.flat_map(|run| &run.row.doubts).collect();
    doubts.into_iter().cloned().collect()
}

impl Sortable for FileVersion {
    fn bytes(&self) -> usize {
        let texts = [&self.recording_id, &self.host, &self.boot_id, &self.root_dev, &self.dev, &self.fs_type];
        let digest = [&self.digest_algorithm, &self.digest];
        let others = [&self.path, &self.real_dev, &self.image_dev].into_iter().flatten();
        let lists = self.path_flags.iter().chain(&self.doubts);
        let texts = texts.into_iter().chain(digest).chain(others).chain(lists);
        // An allocation takes some bytes more than what it holds.
        size_of::<Self>() + texts.map(|text| text.capacity() + 16).sum::<usize>()
    }
}
