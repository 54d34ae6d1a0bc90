//! What a compaction that was cut short has left: a file that is written and named but not in place, and files that were merged
//! and not deleted.

use super::{STAGING, check_at, is_there, remove};
use crate::archive::{Archive, rename_new, sync_directory};
use crate::manifest::{CompactedFile, SealedFile, Standing};
use crate::row_digest::RowSet;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// Puts a file in place that was written to its end and named by a line; gives its path. Where it is not whole, what it was to be
/// made of stands, and is merged anew.
///
/// # Errors
/// When it cannot be renamed.
pub(super) fn end(archive: &Archive, standing: &Standing) -> Result<Option<PathBuf>> {
    let staging = archive.journal().join(STAGING);
    // One whose inputs are gone was in place before: its name was not on the disk yet when the power was cut.
    let mut missing = standing.undone().chain(standing.done()).filter(|merge| !is_there(archive, &merge.file.path));
    let Some(merge) = missing.find(|merge| check_at(&staging, &merge.file.content).is_ok()) else {
        return Ok(None);
    };
    if compare(archive, merge, &staging, &left_of(archive, standing, merge)).is_err() {
        return Ok(None);
    }
    place(archive, &merge.file)?;
    Ok(Some(merge.file.path.clone()))
}

/// Renames the file that is written to its place, which a line names.
///
/// # Errors
/// When something stands there, or the rename fails or is not durable.
pub(super) fn place(archive: &Archive, file: &SealedFile) -> Result<()> {
    let target = archive.root().join(&file.path);
    rename_new(&archive.journal().join(STAGING), &target)
        .with_context(|| format!("cannot put `{}` in place", target.display()))?;
    sync_directory(target.parent().unwrap_or(&target))
}

/// Deletes what was merged into a file that stands, where each of its rows is in that file; gives the paths. The inner error says
/// why they were left.
///
/// # Errors
/// When a file cannot be removed.
pub(super) fn delete(archive: &Archive, standing: &Standing, merged: &CompactedFile) -> Result<Result<Vec<PathBuf>>> {
    let left = left_of(archive, standing, merged);
    if left.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let holder = archive.root().join(&merged.file.path);
    if let Err(reason) = compare(archive, merged, &holder, &left) {
        return Ok(Err(reason.context("files that were merged are kept")));
    }
    // Its rename may not be on the disk yet.
    sync_directory(holder.parent().unwrap_or(&holder))?;
    remove(archive, left.iter().copied())?;
    Ok(Ok(left.iter().map(|file| file.path.clone()).collect()))
}

/// Inputs of a merge that are there.
fn left_of<'a>(archive: &Archive, standing: &'a Standing, merged: &CompactedFile) -> Vec<&'a SealedFile> {
    let inputs = merged.inputs.iter().filter_map(|input| standing.file(&input.path));
    inputs.filter(|file| is_there(archive, &file.path)).collect()
}

/// Whether a merged file, as it stands at `path`, has the rows that its line states, and each row of these files as often.
fn compare(archive: &Archive, merged: &CompactedFile, path: &Path, inputs: &[&SealedFile]) -> Result<()> {
    let mut held = RowSet::of_file(merged.file.table(), path, merged.file.rows)?;
    ensure!(held.rows_sha256() == merged.rows_sha256, "the rows of `{}` are not those of its line", path.display());
    for file in inputs {
        let is_held = held.take_file(file.table(), &archive.root().join(&file.path), file.rows)?;
        ensure!(is_held, "`{}` has rows that `{}` has not", file.path.display(), path.display());
    }
    Ok(())
}
