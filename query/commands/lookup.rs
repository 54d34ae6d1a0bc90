//! `lookup`: where known digests were seen.

use super::history::{COLUMNS, TABLE};
use super::{Context, version_row};
use crate::archives::Archives;
use crate::arguments::digest;
use crate::arguments::digest_list::Wanted;
use crate::investigate::versions;
use crate::output::problems::note;
use crate::output::{Format, Output, Row};
use crate::versions::version::Version;
use anyhow::{Result, bail};
use clap::Args;
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
    let wanted = wanted(options, &context)?;
    let archives = Archives::open(context.scope, context.problems)?;
    let format = context.output.format;
    let columns = [&["label"][..], if format == Format::Table { &TABLE[..] } else { &COLUMNS[..] }].concat();
    let mut output = Output::new(context.output, &columns, context.writer);
    let mut seen = BTreeSet::new();
    let found = versions::lookup(&wanted, context.scope, &archives, |version| {
        if !seen.contains(&version.first().row.digest) {
            seen.insert(version.first().row.digest.clone());
        }
        output.offer(|| match_row(version, &wanted))
    })?;
    let seen = seen.len();
    let counts = [
        ("matches", found.count),
        ("digests", wanted.digests.len()),
        ("seen", seen),
        ("unusable_lines", wanted.unusable_lines),
        ("written_while_mapped", found.mapped_writes.count),
    ];
    let mut last = found.completeness.to_json(&counts);
    last.extend(found.asked_digest.fields());
    output.finish_with(&last)?;
    if format != Format::Json {
        note(&format!("{seen} of {} digest(s) were seen", wanted.digests.len()));
        found.completeness.notes().iter().for_each(|text| note(text));
    }
    Ok(found.count > 0)
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
