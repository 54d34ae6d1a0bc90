//! What is not known of processes in an answer.

use super::family::Root;
use super::life::Life;
use super::sight::Digest;
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
    /// Files that they ran, whose digests are doubtful.
    doubtful_digests: usize,
    /// Files that they ran, which have no digest though a policy asked for one.
    without_digest: usize,
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

    /// Takes what a process that is part of the answer ran; `is_lacking` says of status and reason whether a digest is missing.
    pub(crate) fn count_digests(&mut self, life: &Life, is_lacking: fn(&str, Option<&str>) -> bool) {
        for Digest { digest, status, reason, doubt, .. } in
            life.programs.iter().flat_map(|program| &program.files).map(|file| &file.digest)
        {
            self.doubtful_digests += usize::from(digest.is_some() && !doubt.is_empty());
            self.without_digest += usize::from(digest.is_none() && is_lacking(status, reason.as_deref()));
        }
    }

    pub(crate) fn are_none(&self) -> bool {
        self.counts().iter().all(|(_, count)| *count == 0)
    }

    /// For the end of an answer.
    pub(crate) fn counts(&self) -> [(&'static str, usize); 6] {
        [
            ("without_parent", self.without_parent),
            ("ran_before", self.ran_before),
            ("without_fork", self.without_fork),
            ("starts_in_ticks", self.in_ticks),
            ("programs_doubtful", self.doubtful_digests),
            ("programs_without_digest", self.without_digest),
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
        let files = [
            (self.doubtful_digests, "whose digest is doubtful: it may have been another content"),
            (self.without_digest, "without a digest, though a policy asked for one (`hashtrail events` says why)"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let counted = counted.map(|(count, what)| format!("not complete: {count} process(es) {what}"));
        let files = files.into_iter().filter(|(count, _)| *count > 0);
        counted
            .chain(files.map(|(count, what)| format!("not complete: {count} time(s) a file ran or was tried {what}")))
    }
}
