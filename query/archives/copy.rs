//! Whether a copy of an archive is whole: what the manifest names and what stands in the tree are compared before a question is
//! answered, because a file that is missing looks like one that never was.

use crate::folder::{self, Entry, Listing};
use anyhow::{Context, Error, Result, anyhow, bail};
use hashtrail::archive::{Archive, open_regular};
use hashtrail::manifest::{Content, Line, SealedFile, Standing};
use hashtrail::reader::is_sealed_path;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, FileType, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folders of the tables.
const FOLDERS: [&str; 4] = ["events", "files", "ledger", "packages"];

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    /// What is missing, changed in size, or stands there without a line of the manifest.
    pub(crate) problems: Vec<Error>,
    /// Files that hold what another file of the archive holds, relative to it: their rows would count twice.
    pub(crate) doubled: HashSet<PathBuf>,
    /// Files that stand there although their rows count elsewhere, by a compaction that was cut short: relative to the archive.
    pub(crate) replaced: HashSet<PathBuf>,
    /// Files that the manifest names and that are there.
    pub(crate) present: HashSet<PathBuf>,
    /// Names of the journal's segments.
    pub(crate) segments: Vec<String>,
}

/// Compares an archive with the lines of its manifest, of which there are none where it is gone, and the files that stand by them.
pub(crate) fn compare(archive: &Archive, manifest: &[Line], standing: &Standing) -> Copy {
    let mut copy = Copy::default();
    copy.segments = segments(archive, &mut copy.problems);
    let named: BTreeMap<&Path, &SealedFile> =
        standing.files().into_iter().map(|file| (file.path.as_path(), file)).collect();
    let root = archive.root().display();
    copy.problems.extend(
        standing.faults.iter().map(|(_, fault)| anyhow!("a merge that `{root}`'s manifest names is not true: {fault}")),
    );
    if manifest.is_empty() {
        copy.problems.push(anyhow!(
            "`{}` has no manifest, so nobody can know which of its files are missing",
            archive.root().display()
        ));
    } else {
        let mut found: Vec<PathBuf> = Vec::new();
        for folder in FOLDERS {
            list(archive.root(), Path::new(folder), &mut found, &mut copy.problems);
        }
        let (replaced, found) = found.into_iter().partition(|path| standing.is_replaced(path));
        copy.replaced = replaced;
        let spoilt = copy.replaced.iter().filter(|path| !standing.is_origin(path)).map(|path| {
            anyhow!(
                "`{}` is not as it was written: what it was merged from is read",
                archive.root().join(path).display()
            )
        });
        copy.problems.extend(spoilt);
        let is_unlisted = |path: &PathBuf| !named.contains_key(path.as_path()) && !copy.is_being_sealed(path);
        let unlisted: Vec<PathBuf> = found.into_iter().filter(is_unlisted).collect();
        copy.compare_files(archive, &named, unlisted);
    }
    copy.problems.extend(unfinished(manifest, &copy.segments).map(|id| {
        anyhow!(
            "`{}` lacks the journal of recording {id}, which has no end: the folder .journal was not copied, or the end of the \
             manifest is gone, and with it what came last",
            archive.root().display()
        )
    }));
    copy
}

impl Copy {
    /// Whether the segment that a file is made from may still be there: its line comes after the file.
    fn is_being_sealed(&self, path: &Path) -> bool {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.segments.iter().any(|segment| recording_of(segment) == recording_of(&name))
    }

    fn compare_files(&mut self, archive: &Archive, named: &BTreeMap<&Path, &SealedFile>, unlisted: Vec<PathBuf>) {
        let mut by_content: HashMap<String, PathBuf> = HashMap::new();
        let mut missing: BTreeMap<&Path, &SealedFile> = BTreeMap::new();
        for (path, file) in named {
            match look_at(archive, path, file) {
                Ok(true) if !is_sealed_path(path) => {
                    let name = archive.root().join(path);
                    self.problems.push(anyhow!(
                        "`{}` is named by the manifest and is in no table: it is not read",
                        name.display()
                    ));
                }
                Ok(true) => _ = self.present.insert(path.to_path_buf()),
                Ok(false) => _ = missing.insert(path, file),
                Err(error) => self.problems.push(error),
            }
        }
        for path in unlisted {
            let name = archive.root().join(&path);
            let content = match read(&name) {
                Ok(content) => content,
                Err(error) => {
                    self.problems.push(error);
                    continue;
                }
            };
            let twin = named.iter().find(|(_, file)| file.content == content).map(|(path, _)| *path);
            if let Some(from) = twin.filter(|twin| missing.remove(twin).is_some()) {
                self.problems.push(moved(archive, from, &path));
                by_content.insert(content.sha256, path);
                continue;
            }
            // What a line states of another file is not yet what that file holds.
            let holds_it = |twin: &&Path| read(&archive.root().join(twin)).is_ok_and(|held| held == content);
            let first = twin.filter(holds_it).or_else(|| by_content.get(&content.sha256).map(PathBuf::as_path));
            if let Some(first) = first {
                let first = first.display();
                self.problems.push(anyhow!("`{}` is a second copy of `{first}` and is not read", name.display()));
                self.doubled.insert(path);
                continue;
            }
            self.problems
                .push(anyhow!("no line of the manifest names `{}`, so nothing vouches for it", name.display()));
            by_content.insert(content.sha256, path);
        }
        for (path, file) in missing {
            let name = archive.root().join(path);
            let SealedFile { rows, from, to, .. } = file;
            self.problems.push(anyhow!("`{}` is missing: {rows} row(s) from {from} to {to}", name.display()));
        }
    }
}

fn moved(archive: &Archive, from: &Path, to: &Path) -> Error {
    let read = if to.extension().is_some_and(|extension| extension == "parquet") { "" } else { " and is not read" };
    anyhow!("`{}` stands at `{}`{read}", archive.root().join(from).display(), to.display())
}

/// Whether the file is there, with the size that its line states.
fn look_at(archive: &Archive, path: &Path, file: &SealedFile) -> Result<bool> {
    let name = archive.root().join(path);
    let metadata = match fs::symlink_metadata(&name) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(false),
        metadata => metadata.with_context(|| format!("cannot look at `{}`", name.display()))?,
    };
    if !metadata.is_file() {
        return Err(no_file(&name, metadata.file_type()));
    }
    let (size_bytes, sealed_bytes) = (metadata.len(), file.content.size_bytes);
    if size_bytes != sealed_bytes {
        bail!("`{}` has {size_bytes} bytes and was sealed with {sealed_bytes}: it was cut or changed", name.display());
    }
    Ok(true)
}

fn read(path: &Path) -> Result<Content> {
    open_regular(path, OpenOptions::new().read(true))
        .and_then(Content::of)
        .with_context(|| format!("cannot read `{}`", path.display()))
}

/// Adds the files below a folder, relative to the archive. Hidden ones are none of ours, as for every engine.
fn list(root: &Path, folder: &Path, found: &mut Vec<PathBuf>, problems: &mut Vec<Error>) {
    let Listing { entries, errors } = folder::list(&root.join(folder));
    problems.extend(errors);
    for entry in entries.iter().filter(|entry| !entry.text().starts_with('.')) {
        let path = folder.join(&entry.name);
        if entry.kind.is_dir() {
            list(root, &path, found, problems);
        } else if entry.kind.is_file() {
            found.push(path);
        } else {
            problems.push(no_file(&root.join(path), entry.kind));
        }
    }
}

/// In the reader's words, which names it too where it stands for a file that a question reads.
fn no_file(path: &Path, kind: FileType) -> Error {
    let kind = if kind.is_symlink() { "a link, which is not followed" } else { "of another type than expected" };
    anyhow!("cannot read `{}`: it is {kind}", path.display())
}

/// Names of the journal's segments. An archive that was sealed to its end has none, and may lack the folder.
fn segments(archive: &Archive, problems: &mut Vec<Error>) -> Vec<String> {
    let Listing { entries, errors } = folder::list(&archive.journal());
    problems.extend(errors.into_iter().map(|error| error.context("the journal may hold events")));
    entries.iter().map(Entry::text).filter(|name| name.ends_with(".journal")).collect()
}

/// Recordings without an end and without a segment: as long as one runs, and after a crash, it has one.
fn unfinished(manifest: &[Line], segments: &[String]) -> impl Iterator<Item = String> {
    let mut open: Vec<String> = Vec::new();
    for line in manifest.iter().filter(|line| matches!(line.kind(), "start" | "stop" | "recovered")) {
        let Some(id) = line.text("recording_id") else { continue };
        if line.kind() == "start" {
            open.push(id);
        } else {
            open.retain(|known| *known != id);
        }
    }
    open.retain(|id| !segments.iter().any(|segment| recording_of(segment) == id_start(id)));
    open.into_iter()
}

/// What the names of a recording's segments and sealed files begin with.
pub(crate) fn id_start(recording_id: &str) -> &str {
    recording_id.get(..8).unwrap_or(recording_id)
}

/// The start of the id of the recording that a segment or sealed file belongs to, as its name has it.
pub(crate) fn recording_of(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}
