//! What each command answers in JSON: the names, shapes and meanings of its objects, declared once. `hashtrail schema` prints
//! them as JSON Schema, and tests hold every answer against them.

mod archive;
mod changes;
mod contents;
mod events;
pub(crate) mod json_schema;
mod processes;
pub(crate) mod shape;
mod summary;

use shape::Object;

/// What a command answers.
pub(crate) struct Answer {
    pub(crate) verb: &'static str,
    /// The kinds of its objects, one a line.
    pub(crate) rows: Vec<Object>,
}

/// Gives the kinds of objects of an answer.
type Rows = fn() -> Vec<Object>;

/// All commands that answer in JSON, with their objects.
const ANSWERS: [(&str, Rows); 15] = [
    ("changes", changes::changes),
    ("history", contents::history),
    ("lookup", contents::lookup),
    ("diff", contents::diff),
    ("rare", contents::rare),
    ("events", events::events),
    ("timeline", events::timeline),
    ("who", processes::who),
    ("tree", processes::tree),
    ("import", archive::import),
    ("export", archive::export),
    ("info", archive::info),
    ("gaps", archive::gaps),
    ("verify", archive::verify),
    ("schema", archive::schema),
];

/// The names of these commands.
pub(crate) fn verbs() -> impl Iterator<Item = &'static str> {
    ANSWERS.iter().map(|(verb, _)| *verb)
}

/// What a command answers; `None` of one that answers otherwise.
pub(crate) fn answer(verb: &str) -> Option<Answer> {
    ANSWERS.iter().find(|(name, _)| *name == verb).map(|(verb, rows)| Answer { verb, rows: rows() })
}
