//! Whether an archive and IMA saw the same digests.
//!
//! A list is a set of (path, algorithm, digest), not a history: when a file goes from A to B and back to A, the last
//! step adds no entry. So what an archive saw must be in the set; in which order says nothing.

use super::entry::Entry;
use crate::evidence::finding::{Finding, Findings, Severity};
use hashtrail::cell::Micros;
use hashtrail::event::{FS_RELATIVE, names_a_file};
use hashtrail::manifest::hex;
use hashtrail::text;
use hashtrail::versions::FileVersion;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What one list says about files.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Digests by path and algorithm.
    files: HashMap<(String, String), Digests>,
    /// Entries of files of which only a name is known, without a directory.
    pub(super) bare_names: u64,
}

#[derive(Debug, Default)]
struct Digests {
    hex: BTreeSet<String>,
    /// Whether some are of fs-verity; then an ordinary digest beside them is no contradiction.
    has_verity: bool,
}

/// A list and the boot in which it was read.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    /// `None` where nothing tells it.
    pub(super) boot_id: Option<&'a str>,
    /// Whether it is stored in the archive, not from elsewhere.
    pub(super) is_stored: bool,
    /// What limits its testimony, in words.
    pub(super) limit: Option<String>,
    pub(super) is_damaged: bool,
    pub(super) measured: Measured,
}

/// How the digests of an archive compare; each (boot, path, algorithm, digest) counts once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// IMA measured the file under this algorithm.
    pub(crate) compared: u64,
    /// Of those, the digest is one that IMA measured.
    pub(crate) agreed: u64,
    /// IMA did not measure the path under this algorithm.
    pub(crate) not_measured: u64,
    /// IMA measured the file with fs-verity, whose digest means something else.
    pub(crate) verity: u64,
    /// Rows of other boots or roots, of paths that are not the file's, and with doubtful digests.
    pub(crate) rows_left_out: u64,
}

impl Measured {
    /// Begins anew, at a boot whose files are told apart from those before it.
    pub(super) fn forget(&mut self) {
        self.files.clear();
    }

    /// Takes what an entry says about a file, if it says something.
    pub(super) fn add(&mut self, entry: &Entry) {
        let contents = &entry.contents;
        let (Some(path), Some(digest)) = (&contents.path, &contents.digest) else { return };
        let is_of_file = !contents.is_buffer && !entry.is_boot() && digest.is_computed();
        if !is_of_file || entry.is_violation() {
            return;
        }
        if !path.starts_with(b"/") {
            self.bare_names += 1;
            return;
        }
        let key = (comparable(&text::from_bytes(path).text), digest.algorithm.clone());
        let digests = self.files.entry(key).or_default();
        digests.hex.insert(hex(&digest.bytes));
        digests.has_verity |= digest.is_verity;
    }
}

/// IMA shows spaces as `_`.
fn comparable(path: &str) -> String {
    path.replace(' ', "_")
}

/// A row's boot, path, algorithm and digest.
type Observed<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Looks for each digest of the archive in the lists of its boot; lists of an unknown boot are asked about all rows.
pub(super) fn compare(lists: &[Known<'_>], versions: &[FileVersion], findings: &mut Findings) -> Agreement {
    let mut agreement = Agreement::default();
    let mut observed: BTreeMap<Observed<'_>, Micros> = BTreeMap::new();
    for version in versions {
        let has_list = lists.iter().any(|list| list.boot_id.is_none_or(|boot_id| boot_id == version.boot_id));
        match &version.path {
            Some(path) if has_list && is_comparable(version) => {
                let key = (&*version.boot_id, &**path, &*version.digest_algorithm, &*version.digest);
                let first = observed.entry(key).or_insert(version.first_time);
                *first = version.first_time.min(*first);
            }
            _ => agreement.rows_left_out += 1,
        }
    }
    for (observed, first_time) in observed {
        compare_one(lists, observed, first_time, &mut agreement, findings);
    }
    agreement
}

/// Whether the row says, without doubt, what the path had on the host's own root.
fn is_comparable(version: &FileVersion) -> bool {
    let is_of_path = names_a_file(&version.path_flags) && !version.path_flags.iter().any(|flag| flag == FS_RELATIVE);
    version.root_is_host && version.doubts.is_empty() && is_of_path
}

fn compare_one(
    lists: &[Known<'_>],
    (boot_id, path, algorithm, digest): Observed<'_>,
    first_time: Micros,
    agreement: &mut Agreement,
    findings: &mut Findings,
) {
    let key = (comparable(path), algorithm.to_owned());
    let lists = lists.iter().filter(|list| list.boot_id.is_none_or(|of_list| of_list == boot_id));
    let known: Vec<(&Known<'_>, &Digests)> =
        lists.filter_map(|list| Some((list, list.measured.files.get(&key)?))).collect();
    // Lists that come from elsewhere are a witness of their own: the stored ones, which may be forged together with the
    // archive, do not answer for them.
    let (stored, given): (Vec<_>, Vec<_>) = known.into_iter().partition(|(list, _)| list.is_stored);
    let answers = [answer(&stored, digest), answer(&given, digest)];
    if answers.iter().all(Option::is_none) {
        agreement.not_measured += 1;
    } else if answers.contains(&Some(Answer::Other)) {
        agreement.compared += 1;
    } else if answers.contains(&Some(Answer::Same)) {
        agreement.compared += 1;
        agreement.agreed += 1;
    } else {
        agreement.verity += 1;
    }
    for (known, answer) in [stored, given].iter().zip(answers) {
        if answer == Some(Answer::Other) {
            findings.push(divergence(known, path, algorithm, digest, first_time));
        }
    }
}

/// What a witness says about a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It measured it.
    Same,
    /// It measured only others.
    Other,
    /// It measured the file with fs-verity, which cannot be compared.
    Verity,
}

/// The answer of the lists of one witness together; none where they do not know the path.
fn answer(known: &[(&Known<'_>, &Digests)], digest: &str) -> Option<Answer> {
    if known.is_empty() {
        None
    } else if known.iter().any(|(_, digests)| digests.hex.contains(digest)) {
        Some(Answer::Same)
    } else if known.iter().any(|(_, digests)| digests.has_verity) {
        Some(Answer::Verity)
    } else {
        Some(Answer::Other)
    }
}

fn divergence(
    known: &[(&Known<'_>, &Digests)],
    path: &str,
    algorithm: &str,
    digest: &str,
    first_time: Micros,
) -> Finding {
    let measured: BTreeSet<&str> = known.iter().flat_map(|(_, digests)| &digests.hex).map(String::as_str).collect();
    let damaged = known.iter().any(|(list, _)| list.is_damaged);
    let limit = known.iter().find_map(|(list, _)| list.limit.as_ref());
    Finding {
        kind: "ima_divergence",
        severity: Severity::Damage,
        file: known.first().map(|(list, _)| list.name.to_owned()).unwrap_or_default(),
        place: path.to_owned(),
        detail: format!(
            "the archive saw {algorithm}:{digest} first at {}, IMA measured {}{}{}",
            first_time.rfc3339(),
            shown(&measured),
            if damaged { " up to where the list is damaged" } else { "" },
            limit.map(|limit| format!("; {limit}")).unwrap_or_default()
        ),
    }
}

/// At most a few digests: a log that is read often has thousands.
fn shown(digests: &BTreeSet<&str>) -> String {
    const MOST: usize = 8;
    let mut text = digests.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if let Some(more) = digests.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
