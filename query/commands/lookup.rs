//! `lookup`: where known digests were seen.

use super::answer::Tail;
use super::files::PackageOptions;
use super::history::{COLUMNS, TABLE};
use super::{Context, version_row};
use crate::archives::patterns::PathPatterns;
use crate::archives::{Archives, whole_digests};
use crate::arguments::digest;
use crate::investigate::versions;
use crate::known::{Known, KnownOptions};
use crate::output::problems::note;
use crate::output::{Columns, Format, Output, Row};
use crate::versions::version::Version;
use anyhow::{Result, bail};
use clap::{ArgGroup, Args};
use hashtrail::digest_list::{LeftOut, Lists, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Options of `lookup`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("asked").required(true).multiple(true).args(["digests", "ioc"]))]
pub(crate) struct LookupOptions {
    /// Digests in hex, or their beginnings as tables show them
    #[arg(value_name = "HEX", value_parser = digest::parse_beginning)]
    pub(crate) digests: Vec<String>,
    /// List of digests as it is published: plain, as sha256sum prints it, CSV with a header, MISP's CSV and JSON, STIX 2.1;
    /// also in gzip or zip, and in UTF-16; '-' is stdin; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) ioc: Vec<PathBuf>,
    /// Only at these paths or globs; repeatable
    #[arg(long, value_name = "GLOB")]
    pub(crate) path: Vec<String>,
    #[command(flatten)]
    pub(crate) packages: PackageOptions,
    #[command(flatten)]
    pub(crate) known: KnownOptions,
}

const EXAMPLES: &str = "\
Examples:
  hashtrail lookup --ioc known-bad.csv --archive '/mnt/evidence/*'
  hashtrail lookup --ioc hashes.txt --known-good rds.db --archive web1 --format csv
  hashtrail lookup 4365e2cc78ac --path '/usr/**' --archive web1";

pub(crate) fn run(options: &LookupOptions, context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    let wanted = wanted(options, &archives, &context)?;
    let paths = PathPatterns::new(&options.path)?;
    paths.notes().for_each(|text| note(&text));
    let (paths, owned) = options.packages.narrow(paths, &archives, context.scope)?;
    let format = context.output.format;
    let known = Known::find(&options.known, &archives)?;
    let labelled = |columns: &[&'static str]| [&["label"], known.columns(), columns].concat();
    let columns = Columns::new(&labelled(&TABLE), &labelled(&COLUMNS));
    let mut output = Output::new(context.output, columns, context.writer);
    let mut seen = BTreeSet::new();
    let found = versions::lookup(&wanted, &paths, context.scope, &archives, |version| {
        if !seen.contains(&version.first().row.digest) {
            seen.insert(version.first().row.digest.clone());
        }
        let labels = wanted.labels(&version.first().row.digest)?;
        output.offer(|| known.marked(match_row(version, &labels), format))
    })?;
    let seen = seen.len();
    let counts = [
        ("matches", found.count),
        ("digests", wanted.len()),
        ("seen", seen),
        ("unusable_lines", wanted.unusable_lines),
        ("written_while_mapped", found.mapped_writes.count),
    ];
    let left_out = wanted.left_out.iter().map(left_out).collect();
    let never_observed = found.observed.fields().remove_entry("never_observed");
    Tail::new(&found.completeness, &counts)
        .notes([format!("{seen} of {} digest(s) were seen", wanted.len())])
        .fields(found.asked_digest.fields())
        .told(known.fields(), known.notes())
        .fields([("left_out".to_owned(), left_out)].into_iter().collect())
        .told(never_observed.into_iter().collect(), found.observed.notes())
        .told(owned.fields(), owned.notes())
        .complete_only_if(owned.is_whole())
        .notes(found.completeness.notes())
        .show(output, format)?;
    Ok(found.count > 0)
}

fn match_row(version: &Version, labels: &[String]) -> Row {
    let mut row = version_row("match", version);
    row.insert("label".into(), (!labels.is_empty()).then(|| labels.join("; ")).into());
    row.insert("labels".into(), labels.into());
    row
}

fn left_out(left_out: &LeftOut) -> Value {
    let LeftOut { list, kind, count, lines } = left_out;
    json!({"list": list, "kind": kind, "count": count, "lines": lines})
}

/// What the command line and its lists ask for.
fn wanted(options: &LookupOptions, archives: &Archives<'_>, context: &Context<'_>) -> Result<Wanted> {
    let mut lists = Lists::default();
    whole_digests(archives, &options.digests)?.iter().try_for_each(|digest| lists.add(digest))?;
    options.ioc.iter().try_for_each(|path| lists.read(path, context.problems))?;
    let wanted = lists.finish();
    if context.output.format != Format::Json {
        if wanted.unusable_lines > 0 {
            note(&format!("{} line(s) of lists could not be used, wholly or in part", wanted.unusable_lines));
        }
        for LeftOut { list, kind, count, lines } in &wanted.left_out {
            let lines = lines.char_indices().nth(60).map_or(lines.clone(), |(end, _)| format!("{}…", &lines[..end]));
            note(&format!("{list}: not looked for, as it is no digest of a file: {kind} ({count}, line(s) {lines})"));
        }
    }
    if wanted.is_empty() {
        bail!("there is no digest to look for");
    }
    Ok(wanted)
}
