//! Small sealed files become large ones, and the manifest keeps the proof: the files of one table, host, date and recording are
//! written one after another into a new file, which takes their place.
//!
//! The order makes each step safe to be cut short. The new file is written, synced and read back in the journal's folder; a
//! `compact` line says what it is and what it is made of; it is renamed into the tree; and only then are the others deleted.
//! Which of them count is decided by [`Standing`] at any time. Nothing is deleted that no line names, and no file of which a row
//! is not in the one that stands.

mod examine;
mod leftovers;
mod merge;

pub use merge::Merged;

use crate::archive::{Archive, open_regular, remove_if_there, sync_directory};
use crate::manifest::{Content, Manifest, SealedFile, Standing};
use anyhow::{Context, Result, ensure};
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Files of so many rows are large already, and left alone.
pub const LARGE_ROWS: u64 = crate::manifest::MAX_MERGED_ROWS / 2;
/// The file that is being written, in the journal's folder; there is one at a time.
const STAGING: &str = "compact.tmp";

/// What was done.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is not as it was sealed, in words; nothing was changed then.
    pub damages: Vec<String>,
    /// Files that were put in place by this run although their line is of an earlier one, which was cut short.
    pub ended: Vec<PathBuf>,
    /// Files that were deleted because an earlier run had merged them, and was cut short.
    pub removed: Vec<PathBuf>,
    /// Files that took the place of others.
    pub merged: Vec<Merged>,
    /// Why other files were left as they are, in words.
    pub refused: Vec<String>,
}

/// Merges small files of an archive to which nothing is added any more; `outcome` says what was done, after an error too.
/// `progress` is told what is done, and how many files of how many are.
///
/// # Errors
/// When a file cannot be written, named in the manifest, or removed; what was done until then stands.
pub fn compact(
    archive: &Archive,
    manifest: &mut Manifest,
    outcome: &mut Outcome,
    mut progress: impl FnMut(&str, usize, usize),
) -> Result<()> {
    let lines = manifest.lines();
    let standing = Standing::in_tree(archive, &lines);
    if standing.faults.is_empty() {
        outcome.ended.extend(leftovers::end(archive, &standing)?);
    }
    let standing = Standing::in_tree(archive, &lines);
    let checking = |done, all| progress("checked", done, all);
    outcome.damages = examine::damages(archive, &lines, &standing, checking)?;
    if !outcome.damages.is_empty() {
        return Ok(());
    }
    for merged in standing.done() {
        match leftovers::delete(archive, &standing, merged)? {
            Ok(removed) => outcome.removed.extend(removed),
            Err(reason) => outcome.refused.push(format!("{reason:#}")),
        }
    }
    let groups = merge::groups(&standing);
    let (mut done, all) = (0, groups.iter().map(Vec::len).sum());
    for group in groups {
        progress("merged", done, all);
        done += group.len();
        match merge::merge(archive, manifest, &group)? {
            Ok(merged) => outcome.merged.push(merged),
            Err(reason) => outcome.refused.push(format!("{reason:#}")),
        }
    }
    Ok(())
}

fn is_there(archive: &Archive, path: &Path) -> bool {
    !fs::symlink_metadata(archive.root().join(path)).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Compares a file with what its line states.
fn check(archive: &Archive, path: &Path, stated: &Content) -> Result<()> {
    check_at(&archive.root().join(path), stated).with_context(|| format!("cannot use `{}`", path.display()))
}

fn check_at(path: &Path, stated: &Content) -> Result<()> {
    let found = open_regular(path, OpenOptions::new().read(true)).and_then(Content::of)?;
    ensure!(found == *stated, "it is not as it was sealed");
    Ok(())
}

/// Deletes files of one folder, and makes that durable.
fn remove<'a>(archive: &Archive, files: impl IntoIterator<Item = &'a SealedFile>) -> Result<()> {
    let mut folder = None;
    for file in files {
        let path = archive.root().join(&file.path);
        remove_if_there(&path)?;
        folder = path.parent().map(Path::to_owned);
    }
    folder.map_or(Ok(()), |folder| sync_directory(&folder))
}

#[cfg(test)]
mod tests;
