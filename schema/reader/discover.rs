//! Which sealed files of a table stand in an archive.

use crate::archive::Archive;
use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::packages::PackageFile;
use crate::versions::FileVersion;
use anyhow::{Context, Result, anyhow};
use std::fs::{self, DirEntry, FileType};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A sealed file, as its place in the archive describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPath {
    /// Where it stands.
    pub path: PathBuf,
    /// Host of the partition.
    pub host: String,
    /// Date of the partition, `YYYY-MM-DD`.
    pub date: String,
}

/// Finds the sealed files of a table, ordered by host, date and name. `wanted` decides by host and date.
/// Names that start with `.` or `_` are not sealed. What cannot be listed, or is no regular file, becomes an error
/// beside the files that were found.
pub fn discover<R: Row>(
    archive: &Archive,
    wanted: impl Fn(&str, &str) -> bool,
) -> (Vec<SealedPath>, Vec<anyhow::Error>) {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for (host, host_folder) in partitions(&archive.table::<R>(), "host=", &mut errors) {
        for (date, date_folder) in partitions(&host_folder, "date=", &mut errors) {
            if !wanted(&host, &date) {
                continue;
            }
            let files = entries(&date_folder, ".parquet", FileType::is_file, &mut errors);
            let sealed = |(_, path)| SealedPath { path, host: host.clone(), date: date.clone() };
            found.extend(files.into_iter().filter(|(name, _)| name.ends_with(".parquet")).map(sealed));
        }
    }
    (found, errors)
}

/// Whether a path below an archive is one that [`discover`] finds in one of its tables.
#[must_use]
pub fn is_sealed_path(path: &Path) -> bool {
    let Some(parts) = path.iter().map(|part| part.to_str()).collect::<Option<Vec<&str>>>() else { return false };
    let [table, host, date, name] = parts[..] else { return false };
    let is_hidden = |name: &str| name.starts_with(['.', '_']);
    [Event::TABLE, FileVersion::TABLE, LedgerEntry::TABLE, PackageFile::TABLE].contains(&table)
        && host.starts_with("host=")
        && date.starts_with("date=")
        && name.ends_with(".parquet")
        && !is_hidden(name)
}

/// The folders `<prefix><value>` of a folder, by value.
fn partitions(folder: &Path, prefix: &str, errors: &mut Vec<anyhow::Error>) -> Vec<(String, PathBuf)> {
    let folders = entries(folder, prefix, FileType::is_dir, errors);
    let value = |(name, path): (String, PathBuf)| Some((name.strip_prefix(prefix)?.to_owned(), path));
    folders.into_iter().filter_map(value).collect()
}

/// The entries of a folder whose names hold `mark`, sorted by name. Those of another type than `expected`, links too,
/// become errors: silence about them could hide evidence.
fn entries(
    folder: &Path,
    mark: &str,
    expected: fn(&FileType) -> bool,
    errors: &mut Vec<anyhow::Error>,
) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let listing = match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => fs::read_dir(folder),
        Ok(_) => Err(ErrorKind::NotADirectory.into()),
        Err(error) => Err(error),
    };
    let listing = match listing {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound => return found,
        Err(error) => {
            errors.push(anyhow!(error).context(format!("cannot list `{}`", folder.display())));
            return found;
        }
    };
    for entry in listing {
        let entry = entry.with_context(|| format!("cannot list `{}`", folder.display()));
        match entry.and_then(|entry| named(&entry, mark, expected)) {
            Ok(entry) => found.extend(entry),
            Err(error) => errors.push(error),
        }
    }
    found.sort();
    found
}

/// Name and path of an entry, or `None` where it is none of ours.
fn named(entry: &DirEntry, mark: &str, expected: fn(&FileType) -> bool) -> Result<Option<(String, PathBuf)>> {
    let path = entry.path();
    let Ok(name) = entry.file_name().into_string() else { return Ok(None) };
    if name.starts_with(['.', '_']) || !name.contains(mark) {
        return Ok(None);
    }
    let file_type = entry.file_type().with_context(|| format!("cannot read `{}`", path.display()))?;
    if !expected(&file_type) {
        let kind =
            if file_type.is_symlink() { "a link, which is not followed" } else { "of another type than expected" };
        return Err(anyhow!("cannot read `{}`: it is {kind}", path.display()));
    }
    Ok(Some((name, path)))
}
