//! `changes`: each change of a file's digest, and the interval in which it happened.

use super::Context;
use super::acts::ActorOptions;
use super::answer::Tail;
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, whole_digests};
use crate::arguments::digest;
use crate::caveats::asked_digest::AskedDigest;
use crate::investigate::changes::{self, ChangesQuestion, FoundChanges};
use crate::investigate::verdicts::{self, Verdict};
use crate::investigate::wanted::Wanted;
use crate::known::{Known, KnownOptions};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output};
use crate::suspects::Suspect;
use crate::suspects::attribution::Attribution;
use anyhow::Result;
use clap::Args;
use clap::builder::PossibleValuesParser;
use hashtrail::packages::PackageFile;
use serde_json::Value;
use std::collections::HashSet;

const TABLE: [&str; 10] = [
    "path",
    "host",
    "kind",
    "from.digest",
    "to.digest",
    "changed_after",
    "changed_before",
    "complete",
    "verdicts",
    "suspects",
];
const CSV: [&str; 26] = [
    "path",
    "host",
    "root_dev",
    "root_ino",
    "kind",
    "from.algorithm",
    "from.digest",
    "from.ino",
    "from.last_seen",
    "from.runs",
    "to.algorithm",
    "to.digest",
    "to.ino",
    "to.first_seen",
    "to.runs",
    "changed_after",
    "changed_before",
    "package.package",
    "package.says",
    "package_unknown",
    "complete",
    "attribution",
    "suspects",
    "gaps",
    "doubts",
    "verdicts",
];
/// Where the package manager was looked at.
const PACKAGE: &str = "package.says";

/// Options of `changes`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ChangesOptions {
    /// Paths or globs ('*' stops at '/', '**' does not); without them, all files
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Also print where each file was first seen
    #[arg(long)]
    pub(crate) first_seen: bool,
    /// Only changes with this verdict, whether it is a claim or a doubt; repeated, with any of them
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(verdicts::words()))]
    pub(crate) verdict: Vec<String>,
    #[command(flatten)]
    pub(crate) known: KnownOptions,
    #[command(flatten)]
    pub(crate) narrow: ChangeFilters,
}

/// Which changes are wanted. Of each option one value must be met.
#[derive(Debug, Default, Args)]
pub(crate) struct ChangeFilters {
    /// Only changes from or to this digest, or the one that begins so; repeatable
    #[arg(long, value_name = "HEX", value_parser = digest::parse_beginning)]
    digest: Vec<String>,
    /// Only changes of files of this package; repeated, of any of them
    #[arg(long, value_name = "NAME")]
    package: Vec<String>,
    #[command(flatten)]
    actor: ActorOptions,
}

impl ChangeFilters {
    /// What they ask for, with these verdicts, and what is to be told of the digests.
    ///
    /// # Errors
    /// When a digest or a glob is none, or a scan cannot be made.
    pub(super) fn wanted(&self, verdicts: &[String], archives: &Archives<'_>) -> Result<Wanted> {
        Ok(Wanted {
            verdicts: verdicts.to_vec(),
            digests: whole_digests(archives, &self.digest)?,
            packages: self.package.clone(),
            acts: self.actor.filter()?,
        })
    }
}

const EXAMPLES: &str = "\
Examples:
  hashtrail changes '/usr/bin/*' --archive web1 --since '2 days ago'
  hashtrail changes --archive '/mnt/evidence/*' --verdict not_the_packages_digest --format json
  hashtrail changes --archive web1 --package openssl
  hashtrail changes --archive web1 --uid 33

Options about acts (--pid, --process-start, --uid, --container, --exe, --hook, …) leave changes that such an act can have made. A
change of which nobody is known, or not everybody, is counted, and the answer is not complete then.";

pub(crate) fn run(options: &ChangesOptions, context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    let paths = PathPatterns::new(&options.paths)?;
    paths.notes().for_each(|text| note(&text));
    let format = context.output.format;
    let wanted = options.narrow.wanted(&options.verdict, &archives)?;
    let asked_digest = AskedDigest::check(&wanted.digests, &archives, context.scope)?;
    // Which of them are wanted is known only of those that were looked into.
    let most = context.output.limit.filter(|_| context.output.sort.is_none() && wanted.is_empty());
    let first_seen = options.first_seen;
    let question = ChangesQuestion { scope: context.scope, paths, first_seen, most, wanted: &wanted, verdicts: true };
    let has_packages = archives.list.iter().any(|archive| !archives.files::<PackageFile>(archive, None).is_empty());
    let known = Known::find(&options.known, &archives)?;
    let marks: &[&str] = if known.is_asked() { &["from.known", "to.known"] } else { &[] };
    let table = [&TABLE[..], if has_packages { &[PACKAGE] } else { &[] }].concat();
    let mut output = Output::new(context.output, Columns::new(&table, &CSV).and(marks), context.writer);
    let found = changes::find(&question, &archives, &mut |one| {
        let mut row = one.to_row();
        for side in ["from", "to"] {
            if let Some(Value::Object(version)) = row.get_mut(side) {
                *version = known.marked(std::mem::take(version), format);
            }
        }
        if format != Format::Json {
            row.insert("verdicts".into(), verdicts_cell(one.verdicts.as_deref().unwrap_or_default(), format));
        }
        if format == Format::Table {
            row.insert("suspects".into(), suspects_cell(&one.suspects.list, one.attribution));
        }
        output.row(row)
    })?;
    if format == Format::Json {
        for row in found.mapped_writes.rows().chain(found.mounted.rows()) {
            if output.row(row)?.is_break() {
                break;
            }
        }
    }
    tail(&found, &asked_digest, &known).show(output, format)?;
    let is_found = if wanted.is_empty() { found.count > 0 } else { found.narrowed.count > 0 };
    Ok(is_found || found.mapped_writes.count + found.mounted.len() > 0)
}

/// What the rows do not show.
fn tail(found: &FoundChanges, asked_digest: &AskedDigest, known: &Known) -> Tail {
    const OTHER: &str =
        "algorithm_changed: digests of different algorithms cannot be compared, so the content may be the same";
    let other_algorithms = found.has_other_algorithms.then(|| OTHER.to_owned());
    Tail::of_changes(found)
        .told(known.fields(), known.notes())
        .fields(asked_digest.comparison())
        .complete_only_if(!asked_digest.is_without())
        .notes(other_algorithms)
}

/// The words of the verdicts, doubts with a question mark: all of them, also in a table.
fn verdicts_cell(verdicts: &[Verdict], format: Format) -> Value {
    let words: Vec<String> = verdicts.iter().map(Verdict::short).collect();
    if format == Format::Table && !words.is_empty() { words.join(", ").into() } else { words.into() }
}

/// Those who can have changed the content, each act of a process once; where there are none, what that means.
fn suspects_cell(suspects: &[Suspect], attribution: Option<Attribution>) -> Value {
    if attribution != Some(Attribution::Suspects) {
        return attribution.map(Attribution::name).into();
    }
    let mut texts: Vec<String> =
        suspects.iter().filter(|suspect| suspect.changes_content()).map(Suspect::text).collect();
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts.into()
}
