//! One entry of a measurement list.

use super::bank::Bank;
use super::template::Contents;
use std::fmt::{self, Display};

/// A TPM has so many registers.
pub(super) const PCRS: u32 = 24;

/// Where an entry begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Bytes from the start of a binary list.
    Offset(usize),
    /// Line of an ASCII list, from 1.
    Line(usize),
}

impl Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset(offset) => write!(formatter, "offset {offset}"),
            Self::Line(line) => write!(formatter, "line {line}"),
        }
    }
}

/// Why a list cannot be read on, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) place: Place,
    pub(super) reason: String,
}

/// What the kernel measured at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) place: Place,
    /// The register that it extends.
    pub(super) pcr: u32,
    pub(super) template: String,
    /// The template hash that the list states.
    pub(super) stated_hash: Vec<u8>,
    /// What the template hash is over; `None` where an ASCII list does not tell.
    pub(super) hashed: Option<Vec<u8>>,
    pub(super) contents: Contents,
}

impl Entry {
    /// Whether the kernel could not measure what would be used: the list then states a hash of zeros.
    pub(super) fn is_violation(&self) -> bool {
        self.stated_hash.iter().all(|byte| *byte == 0)
    }

    /// Whether a boot begins here.
    pub(super) fn is_boot(&self) -> bool {
        self.contents.path.as_deref() == Some(b"boot_aggregate")
    }

    /// The bank that the list was written for.
    pub(super) fn stated_bank(&self) -> Option<Bank> {
        Bank::of_size(self.stated_hash.len())
    }

    /// The template hash in this bank; `None` where the list does not tell enough.
    pub(super) fn hash_in(&self, bank: Bank) -> Option<Vec<u8>> {
        match &self.hashed {
            Some(hashed) => Some(bank.hash(&[hashed])),
            None => (self.stated_bank() == Some(bank)).then(|| self.stated_hash.clone()),
        }
    }

    /// Whether the stated hash is that of the data. `None` where that cannot be told: for violations, and where only
    /// the hash is known.
    pub(super) fn is_stated_hash_right(&self) -> Option<bool> {
        if self.is_violation() {
            return None;
        }
        let hashed = self.hashed.as_ref()?;
        Some(self.stated_bank().is_some_and(|bank| bank.hash(&[hashed]) == self.stated_hash))
    }
}
