//! The files that a header names: a list of base names, and beside it other lists of the same length.

use super::header::{
    BASE_NAMES, DIRECTORY_INDEXES, DIRECTORY_NAMES, FILE_DIGEST_ALGORITHM, FILE_DIGESTS, FILE_FLAGS, FILE_STATES,
    Header, Numbers, OLD_FILE_NAMES, Texts,
};
use crate::packages::entry::Owned;
use crate::packages::problems::Problems;
use anyhow::{Context, Result, ensure};
use hashtrail::digest::Digest;
use hashtrail::packages::{NOT_INSTALLED, REPLACED};

/// Longest path that is taken, as the kernel takes it.
const MAX_PATH_BYTES: usize = 4096;
/// Directories of one package that are held in memory.
const MAX_DIRECTORIES: usize = 1 << 20;

const IS_CONFIGURATION: u32 = 1;
/// Owned, but not brought: what stands there is nobody's business.
const IS_GHOST: u32 = 1 << 6;

/// All that a header says of files.
#[derive(Debug)]
pub(super) struct Files<'a> {
    names: Option<Texts<'a>>,
    directories: Vec<&'a [u8]>,
    directory_of: Option<Numbers<'a>>,
    digests: Option<Texts<'a>>,
    /// The name of their algorithm; none where it is not known.
    algorithm: Option<&'static str>,
    flags: Option<Numbers<'a>>,
    states: Option<&'a [u8]>,
}

impl<'a> Files<'a> {
    pub(super) fn of(header: Header<'a>) -> Result<Self> {
        let names = header.texts(BASE_NAMES)?;
        let is_old = names.is_none() && header.texts(OLD_FILE_NAMES)?.is_some();
        ensure!(!is_old, "they are listed as rpm did before version 4");
        let directories = header.texts(DIRECTORY_NAMES)?;
        let directory_count = directories.as_ref().map_or(0, Texts::len);
        ensure!(directory_count <= MAX_DIRECTORIES, "they have more than {MAX_DIRECTORIES} directories");
        let algorithm = match header.numbers(FILE_DIGEST_ALGORITHM)? {
            None => Some("md5"),
            Some(algorithm) => algorithm.get(0).and_then(name_of),
        };
        let files = Self {
            names,
            directories: directories.iter().flat_map(Texts::each).collect(),
            directory_of: header.numbers(DIRECTORY_INDEXES)?,
            digests: header.texts(FILE_DIGESTS)?,
            algorithm,
            flags: header.numbers(FILE_FLAGS)?,
            states: header.bytes(FILE_STATES)?,
        };
        let count = files.names.as_ref().map_or(0, Texts::len);
        let lengths = [
            ("directories", files.directory_of.as_ref().map(Numbers::len)),
            ("digests", files.digests.as_ref().map(Texts::len)),
            ("flags", files.flags.as_ref().map(Numbers::len)),
            ("states", files.states.map(<[u8]>::len)),
        ];
        for (what, length) in lengths {
            ensure!(length.is_none_or(|length| length == count), "{count} names and {length:?} {what}");
        }
        Ok(files)
    }

    /// Hands each of them to `each`.
    ///
    /// # Errors
    /// The first one of `each`.
    pub(super) fn each(
        &self,
        package: &str,
        problems: &mut Problems,
        mut each: impl FnMut(Owned<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut path = Vec::new();
        let mut digests = self.digests.iter().flat_map(Texts::each);
        let mut found = 0;
        for name in self.names.iter().flat_map(Texts::each) {
            let (at, digest) = (found, digests.next().unwrap_or_default());
            found += 1;
            path.clear();
            if let Err(error) = self.take_path(&mut path, at, name) {
                problems.push(format!("a file of `{package}` has no path: {error}"));
                continue;
            }
            let flags = self.flags.and_then(|flags| flags.get(at)).unwrap_or_default();
            let has_digest = flags & IS_GHOST == 0 && !digest.is_empty();
            let stated = has_digest.then(|| self.stated(digest));
            if stated == Some(None) {
                problems.push(format!("a digest of `{package}` is of no algorithm that is known"));
            }
            each(Owned {
                path: &path,
                place: &path,
                stated: stated.flatten(),
                is_configuration: flags & IS_CONFIGURATION > 0,
                absent: self.states.and_then(|states| states.get(at)).and_then(|state| absent(*state)),
            })?;
        }
        let count = self.names.as_ref().map_or(0, Texts::len);
        if found < count {
            problems.push(format!("the list of `{package}` ends behind {found} of {count} files"));
        }
        Ok(())
    }

    fn take_path(&self, path: &mut Vec<u8>, at: usize, name: &[u8]) -> Result<()> {
        let directory = self.directory_of.and_then(|directories| directories.get(at)).context("it has no directory")?;
        let directory = self.directories.get(directory as usize).context("its directory is not listed")?;
        ensure!(directory.len() + name.len() < MAX_PATH_BYTES, "it is too long");
        path.extend_from_slice(directory);
        path.extend_from_slice(name);
        Ok(())
    }

    fn stated(&self, digits: &[u8]) -> Option<Digest> {
        let digest = std::str::from_utf8(digits).ok().and_then(Digest::from_hex)?;
        (Some(digest.name_by_length()) == self.algorithm).then_some(digest)
    }
}

/// Algorithms by their numbers in OpenPGP.
fn name_of(number: u32) -> Option<&'static str> {
    Some(match number {
        1 => "md5",
        2 => "sha1",
        8 => "sha256",
        9 => "sha384",
        10 => "sha512",
        11 => "sha224",
        _ => return None,
    })
}

/// States of a file that is not there: another package's has its place; left out on demand; of another architecture than the
/// one that is preferred.
fn absent(state: u8) -> Option<&'static str> {
    match state {
        1 => Some(REPLACED),
        2 | 4 => Some(NOT_INSTALLED),
        _ => None,
    }
}
