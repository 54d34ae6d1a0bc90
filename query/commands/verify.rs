//! `verify`: whether an archive is as it was sealed.

use super::Context;
use super::anchors::AnchorOptions;
use crate::archives::{Scope, archive_paths};
use crate::evidence::finding::{Finding, Severity};
use crate::evidence::ima::ListSummary;
use crate::evidence::verify::notes::notes;
use crate::evidence::verify::{Anchors, Measured, Verification, verify};
use crate::output::problems::{Problems, note};
use crate::output::progress::Progress;
use crate::output::{Columns, Format, Output, OutputOptions, Row, object, sort_rows};
use crate::redact::compare;
use anyhow::{Result, bail};
use clap::Args;
use hashtrail::archive::Archive;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FINDING: [&str; 6] = ["archive", "severity", "kind", "file", "place", "detail"];
const SUMMARY: [&str; 9] =
    ["archive", "verdict", "state", "signature", "recordings", "files", "size_bytes", "events", "head"];

/// Options of `verify`.
#[derive(Debug, Default, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct VerifyOptions {
    #[command(flatten)]
    pub(crate) anchors: AnchorOptions,
    /// Archive that a redacted one was made of: each row that was left in must be its
    #[arg(long, value_name = "DIR")]
    pub(crate) parent: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  hashtrail verify --archive web1
  hashtrail verify --archive web1 --key case.pub --head 3b1f…
  hashtrail verify --archive web1 --ima-log binary_runtime_measurements

Exit code: 0 sealed and all of it as it was sealed, 1 otherwise, 2 an error occurred.";

pub(crate) fn run(options: &VerifyOptions, context: Context<'_>) -> Result<bool> {
    let Scope { host, since, until, .. } = context.scope;
    if !host.is_empty() || since.is_some() || until.is_some() {
        bail!("a verdict is of whole archives: leave out --host, --since and --until");
    }
    let output = context.output;
    check_sort(output)?;
    let anchors = options.anchors.read()?;
    let mut found = verify_all(context.scope, &anchors, context.problems)?;
    if let Some(parent) = &options.parent {
        compare_with(parent, &mut found)?;
    }
    let (findings, all) = finding_rows(&found, output)?;
    let summaries =
        sorted(found.iter().map(|(archive, found)| summary_row(archive, found)).collect(), output, &SUMMARY)?;
    // What is shown is chosen already: no option may hide a verdict.
    let shown = OutputOptions { sort: None, limit: None, ..output.clone() };
    if findings.len() < all {
        note(&format!("{} of {all} findings are shown (--limit); the verdict is of all of them", findings.len()));
    }
    if shown.shows_tables() {
        if !findings.is_empty() {
            Output::new(&shown, Columns::of(&FINDING), context.writer).show(findings)?;
            writeln!(context.writer)?;
        }
        Output::new(&shown, Columns::of(&SUMMARY), context.writer).show(summaries)?;
    } else {
        let columns = Columns::of(&[&["type"], &FINDING[..], &SUMMARY[1..]].concat()).of_several_kinds();
        Output::new(&shown, columns, context.writer).show(findings.into_iter().chain(summaries))?;
    }
    if shown.format != Format::Json {
        notes(&found, &anchors).iter().for_each(|text| note(text));
    }
    Ok(found.iter().all(|(_, found)| found.is_good()))
}

/// Compares what was left in with the archive that it comes from.
fn compare_with(parent: &Path, found: &mut [(String, Verification)]) -> Result<()> {
    let [(archive, found)] = found else { bail!("--parent belongs to one archive") };
    let compared = compare(&Archive::open(Path::new(archive))?, &Archive::open(parent)?)?;
    let rows = compared.rows;
    if compared.findings.is_empty() {
        note(&format!("`{archive}`: its {rows} rows are those of `{}`, but for what was taken out", parent.display()));
    }
    found.findings.extend(compared.findings);
    Ok(())
}

/// Verifies each archive of a question.
///
/// # Errors
/// When there are none, or several for one head.
pub(super) fn verify_all(scope: &Scope, anchors: &Anchors, problems: &Problems) -> Result<Vec<(String, Verification)>> {
    let paths = archive_paths(&scope.archive, problems)?;
    if paths.len() > 1 && anchors.head.is_some() {
        bail!("--head belongs to one archive, {} were given", paths.len());
    }
    let mut found = Vec::new();
    for path in &paths {
        let mut progress = Progress::new(&path.display().to_string());
        match verify(path, anchors, |done, all| progress.at(done, all)) {
            Ok(one) => found.push((path.display().to_string(), one)),
            // The others have a verdict all the same.
            Err(error) => problems.error(&error),
        }
    }
    Ok(found)
}

/// Refuses a column that neither findings nor verdicts have, before anything is read.
fn check_sort(output: &OutputOptions) -> Result<()> {
    let Some(sort) = &output.sort else { return Ok(()) };
    let column = sort.strip_prefix('-').unwrap_or(sort);
    let columns: BTreeSet<&str> = FINDING.into_iter().chain(SUMMARY).collect();
    if !columns.contains(column) {
        bail!("cannot sort by `{column}`: the columns are {}", Vec::from_iter(columns).join(", "));
    }
    Ok(())
}

/// Rows in the order of `--sort`, where they have its column.
fn sorted(rows: Vec<Row>, output: &OutputOptions, columns: &[&str]) -> Result<Vec<Row>> {
    let sort = output.sort.as_deref().filter(|sort| columns.contains(&sort.strip_prefix('-').unwrap_or(sort)));
    match sort {
        Some(sort) => sort_rows(rows, sort),
        None => Ok(rows),
    }
}

/// The findings that are shown, and how many there are.
fn finding_rows(found: &[(String, Verification)], output: &OutputOptions) -> Result<(Vec<Row>, usize)> {
    let rows = found.iter().flat_map(|(archive, found)| found.findings.iter().map(|one| finding_row(archive, one)));
    let mut rows = sorted(rows.collect(), output, &FINDING)?;
    let all = rows.len();
    rows.truncate(output.limit.unwrap_or(usize::MAX));
    Ok((rows, all))
}

fn finding_row(archive: &str, finding: &Finding) -> Row {
    object(json!({
        "type": "finding", "archive": archive,
        "severity": finding.severity.name(),
        "kind": finding.kind, "file": finding.file, "place": finding.place, "detail": finding.detail,
    }))
}

fn summary_row(archive: &str, found: &Verification) -> Row {
    let damages = found.findings.iter().filter(|finding| finding.severity == Severity::Damage).count();
    object(json!({
        "type": "summary", "archive": archive, "verdict": if found.is_good() { "good" } else { "NOT GOOD" },
        "state": found.state.name(), "signature": found.signature, "recordings": found.recordings,
        "files": found.files, "size_bytes": found.size_bytes, "events": found.events, "head": found.head,
        "damages": damages, "notices": found.findings.len() - damages,
        "measurements": measurements_json(&found.measured),
    }))
}

fn measurements_json(measured: &Measured) -> Value {
    let lists = measured.lists.iter().map(list_json);
    let agreement = &measured.agreement;
    json!({
        "lists": lists.collect::<Vec<_>>(), "compared": agreement.compared, "agreed": agreement.agreed,
        "not_measured": agreement.not_measured,
    })
}

fn list_json(list: &ListSummary) -> Value {
    let aggregates =
        list.aggregates.iter().map(|((pcr, bank), value)| json!({"pcr": pcr, "bank": bank, "value": value}));
    let matched = list
        .matched_pcrs
        .iter()
        .map(|matched| json!({"pcr": matched.pcr, "bank": matched.bank, "entry": matched.entry}));
    json!({
        "name": list.name, "form": list.form, "bank": list.bank, "entries": list.entries, "violations": list.violations,
        "wrong_hashes": list.wrong_hashes, "unknown_templates": list.unknown_templates, "bare_names": list.bare_names,
        "boots": list.boots, "begins_with_boot": list.begins_with_boot, "is_damaged": list.is_damaged,
        "relation": list.related.as_ref().map(|(_, relation)| relation.name()),
        "related_to": list.related.as_ref().map(|(stored, _)| stored),
        "aggregates": aggregates.collect::<Vec<_>>(), "matched": matched.collect::<Vec<_>>(),
    })
}
