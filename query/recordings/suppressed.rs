//! Which rows that the policies' own rate limits and merges stopped can be missing from an answer.

use crate::recordings::Loss;
use crate::recordings::coverage::Coverage;
use hashtrail::hooks::{self, has_digest, is_exec, is_open};

/// What an answer is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Digests, and who can have changed a file.
    Changes,
    /// Who can have changed a file.
    Writers,
    /// Digests, and how often they ran.
    Versions,
    /// All of these.
    Everything,
    /// Which processes there were, and what they ran.
    Processes,
}

/// Causes in the ledger. What a filter on the digest left out, no policy asked for.
const RATE_LIMIT: &str = "rate_limit";
const DEDUPE: &str = "dedupe";
/// Forks without a row.
const FORK: &str = "fork";

/// Whether this is the cause of rows that were stopped.
pub(crate) fn is_suppressed(cause: &str) -> bool {
    [RATE_LIMIT, DEDUPE].contains(&cause)
}

impl Answer {
    /// Whether rows that were stopped can be missing: the ledger counts them for all hooks in one.
    pub(crate) fn can_miss(self, suppressed: &Loss, coverage: &Coverage) -> bool {
        let cause = suppressed.cause.as_str();
        let needs = |hook: &str| self.needs(cause, hook);
        is_suppressed(cause) && coverage.suppresses(cause, needs, suppressed.from_ns, suppressed.to_ns)
    }

    /// Whether it needs what the kernel skipped and no answer about contents and writers does.
    pub(crate) fn needs_skipped(self, skipped: &Loss) -> bool {
        self == Self::Processes && skipped.cause == FORK
    }

    /// A rate limit does not look at the digest, so it can hide anything. Merged rows have the file and digest of one
    /// before: no content is missing, but an exec, or an open for writing that left it for later.
    fn needs(self, cause: &str, hook: &str) -> bool {
        match (self, cause) {
            (Self::Changes, RATE_LIMIT) => has_digest(hook) || can_change_content(hook),
            (Self::Writers, RATE_LIMIT) => can_change_content(hook),
            (Self::Versions, RATE_LIMIT) => has_digest(hook),
            (Self::Versions | Self::Processes, _) => is_exec(hook),
            (Self::Changes | Self::Writers, _) => is_open(hook),
            (Self::Everything, _) => Self::Changes.needs(cause, hook) || Self::Versions.needs(cause, hook),
        }
    }
}

fn can_change_content(hook: &str) -> bool {
    hooks::CHANGES.concat().contains(&hook) || hook == hooks::FILE_TRUNCATE
}
