//! One recorder for each archive.

use anyhow::{Context, Result};
use hashtrail::archive::{Archive, open_own};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

/// The lock on an archive, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Refuses a second recorder on the same archive.
    ///
    /// # Errors
    /// When another process holds the lock, or the lock file cannot be opened.
    pub(crate) fn take(archive: &Archive) -> Result<Self> {
        let path = archive.journal().join("lock");
        let file = open_own(&path, OpenOptions::new().create(true).append(true).mode(0o600))
            .with_context(|| format!("cannot open `{}`", path.display()))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .with_context(|| format!("another recorder writes to `{}`", archive.root().display()))?;
        Ok(Self(file))
    }

    /// Locks again, which changes nothing and passes the kernel's `file_lock` hook.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn again(&self) -> Result<()> {
        flock(&self.0, FlockOperation::NonBlockingLockExclusive).context("cannot lock the archive again")
    }
}
