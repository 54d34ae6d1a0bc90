//! The paths that a glob names. Libraries for globs pass over what they may not read; here it is told.

use crate::folder::{Listing, list_through_links};
use anyhow::{Context, Error, Result, anyhow};
use globset::{GlobBuilder, GlobMatcher};
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// What a glob names.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// By name.
    pub(crate) paths: Vec<PathBuf>,
    /// What could not be looked at, and may hold more.
    pub(crate) errors: Vec<Error>,
}

/// A part of the pattern between two slashes.
enum Part<'a> {
    /// A name, or the root, `.` or `..`.
    Plain(&'a OsStr),
    /// Any number of folders.
    Folders,
    Glob(Box<GlobMatcher>),
}

impl Places {
    /// Finds what a glob names.
    ///
    /// # Errors
    /// When it is no glob.
    pub(crate) fn find(pattern: &str) -> Result<Self> {
        let parts = Path::new(pattern).components().map(part).collect::<Result<Vec<_>>>();
        let parts = parts.with_context(|| format!("`{pattern}` is no path and no glob"))?;
        let mut places = Self::default();
        places.walk(&PathBuf::new(), &parts);
        places.paths.sort();
        places.paths.dedup();
        Ok(places)
    }

    /// Adds what the rest of the pattern names below a folder.
    fn walk(&mut self, base: &Path, parts: &[Part<'_>]) {
        let Some((part, rest)) = parts.split_first() else {
            self.paths.push(base.to_owned());
            return;
        };
        match part {
            Part::Plain(name) => self.go(&base.join(name), rest),
            Part::Folders => {
                self.walk(base, rest);
                for (path, is_folder) in self.list(base) {
                    if is_folder {
                        self.walk(&path, parts);
                    }
                }
            }
            Part::Glob(glob) => {
                for (path, _) in self.list(base) {
                    if path.file_name().is_some_and(|name| glob.is_match(Path::new(name))) {
                        self.go(&path, rest);
                    }
                }
            }
        }
    }

    /// Goes on at a path, if it is there.
    fn go(&mut self, path: &Path, rest: &[Part<'_>]) {
        match fs::symlink_metadata(path) {
            Ok(_) => self.walk(path, rest),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => self.errors.push(anyhow!(error).context(format!("cannot look at `{}`", path.display()))),
        }
    }

    /// The entries of what is a folder, also by a link, and whether each is a folder itself.
    fn list(&mut self, base: &Path) -> Vec<(PathBuf, bool)> {
        let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base };
        match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Vec::new(),
            Err(error) => {
                self.errors.push(anyhow!(error).context(format!("cannot look at `{}`", folder.display())));
                return Vec::new();
            }
        }
        let Listing { entries, errors } = list_through_links(folder);
        self.errors.extend(errors);
        entries.into_iter().map(|entry| (base.join(&entry.name), entry.kind.is_dir())).collect()
    }
}

fn part(component: Component<'_>) -> Result<Part<'_>> {
    let Component::Normal(name) = component else { return Ok(Part::Plain(component.as_os_str())) };
    let text = name.to_str().unwrap_or_default();
    if text == "**" {
        return Ok(Part::Folders);
    }
    if !text.contains(['*', '?', '[', '{']) {
        return Ok(Part::Plain(name));
    }
    let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build()?;
    Ok(Part::Glob(Box::new(glob.compile_matcher())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// What a pattern below a directory names, relative to it, and its errors.
    fn find(directory: &Path, pattern: &str) -> (Vec<String>, Vec<String>) {
        let places = Places::find(directory.join(pattern).to_str().expect("a plain path")).expect(pattern);
        let relative = |path: &PathBuf| path.strip_prefix(directory).expect("below").to_string_lossy().into_owned();
        (places.paths.iter().map(relative).collect(), places.errors.iter().map(|error| format!("{error:#}")).collect())
    }

    #[test]
    fn globs_find_what_they_name() -> Result<()> {
        let directory = tempfile::tempdir()?;
        for name in ["web1/archive", "web2/archive", "db/other", ".hidden"] {
            fs::create_dir_all(directory.path().join(name))?;
        }
        symlink(directory.path().join("web1"), directory.path().join("web3"))?;
        fs::write(directory.path().join("file"), "")?;
        let paths = |pattern| find(directory.path(), pattern).0;
        assert_eq!(paths("web*/archive"), ["web1/archive", "web2/archive", "web3/archive"]);
        assert_eq!(paths("*/archive").len(), 3);
        assert_eq!(paths("{db,web1}"), ["db", "web1"]);
        assert_eq!(paths("**/archive"), ["web1/archive", "web2/archive"], "links are not followed into loops");
        assert_eq!((paths("*").len(), paths("x*").len(), paths("file/*").len()), (6, 0, 0));
        assert!(find(directory.path(), "*/archive").1.is_empty());
        assert!(Places::find("a[").is_err());
        Ok(())
    }

    #[test]
    fn what_cannot_be_looked_at_is_told() -> Result<()> {
        let directory = tempfile::tempdir()?;
        fs::create_dir_all(directory.path().join("web1/archive"))?;
        // For root no folder is closed; a link that leads to itself is, for everybody.
        symlink(directory.path().join("loop"), directory.path().join("loop"))?;
        for pattern in ["*/archive", "*/archive/", "*/arch*", "loop/*"] {
            let (_, errors) = find(directory.path(), pattern);
            assert!(errors.len() == 1 && errors[0].contains("loop"), "{pattern}: {errors:?}");
        }
        Ok(())
    }
}
