//! What one list of known files was asked, and what it can tell.

use super::recorded::{Digests, Recorded};
use hashtrail::digest::plain_name;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A list, in whichever form.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) name: String,
    /// Its bit of each digest.
    pub(super) bit: u64,
    /// Algorithms that its digests are of.
    pub(super) algorithms: BTreeSet<String>,
    /// Those of which each of its files has one: only by these can it be said that it has not a file.
    pub(super) whole: BTreeSet<String>,
    /// Of how many digests that it does not have it has one nevertheless, as it seems.
    pub(super) false_one_in: Option<u64>,
}

impl List {
    pub(super) fn is_of(&self, bits: u64) -> bool {
        bits & self.bit != 0
    }

    /// Whether it could say of each digest of an algorithm that it is not in it.
    pub(super) fn can_deny(&self, algorithm: &str) -> bool {
        self.whole.contains(&plain_name(algorithm))
    }

    /// As the summary has it.
    pub(super) fn to_json(&self, recorded: &Recorded) -> Value {
        let of_algorithm = |(algorithm, digests): (&str, &Digests)| {
            json!({
                "algorithm": algorithm, "digests": digests.len(), "compared": self.algorithms.contains(algorithm),
                "found": digests.values().filter(|bits| self.is_of(**bits)).count(),
            })
        };
        let recorded: Vec<Value> = recorded.algorithms().map(of_algorithm).collect();
        json!({
            "list": self.name, "algorithms": self.algorithms, "algorithms_of_each_file": self.whole,
            "false_one_in": self.false_one_in, "recorded": recorded,
        })
    }

    /// What is to be said of it.
    pub(super) fn notes(&self, recorded: &Recorded) -> Vec<String> {
        let note = |(algorithm, digests): (&str, &Digests)| {
            let Self { name, .. } = self;
            let found = digests.values().filter(|bits| self.is_of(**bits)).count();
            let (all, kinds) = (digests.len(), self.algorithms.iter().cloned().collect::<Vec<_>>().join(", "));
            let text = format!("{name}: has {found} of {all} recorded digest(s) of {algorithm}");
            if !self.algorithms.contains(algorithm) {
                let kinds = if kinds.is_empty() { "nothing" } else { &kinds };
                format!(
                    "{name}: has {kinds}, so that {all} recorded digest(s) of {algorithm} are neither known nor unknown to it"
                )
            } else if !self.whole.contains(algorithm) {
                format!(
                    "{text}; not each of its files has one of {algorithm}, so that the others are neither known nor unknown"
                )
            } else if let Some(one_in) = self.false_one_in {
                format!("{text}, of which 1 in {one_in} digests that are not in it seems to be")
            } else {
                text
            }
        };
        recorded.algorithms().map(note).collect()
    }
}
