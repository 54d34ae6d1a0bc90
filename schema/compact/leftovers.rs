//! What a compaction that was cut short has left: a file that is written and named but not in place, and files that were merged
//! and not deleted.

use super::{STAGING, check_at, is_there, remove};
use crate::archive::{Archive, rename_new, sync_directory};
use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::manifest::{CompactedFile, SealedFile, Standing};
use crate::row_digest::RowSet;
use crate::versions::FileVersion;
use anyhow::{Context, Result, anyhow, ensure};
use std::path::{Path, PathBuf};

/// Puts a file in place that was written to its end and named by a line; gives its path. Where it is not whole, what it was to be
/// made of stands, and is merged anew.
///
/// # Errors
/// When it cannot be renamed.
pub(super) fn end(archive: &Archive, standing: &Standing) -> Result<Option<PathBuf>> {
    let staging = archive.journal().join(STAGING);
    let mut undone = standing.undone().filter(|merge| !is_there(archive, &merge.file.path));
    let Some(merge) = undone.find(|merge| check_at(&staging, &merge.file.content).is_ok()) else {
        return Ok(None);
    };
    let inputs: Vec<&SealedFile> = merge.inputs.iter().filter_map(|input| standing.file(&input.path)).collect();
    if compare(archive, &merge.file, &staging, &inputs).is_err() {
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
    let inputs = merged.inputs.iter().filter_map(|input| standing.file(&input.path));
    let left: Vec<&SealedFile> = inputs.filter(|file| is_there(archive, &file.path)).collect();
    if left.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let compared = compare(archive, &merged.file, &archive.root().join(&merged.file.path), &left);
    if let Err(reason) = compared {
        return Ok(Err(reason.context("files that were merged are kept")));
    }
    remove(archive, left.iter().copied())?;
    Ok(Ok(left.iter().map(|file| file.path.clone()).collect()))
}

/// Whether the rows of these files are in the one that they were merged into, as it stands at `path`, each as often.
fn compare(archive: &Archive, merged: &SealedFile, path: &Path, inputs: &[&SealedFile]) -> Result<()> {
    match merged.path.iter().next().and_then(|table| table.to_str()) {
        Some(Event::TABLE) => compare_rows::<Event>(archive, path, inputs),
        Some(FileVersion::TABLE) => compare_rows::<FileVersion>(archive, path, inputs),
        Some(LedgerEntry::TABLE) => compare_rows::<LedgerEntry>(archive, path, inputs),
        _ => Err(anyhow!("`{}` is in no table", merged.path.display())),
    }
}

fn compare_rows<R: Row>(archive: &Archive, path: &Path, inputs: &[&SealedFile]) -> Result<()> {
    let mut held = RowSet::of_file::<R>(path)?;
    for file in inputs {
        let is_held = held.take_file::<R>(&archive.root().join(&file.path))?;
        ensure!(is_held, "`{}` has rows that `{}` has not", file.path.display(), path.display());
    }
    Ok(())
}
