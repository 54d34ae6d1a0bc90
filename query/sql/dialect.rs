//! What engines spell in different ways.

use super::sources::{KnownRecording, Table};
use anyhow::{Context, Result, bail};
use hashtrail::columns::Row;
use hashtrail::event::Event;
use std::path::Path;

/// How one engine is told what the stages are.
pub(super) trait Dialect {
    /// Its words, a line each, for [`super::words::Words`].
    fn words(&self) -> &'static str;

    /// What begins a comment.
    fn comment(&self) -> &'static str {
        "--"
    }

    /// How it is run, and what of it is said for this engine alone.
    fn header(&self) -> &'static str;

    /// What comes before all statements.
    fn prelude(&self) -> &'static str;

    /// Has the files of a table stand under its name; those of events under `raw_events`.
    fn table(&self, table: &Table) -> Result<String>;

    /// The table `policies`, from the details of the ledger.
    fn policies(&self) -> &'static str;

    /// A name for a query.
    fn view(&self, name: &str, query: &str) -> String;

    /// A name for what a query gives, which is asked once.
    fn keep(&self, name: &str, query: &str) -> String;

    /// Shows what a query gives.
    fn show(&self, query: &str) -> String;

    /// A text within a query.
    fn text(&self, text: &str) -> Result<String>;
}

/// A path as text that every engine can be given, and that drives no terminal.
pub(super) fn path_text(path: &Path) -> Result<&str> {
    let shown = path.display().to_string();
    let text =
        path.to_str().with_context(|| format!("`{shown}` is not UTF-8, and SQL cannot name it: rename or link it"))?;
    if text.chars().any(char::is_control) {
        bail!("`{shown}` has control characters, and SQL that names it could drive a terminal: rename or link it");
    }
    Ok(text)
}

/// The name under which the rows of a table stand.
pub(super) fn stored_name(table: &str) -> &str {
    if table == Event::TABLE { "raw_events" } else { table }
}

/// What user space says of a digest that it took.
const DIGEST: [&str; 8] = [
    "digest_algorithm",
    "digest",
    "digest_status",
    "digest_reason",
    "digest_source",
    "digest_doubt",
    "digest_duration_ns",
    "content_read_ns",
];

/// The events, with digests that user space took in the rows that they are for, and the name that a machine has here.
pub(super) fn events_with_digests() -> String {
    let column = |name: &&str| {
        if DIGEST.contains(name) {
            format!("CASE WHEN u.seq IS NULL THEN e.{name} ELSE u.{name} END AS {name}")
        } else if *name == "host" {
            "coalesce(m.machine, e.host) AS host".to_owned()
        } else {
            format!("e.{name}")
        }
    };
    let columns: Vec<String> = Event::NAMES.iter().map(column).collect();
    include_str!("events.sql").trim_end().replace("{columns}", &columns.join(", "))
}

/// What manifests say of the recordings, as a query.
pub(super) fn recordings_as_rows(dialect: &dyn Dialect, recordings: &[KnownRecording]) -> Result<String> {
    let text = |text: Option<&str>| match text {
        Some(text) if text.chars().any(char::is_control) => {
            bail!("a manifest names `{}`, and SQL that does could drive a terminal", text.escape_default())
        }
        Some(text) => dialect.text(text),
        None => Ok("NULL".to_owned()),
    };
    let row = |known: &KnownRecording| {
        let KnownRecording { id, place: (archive, line), boot_id, machine } = known;
        let (id, boot_id, machine) = (text(Some(id.as_str()))?, text(boot_id.as_deref())?, text(machine.as_deref())?);
        Ok(format!("    ({id}, {archive}, {line}, {boot_id}, {machine})"))
    };
    // Engines take the types of a column from its rows, so the first one has them all, and is none.
    let none = "    ('', -1, -1, '', '')".to_owned();
    let rows: Result<Vec<String>> = std::iter::once(Ok(none)).chain(recordings.iter().map(row)).collect();
    Ok(format!(
        "SELECT recording_id, archive, line, boot_id, machine\nFROM (VALUES\n{}\n) AS known(recording_id, archive, line, \
         boot_id, machine)\nWHERE archive >= 0",
        rows?.join(",\n")
    ))
}
