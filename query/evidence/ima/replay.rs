//! What the registers of a TPM hold after a list: each starts at zeros, and an entry makes it
//! H(register, template hash).
//!
//! kexec starts a kernel that takes the old list over and does not reset the TPM, so one replay runs through all boots
//! of a list.

use super::bank::Bank;
use super::bytes::from_hex;
use super::entry::Entry;
use std::collections::BTreeMap;

/// The value of one register, as a quote or sysfs gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PcrValue {
    /// Number of the register.
    pub(crate) pcr: u32,
    /// `sha1`, `sha256`, `sha384` or `sha512`.
    pub(crate) bank: String,
    /// In hex, of either case.
    pub(crate) value: String,
}

/// What the kernel extends a bank with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extension {
    /// The hash in the bank's own algorithm.
    Own,
    /// SHA-1 and zeros, in all banks whose algorithm the kernel does not have when IMA starts. Seen on Debian's 6.1,
    /// where SHA-384 and SHA-512 are modules.
    PaddedSha1,
}

/// A value that is looked for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) pcr: u32,
    pub(super) bank: Bank,
    value: Vec<u8>,
    /// After which entry, from 1, the register had it. 0: it was never extended, as the list says.
    pub(super) found: Option<(u64, Extension)>,
}

impl Wanted {
    /// # Errors
    /// When the bank is unknown, or the value is none of it.
    pub(super) fn new(value: &PcrValue) -> Result<Self, String> {
        let bank = Bank::named(&value.bank).ok_or("its bank cannot be replayed")?;
        let bytes = from_hex(value.value.trim().as_bytes())
            .filter(|bytes| bytes.len() == bank.size_bytes())
            .ok_or_else(|| format!("its value is not {} bytes in hex", bank.size_bytes()))?;
        Ok(Self { pcr: value.pcr, bank, value: bytes, found: None })
    }

    /// Whether the TPM says that nothing extended the register.
    pub(super) fn is_reset(&self) -> bool {
        self.value.iter().all(|byte| *byte == 0)
    }
}

/// The registers after the entries so far.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// `None` once an entry did not tell its hash in this bank.
    registers: BTreeMap<(u32, Bank, Extension), Option<Vec<u8>>>,
    entries: u64,
    pub(super) wanted: Vec<Wanted>,
}

impl Replay {
    pub(super) fn new(wanted: Vec<Wanted>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Extends the register of the entry. The hash is computed anew: what the list states proves nothing.
    pub(super) fn extend(&mut self, entry: &Entry) {
        self.entries += 1;
        let padded = entry.hash_in(Bank::Sha1);
        for bank in Bank::ALL {
            let (own, padded) = if entry.is_violation() {
                let ones = Some(vec![0xff; bank.size_bytes()]);
                (ones.clone(), ones)
            } else {
                (entry.hash_in(bank), padded.clone().map(|hash| resized(hash, bank)))
            };
            self.set(entry.pcr, bank, Extension::Own, own);
            if bank != Bank::Sha1 {
                self.set(entry.pcr, bank, Extension::PaddedSha1, padded);
            }
        }
    }

    fn set(&mut self, pcr: u32, bank: Bank, extension: Extension, hash: Option<Vec<u8>>) {
        let register = self.registers.entry((pcr, bank, extension)).or_insert_with(|| Some(vec![0; bank.size_bytes()]));
        *register = register.as_ref().zip(hash).map(|(register, hash)| bank.hash(&[register, &hash]));
        for wanted in &mut self.wanted {
            if (wanted.pcr, wanted.bank) == (pcr, bank) && register.as_ref() == Some(&wanted.value) {
                wanted.found.get_or_insert((self.entries, extension));
            }
        }
    }

    /// Ends the list: a register that no entry extends must be as the reset leaves it.
    pub(super) fn finish(&mut self) {
        for wanted in &mut self.wanted {
            if wanted.is_reset() && !self.registers.keys().any(|(pcr, ..)| *pcr == wanted.pcr) {
                wanted.found = Some((0, Extension::Own));
            }
        }
    }

    /// Whether the value of this register could be computed up to the end.
    pub(super) fn is_known(&self, pcr: u32, bank: Bank) -> bool {
        self.registers.get(&(pcr, bank, Extension::Own)).is_none_or(Option::is_some)
    }

    /// The registers that the list extends, by PCR and bank.
    pub(super) fn aggregates(&self) -> impl Iterator<Item = (u32, Bank, &[u8])> {
        self.registers
            .iter()
            .filter(|((_, _, extension), _)| *extension == Extension::Own)
            .filter_map(|((pcr, bank, _), value)| Some((*pcr, *bank, value.as_deref()?)))
    }
}

fn resized(mut hash: Vec<u8>, bank: Bank) -> Vec<u8> {
    hash.resize(bank.size_bytes(), 0);
    hash
}
