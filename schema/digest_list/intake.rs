//! What a format finds in a list: digests, what was meant to be one and cannot be used, and what is something else.

use super::names::{Found, shortened};
use super::store::{Store, Test};
use anyhow::{Error, Result, anyhow};
use std::collections::BTreeMap;

/// What cannot be used and is told one by one, for each list.
const TOLD_MAX: usize = 10;
/// Spans of lines that are told, and kinds of things.
const SPANS_MAX: usize = 1000;
const KINDS_MAX: usize = 100;

/// What a list holds that is no digest of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the list.
    pub list: String,
    /// What it is.
    pub kind: String,
    /// How many there are.
    pub count: usize,
    /// Where, as spans.
    pub lines: String,
}

/// Takes what cannot be used, as it is found.
pub trait Faults {
    /// Takes an error with its list and line.
    fn tell(&self, error: &Error);
}

/// Takes what stands in one list.
pub(super) struct Intake<'a> {
    list: &'a str,
    store: &'a mut Store,
    /// Which digests are held; all where it is none.
    only: Option<Test<'a>>,
    faults: &'a dyn Faults,
    /// Entries with a digest.
    taken: usize,
    unusable: usize,
    last_line: u64,
    /// Where what cannot be used stands that is not told one by one.
    more: Spans,
    left_out: BTreeMap<String, Spans>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(list: &'a str, store: &'a mut Store, only: Option<Test<'a>>, faults: &'a dyn Faults) -> Self {
        Self {
            list,
            store,
            only,
            faults,
            taken: 0,
            unusable: 0,
            last_line: 0,
            more: Spans::default(),
            left_out: BTreeMap::new(),
        }
    }

    /// Takes the digests of one entry.
    ///
    /// # Errors
    /// When no more can be taken.
    pub(super) fn take(&mut self, line: u64, found: &[Found], label: &str) -> Result<()> {
        self.last_line = line;
        self.taken += 1;
        self.store.take(found, label, self.only)
    }

    /// Something cannot be used, wholly or in part.
    pub(super) fn fault(&mut self, line: u64, fault: &str) {
        self.last_line = line;
        self.unusable += 1;
        if self.unusable <= TOLD_MAX {
            self.faults.tell(&anyhow!("{}:{line}: {fault}", self.list));
        } else {
            self.more.add(line);
        }
    }

    /// Something is no digest of a file.
    pub(super) fn leave_out(&mut self, line: u64, kind: &str) {
        self.last_line = line;
        let kind = &shortened(kind);
        let is_known = self.left_out.contains_key(kind);
        let kind = if is_known || self.left_out.len() < KINDS_MAX { kind } else { "other things" };
        self.left_out.entry(kind.to_owned()).or_default().add(line);
    }

    /// What could not be used, and what was left out. With an error, the rest of the list could not be read.
    pub(super) fn finish(mut self, error: Option<Error>) -> (usize, Vec<LeftOut>) {
        let Self { list, faults, .. } = self;
        if self.more.count > 0 {
            faults.tell(&anyhow!("{list}: {} more line(s) cannot be used: {}", self.more.count, self.more.text()));
        }
        if let Some(error) = error {
            self.unusable += 1;
            let place = format!("{list}:{}: what comes after this line could not be read", self.last_line);
            faults.tell(&error.context(place));
        } else if self.taken == 0 && self.unusable == 0 {
            self.unusable += 1;
            faults.tell(&anyhow!("{list}: there is no digest in it"));
        }
        let left_out = self.left_out.into_iter().map(|(kind, spans)| LeftOut {
            list: list.to_owned(),
            kind,
            count: spans.count,
            lines: spans.text(),
        });
        (self.unusable, left_out.collect())
    }
}

/// Numbers of lines in their order, neighbours as one span.
#[derive(Debug, Default)]
struct Spans {
    spans: Vec<(u64, u64)>,
    count: usize,
}

impl Spans {
    fn add(&mut self, line: u64) {
        self.count += 1;
        let is_full = self.spans.len() > SPANS_MAX;
        match self.spans.last_mut() {
            Some((_, last)) if *last == line || *last + 1 == line => *last = line,
            _ if is_full => {}
            _ => self.spans.push((line, line)),
        }
    }

    fn text(&self) -> String {
        let text =
            |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
        let mut spans: Vec<String> = self.spans.iter().take(SPANS_MAX).map(text).collect();
        if self.spans.len() > SPANS_MAX {
            spans.push("and later ones".to_owned());
        }
        spans.join(", ")
    }
}
