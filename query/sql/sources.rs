//! What other engines are to read: the files of each table, and what the manifests say of the recordings.

use crate::archives::Archives;
use anyhow::{Context, Result};
use hashtrail::columns::{Column, Row};
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::packages::PackageFile;
use hashtrail::versions::FileVersion;
use std::collections::{HashMap, HashSet};
use std::path::{PathBuf, absolute};

/// The archives, as an engine has to know them.
pub(crate) struct Sources {
    pub(super) tables: Vec<Table>,
    pub(super) recordings: Vec<KnownRecording>,
    /// What they lack, for people.
    pub(super) notes: Vec<String>,
}

/// A table and its files, those left out whose rows others hold too.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) files: Vec<PathBuf>,
}

/// A recording, as manifests know it.
pub(super) struct KnownRecording {
    pub(super) id: String,
    /// Numbers of the archive, and of the recording in it.
    pub(super) place: (usize, usize),
    pub(super) boot_id: Option<String>,
    /// The name of its machine, where the host's name is not enough.
    pub(super) machine: Option<String>,
}

impl Sources {
    /// Tables without rows.
    pub(crate) fn none() -> Self {
        fn empty<R: Row>() -> Table {
            Table { name: R::TABLE, columns: R::columns(), files: Vec::new() }
        }
        let tables = vec![empty::<Event>(), empty::<FileVersion>(), empty::<LedgerEntry>(), empty::<PackageFile>()];
        Self { tables, recordings: Vec::new(), notes: Vec::new() }
    }

    /// # Errors
    /// When a path cannot be made absolute.
    pub(crate) fn of(archives: &Archives<'_>) -> Result<Self> {
        let tables = vec![
            table::<Event>(archives)?,
            table::<FileVersion>(archives)?,
            table::<LedgerEntry>(archives)?,
            table::<PackageFile>(archives)?,
        ];
        let mut notes = Vec::new();
        let unsealed = archives.unsealed();
        if unsealed > 0 {
            notes.push(format!("Not complete: {unsealed} journal segment(s) are not sealed yet and not read here."));
        }
        if archives.problems().any() {
            notes.push("Not complete: something is missing or cannot be read, which was told on stderr.".into());
        }
        Ok(Self { tables, recordings: recordings(archives), notes })
    }
}

fn table<R: Row>(archives: &Archives<'_>) -> Result<Table> {
    let mut files = Vec::new();
    for file in archives.list.iter().flat_map(|archive| archives.files::<R>(archive, None)) {
        files.push(absolute(&file.path).with_context(|| format!("cannot tell where `{}` is", file.path.display()))?);
    }
    Ok(Table { name: R::TABLE, columns: R::columns(), files })
}

/// Those that manifests name, in their order; one that several name counts where it is named first.
fn recordings(archives: &Archives<'_>) -> Vec<KnownRecording> {
    let mut boots: HashMap<String, Option<String>> = HashMap::new();
    for line in archives.list.iter().flat_map(|archive| archive.starts()) {
        let boot_id = line.field("facts").and_then(|facts| Some(facts.get("boot_id")?.as_str()?.to_owned()));
        boots.extend(line.text("recording_id").map(|id| (id, boot_id)));
    }
    let mut seen = HashSet::new();
    let mut recordings = Vec::new();
    for (number, archive) in archives.list.iter().enumerate() {
        for id in archive.manifest.iter().filter_map(|line| line.text("recording_id")) {
            if seen.insert(id.clone()) {
                let machine = archives.hosts().name_of(&id).map(str::to_owned);
                let boot_id = boots.get(&id).cloned().flatten();
                recordings.push(KnownRecording { place: (number, recordings.len()), boot_id, machine, id });
            }
        }
    }
    recordings
}
