//! The `packages` table: which files the host's package manager says it owns, and what the recorder found when it read them.
//!
//! What a database says is a claim of the host. Only `digest`, and with it the attributes of the file, come from the recorder's
//! own look. MD5 and SHA-256 of a file are taken from one reading of the same bytes, so where the status is `ok`, `digest`
//! names the content that the database means, whatever an attacker can do to MD5 by then.
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
        manager: String, Dictionary, "Whose database it is: dpkg";
        package: String, LookUp, "Name of the package, as the database has it";
        version: Option<String>, Dictionary, "Its version, as the database has it";
        architecture: Option<String>, Dictionary, "Its architecture, as the database has it";
        state: Option<String>, Dictionary, "Its state, as the database has it: installed, config-files, unpacked, half-installed, …";
        path: Option<String>, Dictionary, "Path of the file, as the database has it; null where the package has none, or is gone";
        real_path: Option<String>, LookUp, "The same as events show it: after a diversion, with links among its directories followed; null where that cannot be told";
        is_configuration: bool, Dictionary, "Whether the database has it as a configuration file, which its administrator may change";
        stated_algorithm: Option<String>, Dictionary, "Algorithm of the digest that the database states: md5";
        stated_digest: Option<String>, Dictionary, "Digest that the database states, lower-case hex";
        status: String, Dictionary, "What the recorder found: ok (the bytes that it read have the stated digest), differs (they have not), missing, link, other_type (no regular file), no_digest (the database states none), budget (the time for reading was over), stopped (the recording ended before), too_large, remote (on a filesystem whose server may never answer), changed (written while it was read), busy (the package manager was at work), unreadable, bad_path; of a whole package: no_files, removed";
        digest_algorithm: Option<String>, Dictionary, "Algorithm of digest";
        digest: Option<String>, LookUp, "Digest of the bytes that were read, lower-case hex; only with ok and differs";
        dev: Option<String>, Dictionary, "Device of the file's filesystem, where it was read";
        ino: Option<i64>, Dictionary, "Inode number, where it was read";
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
/// The kind of ledger entries about snapshots.
pub const LEDGER_KIND: &str = "packages";

/// What a ledger entry says of a snapshot that has rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number in the recording.
    pub snapshot: i32,
    /// Whether it has all packages, and not only those that changed since the one before.
    pub full: bool,
    /// Whether the database was the same at its begin and its end, and nobody was at work on it.
    pub settled: bool,
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
