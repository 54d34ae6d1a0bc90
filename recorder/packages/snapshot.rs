//! One snapshot of the database: rows for its packages, those of programs and libraries first.

use super::database::{Databases, Package};
use super::entry::Owned;
use super::places::Places;
use super::problems::Problems;
use super::reading::{Limits, Reader, Reading};
use anyhow::Result;
use hashtrail::packages::{PackageFile, REMOVED, Snapshot};
use hashtrail::seal::LooseFile;
use hashtrail::text::from_bytes;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The manager of a package, its name and its architecture. There may be several versions of it at once.
pub(super) type Key = (&'static str, String, Option<String>);

/// Where nothing stands that runs.
const NO_CODE: [&[u8]; 5] = [b"/usr/share/", b"/usr/include/", b"/usr/src/", b"/etc/", b"/var/"];
/// Findings that mean nothing while the package manager is at work.
const IN_MOTION: [&str; 4] = [hashtrail::packages::DIFFERS, "missing", "changed", "link"];

/// A snapshot that is taken.
pub(super) struct Taking<'a> {
    pub(super) root: &'a Path,
    pub(super) databases: &'a Databases,
    pub(super) limits: Limits<'a>,
    pub(super) file: &'a mut LooseFile<PackageFile>,
    /// What all rows have.
    pub(super) row: PackageFile,
    /// Where findings are counted.
    pub(super) told: &'a mut Snapshot,
    pub(super) places: Places,
    pub(super) reader: Reader,
    pub(super) problems: Problems,
}

impl Taking<'_> {
    /// Writes the rows of these packages.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn take(&mut self, packages: &[&Package]) -> Result<()> {
        let mut rows_of = vec![0_usize; packages.len()];
        for is_code in [true, false] {
            for (package, rows) in packages.iter().zip(&mut rows_of) {
                let row = self.row_of(package);
                let mut problems = Problems::default();
                package.each_file(&mut problems, |owned| {
                    if may_hold_code(owned.path) == is_code {
                        *rows += usize::from(self.take_file(&row, owned)?);
                    }
                    Ok(())
                })?;
                // The same are found at both times.
                if is_code {
                    self.problems.extend(problems);
                }
            }
        }
        for (package, _) in packages.iter().zip(&rows_of).filter(|(_, rows)| **rows == 0) {
            let row = self.row_of(package);
            self.push(PackageFile { status: "no_files".into(), ..row })?;
        }
        Ok(())
    }

    /// Writes that a package is gone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn take_removed(&mut self, (manager, package, architecture): Key) -> Result<()> {
        let manager = manager.to_owned();
        self.push(PackageFile { manager, package, architecture, status: REMOVED.into(), ..self.row.clone() })
    }

    fn row_of(&self, package: &Package) -> PackageFile {
        let entry = package.entry();
        PackageFile {
            manager: package.manager().to_owned(),
            package: entry.name.clone(),
            version: entry.version.clone(),
            architecture: entry.architecture.clone(),
            state: entry.state.clone(),
            ..self.row.clone()
        }
    }

    /// Writes the row of a file; gives whether it has one, which a directory has not.
    fn take_file(&mut self, row: &PackageFile, owned: Owned<'_>) -> Result<bool> {
        let real = self.places.real(owned.place);
        let reading = match &real {
            Some(real) => {
                let below = real.strip_prefix("/").unwrap_or(real);
                let Some(reading) = self.look(below, &owned) else {
                    return Ok(false);
                };
                reading
            }
            None => {
                self.problems.push(format!(
                    "where `{}` of `{}` leads to cannot be told",
                    from_bytes(owned.place).text,
                    row.package
                ));
                Reading { status: "bad_path", ..Reading::default() }
            }
        };
        let status =
            if IN_MOTION.contains(&reading.status) && self.databases.stamp().is_busy { "busy" } else { reading.status };
        let digest = reading.digest.filter(|_| status != "busy");
        self.push(PackageFile {
            path: Some(from_bytes(owned.path).text.into_owned()),
            real_path: real.map(|real| from_bytes(OsStr::as_bytes(real.as_os_str())).text.into_owned()),
            is_configuration: owned.is_configuration,
            stated_algorithm: owned.stated.map(|digest| digest.name_by_length().to_owned()),
            stated_digest: owned.stated.map(|digest| digest.to_string()),
            status: status.to_owned(),
            digest_algorithm: digest.is_some().then(|| "sha256".to_owned()),
            digest,
            dev: reading.dev,
            ino: reading.ino,
            size_bytes: reading.size_bytes,
            mtime: reading.mtime,
            ..row.clone()
        })?;
        Ok(true)
    }

    /// Looks at what is there; not where the database says itself that this package has nothing there.
    fn look(&mut self, below: &Path, owned: &Owned<'_>) -> Option<Reading> {
        match owned.absent {
            Some(status) => Some(Reading { status, ..Reading::default() }),
            None => self.reader.look(&self.root.join(below), owned.stated, &self.limits),
        }
    }

    fn push(&mut self, row: PackageFile) -> Result<()> {
        *self.told.statuses.entry(row.status.clone()).or_default() += 1;
        self.file.push(row.time, &hashtrail::columns::Row::view(&row))
    }
}

fn may_hold_code(path: &[u8]) -> bool {
    !NO_CODE.iter().any(|folder| path.starts_with(folder))
}
