//! Where things stand in an archive directory.

use crate::columns::Row;
use anyhow::{Context, Result, bail};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Folder of what is not yet sealed. The leading dot hides it from Spark; no file in it may end in `.parquet`, which
/// hides it from DuckDB's `**/*.parquet`.
pub const JOURNAL: &str = ".journal";

/// The archive of one host.
#[derive(Debug, Clone)]
pub struct Archive {
    root: PathBuf,
}

impl Archive {
    /// Creates the directory (mode 0700) where it is missing, and its journal folder.
    ///
    /// # Errors
    /// When a directory cannot be made, or `root` is something else.
    pub fn create(root: &Path) -> Result<Self> {
        let archive = Self { root: root.to_owned() };
        make_directory(&archive.journal())?;
        Ok(archive)
    }

    /// Opens an existing archive.
    ///
    /// # Errors
    /// When `root` is not a directory.
    pub fn open(root: &Path) -> Result<Self> {
        let metadata = fs::metadata(root).with_context(|| format!("cannot open archive `{}`", root.display()))?;
        if !metadata.is_dir() {
            bail!("archive `{}` is not a directory", root.display());
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of what is not yet sealed.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join(JOURNAL)
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.jsonl")
    }

    /// The folder of one table.
    #[must_use]
    pub fn table<R: Row>(&self) -> PathBuf {
        self.root.join(R::TABLE)
    }

    /// Path, relative to the archive, of one sealed file.
    #[must_use]
    pub fn sealed_name<R: Row>(host: &str, date: &str, file_stem: &str) -> PathBuf {
        PathBuf::from(R::TABLE)
            .join(format!("host={host}"))
            .join(format!("date={date}"))
            .join(format!("{file_stem}.parquet"))
    }
}

/// A host name that can stand in a folder's name: bytes outside `[A-Za-z0-9._-]` become `_`.
#[must_use]
pub fn host_label(name: &str) -> String {
    let label: String = name
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) { byte.into() } else { '_' })
        .collect();
    if label.is_empty() { "_".into() } else { label }
}

/// Makes a directory and its parents (mode 0700) and makes the new entries durable.
///
/// # Errors
/// Names the directory that could not be made.
pub fn make_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {}
        result => result.with_context(|| format!("cannot make directory `{}`", path.display()))?,
    }
    sync_directory(path.parent().unwrap_or(path))
}

/// Makes renames in a directory durable.
///
/// # Errors
/// When the directory cannot be opened or synced.
pub fn sync_directory(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .with_context(|| format!("cannot sync directory `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_become_safe_folder_names() {
        assert_eq!(host_label("web-1.example"), "web-1.example");
        assert_eq!(host_label("a/b c\u{e9}"), "a_b_c__");
        assert_eq!(host_label(""), "_");
    }
}
