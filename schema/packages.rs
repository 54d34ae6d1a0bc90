//! The `packages` table: which files the host's package manager says it owns, and what the recorder found when it read them.
//!
//! What a database says is a claim of the host. Only `digest`, and with it the attributes of the file, come from the recorder's
//! own look. SHA-256 of a file and what is compared with the stated digest are taken from one reading of the same bytes, so where
//! the status is `ok`, `digest` names the content that the database means, whatever an attacker can do to MD5 by then. A stated
//! SHA-256 names that content by itself, whether the file was read or not.
//!
//! The first snapshot of a recording has a row for each file of each package. A later one has those of packages whose entry in
//! the database changed since, and a row without a path for each package that is gone (`removed`).

use crate::cell::Micros;
use crate::columns::table;
use serde::{Deserialize, Serialize};

table! {
    /// One file of one package, at one snapshot.
    PackageFile, PackageFileView, PackageFileChunks in "packages" {
        recording_id: String, Dictionary, "Random UUID of one start of the recorder";
        host: String, Dictionary, "Node name at start, or --host; also the partition";
        snapshot: i32, Dictionary, "Number of the snapshot in its recording, from 0";
        time: Micros, Dictionary, "When the snapshot began, UTC";
        boot_ns: i64, Dictionary, "When the snapshot began, nanoseconds since boot";
        manager: String, Dictionary, "Whose database it is: dpkg or rpm";
        package: String, LookUp, "Name of the package, as the database has it";
        version: Option<String>, Dictionary, "Its version, as the database has it; of rpm with epoch and release: 1:3.0.7-27.el9";
        architecture: Option<String>, Dictionary, "Its architecture, as the database has it";
        state: Option<String>, Dictionary, "Its state, as dpkg has it: installed, config-files, unpacked, half-installed, …; rpm has none";
        path: Option<String>, Dictionary, "Path of the file, as the database has it; null where the package has none, or is gone";
        real_path: Option<String>, LookUp, "The same as events show it: after a diversion, with links among its directories followed; null where that cannot be told";
        is_configuration: bool, Dictionary, "Whether the database has it as a configuration file, which its administrator may change";
        stated_algorithm: Option<String>, Dictionary, "Algorithm of the digest that the database states: md5 of dpkg, of rpm mostly sha256";
        stated_digest: Option<String>, Dictionary, "Digest that the database states, lower-case hex";
        status: String, Dictionary, "What the recorder found: ok (the bytes that it read have the stated digest), differs (they have not), missing, link, other_type (no regular file), no_digest (the database states none), budget (the time for reading was over), stopped (the recording ended before), too_large, remote (on a filesystem whose server may never answer), changed (written while it was read), busy (the package manager was at work), unreadable, bad_path, not_installed (the database says that it was left out), replaced (the database says that a file of another package has its place); of a whole package: no_files, removed";
        digest_algorithm: Option<String>, Dictionary, "Algorithm of digest";
        digest: Option<String>, LookUp, "Digest of the bytes that were read, lower-case hex; only with ok and differs";
        dev: Option<String>, Dictionary, "Device of the file's filesystem, where it is a regular file with a stated digest";
        ino: Option<i64>, Dictionary, "Inode number, where it is a regular file with a stated digest";
        size_bytes: Option<i64>, Dictionary, "Bytes that were read";
        mtime: Option<Micros>, Dictionary, "Modification time, where it was read";
    }
}

/// The status of a file whose bytes have the digest that the database states.
pub const OK: &str = "ok";
/// The status of a file whose bytes have another digest.
pub const DIFFERS: &str = "differs";
/// The status of a package that is gone.
pub const REMOVED: &str = "removed";
/// The status of a file that was left out when its package was installed.
pub const NOT_INSTALLED: &str = "not_installed";
/// The status of a file whose place a file of another package has.
pub const REPLACED: &str = "replaced";
/// The kind of ledger entries about snapshots.
pub const LEDGER_KIND: &str = "packages";

impl PackageFile {
    /// Whether its package has the file at its path, as the database says.
    pub fn is_owned(&self) -> bool {
        ![REMOVED, NOT_INSTALLED, REPLACED].contains(&self.status.as_str())
    }

    /// SHA-256 of the content that the database means, where that is known.
    pub fn package_digest(&self) -> Option<&str> {
        let stated = self.stated_digest.as_deref().filter(|_| self.stated_algorithm.as_deref() == Some("sha256"));
        stated.or_else(|| self.digest.as_deref().filter(|_| self.status == OK))
    }
}

/// What a ledger entry says of a snapshot that has rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number in the recording.
    pub snapshot: i32,
    /// Whether it has all packages, and not only those that changed since the one before.
    pub full: bool,
    /// Whether the database was the same at its begin and its end, and nobody was at work on it.
    pub settled: bool,
    /// Whose databases were read.
    #[serde(default)]
    pub managers: Vec<String>,
    /// Packages of which it has rows.
    pub packages: u64,
    /// Rows by their status.
    pub statuses: std::collections::BTreeMap<String, u64>,
    /// Bytes that were read.
    pub read_bytes: u64,
    /// What of the database could not be read, the first of it; such a snapshot does not know every file.
    pub problems: Vec<String>,
    /// How many of these there were.
    pub problem_count: u64,
    /// Databases that stand on the host and are not read.
    pub not_covered: Vec<String>,
}
