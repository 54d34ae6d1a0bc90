//! `lookup`: where known digests were seen.

use super::history::{COLUMNS, TABLE, all_versions, is_within};
use super::{Context, version_row};
use crate::algorithms::AskedDigest;
use crate::archives::{Archives, Scan};
use crate::cli::{Format, LookupOptions};
use crate::digest_list::Wanted;
use crate::filter::RowFilter;
use crate::mapped::MappedWrites;
use crate::output::Output;
use crate::problems::note;
use crate::recordings::Recordings;
use crate::series::Version;
use crate::summary::Summary;
use crate::suppressed::Answer;
use anyhow::{Result, bail};
use hashtrail::reader::Prune;
use hashtrail::versions::FileVersion;
use std::collections::BTreeSet;

pub(super) fn run(options: &LookupOptions, context: Context<'_>) -> Result<bool> {
    let shared = context.shared;
    let wanted = wanted(options, &context)?;
    let archives = Archives::open(shared, context.problems)?;
    let asked_digest = AskedDigest::check_listed(&wanted, &archives, shared)?;
    let rows: Vec<FileVersion> = archives.rows(&scan(&wanted))?;
    let recordings = Recordings::load(&archives, &rows)?;
    let mapped_writes = MappedWrites::find(&archives, shared, &rows, |_| true)?;
    let versions = all_versions(rows, &recordings, None);
    let columns =
        [&["label"][..], if shared.output.format == Format::Table { &TABLE[..] } else { &COLUMNS[..] }].concat();
    let mut output = Output::new(&shared.output, &columns, context.writer);
    let found: Vec<&Version> = versions.iter().filter(|version| is_within(version, shared)).collect();
    for version in &found {
        let mut row = version_row("match", version);
        let labels =
            wanted.digests.get(&version.first().row.digest).map(|listed| &listed.labels[..]).unwrap_or_default();
        row.insert("label".into(), (!labels.is_empty()).then(|| labels.join("; ")).into());
        row.insert("labels".into(), labels.into());
        if output.row(row)?.is_break() {
            break;
        }
    }
    let seen = found.iter().map(|version| &version.first().row.digest).collect::<BTreeSet<_>>().len();
    let summary = Summary {
        unsealed: archives.unsealed(),
        without_digests: asked_digest.is_without(),
        doubtful_contents: asked_digest.doubtful(),
        undigested: asked_digest.undigested(),
        written_while_mapped: mapped_writes.count,
        ..Summary::of(&recordings, Answer::Versions, shared, context.problems)
    };
    let counts = [
        ("matches", found.len()),
        ("digests", wanted.digests.len()),
        ("seen", seen),
        ("unusable_lines", wanted.unusable_lines),
        ("written_while_mapped", mapped_writes.count),
    ];
    let mut last = summary.to_json(&counts);
    last.extend(asked_digest.fields());
    output.finish_with(&last)?;
    if shared.output.format != Format::Json {
        note(&format!("{seen} of {} digest(s) were seen", wanted.digests.len()));
        summary.notes().iter().for_each(|text| note(text));
    }
    Ok(!found.is_empty())
}

/// What the command line and its lists ask for.
fn wanted(options: &LookupOptions, context: &Context<'_>) -> Result<Wanted> {
    let mut wanted = Wanted::default();
    options.digests.iter().for_each(|digest| wanted.add(digest));
    for path in &options.ioc {
        wanted.read(path, context.problems)?;
    }
    if wanted.unusable_lines > 0 && context.shared.output.format != Format::Json {
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
