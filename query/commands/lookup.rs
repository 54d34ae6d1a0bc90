//! `lookup`: where known digests were seen.

use super::history::{COLUMNS, TABLE, each_version, is_within};
use super::{Context, version_row};
use crate::archives::filter::{PathPatterns, RowFilter};
use crate::archives::{Archives, Scan};
use crate::arguments::digest;
use crate::arguments::digest_list::Wanted;
use crate::caveats::asked_digest::AskedDigest;
use crate::caveats::mapped::MappedWrites;
use crate::investigate::rows::Rows;
use crate::output::problems::note;
use crate::output::{Format, Output, Row};
use crate::recordings::Recordings;
use crate::recordings::completeness::Completeness;
use crate::recordings::suppressed::Answer;
use crate::versions::version::Version;
use anyhow::{Result, bail};
use clap::Args;
use hashtrail::reader::Prune;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Options of `lookup`.
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

pub(crate) fn run(options: &LookupOptions, context: Context<'_>) -> Result<bool> {
    let scope = context.scope;
    let wanted = wanted(options, &context)?;
    let archives = Archives::open(scope, context.problems)?;
    let asked_digest = AskedDigest::check_listed(&wanted, &archives, scope)?;
    let rows = Rows::read(&archives, scope, &PathPatterns::default(), &scan(&wanted), |_| true)?;
    let recordings = Recordings::load_for_versions(&archives, &rows.spans)?;
    let mapped_writes = MappedWrites::find(&archives, scope, &rows.mapped, |_| true)?;
    let columns =
        [&["label"][..], if context.output.format == Format::Table { &TABLE[..] } else { &COLUMNS[..] }].concat();
    let mut output = Output::new(context.output, &columns, context.writer);
    let (mut found, mut seen) = (0, BTreeSet::new());
    each_version(rows.sorter, &recordings, None, |version| {
        if !is_within(&version, scope) {
            return Ok(());
        }
        found += 1;
        if !seen.contains(&version.first().row.digest) {
            seen.insert(version.first().row.digest.clone());
        }
        output.offer(|| match_row(&version, &wanted))
    })?;
    let seen = seen.len();
    let summary = Completeness {
        unsealed: archives.unsealed(),
        without_digests: asked_digest.is_without(),
        doubtful_contents: asked_digest.doubtful(),
        undigested: asked_digest.undigested(),
        written_while_mapped: mapped_writes.count,
        ..Completeness::of(&recordings, Answer::Versions, scope, context.problems)
    };
    let counts = [
        ("matches", found),
        ("digests", wanted.digests.len()),
        ("seen", seen),
        ("unusable_lines", wanted.unusable_lines),
        ("written_while_mapped", mapped_writes.count),
    ];
    let mut last = summary.to_json(&counts);
    last.extend(asked_digest.fields());
    output.finish_with(&last)?;
    if context.output.format != Format::Json {
        note(&format!("{seen} of {} digest(s) were seen", wanted.digests.len()));
        summary.notes().iter().for_each(|text| note(text));
    }
    Ok(found > 0)
}

fn match_row(version: &Version, wanted: &Wanted) -> Row {
    let mut row = version_row("match", version);
    let labels = wanted.digests.get(&version.first().row.digest).map(|listed| &listed.labels[..]).unwrap_or_default();
    row.insert("label".into(), (!labels.is_empty()).then(|| labels.join("; ")).into());
    row.insert("labels".into(), labels.into());
    row
}

/// What the command line and its lists ask for.
fn wanted(options: &LookupOptions, context: &Context<'_>) -> Result<Wanted> {
    let mut wanted = Wanted::default();
    options.digests.iter().for_each(|digest| wanted.add(digest));
    for path in &options.ioc {
        wanted.read(path, context.problems)?;
    }
    if wanted.unusable_lines > 0 && context.output.format != Format::Json {
        note(&format!("{} line(s) of lists could not be used, wholly or in part", wanted.unusable_lines));
    }
    if wanted.digests.is_empty() {
        bail!("there is no digest to look for");
    }
    Ok(wanted)
}

fn scan(wanted: &Wanted) -> Scan {
    let digests = || wanted.digests.keys().cloned();
    let prune = Prune { digests: digests().collect(), ..Prune::default() };
    let filter = RowFilter { digests: digests().collect(), ..RowFilter::default() };
    Scan { prune, predicates: filter.predicates(), ..Scan::default() }
}
