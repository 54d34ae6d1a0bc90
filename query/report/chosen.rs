//! Which changes a report shows: those that say most, as many as a page can hold.

use crate::investigate::changes::Investigated;
use crate::investigate::people::People;
use crate::investigate::who::{Case, Most};
use crate::suspects::attribution::Attribution;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What is kept of each.
const MOST: Most = Most { writers: 6, acts: 6 };
/// Verdicts that say how a file got its content, and nothing of what it is.
pub(super) const PLAIN: [&str; 3] = ["changed_in_place", "replaced", "script"];

/// How much a change says; of two that say as much the earlier one is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// Nothing of the others.
    Plain,
    /// It is not known who made it, or its interval has gaps or doubts.
    Unexplained,
    /// It has a verdict that says more than how the file got its content.
    Telling,
    /// A list names its old or new content.
    KnownBad,
}

impl Worth {
    pub(super) const ALL: [Self; 4] = [Self::KnownBad, Self::Telling, Self::Unexplained, Self::Plain];

    pub(super) fn of(one: &Investigated<'_>, is_known_bad: bool) -> Self {
        let is_telling = |word: &str| !PLAIN.contains(&word);
        if is_known_bad {
            Self::KnownBad
        } else if one.verdicts.iter().flatten().any(|verdict| is_telling(verdict.word)) {
            Self::Telling
        } else if one.attribution != Some(Attribution::Suspects)
            || !one.gaps.is_empty()
            || !one.change.doubts.is_empty()
        {
            Self::Unexplained
        } else {
            Self::Plain
        }
    }

    /// Which changes these are.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::KnownBad => "with a known-bad content",
            Self::Telling => "with a verdict beyond how the content came there",
            Self::Unexplained => "whose writer, interval or digests are in doubt",
            Self::Plain => "others",
        }
    }
}

/// The changes that are shown.
#[derive(Default)]
pub(super) struct Chosen {
    most: usize,
    /// The number says in which order they came.
    kept: BTreeMap<(Reverse<Worth>, usize), Case>,
    /// All that there were, by their worth.
    counts: BTreeMap<Worth, usize>,
    came: usize,
}

impl Chosen {
    pub(super) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Takes a change if it says more than one that was kept.
    pub(super) fn take(&mut self, one: &Investigated<'_>, worth: Worth, people: &People) {
        *self.counts.entry(worth).or_default() += 1;
        let place = (Reverse(worth), self.came);
        self.came += 1;
        let is_full = self.kept.len() >= self.most;
        if is_full && self.kept.last_key_value().is_none_or(|(last, _)| *last < place) {
            return;
        }
        self.kept.insert(place, Case::of(one, people, &MOST));
        if is_full {
            self.kept.pop_last();
        }
    }

    /// The changes that are shown, those that say most first.
    pub(super) fn finish(self) -> Shown {
        let (worths, cases) = self.kept.into_iter().map(|((Reverse(worth), _), case)| (worth, case)).unzip();
        Shown { cases, worths, counts: self.counts }
    }
}

/// Changes by how much they say.
pub(super) struct Shown {
    pub(super) cases: Vec<Case>,
    /// That of each.
    pub(super) worths: Vec<Worth>,
    /// All that there were.
    pub(super) counts: BTreeMap<Worth, usize>,
}
