//! `history`: every version of one file, or every place of one digest.

use super::answer::Tail;
use super::files::PackageOptions;
use super::{Context, version_row};
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, whole_digests};
use crate::arguments::{digest, inode};
use crate::investigate::versions::{HistoryQuestion, history};
use crate::known::{Known, KnownOptions};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output};
use crate::versions::version::Version;
use anyhow::Result;
use clap::{ArgGroup, Args};

/// What table and csv show.
pub(super) const COLUMNS: [&str; 16] = [
    "host",
    "path",
    "path_flags",
    "algorithm",
    "digest",
    "first_seen",
    "last_seen",
    "observations",
    "runs",
    "attempts",
    "dev",
    "ino",
    "size_bytes",
    "mode",
    "owner_uid",
    "doubts",
];
/// A terminal is narrower.
pub(super) const TABLE: [&str; 12] = [
    "host",
    "path",
    "digest",
    "first_seen",
    "last_seen",
    "observations",
    "runs",
    "ino",
    "size_bytes",
    "mode",
    "owner_uid",
    "doubts",
];

/// Options of `history`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("asked").required(true).args(["path", "inode", "digest"]))]
pub(crate) struct HistoryOptions {
    /// Path or glob
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// File by device and inode number, as in 8:1:1234
    #[arg(long, value_name = "DEV:INO", value_parser = inode::parse)]
    pub(crate) inode: Option<(String, i64)>,
    /// Every place of this digest, or of the one that begins so
    #[arg(long, value_name = "HEX", value_parser = digest::parse_beginning)]
    pub(crate) digest: Option<String>,
    #[command(flatten)]
    pub(crate) packages: PackageOptions,
    #[command(flatten)]
    pub(crate) known: KnownOptions,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail history /usr/bin/sudo --archive web1
  hashtrail history --inode 8:1:1234 --archive web1
  hashtrail history --digest 4365e2cc78ac --archive '/mnt/evidence/*'
  hashtrail history '/usr/**' --package openssl --archive web1";

pub(crate) fn run(options: &HistoryOptions, context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(options.path.as_slice())?;
    paths.notes().for_each(|text| note(&text));
    let (paths, owned) = options.packages.narrow(paths, &archives, context.scope)?;
    let inode = options.inode.clone();
    let digest = whole_digests(&archives, options.digest.as_slice())?.pop();
    let question = HistoryQuestion { scope: context.scope, paths, inode, digest };
    let format = context.output.format;
    let known = Known::find(&options.known, &archives)?;
    let columns = Columns::new(&TABLE, &COLUMNS).and(known.columns());
    let mut output = Output::new(context.output, columns, context.writer);
    let row = |version: &Version| known.marked(version_row("version", version), format);
    let found = history(&question, &archives, |version| output.offer(|| row(version)))?;
    if format == Format::Json {
        for row in found.mapped_writes.rows() {
            if output.row(row)?.is_break() {
                break;
            }
        }
    }
    let counts = [
        ("versions", found.count),
        ("without_digest", found.completeness.without_digest),
        ("written_while_mapped", found.mapped_writes.count),
    ];
    Tail::new(&found.completeness, &counts)
        .told(known.fields(), known.notes())
        .told(found.observed.fields(), found.observed.notes())
        .fields(found.asked_digest.fields())
        .notes(found.mapped_writes.notes())
        .told(owned.fields(), owned.notes())
        .complete_only_if(owned.is_whole())
        .notes(found.completeness.notes())
        .show(output, format)?;
    Ok(found.count > 0 || found.mapped_writes.count > 0)
}
