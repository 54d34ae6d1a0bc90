//! What is wrong in one policy file, each finding with its place.

use crate::btf::Kernel;
use crate::lists::Lists;
use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::rc::Rc;

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

/// What is counted beyond one hook entry.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Entries of each hook, over all policies.
    pub(super) entries: HashMap<String, usize>,
    /// Filters on texts, over all policies.
    pub(super) texts: usize,
    /// `matchPIDs` filters with `followForks`, over all policies.
    pub(super) families: usize,
    /// Hooks without a program of their own, over all policies.
    pub(super) other_hooks: BTreeSet<String>,
    /// Filters with `followChildren`, over all policies.
    pub(super) followed: usize,
    /// Values of `SubString` filters, in the policy that is being read.
    pub(super) substrings: usize,
    /// What `digests: {ioc: true}` takes its digests from.
    pub(super) lists: Rc<Lists>,
    /// The kernel's types, once one was asked for; the inner `None`: this machine has no BTF.
    kernel: OnceCell<Option<Kernel>>,
}

impl Totals {
    /// Nothing yet, and these lists.
    pub(super) fn with(lists: Rc<Lists>) -> Self {
        Self { lists, ..Self::default() }
    }

    /// The running kernel's types, where this machine has them.
    pub(super) fn kernel(&self) -> Option<&Kernel> {
        self.kernel.get_or_init(|| Kernel::read().ok()).as_ref()
    }
}

/// Collects what is refused in one file, so that one run shows all of it.
#[derive(Debug)]
pub(super) struct Report {
    /// What is counted beyond one hook entry.
    pub(super) totals: Totals,
    source: String,
    folder: PathBuf,
    extensions: Vec<String>,
    faults: Vec<(Position, String)>,
    hidden_faults: usize,
    warnings: Vec<String>,
}

impl Report {
    /// An empty report about the file at `path`, which goes on counting.
    pub(super) fn new(path: &Path, totals: Totals) -> Self {
        Self {
            totals,
            source: escaped(&path.to_string_lossy()),
            folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            extensions: Vec::new(),
            faults: Vec::new(),
            hidden_faults: 0,
            warnings: Vec::new(),
        }
    }

    /// The path of a file that the policy names; relative to the policy's own folder.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A place with its file.
    pub(super) fn place(&self, at: Position) -> String {
        format!("{}:{}", self.source, at.line)
    }

    /// Adds a reason to refuse the file.
    pub(super) fn refuse(&mut self, at: Position, reason: impl Display) {
        self.add_fault(at, located(&self.source, at, reason));
    }

    /// Adds a reason that stands in another file, which this one names at `at`.
    pub(super) fn refuse_in(&mut self, at: Position, file: &Path, there: Position, reason: impl Display) {
        self.add_fault(at, located(&escaped(&file.to_string_lossy()), there, reason));
    }

    /// A macro's fault is found once for each selector that uses it, and reported once.
    fn add_fault(&mut self, at: Position, fault: String) {
        if self.faults.iter().any(|(_, known)| *known == fault) {
            return;
        }
        if self.faults.len() < MAX_FAULTS {
            self.faults.push((at, fault));
        } else {
            self.hidden_faults += 1;
        }
    }

    /// Adds a remark that does not keep the file from being used.
    pub(super) fn warn(&mut self, at: Position, remark: impl Display) {
        let warning = located(&self.source, at, remark);
        if self.warnings.len() < MAX_FAULTS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Notes that a key under `hashtrail:` is used.
    pub(super) fn note_extension(&mut self, at: Position, key: &str) {
        let line = at.line;
        let extension = format!("`{key}` (line {line})");
        if !self.extensions.contains(&extension) {
            self.extensions.push(extension);
        }
    }

    /// The extensions so far; they belong to the policy just read.
    pub(super) fn take_extensions(&mut self) -> Vec<String> {
        std::mem::take(&mut self.extensions)
    }

    /// How many reasons to refuse the file were found.
    pub(super) fn fault_count(&self) -> usize {
        self.faults.len() + self.hidden_faults
    }

    /// The warnings so far; they belong to the policy just read.
    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// All reasons to refuse the file, in the order of its lines, and the counts for the next file.
    pub(super) fn finish(mut self) -> (Vec<String>, Totals) {
        self.faults.sort_by_key(|(at, _)| *at);
        let mut faults: Vec<String> = self.faults.into_iter().map(|(_, fault)| fault).collect();
        if self.hidden_faults > 0 {
            faults.push(format!("{}: and {} more", self.source, self.hidden_faults));
        }
        (faults, self.totals)
    }
}

fn located(source: &str, at: Position, text: impl Display) -> String {
    format!("{source}:{}:{}: {text}", at.line, at.column)
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
