//! The names of all files that are hidden: they show in other columns and rows too.

use super::rows::{Hidden, Hides, each};
use super::taken::{Redaction, Taken};
use anyhow::Result;
use hashtrail::archive::Archive;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::manifest::SealedFile;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;

/// Reads the tables that have paths.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn taken(by: &Redaction, archive: &Archive, files: &[&SealedFile]) -> Result<Taken> {
    let mut taken = Taken::new(by.clone());
    if by.prefixes.is_empty() {
        return Ok(taken);
    }
    for file in files {
        match file.table() {
            Event::TABLE => each::<Event>(archive, file, |row| learn(&row, by, &mut taken))?,
            FileVersion::TABLE => each::<FileVersion>(archive, file, |row| learn(&row, by, &mut taken))?,
            PackageFile::TABLE => each::<PackageFile>(archive, file, |row| learn(&row, by, &mut taken))?,
            _ => {}
        }
    }
    Ok(taken)
}

fn learn(row: &impl Hides, by: &Redaction, taken: &mut Taken) -> Result<()> {
    row.hidden(by, &mut |hidden| match hidden {
        Hidden::Path(path) => taken.learn(path),
        Hidden::Comm(comm) => taken.learn_comm(comm),
    });
    Ok(())
}
