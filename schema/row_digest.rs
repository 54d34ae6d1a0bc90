//! A digest over the rows of files, whatever their order and however they are distributed: what shows that merged files hold
//! the rows of those that they replace, no more and no less.
//!
//! A row is the concatenation of its columns that are not null, each as its name and its value. Texts, binaries, and names have
//! their length before them, lists the number of their items; lengths and numbers are INT64, INT32 columns INT32, all little
//! endian; a truth value is one byte. The digest is the SHA-256 over the SHA-256 of all rows, sorted.

use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::manifest::{MAX_MERGED_ROWS, hex};
use crate::packages::PackageFile;
use crate::reader::{Prune, SealedTable, rows};
use crate::versions::FileVersion;
use anyhow::{Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;

/// The digest of rows that come one by one.
#[derive(Debug, Default)]
pub struct RowDigest {
    digests: Vec<[u8; 32]>,
    spelled: Vec<u8>,
}

impl RowDigest {
    /// Takes a row.
    pub fn add<R: Row>(&mut self, row: &R::View<'_>) {
        self.spelled.clear();
        R::spell(row, &mut self.spelled);
        self.digests.push(Sha256::digest(&self.spelled).into());
    }

    /// Number of rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.digests.len() as u64
    }

    /// The digest, lower-case hex.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.digests.sort_unstable();
        hex(&Sha256::digest(self.digests.as_flattened()))
    }

    /// The digest of all rows of a sealed file of a table, of so many rows.
    ///
    /// # Errors
    /// When the file cannot be read, or has another number of rows.
    pub fn of_file(table: &str, path: &Path, rows: u64) -> Result<String> {
        Ok(Self::of_rows(table, path, rows)?.finish())
    }

    fn of_rows(table: &str, path: &Path, rows: u64) -> Result<Self> {
        match table {
            Event::TABLE => Self::of::<Event>(path, rows),
            FileVersion::TABLE => Self::of::<FileVersion>(path, rows),
            LedgerEntry::TABLE => Self::of::<LedgerEntry>(path, rows),
            PackageFile::TABLE => Self::of::<PackageFile>(path, rows),
            _ => bail!("there is no table `{table}`"),
        }
    }

    /// Each row takes memory here, so that a file that states few and has many is refused before.
    fn of<R: Row>(path: &Path, stated_rows: u64) -> Result<Self> {
        let (mut digest, table) = (Self::default(), SealedTable::<R>::open(path)?);
        let found = table.rows();
        ensure!(found == stated_rows && found <= MAX_MERGED_ROWS, "it has {found} rows, not {stated_rows}");
        for batch in table.batches(&Prune::default(), &[], None)? {
            for row in rows::<R>(&batch?) {
                digest.add::<R>(&row?.view());
            }
        }
        Ok(digest)
    }
}

/// The rows of a file, each as often as it stands there.
#[derive(Debug, Default)]
pub struct RowSet {
    counts: HashMap<[u8; 32], u32>,
    rows_sha256: String,
}

impl RowSet {
    /// Those of a sealed file of a table, of so many rows.
    ///
    /// # Errors
    /// When the file cannot be read, or has another number of rows.
    pub fn of_file(table: &str, path: &Path, rows: u64) -> Result<Self> {
        let digests = RowDigest::of_rows(table, path, rows)?;
        let mut set = Self::default();
        for digest in &digests.digests {
            *set.counts.entry(*digest).or_default() += 1;
        }
        set.rows_sha256 = digests.finish();
        Ok(set)
    }

    /// The digest of all of them, lower-case hex.
    #[must_use]
    pub fn rows_sha256(&self) -> &str {
        &self.rows_sha256
    }

    /// Takes the rows of another file of that table, of so many rows, out, if they are all there; says whether they were.
    ///
    /// # Errors
    /// When the file cannot be read, or has another number of rows.
    pub fn take_file(&mut self, table: &str, path: &Path, rows: u64) -> Result<bool> {
        let taken = Self::of_file(table, path, rows)?;
        let count = |digest: &[u8; 32]| self.counts.get(digest).copied().unwrap_or_default();
        let is_held = taken.counts.iter().all(|(digest, taken)| count(digest) >= *taken);
        for (digest, taken) in taken.counts.iter().filter(|_| is_held) {
            self.counts.entry(*digest).and_modify(|count| *count -= taken);
        }
        Ok(is_held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(events: &[Event]) -> String {
        let mut digest = RowDigest::default();
        events.iter().for_each(|event| digest.add::<Event>(&event.view()));
        digest.finish()
    }

    fn event(seq: i64) -> Event {
        Event { seq, path: Some("/a".into()), tags: vec!["x".into()], ..Event::default() }
    }

    #[test]
    fn the_order_does_not_count_and_the_number_does() {
        assert_eq!(of(&[event(1), event(2), event(1)]), of(&[event(1), event(1), event(2)]));
        assert_ne!(of(&[event(1), event(2), event(1)]), of(&[event(1), event(2), event(2)]));
        assert_ne!(of(&[event(1), event(1)]), of(&[]));
    }

    /// Rows that differ by where a value ends, stands or is null.
    #[test]
    fn no_two_rows_are_spelled_alike() {
        let text = |text: &str| Some(text.to_owned());
        let rows = [
            Event::default(),
            event(0),
            Event { path: None, target_path: text("/a"), ..event(0) },
            Event { path: text(""), ..event(0) },
            Event { path: text("/ab"), ..event(0) },
            Event { path: None, path_bytes: Some(b"/a".to_vec()), ..event(0) },
            Event { tags: vec!["x".into(), String::new()], ..event(0) },
            Event { tags: vec![], path_flags: vec!["x".into()], ..event(0) },
            Event { argv: Some(vec!["ab".into(), "c".into()]), ..event(0) },
            Event { argv: Some(vec!["a".into(), "bc".into()]), ..event(0) },
            Event { argv: Some(vec![]), ..event(0) },
            Event { undecided: Some(false), ..event(0) },
            Event { undecided: Some(true), ..event(0) },
            Event { ino: Some(0), ..event(0) },
            Event { nlink: Some(0), ..event(0) },
            Event { cpu: 1, ..event(0) },
            Event { time: crate::cell::Micros(1), ..event(0) },
        ];
        let digests: std::collections::HashSet<String> = rows.iter().map(|row| of(std::slice::from_ref(row))).collect();
        assert_eq!(digests.len(), rows.len());
    }

    /// What old archives state must hold for every later version.
    #[test]
    fn the_spelling_stays() {
        let mut bytes = Vec::new();
        crate::ledger::LedgerEntry::spell(
            &crate::ledger::LedgerEntry { kind: "stop".into(), cpu: Some(1), ..Default::default() }.view(),
            &mut bytes,
        );
        let name = |name: &str| [&(name.len() as u64).to_le_bytes(), name.as_bytes()].concat();
        let expected = [
            [name("recording_id"), name(""), name("host"), name("")].concat(),
            [name("time"), vec![0; 8], name("boot_ns"), vec![0; 8]].concat(),
            [name("kind"), name("stop"), name("cpu"), vec![1, 0, 0, 0]].concat(),
        ];
        assert_eq!(bytes, expected.concat());
    }
}
