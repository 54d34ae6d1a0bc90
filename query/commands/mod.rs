//! The commands: options, columns and rows. Each says whether it found something.

mod acts;
mod anchors;
mod answer;
pub(crate) mod changes;
pub(crate) mod diff;
pub(crate) mod events;
pub(crate) mod export;
mod files;
pub(crate) mod gaps;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod lookup;
pub(crate) mod rare;
pub(crate) mod report;
pub(crate) mod schema;
pub(crate) mod sql;
pub(crate) mod timeline;
pub(crate) mod tree;
pub(crate) mod verify;
pub(crate) mod who;

use crate::archives::Scope;
use crate::output::problems::Problems;
use crate::output::{OutputOptions, Row, object};
use crate::versions::series::names_its_file;
use crate::versions::version::Version;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;

/// What every command works with.
pub(crate) struct Context<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) output: &'a OutputOptions,
    pub(crate) problems: &'a Problems,
    pub(crate) writer: &'a mut dyn Write,
}

/// What is to be said of hosts that recorded no digest, where others did.
fn without_digests(hosts: &BTreeSet<String>, all: &BTreeSet<String>) -> Option<String> {
    let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let is_told = !hosts.is_empty() && hosts != all;
    is_told.then(|| format!("not complete: no digest was recorded in this time on {}", names.join(", ")))
}

/// One version of one file, as `history` and `lookup` show it.
fn version_row(row_type: &str, version: &Version) -> Row {
    let first = &version.first().row;
    let last = &version.latest().row;
    let of_first = |column: Value| if first.has_file() { column } else { Value::Null };
    let of_last = |column: Value| if last.has_file() { column } else { Value::Null };
    let root = |column: Value| if first.has_root() { column } else { Value::Null };
    object(json!({
        "type": row_type, "host": first.host, "path": first.path, "path_flags": first.path_flags,
        "in_series": names_its_file(first),
        "root_dev": first.told_root_dev(), "root_ino": root(json!(first.root_ino)),
        "root_is_host": root(json!(first.root_is_host)),
        "algorithm": first.digest_algorithm, "digest": first.digest, "doubts": version.doubts(),
        "dev": of_last(json!(last.dev)), "ino": of_last(json!(last.ino)),
        "ino_generation": of_last(json!(last.ino_generation)), "fs_type": of_last(json!(last.fs_type)),
        "first_seen": version.first_seen().rfc3339(), "last_seen": version.last_seen().rfc3339(),
        "observations": version.observations(), "runs": version.exec_runs(), "attempts": version.exec_attempts(),
        "size_bytes": of_first(json!(first.size_bytes)), "mtime": of_first(json!(first.mtime.rfc3339())),
        "ctime": of_first(json!(first.ctime.rfc3339())), "mode": of_first(json!(first.mode)),
        "owner_uid": of_first(json!(first.owner_uid)), "owner_gid": of_first(json!(first.owner_gid)),
    }))
}
