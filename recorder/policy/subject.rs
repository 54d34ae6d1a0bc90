//! What the arguments of hooks are to filters: their places, their types, and what a filter on one is about.

use super::document::Node;
use super::fields::{Fields, refuse_unknown};
use super::model::{NamedFile, Text, Value};
use super::refusals::ARGUMENT_TYPES;
use super::report::{Position, Report, quoted};
use std::sync::Arc;

const MAX_ARGUMENT_INDEX: u64 = 4;

/// Tetragon's integer types, their width in bits and whether they have a sign.
pub(super) const INTEGER_TYPES: [(&str, u32, bool); 17] = [
    ("int", 32, true),
    ("sint8", 8, true),
    ("int8", 8, true),
    ("uint8", 8, false),
    ("sint16", 16, true),
    ("int16", 16, true),
    ("uint16", 16, false),
    ("sint32", 32, true),
    ("int32", 32, true),
    ("uint32", 32, false),
    ("sint64", 64, true),
    ("int64", 64, true),
    ("uint64", 64, false),
    ("long", 64, true),
    ("ulong", 64, false),
    ("size_t", 64, false),
    ("bool", 8, false),
];

/// A member of a socket.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum SocketPart {
    /// `AF_…`.
    Family,
    /// `IPPROTO_…`.
    Protocol,
    /// `TCP_…`.
    State,
    /// The port of this side.
    SourcePort,
    /// The port of the other side.
    DestinationPort,
}

/// One argument that a hook entry lists.
#[derive(Clone)]
pub(super) struct ListedArgument {
    /// Place in the hook's prototype.
    pub(super) index: u8,
    /// What filters on it are about.
    pub(super) subject: Subject,
}

/// What a filter on an argument is about.
#[derive(Clone)]
pub(super) enum Subject {
    /// A path.
    Path {
        /// Which.
        text: Text,
        /// `FileType` works on it.
        has_file_type: bool,
        /// For a hook without a program of its own.
        file: Option<Arc<NamedFile>>,
    },
    /// The name of a thread or of an extended attribute.
    Name(Text),
    /// A number.
    Integer {
        /// Width.
        bits: u32,
        /// Values may be negative.
        signed: bool,
    },
    /// A number that only BTF explains.
    Number {
        /// Which.
        value: Arc<Value>,
        /// Width.
        bits: u32,
        /// Values may be negative.
        signed: bool,
    },
    /// A text that only BTF explains.
    Text(Arc<Value>),
    /// A socket address.
    Address(Arc<Value>),
    /// A socket, as the members of it that filters can be about.
    Socket(Arc<[(SocketPart, Arc<Value>)]>),
    /// Listed without effect: rows have all they can have, and no filter can be about it. Holds the reason.
    Unfiltered(&'static str),
}

impl ListedArgument {
    /// The file that it names, at a hook without a program of its own.
    pub(super) fn file(&self) -> Option<Arc<NamedFile>> {
        match &self.subject {
            Subject::Path { file, .. } => file.clone(),
            _ => None,
        }
    }
}

/// A place in a hook's prototype.
pub(super) fn argument_index(node: &Node, report: &mut Report) -> Option<u8> {
    let index = node.number("`index`", report)?;
    if index > MAX_ARGUMENT_INDEX {
        report.refuse(node.at, format_args!("`index` {index} is too large; use 0 to {MAX_ARGUMENT_INDEX}"));
        return None;
    }
    u8::try_from(index).ok()
}

/// Refuses a type that does not fit, or that does not exist.
pub(super) fn refuse_type(at: Position, type_name: &str, what: &str, wanted: &str, report: &mut Report) {
    let integers = || INTEGER_TYPES.iter().map(|(name, ..)| *name);
    if ARGUMENT_TYPES.contains(&type_name) || integers().any(|name| name == type_name) {
        let type_name = quoted(type_name);
        report.refuse(at, format_args!("type {type_name} is not supported for {what}; write `auto` or `{wanted}`"));
    } else {
        let all = integers().chain(ARGUMENT_TYPES.iter().copied());
        refuse_unknown(at, "type", type_name, all, &["auto", wanted], report);
    }
}

/// The argument's type, and where it would be corrected.
pub(super) fn type_name<'a>(entry: &Node, fields: &Fields<'a>, report: &mut Report) -> Option<(&'a str, Position)> {
    match fields.get("type") {
        Some(node) => Some((node.text("`type`", report)?, node.at)),
        None => Some(("auto", entry.at)),
    }
}
