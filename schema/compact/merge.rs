//! Groups of small files, and the file that takes the place of each.

use super::{LARGE_ROWS, STAGING, check, leftovers, remove};
use crate::archive::Archive;
use crate::cell::Micros;
use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::manifest::{CompactedFile, Content, MAX_MERGED_ROWS, Manifest, SealedFile, SequenceRange, Standing};
use crate::packages::PackageFile;
use crate::reader::{Prune, SealedTable, rows};
use crate::row_digest::RowDigest;
use crate::seal::Staging;
use crate::versions::FileVersion;
use crate::writer::{MERGED, Writer};
use anyhow::{Context, Result, anyhow, bail, ensure};
use parquet::file::metadata::KeyValue;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Files that become one: its line names them all.
const MOST_INPUTS: usize = 1024;

/// A file that took the place of others.
#[derive(Debug)]
pub struct Merged {
    /// Its path below the archive.
    pub path: PathBuf,
    /// How many files it replaced.
    pub inputs: usize,
    /// Its rows.
    pub rows: u64,
    /// What they took together.
    pub bytes_before: u64,
    /// What it takes.
    pub bytes: u64,
}

/// Files of one folder and recording that become one. They follow one another in the order of sealing: where a clock was set back,
/// rows must not come before those of the day that was left.
pub(super) fn groups(standing: &Standing) -> Vec<Vec<SealedFile>> {
    let mut groups: Vec<Vec<SealedFile>> = Vec::new();
    // Of each table and recording the last file, and its group if it can have one.
    let mut last: HashMap<(Option<&OsStr>, &str), Option<usize>> = HashMap::new();
    for file in standing.files() {
        let is_small = file.rows < LARGE_ROWS && standing.is_origin(&file.path);
        let before = last.entry((file.path.iter().next(), &file.recording_id)).or_default();
        let group = before.filter(|group| is_small && fits(&groups[*group], file));
        *before = is_small.then(|| group.unwrap_or(groups.len()));
        match group {
            Some(group) => groups[group].push(file.clone()),
            None if is_small => groups.push(vec![file.clone()]),
            None => {}
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

fn fits(group: &[SealedFile], file: &SealedFile) -> bool {
    let rows: u64 = group.iter().map(|file| file.rows).sum();
    let is_same_folder = group.last().is_some_and(|last| last.path.parent() == file.path.parent());
    is_same_folder && group.len() < MOST_INPUTS && rows + file.rows <= MAX_MERGED_ROWS
}

/// Puts one file in the place of others; the inner error says why they were left as they are.
pub(super) fn merge(archive: &Archive, manifest: &mut Manifest, group: &[SealedFile]) -> Result<Result<Merged>> {
    let staging = Staging::new(archive.journal().join(STAGING))?;
    let compacted = match write_group(archive, manifest, group, staging.path()) {
        Ok(compacted) => compacted,
        Err(Failure::Refused(reason)) => {
            let first = group[0].path.display();
            return Ok(Err(reason.context(format!("{} files from `{first}` on are left as they are", group.len()))));
        }
        Err(Failure::Fatal(error)) => return Err(error),
    };
    let line = serde_json::to_value(&compacted)?;
    if let Err(reason) = manifest.check_fits("compact", &line) {
        return Ok(Err(reason));
    }
    manifest.append(&[("compact", line)])?;
    // From here on the next run can put it in place.
    staging.keep();
    if let Some(fault) = manifest.take_fault() {
        bail!("the merged file is not in place yet: {fault}");
    }
    leftovers::place(archive, &compacted.file)?;
    remove(archive, group)?;
    Ok(Ok(Merged {
        path: compacted.file.path,
        inputs: group.len(),
        rows: compacted.file.rows,
        bytes_before: group.iter().map(|file| file.content.size_bytes).sum(),
        bytes: compacted.file.content.size_bytes,
    }))
}

/// Writes the file beside the tree; gives its line once nothing speaks against it.
fn write_group(
    archive: &Archive,
    manifest: &Manifest,
    group: &[SealedFile],
    staging: &Path,
) -> Result<CompactedFile, Failure> {
    let path = path_of(manifest, group).map_err(Failure::Refused)?;
    let inputs: Vec<&SealedFile> = group.iter().collect();
    let mut compacted = CompactedFile::of(&inputs, path, String::new())
        .context("no file can hold their rows together")
        .map_err(Failure::Refused)?;
    let sequence_of = |event: &Event| Some((event.cpu, event.seq));
    compacted.rows_sha256 = match compacted.file.table() {
        Event::TABLE => write::<Event>(archive, group, &compacted, staging, sequence_of)?,
        FileVersion::TABLE => write::<FileVersion>(archive, group, &compacted, staging, |_| None)?,
        LedgerEntry::TABLE => write::<LedgerEntry>(archive, group, &compacted, staging, |_| None)?,
        PackageFile::TABLE => write::<PackageFile>(archive, group, &compacted, staging, |_| None)?,
        _ => return Err(Failure::Refused(anyhow!("they are in no table"))),
    };
    let stated = File::open(staging).map_err(anyhow::Error::from).and_then(Content::of);
    compacted.file.content = stated.context("cannot read back what was written").map_err(Failure::Fatal)?;
    // What was read may have changed since its digest was checked.
    let unchanged = group.iter().try_for_each(|file| check(archive, &file.path, &file.content));
    unchanged.map_err(Failure::Refused)?;
    Ok(compacted)
}

/// The name of the file that holds all segments of a group, which no line has yet.
fn path_of(manifest: &Manifest, group: &[SealedFile]) -> Result<PathBuf> {
    let (first, last) = (&group[0], &group[group.len() - 1]);
    let id = first.recording_id.get(..8).unwrap_or_default();
    ensure!(
        id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "their recording id does not begin with eight hex digits"
    );
    let stem = format!("{id}-{:06}-{:06}", first.segment, last.segment);
    // A merge that was cut short has used up the name.
    let names = std::iter::once(stem.clone()).chain((2..).map(|number: u32| format!("{stem}-{number}")));
    let mut paths = names.map(|name| first.path.with_file_name(format!("{name}.parquet")));
    paths.find(|path| !manifest.names(path)).context("there is no name for them")
}

/// Writes the rows of a group one after another, and reads them back; gives their digest.
fn write<R: Row>(
    archive: &Archive,
    group: &[SealedFile],
    compacted: &CompactedFile,
    staging: &Path,
    sequence_of: impl Fn(&R) -> Option<(i32, i64)>,
) -> Result<String, Failure> {
    let open = |file: &SealedFile| {
        let table = SealedTable::<R>::open(&archive.root().join(&file.path)).map_err(Failure::Refused)?;
        match table.unknown_column() {
            None if table.rows() == file.rows => Ok(table),
            None => Err(Failure::Refused(lacks_rows(file))),
            Some(name) => Err(Failure::Refused(anyhow!(
                "`{}` has the column `{name}`, which this version does not know",
                file.path.display()
            ))),
        }
    };
    // Footers are large: each is held for a moment only.
    let spans = group.iter().map(|file| Ok(span_of(&open(file)?))).collect::<Result<Vec<_>, Failure>>()?;
    let sorted_by = if are_in_order(&spans) { IN_TIME } else { "" };
    let mut writer =
        Writer::<R>::create(staging, sorted_by, metadata(&compacted.file), MERGED).map_err(Failure::Fatal)?;
    let mut digest = RowDigest::default();
    for file in group {
        let (mut rows_of_file, mut found) = (0, BTreeMap::<i32, SequenceRange>::new());
        for batch in open(file)?.batches(&Prune::default(), &[], None).map_err(Failure::Refused)? {
            for row in rows::<R>(&batch.map_err(Failure::Refused)?) {
                let row = row.map_err(Failure::Refused)?;
                rows_of_file += 1;
                if let Some((cpu, seq)) = sequence_of(&row) {
                    found.entry(cpu).or_insert_with(|| SequenceRange::new(cpu, seq)).add(seq);
                }
                digest.add::<R>(&row.view());
                writer.push(&row.view()).map_err(Failure::Fatal)?;
            }
        }
        if rows_of_file != file.rows || found.into_values().ne(file.sequences.iter().cloned()) {
            return Err(Failure::Refused(lacks_rows(file)));
        }
    }
    writer.finish().map_err(Failure::Fatal)?;
    let digest = digest.finish();
    let read_back = RowDigest::of_file(R::TABLE, staging, compacted.file.rows);
    let read_back = read_back.context("the merged file could not be read").map_err(Failure::Refused)?;
    if read_back != digest {
        return Err(Failure::Refused(anyhow!("the rows that were read back are not those that were written")));
    }
    Ok(digest)
}

fn lacks_rows(file: &SealedFile) -> anyhow::Error {
    anyhow!("`{}` has not the rows that its line states", file.path.display())
}

/// Why a group was not merged.
enum Failure {
    /// Because of its files, which are left as they are.
    Refused(anyhow::Error),
    /// Because nothing can be written.
    Fatal(anyhow::Error),
}

fn metadata(file: &SealedFile) -> Vec<KeyValue> {
    vec![
        KeyValue::new("hashtrail.recording_id".to_owned(), file.recording_id.clone()),
        KeyValue::new("hashtrail.sequences".to_owned(), serde_json::to_string(&file.sequences).unwrap_or_default()),
    ]
}

/// The column of time since boot, by which events and the ledger are sorted.
const IN_TIME: &str = "boot_ns";

/// First and last time of a file that is in the order of time.
fn span_of<R: Row>(table: &SealedTable<R>) -> Option<(Micros, Micros)> {
    table.times(IN_TIME, IN_TIME).filter(|_| table.is_sorted_by(IN_TIME))
}

/// Whether files, one after another, are in the order of time. Events that left the kernel late may stand in the next one.
fn are_in_order(spans: &[Option<(Micros, Micros)>]) -> bool {
    let follows =
        |pair: &[Option<(Micros, Micros)>]| matches!(pair, [Some((_, end)), Some((begin, _))] if end <= begin);
    spans.windows(2).all(follows)
}
