//! The banks of a TPM: each keeps its registers in one hash algorithm.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A bank that can be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bank {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Bank {
    pub(super) const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name that the kernel gives the algorithm.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    pub(super) fn size_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The bank of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bank| bank.name() == name)
    }

    /// The bank whose hashes have this size. Other algorithms share some sizes; a list does not say which it used.
    pub(super) fn of_size(size_bytes: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|bank| bank.size_bytes() == size_bytes)
    }

    /// The hash of the parts, one after the other.
    pub(super) fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => hash::<Sha1>(parts),
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Sha384 => hash::<Sha384>(parts),
            Self::Sha512 => hash::<Sha512>(parts),
        }
    }
}

fn hash<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hashtrail::manifest::hex;

    #[test]
    fn each_bank_hashes_with_its_algorithm() {
        // The published digests of "abc".
        let starts = ["a9993e36", "ba7816bf", "cb00753f", "ddaf35a1"];
        for (bank, start) in Bank::ALL.into_iter().zip(starts) {
            let digest = bank.hash(&[b"a", b"bc"]);
            assert_eq!(hex(&digest)[..8], *start);
            assert_eq!(digest.len(), bank.size_bytes());
            assert_eq!((Bank::named(bank.name()), Bank::of_size(digest.len())), (Some(bank), Some(bank)));
        }
    }
}
