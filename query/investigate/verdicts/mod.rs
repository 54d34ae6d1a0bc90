//! What a change looks like: verdicts in one word and one sentence, each with the rows that it was read from.
//!
//! A verdict says what was recorded, never what somebody meant by it. Where a digest in the interval is doubtful, or something
//! of the interval was lost, what is said of the interval is a doubt. Without a verdict nothing is said.

mod acts;
mod elsewhere;
pub(crate) mod evidence;
mod file;
mod packages;
mod places;
mod runs;
mod scripts;
mod shells;

use crate::archives::Archives;
use crate::packages::Packages;
use crate::recordings::Recordings;
use crate::recordings::gaps::Gap;
use crate::suspects::Suspects;
use crate::versions::change::Change;
use anyhow::Result;
use elsewhere::{Elsewhere, Sights};
use evidence::Evidence;
use packages::Said;
use scripts::{Script, Scripts};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Looks for one verdict.
type Judge = fn(&Case<'_>) -> Option<Verdict>;

/// All verdicts with their words, in the order in which they are given.
const JUDGES: [(&str, Judge); 18] = [
    (file::CHANGED_IN_PLACE, file::changed_in_place),
    (file::REPLACED, file::replaced),
    (file::MTIME_SET_BACK, file::mtime_set_back),
    (file::SETUID_GAINED, file::setuid_gained),
    (file::SETGID_GAINED, file::setgid_gained),
    (acts::CAPABILITY_SET, acts::capability_set),
    (acts::CHANGED_WHILE_MAPPED, acts::changed_while_mapped),
    (places::SAME_CONTENT, places::same_content),
    (places::MASQUERADE, places::masquerade),
    (places::OTHER_ROOT, places::other_root),
    (places::OTHER_MOUNT_NAMESPACE, places::other_mount_namespace),
    (runs::RAN_FROM_MEMFD, runs::ran_from_memfd),
    (runs::RAN_DELETED, runs::ran_deleted),
    (runs::RAN_FROM_TMPFS, runs::ran_from_tmpfs),
    (runs::RAN_FROM_HIDDEN, runs::ran_from_hidden),
    (scripts::SCRIPT, scripts::script),
    (packages::UNPACKAGED, packages::unpackaged),
    (packages::NOT_THE_PACKAGES_DIGEST, packages::not_the_packages_digest),
];

/// The words of all verdicts.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    JUDGES.iter().map(|(word, _)| *word)
}

/// One thing that is said of a change.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) word: &'static str,
    pub(crate) says: String,
    /// What makes it a doubt; nothing of a claim.
    pub(crate) doubts: Vec<String>,
    pub(crate) evidence: Vec<Evidence>,
}

impl Verdict {
    /// The word, with a question mark where it is a doubt.
    pub(crate) fn short(&self) -> String {
        let mark = if self.doubts.is_empty() { "" } else { "?" };
        format!("{}{mark}", self.word)
    }

    /// As the contract has it.
    pub(crate) fn to_json(&self, recordings: &Recordings) -> Value {
        let evidence: Vec<Value> = self.evidence.iter().map(|row| row.to_json(recordings)).collect();
        json!({"verdict": self.word, "says": self.says, "doubts": self.doubts, "evidence": evidence})
    }
}

/// A change with all that verdicts on it are read from.
struct Case<'a> {
    change: &'a Change,
    suspects: &'a Suspects,
    recordings: &'a Recordings,
    elsewhere: Sights<'a>,
    script: Option<&'a Script>,
    said: Said<'a>,
    /// What makes all that is said of the interval a doubt.
    doubts: Vec<String>,
}

/// What was looked up for several changes together.
pub(crate) struct Looked<'a> {
    elsewhere: Elsewhere,
    scripts: Scripts,
    packaged: &'a Packaged,
}

/// What the package managers of hosts said of the paths of several changes.
pub(crate) struct Packaged(Packages);

impl Packaged {
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn look(archives: &Archives<'_>, recordings: &Recordings, changes: &[Change]) -> Result<Self> {
        Packages::load(archives, recordings, packages::paths(changes)).map(Self)
    }

    /// The package that owns the path of a change, and why that is not known.
    pub(crate) fn of(&self, change: &Change, suspects: &Suspects, gaps: &[Gap]) -> (Value, Value) {
        packages::to_json(&packages::said(&self.0, change), change, suspects, gaps.is_empty())
    }
}

impl<'a> Looked<'a> {
    /// Looks for their contents and paths in other places, and for what ran them.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn look(
        archives: &Archives<'_>,
        recordings: &Recordings,
        changes: &[Change],
        packaged: &'a Packaged,
    ) -> Result<Self> {
        Ok(Self {
            elsewhere: Elsewhere::look(archives, recordings, changes)?,
            scripts: Scripts::look(archives, recordings, changes)?,
            packaged,
        })
    }

    /// The verdicts on one of the changes, by its number among them.
    pub(crate) fn verdicts(
        &self,
        number: usize,
        change: &Change,
        suspects: &Suspects,
        gaps: &[Gap],
        recordings: &Recordings,
    ) -> Vec<Verdict> {
        let case = Case {
            change,
            suspects,
            recordings,
            elsewhere: self.elsewhere.of(change),
            script: self.scripts.of(number),
            said: packages::said(&self.packaged.0, change),
            doubts: doubts_of_interval(change, gaps),
        };
        JUDGES.iter().filter_map(|(_, judge)| judge(&case)).collect()
    }
}

fn doubts_of_interval(change: &Change, gaps: &[Gap]) -> Vec<String> {
    let causes: BTreeSet<&str> = gaps.iter().map(|gap| gap.cause.as_str()).collect();
    let causes: Vec<&str> = causes.into_iter().collect();
    let doubtful = (!change.doubts.is_empty())
        .then(|| format!("observations in the interval are doubtful: {}", change.doubts.join(", ")));
    let lost = (!causes.is_empty()).then(|| format!("the interval is not complete: {}", causes.join(", ")));
    doubtful.into_iter().chain(lost).collect()
}

/// The words of a claim, or those of a doubt.
fn tense(doubts: &[String], claim: &'static str, doubt: &'static str) -> &'static str {
    if doubts.is_empty() { claim } else { doubt }
}

/// As [`tense`], of what happened to something.
fn was(doubts: &[String]) -> &'static str {
    tense(doubts, "was", "may have been")
}
