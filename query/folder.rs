//! What stands in a folder. All listing is done here: what cannot be listed comes back beside the entries, so that no caller takes a
//! folder that it may not read for an empty one.

use anyhow::{Error, anyhow};
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io::ErrorKind;
use std::path::Path;

/// The entries of a folder by name, and what kept others from being seen.
#[derive(Debug, Default)]
#[must_use = "errors that are dropped make absence out of blindness"]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
    pub(crate) errors: Vec<Error>,
}

/// An entry; a link is a link, wherever it leads.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    pub(crate) kind: FileType,
}

impl Entry {
    /// The name as text, for comparisons with names of ours.
    pub(crate) fn text(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}

/// Lists a folder, which may be no link; one that is not there is empty.
pub(crate) fn list(folder: &Path) -> Listing {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => list_through_links(folder),
        Err(error) if error.kind() == ErrorKind::NotFound => Listing::default(),
        Err(error) => Listing { errors: vec![context(folder, error)], ..Listing::default() },
        Ok(_) => Listing { errors: vec![context(folder, ErrorKind::NotADirectory.into())], ..Listing::default() },
    }
}

/// As `list`, where links of the user's own lead to the folder.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn list_through_links(folder: &Path) -> Listing {
    let mut listing = Listing::default();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return listing,
        Err(error) => {
            listing.errors.push(context(folder, error));
            return listing;
        }
    };
    for entry in entries {
        match entry.and_then(|entry| Ok(Entry { name: entry.file_name(), kind: entry.file_type()? })) {
            Ok(entry) => listing.entries.push(entry),
            Err(error) => listing.errors.push(context(folder, error)),
        }
    }
    listing.entries.sort_by(|left, right| left.name.cmp(&right.name));
    listing
}

fn context(folder: &Path, error: std::io::Error) -> Error {
    anyhow!(error).context(format!("cannot list `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_listed_is_told_and_what_is_not_there_is_empty() -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name);
        fs::write(path("b"), "")?;
        fs::create_dir(path("a"))?;
        std::os::unix::fs::symlink(path("a"), path("link"))?;
        let listing = list(directory.path());
        let names: Vec<String> = listing.entries.iter().map(Entry::text).collect();
        assert_eq!((names, listing.errors.len()), (vec!["a".into(), "b".into(), "link".into()], 0));
        let counts = |name: &str| {
            let Listing { entries, errors } = list(&path(name));
            (entries.len(), errors.len())
        };
        assert_eq!((counts("nothing"), counts("b"), counts("link")), ((0, 0), (0, 1), (0, 1)));
        assert!(list_through_links(&path("link")).errors.is_empty());
        Ok(())
    }
}
