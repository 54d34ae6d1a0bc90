//! What is wrong in one policy file, each finding with its place.

use std::fmt::Display;

/// More findings than this are counted, not listed.
const MAX_FAULTS: usize = 100;

/// Longest piece of a policy's text that a message repeats, in characters.
const MAX_QUOTED: usize = 100;

/// A place in a policy file, both counted from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Position {
    /// Line.
    pub(super) line: usize,
    /// Column, in characters.
    pub(super) column: usize,
}

impl Position {
    /// The beginning of a file.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// Collects what is refused in one file, so that one run shows all of it.
#[derive(Debug)]
pub(super) struct Report {
    source: String,
    faults: Vec<(Position, String)>,
    hidden_faults: usize,
    warnings: Vec<String>,
}

impl Report {
    /// An empty report about the file `source`.
    pub(super) fn new(source: &str) -> Self {
        Self { source: escaped(source), faults: Vec::new(), hidden_faults: 0, warnings: Vec::new() }
    }

    /// Adds a reason to refuse the file.
    pub(super) fn refuse(&mut self, at: Position, reason: impl Display) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push((at, self.located(at, reason)));
        } else {
            self.hidden_faults += 1;
        }
    }

    /// Adds a remark that does not keep the file from being used.
    pub(super) fn warn(&mut self, at: Position, remark: impl Display) {
        if self.warnings.len() < MAX_FAULTS {
            self.warnings.push(self.located(at, remark));
        }
    }

    /// How many reasons to refuse the file were found.
    pub(super) fn fault_count(&self) -> usize {
        self.faults.len() + self.hidden_faults
    }

    /// The warnings so far; they belong to the policy just read.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// All reasons to refuse the file, in the order of its lines.
    pub(super) fn into_faults(mut self) -> Vec<String> {
        self.faults.sort_by_key(|(at, _)| *at);
        let mut faults: Vec<String> = self.faults.into_iter().map(|(_, fault)| fault).collect();
        if self.hidden_faults > 0 {
            faults.push(format!("{}: and {} more", self.source, self.hidden_faults));
        }
        faults
    }

    fn located(&self, at: Position, text: impl Display) -> String {
        format!("{}:{}:{}: {text}", self.source, at.line, at.column)
    }
}

/// A piece of a policy in backticks, safe for a terminal and of bounded length.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("`{}...`", escaped(&text[..end])),
        None => format!("`{}`", escaped(text)),
    }
}

/// Names in backticks, separated by commas.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    names.join(", ")
}

/// Text in which control, bidi and other invisible characters are shown as escapes: a policy file
/// may come from the host under suspicion.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' => result.push(character),
            _ => result.extend(character.escape_debug()),
        }
    }
    result
}
