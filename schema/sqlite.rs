//! SQLite databases of others, opened so that nothing is written, beside them neither, and with bounds: they may come from
//! anybody.

use anyhow::{Context, Result};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// What every SQLite database begins with.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// What the reading of a database may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Memory of SQLite in this process.
    pub heap_bytes: i64,
    /// The longest value, or row.
    pub value_bytes: i32,
}

/// A file beside a database with changes that are not in it yet: they are not read.
pub fn waiting(path: &Path) -> Option<PathBuf> {
    let beside = ["-wal", "-journal"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    beside.into_iter().find(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0))
}

/// Opens a database as one that nobody changes.
///
/// # Errors
/// When it cannot be opened, or its path is no UTF-8.
pub fn open(path: &Path, bounds: Bounds) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let database = Connection::open_with_flags(address(path)?, flags)?;
    // See SQLite's page on untrusted databases.
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, bounds.value_bytes)?;
    database.pragma_update(None, "cell_size_check", true)?;
    database.pragma_update(None, "mmap_size", 0)?;
    database.pragma_update(None, "temp_store", "FILE")?;
    database.query_row(&format!("PRAGMA hard_heap_limit = {}", bounds.heap_bytes), [], |_| Ok(()))?;
    Ok(database)
}

/// The file as an address that says that nobody changes it.
fn address(path: &Path) -> Result<String> {
    let path = std::path::absolute(path)?;
    let path = path.to_str().context("its path is no UTF-8: give it another name")?.replace('\\', "/");
    let mut address = if path.starts_with('/') { "file:".to_owned() } else { "file:/".to_owned() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02x}"));
        }
    }
    Ok(address + "?immutable=1")
}
