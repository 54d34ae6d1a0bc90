//! What the text of one column must be.

use super::patterns::PathPatterns;
use anyhow::Result;
use hashtrail::escape::escape;

/// A test on one column; a row that has no text there fails it.
#[derive(Debug, Clone)]
pub(crate) struct TextFilter {
    pub(crate) column: &'static str,
    wanted: Wanted,
}

/// Any of these.
#[derive(Debug, Clone)]
enum Wanted {
    Paths(PathPatterns),
    Names(Vec<String>),
    Beginnings(Vec<String>),
}

impl TextFilter {
    /// Paths and globs.
    ///
    /// # Errors
    /// When one is neither.
    pub(crate) fn of_paths(column: &'static str, patterns: &[String]) -> Result<Self> {
        Ok(Self { column, wanted: Wanted::Paths(PathPatterns::new(patterns)?) })
    }

    /// Names, also as our own output escapes them.
    pub(crate) fn of_names(column: &'static str, names: &[String]) -> Self {
        Self { column, wanted: Wanted::Names(names.to_vec()) }
    }

    /// What begins so, as ids that are cut.
    pub(crate) fn of_beginnings(column: &'static str, beginnings: &[String]) -> Self {
        Self { column, wanted: Wanted::Beginnings(beginnings.to_vec()) }
    }

    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.wanted {
            Wanted::Paths(patterns) => patterns.is_empty(),
            Wanted::Names(texts) | Wanted::Beginnings(texts) => texts.is_empty(),
        }
    }

    /// Whether the text passes.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match &self.wanted {
            Wanted::Paths(patterns) => patterns.matches(text),
            Wanted::Names(names) => {
                names.iter().any(|name| name == text || (name.contains('\\') && escape(text) == *name))
            }
            Wanted::Beginnings(beginnings) => beginnings.iter().any(|beginning| text.starts_with(beginning)),
        }
    }

    /// What is meant beside the texts.
    pub(crate) fn notes(&self) -> Vec<String> {
        match &self.wanted {
            Wanted::Paths(patterns) => patterns.notes().collect(),
            Wanted::Names(_) | Wanted::Beginnings(_) => Vec::new(),
        }
    }
}
