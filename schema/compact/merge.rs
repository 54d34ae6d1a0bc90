//! Groups of small files, and the file that takes the place of each.

use super::{LARGE_ROWS, check, remove, segments_of};
use crate::archive::Archive;
use crate::cell::Micros;
use crate::columns::Row;
use crate::event::Event;
use crate::ledger::LedgerEntry;
use crate::manifest::{CompactedFile, Content, Input, Manifest, SealedFile, SequenceRange};
use crate::reader::{Prune, SealedTable, rows};
use crate::row_digest::RowDigest;
use crate::seal::{Staging, place};
use crate::versions::FileVersion;
use crate::writer::{MERGED, Writer};
use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono::DateTime;
use parquet::file::metadata::KeyValue;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Rows of a merged file.
const MOST_ROWS: u64 = 2 * LARGE_ROWS;
/// Inputs of a merged file: its line names them all, and a line has a bound.
const MOST_INPUTS: usize = 1024;
/// Longer lines are not written: the bound of what is read is 1 MiB.
const MOST_LINE_BYTES: usize = 1_000_000;
/// In the journal's folder; there is one at a time.
const STAGING: &str = "compact.tmp";

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

/// Merges the small ones of the files that stand, which are in the order of sealing, until there are none to be merged.
/// Gives what was merged, and why other files were left as they are. `progress` is told how many of the files are done.
///
/// # Errors
/// When a file cannot be written, named in the manifest, or removed; what was done until then stands.
pub(super) fn merge_all(
    archive: &Archive,
    manifest: &mut Manifest,
    mut files: Vec<SealedFile>,
    mut progress: impl FnMut(usize, usize),
) -> Result<(Vec<Merged>, Vec<String>)> {
    let mut all_merged = Vec::new();
    loop {
        let groups = groups(&files);
        let all: usize = groups.iter().map(Vec::len).sum();
        let (mut done, mut refused) = (0, Vec::new());
        for group in groups {
            progress(done, all);
            done += group.len();
            match merge_group(archive, manifest, &group)? {
                Ok(compacted) => {
                    all_merged.push(Merged {
                        path: compacted.path.clone(),
                        inputs: group.len(),
                        rows: compacted.rows,
                        bytes_before: group.iter().map(|file| file.content.size_bytes).sum(),
                        bytes: compacted.content.size_bytes,
                    });
                    // Where the first of them was, so that the order of sealing stays.
                    let first = files.iter().position(|file| file.path == group[0].path).unwrap_or_default();
                    files[first] = compacted;
                    files.retain(|file| group.iter().all(|merged| merged.path != file.path));
                }
                Err(reason) => refused.push(format!("{reason:#}")),
            }
        }
        // A group can have more files than one line names.
        if all == 0 || !refused.is_empty() {
            return Ok((all_merged, refused));
        }
    }
}

/// Files of one folder and recording that become one, in their order.
pub(super) fn groups(files: &[SealedFile]) -> Vec<Vec<SealedFile>> {
    let mut groups: Vec<Vec<SealedFile>> = Vec::new();
    let mut open: HashMap<(&Path, &str), usize> = HashMap::new();
    for file in files.iter().filter(|file| file.rows < LARGE_ROWS) {
        let key = (file.path.parent().unwrap_or(&file.path), file.recording_id.as_str());
        let last = open.get(&key).map(|place| &mut groups[*place]);
        let fits = |group: &[SealedFile]| {
            let rows: u64 = group.iter().map(|file| file.rows).sum();
            group.len() < MOST_INPUTS && rows + file.rows <= MOST_ROWS
        };
        match last {
            Some(group) if fits(group) => group.push(file.clone()),
            _ => {
                open.insert(key, groups.len());
                groups.push(vec![file.clone()]);
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Puts one file in the place of others; the inner error says why they were left as they are.
fn merge_group(archive: &Archive, manifest: &mut Manifest, group: &[SealedFile]) -> Result<Result<SealedFile>> {
    let path = path_of(group)?;
    let staging = Staging::new(archive.journal().join(STAGING))?;
    let table = path.iter().next().and_then(|folder| folder.to_str()).unwrap_or_default();
    let sequence_of = |event: &Event| Some((event.cpu, event.seq));
    let rows_sha256 = match table {
        Event::TABLE => write::<Event>(archive, group, staging.path(), sequence_of),
        FileVersion::TABLE => write::<FileVersion>(archive, group, staging.path(), |_| None),
        LedgerEntry::TABLE => write::<LedgerEntry>(archive, group, staging.path(), |_| None),
        _ => Err(Failure::Refused(anyhow!("`{}` is in no table", path.display()))),
    };
    let checked = match rows_sha256 {
        Ok(rows_sha256) => checked(archive, group, path, rows_sha256),
        Err(Failure::Refused(reason)) => Err(reason),
        Err(Failure::Fatal(error)) => return Err(error),
    };
    let mut compacted = match checked {
        Ok(compacted) => compacted,
        Err(reason) => {
            let first = group[0].path.display();
            return Ok(Err(reason.context(format!("{} files from `{first}` on are left as they are", group.len()))));
        }
    };
    compacted.file.content = place(archive, manifest, staging.path(), &compacted.file.path)?;
    manifest.append(&[("compact", serde_json::to_value(&compacted)?)])?;
    if let Some(fault) = manifest.take_fault() {
        bail!("the merged files are not deleted yet: {fault}");
    }
    group.iter().try_for_each(|file| remove(archive, &file.path))?;
    Ok(Ok(compacted.file))
}

/// The line of the merged file, once nothing speaks against it.
fn checked(archive: &Archive, group: &[SealedFile], path: PathBuf, rows_sha256: String) -> Result<CompactedFile> {
    // What was read may have changed since its digest was checked.
    group.iter().try_for_each(|file| check(archive, file))?;
    let compacted = compacted(group, path, rows_sha256);
    let bytes = serde_json::to_vec(&compacted)?.len();
    ensure!(bytes < MOST_LINE_BYTES, "its line in the manifest would have {bytes} bytes");
    Ok(compacted)
}

/// The name of the file that holds all segments of a group.
fn path_of(group: &[SealedFile]) -> Result<PathBuf> {
    let (mut first, mut last) = (u32::MAX, 0);
    for file in group {
        let stem = file.path.file_stem().and_then(|stem| stem.to_str()).and_then(segments_of);
        let (begin, end) = stem.with_context(|| format!("`{}` names no segment", file.path.display()))?;
        (first, last) = (first.min(begin), last.max(end.unwrap_or(begin)));
    }
    let SealedFile { path, recording_id, .. } = &group[0];
    let id = recording_id.get(..8).unwrap_or(recording_id);
    Ok(path.with_file_name(format!("{id}-{first:06}-{last:06}.parquet")))
}

/// Writes the rows of a group one after another, and reads them back; gives their digest.
fn write<R: Row>(
    archive: &Archive,
    group: &[SealedFile],
    staging: &Path,
    sequence_of: impl Fn(&R) -> Option<(i32, i64)>,
) -> Result<String, Failure> {
    let open = |file: &SealedFile| SealedTable::<R>::open(&archive.root().join(&file.path)).map_err(Failure::Refused);
    // Footers are large: each is held for a moment only.
    let spans = group.iter().map(|file| Ok(span_of(&open(file)?))).collect::<Result<Vec<_>, Failure>>()?;
    let sorted_by = if are_in_order(&spans) { IN_TIME } else { "" };
    let mut writer = Writer::<R>::create(staging, sorted_by, metadata(group), MERGED).map_err(Failure::Fatal)?;
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
            let name = file.path.display();
            return Err(Failure::Refused(anyhow!("`{name}` has not the rows that its line states")));
        }
    }
    writer.finish().map_err(Failure::Fatal)?;
    let digest = digest.finish();
    let read_back = RowDigest::of_file::<R>(staging).map_err(Failure::Refused)?;
    if read_back != digest {
        return Err(Failure::Refused(anyhow!("the rows that were read back are not those that were written")));
    }
    Ok(digest)
}

/// Why a group was not merged.
enum Failure {
    /// Because of its files, which are left as they are.
    Refused(anyhow::Error),
    /// Because nothing can be written.
    Fatal(anyhow::Error),
}

fn metadata(group: &[SealedFile]) -> Vec<KeyValue> {
    let recording_id = group[0].recording_id.clone();
    let sequences = serde_json::to_string(&joined_sequences(group)).unwrap_or_default();
    vec![
        KeyValue::new("hashtrail.recording_id".to_owned(), recording_id),
        KeyValue::new("hashtrail.sequences".to_owned(), sequences),
    ]
}

fn joined_sequences(group: &[SealedFile]) -> Vec<SequenceRange> {
    let mut sequences: BTreeMap<i32, SequenceRange> = BTreeMap::new();
    for range in group.iter().flat_map(|file| &file.sequences) {
        sequences.entry(range.cpu).and_modify(|known| known.join(range)).or_insert_with(|| range.clone());
    }
    sequences.into_values().collect()
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

/// The line of the merged file, whose content is not known yet.
fn compacted(group: &[SealedFile], path: PathBuf, rows_sha256: String) -> CompactedFile {
    let time = |text: &String| DateTime::parse_from_rfc3339(text).ok();
    let file = SealedFile {
        path,
        content: Content::default(),
        rows: group.iter().map(|file| file.rows).sum(),
        from: group.iter().map(|file| &file.from).min_by_key(|from| time(from)).cloned().unwrap_or_default(),
        to: group.iter().map(|file| &file.to).max_by_key(|to| time(to)).cloned().unwrap_or_default(),
        recording_id: group[0].recording_id.clone(),
        segment: group[0].segment,
        sequences: joined_sequences(group),
    };
    let input = |file: &SealedFile| Input { path: file.path.clone(), sha256: file.content.sha256.clone() };
    CompactedFile { file, rows_sha256, inputs: group.iter().map(input).collect() }
}
