//! The entries of packages, as `status` has them.

use super::{Diversions, Package, md5_of};
use crate::packages::entry::MAX_PACKAGES;
use crate::packages::lines::{Line, Lines};
use crate::packages::problems::Problems;
use anyhow::{Context, Result, ensure};
use hashtrail::archive::open_regular;
use std::fs::OpenOptions;
use std::path::Path;
use std::rc::Rc;

/// Largest file of entries that is read; real ones have a tenth of that.
const MAX_STATUS_BYTES: u64 = 256 << 20;
/// Configuration files of all packages that are held in memory.
const MAX_CONFIGURATION_FILES: usize = 200_000;

/// Entries of the database, as they are read.
pub(super) struct Entries<'p> {
    pub(super) list: Vec<Package>,
    diversions: Rc<Diversions>,
    configuration_files: usize,
    pub(super) problems: &'p mut Problems,
}

impl<'p> Entries<'p> {
    pub(super) fn new(diversions: Rc<Diversions>, problems: &'p mut Problems) -> Self {
        Self { list: Vec::new(), diversions, configuration_files: 0, problems }
    }

    /// Reads the entries of a file; blank lines stand between them.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&mut self, path: &Path, complete: impl Fn(&mut Package)) -> Result<()> {
        let file = open_regular(path, OpenOptions::new().read(true));
        let file = file.with_context(|| format!("cannot read `{}`", path.display()))?;
        ensure!(file.metadata()?.len() <= MAX_STATUS_BYTES, "`{}` is too large", path.display());
        let mut lines = Lines::of(file);
        let (mut package, mut is_configuration) = (Package::default(), false);
        while let Some(line) = lines.next().with_context(|| format!("cannot read `{}`", path.display()))? {
            if line.bytes.is_empty() && !line.is_cut {
                self.take(std::mem::take(&mut package), &complete);
            } else if line.bytes[0] == b' ' || line.bytes[0] == b'\t' {
                if is_configuration {
                    self.take_configuration(&mut package, line);
                }
            } else {
                is_configuration = line.bytes.to_ascii_lowercase().starts_with(b"conffiles:");
                take_field(&mut package, line);
            }
        }
        self.take(package, &complete);
        Ok(())
    }

    fn take(&mut self, mut package: Package, complete: &impl Fn(&mut Package)) {
        let entry = &package.entry;
        let has_fields = entry.version.is_some() || entry.architecture.is_some() || entry.state.is_some();
        if entry.name.is_empty() && has_fields {
            return self.problems.push("an entry has no name".into());
        }
        if entry.name.is_empty() || entry.state.as_deref() == Some("not-installed") {
            return;
        }
        // Both become part of a file's name.
        if !is_plain(&entry.name) || entry.architecture.as_deref().is_some_and(|name| !is_plain(name)) {
            return self.problems.push(format!("a package has the name `{}`", entry.name));
        }
        if self.list.len() == MAX_PACKAGES {
            return self.problems.push(format!("there are more than {MAX_PACKAGES} packages"));
        }
        package.diversions = Rc::clone(&self.diversions);
        complete(&mut package);
        self.list.push(package);
    }

    /// `path md5`, and a word more where it belongs to no newer version.
    fn take_configuration(&mut self, package: &mut Package, line: Line<'_>) {
        let mut words = line.bytes.trim_ascii().rsplitn(3, |byte| *byte == b' ');
        let (mut last, mut rest) = (words.next().unwrap_or_default(), words.next());
        if last == b"obsolete" || last == b"remove-on-upgrade" {
            (last, rest) = (rest.unwrap_or_default(), words.next());
        }
        let path: Option<Vec<u8>> = rest.map(|second| match words.next() {
            Some(first) => [first, b" ", second].concat(),
            None => second.to_vec(),
        });
        match path.filter(|path| path.starts_with(b"/") && !line.is_cut) {
            Some(_) if self.configuration_files == MAX_CONFIGURATION_FILES => {
                self.problems.push(format!("there are more than {MAX_CONFIGURATION_FILES} configuration files"));
            }
            Some(path) => {
                self.configuration_files += 1;
                package.configuration.push((path, md5_of(last)));
            }
            None => self.problems.push(format!("a configuration file of `{}` has no path", package.entry.name)),
        }
    }
}

fn take_field(package: &mut Package, line: Line<'_>) {
    let Some(colon) = line.bytes.iter().position(|byte| *byte == b':') else { return };
    let (name, value) = (&line.bytes[..colon], String::from_utf8_lossy(line.bytes[colon + 1..].trim_ascii()));
    let entry = &mut package.entry;
    match name.to_ascii_lowercase().as_slice() {
        b"package" => entry.name = value.into_owned(),
        b"version" => entry.version = Some(value.into_owned()),
        b"architecture" => entry.architecture = Some(value.into_owned()),
        b"status" => entry.state = value.split_whitespace().nth(2).map(str::to_owned),
        _ => {}
    }
}

/// Whether a name can be part of a file's name.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 200
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.~_".contains(&byte))
}
