//! The YAML of a policy file, as a tree in which every node knows its line and column.
//!
//! Aliases and merge keys are written out here, as the YAML reader of Tetragon does, so that nothing behind this module
//! knows of them.

mod builder;
mod part;
mod template;

use super::report::{Position, Report};

use builder::Builder;

/// One node of a document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) at: Position,
    /// What it holds.
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A single value.
    Scalar {
        /// Its text, without quotes.
        text: String,
        /// Written without quotes, so that `true`, `null` and the like have their YAML meaning.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file.
    Mapping(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where the key stands.
    pub(super) at: Position,
    /// The key.
    pub(super) key: String,
    /// The value.
    pub(super) value: Node,
}

/// What is wrong with a document, and where.
struct Fault {
    at: Position,
    reason: String,
}

type Parsed<T> = Result<T, Fault>;

/// Reads all documents of a file. One that cannot be read does not hide the faults of those behind it.
pub(super) fn read(text: &str, report: &mut Report) -> Vec<Node> {
    let mut documents = Vec::new();
    for part in part::split(text) {
        match template::find(&part) {
            Some(fault) => report.refuse(fault.at, fault.reason),
            None => read_part(&part, &mut documents, report),
        }
    }
    documents
}

fn read_part(part: &part::Part<'_>, documents: &mut Vec<Node>, report: &mut Report) {
    let mut builder = Builder::new(part);
    let mut read = Vec::new();
    let end = loop {
        match builder.document() {
            Ok(Some(document)) => read.push(document),
            Ok(None) => break None,
            Err(fault) => break Some(fault),
        }
    };
    let faults: Vec<Fault> = builder.into_faults().into_iter().chain(end).collect();
    if !faults.is_empty()
        && let Some(fault) = template::find_over_lines(part)
    {
        report.refuse(fault.at, fault.reason);
        return;
    }
    for fault in faults {
        report.refuse(fault.at, fault.reason);
    }
    documents.append(&mut read);
}
