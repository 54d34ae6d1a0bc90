//! `verify`: whether an archive is as it was sealed.

use super::Context;
use crate::archives::archive_paths;
use crate::arguments::digest;
use crate::evidence::finding::{Finding, Severity};
use crate::evidence::ima::{ListSummary, Relation};
use crate::evidence::verify::{Anchors, Measured, Verification, verify};
use crate::output::problems::note;
use crate::output::progress::Progress;
use crate::output::{Columns, Format, Output, OutputOptions, Row, object, sort_rows};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use hashtrail::signature::VerifyingKey;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

const FINDING: [&str; 6] = ["archive", "severity", "kind", "file", "place", "detail"];
const SUMMARY: [&str; 9] =
    ["archive", "verdict", "state", "signature", "recordings", "files", "size_bytes", "events", "head"];
/// Key files and measurement lists above these sizes are refused.
const MAX_KEY_BYTES: u64 = 4096;
const MAX_LIST_BYTES: u64 = 128 << 20;

/// What nobody should read out of a good verdict.
const LIMITS: &str = "a good verdict shows that the files are as they were sealed. It does not show that the host told the \
                      truth while it was recorded, nor who sealed them unless --key or --head come from elsewhere";

/// Options of `verify`.
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

pub(crate) fn run(options: &VerifyOptions, context: Context<'_>) -> Result<bool> {
    let output = context.output;
    check_sort(output)?;
    let anchors = anchors(options)?;
    let paths = archive_paths(&context.scope.archive, context.problems)?;
    if paths.len() > 1 && anchors.head.is_some() {
        bail!("--head belongs to one archive, {} were given", paths.len());
    }
    let mut found = Vec::new();
    for path in &paths {
        let mut progress = Progress::new(&path.display().to_string());
        match verify(path, &anchors, |done, all| progress.at(done, all)) {
            Ok(one) => found.push((path.display().to_string(), one)),
            // The others have a verdict all the same.
            Err(error) => context.problems.error(&error),
        }
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
        say(&found, &anchors);
    }
    if !context.scope.host.is_empty() || context.scope.since.is_some() || context.scope.until.is_some() {
        note("a verdict is of whole archives: --host, --since and --until have no effect here");
    }
    Ok(found.iter().all(|(_, found)| found.is_good()))
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

fn anchors(options: &VerifyOptions) -> Result<Anchors> {
    let mut anchors = Anchors { head: options.head.clone(), ..Anchors::default() };
    if let Some(key) = &options.key {
        anchors.key = Some(verifying_key(key).with_context(|| format!("--key `{key}`"))?);
    }
    for path in &options.ima_log {
        anchors.measurement_lists.push((path.clone(), read(path, MAX_LIST_BYTES)?));
    }
    Ok(anchors)
}

/// The key itself, or that of the file that holds it.
fn verifying_key(key: &str) -> Result<VerifyingKey> {
    match std::fs::metadata(key) {
        Ok(_) => {
            let text = String::from_utf8(read(Path::new(key), MAX_KEY_BYTES)?).context("it is no text")?;
            VerifyingKey::parse(&text)
        }
        Err(error) => VerifyingKey::parse(key).map_err(|_| match error.kind() {
            ErrorKind::NotFound => anyhow!("there is no such file, and it is no public key in base64"),
            _ => anyhow!("the file cannot be read ({error}), and it is no public key in base64"),
        }),
    }
}

fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let named = || format!("cannot read `{}`", path.display());
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes)).with_context(named)?;
    if bytes.len() as u64 > max_bytes {
        bail!("{}: it has more than {max_bytes} bytes", named());
    }
    Ok(bytes)
}

fn finding_row(archive: &str, finding: &Finding) -> Row {
    object(json!({
        "type": "finding", "archive": archive,
        "severity": if finding.severity == Severity::Damage { "damage" } else { "notice" },
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

/// What a list is like, in words: no less than JSON has.
fn list_notes(list: &ListSummary) -> Vec<String> {
    let matched: Vec<&str> = list.matched_pcrs.iter().map(|matched| matched.bank.as_str()).collect();
    let vouched = if matched.is_empty() {
        "no TPM value to compare".to_owned()
    } else {
        format!("as PCR 10 of the TPM says ({})", matched.join(", "))
    };
    let name = &list.name;
    let mut notes = vec![format!("measurement list `{name}`: {} entries replayed, {vouched}", list.entries)];
    if let Some((stored, Relation::Continues)) = &list.related {
        notes.push(format!("measurement list `{name}`: it holds what `{stored}` holds, and goes on"));
    }
    if list.entries == 0 {
        return notes;
    }
    notes.push(match (list.begins_with_boot, list.boots) {
        (true, 1) => format!("measurement list `{name}`: it begins with its boot"),
        (true, boots) => format!("measurement list `{name}`: it begins with a boot and spans {boots}, by kexec"),
        (false, _) => format!("measurement list `{name}`: it does not begin with a boot"),
    });
    for (count, what) in [
        (list.violations, "entries of files that changed while they were measured or used"),
        (list.wrong_hashes, "entries whose hash is not that of their data"),
        (list.unknown_templates, "entries of templates that are unknown here, which say nothing of a file"),
        (list.bare_names, "entries with a bare name, without a directory, which no path is compared with"),
    ] {
        if count > 0 {
            notes.push(format!("measurement list `{name}`: {count} {what}"));
        }
    }
    notes
}

/// What the table cannot hold.
fn say(found: &[(String, Verification)], anchors: &Anchors) {
    for (archive, found) in found {
        if found.state != crate::evidence::verify::State::Sealed {
            note(&format!("`{archive}` is {}: only a stop seals an archive", found.state.name()));
        }
        found.measured.lists.iter().flat_map(list_notes).for_each(|text| note(&text));
        let agreement = &found.measured.agreement;
        if !found.measured.lists.is_empty() {
            note(&format!(
                "{} digests of the archive were also measured by the kernel, {} of them agree; {} were not measured",
                agreement.compared, agreement.agreed, agreement.not_measured
            ));
        }
    }
    if anchors.key.is_none() && anchors.head.is_none() {
        note(
            "without --key or --head nobody vouches for the manifest itself: whoever can write it can make it anew, its key and \
             signature too",
        );
    }
    note(LIMITS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_of_a_list_what_json_has() {
        let list = ListSummary {
            name: "list".into(),
            entries: 9,
            violations: 2,
            wrong_hashes: 3,
            unknown_templates: 4,
            bare_names: 5,
            ..ListSummary::default()
        };
        let notes = list_notes(&list);
        let says = |text: &str| notes.iter().any(|note| note.contains(text));
        for text in [
            "9 entries",
            "does not begin with a boot",
            "2 entries of files",
            "3 entries whose hash",
            "5 entries with a bare",
        ] {
            assert!(says(text), "`{text}`: {notes:#?}");
        }
        assert!(says("4 entries of templates that are unknown"), "{notes:#?}");
        let notes = list_notes(&ListSummary { begins_with_boot: true, boots: 2, ..list.clone() });
        assert!(notes[1].ends_with("it begins with a boot and spans 2, by kexec"), "{notes:#?}");
        assert_eq!(list_notes(&ListSummary { entries: 0, ..list }).len(), 1);
    }
}
