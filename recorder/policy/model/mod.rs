//! What a policy asks for, checked and without its YAML.

mod filter;
mod hook;
mod value;

use std::sync::Arc;

pub(crate) use filter::*;
pub(crate) use hook::*;
pub(crate) use value::*;

/// Most entries of one hook over all policies: one bit each in the kernel.
pub(crate) const MAX_ENTRIES_OF_HOOK: usize = 64;

/// Most filters on texts over all policies: one bit each in the kernel.
pub(crate) const MAX_TEXT_FILTERS: usize = 256;

/// Most `matchPIDs` filters with `followForks` over all policies: one bit each in the kernel.
pub(crate) const MAX_FAMILIES: usize = 64;

/// One policy document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Policy {
    /// `metadata.name`.
    pub(crate) name: String,
    /// The file it stands in, or `built-in`.
    pub(crate) source: String,
    /// The whole text of that file, kept as evidence; all policies of the file share it.
    pub(crate) text: Arc<str>,
    /// Its hook entries, in the order of the file.
    pub(crate) hooks: Vec<HookEntry>,
    /// `policy-mode: monitor`: denials and signals are only noted, even with `--enforce`.
    pub(crate) monitor: bool,
    /// Each use of a key under `hashtrail:`, with its line. The filters alone do not tell: `fileTypes` and `FileType`
    /// are one.
    pub(crate) extensions: Vec<String>,
    /// Remarks that do not keep it from being used, each with file and line.
    pub(crate) warnings: Vec<String>,
}

/// One entry under `lsmhooks`. Each is evaluated on its own, also when a hook occurs twice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HookEntry {
    /// The hook.
    pub(crate) hook: Hook,
    /// Line of the entry.
    pub(crate) line: usize,
    /// The argument that names the file of a hook without a program of its own, where one is listed.
    pub(crate) file: Option<Arc<NamedFile>>,
    /// The listed values that are no files.
    pub(crate) values: Vec<Arc<Value>>,
    /// `data` is listed.
    pub(crate) has_data: bool,
    /// A text for people, at most 256 characters.
    pub(crate) message: Option<String>,
    /// At most 16 words for people.
    pub(crate) tags: Vec<String>,
    /// The first that matches decides. Empty: every call is recorded, without digest.
    ///
    /// What the entry's own `hashtrail:` says stands here already: its filters in each selector, and
    /// `recordByDefault` as a last selector without filters.
    pub(crate) selectors: Vec<Selector>,
}

/// Filters that must all match, and what is then done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Selector {
    /// Line of the selector.
    pub(crate) line: usize,
    /// Its name in counters.
    pub(crate) label: Option<String>,
    /// All must match; empty matches everything.
    pub(crate) filters: Vec<Filter>,
    /// What is done on a match.
    pub(crate) action: Action,
}

/// What is done when a selector matches.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Action {
    /// Record the event.
    pub(crate) post: bool,
    /// Ask IMA for the file's digest; never without `post`.
    pub(crate) ima_hash: bool,
    /// Events that equal one within this time are not posted.
    pub(crate) rate_limit: Option<RateLimit>,
    /// One row for each file (and process) and digest within this time.
    pub(crate) dedupe: Option<Dedupe>,
    /// `Override`: what the hook returns, -4095 to 0.
    pub(crate) error: Option<i32>,
    /// `Signal` or `Sigkill`: what the calling process gets.
    pub(crate) signal: Option<u8>,
}

impl Action {
    /// What is done where a selector names no action.
    pub(crate) const POST: Self =
        Self { post: true, ima_hash: false, rate_limit: None, dedupe: None, error: None, signal: None };
}

impl HookEntry {
    /// Whether each selector has a filter that needs no path, so that a call can be refused before there is one.
    pub(crate) fn can_be_refused_early(&self) -> bool {
        let is_early = |filter: &Filter| matches!(filter.stage(), filter::Stage::Number);
        !self.selectors.is_empty() && self.selectors.iter().all(|selector| selector.filters.iter().any(is_early))
    }
}

impl Selector {
    /// Whether the file is hashed, for the row or for a filter.
    pub(crate) fn needs_digest(&self) -> bool {
        self.action.ima_hash || self.filters.iter().any(|filter| matches!(filter, Filter::Digest { .. }))
    }
}

/// `rateLimit` of `Post`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RateLimit {
    /// Nanoseconds.
    pub(crate) window_ns: u64,
    /// Within what events are compared.
    pub(crate) scope: LimitScope,
}

/// `rateLimitScope`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LimitScope {
    /// One thread.
    Thread,
    /// One process.
    Process,
    /// The whole host.
    Global,
}

/// `hashtrail: dedupe`. The file is always part of the key, so that A→B→A is never merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Dedupe {
    /// Nanoseconds.
    pub(crate) window_ns: u64,
    /// Whether each process counts for itself.
    pub(crate) by_process: bool,
}
