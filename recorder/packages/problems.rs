//! What of a package manager's database could not be read: all is counted, and the first of it told.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// How many are told.
const TOLD: usize = 8;
/// How much of each: names in it are strangers'.
const TOLD_BYTES: usize = 300;

/// The problems of one snapshot.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub(super) told: Vec<String>,
    pub(super) count: u64,
}

impl Problems {
    pub(super) fn push(&mut self, problem: String) {
        self.count += 1;
        if self.told.len() < TOLD && !self.told.contains(&problem) {
            self.told.push(problem.chars().take(TOLD_BYTES).collect());
        }
    }

    /// Takes those of a part.
    pub(super) fn extend(&mut self, part: Self) {
        let told = part.told.len() as u64;
        part.told.into_iter().for_each(|problem| self.push(problem));
        self.count += part.count - told;
    }

    /// Whether there is nothing at a path.
    pub(super) fn is_missing(&self, path: &Path) -> bool {
        matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
    }
}
