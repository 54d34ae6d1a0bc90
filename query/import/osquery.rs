//! osquery's log of results: rows of the tables `hash` and `process_file_events`, in its event, batch and snapshot formats. A row is
//! known by its columns, because a query can have any name.

use super::input::{Input, first_line};
use super::json::{Object, each_object, id, names, number, object, small, text};
use super::record::{Place, Record, blank, joined, set_digest, set_exe, set_path, set_target, set_time};
use super::source::{Each, Given, Source};
use anyhow::Result;
use hashtrail::event::Event;
use hashtrail::hooks;
use serde_json::Value;

const NAME: &str = "osquery";

pub(super) const SOURCE: Source = Source {
    name: NAME,
    help: "osquery's results: rows of hash and process_file_events, in any of its formats",
    cannot_know: &["loss", "file", "boot", "root", "process_start", "seconds", "reading"],
    resolution_ns: 1_000_000_000,
    is_undated: false,
    is_mine: |head| {
        let names = names(first_line(head));
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        has("name") && (has("columns") || has("snapshot") || has("diffResults"))
    },
    read,
};

/// Algorithms of the table `hash`, the strongest first.
const ALGORITHMS: [&str; 3] = ["sha256", "sha1", "md5"];

fn read(input: &Input, _: &Given, each: Each<'_>) -> Result<()> {
    each_object(input, each, |place: Place, line, each| {
        records(&line).into_iter().try_for_each(|record| each(place.clone(), record))
    })
}

fn records(line: &Object) -> Vec<Record> {
    let removed = || Record::Skipped("a row that is there no more, which tells of no sight");
    let row = |columns: &Object| record(line, columns);
    if let Some(columns) = object(line, "columns") {
        return vec![if text(line, "action") == Some("removed") { removed() } else { row(columns) }];
    }
    let of_row = |value: &Value| match value.as_object() {
        Some(columns) => row(columns),
        None => Record::Unusable("one of its rows is no object".into()),
    };
    match (line.get("diffResults"), line.get("snapshot")) {
        (Some(Value::Object(results)), _) => {
            let added = list(results.get("added"), of_row);
            added.into_iter().chain(list(results.get("removed"), |_| removed())).collect()
        }
        (None, None) => vec![Record::Unusable("it has no columns, and no snapshot or diffResults".into())],
        (results, snapshot) => list(results.or(snapshot), of_row),
    }
}

/// Rows in a list. No rows are an empty text in some versions.
fn list(rows: Option<&Value>, of_row: impl Fn(&Value) -> Record) -> Vec<Record> {
    match rows {
        Some(Value::Array(rows)) => rows.iter().map(of_row).collect(),
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(_) => vec![Record::Unusable("its rows are no list".into())],
    }
}

fn record(line: &Object, columns: &Object) -> Record {
    let has = |name: &str| columns.contains_key(name);
    if has("operation") && has("path") {
        return Record::of(file_event(line, columns));
    }
    if has("path") && ALGORITHMS.iter().any(|algorithm| has(algorithm)) {
        return Record::of(hash(line, columns));
    }
    Record::Skipped("a row of another table")
}

/// What all rows have. The time is that of the query where the row has none.
fn finished(mut row: Event, line: &Object, time: Option<i64>) -> Result<Event, String> {
    let seconds = time.or_else(|| number(line, "unixTime")).ok_or("it has no unixTime")?;
    set_time(&mut row, seconds.checked_mul(1_000_000_000).ok_or("its time is none")?)?;
    let host = text(line, "hostIdentifier").or_else(|| text(line, "hostname"));
    row.host = host.unwrap_or_default().to_owned();
    Ok(row)
}

fn hash(line: &Object, columns: &Object) -> Result<Event, String> {
    let mut row = blank(NAME, "hash", "osquery_hash");
    set_path(&mut row, text(columns, "path").ok_or("it has no path")?.as_bytes());
    // The path is then one of the process's namespace.
    if number(columns, "pid_with_namespace").is_some_and(|pid| pid != 0) {
        row.path_flags = vec!["unreachable".to_owned()];
    }
    let mut digests = ALGORITHMS.iter().filter_map(|algorithm| Some((*algorithm, text(columns, algorithm)?)));
    match digests.next() {
        Some((algorithm, digits)) => set_digest(&mut row, NAME, algorithm, digits)?,
        None => {
            row.digest_status = "unavailable".into();
            row.digest_reason = Some("not_hashed".into());
        }
    }
    // A row has one digest; the weaker ones are kept as text.
    row.tags = digests.map(|(algorithm, digits)| format!("{algorithm}:{digits}")).collect();
    finished(row, line, None)
}

fn file_event(line: &Object, columns: &Object) -> Result<Event, String> {
    let operation = text(columns, "operation").ok_or("it has no operation")?;
    let mut row = blank(NAME, "process_file_events", hook_of(operation));
    row.message = Some(operation.to_owned());
    let cwd = text(columns, "cwd").unwrap_or_default().as_bytes();
    set_path(&mut row, &joined(cwd, text(columns, "path").ok_or("it has no path")?.as_bytes()));
    if let Some(target) = text(columns, "dest_path") {
        set_target(&mut row, &joined(cwd, target.as_bytes()));
    }
    row.pid = small(columns, "pid").unwrap_or(-1);
    row.ppid = small(columns, "ppid").unwrap_or(-1);
    row.uid = id(columns, "uid").unwrap_or(row.uid);
    row.gid = id(columns, "gid").unwrap_or(row.gid);
    row.euid = id(columns, "euid").unwrap_or(row.euid);
    row.auid = id(columns, "auid");
    set_exe(&mut row, text(columns, "executable").unwrap_or_default().as_bytes());
    if text(columns, "partial").is_some_and(|partial| partial == "true" || partial == "1") {
        row.tags = vec!["partial".to_owned()];
    }
    finished(row, line, number(columns, "time"))
}

/// The LSM hook that such a call passes; the operation itself where that is not one.
fn hook_of(operation: &str) -> &str {
    match operation {
        "open" | "create" => hooks::FILE_OPEN,
        "write" => "file_permission",
        "rename" => hooks::PATH_RENAME,
        "link" => hooks::PATH_LINK,
        "unlink" => hooks::PATH_UNLINK,
        "truncate" => hooks::PATH_TRUNCATE,
        other => other,
    }
}
