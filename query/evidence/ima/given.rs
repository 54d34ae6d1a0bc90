//! Lists from elsewhere, each beside the stored list that it has most in common with: what is stored is told once, and what
//! is not of the boot contradicts nothing.

use super::Source;
use super::entry::Place;
use super::relation::{Relation, Trace};
use crate::evidence::finding::Finding;

/// A list's place among the stored ones.
#[derive(Debug)]
pub(super) enum Given<'a> {
    /// It is a stored list.
    Stored,
    /// It is from elsewhere, and there is no stored list to compare it with, or it has no entry.
    Alone,
    /// It is from elsewhere, and this stored list has most in common with it.
    Beside {
        stored: &'a Source,
        relation: Relation,
        /// Entries of the list and of the stored one.
        entries: (usize, usize),
    },
}

impl<'a> Given<'a> {
    /// The place of each list.
    pub(super) fn place(sources: &'a [Source]) -> Vec<Self> {
        let is_stored = |source: &&Source| source.boot_id.is_some();
        if sources.iter().all(|source| is_stored(&source)) {
            return sources.iter().map(|_| Self::Stored).collect();
        }
        let stored: Vec<_> =
            sources.iter().filter(is_stored).map(|source| (source, Trace::of(&source.bytes))).collect();
        let place = |source| if is_stored(&source) { Self::Stored } else { Self::beside(source, &stored) };
        sources.iter().map(place).collect()
    }

    fn beside(source: &Source, stored: &[(&'a Source, Trace)]) -> Self {
        let trace = Trace::of(&source.bytes);
        let related =
            stored.iter().filter_map(|(source, stored)| Some((trace.relation(stored)?, *source, stored.len())));
        related.max_by_key(|(relation, ..)| *relation).map_or(Self::Alone, |(relation, stored, entries)| Self::Beside {
            stored,
            relation,
            entries: (trace.len(), entries),
        })
    }

    /// The stored list and the relation to it.
    pub(super) fn related(&self) -> Option<(String, Relation)> {
        match self {
            Self::Stored | Self::Alone => None,
            Self::Beside { stored, relation, .. } => Some((stored.name.clone(), *relation)),
        }
    }

    /// The boot of the list, as far as it is known.
    pub(super) fn boot_id<'b>(&self, source: &'b Source) -> Option<&'b str>
    where
        'a: 'b,
    {
        match self {
            Self::Stored => source.boot_id.as_deref(),
            Self::Beside { stored, relation, .. } if relation.is_witness() => stored.boot_id.as_deref(),
            Self::Alone | Self::Beside { .. } => None,
        }
    }

    /// Whether the archive is compared with it.
    pub(super) fn is_witness(&self) -> bool {
        match self {
            Self::Stored | Self::Alone => true,
            Self::Beside { relation, .. } => relation.is_witness(),
        }
    }

    /// Its first entries that the stored list has too.
    pub(super) fn told_entries(&self) -> u64 {
        match self {
            Self::Beside { relation: Relation::Same | Relation::Begins, .. } => u64::MAX,
            Self::Beside { relation: Relation::Continues, entries, .. } => entries.1 as u64,
            Self::Beside { relation: Relation::Differs { entry } | Relation::OtherBoot { entry }, .. } => entry - 1,
            Self::Stored | Self::Alone | Self::Beside { .. } => 0,
        }
    }

    /// What limits its testimony against the archive.
    pub(super) fn limit(&self, source: &Source) -> Option<String> {
        match self {
            Self::Stored => None,
            Self::Alone => Some("nothing stored tells whether this list is of the same boot".to_owned()),
            Self::Beside { stored, relation, .. } => match relation {
                Relation::Differs { entry } => Some(format!(
                    "`{}` differs from `{}` at entry {entry}: one of both was changed",
                    source.name, stored.name
                )),
                _ => None,
            },
        }
    }

    /// Whether this is only where a copy of what is stored ends in the middle of an entry.
    pub(super) fn is_cut(&self, source: &Source, place: Place) -> bool {
        let Self::Beside { stored, relation: Relation::Begins | Relation::Same, .. } = self else { return false };
        let newlines = || source.bytes.iter().filter(|byte| **byte == b'\n').count();
        match place {
            Place::Offset(_) => stored.bytes.starts_with(&source.bytes),
            Place::Line(line) => newlines() + 1 == line,
        }
    }

    /// How it relates to the stored list.
    pub(super) fn finding(&self, source: &Source) -> Option<Finding> {
        let Self::Beside { stored, relation, entries: (own, all) } = self else { return None };
        let name = &stored.name;
        let (kind, place, detail) = match relation {
            Relation::Continues => return None,
            Relation::Same => {
                ("ima_list_stored", String::new(), format!("it is `{name}`, entry for entry, and is told there"))
            }
            Relation::Begins => {
                let detail = format!(
                    "it ends at entry {own}, where `{name}` of {all} entries goes on: it was read earlier, and is told there"
                );
                ("ima_list_earlier", format!("entry {own}"), detail)
            }
            Relation::Differs { entry } => {
                let detail = format!(
                    "it is not `{name}` from here on, and nearly so: one of both was changed, or it is not of this boot, but \
                     of one that was nearly the same"
                );
                ("ima_list_differs", format!("entry {entry}"), detail)
            }
            Relation::OtherBoot { entry } => {
                let detail = format!(
                    "it is not of this boot: it is not `{name}` from here on. It may be of another boot or machine, and the \
                     archive is not compared with it"
                );
                ("ima_list_other_boot", format!("entry {entry}"), detail)
            }
            Relation::Unplaced => {
                let detail = format!(
                    "`{name}` does not tell whether it is of this boot: no more than the boot's own entry stands in both. The \
                     archive is not compared with it"
                );
                ("ima_list_unplaced", String::new(), detail)
            }
        };
        Some(Finding::notice(kind, &source.name, place, detail))
    }
}
