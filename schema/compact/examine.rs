//! Whether an archive is as it was sealed, before anything of it is replaced: damage must not become part of a new file.

use super::{check, is_there};
use crate::archive::Archive;
use crate::manifest::{Content, Line, Standing};
use anyhow::{Context, Result};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders in which only files that the manifest names may stand.
const FOLDERS: [&str; 5] = ["events", "files", "ledger", "packages", "ima"];

/// Checks the digest of each file that stands or is left of those that were merged, and looks for files that no line names; gives
/// what is not as it was sealed, in words. `progress` is told of each file.
///
/// # Errors
/// When a folder cannot be listed.
pub(super) fn damages(
    archive: &Archive,
    lines: &[Line],
    standing: &Standing,
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<String>> {
    let number = |index: usize| lines.get(index).map_or(index, |line| line.number);
    let faults = standing.faults.iter();
    let mut damages: Vec<String> =
        faults.map(|(index, fault)| format!("line {} of the manifest: {fault}", number(*index))).collect();
    let mut named = HashSet::new();
    let lines: Vec<&Line> = lines.iter().filter(|line| matches!(line.kind(), "file" | "ima" | "compact")).collect();
    for (done, line) in lines.iter().enumerate() {
        progress(done, lines.len());
        let (Some(path), Ok(stated)) = (line.path(), line.read::<Content>()) else {
            damages.push(format!("line {} of the manifest names no file below the archive, or no digest", line.number));
            continue;
        };
        let is_expected = !standing.is_replaced(&path) || is_there(archive, &path);
        if !named.insert(path.clone()) {
            damages.push(format!("`{}` is named twice by the manifest", path.display()));
        } else if let Some(Err(error)) = is_expected.then(|| check(archive, &path, &stated)) {
            damages.push(format!("{error:#}"));
        }
    }
    let mut found = Vec::new();
    for folder in FOLDERS.iter().map(Path::new).filter(|folder| is_there(archive, folder)) {
        if fs::symlink_metadata(archive.root().join(folder)).is_ok_and(|metadata| metadata.is_dir()) {
            list(archive.root(), folder, &mut found)?;
        } else {
            damages.push(format!("`{}` is no folder", folder.display()));
        }
    }
    found.retain(|path| !named.contains(path));
    damages.extend(found.iter().map(|path| format!("no line of the manifest names `{}`", path.display())));
    Ok(damages)
}

/// Adds what stands below a folder and is none itself.
fn list(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("cannot list `{}`", folder.display());
    for entry in fs::read_dir(root.join(folder)).with_context(context)? {
        let entry = entry.with_context(context)?;
        let path = folder.join(entry.file_name());
        if entry.file_type().with_context(context)?.is_dir() {
            list(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(())
}
