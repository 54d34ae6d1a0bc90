//! `binary_runtime_measurements`, as the kernel writes it:
//!
//! ```text
//! u32 PCR, template hash, u32 length, template name, u32 length, data     (`ima`: 20 bytes, u32 length, name)
//! ```
//!
//! Numbers are in the order of the host, or little endian with `ima_canonical_fmt`; the hash is of SHA-1 or, in the
//! files of newer kernels for one bank, of that bank. The list states neither.

use super::bank::Bank;
use super::bytes::{Order, Reader};
use super::entry::{Damage, Entry, PCRS, Place};
use super::template::{self, OLD, OLD_DIGEST_BYTES};

/// Longest name of a template that is read.
const NAME_BYTES_MAX: usize = 255;

/// A list that is being read.
#[derive(Debug, Clone)]
pub(super) struct Binary<'a> {
    reader: Reader<'a>,
    bank: Bank,
}

impl<'a> Binary<'a> {
    /// Takes the order and bank under which the first entry can be read.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Damage> {
        let candidates = Order::ALL.into_iter().flat_map(|order| Bank::ALL.map(|bank| (order, bank)));
        for (order, bank) in candidates {
            let start = Self { reader: Reader::new(bytes, order), bank };
            if bytes.is_empty() || start.clone().entry().is_ok() {
                return Ok(start);
            }
        }
        Err(Damage { place: Place::Offset(0), reason: "no entry of a measurement list begins here".into() })
    }

    fn entry(&mut self) -> Result<Entry, String> {
        let place = Place::Offset(self.reader.offset());
        let torn = || "an entry that is cut off".to_owned();
        let pcr = self.reader.number().ok_or_else(torn)?;
        if pcr >= PCRS {
            return Err(format!("PCR {pcr}, which no TPM has"));
        }
        let stated_hash = self.reader.take(self.bank.size_bytes()).ok_or_else(torn)?.to_vec();
        let template = self.template()?;
        let (hashed, contents) = if template == OLD {
            let digest = self.reader.take(OLD_DIGEST_BYTES).ok_or_else(torn)?;
            template::old(digest, self.reader.sized().ok_or_else(torn)?)?
        } else {
            let mut sizing = self.reader.clone();
            let size_bytes = usize::try_from(sizing.number().ok_or_else(torn)?).unwrap_or(usize::MAX);
            template::check_size(&template, size_bytes)?;
            let data = self.reader.sized().ok_or_else(torn)?;
            (data.to_vec(), template::decode(&template, self.reader.order(), data)?)
        };
        Ok(Entry { place, pcr, template, stated_hash, hashed: Some(hashed), contents })
    }

    fn template(&mut self) -> Result<String, String> {
        let mut sizing = self.reader.clone();
        let size_bytes = usize::try_from(sizing.number().unwrap_or_default()).unwrap_or(usize::MAX);
        if !(1..=NAME_BYTES_MAX).contains(&size_bytes) {
            return Err(format!("a template name of {size_bytes} bytes"));
        }
        let name = self.reader.sized().ok_or("a template name that is cut off")?;
        if !name.iter().all(u8::is_ascii_graphic) {
            return Err("a template name that is not text".into());
        }
        Ok(String::from_utf8_lossy(name).into_owned())
    }
}

impl Iterator for Binary<'_> {
    type Item = Result<Entry, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_at_end() {
            return None;
        }
        let place = Place::Offset(self.reader.offset());
        Some(self.entry().map_err(|reason| Damage { place, reason }))
    }
}
