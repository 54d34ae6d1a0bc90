//! Which acts are meant: by hook, process, user and the texts of an event.

use super::text_filter::TextFilter;

/// What is empty asks for nothing; all of the rest must be met.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActFilter {
    pub(crate) hooks: Vec<String>,
    pub(crate) pids: Vec<i64>,
    /// In nanoseconds since boot: with it a pid is one process of a boot.
    pub(crate) process_starts: Vec<i64>,
    pub(crate) uids: Vec<i64>,
    pub(crate) texts: Vec<TextFilter>,
}

impl ActFilter {
    /// Whether nothing is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.hooks.is_empty()
            && self.pids.is_empty()
            && self.process_starts.is_empty()
            && self.uids.is_empty()
            && self.texts.is_empty()
    }

    /// Without what is asked of one column, and whether anything was.
    pub(crate) fn without(mut self, column: &str) -> (Self, bool) {
        let all = self.texts.len();
        self.texts.retain(|text| text.column != column);
        let is_less = self.texts.len() < all;
        (self, is_less)
    }
}
