//! Headers in a database of SQLite: a blob for each row of the table `Packages`.

use crate::packages::problems::Problems;
use anyhow::{Context, Result, ensure};
use hashtrail::sqlite::{Bounds, open};
use rusqlite::Connection;
use std::path::Path;

#[derive(Debug)]
pub(super) struct Headers {
    database: Connection,
}

impl Headers {
    pub(super) fn open(path: &Path, max_header_bytes: u32) -> Result<Self> {
        // A header is in memory three times while it is read: in its pages, as a row and as a value.
        let bounds =
            Bounds { heap_bytes: 3 * i64::from(max_header_bytes), value_bytes: i32::try_from(max_header_bytes)? };
        let database = open(path, bounds)?;
        // Views and virtual tables, which could run anything, have no root.
        let is_table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'Packages' AND rootpage > 0";
        ensure!(database.prepare(is_table)?.exists([])?, "it has no table `Packages`");
        Ok(Self { database })
    }

    /// The numbers of headers, as far as they can be read.
    pub(super) fn numbers(&self, most: usize, problems: &mut Problems) -> Result<Vec<i64>> {
        let mut statement = self.database.prepare("SELECT hnum FROM Packages LIMIT ?1")?;
        let mut rows = statement.query([i64::try_from(most)?])?;
        let mut numbers = Vec::new();
        loop {
            match rows.next().and_then(|row| row.map(|row| row.get(0)).transpose()) {
                Ok(Some(number)) => numbers.push(number),
                Ok(None) => return Ok(numbers),
                Err(error) => {
                    problems.push(format!("rpm's database is damaged behind {} packages: {error}", numbers.len()));
                    return Ok(numbers);
                }
            }
        }
    }

    pub(super) fn read(&self, number: i64) -> Result<Vec<u8>> {
        let mut statement = self.database.prepare("SELECT blob FROM Packages WHERE hnum = ?1")?;
        let mut rows = statement.query([number])?;
        let row = rows.next()?.context("it is gone")?;
        Ok(row.get_ref(0)?.as_blob()?.to_vec())
    }
}
