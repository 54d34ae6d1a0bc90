//! A sealed file whose rows are in no journal: written beside the tree by whoever has them, put in its place by who has the
//! manifest. What a crash leaves of it only takes space, until the next one is begun.

use super::files::TableFile;
use super::{SegmentName, Staging};
use crate::archive::{Archive, remove_if_there};
use crate::cell::Micros;
use crate::columns::Row;
use crate::manifest::{Manifest, SealedFile};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Such a file, while it is written.
pub struct LooseFile<R: Row> {
    name: SegmentName,
    file: TableFile<R>,
}

impl<R: Row> LooseFile<R> {
    /// Where such a file of this table is written, one at a time.
    #[must_use]
    pub fn staging(archive: &Archive) -> PathBuf {
        archive.journal().join(format!("{}.tmp", R::TABLE))
    }

    /// Begins it. All rows have this time; the segment's number is that of the file among those of its recording.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(archive: &Archive, name: SegmentName, time: Micros) -> Result<Self> {
        let path = Archive::sealed_name::<R>(&name.host, &time.date(), &name.file_stem());
        let file = TableFile::create(Staging::new(Self::staging(archive))?, &name, path, "", time)?;
        Ok(Self { name, file })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, time: Micros, row: &R::View<'_>) -> Result<()> {
        self.file.push(time, row)
    }

    /// Where it will stand, relative to the archive.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Puts it in its place, and names it in the manifest.
    ///
    /// # Errors
    /// When it cannot be written, synced, renamed or named.
    pub fn place(self, archive: &Archive, manifest: &mut Manifest) -> Result<SealedFile> {
        let sealed = self.file.place(archive, manifest, &self.name)?;
        let named =
            serde_json::to_value(&sealed).map_err(Into::into).and_then(|line| manifest.append(&[("file", line)]));
        // What no line names must not stand there.
        named.inspect_err(|_| drop(remove_if_there(&archive.root().join(&sealed.path))))?;
        Ok(sealed)
    }
}
