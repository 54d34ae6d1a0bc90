//! What the package manager of a host said of a path at a moment. A database is a claim of its host; only what the recorder
//! read itself is more. What it cannot say is a reason, never a guess.

mod looks;
pub(crate) mod owned;
mod rows;

use crate::archives::Archives;
use crate::recordings::Recordings;
use crate::recordings::gaps::Mark;
use anyhow::Result;
use hashtrail::packages::PackageFile;
pub(crate) use looks::Look;
use looks::Looks;
use rows::Files;
use std::collections::{BTreeSet, HashSet};

/// What was said of the paths of a question.
pub(crate) struct Packages {
    /// By the rank of the recording.
    looks: Vec<Looks>,
    files: Files,
}

/// What was said of one path around an observation: before it, and after it.
#[derive(Debug)]
pub(crate) struct Ownership<'a> {
    /// The last look that began before the observation.
    pub(crate) before: &'a Look,
    /// The first that knows of the time behind it; the same where nothing had changed by then.
    pub(crate) after: &'a Look,
    /// Rows of packages that own the path, at each of the two.
    pub(crate) owned_before: Vec<&'a PackageFile>,
    pub(crate) owned_after: Vec<&'a PackageFile>,
    /// Every row of the path in the recording, whatever became of it.
    pub(crate) all: Vec<&'a PackageFile>,
}

impl Packages {
    /// Reads what was said of these paths.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn load(archives: &Archives<'_>, recordings: &Recordings, paths: HashSet<String>) -> Result<Self> {
        let mut looks = Looks::read(archives, recordings)?;
        let files = Files::read(archives, recordings, paths, &mut looks)?;
        Ok(Self { looks, files })
    }

    /// What was said of a path of the host's own root, of which something was seen from one moment to another.
    ///
    /// # Errors
    /// Why that is not known, in words.
    pub(crate) fn of(&self, path: &str, from: Mark, to: Mark) -> Result<Ownership<'_>, String> {
        let looks = self.looks.get(from.rank).filter(|_| from.rank == to.rank);
        let looks = looks.ok_or("the recording is not known")?;
        let (before, after) = looks.around(from.boot_ns, to.boot_ns)?;
        Ok(Ownership {
            before,
            after,
            owned_before: self.files.owners(from.rank, path, looks, before)?,
            owned_after: self.files.owners(from.rank, path, looks, after)?,
            all: self.files.all(from.rank, path),
        })
    }
}

impl Ownership<'_> {
    /// Why it may be that a package owns the path and nobody said so.
    pub(crate) fn lacks(&self) -> Option<String> {
        [self.before, self.after].into_iter().find_map(Look::lacks)
    }

    /// From when to when the database was looked at, in words.
    pub(crate) fn span(&self) -> String {
        format!("the host's {} said so from {} to {}", self.databases(), self.before.from(), self.after.until())
    }

    /// Whose databases speak, in words: of the managers that own the path, or else of all that were read.
    pub(crate) fn databases(&self) -> String {
        let owners: BTreeSet<&str> = self.all.iter().map(|row| row.manager.as_str()).collect();
        let read: BTreeSet<&str> = self.after.told.managers.iter().map(String::as_str).collect();
        let names: Vec<&str> = if owners.is_empty() { read } else { owners }.into_iter().collect();
        match names[..] {
            [] => "package database".into(),
            [name] => format!("{name} database"),
            _ => format!("{} databases", names.join(" and ")),
        }
    }
}
