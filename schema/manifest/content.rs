//! What a file must hold: its digest, and where damage is.

use super::hex;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Read;

/// Bytes of a file for which the manifest holds one checksum each: what damage is narrowed down to.
pub const BLOCK_BYTES: usize = 64 << 10;

/// What a file must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Size of the file.
    pub size_bytes: u64,
    /// CRC32C of each [`BLOCK_BYTES`], 8 hex digits each: says where damage is, the digest says that there is some.
    pub block_crc32c: String,
}

impl Content {
    /// Reads a file to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(mut file: impl Read) -> Result<Self> {
        let mut hasher = Sha256::new();
        let mut content = Self::default();
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        loop {
            block.clear();
            file.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
            if block.is_empty() {
                content.sha256 = hex(&hasher.finalize());
                return Ok(content);
            }
            hasher.update(&block);
            content.size_bytes += block.len() as u64;
            content.block_crc32c.push_str(&format!("{:08x}", crc32c::crc32c(&block)));
        }
    }

    /// The first and last byte of each run of blocks that differ; `None` for an end that reaches to the file's end.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<(u64, u64)> {
        let blocks = |content: &Self| -> Vec<String> {
            content.block_crc32c.as_bytes().chunks(8).map(|crc| String::from_utf8_lossy(crc).into_owned()).collect()
        };
        let (stated, found_blocks) = (blocks(self), blocks(found));
        let end = self.size_bytes.max(found.size_bytes);
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for index in 0..stated.len().max(found_blocks.len()) {
            if stated.get(index) == found_blocks.get(index) {
                continue;
            }
            let first = (index * BLOCK_BYTES) as u64;
            let last = (first + BLOCK_BYTES as u64).min(end).saturating_sub(1);
            match runs.last_mut() {
                Some(run) if run.1 + 1 == first => run.1 = last,
                _ => runs.push((first, last)),
            }
        }
        runs
    }
}
