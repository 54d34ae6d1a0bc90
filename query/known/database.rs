//! SQLite databases with columns of digests: NSRL's RDSv3, whose table `FILE` (`METADATA` in its first releases) has `sha256`,
//! `sha1` and `md5` in hex.
//!
//! What is asked is only whether a table has a value; views and virtual tables of the database, which could run anything, are
//! not asked at all. A column with an index is asked digest by digest, the others are read past once.

use super::list::List;
use super::recorded::Recorded;
use anyhow::{Result, bail};
use hashtrail::digest::Digest;
use hashtrail::digest_list::algorithm_of;
use hashtrail::sqlite::{self, Bounds};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::collections::BTreeSet;
use std::path::Path;

const BOUNDS: Bounds = Bounds { heap_bytes: 64 << 20, value_bytes: 1 << 20 };
/// A row with a digest takes at least so much of the file; a damaged tree may lead round in circles.
const ROW_BYTES: u64 = 4;

/// Asks a database for all that was recorded.
///
/// # Errors
/// When it cannot be read, or has no table of digests.
pub(super) fn ask(path: &Path, bit: u64, recorded: &mut Recorded) -> Result<List> {
    let database = open(path)?;
    let tables = Table::all(&database)?;
    if tables.is_empty() {
        bail!("none of its tables has a column of digests, as `sha256`, `sha1` or `md5`");
    }
    let rows_max = std::fs::metadata(path)?.len() / ROW_BYTES;
    let mut lacking = BTreeSet::new();
    for table in &tables {
        table.ask(&database, bit, rows_max, recorded, &mut lacking)?;
    }
    let algorithms: BTreeSet<String> =
        tables.iter().flat_map(|table| &table.columns).map(|column| column.algorithm.clone()).collect();
    let is_whole = |name: &&String| !lacking.contains(*name) && tables.iter().all(|table| table.has(name));
    Ok(List { whole: algorithms.iter().filter(is_whole).cloned().collect(), algorithms, ..List::default() })
}

/// The columns of digests that are asked by an index.
#[cfg(test)]
pub(super) fn indexed(path: &Path) -> Result<Vec<String>> {
    let tables = Table::all(&open(path)?)?;
    let columns = tables.into_iter().flat_map(|table| table.columns);
    Ok(columns.filter(|column| column.is_indexed).map(|column| column.name).collect())
}

/// Opens a database so that nothing is written, beside it neither.
fn open(path: &Path) -> Result<Connection> {
    if let Some(beside) = sqlite::waiting(path) {
        bail!("`{}` has changes that are not in it yet: open and close it with `sqlite3` first", beside.display());
    }
    sqlite::open(path, BOUNDS)
}

/// A table with columns of digests.
struct Table {
    name: String,
    columns: Vec<Column>,
}

/// A column of digests.
struct Column {
    name: String,
    algorithm: String,
    /// Whether a value of it is found without reading all.
    is_indexed: bool,
}

impl Table {
    fn all(database: &Connection) -> Result<Vec<Self>> {
        // Views and virtual tables have no root.
        let mut names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut tables = Vec::new();
        for name in names {
            let columns = Column::all(database, &name)?;
            if !columns.is_empty() {
                tables.push(Self { name, columns });
            }
        }
        Ok(tables)
    }

    fn has(&self, algorithm: &str) -> bool {
        self.columns.iter().any(|column| column.algorithm == algorithm)
    }

    /// Asks for all that was recorded; notes the algorithms that not each of its rows has a digest of.
    fn ask(
        &self,
        database: &Connection,
        bit: u64,
        rows_max: u64,
        recorded: &mut Recorded,
        lacking: &mut BTreeSet<String>,
    ) -> Result<()> {
        for column in &self.columns {
            if recorded.of_mut(&column.algorithm).is_none() {
                continue;
            }
            let is_lacking = match column.is_indexed {
                true => self.look_up(column, database, bit, recorded)?,
                false => self.read_past(column, database, bit, rows_max, recorded)?,
            };
            if is_lacking {
                lacking.insert(column.algorithm.clone());
            }
        }
        Ok(())
    }

    /// Asks an index for each digest; says whether a row has none.
    fn look_up(&self, column: &Column, database: &Connection, bit: u64, recorded: &mut Recorded) -> Result<bool> {
        let (table, name) = (quoted(&self.name), quoted(&column.name));
        let mut lookup = database.prepare(&format!("SELECT 1 FROM {table} WHERE {name} IN (?1, ?2) LIMIT 1"))?;
        for (digest, bits) in recorded.of_mut(&column.algorithm).into_iter().flatten() {
            let hex = digest.to_string();
            *bits |= if lookup.exists([hex.to_uppercase(), hex])? { bit } else { 0 };
        }
        let lacking = format!("SELECT 1 FROM {table} WHERE {name} IS NULL OR {name} = '' LIMIT 1");
        let mut is_lacking = database.prepare(&lacking)?.exists([])?;
        // Numbers sort before texts and blobs behind them: where both ends are digests, all between them are texts.
        for order in ["ASC", "DESC"] {
            let end = format!("SELECT {name} FROM {table} WHERE {name} IS NOT NULL ORDER BY {name} {order} LIMIT 1");
            let mut end = database.prepare(&end)?;
            let mut rows = end.query([])?;
            is_lacking |= rows.next()?.map(digest_in).transpose()?.is_some_and(|digest| digest.is_none());
        }
        Ok(is_lacking)
    }

    /// Reads all values of a column; says whether a row has no digest.
    fn read_past(
        &self,
        column: &Column,
        database: &Connection,
        bit: u64,
        rows_max: u64,
        recorded: &mut Recorded,
    ) -> Result<bool> {
        let mut select = database.prepare(&format!("SELECT {} FROM {}", quoted(&column.name), quoted(&self.name)))?;
        let mut rows = select.query([])?;
        let Some(digests) = recorded.of_mut(&column.algorithm) else { return Ok(false) };
        let (mut count, mut is_lacking) = (0, false);
        while let Some(row) = rows.next()? {
            count += 1;
            if count > rows_max {
                bail!("`{}` has more rows than fit into the file: it is damaged", self.name);
            }
            let digest = digest_in(row)?;
            is_lacking |= digest.is_none();
            if let Some(bits) = digest.and_then(|digest| digests.get_mut(&digest)) {
                *bits |= bit;
            }
        }
        Ok(is_lacking)
    }
}

/// The digest in hex that is a row's only value.
fn digest_in(row: &Row<'_>) -> Result<Option<Digest>> {
    Ok(match row.get_ref(0)? {
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(Digest::from_hex),
        _ => None,
    })
}

impl Column {
    fn all(database: &Connection, table: &str) -> Result<Vec<Self>> {
        let mut names = database.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let names: Vec<String> = names.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut columns = Vec::new();
        for name in names {
            if let Some(algorithm) = algorithm_of(&name) {
                columns.push(Self { is_indexed: is_indexed(database, table, &name)?, algorithm, name });
            }
        }
        Ok(columns)
    }
}

/// Whether an index over all rows begins with a column, in the order of its bytes.
fn is_indexed(database: &Connection, table: &str, column: &str) -> Result<bool> {
    let indexes = "SELECT 1 FROM pragma_index_list(?1) AS list, pragma_index_xinfo(list.name) AS info
        WHERE list.partial = 0 AND info.seqno = 0 AND info.name = ?2 AND info.coll = 'BINARY'";
    Ok(database.prepare(indexes)?.exists([table, column])?)
}

/// A name as SQL takes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
