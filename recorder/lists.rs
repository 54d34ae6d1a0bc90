//! Lists of digests that a recording compares its rows with (`record --ioc`), each read once, at the start.

use crate::host::say::{say, say_error};
use anyhow::{Context, Error, Result};
use hashtrail::digest::Digest;
use hashtrail::digest_list::{self, Faults, Wanted};
use hashtrail::manifest::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    all: Vec<List>,
}

/// One list.
#[derive(Debug)]
struct List {
    name: String,
    /// Of the file as it was read.
    sha256: String,
    wanted: Wanted,
    /// How many digests there are of each kind: counted at the start, as the rings do not wait.
    counts: Vec<usize>,
}

/// A list that has a digest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit<'a> {
    pub(crate) list: &'a str,
    pub(crate) sha256: &'a str,
    /// The names that the list gives it.
    pub(crate) labels: Vec<String>,
}

impl Lists {
    /// Reads lists; what of them cannot be used is said.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self> {
        let all = paths.iter().map(|path| List::read(path)).collect::<Result<_>>()?;
        Ok(Self { all })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All digests of an algorithm, each once.
    pub(crate) fn of_algorithm(&self, algorithm: &str) -> Vec<Vec<u8>> {
        let mut digests = BTreeSet::new();
        for list in &self.all {
            list.each(|digest, algorithms| {
                if algorithms.contains(algorithm) {
                    digests.insert(digest.bytes().to_vec());
                }
            });
        }
        digests.into_iter().collect()
    }

    /// The lists that have a digest of this algorithm, by its plain name.
    pub(crate) fn find(&self, algorithm: &str, digest: &[u8]) -> Vec<Hit<'_>> {
        let Some(digest) = Digest::from_bytes(digest) else { return Vec::new() };
        let having = self.all.iter().filter(|list| list.wanted.has(algorithm, &digest));
        // Names wait in a temporary file; that it cannot be read hides no digest.
        let hit = |list: &'_ List| list.wanted.labels(&digest.to_string()).unwrap_or_default();
        having.map(|list| Hit { list: &list.name, sha256: &list.sha256, labels: hit(list) }).collect()
    }

    /// What cannot be found among digests of an algorithm, in words: digests of others that have none of it beside them.
    pub(crate) fn not_comparable(&self, algorithm: &str) -> Vec<String> {
        let text = |list: &List| {
            let (mut count, mut others) = (0, BTreeSet::new());
            for (kind, number) in list.kinds() {
                if kind.algorithm != algorithm && !kind.beside.contains(algorithm) {
                    count += number;
                    others.insert(kind.algorithm.clone());
                }
            }
            let others: Vec<String> = others.into_iter().collect();
            (count > 0).then(|| {
                format!(
                    "`{}`: {count} digest(s) of {} cannot be compared with those of {algorithm}",
                    list.name,
                    others.join(", ")
                )
            })
        };
        self.all.iter().filter_map(text).collect()
    }

    /// As the manifest has them.
    pub(crate) fn to_json(&self) -> Value {
        let of_list = |list: &List| {
            let mut algorithms = BTreeMap::new();
            for (kind, number) in list.kinds() {
                *algorithms.entry(kind.algorithm.clone()).or_insert(0) += number;
            }
            json!({
                "list": list.name, "sha256": list.sha256, "digests": list.wanted.len(), "algorithms": algorithms,
                "unusable_lines": list.wanted.unusable_lines,
            })
        };
        self.all.iter().map(of_list).collect()
    }
}

impl List {
    fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot open the list `{name}`"))?;
        let mut file = Hashed { inner: file, hash: Sha256::new() };
        let mut lists = digest_list::Lists::default();
        lists.read_from(&name, &mut file, &Said);
        // A packed list may end before its file does.
        io::copy(&mut file, &mut io::sink()).with_context(|| format!("cannot read the list `{name}`"))?;
        let wanted = lists.finish();
        for left_out in &wanted.left_out {
            say!(
                "note: {}: not compared, as it is no digest of a file: {} ({})",
                left_out.list,
                left_out.kind,
                left_out.count
            );
        }
        let counts = counts(&wanted);
        Ok(Self { name, sha256: hex(&file.hash.finalize()), wanted, counts })
    }

    /// Hands on each digest with the algorithms that it may be of.
    fn each(&self, mut each: impl FnMut(&Digest, &BTreeSet<&str>)) {
        let kinds = self.wanted.kinds();
        self.wanted.each(|digest, places| {
            let algorithms = places.map(|place| kinds[place].algorithm.as_str()).collect();
            each(digest, &algorithms);
        });
    }

    /// Each kind with how many digests there are of it.
    fn kinds(&self) -> impl Iterator<Item = (&digest_list::Kind, usize)> {
        self.wanted.kinds().iter().zip(self.counts.iter().copied())
    }
}

fn counts(wanted: &Wanted) -> Vec<usize> {
    let mut counts = vec![0; wanted.kinds().len()];
    wanted.each(|_, places| {
        let mut of_digest: Vec<usize> = places.collect();
        of_digest.sort_unstable();
        of_digest.dedup();
        of_digest.into_iter().for_each(|place| counts[place] += 1);
    });
    counts
}

/// Says what of a list cannot be used.
struct Said;

impl Faults for Said {
    fn tell(&self, error: &Error) {
        say_error("warning: ", error);
    }
}

/// What is read, with its digest.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn lists_are_found_by_algorithm_and_digest() {
        let directory = tempfile::tempdir().expect("a directory");
        let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
        fs::write(&first, format!("{}  implant\nmd5:{}\n", "ab".repeat(32), "cd".repeat(16))).expect("a list");
        fs::write(&second, format!("sm3:{}\n{},{}\n", "ab".repeat(32), "ef".repeat(16), "12".repeat(32)))
            .expect("a list");
        let lists = Lists::read(&[first.clone(), second]).expect("lists");
        let hits = lists.find("sha256", &[0xab; 32]);
        let sha256 = hex(&Sha256::digest(fs::read(&first).expect("a list")));
        assert_eq!(hits, [Hit { list: &first.display().to_string(), sha256: &sha256, labels: vec!["implant".into()] }]);
        assert_eq!(lists.find("sm3", &[0xab; 32]).len(), 1, "of the other list");
        assert!(lists.find("sha256", &[0xcd; 32]).is_empty() && lists.find("sha256", &[1]).is_empty());
        assert_eq!(lists.of_algorithm("sha256"), [vec![0x12; 32], vec![0xab; 32]]);
        let told = lists.not_comparable("sha256");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with("first`: 1 digest(s) of md5 cannot be compared with those of sha256"), "{told:?}");
        assert!(told[1].contains("1 digest(s) of sm3 cannot"), "the MD5 has a SHA-256 beside it: {told:?}");
        assert_eq!(lists.to_json()[0]["algorithms"], json!({"md5": 1, "sha256": 1}));
        assert!(Lists::read(&[directory.path().join("none")]).is_err());
    }
}
