//! `import`: logs of other programs as an archive.

use super::Context;
use crate::archives::Scope;
use crate::arguments::time;
use crate::import::{self, Given, Imported, Input, Source, Survey};
use crate::output::problems::note;
use crate::output::{Columns, Output, Row, object};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use hashtrail::archive::{Archive, check_host_label, open_own};
use hashtrail::cell::Micros;
use hashtrail::manifest::Manifest;
use hashtrail::signature::SigningKey;
use rustix::fs::{FlockOperation, flock};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const COLUMNS: [&str; 10] =
    ["file", "source", "host", "recording_id", "records", "rows", "skipped", "unusable", "from", "to"];
const MAX_KEY_BYTES: u64 = 64 << 10;

const EXAMPLES: &str = "\
Examples:
  hashtrail import tetragon.log.gz --archive web1-tetragon
  hashtrail import audit.log.2 audit.log.1 audit.log --host web1 --archive web1-audit
  hashtrail import ascii_runtime_measurements --host web1 --taken-at 2026-01-31T12:00:00Z --archive web1-ima
  hashtrail import osqueryd.results.log --from osquery --archive web1-osquery
  hashtrail changes --archive web1-tetragon";

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportOptions {
    /// Log, packed with gzip or not; several become a recording each
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The program that wrote them; without it, what they begin with tells
    #[arg(long, value_name = "SOURCE", value_parser = import::parser())]
    from: Option<Source>,
    /// When a measurement list was read, because it has no times
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    taken_at: Option<Micros>,
    /// Sign the manifest with this secret key; `hashtrail-recorder keygen` makes one
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

pub(crate) fn run(options: &ImportOptions, context: Context<'_>) -> Result<bool> {
    let directory = check_scope(context.scope)?;
    let key = options.sign_key.as_deref().map(read_key).transpose()?;
    let mut logs = Vec::new();
    for path in &options.files {
        let named = || format!("cannot import `{}`", path.display());
        logs.push(survey(path, options, &context.scope.host).with_context(named)?);
    }
    // What is read together later is ordered by recordings.
    logs.sort_by_key(|log| log.survey.span(&log.host).map_or(0, |span| span.first_ns));
    let archive = Archive::create(directory)?;
    let _lock = lock(&archive)?;
    let mut manifest = Manifest::open(&archive, key)?;
    if let Some(torn) = manifest.torn().map(<[u8]>::len) {
        manifest.append(&[("cut", json!({ "torn_bytes": torn }))])?;
    }
    import::write(&archive, &mut manifest, &logs)?;
    logs.iter().for_each(tell);
    note(&format!("the head of the manifest is {}", manifest.head()));
    Output::new(context.output, Columns::of(&COLUMNS), context.writer).show(logs.iter().map(row))?;
    Ok(true)
}

/// The directory that is written to. Options that choose among rows make no sense here.
fn check_scope(scope: &Scope) -> Result<&Path> {
    if scope.since.is_some() || scope.until.is_some() {
        bail!("a log is imported whole: --since and --until are for questions about the archive");
    }
    match &scope.archive[..] {
        [directory] => Ok(directory),
        [] => bail!("--archive says which directory the archive is, or is to be"),
        _ => bail!("what is imported goes into one archive: give --archive once"),
    }
}

/// Reads a log once, so that nothing is written of one that cannot be imported.
fn survey(path: &Path, options: &ImportOptions, asked: &[String]) -> Result<Imported> {
    let input = Input::open(path)?;
    let source = options.from.map_or_else(|| import::recognised(&input), Ok)?;
    if options.taken_at.is_some() && !source.is_undated {
        bail!("--taken-at is for measurement lists: records of {} have times of their own", source.name);
    }
    let given = Given { taken_at: options.taken_at };
    let survey = Survey::of(&input, &source, &given)?;
    let unusable: Vec<String> =
        survey.named.iter().map(|named| format!("{}:{}: {}", path.display(), named.place, named.reason)).collect();
    let host = survey.host(asked).inspect_err(|_| unusable.iter().for_each(|text| note(text)))?;
    check_host_label(&host.label)?;
    unusable.iter().for_each(|text| note(text));
    let more = survey.unusable.saturating_sub(unusable.len() as u64);
    if more > 0 {
        note(&format!("{}: {more} more records cannot be used", path.display()));
    }
    ensure!(survey.span(&host).is_some(), "none of its {} records can be used", survey.records);
    Ok(Imported { input, source, given, survey, host, is_host_given: !asked.is_empty() })
}

/// What a row of an import is not.
fn tell(log: &Imported) {
    let name = log.input.path.display();
    let words = log.source.cannot_know.join(", ");
    note(&format!(
        "`{name}`: records of {} cannot tell {words} (docs/import.md), so no answer from them is complete",
        log.source.name
    ));
    for (why, count) in &log.survey.skipped {
        note(&format!("`{name}`: {count} record(s) make no row: {why}"));
    }
    let elsewhere = log.survey.elsewhere(&log.host);
    if elsewhere > 0 {
        note(&format!("`{name}`: {elsewhere} record(s) that do not name the host `{}` are left out", log.host.name));
    }
}

fn row(log: &Imported) -> Row {
    let span = log.survey.span(&log.host);
    let time = |ns: i64| Micros(ns / 1000).rfc3339();
    let skipped = log.survey.skipped.values().sum::<u64>() + log.survey.elsewhere(&log.host);
    object(json!({
        "type": "import", "file": log.input.path.display().to_string(), "source": log.source.name, "host": log.host.label,
        "recording_id": log.recording_id(), "sha256": log.input.content.sha256, "records": log.survey.records,
        "rows": span.map(|span| span.rows), "skipped": skipped, "unusable": log.survey.unusable,
        "from": span.map(|span| time(span.first_ns)), "to": span.map(|span| time(span.last_ns)),
    }))
}

/// Nobody else may write to the archive meanwhile; a recorder takes the same lock.
pub(super) fn lock(archive: &Archive) -> Result<File> {
    let path = archive.journal().join("lock");
    let file = open_own(&path, OpenOptions::new().create(true).append(true).mode(0o600))
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .with_context(|| format!("another program writes to `{}`", archive.root().display()))?;
    Ok(file)
}

pub(super) fn read_key(path: &Path) -> Result<SigningKey> {
    let named = || format!("--sign-key `{}`", path.display());
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text)).with_context(named)?;
    SigningKey::parse(&text).with_context(named)
}
