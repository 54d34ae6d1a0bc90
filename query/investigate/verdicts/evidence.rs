//! The rows that a verdict was read from.

use crate::output::{Row, object};
use crate::packages::Look;
use crate::recordings::{Position, Recordings};
use crate::suspects::Suspect;
use crate::versions::run::Run;
use hashtrail::cell::Micros;
use hashtrail::columns::Row as _;
use hashtrail::packages::PackageFile;
use serde_json::{Value, json};

/// A row by its key, with those of its columns that say something.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    place: Place,
    pub(crate) time: Micros,
    pub(crate) path: Option<String>,
    pub(crate) columns: Row,
    /// Successful execs of the run of observations that the event begins; not a column of the event.
    runs: Option<i64>,
}

/// The key of a row.
#[derive(Debug, Clone)]
enum Place {
    /// An event.
    Event(Position),
    /// A row of the table `packages`, or all of a snapshot.
    Snapshot { recording_id: String, number: i32, boot_ns: i64 },
}

impl Evidence {
    pub(super) fn new(place: Position, time: Micros, path: Option<String>, columns: Value) -> Self {
        Self { place: Place::Event(place), time, path, columns: object(columns), runs: None }
    }

    /// What the package manager's database said of a file, and what the recorder found.
    pub(super) fn of_package(row: &PackageFile) -> Self {
        let columns = json!({
            "manager": row.manager, "package": row.package, "version": row.version, "architecture": row.architecture,
            "state": row.state, "stated_algorithm": row.stated_algorithm, "stated_digest": row.stated_digest,
            "status": row.status, "digest_algorithm": row.digest_algorithm, "digest": row.digest,
        });
        let (recording_id, number) = (row.recording_id.clone(), row.snapshot);
        let place = Place::Snapshot { recording_id, number, boot_ns: row.boot_ns };
        Self { place, time: row.time, path: row.real_path.clone(), columns: object(columns), runs: None }
    }

    /// That no row of a look at the database has the path of a run.
    pub(super) fn of_look(run: &Run, look: &Look) -> Self {
        let columns =
            json!({ "rows": 0, "until": look.until(), "packages": look.told.packages, "full": look.told.full });
        let recording_id = run.row.recording_id.clone();
        let place = Place::Snapshot { recording_id, number: look.told.snapshot, boot_ns: look.from_ns };
        Self { place, time: look.began(), path: run.row.path.clone(), columns: object(columns), runs: None }
    }

    /// The first event of a run of observations: all columns of the run are of it.
    pub(super) fn first_of(run: &Run, columns: Value) -> Self {
        Self::new(run.first, run.row.first_time, run.row.path.clone(), columns)
    }

    /// The last event of a run of observations, of which only the file's key and the digest are known.
    pub(super) fn last_of(run: &Run, columns: Value) -> Self {
        Self::new(run.last, run.row.last_time, run.row.path.clone(), columns)
    }

    /// What a suspect did.
    pub(super) fn of_act(suspect: &Suspect, columns: Value) -> Self {
        let seen = &suspect.seen;
        let mut evidence = Self::new(seen.place, seen.time, seen.path.clone(), columns);
        evidence.columns.extend(object(json!({
            "hook": seen.hook, "pid": seen.pid, "exe": seen.exe, "comm": seen.comm, "uid": seen.uid,
            "dev": seen.dev, "ino": seen.ino,
        })));
        evidence
    }

    pub(super) fn with_runs(self, runs: Option<i64>) -> Self {
        Self { runs, ..self }
    }

    /// Its key in words.
    pub(crate) fn key_text(&self, recordings: &Recordings) -> String {
        match &self.place {
            Place::Event(Position { rank, cpu, seq, .. }) => {
                let recording = recordings.list.get(*rank).map_or("?", |recording| recording.id.as_str());
                format!("recording {recording}, CPU {cpu}, number {seq}")
            }
            Place::Snapshot { recording_id, number, .. } => {
                format!("recording {recording_id}, snapshot {number} of the packages")
            }
        }
    }

    /// As the contract has it.
    pub(super) fn to_json(&self, recordings: &Recordings) -> Value {
        let Self { place, time, path, columns, runs } = self;
        let mut row = object(match place {
            Place::Event(Position { rank, boot_ns, cpu, seq }) => {
                let recording_id = recordings.list.get(*rank).map(|recording| &recording.id);
                json!({"recording_id": recording_id, "cpu": cpu, "seq": seq, "boot_ns": boot_ns})
            }
            Place::Snapshot { recording_id, number, boot_ns } => {
                json!({"table": PackageFile::TABLE, "recording_id": recording_id, "snapshot": number, "boot_ns": boot_ns})
            }
        });
        row.extend(object(json!({"time": time.rfc3339(), "path": path, "columns": columns})));
        if let Some(runs) = runs {
            row.insert("runs".into(), (*runs).into());
        }
        row.into()
    }
}
