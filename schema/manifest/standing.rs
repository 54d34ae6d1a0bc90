//! Which of the files that a manifest names stand in the tree: those that were merged into others do not.

use super::{CompactedFile, SealedFile};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

/// What the lines of a manifest say together about its files.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    files: HashMap<PathBuf, Known>,
    /// `compact` lines that do not fit to those before them, counted from 0, and why. They replace nothing.
    pub faults: Vec<(usize, String)>,
}

/// A file as its line has it.
#[derive(Debug, Clone)]
struct Known {
    file: SealedFile,
    /// Its line.
    line: usize,
    /// That, or the first one of those that it was made of.
    place: usize,
    /// The file that holds its rows since they were merged.
    merged_into: Option<PathBuf>,
    is_compacted: bool,
}

impl Standing {
    /// Reads the lines, in their order.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Map<String, Value>>) -> Self {
        let mut standing = Self::default();
        for (line, fields) in lines.into_iter().enumerate() {
            let read = || Value::Object(fields.clone());
            match fields.get("kind").and_then(Value::as_str) {
                Some("file") => {
                    if let Ok(file) = serde_json::from_value(read()) {
                        standing.add(file, line);
                    }
                }
                Some("compact") => match serde_json::from_value(read()) {
                    Ok(compacted) => standing.replace(compacted, line),
                    Err(error) => standing.faults.push((line, format!("it cannot be read: {error}"))),
                },
                _ => {}
            }
        }
        standing.settle();
        standing
    }

    /// Follows each file to the one in which its rows stand in the end. A chain can be as long as the manifest, so that of the
    /// later one is followed first.
    fn settle(&mut self) {
        let mut merged: Vec<(usize, PathBuf)> = Vec::new();
        for (path, known) in self.files.iter().filter(|(_, known)| known.merged_into.is_some()) {
            merged.push((known.line, path.clone()));
        }
        merged.sort_unstable_by(|left, right| right.cmp(left));
        for (_, path) in merged {
            let next = self.files.get(&path).and_then(|known| self.files.get(known.merged_into.as_ref()?));
            let last = next.and_then(|next| next.merged_into.clone());
            if let (Some(last), Some(known)) = (last, self.files.get_mut(&path)) {
                known.merged_into = Some(last);
            }
        }
    }

    fn add(&mut self, file: SealedFile, line: usize) {
        let known = Known { file, line, place: line, merged_into: None, is_compacted: false };
        self.take(known);
    }

    fn take(&mut self, known: Known) {
        // A path that is named twice is damage: what the first line says holds.
        if is_plain(&known.file.path) {
            self.files.entry(known.file.path.clone()).or_insert(known);
        }
    }

    fn replace(&mut self, compacted: CompactedFile, line: usize) {
        if let Err(fault) = self.check(&compacted) {
            self.faults.push((line, fault));
            return self.add(compacted.file, line);
        }
        let path = &compacted.file.path;
        let mut place = line;
        for input in &compacted.inputs {
            if let Some(known) = self.files.get_mut(&input.path) {
                known.merged_into = Some(path.clone());
                place = place.min(known.place);
            }
        }
        let file = compacted.file;
        self.take(Known { file, line, place, merged_into: None, is_compacted: true });
    }

    /// Whether a `compact` line can be true as far as the lines before it tell.
    fn check(&self, compacted: &CompactedFile) -> Result<(), String> {
        let CompactedFile { file, inputs, .. } = compacted;
        if self.files.contains_key(&file.path) {
            return Err(format!("`{}` was named before", file.path.display()));
        }
        if !is_plain(&file.path) || inputs.is_empty() {
            return Err("it names no file below the archive, or no inputs".to_owned());
        }
        let mut rows = 0_u64;
        let mut seen = HashSet::new();
        for input in inputs {
            let name = input.path.display();
            let Some(known) = self.files.get(&input.path) else {
                return Err(format!("no line before it names its input `{name}`"));
            };
            if known.file.content.sha256 != input.sha256 {
                return Err(format!("its input `{name}` was sealed with another digest"));
            }
            if known.merged_into.is_some() || !seen.insert(&input.path) {
                return Err(format!("its input `{name}` was merged before"));
            }
            if known.file.recording_id != file.recording_id || input.path.parent() != file.path.parent() {
                return Err(format!("its input `{name}` is of another recording or folder"));
            }
            rows = rows.saturating_add(known.file.rows);
        }
        if rows != file.rows {
            return Err(format!("its inputs have {rows} rows, it has {}", file.rows));
        }
        Ok(())
    }

    /// The file in which the rows of this one stand now, if they were merged.
    #[must_use]
    pub fn merged_into(&self, path: &Path) -> Option<&Path> {
        self.files.get(path)?.merged_into.as_deref()
    }

    /// Where a file stands in the order of sealing: its line, or the first one of those that it was made of.
    #[must_use]
    pub fn place(&self, path: &Path) -> Option<usize> {
        Some(self.files.get(path)?.place)
    }

    /// The sealed files that stand, in the order of sealing.
    #[must_use]
    pub fn files(&self) -> Vec<&SealedFile> {
        let mut files: Vec<&Known> = self.files.values().filter(|known| known.merged_into.is_none()).collect();
        files.sort_by(|left, right| (left.place, &left.file.path).cmp(&(right.place, &right.file.path)));
        files.into_iter().map(|known| &known.file).collect()
    }

    /// The files that segments were sealed to, with the digest of each and the file in which its rows stand now.
    pub fn origins(&self) -> impl Iterator<Item = (&SealedFile, &Path)> {
        let origins = self.files.values().filter(|known| !known.is_compacted);
        origins.map(|known| (&known.file, self.merged_into(&known.file.path).unwrap_or(&known.file.path)))
    }

    /// Those whose rows stand in others.
    pub fn merged(&self) -> impl Iterator<Item = &SealedFile> {
        self.files.values().filter(|known| known.merged_into.is_some()).map(|known| &known.file)
    }
}

/// Whether a path can only be below the archive.
fn is_plain(path: &Path) -> bool {
    !path.as_os_str().is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
}
