//! What lists say of their digests: names, and what each is of.

use super::labels::{LabelPlace, Labels};
use super::names::Found;
use super::shelves::Shelves;
use crate::digest::Digest;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeSet, HashMap};

/// A remark on a digest holds the place of its name and, in so many bits, that of its kind.
const KIND_BITS: u32 = 16;
/// No list that is meant well has as many.
const KINDS_MAX: usize = 4096;

/// Whether a digest is one of those that are held.
pub type Test<'a> = &'a dyn Fn(&Digest) -> bool;

/// Digests with their names and kinds.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) shelves: Shelves,
    pub(super) kinds: Kinds,
    pub(super) labels: Labels,
}

impl Store {
    /// Takes the digests of one entry of a list: those of different lengths stand for one file, several of one length for
    /// several files.
    ///
    /// # Errors
    /// When there are too many digests, or a temporary file cannot be written.
    pub(super) fn take(&mut self, found: &[Found], label: &str, only: Option<Test<'_>>) -> Result<()> {
        if !self.shelves.have_room() {
            bail!(
                "there are more digests than fit into memory: cut the list, and look for its parts one after the other"
            );
        }
        let lengths: BTreeSet<usize> = found.iter().map(|one| one.digest.bytes().len()).collect();
        let is_of_one_file = lengths.len() == found.len();
        let is_held = |one: &Found| only.is_none_or(|only| only(&one.digest));
        let is_named = !label.is_empty() && found.iter().any(is_held);
        let place = if is_named { self.labels.push(label)? } else { 0 };
        for one in found {
            let others = found.iter().filter(|other| is_of_one_file && other.digest != one.digest);
            let kind = Kind {
                algorithm: one.algorithm().to_owned(),
                beside: others.map(|other| other.algorithm().to_owned()).collect(),
            };
            // What is not held is still of a kind.
            let kind = self.kinds.place(kind)?;
            if is_held(one) {
                self.shelves.push(&one.digest, remark(place, kind));
            }
        }
        Ok(())
    }
}

fn remark(label: LabelPlace, kind: u16) -> u64 {
    label << KIND_BITS | u64::from(kind)
}

/// Where the name of a digest stands.
pub(super) fn label_of(remark: u64) -> LabelPlace {
    remark >> KIND_BITS
}

/// Where the kind of a digest stands.
pub(super) fn kind_of(remark: u64) -> usize {
    usize::from((remark & 0xffff) as u16)
}

/// What a digest is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The plain name of its algorithm, as it is said, else what its length says.
    pub algorithm: String,
    /// The algorithms of the other digests of the same file.
    pub beside: BTreeSet<String>,
}

/// Each kind once.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    all: Vec<Kind>,
    places: HashMap<Kind, u16>,
}

impl Kinds {
    pub(super) fn all(&self) -> &[Kind] {
        &self.all
    }

    fn place(&mut self, kind: Kind) -> Result<u16> {
        if let Some(place) = self.places.get(&kind) {
            return Ok(*place);
        }
        if self.all.len() >= KINDS_MAX {
            bail!("there are too many names of algorithms");
        }
        let place = u16::try_from(self.all.len()).context("there are too many names of algorithms")?;
        self.all.push(kind.clone());
        self.places.insert(kind, place);
        Ok(place)
    }
}
