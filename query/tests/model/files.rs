//! The files of a machine, their contents, and the names that they have in each tree.

use std::collections::{BTreeMap, BTreeSet};

/// Paths at which things happen.
pub(super) const PLACES: [&str; 6] =
    ["/usr/bin/one", "/usr/bin/two", INTERPRETER, "/usr/lib/three.so", "/srv/four", "/mnt/usb/five"];
pub(super) const INTERPRETER: &str = "/usr/bin/sh";

/// How many contents there are.
const CONTENTS: usize = 5;

/// An inode.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    /// On a filesystem that gives numbers again without another generation.
    pub(super) is_usb: bool,
    pub(super) ino: i64,
    pub(super) generation: i64,
    pub(super) content: usize,
    /// What it had before.
    pub(super) before: usize,
    /// In which boot and when the recorder read it last, as long as nothing changed since.
    pub(super) read: Option<(usize, i64)>,
    is_memfd: bool,
    /// Another file has its number now.
    is_gone: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) list: Vec<File>,
    /// By tree: that of the host, of the container, and what the private mount namespace has at `/srv`.
    names: [BTreeMap<String, usize>; 3],
    /// Those that processes run.
    pub(super) used: BTreeSet<usize>,
    next_ino: i64,
}

/// The tree that a path leads into, seen from the host, the container or the private namespace.
pub(super) fn tree_of(view: usize, path: &str) -> usize {
    match view {
        1 => 1,
        2 if path.starts_with("/srv/") => 2,
        _ => 0,
    }
}

impl Files {
    pub(super) fn new() -> Self {
        let mut files = Self { next_ino: 100, ..Self::default() };
        for (number, path) in PLACES.into_iter().enumerate() {
            let file = files.create(path, number);
            files.set(0, path, Some(file));
        }
        for (tree, path) in [(1, PLACES[0]), (1, INTERPRETER), (1, PLACES[3]), (2, PLACES[4])] {
            let file = files.create(path, 0);
            files.set(tree, path, Some(file));
        }
        files
    }

    pub(super) fn at(&self, tree: usize, path: &str) -> Option<usize> {
        self.names[tree].get(path).copied()
    }

    pub(super) fn set(&mut self, tree: usize, path: &str, file: Option<usize>) {
        match file {
            Some(file) => _ = self.names[tree].insert(path.to_owned(), file),
            None => _ = self.names[tree].remove(path),
        }
    }

    /// A new file for a path. It gets the number of one that nobody has any more.
    pub(super) fn create(&mut self, path: &str, content: usize) -> usize {
        let is_usb = path.starts_with("/mnt/usb/");
        let is_free = |number: &usize| {
            let file = &self.list[*number];
            file.is_usb == is_usb
                && !file.is_gone
                && !file.is_memfd
                && self.links(*number) == 0
                && !self.used.contains(number)
        };
        let old = (0..self.list.len()).find(is_free);
        let (ino, generation) = match old {
            Some(old) => {
                self.list[old].is_gone = true;
                let File { ino, generation, .. } = self.list[old];
                (ino, if is_usb { 0 } else { generation + 1 })
            }
            None => {
                self.next_ino += 1;
                (self.next_ino, i64::from(!is_usb))
            }
        };
        let content = content % CONTENTS;
        self.list.push(File { is_usb, ino, generation, content, before: content, ..File::default() });
        self.list.len() - 1
    }

    pub(super) fn new_memfd(&mut self, content: usize) -> usize {
        self.next_ino += 1;
        let (ino, content) = (self.next_ino, content % CONTENTS);
        self.list.push(File { ino, generation: 1, content, before: content, is_memfd: true, ..File::default() });
        self.list.len() - 1
    }

    pub(super) fn write(&mut self, file: usize, content: usize) {
        let file = &mut self.list[file];
        file.before = file.content;
        file.content = content % CONTENTS;
        file.read = None;
    }

    /// The next recorder knows no digest of before.
    pub(super) fn forget_readings(&mut self) {
        self.list.iter_mut().for_each(|file| file.read = None);
    }

    /// How many names a file has.
    pub(super) fn links(&self, file: usize) -> i64 {
        let links = self.names.iter().flat_map(BTreeMap::values).filter(|named| **named == file).count();
        i64::try_from(links).expect("a small number")
    }

    /// Whether one can be renamed to the other: they stand on one filesystem, and in one tree.
    pub(super) fn are_together(&self, view: usize, from: &str, to: &str) -> bool {
        let is_usb = |path: &str| path.starts_with("/mnt/usb/");
        tree_of(view, from) == tree_of(view, to) && is_usb(from) == is_usb(to) && from != to
    }

    /// The path of a file that had this one, and what is odd about it.
    pub(super) fn name_of(&self, file: usize, tree: usize, path: &str) -> (String, Vec<&'static str>) {
        if self.list[file].is_memfd {
            return (path.to_owned(), vec!["memfd"]);
        }
        let is_there = self.at(tree, path) == Some(file) || path.ends_with(".new");
        let moved = || self.names[tree].iter().find(|(_, named)| **named == file).map(|(path, _)| path.clone());
        match is_there.then(|| path.to_owned()).or_else(moved) {
            Some(path) => (path, Vec::new()),
            None => (path.to_owned(), vec!["deleted"]),
        }
    }

    /// The inode of the directory that holds a path.
    pub(super) fn directory(tree: usize, path: &str) -> Option<i64> {
        let directories = ["/usr/bin", "/usr/lib", "/srv", "/mnt/usb"];
        let number = directories.iter().position(|directory| path.starts_with(directory));
        i64::try_from(1000 * (tree + 1) + number.unwrap_or(9)).ok()
    }
}
