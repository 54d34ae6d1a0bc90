//! rpm's database: a header for each package, in SQLite or in rpm's own format, ndb. rpm itself is not run: it is a program of
//! the host. Whoever is root can write anything there: nothing of it is trusted, and what cannot be read is a problem that is
//! told.

mod files;
mod header;
mod ndb;
mod sqlite;

use super::entry::{Entry, MAX_PACKAGES, Owned, Stamp, attributes};
use super::problems::Problems;
use anyhow::{Context, Result, anyhow, ensure};
use files::Files;
use hashtrail::archive::open_regular;
use hashtrail::sqlite::waiting;
use header::Header;
use rustix::process::{Flock, FlockType, fcntl_getlk};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub(super) const MANAGER: &str = "rpm";

/// Folders of the database: long ago, with a read-only `/usr`, and with ostree. Where one leads to another it is found once.
const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];
/// Largest database that is read; real ones have a tenth of that.
const MAX_DATABASE_BYTES: u64 = 2 << 30;
/// Largest header that is read; those of packages with 100,000 files have half of that.
const MAX_HEADER_BYTES: u32 = 32 << 20;

/// Where a database stands.
#[derive(Debug, Clone)]
pub(super) struct Database {
    /// Without links.
    path: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Sqlite,
    Ndb,
}

/// SHA-256 of its header.
pub(super) type PackageStamp = [u8; 32];

/// A package, as its header has it.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) entry: Entry,
    pub(super) stamp: PackageStamp,
    number: i64,
    headers: Rc<Headers>,
}

/// The headers of a database that is read.
#[derive(Debug)]
enum Headers {
    Sqlite(sqlite::Headers),
    Ndb(ndb::Headers),
}

impl Database {
    /// All that stand below a root.
    pub(super) fn all_below(root: &Path) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for folder in FOLDERS.iter().filter_map(|folder| fs::canonicalize(root.join(folder)).ok()) {
            for (name, format) in [("rpmdb.sqlite", Format::Sqlite), ("Packages.db", Format::Ndb)] {
                let path = folder.join(name);
                if fs::symlink_metadata(&path).is_ok() && found.iter().all(|other| other.path != path) {
                    found.push(Self { path, format });
                }
            }
        }
        found
    }

    /// rpm holds a lock while it works. What stands beside a database of SQLite is not in it yet: rpm is at work, or died.
    pub(super) fn stamp(&self) -> Stamp {
        let lock = open_regular(&self.path.with_file_name(".rpm.lock"), OpenOptions::new().read(true));
        let is_locked =
            lock.is_ok_and(|lock| matches!(fcntl_getlk(&lock, &Flock::from(FlockType::WriteLock)), Ok(Some(_))));
        Stamp { files: vec![attributes(&self.path)], is_busy: is_locked || waiting(&self.path).is_some() }
    }

    /// All packages.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) fn packages(&self, problems: &mut Problems) -> Result<Vec<Package>> {
        let what = || format!("cannot read `{}`", self.path.display());
        let headers = Rc::new(self.open().with_context(what)?);
        if let Some(beside) = waiting(&self.path) {
            problems.push(format!("what `{}` holds is not in the database yet", beside.display()));
        }
        // A damaged database can lead round in circles.
        let mut left = fs::metadata(&self.path).with_context(what)?.len();
        let mut packages = Vec::new();
        for number in headers.numbers(problems).with_context(what)? {
            if packages.len() == MAX_PACKAGES {
                problems.push(format!("there are more than {MAX_PACKAGES} packages"));
                break;
            }
            let header = headers.read(number);
            let length = header.as_ref().map_or(0, |header| header.len() as u64);
            let Some(rest) = left.checked_sub(length) else {
                problems.push("rpm's database has more in it than it is long".into());
                break;
            };
            left = rest;
            match header.and_then(|header| Package::of(number, &header, &headers)) {
                Ok(package) => packages.push(package),
                Err(error) => problems.push(format!("header {number} of rpm's database: {error:#}")),
            }
        }
        Ok(packages)
    }

    fn open(&self) -> Result<Headers> {
        // What is no regular file is not opened.
        let file = open_regular(&self.path, OpenOptions::new().read(true))?;
        ensure!(file.metadata()?.len() <= MAX_DATABASE_BYTES, "it is too large");
        Ok(match self.format {
            Format::Sqlite => Headers::Sqlite(sqlite::Headers::open(&self.path, MAX_HEADER_BYTES)?),
            Format::Ndb => Headers::Ndb(ndb::Headers::open(file, MAX_HEADER_BYTES)?),
        })
    }
}

impl Headers {
    fn numbers(&self, problems: &mut Problems) -> Result<Vec<i64>> {
        match self {
            Self::Sqlite(headers) => headers.numbers(MAX_PACKAGES + 1, problems),
            Self::Ndb(headers) => Ok(headers.numbers()),
        }
    }

    fn read(&self, number: i64) -> Result<Vec<u8>> {
        match self {
            Self::Sqlite(headers) => headers.read(number),
            Self::Ndb(headers) => headers.read(number),
        }
    }
}

impl Package {
    fn of(number: i64, header: &[u8], headers: &Rc<Headers>) -> Result<Self> {
        let (entry, stamp) = (Header::of(header)?.entry()?, Sha256::digest(header).into());
        Ok(Self { entry, stamp, number, headers: Rc::clone(headers) })
    }

    /// Hands each file, and each directory, that it owns to `each`.
    ///
    /// # Errors
    /// The first one of `each`.
    pub(super) fn each_file(&self, problems: &mut Problems, each: impl FnMut(Owned<'_>) -> Result<()>) -> Result<()> {
        let header = self.headers.read(self.number);
        let files = header.as_ref().map_err(|error| anyhow!("{error:#}"));
        match files.and_then(|header| Files::of(Header::of(header)?)) {
            Ok(files) => files.each(&self.entry.name, problems, each),
            Err(error) => {
                problems.push(format!("the files of `{}`: {error:#}", self.entry.name));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
