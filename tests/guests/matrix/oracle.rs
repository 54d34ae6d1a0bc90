//! What the scenario `matrix` wrote down: runs and how they ended, changes, and the digests of all contents.

use crate::support::scenario::Scenario;
use std::collections::HashMap;
use std::fmt;

/// One run of a program.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) place: String,
    pub(super) way: String,
    pub(super) size: String,
    pub(super) step: String,
    pub(super) before_ns: i64,
    pub(super) after_ns: i64,
    pub(super) pid: i64,
    pub(super) code: i64,
    pub(super) path: String,
    contents: String,
}

/// One change of the content, or the attempt.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) place: String,
    pub(super) way: String,
    pub(super) size: String,
    before_ns: i64,
    after_ns: i64,
    /// `0`, or the errno of what is not possible.
    pub(super) outcome: String,
}

pub(super) struct Oracle {
    pub(super) runs: Vec<Run>,
    pub(super) changes: Vec<Change>,
    /// By `sha256sum`, by the name of the content.
    digests: HashMap<String, String>,
}

impl Oracle {
    pub(super) fn of(matrix: &Scenario) -> Self {
        let digests = matrix.table("contents.tsv").into_iter().map(|fields| {
            let [digest, name] = fields.try_into().expect("a digest and the name of a content");
            (name, digest)
        });
        Self {
            runs: matrix.table("runs.tsv").into_iter().map(Run::of).collect(),
            changes: matrix.table("changes.tsv").into_iter().map(Change::of).collect(),
            digests: digests.collect(),
        }
    }

    /// The digest of what ran: the first content ends with 0, the second with 7.
    pub(super) fn digest_of(&self, run: &Run) -> &str {
        let which = match run.code {
            0 => "first",
            7 => "second",
            _ => panic!("neither content ends like that: {run:?}"),
        };
        &self.digests[&format!("{}.{which}", run.contents)]
    }

    pub(super) fn changes_of(&self, place: &str, way: &str, size: &str) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.place == place && change.way == way && change.size == size)
    }

    /// Whether the content may have been changed from the begin of a run up to a moment.
    pub(super) fn changes_between(&self, run: &Run, until_ns: i64) -> bool {
        self.changes_of(&run.place, &run.way, &run.size)
            .any(|change| change.before_ns <= until_ns && run.before_ns <= change.after_ns)
    }
}

impl Run {
    fn of(fields: Vec<String>) -> Self {
        let [place, way, size, step, before, after, pid, code, path, contents] =
            fields.try_into().expect("the fields of a run");
        Self {
            before_ns: number(&before),
            after_ns: number(&after),
            pid: number(&pid),
            code: number(&code),
            place,
            way,
            size,
            step,
            path,
            contents,
        }
    }

    pub(super) fn is_in_cell_of(&self, change: &Change) -> bool {
        self.place == change.place && self.way == change.way && self.size == change.size
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} {}", self.place, self.way, self.size, self.step)
    }
}

impl Change {
    fn of(fields: Vec<String>) -> Self {
        let [place, way, size, before, after, outcome] = fields.try_into().expect("the fields of a change");
        Self { before_ns: number(&before), after_ns: number(&after), place, way, size, outcome }
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|error| panic!("no number: {error}: {text}"))
}
