//! The databases of a host, whichever package managers it has.

use super::entry::{Entry, Owned, Stamp};
use super::problems::Problems;
use super::{dpkg, rpm};
use anyhow::Result;
use std::collections::HashSet;
use std::path::Path;

/// All that stand below a root and are read.
#[derive(Debug, Default)]
pub(super) struct Databases(Vec<Database>);

#[derive(Debug)]
enum Database {
    Dpkg(dpkg::Database),
    Rpm(rpm::Database),
}

/// A package of one of them.
#[derive(Debug)]
pub(super) enum Package {
    Dpkg(dpkg::Package),
    Rpm(rpm::Package),
}

/// What changes when the entry of a package does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PackageStamp {
    Dpkg(dpkg::PackageStamp),
    Rpm(rpm::PackageStamp),
}

/// The packages of all databases.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) packages: Vec<Package>,
    /// Managers with a database that could not be read; this is a problem too.
    pub(super) unread: HashSet<&'static str>,
}

impl Databases {
    pub(super) fn below(root: &Path) -> Self {
        let dpkg = dpkg::Database::below(root).into_iter().map(Database::Dpkg);
        Self(dpkg.chain(rpm::Database::all_below(root).into_iter().map(Database::Rpm)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose they are.
    pub(super) fn managers(&self) -> Vec<String> {
        let mut managers: Vec<String> = self.0.iter().map(|database| database.manager().to_owned()).collect();
        managers.dedup();
        managers
    }

    pub(super) fn stamp(&self) -> Stamp {
        let mut all = Stamp::default();
        for stamp in self.0.iter().map(Database::stamp) {
            all.files.extend(stamp.files);
            all.is_busy |= stamp.is_busy;
        }
        all
    }

    /// All packages that own files, or may.
    ///
    /// # Errors
    /// When none of the databases can be read.
    pub(super) fn packages(&self, problems: &mut Problems) -> Result<Found> {
        let mut found = Found::default();
        let mut failed = Vec::new();
        for database in &self.0 {
            match database.packages(problems) {
                Ok(packages) => found.packages.extend(packages),
                Err(error) => failed.push((database.manager(), error)),
            }
        }
        if failed.len() == self.0.len()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        for (manager, error) in failed {
            problems.push(format!("{error:#}"));
            found.unread.insert(manager);
        }
        Ok(found)
    }
}

impl Database {
    fn manager(&self) -> &'static str {
        match self {
            Self::Dpkg(_) => dpkg::MANAGER,
            Self::Rpm(_) => rpm::MANAGER,
        }
    }

    fn stamp(&self) -> Stamp {
        match self {
            Self::Dpkg(database) => database.stamp(),
            Self::Rpm(database) => database.stamp(),
        }
    }

    fn packages(&self, problems: &mut Problems) -> Result<Vec<Package>> {
        Ok(match self {
            Self::Dpkg(database) => database.packages(problems)?.into_iter().map(Package::Dpkg).collect(),
            Self::Rpm(database) => database.packages(problems)?.into_iter().map(Package::Rpm).collect(),
        })
    }
}

impl Package {
    pub(super) fn manager(&self) -> &'static str {
        match self {
            Self::Dpkg(_) => dpkg::MANAGER,
            Self::Rpm(_) => rpm::MANAGER,
        }
    }

    pub(super) fn entry(&self) -> &Entry {
        match self {
            Self::Dpkg(package) => &package.entry,
            Self::Rpm(package) => &package.entry,
        }
    }

    pub(super) fn stamp(&self) -> PackageStamp {
        match self {
            Self::Dpkg(package) => PackageStamp::Dpkg(package.stamp()),
            Self::Rpm(package) => PackageStamp::Rpm(package.stamp),
        }
    }

    /// Hands each file, and each directory, that it owns to `each`.
    ///
    /// # Errors
    /// The first one of `each`.
    pub(super) fn each_file(&self, problems: &mut Problems, each: impl FnMut(Owned<'_>) -> Result<()>) -> Result<()> {
        match self {
            Self::Dpkg(package) => package.each_file(problems, each),
            Self::Rpm(package) => package.each_file(problems, each),
        }
    }
}
