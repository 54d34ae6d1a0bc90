//! The names that lists give their digests. Few of them are ever shown, so more than a little waits in a file without a name.

use anyhow::{Context, Result};
use std::io::{Read, Seek, SeekFrom, Write};
use tempfile::SpooledTempFile;

/// What waits in memory.
const HELD_BYTES: usize = 16 << 20;
/// What is written at once.
const WRITTEN_BYTES: usize = 64 << 10;
/// Longer names are cut.
pub(super) const MAX_CHARACTERS: usize = 300;

/// Where a name stands. 0: there is none.
pub(super) type LabelPlace = u64;

/// All names, one after the other, each with its length before it.
#[derive(Debug)]
pub(super) struct Labels {
    file: SpooledTempFile,
    /// What is still to be written.
    next: Vec<u8>,
    written: u64,
    /// The last one: that of a family stands in one line after the other.
    last: (String, LabelPlace),
}

impl Default for Labels {
    fn default() -> Self {
        // Place 0 means that there is none.
        Self { file: SpooledTempFile::new(HELD_BYTES), next: vec![0], written: 0, last: (String::new(), 0) }
    }
}

impl Labels {
    /// Takes a name and says where it stands.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(super) fn push(&mut self, label: &str) -> Result<LabelPlace> {
        let end = label.char_indices().nth(MAX_CHARACTERS).map_or(label.len(), |(end, _)| end);
        let label = &label[..end];
        if self.last.0 == label {
            return Ok(self.last.1);
        }
        let place = self.written + self.next.len() as u64;
        self.next.extend(u16::try_from(end).unwrap_or(u16::MAX).to_be_bytes());
        self.next.extend(label.as_bytes());
        if self.next.len() >= WRITTEN_BYTES {
            self.flush()?;
        }
        self.last = (label.to_owned(), place);
        Ok(place)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(&self.next).context("cannot keep the names of a list in a temporary file (`TMPDIR`)")?;
        self.written += self.next.len() as u64;
        self.next.clear();
        Ok(())
    }

    /// The name at a place.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub(super) fn at(&mut self, place: LabelPlace) -> Result<String> {
        if place == 0 {
            return Ok(String::new());
        }
        self.flush()?;
        let mut length = [0; 2];
        self.file.seek(SeekFrom::Start(place))?;
        self.file.read_exact(&mut length)?;
        let mut label = vec![0; u16::from_be_bytes(length).into()];
        self.file.read_exact(&mut label)?;
        Ok(String::from_utf8_lossy(&label).into_owned())
    }
}
