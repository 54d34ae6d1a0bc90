//! `report`: one page that a responder reads and a court keeps: what was asked, what was found, what is not known, and the command
//! that shows each number again. It asks the questions of `investigate/` and writes what they find as HTML.

mod chosen;
mod command_line;
mod commands;
mod gather;
mod html;
mod lines;
mod page;
mod scale;
mod sections;
mod spans;
mod tally;

pub(crate) use gather::Findings;

use crate::archives::Scope;
use crate::evidence::verify::{Anchors, Verification};
use hashtrail::cell::Micros;
use hashtrail::digest_list::Wanted;
use std::path::PathBuf;

/// What a report is about.
pub(crate) struct ReportQuestion<'a> {
    pub(crate) scope: &'a Scope,
    /// Paths or globs; none asks about all files.
    pub(crate) paths: &'a [String],
    /// Words of verdicts; none asks for all changes.
    pub(crate) verdicts: &'a [String],
    /// Contents that lists name.
    pub(crate) known_bad: Option<KnownBad<'a>>,
    /// What `verify` found of each archive; `None` where it was not asked.
    pub(crate) verified: Option<Verified<'a>>,
    /// Changes that are shown, at most.
    pub(crate) most: Option<usize>,
}

impl ReportQuestion<'_> {
    /// Tests whether a list names a digest.
    fn is_listed(&self) -> impl Fn(&str) -> bool {
        let test = self.known_bad.as_ref().map(|known_bad| known_bad.wanted.test());
        move |digest| test.as_ref().is_some_and(|test| test(digest))
    }
}

/// Lists of digests.
pub(crate) struct KnownBad<'a> {
    pub(crate) files: &'a [PathBuf],
    pub(crate) wanted: Wanted,
}

/// Archives by their names, with what vouches for them.
pub(crate) struct Verified<'a> {
    pub(crate) found: Vec<(String, Verification)>,
    pub(crate) anchors: Anchors,
    /// As they were given.
    pub(crate) key: Option<&'a str>,
    pub(crate) lists: &'a [PathBuf],
}

impl Verified<'_> {
    pub(crate) fn is_good(&self) -> bool {
        !self.found.is_empty() && self.found.iter().all(|(_, found)| found.is_good())
    }
}

/// The page of what was found, written at a time, which stands in it once.
pub(crate) fn page(question: &ReportQuestion<'_>, findings: &Findings<'_>, written: Micros) -> String {
    page::of(question, findings, written)
}
