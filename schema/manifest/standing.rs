//! Which of the files that a manifest names stand in the tree: where files were merged into another one, either they do or that
//! one, never both.
//!
//! A `compact` line is written before its file is put in place, so the file decides: from the moment that it is there, the files
//! that it was made of do not count any more, and until then it does not. A merge that never came so far can be followed by
//! another one of the same files, which makes it void.

use super::line::is_plain;
use super::parse::shortened;
use super::{CompactedFile, Line, SealedFile};
use crate::archive::Archive;
use crate::reader::is_sealed_path;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What the lines of a manifest and the tree say together.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    files: HashMap<PathBuf, Known>,
    merges: Vec<Merge>,
    /// Sequence ranges and inputs that further merges may name: so many that each file can be merged several times, so few that
    /// no manifest takes long.
    budget: usize,
    /// `compact` lines that do not fit to those before them, counted from 0, and why. They replace nothing.
    pub faults: Vec<(usize, String)>,
}

/// A file as its line has it.
#[derive(Debug, Clone)]
struct Known {
    file: SealedFile,
    line: usize,
    /// The merge that it went into.
    into: Option<usize>,
    /// The merge that made it.
    made_by: Option<usize>,
}

#[derive(Debug, Clone)]
struct Merge {
    compacted: CompactedFile,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its file stands, and what it was made of does not.
    Done,
    /// Its file is not there, and what it was to be made of stands.
    Undone,
    /// As that; and a later merge has some of the same files.
    Void,
}

impl Standing {
    /// Reads the lines of an archive's manifest, in their order.
    pub fn in_tree(archive: &Archive, lines: &[Line]) -> Self {
        Self::of(lines.iter().map(Line::fields), &|file| {
            // A file of another size is not that file; whether one of the same size is, `verify` finds out.
            let metadata = fs::symlink_metadata(archive.root().join(&file.path));
            metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == file.content.size_bytes)
        })
    }

    /// Reads the lines, in their order; `is_there` says whether a file stands in the tree.
    pub fn of(lines: impl Iterator<Item = Map<String, Value>>, is_there: &dyn Fn(&SealedFile) -> bool) -> Self {
        let mut standing = Self::default();
        for (line, fields) in lines.enumerate() {
            let kind = fields.get("kind").and_then(Value::as_str).map(str::to_owned);
            let fields = Value::Object(fields);
            match kind.as_deref() {
                Some("file") => {
                    if let Ok(file) = serde_json::from_value::<SealedFile>(fields) {
                        standing.budget += MERGES_OF_A_FILE * (1 + file.sequences.len());
                        standing.take(file, line, None);
                    }
                }
                Some("compact") => match serde_json::from_value(fields) {
                    Ok(compacted) => standing.merge(compacted, line, is_there),
                    Err(error) => {
                        standing.faults.push((line, format!("it cannot be read: {}", shortened(&error.to_string()))))
                    }
                },
                _ => {}
            }
        }
        standing.settle(is_there);
        standing
    }

    fn take(&mut self, file: SealedFile, line: usize, made_by: Option<usize>) {
        // A path that is named twice is damage: what the first line says holds.
        if is_plain(&file.path) {
            self.files.entry(file.path.clone()).or_insert(Known { file, line, into: None, made_by });
        }
    }

    fn merge(&mut self, compacted: CompactedFile, line: usize, is_there: &dyn Fn(&SealedFile) -> bool) {
        if let Err(fault) = self.check(&compacted, is_there) {
            self.faults.push((line, fault));
            return self.take(compacted.file, line, None);
        }
        let number = self.merges.len();
        for input in &compacted.inputs {
            let before = self.files.get_mut(&input.path).and_then(|known| known.into.replace(number));
            if let Some(before) = before {
                self.merges[before].state = State::Void;
            }
        }
        self.take(compacted.file.clone(), line, Some(number));
        self.merges.push(Merge { compacted, state: State::Undone });
    }

    /// Whether a `compact` line can be true as far as the lines before it tell.
    fn check(&mut self, compacted: &CompactedFile, is_there: &dyn Fn(&SealedFile) -> bool) -> Result<(), String> {
        let CompactedFile { file, rows_sha256, inputs } = compacted;
        if self.files.contains_key(&file.path) {
            return Err(format!("`{}` was named before", file.path.display()));
        }
        if !is_plain(&file.path) || !is_sealed_path(&file.path) {
            return Err("it names no file of a table".to_owned());
        }
        let (mut known_inputs, mut seen) = (Vec::new(), HashSet::new());
        for input in inputs {
            let name = input.path.display();
            let Some(known) = self.files.get(&input.path) else {
                return Err(format!("no line before it names its input `{name}`"));
            };
            let left = self.budget.checked_sub(1 + known.file.sequences.len());
            self.budget = left.ok_or("the lines before it name the same files too often")?;
            if known.file.content.sha256 != input.sha256 {
                return Err(format!("its input `{name}` was sealed with another digest"));
            }
            let holder = known.into.map(|merge| &self.merges[merge]).filter(|merge| merge.state != State::Void);
            if known.made_by.is_some()
                || !seen.insert(&input.path)
                || holder.is_some_and(|holder| is_there(&holder.compacted.file))
            {
                return Err(format!("its input `{name}` was merged before"));
            }
            if input.path.parent() != file.path.parent() {
                return Err(format!("its input `{name}` is of another folder"));
            }
            known_inputs.push(&known.file);
        }
        let expected = CompactedFile::of(&known_inputs, file.path.clone(), rows_sha256.clone())
            .ok_or("it has no inputs, more rows than a merged file may have, or inputs of several recordings")?;
        if (SealedFile { content: file.content.clone(), ..expected.file }) != *file {
            return Err("it does not state what its inputs state together".to_owned());
        }
        Ok(())
    }

    /// Decides the state of each merge that is not void.
    fn settle(&mut self, is_there: &dyn Fn(&SealedFile) -> bool) {
        let input_is_there =
            |input: &super::Input| self.files.get(&input.path).is_some_and(|known| is_there(&known.file));
        let mut done = Vec::new();
        for (number, merge) in self.merges.iter().enumerate().filter(|(_, merge)| merge.state != State::Void) {
            // Where nothing of it is there, the one file is missing and not the many.
            if is_there(&merge.compacted.file) || !merge.compacted.inputs.iter().any(input_is_there) {
                done.push(number);
            }
        }
        for number in done {
            self.merges[number].state = State::Done;
        }
    }

    fn is_done(&self, merge: Option<usize>) -> bool {
        merge.is_some_and(|merge| self.merges[merge].state == State::Done)
    }

    fn stands(&self, known: &Known) -> bool {
        !self.is_done(known.into) && (known.made_by.is_none() || self.is_done(known.made_by))
    }

    /// Whether a line names this file, and its rows count elsewhere.
    #[must_use]
    pub fn is_replaced(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|known| !self.stands(known))
    }

    /// The file that holds the rows of this one now, if they were merged.
    #[must_use]
    pub fn holder(&self, path: &Path) -> Option<&Path> {
        let into = self.files.get(path)?.into.filter(|into| self.is_done(Some(*into)))?;
        Some(&self.merges[into].compacted.file.path)
    }

    /// Where a file stands in the order of sealing: its line, or the first one of those that it was made of.
    #[must_use]
    pub fn place(&self, path: &Path) -> Option<usize> {
        let known = self.files.get(path)?;
        let inputs = known.made_by.map(|merge| &self.merges[merge].compacted.inputs).into_iter().flatten();
        let lines = inputs.filter_map(|input| self.files.get(&input.path)).map(|input| input.line);
        Some(lines.min().unwrap_or(known.line))
    }

    /// The sealed files that stand, in the order of sealing.
    #[must_use]
    pub fn files(&self) -> Vec<&SealedFile> {
        let mut files: Vec<&SealedFile> =
            self.files.values().filter(|known| self.stands(known)).map(|known| &known.file).collect();
        files.sort_by_cached_key(|file| (self.place(&file.path), &file.path));
        files
    }

    /// Whether a segment was sealed to it.
    #[must_use]
    pub fn is_origin(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|known| known.made_by.is_none())
    }

    /// The files that segments were sealed to, with the file in which the rows of each stand now.
    pub fn origins(&self) -> impl Iterator<Item = (&SealedFile, &Path)> {
        let origins = self.files.values().filter(|known| known.made_by.is_none());
        origins.map(|known| (&known.file, self.holder(&known.file.path).unwrap_or(&known.file.path)))
    }

    /// What was merged, where the file stands.
    pub fn done(&self) -> impl Iterator<Item = &CompactedFile> {
        self.merges.iter().filter(|merge| merge.state == State::Done).map(|merge| &merge.compacted)
    }

    /// Merges that were cut short before their file was in place.
    pub fn undone(&self) -> impl Iterator<Item = &CompactedFile> {
        self.merges.iter().filter(|merge| merge.state == State::Undone).map(|merge| &merge.compacted)
    }

    /// A file as its line has it.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<&SealedFile> {
        Some(&self.files.get(path)?.file)
    }
}

/// How often a file may be named by merges that were cut short.
const MERGES_OF_A_FILE: usize = 16;
#[cfg(test)]
mod tests;
