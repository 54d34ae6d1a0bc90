//! The end of an answer: the last object of JSON, and on stderr what table and CSV cannot hold.

use crate::investigate::changes::FoundChanges;
use crate::output::problems::note;
use crate::output::{Format, Output, Row};
use crate::recordings::completeness::Completeness;
use anyhow::Result;
use serde_json::Value;
use std::collections::HashSet;

/// What stands there, in the order in which it is told.
pub(super) struct Tail {
    row: Row,
    notes: Vec<String>,
}

/// What an answer about changes counts.
pub(super) fn counts_of_changes(found: &FoundChanges) -> [(&'static str, usize); 5] {
    [
        ("changes", found.count),
        ("doubtful", found.completeness.doubtful),
        ("without_digest", found.completeness.without_digest),
        ("written_while_mapped", found.mapped_writes.count),
        ("mounted_over", found.mounted.len()),
    ]
}

impl Tail {
    /// Whether the answer is complete, with these counts.
    pub(super) fn new(completeness: &Completeness, counts: &[(&str, usize)]) -> Self {
        Self { row: completeness.to_json(counts), notes: Vec::new() }
    }

    /// Of changes, and of what was found beside them.
    pub(super) fn of_changes(found: &FoundChanges) -> Self {
        let FoundChanges { completeness, mapped_writes, mounted, observed, narrowed, .. } = found;
        Self::new(completeness, &counts_of_changes(found))
            .notes(mapped_writes.notes())
            .notes(mounted.notes())
            .told(observed.fields(), observed.notes())
            .told(narrowed.fields(), narrowed.notes())
            .complete_only_if(narrowed.is_whole())
            .notes(completeness.notes())
    }

    /// With these fields.
    pub(super) fn fields(mut self, fields: Row) -> Self {
        self.row.extend(fields);
        self
    }

    /// With these notes.
    pub(super) fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// With fields and what they say in words.
    pub(super) fn told(self, fields: Row, notes: impl IntoIterator<Item = String>) -> Self {
        self.fields(fields).notes(notes)
    }

    /// The answer lacks something that its recordings do not say.
    pub(super) fn complete_only_if(mut self, is_whole: bool) -> Self {
        if !is_whole {
            self.row.insert("complete".into(), false.into());
        }
        self
    }

    /// Ends the rows, and tells people what these do not show.
    pub(super) fn show(self, output: Output<'_>, format: Format) -> Result<()> {
        output.finish_with(&self.row)?;
        if format != Format::Json {
            self.say();
        }
        Ok(())
    }

    /// As `show`, where the rows are for another tool, which knows no summary.
    pub(super) fn show_notes_after(self, output: Output<'_>) -> Result<()> {
        output.finish()?;
        self.say();
        Ok(())
    }

    fn say(&self) {
        let is_complete = self.row.get("complete") == Some(&Value::Bool(true));
        let mut told = HashSet::new();
        // Each part of an answer may be complete by itself, and two may lack the same.
        let notes = self.notes.iter().filter(|text| is_complete || !text.starts_with("complete: "));
        notes.filter(|text| told.insert(text.as_str())).for_each(|text| note(text));
    }
}
