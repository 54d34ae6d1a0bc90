//! The commands. Each says whether it found something.

mod changes;
mod events;
mod gaps;
mod history;
mod info;
mod lookup;
mod schema;
mod verify;

use crate::cli::{Cli, Command, SharedOptions};
use crate::output::{Row, object};
use crate::problems::Problems;
use crate::series::{Version, names_its_file};
use anyhow::{Result, bail};
use serde_json::json;
use std::io::Write;

/// What every command works with.
pub(crate) struct Context<'a> {
    pub(crate) shared: &'a SharedOptions,
    pub(crate) problems: &'a Problems,
    pub(crate) writer: &'a mut dyn Write,
}

/// Runs the command of the command line.
pub(crate) fn run(cli: &Cli, problems: &Problems, writer: &mut dyn Write) -> Result<bool> {
    if let (Some(since), Some(until)) = (cli.shared.since, cli.shared.until)
        && until <= since
    {
        bail!("--until {} is not after --since {}: between them lies no time", until.rfc3339(), since.rfc3339());
    }
    let context = Context { shared: &cli.shared, problems, writer };
    match &cli.command {
        Command::Changes(options) => changes::run(options, context),
        Command::History(options) => history::run(options, context),
        Command::Lookup(options) => lookup::run(options, context),
        Command::Events(options) => events::run(options, context),
        Command::Info => info::run(context),
        Command::Gaps => gaps::run(context),
        Command::Verify(options) => verify::run(options, context),
        Command::Schema => schema::run(context),
    }
}

/// One version of one file, as `history` and `lookup` show it.
fn version_row(row_type: &str, version: &Version) -> Row {
    let first = &version.first().row;
    let last = &version.latest().row;
    object(json!({
        "type": row_type, "host": first.host, "path": first.path, "path_flags": first.path_flags,
        "in_series": names_its_file(first),
        "root_dev": first.root_dev, "root_ino": first.root_ino, "root_is_host": first.root_is_host,
        "algorithm": first.digest_algorithm, "digest": first.digest, "doubts": version.doubts(),
        "dev": last.dev, "ino": last.ino, "ino_generation": last.ino_generation, "fs_type": last.fs_type,
        "first_seen": version.first_seen().rfc3339(), "last_seen": version.last_seen().rfc3339(),
        "observations": version.observations(), "runs": version.exec_runs(), "attempts": version.exec_attempts(),
        "size_bytes": first.size_bytes, "mtime": first.mtime.rfc3339(), "ctime": first.ctime.rfc3339(),
        "mode": first.mode, "owner_uid": first.owner_uid, "owner_gid": first.owner_gid,
    }))
}

#[cfg(test)]
mod tests;
