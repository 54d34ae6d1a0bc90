//! The command line.

use crate::arguments::{digest, inode, time};
use clap::{Args, Parser, Subcommand, ValueEnum};
use hashtrail::cell::Micros;
use std::path::PathBuf;

/// Answers from hashtrail archives: when a file's digest changed, where a digest was seen, who did what.
#[derive(Debug, Parser)]
#[command(name = "hashtrail", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: SharedOptions,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail changes --archive /mnt/evidence/web1
  hashtrail changes '/usr/bin/*' --archive '/mnt/evidence/*' --since '2 days ago' --format json
  hashtrail history /usr/bin/sudo --archive web1
  hashtrail lookup --ioc known-bad.txt --archive web1 --archive db1
  hashtrail verify --archive web1 --key case.pub --head 3b1f…
  hashtrail events --hook bprm_committed_creds --uid 33 --archive web1 --format csv

Data goes to stdout, everything else to stderr.
Exit code: 0 something was found, 1 nothing was found, 2 an error occurred.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Each change of a file's digest, and the interval in which it happened
    Changes(ChangesOptions),
    /// Every version of one file, or every place of one digest
    History(HistoryOptions),
    /// Where known digests were seen
    Lookup(LookupOptions),
    /// Recorded events, filtered
    Events(EventsOptions),
    /// What was recorded, when, and what was lost
    Info,
    /// When the recorder was blind, what was lost and what its policies suppressed
    Gaps,
    /// Whether an archive is as it was sealed
    Verify(VerifyOptions),
    /// Every column of every table: type and meaning
    Schema,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Shared options")]
pub(crate) struct SharedOptions {
    /// Archive directory or glob; repeatable. Without it, the current directory if it holds a manifest.jsonl
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) archive: Vec<PathBuf>,
    /// Only this host; repeatable
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// From this time on: RFC 3339, 2026-01-31, @epoch, yesterday, 16:20 (UTC) or 30m (ago)
    #[arg(long, global = true, value_name = "TIME", value_parser = time::parse)]
    pub(crate) since: Option<Micros>,
    /// Before this time, which must be after --since
    #[arg(long, global = true, value_name = "TIME", value_parser = time::parse)]
    pub(crate) until: Option<Micros>,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputOptions {
    /// Show at most this many rows
    #[arg(long, global = true, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Sort by this column, '-COLUMN' for descending order; rows that memory should not hold wait in TMPDIR
    #[arg(long, global = true, value_name = "COLUMN", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// How to show rows; json is one object a line
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Csv,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ChangesOptions {
    /// Paths or globs ('*' stops at '/', '**' does not); without them, all files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Also print where each file was first seen
    #[arg(long)]
    pub(crate) first_seen: bool,
}

#[derive(Debug, Default, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HistoryOptions {
    /// Path or glob
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// File by device and inode number, as in 8:1:1234
    #[arg(long, value_name = "DEV:INO", value_parser = inode::parse)]
    pub(crate) inode: Option<(String, i64)>,
    /// Every place of this digest
    #[arg(long, value_name = "HEX", value_parser = digest::parse)]
    pub(crate) digest: Option<String>,
}

#[derive(Debug, Default, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct LookupOptions {
    /// Digests in hex
    #[arg(value_name = "HEX", value_parser = digest::parse)]
    pub(crate) digests: Vec<String>,
    /// List of digests, one a line or several with commas, spaces or colons between them, also as sha256sum prints it; '-' is
    /// stdin; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) ioc: Vec<PathBuf>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct EventsOptions {
    /// LSM hook; repeatable
    #[arg(long, value_name = "HOOK")]
    pub(crate) hook: Vec<String>,
    /// Path or glob; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    /// Process; repeatable
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Vec<i64>,
    /// Real user; repeatable
    #[arg(long, value_name = "UID")]
    pub(crate) uid: Vec<i64>,
    /// Digest in hex; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse)]
    pub(crate) digest: Vec<String>,
    /// Columns to show, separated by commas; `hashtrail schema` lists them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
}

#[derive(Debug, Default, Args)]
#[command(after_help = "Exit code: 0 sealed and all of it as it was sealed, 1 otherwise, 2 an error occurred.")]
pub(crate) struct VerifyOptions {
    /// Public key that signed the manifest: the file, or the key in base64
    #[arg(long, value_name = "PUB")]
    pub(crate) key: Option<String>,
    /// Head of the manifest, as the recorder printed it at the end
    #[arg(long, value_name = "HEX", value_parser = digest::parse_head)]
    pub(crate) head: Option<String>,
    /// Measurement list of the host, binary or ASCII, besides those that the archive holds; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) ima_log: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shared_options_stand_before_or_after_the_command() {
        for line in ["hashtrail --archive a --limit 3 info", "hashtrail info --archive a --limit 3"] {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert_eq!((cli.shared.archive.len(), cli.shared.output.limit), (1, Some(3)));
        }
    }
}
