//! What lists say of one digest.

use super::list::List;
use serde_json::{Value, json};

/// What they say, and which of them.
pub(super) struct Mark<'a> {
    state: State,
    /// The lists that have it.
    lists: Vec<&'a str>,
    /// The lists that can neither have it nor not: other algorithms.
    not_compared: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Known,
    /// A filter has it, as it has one in so many others.
    Probably(u64),
    /// No list that could be compared has it.
    Unlisted,
    /// No list could be compared.
    Undecided,
}

impl State {
    /// Each kind of it.
    pub(super) const ALL: [Self; 4] = [Self::Known, Self::Probably(0), Self::Unlisted, Self::Undecided];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Probably(_) => "probably_known",
            Self::Unlisted => "unlisted",
            Self::Undecided => "undecided",
        }
    }
}

impl<'a> Mark<'a> {
    /// Of a digest, by the lists that have it; `None` where they were not asked for it.
    pub(super) fn of(lists: &'a [List], algorithm: &str, bits: Option<u64>) -> Self {
        let bits_or_none = bits.unwrap_or(0);
        let having = || lists.iter().filter(|list| list.is_of(bits_or_none));
        let open = |list: &&List| !list.is_of(bits_or_none) && (bits.is_none() || !list.can_deny(algorithm));
        let not_compared: Vec<&str> = lists.iter().filter(open).map(|list| list.name.as_str()).collect();
        let state = if having().any(|list| list.false_one_in.is_none()) {
            State::Known
        } else if let Some(one_in) = having().filter_map(|list| list.false_one_in).max() {
            State::Probably(one_in)
        } else if not_compared.len() < lists.len() {
            State::Unlisted
        } else {
            State::Undecided
        };
        Self { state, lists: having().map(|list| list.name.as_str()).collect(), not_compared }
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { state, lists, not_compared } = self;
        let one_in = if let State::Probably(one_in) = state { Some(one_in) } else { None };
        json!({"state": state.name(), "lists": lists, "false_one_in": one_in, "not_compared": not_compared})
    }

    /// In words, for a cell.
    pub(super) fn text(&self) -> String {
        let state = match self.state {
            State::Known => "known".to_owned(),
            State::Probably(one_in) => format!("probably known, 1 in {one_in} false"),
            State::Unlisted => "unlisted".to_owned(),
            State::Undecided => "undecided".to_owned(),
        };
        match (&self.lists[..], &self.not_compared[..]) {
            ([], []) => state,
            ([], not_compared) => format!("{state} ({} not compared)", not_compared.join(", ")),
            (lists, _) => format!("{state} ({})", lists.join(", ")),
        }
    }
}
