//! Which files have had several contents: of all others no change can be told, and their rows need not be read in full.

use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int64Type;
use hashtrail::event::MOUNT_POINT;
use hashtrail::reader::Predicate;
use hashtrail::versions::FileVersion;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// What is read of each row, here and for what is noted of all rows.
pub(super) const COLUMNS: [&str; 14] = [
    "recording_id",
    "host",
    "path",
    "path_flags",
    "root_dev",
    "root_ino",
    "root_is_host",
    "digest_algorithm",
    "digest",
    "doubts",
    "first_time",
    "first_boot_ns",
    "last_time",
    "last_boot_ns",
];
/// Places that are kept apart; what comes after them is read in full.
const PLACES_MAX: usize = 1 << 20;

/// Contents by their places. Both stand as their hashes by a key that nobody knows.
#[derive(Debug, Default)]
pub(super) struct Several {
    hashes: RandomState,
    /// The first content of each place.
    first: HashMap<u64, u64>,
    /// Places with another one, or with a row that is to be told anyhow.
    several: HashSet<u64>,
}

impl Several {
    /// Takes a row.
    pub(super) fn see(&mut self, row: &FileVersion) {
        let place = self.place(row.path.as_deref(), row.root_is_host, row.root_ino);
        let content = self.hashes.hash_one((&row.digest_algorithm, &row.digest));
        let is_full = self.first.len() >= PLACES_MAX;
        let is_first = match self.first.entry(place) {
            Entry::Occupied(first) => *first.get() == content,
            Entry::Vacant(_) if is_full => return,
            Entry::Vacant(place) => {
                place.insert(content);
                true
            }
        };
        let is_told = !row.doubts.is_empty() || row.path_flags.iter().any(|flag| flag == MOUNT_POINT);
        if is_told || !is_first {
            self.several.insert(place);
        }
    }

    /// The same path of all hosts: which one a row is of, its manifest says, and not the row. The numbers of the host's own root
    /// change with a boot.
    fn place(&self, path: Option<&str>, root_is_host: bool, root_ino: i64) -> u64 {
        self.hashes.hash_one((path, (!root_is_host).then_some(root_ino)))
    }

    fn has(&self, place: u64) -> bool {
        self.several.contains(&place) || self.first.len() >= PLACES_MAX && !self.first.contains_key(&place)
    }

    /// The test for the reader: rows of places with several contents, and of some inodes.
    pub(super) fn predicate(self: Arc<Self>, inodes: HashSet<i64>) -> Predicate {
        let columns = vec!["path", "root_is_host", "root_ino", "ino", "real_ino"];
        Predicate::new(columns, move |batch| self.keep(batch, &inodes))
    }

    fn keep(&self, batch: &RecordBatch, inodes: &HashSet<i64>) -> Result<BooleanArray> {
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let number = |name: &str| batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let on_host = batch.column_by_name("root_is_host").and_then(|column| column.as_boolean_opt());
        let place = text("path").zip(on_host).zip(number("root_ino")).zip(number("ino"));
        let (((paths, on_host), roots), inos) = place.context("the columns of the place are missing")?;
        // Files of version 1 have no `real_ino`.
        let inos: Vec<_> = [Some(inos), number("real_ino")].into_iter().flatten().collect();
        let is_kept = |row: usize| {
            let path = paths.is_valid(row).then(|| paths.value(row));
            inos.iter().any(|inos| inos.is_valid(row) && inodes.contains(&inos.value(row)))
                || self.has(self.place(path, on_host.value(row), roots.value(row)))
        };
        Ok((0..batch.num_rows()).map(|row| Some(is_kept(row))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::version;

    #[test]
    fn what_a_row_says_of_its_host_keeps_no_contents_apart() {
        let mut several = Several::default();
        several.see(&version("aa", 1, 2));
        assert!(several.several.is_empty());
        several.see(&FileVersion { host: "other".into(), ..version("bb", 3, 4) });
        assert_eq!(several.several.len(), 1);
    }
}
