//! Headers in a file of rpm's own format. All numbers are little-endian, and all places blocks of 16 bytes.
//!
//! The file begins with the word `RpmP`, a version, a generation, the number of its pages of slots, and the next number. Its
//! slots fill pages of 4096 bytes from byte 32 on: `Slot`, the number of a package, and from which block on how many are its
//! own; an empty one has no block. There stand `BlbS`, the number again, a time, the length of the header, the header, zeros,
//! a checksum, the length again, and `BlbE`.

use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

const HEAD_BYTES: usize = 32;
const PAGE_BYTES: usize = 4096;
const BLOCK_BYTES: usize = 16;
const TAIL_BYTES: usize = 12;
/// Room for 262,142 packages.
const MAX_PAGES: u32 = 1024;

#[derive(Debug)]
pub(super) struct Headers {
    file: File,
    max_header_bytes: u32,
    /// First block and number of blocks, by the number of the package.
    slots: HashMap<u32, (u32, u32)>,
}

impl Headers {
    pub(super) fn open(file: File, max_header_bytes: u32) -> Result<Self> {
        let length = file.metadata()?.len();
        let mut headers = Self { file, max_header_bytes, slots: HashMap::new() };
        let head: [u8; HEAD_BYTES] = headers.bytes(0)?;
        ensure!(head.starts_with(b"RpmP"), "it does not begin as an ndb database");
        ensure!(word(&head, 4) == 0, "version {} of ndb is not known", word(&head, 4));
        let pages = word(&head, 12);
        ensure!(pages <= MAX_PAGES, "it has {pages} pages of slots: more than {MAX_PAGES} are not read");
        ensure!(u64::from(pages) * PAGE_BYTES as u64 <= length, "it has no room for {pages} pages of slots");
        for page in 0..u64::from(pages) {
            let bytes: [u8; PAGE_BYTES] = headers.bytes(page * PAGE_BYTES as u64)?;
            let skipped = if page == 0 { HEAD_BYTES } else { 0 };
            for slot in bytes[skipped..].chunks_exact(BLOCK_BYTES) {
                ensure!(slot.starts_with(b"Slot"), "page {page} has something else than slots");
                let [number, block, blocks] = [4, 8, 12].map(|place| word(slot, place));
                if block > 0 {
                    let is_new = headers.slots.insert(number, (block, blocks)).is_none();
                    ensure!(is_new, "two slots have the number {number}");
                }
            }
        }
        Ok(headers)
    }

    pub(super) fn numbers(&self) -> Vec<i64> {
        let mut numbers: Vec<i64> = self.slots.keys().copied().map(i64::from).collect();
        numbers.sort_unstable();
        numbers
    }

    pub(super) fn read(&self, number: i64) -> Result<Vec<u8>> {
        let (block, blocks) =
            u32::try_from(number).ok().and_then(|number| self.slots.get(&number)).context("it is gone")?;
        let start = u64::from(*block) * BLOCK_BYTES as u64;
        let head: [u8; BLOCK_BYTES] = self.bytes(start)?;
        let length = word(&head, 12);
        ensure!(head.starts_with(b"BlbS") && i64::from(word(&head, 4)) == number, "it is not where its slot says");
        ensure!(length <= self.max_header_bytes, "it is too large");
        let used = BLOCK_BYTES + length as usize + TAIL_BYTES;
        ensure!(used.div_ceil(BLOCK_BYTES) == *blocks as usize, "its slot has another length");
        let tail: [u8; TAIL_BYTES] = self.bytes(start + u64::from(*blocks) * BLOCK_BYTES as u64 - TAIL_BYTES as u64)?;
        ensure!(tail.ends_with(b"BlbE") && word(&tail, 4) == length, "it does not end where its slot says");
        let mut header = vec![0; length as usize];
        self.file.read_exact_at(&mut header, start + BLOCK_BYTES as u64)?;
        Ok(header)
    }

    fn bytes<const LENGTH: usize>(&self, at: u64) -> Result<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// The number at a place of a part that is long enough.
fn word(bytes: &[u8], place: usize) -> u32 {
    let bytes = bytes.get(place..place + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_le_bytes).unwrap_or_default()
}
