//! dpkg's database, as far as it says who owns which file: `status` (or `status.d` of images without dpkg), `info/*.list`,
//! `info/*.md5sums` and `diversions`. Whoever is root can write anything there: nothing of it is trusted, and what cannot be
//! read is a problem that is told.

mod entries;

use super::entry::{Attributes, Entry, Owned, Stamp, attributes};
use super::lines::{Line, Lines};
use super::problems::Problems;
use anyhow::{Context, Result, ensure};
use entries::Entries;
use hashtrail::archive::open_regular;
use hashtrail::digest::Digest;
use rustix::process::{Flock, FlockType, fcntl_getlk};
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Largest files of the database that are read; real ones have a tenth of that.
const MAX_INFO_BYTES: u64 = 16 << 20;
const MAX_DIVERSIONS_BYTES: u64 = 16 << 20;

pub(super) const MANAGER: &str = "dpkg";

/// Where the database stands.
#[derive(Debug, Clone)]
pub(super) struct Database {
    folder: PathBuf,
}

/// What changes when the entry of a package does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageStamp {
    version: Option<String>,
    state: Option<String>,
    configuration: Vec<(Vec<u8>, Option<Digest>)>,
    files: [Option<Attributes>; 2],
}

/// A package, as its entry has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Package {
    pub(super) entry: Entry,
    configuration: Vec<(Vec<u8>, Option<Digest>)>,
    list: PathBuf,
    sums: PathBuf,
    diversions: Rc<Diversions>,
}

/// Files that stand elsewhere, because another package has their place.
#[derive(Debug, Default)]
struct Diversions(HashMap<Vec<u8>, (Vec<u8>, String)>);

impl Database {
    /// The database below a root; `None` where there is none.
    pub(super) fn below(root: &Path) -> Option<Self> {
        let folder = root.join("var/lib/dpkg");
        let is_there = ["status", "status.d"].iter().any(|name| fs::symlink_metadata(folder.join(name)).is_ok());
        is_there.then_some(Self { folder })
    }

    pub(super) fn stamp(&self) -> Stamp {
        let files = ["status", "status.d", "diversions"].map(|name| attributes(&self.folder.join(name)));
        let files = files.to_vec();
        Stamp { files, is_busy: self.is_busy() }
    }

    /// dpkg holds a lock while it works, and keeps what `status` does not say yet in `updates`.
    fn is_busy(&self) -> bool {
        let is_update = |name: &std::ffi::OsStr| name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        let updates = fs::read_dir(self.folder.join("updates")).into_iter().flatten().flatten();
        let lock = open_regular(&self.folder.join("lock"), OpenOptions::new().read(true));
        lock.is_ok_and(|lock| matches!(fcntl_getlk(&lock, &Flock::from(FlockType::WriteLock)), Ok(Some(_))))
            || updates.into_iter().any(|entry| is_update(&entry.file_name()))
    }

    /// All packages that own files, or may.
    ///
    /// # Errors
    /// When their list cannot be read.
    pub(super) fn packages(&self, problems: &mut Problems) -> Result<Vec<Package>> {
        let diversions = Rc::new(self.diversions(problems));
        let mut packages = Entries::new(diversions, problems);
        let status = self.folder.join("status");
        if fs::symlink_metadata(&status).is_ok() {
            packages.read(&status, |package| self.with_info(package))?;
        }
        let folder = self.folder.join("status.d");
        if fs::symlink_metadata(&folder).is_ok() {
            for entry in fs::read_dir(&folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
                let path = entry.with_context(|| format!("cannot list `{}`", folder.display()))?.path();
                if path.extension().is_some_and(|extension| extension == "md5sums") {
                    continue;
                }
                let sums = PathBuf::from(format!("{}.md5sums", path.display()));
                if let Err(error) = packages.read(&path, |package| package.sums.clone_from(&sums)) {
                    packages.problems.push(format!("{error:#}"));
                }
            }
        }
        Ok(packages.list)
    }

    /// Of a package that stands there for several architectures the names have its own.
    fn with_info(&self, package: &mut Package) {
        let info = |suffix: &str| {
            let of_architecture =
                package.entry.architecture.as_ref().map(|own| format!("{}:{own}.{suffix}", package.entry.name));
            let of_architecture = of_architecture.map(|name| self.folder.join("info").join(name));
            let has_own = of_architecture.filter(|path| fs::symlink_metadata(path).is_ok());
            has_own.unwrap_or_else(|| self.folder.join("info").join(format!("{}.{suffix}", package.entry.name)))
        };
        (package.list, package.sums) = (info("list"), info("md5sums"));
    }

    /// Which files stand elsewhere. Three lines each: the path, where it stands, and whose files do not.
    fn diversions(&self, problems: &mut Problems) -> Diversions {
        let mut diversions = Diversions::default();
        let Some(file) = open_within(&self.folder.join("diversions"), MAX_DIVERSIONS_BYTES, problems) else {
            return diversions;
        };
        let (mut lines, mut fields) = (Lines::of(file), Vec::new());
        while let Some(line) = next(&mut lines, "diversions", problems) {
            fields.push(line.bytes.to_vec());
            if fields.len() == 3
                && let (Some(by), Some(to), Some(from)) = (fields.pop(), fields.pop(), fields.pop())
            {
                diversions.0.insert(from, (to, String::from_utf8_lossy(&by).into_owned()));
            }
        }
        if !fields.is_empty() {
            problems.push("the diversions end within one".into());
        }
        diversions
    }
}

impl Diversions {
    /// Where a file of a package stands.
    fn place<'a>(&'a self, package: &str, path: &'a [u8]) -> &'a [u8] {
        self.0.get(path).filter(|(_, by)| by != package).map_or(path, |(to, _)| to)
    }
}

impl Package {
    /// What changes when its entry does.
    pub(super) fn stamp(&self) -> PackageStamp {
        PackageStamp {
            version: self.entry.version.clone(),
            state: self.entry.state.clone(),
            configuration: self.configuration.clone(),
            files: [attributes(&self.list), attributes(&self.sums)],
        }
    }

    /// Hands each file, and each directory, that it owns to `each`.
    ///
    /// # Errors
    /// The first one of `each`.
    pub(super) fn each_file(
        &self,
        problems: &mut Problems,
        mut each: impl FnMut(Owned<'_>) -> Result<()>,
    ) -> Result<()> {
        let configuration: HashMap<&[u8], Option<Digest>> =
            self.configuration.iter().map(|(path, md5)| (path.as_slice(), *md5)).collect();
        let mut sums = self.sums(problems);
        let mut give = |path: &[u8], md5: Option<Digest>| {
            let configured = configuration.get(path);
            each(Owned {
                path,
                place: self.diversions.place(&self.entry.name, path),
                stated: configured.copied().flatten().or(md5),
                is_configuration: configured.is_some(),
                absent: None,
            })
        };
        if !self.list.as_os_str().is_empty() {
            let what = format!("the list of `{}`", self.entry.name);
            match open_within(&self.list, MAX_INFO_BYTES, problems) {
                Some(file) => {
                    let mut lines = Lines::of(file);
                    while let Some(line) = next(&mut lines, &what, problems) {
                        if line.bytes != b"/." && !line.bytes.is_empty() {
                            give(line.bytes, sums.remove(line.bytes))?;
                        }
                    }
                }
                None if problems.is_missing(&self.list) => problems.push(format!("{what} is missing")),
                None => {}
            }
        }
        sums.into_iter().try_for_each(|(path, md5)| give(&path, Some(md5)))
    }

    /// The digests by path. That there are none is nothing unusual.
    fn sums(&self, problems: &mut Problems) -> HashMap<Vec<u8>, Digest> {
        let mut sums = HashMap::new();
        let Some(file) = open_within(&self.sums, MAX_INFO_BYTES, problems) else { return sums };
        let what = format!("the digests of `{}`", self.entry.name);
        let mut lines = Lines::of(file);
        while let Some(Line { bytes, .. }) = next(&mut lines, &what, problems) {
            let (digest, path) = bytes.split_at(bytes.len().min(32));
            let path = path.strip_prefix(b"  ").filter(|path| !path.is_empty());
            match md5_of(digest).zip(path) {
                Some((md5, path)) => sums.insert([b"/", path.strip_prefix(b"./").unwrap_or(path)].concat(), md5),
                None => {
                    problems.push(format!("{what}: a line is no digest and path"));
                    None
                }
            };
        }
        sums
    }
}

/// The next whole line; one that is too long is a problem, and so is the end of what can be read.
fn next<'a>(lines: &'a mut Lines<File>, what: &str, problems: &mut Problems) -> Option<Line<'a>> {
    match lines.next() {
        Ok(line) => line.inspect(|line| {
            if line.is_cut {
                problems.push(format!("{what}: a line is too long"));
            }
        }),
        Err(error) => {
            problems.push(format!("cannot read {what}: {error}"));
            None
        }
    }
}

/// A file of the database that is not too large. That there is none is no problem.
fn open_within(path: &Path, most: u64, problems: &mut Problems) -> Option<File> {
    if problems.is_missing(path) {
        return None;
    }
    let open = || -> Result<File> {
        let file = open_regular(path, OpenOptions::new().read(true))?;
        ensure!(file.metadata()?.len() <= most, "it is too large");
        Ok(file)
    };
    open().map_err(|error| problems.push(format!("cannot read `{}`: {error:#}", path.display()))).ok()
}

fn md5_of(digits: &[u8]) -> Option<Digest> {
    std::str::from_utf8(digits).ok().and_then(Digest::from_hex).filter(|digest| digest.name_by_length() == "md5")
}

#[cfg(test)]
mod tests;
