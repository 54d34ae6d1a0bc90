//! One archive: the lines of its manifest, and what stood there when it was opened.

use super::copy::{self, id_start};
use crate::output::problems::{Problems, note};
use anyhow::{Context, Error, Result, anyhow, bail};
use hashtrail::archive::Archive;
use hashtrail::columns::Row;
use hashtrail::event::Event;
use hashtrail::ledger::LedgerEntry;
use hashtrail::manifest::{self, Line, Parsed, Standing};
use hashtrail::packages::PackageFile;
use hashtrail::reader::{SealedPath, discover};
use hashtrail::versions::FileVersion;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One archive with the lines of its manifest.
pub(crate) struct OpenArchive {
    pub(crate) archive: Archive,
    pub(crate) manifest: Vec<Line>,
    /// Line of each sealed file.
    places: HashMap<PathBuf, usize>,
    /// Which of the sealed files stand, and the order in which they were sealed.
    pub(crate) standing: Standing,
    /// What stood there when the archive was opened: all scans read the same.
    pub(super) found: Found,
    /// Files whose rows others hold too.
    pub(crate) doubled: HashSet<PathBuf>,
    /// Files that the manifest names and that are there.
    pub(crate) present: HashSet<PathBuf>,
    /// Names of the journal's segments.
    segments: Vec<String>,
}

/// The sealed files of each table.
pub(super) struct Found {
    tables: [(&'static str, Vec<SealedPath>); 4],
    errors: Vec<Error>,
}

impl Found {
    fn in_tree(archive: &Archive) -> Self {
        let mut errors = Vec::new();
        let mut take = |(files, failed): (Vec<SealedPath>, Vec<Error>)| {
            errors.extend(failed);
            files
        };
        let tables = [
            (Event::TABLE, take(discover::<Event>(archive, |_, _| true))),
            (FileVersion::TABLE, take(discover::<FileVersion>(archive, |_, _| true))),
            (LedgerEntry::TABLE, take(discover::<LedgerEntry>(archive, |_, _| true))),
            (PackageFile::TABLE, take(discover::<PackageFile>(archive, |_, _| true))),
        ];
        Self { tables, errors }
    }

    pub(super) fn files(&self, table: &str) -> &[SealedPath] {
        self.tables.iter().find(|(name, _)| *name == table).map_or(&[], |(_, files)| files)
    }
}

impl OpenArchive {
    pub(super) fn open(path: &Path, problems: &Problems) -> Result<Self> {
        let archive = Archive::open(path)?;
        let manifest_path = archive.manifest();
        let has_manifest = fs::symlink_metadata(&manifest_path).is_ok_and(|metadata| metadata.is_file());
        if !is_archive(path)? {
            bail!("`{}` is no archive: {LACKS}", path.display());
        }
        let read = || if has_manifest { manifest::read(&manifest_path) } else { Ok(Vec::new()) };
        let mut attempts = 0;
        let (error, damages, manifest, standing, copy, found) = loop {
            let (bytes, error) = read().map_or_else(|error| (Vec::new(), Some(error)), |bytes| (bytes, None));
            let Parsed { lines: manifest, damages } = manifest::parse(&bytes);
            let standing = Standing::in_tree(&archive, &manifest);
            let (copy, found) = (copy::compare(&archive, &manifest, &standing), Found::in_tree(&archive));
            attempts += 1;
            // Where files were merged meanwhile, the tree is not as the lines and what was there before have it.
            let stands = || Standing::in_tree(&archive, &manifest).files() == standing.files();
            let is_still = read().is_ok_and(|now| now == bytes) && stands();
            if attempts == ATTEMPTS && !is_still {
                problems.error(&anyhow!("`{}` is written to while it is read: ask again", path.display()));
            }
            if attempts == ATTEMPTS || is_still {
                break (error, damages, manifest, standing, copy, found);
            }
        };
        found.errors.iter().for_each(|error| problems.error(error));
        error.iter().for_each(|error| problems.error(error));
        for damage in &damages {
            problems.error(&anyhow!("`{}` is damaged: {damage}", manifest_path.display()));
        }
        let place = |(index, line): (usize, &Line)| Some((line.text("path")?.into(), index));
        let places = manifest.iter().enumerate().filter_map(place).collect();
        copy.problems.iter().for_each(|error| problems.error(error));
        let files = copy.replaced.iter().filter(|path| standing.is_origin(path)).count();
        if files > 0 {
            let name = archive.root().display();
            note(&format!(
                "`{name}` holds {files} file(s) with rows that others hold too, of a compaction that was cut short: they are not \
                 read, and `hashtrail-recorder compact` ends it"
            ));
        }
        let doubled = copy.doubled.into_iter().chain(copy.replaced).collect();
        let (present, segments) = (copy.present, copy.segments);
        Ok(Self { archive, manifest, places, standing, found, doubled, present, segments })
    }

    /// The lines that begin recordings.
    pub(crate) fn starts(&self) -> impl Iterator<Item = &Line> {
        self.manifest.iter().filter(|line| line.kind() == "start")
    }

    /// Whether paths were taken out of it.
    pub(crate) fn lacks_paths(&self) -> bool {
        let kinds = |line: &Line| line.field("redacted")?["kinds"].as_array().cloned();
        self.starts().filter_map(kinds).flatten().any(|kind| kind == "paths")
    }

    /// What the asker must know of all that it holds: that it is the log of another program, or that something was taken out.
    pub(super) fn notes(&self) -> BTreeSet<String> {
        let name = self.archive.root().display();
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut notes = BTreeSet::new();
        for line in self.starts() {
            if let Some(import) = line.field("imported") {
                let (source, file) = (text(&import, "source"), text(&import, "file"));
                notes.insert(format!("`{name}` holds `{file}`, a log of {source}: nobody counted what is not in it"));
            }
            if let Some(redacted) = line.field("redacted") {
                let kinds = redacted.get("kinds").and_then(Value::as_array).into_iter().flatten();
                let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
                notes.insert(format!("`{name}` is redacted: {} were taken out of it", kinds.join(", ")));
            }
        }
        notes
    }

    /// The rows of a file, as its line of the manifest says.
    pub(super) fn stated_rows(&self, file: &SealedPath) -> Option<u64> {
        self.manifest.get(*self.places.get(self.relative(file))?)?.field("rows")?.as_u64()
    }

    /// The path of a file below the archive.
    pub(super) fn relative<'f>(&self, file: &'f SealedPath) -> &'f Path {
        file.path.strip_prefix(self.archive.root()).unwrap_or(&file.path)
    }

    /// Number of journal segments.
    pub(crate) fn unsealed(&self) -> usize {
        self.segments.len()
    }

    /// Whether a recording has journal segments.
    pub(crate) fn has_unsealed(&self, recording_id: &str) -> bool {
        self.segments.iter().any(|segment| copy::recording_of(segment) == id_start(recording_id))
    }
}

/// How often an archive is looked at that is written to meanwhile.
const ATTEMPTS: usize = 4;

/// What makes a directory no archive.
pub(super) const LACKS: &str = "it has no manifest.jsonl and no folder events, files or ledger";

/// Whether it is a directory that holds something of an archive.
pub(super) fn is_archive(path: &Path) -> Result<bool> {
    let named = || format!("cannot look into `{}`", path.display());
    if !fs::metadata(path).with_context(named)?.is_dir() {
        return Ok(false);
    }
    for name in ["manifest.jsonl", "events", "files", "ledger"] {
        match fs::symlink_metadata(path.join(name)) {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(named),
        }
    }
    Ok(false)
}
