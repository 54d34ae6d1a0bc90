//! Small sealed files become large ones, and the manifest keeps the proof: the files of one table, host, date, and recording are
//! written one after another into a new file, which takes their place.
//!
//! The order makes each step safe to be cut short: the file is written and read back in the journal's folder, synced, renamed
//! in, and named by a `compact` line with its inputs; only then are those deleted. A file that was renamed in and that no line
//! names is a merge that did not end ([`is_merged_name`]); an input that still stands although a line has it as merged is one
//! that was not deleted yet ([`remove_merged`]). Neither is read by a question, so rows count once at any time.

mod examine;
mod merge;

pub use merge::Merged;

use crate::archive::{Archive, open_regular, remove_if_there, sync_directory};
use crate::manifest::{Content, Manifest, SealedFile, Standing};
use anyhow::{Context, Result};
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Files of so many rows are large already, and left alone. Merged files have twice as many at most: one row group.
pub const LARGE_ROWS: u64 = 512 << 10;

/// What was done.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is not as it was sealed, in words; nothing was changed then.
    pub damages: Vec<String>,
    /// What an earlier compaction, which was cut short, had left.
    pub removed: Vec<PathBuf>,
    /// Files that took the place of others.
    pub merged: Vec<Merged>,
    /// Why other files were left as they are, in words.
    pub refused: Vec<String>,
}

/// Merges small files of an archive to which nothing is added any more. `progress` is told what is done, and how many files of how
/// many are.
///
/// # Errors
/// When a file cannot be written, named in the manifest, or removed; what was done until then stands.
pub fn compact(
    archive: &Archive,
    manifest: &mut Manifest,
    mut progress: impl FnMut(&str, usize, usize),
) -> Result<Outcome> {
    let examined = examine::examine(archive, manifest.lines(), |done, all| progress("checked", done, all))?;
    let mut outcome = Outcome { damages: examined.damages, ..Outcome::default() };
    if outcome.damages.is_empty() {
        (outcome.removed, outcome.damages) =
            remove_merged(archive, &Standing::of(manifest.lines().iter().map(|line| &line.fields)))?;
    }
    if !outcome.damages.is_empty() {
        return Ok(outcome);
    }
    for path in examined.unfinished {
        remove(archive, &path)?;
        outcome.removed.push(path);
    }
    let merging = |done, all| progress("merged", done, all);
    (outcome.merged, outcome.refused) = merge::merge_all(archive, manifest, examined.files, merging)?;
    Ok(outcome)
}

/// Whether a file has the name of a merged one, `<recording>-<first segment>-<last segment>.parquet`.
#[must_use]
pub fn is_merged_name(path: &Path) -> bool {
    let stem = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".parquet"));
    stem.is_some_and(|stem| segments_of(stem).is_some_and(|(_, last)| last.is_some()))
}

/// The first segment that a stem names, and the last one of a merged file.
fn segments_of(stem: &str) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| {
        let is_number = text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten()
    };
    let (_, numbers) = stem.split_once('-')?;
    match numbers.split_once('-') {
        None => Some((number(numbers)?, None)),
        Some((first, last)) => Some((number(first)?, Some(number(last)?))),
    }
}

/// Removes files that were merged into others, where both are as their lines have them; gives the paths of those that were there,
/// and says what else stands in their place.
///
/// # Errors
/// When a file cannot be removed, or the removal not made durable.
pub fn remove_merged(archive: &Archive, standing: &Standing) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    let files = standing.files();
    for merged in standing.merged().filter(|merged| is_there(archive, &merged.path)) {
        let holder = standing.merged_into(&merged.path).and_then(|path| files.iter().find(|file| file.path == path));
        let checked = holder
            .context("no file holds its rows now")
            .and_then(|holder| check(archive, holder))
            .and_then(|()| check(archive, merged));
        match checked {
            Ok(()) => {
                remove(archive, &merged.path)?;
                removed.push(merged.path.clone());
            }
            Err(error) => kept.push(format!("`{}` was merged and is kept: {error:#}", merged.path.display())),
        }
    }
    Ok((removed, kept))
}

fn is_there(archive: &Archive, path: &Path) -> bool {
    !fs::symlink_metadata(archive.root().join(path)).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Compares a file with what its line states.
fn check(archive: &Archive, file: &SealedFile) -> Result<()> {
    check_content(archive, &file.path, &file.content)
}

fn check_content(archive: &Archive, path: &Path, stated: &Content) -> Result<()> {
    let found = open_regular(&archive.root().join(path), OpenOptions::new().read(true))
        .and_then(Content::of)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    anyhow::ensure!(found == *stated, "`{}` is not as it was sealed", path.display());
    Ok(())
}

fn remove(archive: &Archive, path: &Path) -> Result<()> {
    let full = archive.root().join(path);
    remove_if_there(&full)?;
    sync_directory(full.parent().unwrap_or(&full))
}

#[cfg(test)]
mod tests;
