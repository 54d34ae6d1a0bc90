//! Nodes out of the parser's events, with aliases and merge keys written out.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::super::report::{Position, escaped, quoted};
use super::part::Part;
use super::{Entry, Fault, Node, Parsed, Value, template};

/// Deepest nesting of lists and mappings; a real policy needs about ten.
const MAX_DEPTH: usize = 32;

/// Most nodes that the anchors and aliases of one document may stand for, so that a small file cannot fill the memory.
const MAX_COPIES: usize = 100_000;

/// More faults than this in one part of a file are not looked for.
const MAX_FAULTS: usize = 200;

/// Builds nodes from the parser's events.
pub(super) struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    first_line: usize,
    anchors: HashMap<usize, Anchor>,
    copies: usize,
    /// What does not keep the rest of the document from being read.
    faults: Vec<Fault>,
}

/// A node that aliases may stand for.
struct Anchor {
    node: Node,
    count: usize,
    height: usize,
}

/// The keys of a mapping so far.
#[derive(Default)]
struct Keys {
    entries: Vec<Entry>,
    /// Where each key stands first, and whether `<<` brought it.
    first: HashMap<String, (usize, bool)>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(part: &Part<'a>) -> Self {
        Self {
            parser: Parser::new_from_str(part.text),
            first_line: part.first_line,
            anchors: HashMap::new(),
            copies: 0,
            faults: Vec::new(),
        }
    }

    /// The next document, if there is one.
    pub(super) fn document(&mut self) -> Parsed<Option<Node>> {
        self.anchors.clear();
        self.copies = 0;
        loop {
            let (event, at) = self.next_event()?;
            match event {
                Event::StreamEnd => return Ok(None),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                content => return self.node(content, at, 0).map(Some),
            }
        }
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    fn next_event(&mut self) -> Parsed<(Event<'a>, Position)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.position(&span.start))),
            Some(Err(error)) => Err(self.syntax_fault(&error)),
            None => Ok((Event::StreamEnd, Position::START)),
        }
    }

    fn node(&mut self, event: Event<'a>, at: Position, depth: usize) -> Parsed<Node> {
        check_depth(depth, at)?;
        if self.faults.len() > MAX_FAULTS {
            let reason = format!("more than {MAX_FAULTS} faults until here; correct them first");
            return Err(Fault { at, reason });
        }
        let (value, anchor) = match event {
            Event::Alias(id) => return self.copy(id, at, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), at);
                self.faults.extend(template::in_text(&text, at));
                (Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), at);
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.check_tag(tag.as_deref(), at);
                (self.mapping(depth)?, anchor)
            }
            _ => {
                let reason = "the document ends too early; complete it".to_owned();
                return Err(Fault { at, reason });
            }
        };
        let node = Node { at, value };
        // The parser counts anchors from 1; 0 is none.
        if anchor != 0 {
            let (count, height) = measure(&node);
            count_copies(&mut self.copies, count, at)?;
            self.anchors.insert(anchor, Anchor { node: node.clone(), count, height });
        }
        Ok(node)
    }

    /// What an alias stands for, at the place of the alias.
    fn copy(&mut self, id: usize, at: Position, depth: usize) -> Parsed<Node> {
        let Some(anchor) = self.anchors.get(&id) else {
            let reason = "an alias (`*name`) stands inside of what it stands for; write the value out".to_owned();
            return Err(Fault { at, reason });
        };
        check_depth(depth + anchor.height, at)?;
        count_copies(&mut self.copies, anchor.count, at)?;
        Ok(Node { at, value: anchor.node.value.clone() })
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
        let mut keys = Keys::default();
        loop {
            let (event, at) = self.next_event()?;
            if event == Event::MappingEnd {
                return Ok(Value::Mapping(keys.entries));
            }
            let key = self.node(event, at, depth + 1)?;
            let (event, value_at) = self.next_event()?;
            let value = self.node(event, value_at, depth + 1)?;
            match key.value {
                Value::Scalar { text, plain: true } if text == "<<" => self.merge(at, value, &mut keys),
                Value::Scalar { text, .. } => {
                    let fault = keys.add(at, Entry { at, key: text, value }, false);
                    self.faults.extend(fault);
                }
                _ => {
                    let reason = "a key must be a plain word; a list or mapping cannot be a key".to_owned();
                    self.faults.push(Fault { at, reason });
                }
            }
        }
    }

    /// `<<`: the keys of a mapping, or of several, stand here.
    fn merge(&mut self, at: Position, value: Node, keys: &mut Keys) {
        let sources = match value.value {
            Value::Sequence(items) => items,
            _ => vec![value],
        };
        for source in sources {
            let Value::Mapping(entries) = source.value else {
                let reason = "the merge key `<<` needs a mapping or a list of mappings; correct its value".to_owned();
                self.faults.push(Fault { at: source.at, reason });
                continue;
            };
            for entry in entries {
                let fault = keys.add(at, entry, true);
                self.faults.extend(fault);
            }
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, at: Position) {
        if let Some(tag) = tag {
            let tag = quoted(&tag.to_string());
            self.faults.push(Fault { at, reason: format!("YAML tag {tag} is not accepted; remove it") });
        }
    }

    /// The parser counts columns from 0, and lines from the beginning of the part.
    fn position(&self, marker: &Marker) -> Position {
        Position { line: marker.line().max(1) + self.first_line - 1, column: marker.col() + 1 }
    }

    fn syntax_fault(&self, error: &ScanError) -> Fault {
        let at = self.position(error.marker());
        let reason = if error.info().contains("unknown anchor") {
            "an alias (`*name`) has no anchor (`&name`) before it in this document; write the value out".to_owned()
        } else {
            let info = escaped(error.info());
            format!("not valid YAML ({info}); check the quotes and the indentation (spaces only) around here")
        };
        Fault { at, reason }
    }
}

impl Keys {
    /// Adds a key, unless it is there already. Tetragon's reader takes no key twice either, also not one with `<<`.
    fn add(&mut self, at: Position, entry: Entry, is_merged: bool) -> Option<Fault> {
        let Some((line, was_merged)) = self.first.get(&entry.key) else {
            self.first.insert(entry.key.clone(), (entry.at.line, is_merged));
            self.entries.push(entry);
            return None;
        };
        let key = quoted(&entry.key);
        let by_merge = if is_merged || *was_merged { ", once by the merge key `<<`" } else { "" };
        Some(Fault { at, reason: format!("{key} stands twice, first on line {line}{by_merge}; keep one of them") })
    }
}

fn check_depth(depth: usize, at: Position) -> Parsed<()> {
    if depth >= MAX_DEPTH {
        return Err(Fault { at, reason: format!("nested deeper than {MAX_DEPTH} levels; flatten the document") });
    }
    Ok(())
}

fn count_copies(copies: &mut usize, more: usize, at: Position) -> Parsed<()> {
    *copies += more;
    if *copies > MAX_COPIES {
        let reason = format!(
            "the anchors (`&name`) and aliases (`*name`) of this document stand for more than {MAX_COPIES} values; use \
             fewer"
        );
        return Err(Fault { at, reason });
    }
    Ok(())
}

/// How many nodes there are, and how many levels lie below the first.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<(usize, usize)> = match &node.value {
        Value::Scalar { .. } => Vec::new(),
        Value::Sequence(items) => items.iter().map(measure).collect(),
        Value::Mapping(entries) => entries.iter().map(|entry| measure(&entry.value)).collect(),
    };
    let count = 1 + children.iter().map(|(count, _)| count).sum::<usize>();
    let height = children.iter().map(|(_, height)| height + 1).max().unwrap_or_default();
    (count, height)
}
