//! The YAML of a policy file, as a tree in which every node knows its line and column.
//!
//! Anchors, aliases, tags and merge keys are refused: a policy is evidence of what was asked for,
//! and must read the same to a person and to every YAML parser.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use super::report::{Position, Report, quoted};

/// Deepest nesting of lists and mappings; a real policy needs about ten.
const MAX_DEPTH: usize = 32;

/// One node of a document.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) at: Position,
    /// What it holds.
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug)]
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
#[derive(Debug)]
pub(super) struct Entry {
    /// Where the key stands.
    pub(super) at: Position,
    /// The key.
    pub(super) key: String,
    /// The value.
    pub(super) value: Node,
}

/// Why a document cannot be read at all.
struct Fault {
    at: Position,
    reason: String,
}

type Parsed<T> = Result<T, Fault>;

/// Reads all documents of a file. After the first error no further document is read.
pub(super) fn read(text: &str, report: &mut Report) -> Vec<Node> {
    let mut documents = Vec::new();
    let mut builder = Builder { parser: Parser::new_from_str(text) };
    loop {
        match builder.document() {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => return documents,
            Err(fault) => {
                report.refuse(fault.at, fault.reason);
                return documents;
            }
        }
    }
}

/// Builds nodes from the parser's events.
struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Parsed<Option<Node>> {
        loop {
            let (event, at) = self.next_event()?;
            match event {
                Event::StreamEnd => return Ok(None),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                content => return self.node(content, at, 0).map(Some),
            }
        }
    }

    fn next_event(&mut self) -> Parsed<(Event<'a>, Position)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(&span.start))),
            Some(Err(error)) => Err(syntax_fault(&error)),
            None => Ok((Event::StreamEnd, Position::START)),
        }
    }

    fn node(&mut self, event: Event<'a>, at: Position, depth: usize) -> Parsed<Node> {
        if depth >= MAX_DEPTH {
            let reason = format!("nested deeper than {MAX_DEPTH} levels; flatten the document");
            return Err(Fault { at, reason });
        }
        refuse_references(&event, at)?;
        let value = match event {
            Event::Scalar(text, style, ..) => {
                Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }
            }
            Event::SequenceStart(..) => self.sequence(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            _ => {
                let reason = "the document ends too early; complete it".to_owned();
                return Err(Fault { at, reason });
            }
        };
        Ok(Node { at, value })
    }

    fn sequence(&mut self, depth: usize) -> Parsed<Value> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next_event()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Sequence(items));
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Parsed<Value> {
        let mut entries = Vec::new();
        let mut first_lines = HashMap::new();
        loop {
            let (event, at) = self.next_event()?;
            if event == Event::MappingEnd {
                return Ok(Value::Mapping(entries));
            }
            let key = self.key(event, at, depth)?;
            if let Some(line) = first_lines.insert(key.clone(), at.line) {
                let key = quoted(&key);
                let reason = format!("{key} stands twice, first on line {line}; keep one of them");
                return Err(Fault { at, reason });
            }
            let (event, value_at) = self.next_event()?;
            let value = self.node(event, value_at, depth + 1)?;
            entries.push(Entry { at, key, value });
        }
    }

    fn key(&mut self, event: Event<'a>, at: Position, depth: usize) -> Parsed<String> {
        match self.node(event, at, depth + 1)?.value {
            Value::Scalar { text, plain: true } if text == "<<" => {
                Err(Fault { at, reason: "merge key `<<` is not accepted; write the keys out".to_owned() })
            }
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(Fault { at, reason: "a key must be a plain word; a list or mapping cannot be a key".to_owned() }),
        }
    }
}

/// Refuses what makes the meaning of a node depend on another place.
fn refuse_references(event: &Event<'_>, at: Position) -> Parsed<()> {
    let (anchor, tag) = match event {
        Event::Alias(_) => {
            let reason = "alias (`*name`) is not accepted; write the value out".to_owned();
            return Err(Fault { at, reason });
        }
        Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
            (*anchor, tag)
        }
        _ => return Ok(()),
    };
    if anchor != 0 {
        let reason = "anchor (`&name`) is not accepted; remove it".to_owned();
        return Err(Fault { at, reason });
    }
    if let Some(tag) = tag {
        let tag = quoted(&tag.to_string());
        let reason = format!("YAML tag {tag} is not accepted; remove it");
        return Err(Fault { at, reason });
    }
    Ok(())
}

/// The parser counts columns from 0.
fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

fn syntax_fault(error: &ScanError) -> Fault {
    Fault {
        at: position(error.marker()),
        reason: format!(
            "not valid YAML ({}); check the quotes and the indentation (spaces only) around here",
            super::report::escaped(error.info())
        ),
    }
}
