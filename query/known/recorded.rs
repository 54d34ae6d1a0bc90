//! The distinct digests of archives, each with the lists that have it.

use crate::archives::{Archives, Scan};
use anyhow::{Context, Result, bail};
use arrow::array::AsArray;
use hashtrail::digest::{Digest, plain_name};
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// Digests that are held, of about 100 bytes each.
const DIGESTS_MAX: usize = 8 << 20;
/// Lists of a question: each has a bit.
pub(super) const LISTS_MAX: usize = 64;

/// Digests of one algorithm, each with a bit for every list that has it.
pub(super) type Digests = HashMap<Digest, u64>;

/// All of them, by the plain names of their algorithms.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    algorithms: BTreeMap<String, Digests>,
}

impl Recorded {
    /// Those of the archives.
    ///
    /// # Errors
    /// When a scan cannot be made, or there are too many.
    pub(super) fn read(archives: &Archives<'_>) -> Result<Self> {
        let scan = Scan { columns: vec!["digest_algorithm", "digest"], ..Scan::default() };
        let mut recorded = Self::default();
        archives.scan::<FileVersion>(&scan, |batch| {
            let text = |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let columns = text("digest_algorithm").zip(text("digest"));
            let (algorithms, digests) = columns.context("the columns of the digest are missing")?;
            for row in 0..batch.num_rows() {
                recorded.add(algorithms.value(row), digests.value(row));
            }
            if recorded.len() > DIGESTS_MAX {
                bail!(
                    "there are more than {DIGESTS_MAX} digests to look for in --known-good: ask fewer archives at once"
                );
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(recorded)
    }

    pub(super) fn add(&mut self, algorithm: &str, digest: &str) {
        if let Some(digest) = Digest::from_hex(digest) {
            self.algorithms.entry(plain_name(algorithm)).or_default().entry(digest).or_default();
        }
    }

    fn len(&self) -> usize {
        self.algorithms.values().map(Digests::len).sum()
    }

    /// Each algorithm with its digests.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = (&str, &Digests)> {
        self.algorithms.iter().map(|(name, digests)| (name.as_str(), digests))
    }

    /// Those of an algorithm by its plain name.
    pub(super) fn of_mut(&mut self, algorithm: &str) -> Option<&mut Digests> {
        self.algorithms.get_mut(algorithm)
    }

    /// Whether one of any algorithm is like this.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.algorithms.values().any(|digests| digests.contains_key(digest))
    }

    /// A bit for each list that has a digest; `None` where it was not looked for.
    pub(super) fn lists_with(&self, algorithm: &str, digest: &str) -> Option<u64> {
        self.algorithms.get(&plain_name(algorithm))?.get(&Digest::from_hex(digest)?).copied()
    }
}
