//! Typed values out of a document's nodes; what has the wrong shape is reported where it stands.
//!
//! A reader that returns `None` has told the report why, or the value is absent. A file with any
//! fault is refused as a whole, so callers go on with a default and find the next fault.

use super::document::{Entry, Node, Value};
use super::number::{self, Notation};
use super::report::{Position, Report, listed, quoted};

/// Longer names are not compared with the known ones.
const MAX_NAME: usize = 48;

/// Two, so that a pair of swapped letters is still recognised.
const MAX_TYPING_ERRORS: usize = 2;

/// The keys of one mapping, or of several that were put together.
pub(super) struct Fields<'a> {
    entries: Vec<&'a Entry>,
}

impl<'a> Fields<'a> {
    /// The keys of `node`, called `what` in messages.
    pub(super) fn of(node: &'a Node, what: &str, report: &mut Report) -> Option<Self> {
        if let Value::Mapping(entries) = &node.value {
            return Some(Self { entries: entries.iter().collect() });
        }
        let found = node.shape();
        report.refuse(node.at, format_args!("{what} must be a mapping, not {found}; write `key: value` lines"));
        None
    }

    /// The value of a key, unless it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// The same where an empty text says no more than the key's absence.
    pub(super) fn filled(&self, key: &str) -> Option<&'a Node> {
        self.get(key).filter(|node| !node.is_word(""))
    }

    /// All keys with a value that says something.
    pub(super) fn set(&self) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().copied().filter(|entry| !entry.value.is_unset())
    }

    /// Takes another mapping's key in, unless this mapping has a value for it already, which is returned.
    pub(super) fn add(&mut self, entry: &'a Entry) -> Option<&'a Entry> {
        let present = self.set().find(|present| present.key == entry.key);
        if present.is_none() {
            self.entries.retain(|present| present.key != entry.key);
            self.entries.push(entry);
        }
        present
    }

    /// Refuses every key that is not one of `known`.
    pub(super) fn check(&self, known: &[&str], refused: &[(&str, &str)], report: &mut Report) {
        for entry in &self.entries {
            if known.contains(&entry.key.as_str()) {
                continue;
            }
            match refused.iter().find(|(name, _)| *name == entry.key) {
                Some(_) if entry.value.is_unset() => {}
                Some((name, reason)) => report.refuse(entry.at, format_args!("`{name}` {reason}")),
                None => {
                    let all = known.iter().copied().chain(refused.iter().map(|(name, _)| *name));
                    refuse_unknown(entry.at, "key", &entry.key, all, known, report);
                }
            }
        }
    }
}

impl Node {
    /// Nothing is written here, or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Says the same as leaving the key out: null, `false` or an empty list.
    pub(super) fn is_unset(&self) -> bool {
        self.is_null() || self.truth() == Some(false) || self.is_empty_list()
    }

    /// A list without items, which says the same as leaving the key out.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(&self.value, Value::Sequence(items) if items.is_empty())
    }

    /// Is this single value.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.value, Value::Scalar { text, .. } if text == word)
    }

    /// The text of a single value.
    pub(super) fn text<'a>(&'a self, what: &str, report: &mut Report) -> Option<&'a str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => {
                let found = self.shape();
                report.refuse(self.at, format_args!("{what} must be a text, not {found}; write one value here"));
                None
            }
        }
    }

    /// A truth value as the YAML reader of Tetragon takes it, which follows YAML 1.1.
    fn truth(&self) -> Option<bool> {
        let Value::Scalar { text, plain: true } = &self.value else {
            return None;
        };
        match text.as_str() {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "y" | "Y" | "on" | "On" | "ON" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "n" | "N" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, what: &str, report: &mut Report) -> Option<bool> {
        if let Some(truth) = self.truth() {
            return Some(truth);
        }
        report.refuse(self.at, format_args!("{what} must be `true` or `false`, without quotes; write one of them"));
        None
    }

    /// How a number is written here: without quotes, YAML reads it already.
    pub(super) fn notation(&self, in_quotes: Notation) -> Notation {
        if matches!(&self.value, Value::Scalar { plain: true, .. }) { Notation::Prefixed } else { in_quotes }
    }

    /// A number that is not negative.
    pub(super) fn number(&self, what: &str, report: &mut Report) -> Option<u64> {
        let text = self.text(what, report)?;
        let number = number::parse(text);
        if number.is_none() {
            let text = quoted(text);
            report.refuse(self.at, format_args!("{what} {text} is not a number; {}", number::ADVICE));
        }
        number
    }

    /// One of these names, whose other half is returned.
    pub(super) fn choice<T: Copy>(&self, what: &str, known: &[(&str, T)], report: &mut Report) -> Option<T> {
        let name = self.text(what, report)?;
        let found = known.iter().find(|(known, _)| *known == name);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            refuse_unknown(self.at, what, name, names.iter().copied(), &names, report);
        }
        found.map(|(_, value)| *value)
    }

    /// The items of a list of at least one and at most `limit`.
    pub(super) fn filled_items(&self, what: &str, limit: usize, report: &mut Report) -> &[Self] {
        if self.is_empty_list() {
            report.refuse(self.at, format_args!("{what} is empty; name at least one"));
        }
        self.items(what, limit, report)
    }

    /// The items of a list of at most `limit`.
    pub(super) fn items(&self, what: &str, limit: usize, report: &mut Report) -> &[Self] {
        let Value::Sequence(items) = &self.value else {
            let found = self.shape();
            report.refuse(self.at, format_args!("{what} must be a list, not {found}; begin each item with `- `"));
            return &[];
        };
        if let Some(first_too_many) = items.get(limit) {
            let count = items.len();
            report.refuse(
                first_too_many.at,
                format_args!("{what} has {count} items, but at most {limit} are possible; remove or split"),
            );
        }
        items
    }

    fn shape(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Refuses a key that is missing or has another value.
pub(super) fn check_constant(document: &Node, fields: &Fields<'_>, key: &str, wanted: &str, report: &mut Report) {
    let Some(node) = fields.get(key) else {
        report.refuse(document.at, format_args!("`{key}` is missing; add `{key}: {wanted}`"));
        return;
    };
    if let Some(found) = node.text(&format!("`{key}`"), report)
        && found != wanted
    {
        let found = quoted(found);
        report.refuse(node.at, format_args!("`{key}` {found} is not supported; write `{key}: {wanted}`"));
    }
}

/// Refuses a name, proposing the nearest of `all`, or else listing `offered`.
pub(super) fn refuse_unknown<'a>(
    at: Position,
    what: &str,
    name: &str,
    all: impl IntoIterator<Item = &'a str>,
    offered: &[&str],
    report: &mut Report,
) {
    let advice = match nearest(name, all) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None => format!("use one of {}", listed(offered.iter().copied())),
    };
    report.refuse(at, format_args!("unknown {what} {}; {advice}", quoted(name)));
}

/// The candidate that a typing error may have turned into `name`.
fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let wanted = name.to_lowercase();
    let tolerance = (wanted.chars().count() / 2).min(MAX_TYPING_ERRORS);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: insertions, deletions and replacements of characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
