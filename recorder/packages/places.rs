//! Where a path of the database leads to: `/bin/sh` stands at `/usr/bin/sh` where `/bin` is a link, and events show that one.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Directories that are remembered at once.
const MAX_KNOWN: usize = 64 << 10;
/// Longest path that the kernel takes.
const MAX_PATH_BYTES: usize = 4096;

/// The directories of a root.
#[derive(Debug)]
pub(super) struct Places {
    root: PathBuf,
    known: HashMap<PathBuf, Option<PathBuf>>,
}

impl Places {
    pub(super) fn below(root: &Path) -> Self {
        Self { root: root.to_owned(), known: HashMap::new() }
    }

    /// The path without links among its directories, seen from the root. `None` where it is no plain absolute path, or where
    /// it leads to cannot be told.
    pub(super) fn real(&mut self, path: &[u8]) -> Option<PathBuf> {
        let parts = path.strip_prefix(b"/").filter(|_| path.len() < MAX_PATH_BYTES)?;
        let is_plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b".." && !part.contains(&0);
        if !parts.split(|byte| *byte == b'/').all(is_plain) {
            return None;
        }
        let path = Path::new(OsStr::from_bytes(path));
        Some(self.directory(path.parent()?)?.join(path.file_name()?))
    }

    /// A directory that is not there is taken to be made where its parent is.
    fn directory(&mut self, path: &Path) -> Option<PathBuf> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let below = path.strip_prefix("/").ok()?;
        let real = match fs::canonicalize(self.root.join(below)) {
            Ok(found) => found.strip_prefix(&self.root).ok().map(|below| Path::new("/").join(below)),
            // Where a link to nothing leads is known once something is there.
            Err(error) if error.kind() == ErrorKind::NotFound && !is_link(&self.root.join(below)) => {
                path.parent().zip(path.file_name()).and_then(|(parent, name)| Some(self.directory(parent)?.join(name)))
            }
            Err(_) => None,
        };
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(path.to_owned(), real.clone());
        real
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_among_the_directories_are_followed_and_nothing_else() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("usr/bin"))?;
        symlink("usr/bin", at("bin"))?;
        symlink("loop", at("loop"))?;
        symlink("gone", at("dangling"))?;
        fs::write(at("usr/bin/sh"), "")?;
        symlink("sh", at("usr/bin/link"))?;
        let mut places = Places::below(&fs::canonicalize(root.path())?);
        let mut real = |path: &[u8]| places.real(path).map(|path| path.display().to_string());
        let shown = [
            (&b"/bin/sh"[..], Some("/usr/bin/sh")),
            (b"/bin/link", Some("/usr/bin/link")),
            (b"/usr/bin/sh", Some("/usr/bin/sh")),
            (b"/top", Some("/top")),
            (b"/bin/gone/deep/file", Some("/usr/bin/gone/deep/file")),
            (b"/usr/bin/sh/below", Some("/usr/bin/sh/below")),
            (b"/loop/file", None),
            (b"/dangling/file", None),
            (b"/bin/../etc/passwd", None),
            (b"/bin//sh", None),
            (b"/bin/./sh", None),
            (b"/bin/", None),
            (b"bin/sh", None),
            (b"/", None),
            (b"", None),
            (b"/bin/\0", None),
        ];
        for (path, expected) in shown {
            assert_eq!(real(path).as_deref(), expected, "{}", String::from_utf8_lossy(path));
        }
        let long = [b"/", &vec![b'x'; MAX_PATH_BYTES][..]].concat();
        assert_eq!(real(&long), None);
        Ok(())
    }
}
