//! Space that is kept for a full disk: sealing what the journal holds needs some before it gives back more.

use anyhow::{Context, Result};
use hashtrail::archive::{Archive, remove_if_there};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The reserve of one archive.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// A reserve for segments of this size: a sealed one takes less than a quarter of that.
    pub(crate) fn new(archive: &Archive, segment_bytes: u64) -> Self {
        Self { path: archive.journal().join("reserve"), bytes: segment_bytes / 4 }
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the space, anew where it was released.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn take(&self) -> Result<()> {
        if self.path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == self.bytes) {
            return Ok(());
        }
        self.release()?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path)?;
        fallocate(&file, FallocateFlags::empty(), 0, self.bytes)
            .map_err(std::io::Error::from)
            .inspect_err(|_| drop(std::fs::remove_file(&self.path)))
            .with_context(|| format!("cannot keep {} bytes in reserve for a full disk", self.bytes))
    }

    /// Gives the space back to the filesystem.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn release(&self) -> Result<()> {
        remove_if_there(&self.path)
    }
}
