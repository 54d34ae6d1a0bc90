//! The rows that a verdict was read from.

use crate::output::{Row, object};
use crate::recordings::{Position, Recordings};
use crate::suspects::Suspect;
use crate::versions::run::Run;
use hashtrail::cell::Micros;
use serde_json::{Value, json};

/// An event by its key, with those of its columns that say something.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) place: Position,
    pub(crate) time: Micros,
    pub(crate) path: Option<String>,
    pub(crate) columns: Row,
    /// Successful execs of the run of observations that the event begins; not a column of the event.
    runs: Option<i64>,
}

impl Evidence {
    pub(super) fn new(place: Position, time: Micros, path: Option<String>, columns: Value) -> Self {
        Self { place, time, path, columns: object(columns), runs: None }
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

    /// As the contract has it.
    pub(super) fn to_json(&self, recordings: &Recordings) -> Value {
        let Self { place: Position { rank, boot_ns, cpu, seq }, time, path, columns, runs } = self;
        let mut row = object(json!({
            "recording_id": recordings.list.get(*rank).map(|recording| &recording.id), "cpu": cpu, "seq": seq,
            "boot_ns": boot_ns, "time": time.rfc3339(), "path": path, "columns": columns,
        }));
        if let Some(runs) = runs {
            row.insert("runs".into(), (*runs).into());
        }
        row.into()
    }
}
