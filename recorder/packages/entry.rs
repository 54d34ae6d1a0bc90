//! What the databases of all package managers say alike.

use hashtrail::digest::Digest;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Packages that are held in memory.
pub(super) const MAX_PACKAGES: usize = 200_000;

/// What changes when somebody changes a file: size, inode, and times.
pub(super) type Attributes = (u64, u64, i64, i64, i64, i64);

/// What changes when a database does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) files: Vec<Option<Attributes>>,
    /// Whether somebody is at work on it, or died at it.
    pub(super) is_busy: bool,
}

/// What a database says of a whole package.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) architecture: Option<String>,
    pub(super) state: Option<String>,
}

/// A file that a package owns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owned<'a> {
    /// Absolute, as the database has it.
    pub(super) path: &'a [u8],
    /// Where it stands: another path, where another package has its place.
    pub(super) place: &'a [u8],
    pub(super) stated: Option<Digest>,
    pub(super) is_configuration: bool,
    /// The status of a file that does not stand there, as the database says itself.
    pub(super) absent: Option<&'static str>,
}

/// The attributes of what is at a path.
pub(super) fn attributes(path: &Path) -> Option<Attributes> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.size(), found.ino(), found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()))
}
