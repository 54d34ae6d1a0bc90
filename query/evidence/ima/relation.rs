//! How a list from elsewhere relates to one that the archive stored.
//!
//! A kernel only appends, so of two true lists of one boot the shorter one is how the longer one begins. Nothing in a list
//! names its boot, and boots of one machine begin alike: what differs says only that one of two lists is of another boot,
//! or was changed.

use super::entry::Entry;
use super::list::List;
use sha2::{Digest, Sha256};

/// Of the entries of a list that was changed, so many in four must still be those of the stored one; with less it is
/// taken for one of another boot.
const ALIKE_OF_FOUR: usize = 3;

/// How a list relates to a stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    /// It differs early, or in much: it is of another boot, or of another machine.
    OtherBoot {
        /// The first entry that differs, from 1.
        entry: u64,
    },
    /// No more than the entry of the boot itself stands in both, which boots and machines can share, or nothing of a list
    /// that begins with none.
    Unplaced,
    /// It differs in little: one of both was changed, or they are of boots that were nearly alike.
    Differs {
        /// The first entry that differs, from 1.
        entry: u64,
    },
    /// It holds what was stored, and goes on.
    Continues,
    /// It ends before the stored one does: it was read earlier.
    Begins,
    /// It has the same entries.
    Same,
}

impl Relation {
    /// Each kind of it.
    pub(crate) const ALL: [Self; 6] = [
        Self::OtherBoot { entry: 0 },
        Self::Unplaced,
        Self::Differs { entry: 0 },
        Self::Continues,
        Self::Begins,
        Self::Same,
    ];

    /// One word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OtherBoot { .. } => "other_boot",
            Self::Unplaced => "unplaced",
            Self::Differs { .. } => "differs",
            Self::Continues => "continues",
            Self::Begins => "begins",
            Self::Same => "same",
        }
    }

    /// Whether the list is a witness of its own about the boot of the stored one.
    pub(super) fn is_witness(self) -> bool {
        matches!(self, Self::Continues | Self::Differs { .. })
    }
}

/// The entries of a list, as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Trace(Vec<Step>);

/// What tells one entry from another.
#[derive(Debug)]
struct Step {
    is_boot: bool,
    /// Register, template and, of a violation, the path.
    head: [u8; 32],
    /// What the entry is about; `None` where an ASCII list does not tell.
    data: Option<[u8; 32]>,
    stated_hash: Vec<u8>,
}

impl Step {
    fn new(entry: &Entry) -> Self {
        let path = entry.contents.path.as_deref().filter(|_| entry.is_violation()).unwrap_or_default();
        let kind = format!("{} {} {} ", entry.pcr, entry.template, entry.is_violation());
        // What is written in place of a violation's digest is not the same in both forms.
        let hashed = entry.hashed.as_ref().filter(|_| !entry.is_violation());
        Self {
            is_boot: entry.is_boot(),
            head: Sha256::digest([kind.as_bytes(), path].concat()).into(),
            data: hashed.map(|hashed| Sha256::digest(hashed).into()),
            stated_hash: entry.stated_hash.clone(),
        }
    }

    /// Whether nothing tells them apart. Hashes of two banks cannot be compared.
    fn is_same(&self, other: &Self) -> bool {
        let is_bank_same = self.stated_hash.len() == other.stated_hash.len();
        let differ = |left: &[u8; 32]| other.data.as_ref().is_some_and(|right| left != right);
        self.head == other.head
            && (!is_bank_same || self.stated_hash == other.stated_hash)
            && !self.data.as_ref().is_some_and(differ)
    }
}

impl Trace {
    pub(super) fn of(bytes: &[u8]) -> Self {
        // Damage ends the entries here too; the examination of the list tells it.
        let entries = List::open(bytes).into_iter().flatten().map_while(Result::ok);
        Self(entries.map(|entry| Step::new(&entry)).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How this list relates to a stored one; `None` without entries.
    pub(super) fn relation(&self, stored: &Self) -> Option<Relation> {
        let first = self.0.first()?;
        // A list whose start was trimmed begins inside of the other.
        let begin = if first.is_boot { Some(0) } else { stored.0.iter().position(|step| step.is_same(first)) };
        let Some(skipped) = begin else { return Some(Relation::Unplaced) };
        let stored = stored.0.get(skipped..).unwrap_or_default();
        let compared = self.0.len().min(stored.len());
        let same = |place: &usize| self.0[*place].is_same(&stored[*place]);
        if let Some(place) = (0..compared).find(|place| !same(place)) {
            let entry = place as u64 + 1;
            let boot = usize::from(first.is_boot);
            let alike = (boot..compared).filter(same).count();
            let is_alike = place >= boot && alike * 4 >= (compared - boot) * ALIKE_OF_FOUR;
            return Some(if is_alike { Relation::Differs { entry } } else { Relation::OtherBoot { entry } });
        }
        Some(match self.0.len().cmp(&stored.len()) {
            std::cmp::Ordering::Equal => Relation::Same,
            std::cmp::Ordering::Less => Relation::Begins,
            std::cmp::Ordering::Greater if compared <= usize::from(first.is_boot) => Relation::Unplaced,
            std::cmp::Ordering::Greater => Relation::Continues,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Measurement, USUAL, Writer, file, nul_ended, samples, violation};
    use super::*;

    /// A boot that measured these files.
    fn list(boot: u8, files: &[(&str, u8)]) -> Vec<Measurement> {
        let files = files.iter().map(|(path, digest)| file(path, *digest));
        std::iter::once(file("boot_aggregate", boot)).chain(files).collect()
    }

    fn relation(given: &[Measurement], stored: &[Measurement]) -> Option<Relation> {
        let stored = Trace::of(&USUAL.binary(stored));
        let relation = Trace::of(&USUAL.binary(given)).relation(&stored);
        // In other forms it is the same list.
        for writer in [USUAL, Writer { hash_bytes: 32, ..USUAL }] {
            assert_eq!(Trace::of(&writer.ascii(given)).relation(&stored), relation);
            assert_eq!(Trace::of(&writer.binary(given)).relation(&stored), relation);
        }
        relation
    }

    const FILES: [(&str, u8); 5] = [("/init", 2), ("/bin/sh", 3), ("/bin/tool", 4), ("/bin/cp", 5), ("/bin/mv", 6)];

    #[test]
    fn the_shorter_list_of_a_boot_is_how_the_longer_one_begins() {
        let stored = list(1, &FILES[..4]);
        assert_eq!(relation(&stored, &stored), Some(Relation::Same));
        assert_eq!(relation(&stored[..3], &stored), Some(Relation::Begins));
        assert_eq!(relation(&stored[..1], &stored), Some(Relation::Begins));
        assert_eq!(relation(&list(1, &FILES), &stored), Some(Relation::Continues));
        assert_eq!(relation(&[], &stored), None);
        assert_eq!(relation(&samples(), &samples()), Some(Relation::Same));
    }

    #[test]
    fn a_list_whose_start_was_trimmed_is_found_inside_of_the_stored_one() {
        let stored = list(1, &FILES);
        assert_eq!(relation(&stored[2..], &stored), Some(Relation::Same));
        assert_eq!(relation(&stored[2..4], &stored), Some(Relation::Begins));
        assert_eq!(relation(&[file("/bin/other", 9)], &stored), Some(Relation::Unplaced));
    }

    #[test]
    fn another_boot_is_told_from_a_list_that_was_changed() {
        let stored = list(1, &FILES);
        assert_eq!(relation(&list(9, &FILES), &stored), Some(Relation::OtherBoot { entry: 1 }), "another machine");
        let mut reordered = FILES;
        reordered[1..].reverse();
        assert_eq!(relation(&list(1, &reordered), &stored), Some(Relation::OtherBoot { entry: 3 }));
        let mut changed = FILES;
        changed[2].1 = 7;
        assert_eq!(relation(&list(1, &changed), &stored), Some(Relation::Differs { entry: 4 }));
        let stored = list(1, &[]);
        assert_eq!(relation(&list(1, &FILES), &stored), Some(Relation::Unplaced), "boots can begin alike");
    }

    #[test]
    fn violations_and_unknown_templates_are_compared_by_what_is_known() {
        let new = Measurement { template: "ima-new", fields: vec![nul_ended("/a")], is_violation: false };
        let with = |path: &str| [list(1, &FILES), vec![violation(path), new.clone()]].concat();
        assert_eq!(relation(&with("/a"), &with("/a")), Some(Relation::Same));
        assert_eq!(relation(&with("/b"), &with("/a")), Some(Relation::Differs { entry: 7 }));
    }
}
