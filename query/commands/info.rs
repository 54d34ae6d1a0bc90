//! `info`: what was recorded, when, on which hosts, and what was lost.

use super::Context;
use crate::archives::{Archives, OpenArchive};
use crate::output::problems::note;
use crate::output::{Columns, Output, Row, object};
use crate::recordings::{Recording, Recordings};
use anyhow::Result;
use hashtrail::archive::host_label;
use hashtrail::cell::Micros;
use hashtrail::columns::Row as TableRow;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::Line;
use hashtrail::packages::PackageFile;
use hashtrail::reader::SealedTable;
use hashtrail::versions::FileVersion;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

const RECORDING: [&str; 13] = [
    "archive",
    "host",
    "recording_id",
    "kernel",
    "start",
    "stop",
    "state",
    "produced",
    "stored",
    "dropped",
    "suppressed",
    "missed",
    "hooks",
];
const TABLE: [&str; 7] = ["archive", "table", "rows", "files", "bytes", "from", "to"];
/// The counts of each CPU that a heartbeat holds.
const COUNTS: [&str; 5] = ["produced", "stored", "dropped", "suppressed", "missed"];

pub(crate) fn run(context: Context<'_>) -> Result<bool> {
    let archives = Archives::open(context.scope, context.problems)?;
    archives.note_unsealed();
    if context.scope.since.is_some() || context.scope.until.is_some() {
        note("recordings and tables are told whole: --since and --until have no effect here");
    }
    let recordings = Recordings::load_with_counts(&archives)?;
    let tables: Vec<Row> = archives.list.iter().flat_map(|archive| table_rows(&archives, archive)).collect();
    let mut recordings = recording_rows(&archives, &recordings, &context.scope.host).peekable();
    let found = recordings.peek().is_some() || tables.iter().any(|table| table["rows"] != json!(0));
    let options = context.output;
    if options.shows_tables() {
        Output::new(options, Columns::of(&RECORDING), context.writer).show(recordings)?;
        writeln!(context.writer)?;
        Output::new(options, Columns::of(&TABLE), context.writer).show(tables)?;
    } else {
        let columns = Columns::of(&[&["type"], &RECORDING[..], &TABLE[1..]].concat()).of_several_kinds();
        Output::new(options, columns, context.writer).show(recordings.chain(tables))?;
    }
    Ok(found)
}

fn table_rows(archives: &Archives<'_>, archive: &OpenArchive) -> Vec<Row> {
    let mut rows = vec![
        table_row::<Event>(archives, archive, ["time", "time"]),
        table_row::<FileVersion>(archives, archive, ["first_time", "last_time"]),
        table_row::<LedgerEntry>(archives, archive, ["time", "time"]),
    ];
    // Not every host has a package manager.
    if !archives.files::<PackageFile>(archive, None).is_empty() {
        rows.push(table_row::<PackageFile>(archives, archive, ["time", "time"]));
    }
    rows
}

/// Counts one table from the footers of its files.
fn table_row<R: TableRow>(archives: &Archives<'_>, archive: &OpenArchive, [first, last]: [&str; 2]) -> Row {
    let (mut rows, mut files, mut bytes) = (0, 0, 0);
    let mut span: Option<(Micros, Micros)> = None;
    for file in archives.files::<R>(archive, None) {
        match SealedTable::<R>::open(&file.path) {
            Err(error) => archives.problems().error(&error),
            Ok(table) => {
                (rows, files, bytes) = (rows + table.rows(), files + 1, bytes + table.size_bytes());
                if let Some((from, to)) = table.times(first, last) {
                    span = Some(span.map_or((from, to), |(low, high)| (low.min(from), high.max(to))));
                }
            }
        }
    }
    object(json!({
        "type": "table", "archive": archive_name(archive), "table": R::TABLE, "rows": rows, "files": files,
        "bytes": bytes, "from": span.map(|(from, _)| from.rfc3339()), "to": span.map(|(_, to)| to.rfc3339()),
    }))
}

/// What a manifest says about one recording. Its lines are decoded when its row is made: decoded, a line can take a hundred times
/// the memory.
#[derive(Default)]
struct Manifested<'a> {
    id: String,
    archive: Option<&'a OpenArchive>,
    start: Option<&'a Line>,
    stop: Option<&'a Line>,
}

/// The recordings of all archives, those that no manifest names last.
fn recording_rows<'a>(
    archives: &'a Archives<'_>,
    recordings: &'a Recordings,
    hosts: &'a [String],
) -> impl Iterator<Item = Row> + 'a {
    let mut listed: Vec<Manifested<'_>> = archives.list.iter().flat_map(manifested).collect();
    let known: HashSet<String> = listed.iter().map(|recording| recording.id.clone()).collect();
    let others = recordings.list.iter().map(|recording| &recording.id).filter(|id| !known.contains(*id));
    listed.extend(others.map(|id| Manifested { id: id.clone(), ..Manifested::default() }));
    let rows = listed.into_iter().map(|listed| {
        let recording = recordings.rank(&listed.id).map(|rank| &recordings.list[rank]);
        recording_row(&listed, recording)
    });
    rows.filter(|row| {
        let host = row.get("host").and_then(Value::as_str).unwrap_or_default();
        hosts.is_empty() || hosts.iter().any(|wanted| host_label(wanted) == host)
    })
}

/// The recordings that one manifest names, in its order.
fn manifested(archive: &OpenArchive) -> Vec<Manifested<'_>> {
    let mut recordings: Vec<Manifested<'_>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for line in &archive.manifest {
        let Some(id) = line.text("recording_id") else { continue };
        let index = *places.entry(id).or_insert_with_key(|id| {
            recordings.push(Manifested { id: id.clone(), archive: Some(archive), ..Manifested::default() });
            recordings.len() - 1
        });
        match line.kind() {
            "start" => recordings[index].start = Some(line),
            "stop" | "recovered" => recordings[index].stop = Some(line),
            _ => {}
        }
    }
    recordings
}

/// What else the manifest says about the start is added as it is; only the texts of policies would drown the rest.
fn recording_row(listed: &Manifested<'_>, recording: Option<&Recording>) -> Row {
    let (start, stop) = (listed.start.map(Line::fields), listed.stop.map(Line::fields));
    let (start, stop) = (start.as_ref(), stop.as_ref());
    let field = |line: Option<&Row>, name: &str| line.and_then(|line| line.get(name)).cloned();
    let kernel = || start?.get("facts")?.get("kernel").cloned();
    let mut row = object(json!({
        "type": "recording",
        "archive": listed.archive.map(archive_name),
        "host": field(start, "host").or_else(|| Some(recording?.host.clone().into())),
        "recording_id": listed.id,
        "kernel": field(start, "kernel").or_else(kernel),
        "start": field(start, "time").or_else(|| Some(recording?.start.rfc3339().into())),
        "stop": field(stop, "time"),
        "state": field(stop, "state").unwrap_or_else(|| json!("OPEN")),
    }));
    let totals = recording.and_then(|recording| totals(&recording.counts.as_ref()?.1));
    for name in COUNTS {
        row.insert(name.into(), totals.as_ref().and_then(|totals| totals.get(name)).cloned().unwrap_or_default());
    }
    row.insert("skipped".into(), recording.map(skipped).unwrap_or_default());
    row.insert("hooks".into(), recording.map(|recording| json!(recording.coverage.hooks())).unwrap_or_default());
    for (name, value) in start.into_iter().flatten() {
        if !matches!(name.as_str(), "prev" | "kind" | "time") {
            row.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    for policy in row.get_mut("policies").and_then(Value::as_array_mut).into_iter().flatten() {
        policy.as_object_mut().map(|policy| policy.shift_remove("text"));
    }
    row
}

/// Runs of programs that the kernel skipped, by what they were for.
fn skipped(recording: &Recording) -> Value {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for loss in &recording.skipped {
        let count = counts.entry(&loss.cause).or_default();
        *count = count.saturating_add(loss.count.unwrap_or_default());
    }
    json!(counts)
}

/// Sums the counts of all CPUs. Counts that no CPU holds stay out.
fn totals(detail: &str) -> Option<Row> {
    let detail: Value = serde_json::from_str(detail).ok()?;
    let cpus = detail.get("cpus")?.as_array()?;
    let sum = |name: &str| cpus.iter().filter_map(|cpu| cpu.get(name)?.as_i64()).reduce(i64::saturating_add);
    Some(COUNTS.iter().filter_map(|name| Some(((*name).to_owned(), sum(name)?.into()))).collect())
}

fn archive_name(archive: &OpenArchive) -> String {
    archive.archive.root().display().to_string()
}
