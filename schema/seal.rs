//! A finished journal segment becomes sealed files: written beside the tree, synced, renamed in, named in the manifest.

use crate::archive::{Archive, make_directory_below, remove_if_there, rename_new, sync_directory};
use crate::columns::Row;
use crate::event::{Event, EventSource, EventView, PARTS};
use crate::execs::Execs;
use crate::ledger::LedgerEntry;
use crate::manifest::{Content, Manifest, SealedFile};
use crate::versions::{FileVersion, Runs, Sizes, VersionContext};
use anyhow::{Context, Result, bail};
use files::TableFiles;
use std::fs::File;
use std::path::{Path, PathBuf};

mod files;
mod loose;
mod twin;
pub use loose::LooseFile;
pub use twin::TwinFile;

/// Which segment of which recording on which host.
#[derive(Debug, Clone)]
pub struct SegmentName {
    /// Recording that wrote it.
    pub recording_id: String,
    /// Label of the host, as in the partition.
    pub host: String,
    /// Number of the segment in its recording.
    pub segment: u32,
}

impl SegmentName {
    /// Stem of the sealed files' names: `<first 8 of recording_id>-<segment>`.
    #[must_use]
    pub fn file_stem(&self) -> String {
        format!("{}-{:06}", self.recording_id.get(..8).unwrap_or(&self.recording_id), self.segment)
    }
}

/// Seals one segment. The rows may come in any order. A file that the manifest names already is left as it is, so a
/// segment whose sealing was cut short can be sealed again.
///
/// # Errors
/// When a file cannot be written, synced, renamed or named in the manifest; the journal segment must then be kept.
pub fn seal(
    archive: &Archive,
    manifest: &mut Manifest,
    name: &SegmentName,
    context: &VersionContext,
    mut events: Vec<Event>,
    ledger: Vec<LedgerEntry>,
) -> Result<Vec<SealedFile>> {
    events.sort_by_key(|event| (event.boot_ns, event.cpu, event.seq));
    let execs = context.earlier.clone().with(&events);
    let mut sealing = Sealing::new(archive, manifest, name, context, &execs);
    events.iter().try_for_each(|event| sealing.take(event.view()))?;
    sealing.finish(ledger)
}

/// One segment that is being sealed: its events come in order, one by one.
pub struct Sealing<'a> {
    manifest: &'a mut Manifest,
    archive: &'a Archive,
    name: &'a SegmentName,
    events: TableFiles<'a, Event>,
    sizes: Sizes,
    runs: Runs<'a>,
}

impl<'a> Sealing<'a> {
    /// Begins. `execs` are those of all events to come, and of those before that wait (`context.earlier`), settled.
    pub fn new(
        archive: &'a Archive,
        manifest: &'a mut Manifest,
        name: &'a SegmentName,
        context: &'a VersionContext,
        execs: &'a Execs,
    ) -> Self {
        let events = TableFiles::new(archive, name, "boot_ns");
        Self { manifest, archive, name, events, sizes: Sizes::default(), runs: Runs::new(context, execs) }
    }

    /// Takes the next event, in the order of (`boot_ns`, `cpu`, `seq`).
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn take(&mut self, mut event: EventView<'_>) -> Result<()> {
        if !self.runs.go_on(&event) {
            self.sizes.mark(&mut event);
            self.runs.take(&event);
        }
        if let Some(file) = self.events.push(self.manifest, event.time, &event)? {
            file.count(event.cpu, event.seq);
        }
        Ok(())
    }

    /// Takes the next event, in the order of (`boot_ns`, `cpu`, `seq`), and of its row only what must be known.
    ///
    /// # Errors
    /// When it cannot be read, or a file cannot be written.
    pub fn take_from<'e>(&mut self, event: impl EventSource<'e>) -> Result<()> {
        let Self { manifest, events, sizes, runs, .. } = self;
        let mut file = events.file_of(manifest, event.time())?;
        let is_known = file.as_mut().map_or([false; PARTS], |file| file.find(&event));
        let mut row = EventView::default();
        event.fill(&mut row, is_known)?;
        if !runs.go_on(&row) {
            sizes.mark(&mut row);
            runs.take(&row);
        }
        file.map_or(Ok(()), |file| file.push_found(&row))
    }

    /// Writes the rows that follow from the events, and the ledger, and names all files in the manifest.
    ///
    /// # Errors
    /// As [`seal`].
    pub fn finish(self, mut ledger: Vec<LedgerEntry>) -> Result<Vec<SealedFile>> {
        let Self { manifest, archive, name, events, runs, .. } = self;
        ledger.sort_by_key(|entry| entry.boot_ns);
        let is_last = ledger.iter().any(|entry| entry.kind == "stop");
        let mut sealed = events.finish(manifest)?;
        let mut versions = TableFiles::<FileVersion>::new(archive, name, "path");
        for row in runs.finish(is_last) {
            versions.push(manifest, row.first_time, &row.view())?;
        }
        sealed.extend(versions.finish(manifest)?);
        let mut entries = TableFiles::<LedgerEntry>::new(archive, name, "boot_ns");
        for entry in &ledger {
            entries.push(manifest, entry.time, &entry.view())?;
        }
        sealed.extend(entries.finish(manifest)?);
        let lines = sealed.iter().map(|file| Ok(("file", serde_json::to_value(file)?))).collect::<Result<Vec<_>>>()?;
        manifest.append(&lines)?;
        Ok(sealed)
    }
}

/// A file that is not yet at its place. What cannot be written whole only takes space.
pub(crate) struct Staging(PathBuf);

impl Staging {
    /// Makes room for it.
    ///
    /// # Errors
    /// When what an earlier attempt left cannot be removed.
    pub(crate) fn new(path: PathBuf) -> Result<Self> {
        remove_if_there(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Leaves it where it is: somebody knows of it.
    pub(crate) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

/// Moves a written and synced file to its place in the archive, which only a file that no line names can hold; gives
/// what it holds.
///
/// # Errors
/// When a line names the place, or the file cannot be read back, renamed or made durable.
pub fn place(archive: &Archive, manifest: &Manifest, staging: &Path, path: &Path) -> Result<Content> {
    if manifest.names(path) {
        bail!("`{}` is sealed already", path.display());
    }
    let content = File::open(staging)
        .map_err(anyhow::Error::from)
        .and_then(Content::of)
        .with_context(|| format!("cannot read back `{}`", staging.display()))?;
    let target = archive.root().join(path);
    let directory = target.parent().context("a sealed file has a folder")?;
    make_directory_below(archive.root(), path.parent().unwrap_or(path))?;
    remove_if_there(&target)?;
    rename_new(staging, &target)
        .with_context(|| format!("cannot rename `{}` to `{}`", staging.display(), target.display()))?;
    sync_directory(directory)?;
    Ok(content)
}
