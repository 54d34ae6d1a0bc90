//! What an event and a change have in common where the one reached the other, as numbers: hashes by a key that nobody knows. Two
//! paths with one number are told apart by whoever asks further.

use ahash::RandomState;

/// The numbers. That of a path is made of its names one by one, so that those of its ends, or of the directories above it, come with
/// it.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState);

/// What a number is of.
#[derive(Hash)]
enum Kind {
    Inode,
    /// A path on the host.
    Path,
    /// A path under another root, by that root's inode number.
    UnderRoot,
    /// The end of a path, on one filesystem.
    End,
    /// A whole path under another root, on one filesystem.
    WholeOfRoot,
    /// A directory above a path.
    Directory,
}

/// A name that an event gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) path: &'a str,
    /// All of its names, from the last one.
    whole: u64,
    /// The same from the first one.
    down: u64,
}

impl Keys {
    pub(super) fn name<'a>(&self, path: &'a str) -> Name<'a> {
        Name { path, whole: self.whole(path), down: self.directories(path).last().unwrap_or(0) }
    }

    pub(super) fn dev(&self, dev: &str) -> u64 {
        self.0.hash_one(dev)
    }

    pub(super) fn inode(&self, ino: i64) -> u64 {
        self.0.hash_one((Kind::Inode, ino))
    }

    pub(super) fn path(&self, path: Name<'_>) -> u64 {
        self.0.hash_one((Kind::Path, path.whole))
    }

    pub(super) fn under_root(&self, root_ino: i64, path: Name<'_>) -> u64 {
        self.0.hash_one((Kind::UnderRoot, root_ino, path.whole))
    }

    /// Of a name that is the end of a path.
    pub(super) fn end(&self, dev: u64, name: Name<'_>) -> u64 {
        self.0.hash_one((Kind::End, dev, name.whole))
    }

    /// Of all ends of a path that are names of their own.
    pub(super) fn ends(&self, dev: u64, path: &str) -> impl Iterator<Item = u64> {
        self.ends_of(path).map(move |end| self.0.hash_one((Kind::End, dev, end)))
    }

    /// Of a whole path under another root.
    pub(super) fn whole_of_root(&self, dev: u64, path: Name<'_>) -> u64 {
        self.0.hash_one((Kind::WholeOfRoot, dev, path.whole))
    }

    /// Of all such paths that are the end of a name.
    pub(super) fn wholes_within(&self, dev: u64, name: &str) -> impl Iterator<Item = u64> {
        self.ends_of(name).map(move |end| self.0.hash_one((Kind::WholeOfRoot, dev, end)))
    }

    /// Of a name that is one of a directory.
    pub(super) fn directory(&self, name: Name<'_>) -> u64 {
        self.0.hash_one((Kind::Directory, name.down))
    }

    /// Of the directories above a path.
    pub(super) fn above(&self, path: &str) -> impl Iterator<Item = u64> {
        let count = names(path).map_or(0, |names| names.split('/').count() - 1);
        self.directories(path).take(count).map(move |down| self.0.hash_one((Kind::Directory, down)))
    }

    fn whole(&self, path: &str) -> u64 {
        self.ends_of(path).last().unwrap_or_else(|| self.0.hash_one(path))
    }

    /// Each end of an absolute path, the shortest first.
    fn ends_of(&self, path: &str) -> impl Iterator<Item = u64> {
        let names = names(path).into_iter().flat_map(|names| names.rsplit('/'));
        names.scan(0_u64, move |end, name| {
            *end = self.0.hash_one((*end, name));
            Some(*end)
        })
    }

    /// Each directory above an absolute path and the path itself, the shortest first.
    fn directories(&self, path: &str) -> impl Iterator<Item = u64> {
        let names = names(path).into_iter().flat_map(|names| names.split('/'));
        names.scan(1_u64, move |down, name| {
            *down = self.0.hash_one((*down, name));
            Some(*down)
        })
    }
}

/// An absolute path without the root, so that it begins with a name.
fn names(path: &str) -> Option<&str> {
    path.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All short paths of these characters: with names that are empty, and with none.
    fn paths() -> Vec<String> {
        let mut paths = vec![String::new()];
        let mut first = 0;
        for _ in 0..6 {
            let end = paths.len();
            for place in first..end {
                for character in ['/', 'a', 'b'] {
                    paths.push(format!("{}{character}", paths[place]));
                }
            }
            first = end;
        }
        paths.retain(|path| path.len() < 6);
        paths
    }

    #[test]
    fn numbers_meet_where_the_texts_do() {
        let keys = Keys::default();
        let (dev, paths) = (keys.dev("8:1"), paths());
        let is_absolute = |path: &str| path.starts_with('/');
        for path in &paths {
            let ends: Vec<u64> = keys.ends(dev, path).collect();
            let above: Vec<u64> = keys.above(path).collect();
            for name in &paths {
                let known = keys.name(name);
                let both = is_absolute(path) && is_absolute(name);
                assert_eq!(keys.path(known) == keys.path(keys.name(path)), path == name, "{path} {name}");
                assert_eq!(ends.contains(&keys.end(dev, known)), both && path.ends_with(name), "{path} ends {name}");
                let is_above = path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'));
                assert_eq!(above.contains(&keys.directory(known)), both && is_above, "{name} above {path}");
                let within = keys.wholes_within(dev, name).any(|key| key == keys.whole_of_root(dev, keys.name(path)));
                assert_eq!(within, both && name.ends_with(path), "{path} within {name}");
            }
        }
    }
}
