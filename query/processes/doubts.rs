//! What is not known of processes in an answer.

use super::family::Root;
use super::{ParentSource, Process};

/// How many of them.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    /// Their parent is not known.
    without_parent: usize,
    /// They ran already when a recording began.
    ran_before: usize,
    /// Their fork has no row although it ought to.
    without_fork: usize,
    /// They began in a tick of the clock, and other rows may have them exactly.
    in_ticks: usize,
}

impl Doubts {
    /// Takes a process that is part of the answer.
    pub(crate) fn count(&mut self, process: &Process, root: Option<Root>) {
        let is_later = process.parent.is_some_and(|parent| parent.source == ParentSource::Later);
        self.without_parent += usize::from(matches!(root, Some(Root::Unknown | Root::Circle)));
        self.ran_before += usize::from(is_later && process.ran_before);
        self.without_fork += usize::from(is_later && !process.ran_before);
        self.in_ticks += usize::from(process.is_in_ticks);
    }

    pub(crate) fn are_none(&self) -> bool {
        self.without_parent + self.ran_before + self.without_fork + self.in_ticks == 0
    }

    /// For the end of an answer.
    pub(crate) fn counts(&self) -> [(&'static str, usize); 4] {
        [
            ("without_parent", self.without_parent),
            ("ran_before", self.ran_before),
            ("without_fork", self.without_fork),
            ("starts_in_ticks", self.in_ticks),
        ]
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        const ADOPTED: &str = "who stands above them may have got them from a parent that had ended";
        let counted = [
            (self.without_parent, "have a parent that is not known".to_owned()),
            (self.ran_before, format!("ran when a recording began: what they ran before is not known, and {ADOPTED}")),
            (self.without_fork, format!("have no row of their fork: {ADOPTED}")),
            (self.in_ticks, "have a start that is known to 10 ms only, and may stand twice".to_owned()),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        counted.map(|(count, what)| format!("not complete: {count} process(es) {what}"))
    }
}
