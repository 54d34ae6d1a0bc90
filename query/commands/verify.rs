//! `verify`: whether an archive is as it was sealed.

use super::Context;
use crate::archives::archive_paths;
use crate::cli::{Format, VerifyOptions};
use crate::finding::{Finding, Severity};
use crate::output::{Output, Row, object};
use crate::problems::note;
use crate::verify::{Anchors, Measured, Verification, verify};
use anyhow::{Context as _, Result, bail};
use hashtrail::signature::VerifyingKey;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;

const FINDING: [&str; 6] = ["archive", "severity", "kind", "file", "place", "detail"];
const SUMMARY: [&str; 9] =
    ["archive", "verdict", "state", "signature", "recordings", "files", "size_bytes", "events", "head"];
/// Key files and measurement lists above these sizes are refused.
const MAX_KEY_BYTES: u64 = 4096;
const MAX_LIST_BYTES: u64 = 128 << 20;

/// What nobody should read out of a good verdict.
const LIMITS: &str = "a good verdict shows that the files are as they were sealed. It does not show that the host told the \
                      truth while it was recorded, nor who sealed them unless --key or --head come from elsewhere";

pub(super) fn run(options: &VerifyOptions, context: Context<'_>) -> Result<bool> {
    let anchors = anchors(options)?;
    let paths = archive_paths(&context.shared.archive)?;
    if paths.len() > 1 && anchors.head.is_some() {
        bail!("--head belongs to one archive, {} were given", paths.len());
    }
    let mut found = Vec::new();
    for path in &paths {
        found.push((path.display().to_string(), verify(path, &anchors, |done, all| progress(path, done, all))?));
    }
    let shared = &context.shared.output;
    let findings =
        || found.iter().flat_map(|(archive, found)| found.findings.iter().map(|one| finding_row(archive, one)));
    let summaries = || found.iter().map(|(archive, found)| summary_row(archive, found));
    if shared.format == Format::Table {
        if findings().next().is_some() {
            Output::new(shared, &FINDING, context.writer).show(findings())?;
            writeln!(context.writer)?;
        }
        Output::new(shared, &SUMMARY, context.writer).show(summaries())?;
        say(&found, &anchors);
    } else {
        let columns = [&["type"], &FINDING[..], &SUMMARY[1..]].concat();
        Output::new(shared, &columns, context.writer).show(findings().chain(summaries()))?;
    }
    Ok(found.iter().all(|(_, found)| found.is_good()))
}

fn anchors(options: &VerifyOptions) -> Result<Anchors> {
    let mut anchors = Anchors { head: options.head.clone(), ..Anchors::default() };
    if let Some(key) = &options.key {
        // The key itself, or the file that holds it.
        let text = if Path::new(key).exists() {
            String::from_utf8(read(Path::new(key), MAX_KEY_BYTES)?).context("--key: it is no text")?
        } else {
            key.clone()
        };
        anchors.key = Some(VerifyingKey::parse(&text).with_context(|| format!("--key `{key}`"))?);
    }
    for path in &options.ima_log {
        anchors.measurement_lists.push((path.clone(), read(path, MAX_LIST_BYTES)?));
    }
    Ok(anchors)
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
    object(json!({
        "type": "summary", "archive": archive, "verdict": if found.is_good() { "good" } else { "NOT GOOD" },
        "state": found.state.name(), "signature": found.signature, "recordings": found.recordings,
        "files": found.files, "size_bytes": found.size_bytes, "events": found.events, "head": found.head,
        "measurements": measurements_json(&found.measured),
    }))
}

fn measurements_json(measured: &Measured) -> Value {
    let lists = measured.lists.iter().map(|list| {
        let aggregates =
            list.aggregates.iter().map(|((pcr, bank), value)| json!({"pcr": pcr, "bank": bank, "value": value}));
        let matched = list
            .matched_pcrs
            .iter()
            .map(|matched| json!({"pcr": matched.pcr, "bank": matched.bank, "entry": matched.entry}));
        json!({
            "name": list.name, "form": list.form, "entries": list.entries, "violations": list.violations,
            "boots": list.boots, "aggregates": aggregates.collect::<Vec<_>>(), "matched": matched.collect::<Vec<_>>(),
        })
    });
    let agreement = &measured.agreement;
    json!({
        "lists": lists.collect::<Vec<_>>(), "compared": agreement.compared, "agreed": agreement.agreed,
        "not_measured": agreement.not_measured,
    })
}

/// What the table cannot hold.
fn say(found: &[(String, Verification)], anchors: &Anchors) {
    for (archive, found) in found {
        if found.state != crate::verify::State::Sealed {
            note(&format!("`{archive}` is {}: only a stop seals an archive", found.state.name()));
        }
        for list in &found.measured.lists {
            let matched: Vec<&str> = list.matched_pcrs.iter().map(|matched| matched.bank.as_str()).collect();
            let vouched = if matched.is_empty() {
                "no TPM value to compare".to_owned()
            } else {
                format!("as PCR 10 of the TPM says ({})", matched.join(", "))
            };
            note(&format!("measurement list `{}`: {} entries replayed, {vouched}", list.name, list.entries));
        }
        let agreement = &found.measured.agreement;
        if !found.measured.lists.is_empty() {
            note(&format!(
                "{} digests of the archive were also measured by the kernel, {} of them agree; {} were not measured",
                agreement.compared, agreement.agreed, agreement.not_measured
            ));
        }
    }
    if anchors.key.is_none() && anchors.head.is_none() {
        note("without --key or --head nobody vouches for the manifest itself: whoever can write it can make it anew");
    }
    note(LIMITS);
}

/// One line on a terminal while many files are read.
fn progress(archive: &Path, done: usize, all: usize) {
    let mut error = std::io::stderr();
    if error.is_terminal() && all >= 64 && done.is_multiple_of(16) {
        // The line is only a courtesy.
        let _ = write!(
            error,
            "\r{}: {done} of {all} files\x1b[K\r",
            crate::output::escape::escape(&archive.display().to_string())
        );
    }
}
