//! The archive without what was taken out: the same files with the same rows, and lines that name those of the parent.

use super::names;
use super::rows::{Redact, each, sorted_by};
use super::taken::{Redaction, Taken};
use anyhow::{Context, Result, bail, ensure};
use hashtrail::archive::Archive;
use hashtrail::cell::Micros;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{self, Line, Manifest, Parsed, SealedFile, Standing, hex};
use hashtrail::packages::PackageFile;
use hashtrail::seal::{SegmentName, TwinFile, seal};
use hashtrail::versions::{FileVersion, VersionContext};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The cause of the gap over all of it.
const CAUSE: &str = "redacted";
/// What a line has that only its own manifest gives it.
pub(super) const OF_MANIFEST: [&str; 4] = ["prev", "kind", "manifest_version", "crc32c"];

/// What was written.
pub(crate) struct Written {
    pub(crate) recordings: usize,
    pub(crate) files: usize,
    pub(crate) rows: u64,
    /// Pieces of measurement lists, which are left out: they name files, and no part of one can be taken out unseen.
    pub(crate) left_out: usize,
    pub(crate) parent_head: String,
}

/// Writes it.
///
/// # Errors
/// When a file of the parent cannot be read, or one of the archive cannot be written: then the recording has no end.
pub(crate) fn write(parent: &Archive, by: &Redaction, archive: &Archive, manifest: &mut Manifest) -> Result<Written> {
    let Parsed { lines, damages } = manifest::parse(&manifest::read(&parent.manifest())?);
    ensure!(
        damages.is_empty(),
        "the manifest of `{}` is damaged: `hashtrail verify` says more",
        parent.root().display()
    );
    let standing = Standing::in_tree(parent, &lines);
    let files = standing.files();
    let taken = names::taken(by, parent, &files)?;
    let mut written = Written {
        recordings: 0,
        files: 0,
        rows: 0,
        left_out: lines.iter().filter(|line| line.kind() == "ima").count(),
        parent_head: lines.last().map(|line| line.digest.clone()).unwrap_or_default(),
    };
    let by_path: HashMap<String, &Line> = lines.iter().filter_map(|line| Some((line.text("path")?, line))).collect();
    for start in lines.iter().filter(|line| line.kind() == "start") {
        let id = start.text("recording_id").context("a recording of the parent has no id")?;
        manifest.append(&[("start", start_of(start, &taken, manifest.public_key(), &written))])?;
        let of_recording: Vec<&&SealedFile> = files.iter().filter(|file| file.recording_id == id).collect();
        let mut last = Last::default();
        for file in &of_recording {
            let line = by_path.get(&*file.path.to_string_lossy()).context("a file of the parent has no line")?;
            let parent_of = json!({"line": line.digest, "sha256": file.content.sha256});
            twin(parent, file, &taken, archive, manifest, parent_of, &mut last)?;
            (written.files, written.rows) = (written.files + 1, written.rows + file.rows);
        }
        let segment = of_recording.iter().map(|file| file.segment).max().map_or(0, |last| last.saturating_add(1));
        note_gap(&id, start, segment, &last, by, archive, manifest)?;
        let is_end = |line: &&Line| {
            ["stop", "recovered"].contains(&line.kind()) && line.text("recording_id").as_ref() == Some(&id)
        };
        if let Some(end) = lines.iter().find(is_end) {
            let kind = if end.kind() == "stop" { "stop" } else { "recovered" };
            manifest.append(&[(kind, line_of(end, &taken).into())])?;
        }
        written.recordings += 1;
    }
    manifest.take_fault().map_or(Ok(written), |fault| bail!("{fault}"))
}

/// The last moment of a recording.
#[derive(Default)]
struct Last {
    boot_ns: i64,
    time: Micros,
    host: String,
}

impl Last {
    fn see(&mut self, host: &str, time: Micros, boot_ns: i64) {
        if self.host.is_empty() || boot_ns > self.boot_ns {
            (self.boot_ns, self.time) = (boot_ns, time);
        }
        host.clone_into(&mut self.host);
    }
}

/// A line of the parent without what was taken out.
fn line_of(line: &Line, taken: &Taken) -> Map<String, Value> {
    let mut fields = line.fields();
    OF_MANIFEST.iter().for_each(|name| drop(fields.shift_remove(*name)));
    let mut value = Value::Object(fields);
    taken.scrub(&mut value);
    value["parent_line"] = line.digest.clone().into();
    value.as_object().cloned().unwrap_or_default()
}

/// The line that begins a recording: it says that something was taken out, of what kind, and from which archive.
fn start_of(line: &Line, taken: &Taken, public_key: Option<String>, written: &Written) -> Value {
    let mut fields = line_of(line, taken);
    let (whole, scrubbed): (Vec<Value>, Vec<Value>) = policies(&fields).into_iter().partition(is_whole);
    let left_out: Vec<Value> = scrubbed.iter().map(|policy| json!({"sha256": policy["sha256"]})).collect();
    fields.insert("policies".into(), whole.into());
    let signed_by = fields.insert("public_key".into(), public_key.into());
    // The parent may be one from which something was taken out: what was said of that stays true.
    let before = fields.shift_remove(CAUSE).unwrap_or_default();
    let earlier = |name: &str| before[name].as_array().cloned().unwrap_or_default();
    let mut kinds: Vec<Value> = taken.by.kinds().into_iter().map(Value::from).collect();
    kinds.extend(earlier("kinds").into_iter().filter(|kind| !taken.by.kinds().iter().any(|one| kind == one)));
    let policies_left_out = [earlier("policies_left_out"), left_out].concat();
    let lists = written.left_out as u64 + before["measurement_lists_left_out"].as_u64().unwrap_or(0);
    fields.insert(
        CAUSE.into(),
        json!({
            "kinds": kinds, "parent_head": written.parent_head, "parent_public_key": signed_by,
            "measurement_lists_left_out": lists, "policies_left_out": policies_left_out,
            "version": env!("CARGO_PKG_VERSION"),
        }),
    );
    fields.into()
}

fn policies(fields: &Map<String, Value>) -> Vec<Value> {
    fields.get("policies").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether the text of a policy is still the one that its digest is of.
fn is_whole(policy: &Value) -> bool {
    let text = policy["text"].as_str().unwrap_or_default();
    policy["sha256"].as_str() == Some(hex(&Sha256::digest(text)).as_str())
}

fn twin(
    parent: &Archive,
    file: &SealedFile,
    taken: &Taken,
    archive: &Archive,
    manifest: &mut Manifest,
    parent_of: Value,
    last: &mut Last,
) -> Result<()> {
    match file.table() {
        Event::TABLE => rewrite(parent, file, taken, archive, manifest, parent_of, |row: &Event| {
            last.see(&row.host, row.time, row.boot_ns);
        }),
        FileVersion::TABLE => rewrite(parent, file, taken, archive, manifest, parent_of, |_: &FileVersion| {}),
        PackageFile::TABLE => rewrite(parent, file, taken, archive, manifest, parent_of, |_: &PackageFile| {}),
        LedgerEntry::TABLE => rewrite(parent, file, taken, archive, manifest, parent_of, |row: &LedgerEntry| {
            last.see(&row.host, row.time, row.boot_ns);
        }),
        table => bail!("there is no table `{table}`"),
    }
}

fn rewrite<R: Redact>(
    parent: &Archive,
    file: &SealedFile,
    taken: &Taken,
    archive: &Archive,
    manifest: &mut Manifest,
    parent_of: Value,
    mut see: impl FnMut(&R),
) -> Result<()> {
    let mut twin = TwinFile::<R>::create(archive, file, sorted_by(R::TABLE)?)?;
    each::<R>(parent, file, |mut row| {
        see(&row);
        row.redact(taken);
        twin.push(&row.view())
    })?;
    twin.place(archive, manifest, parent_of)
}

/// No answer from it is complete: what was taken out may have been asked for.
fn note_gap(
    id: &str,
    start: &Line,
    segment: u32,
    last: &Last,
    by: &Redaction,
    archive: &Archive,
    manifest: &mut Manifest,
) -> Result<()> {
    let host = if last.host.is_empty() { start.text("host").unwrap_or_default() } else { last.host.clone() };
    let name = SegmentName { recording_id: id.to_owned(), host: host.clone(), segment };
    let gap = LedgerEntry {
        recording_id: id.to_owned(),
        host,
        time: last.time,
        boot_ns: last.boot_ns,
        kind: "gap".into(),
        cause: Some(CAUSE.into()),
        from_ns: Some(0),
        to_ns: Some(last.boot_ns),
        detail: Some(json!({"kinds": by.kinds()}).to_string()),
        ..LedgerEntry::default()
    };
    seal(archive, manifest, &name, &VersionContext::default(), Vec::new(), vec![gap]).map(drop)
}
