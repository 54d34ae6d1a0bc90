//! Files that were opened for writing or truncated while they were mapped executable: what runs may have been changed, called
//! and changed back, and no digest shows it.

use crate::archives::{Archives, Scan, Scope};
use crate::output::{Row, object};
use crate::suspects::{Suspect, is_file_of_row};
use anyhow::{Context, Result};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use hashtrail::event::Event;
use hashtrail::reader::{Need, Predicate, Prune, Span};
use hashtrail::versions::FileVersion;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Writes of one query that are kept, the first ones; all are counted.
const KEPT_MAX: usize = 1000;
/// Those that are told in words.
const TOLD_MAX: usize = 20;

/// One write of a file that was mapped executable.
#[derive(Debug)]
struct Write {
    /// The path that was asked about.
    path: Option<String>,
    suspect: Suspect,
}

/// All that concern an answer, in order of time.
#[derive(Debug, Default)]
pub(crate) struct MappedWrites {
    list: Vec<Write>,
    pub(crate) count: usize,
}

/// Rows of versions by the inodes that were written while they were mapped.
#[derive(Debug, Default)]
pub(crate) struct MappedFiles {
    by_inode: HashMap<i64, Vec<FileVersion>>,
    known: HashSet<FileName>,
    has_writes: bool,
}

/// What tells one file by one name from another.
type FileName = (String, Option<String>, String, String, i64, i64, Option<String>, Option<i64>);

impl MappedFiles {
    /// Looks for the writes.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn look(archives: &Archives<'_>, scope: &Scope) -> Result<Self> {
        let mut found = Self::default();
        archives.each_row(&Scan { columns: vec!["ino", "real_ino"], ..scan(scope) }, |event: Event| {
            found.has_writes = true;
            for ino in event.ino.into_iter().chain(event.real_ino) {
                found.by_inode.entry(ino).or_default();
            }
        })?;
        Ok(found)
    }

    /// The inode numbers of the files that were written.
    pub(crate) fn inodes(&self) -> HashSet<i64> {
        self.by_inode.keys().copied().collect()
    }

    /// Takes the row of a version.
    pub(crate) fn see(&mut self, row: &FileVersion) {
        if !std::iter::once(row.ino).chain(row.real_ino).any(|ino| self.by_inode.contains_key(&ino)) {
            return;
        }
        let FileVersion { host, path, boot_id, dev, ino, ino_generation, real_dev, real_ino, .. } = row.clone();
        let name = (host, path, boot_id, dev, ino, ino_generation, real_dev, real_ino);
        if self.known.contains(&name) {
            return;
        }
        self.known.insert(name.clone());
        let (host, path, boot_id, dev, ino, ino_generation, real_dev, real_ino) = name;
        let file =
            FileVersion { host, path, boot_id, dev, ino, ino_generation, real_dev, real_ino, ..FileVersion::default() };
        for ino in std::iter::once(ino).chain(real_ino) {
            if let Some(files) = self.by_inode.get_mut(&ino) {
                files.push(file.clone());
            }
        }
    }
}

impl MappedWrites {
    /// Those of the files of the rows that were taken, and others that are asked for: a file without a digest has no row.
    ///
    /// # Errors
    /// When a scan cannot be made; files that cannot be read are problems.
    pub(crate) fn find(
        archives: &Archives<'_>,
        scope: &Scope,
        files: &MappedFiles,
        is_asked: impl Fn(&Event) -> bool,
    ) -> Result<Self> {
        if !files.has_writes {
            return Ok(Self::default());
        }
        let mut found = BTreeMap::new();
        let mut omitted = 0;
        archives.each_row(&scan(scope), |event: Event| {
            let inodes = [event.ino, event.real_ino].into_iter().flatten();
            let same = inodes.filter_map(|ino| files.by_inode.get(&ino)).flatten();
            let same = same.filter(|row| row.host == event.host && is_file_of_row(row, &event));
            let mut paths: BTreeSet<Option<String>> = same.map(|row| row.path.clone()).collect();
            if paths.is_empty() && is_asked(&event) {
                paths.insert(event.path.clone());
            }
            for path in paths {
                // An event can stand in two copies of an archive.
                let key = (event.time, event.recording_id.clone(), event.cpu, event.seq, path.clone());
                if let Some(suspect) = Suspect::of_write(event.clone()) {
                    found.insert(key, Write { path, suspect });
                }
                if found.len() > KEPT_MAX {
                    found.pop_last();
                    omitted += 1;
                }
            }
        })?;
        let count = found.len() + omitted;
        Ok(Self { list: found.into_values().collect(), count })
    }

    /// As the contract shows them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.list.iter().map(|Write { path, suspect }| {
            let mut row = object(json!({
                "type": "written_while_mapped", "path": path, "host": suspect.seen.host, "dev": suspect.seen.dev,
                "ino": suspect.seen.ino, "boot_ns": suspect.seen.place.boot_ns,
            }));
            let mut act = object(suspect.to_json());
            let written_path = act.shift_remove("path");
            act.shift_remove("before_interval");
            row.extend(act);
            row.insert("written_path".into(), written_path.unwrap_or_default());
            row
        })
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let told = self.list.iter().take(TOLD_MAX).map(|Write { path, suspect }| {
            let path = path.as_deref().unwrap_or("a file without a known path");
            let time = suspect.seen.time.rfc3339();
            format!("written while mapped executable: {path} at {time}, {}", suspect.text())
        });
        let more = self.count.saturating_sub(TOLD_MAX);
        let more =
            (more > 0).then(|| format!("written while mapped executable: {more} more; `--format json` shows them"));
        told.chain(more).collect()
    }
}

fn scan(scope: &Scope) -> Scan {
    let (low, high) = scope.span();
    Scan {
        prune: Prune { spans: vec![Span { first: "time", last: "time", low, high }], ..Prune::default() },
        dates: scope.dates(),
        columns: Vec::new(),
        // Such writes are rare: of other rows the time is not read.
        predicates: vec![
            Predicate::new(vec!["mapped_executable"], is_mapped).needing([Need::is_true("mapped_executable")]),
            Predicate::new(vec!["time"], move |batch| is_in_time(batch, low, high)),
        ],
    }
}

fn is_mapped(batch: &RecordBatch) -> Result<BooleanArray> {
    // Files of version 1 do not say it.
    let Some(mapped) = batch.column_by_name("mapped_executable") else {
        return Ok(vec![false; batch.num_rows()].into());
    };
    let mapped = mapped.as_boolean_opt().context("`mapped_executable` is no boolean")?;
    Ok(mapped.iter().map(|mapped| Some(mapped == Some(true))).collect())
}

fn is_in_time(batch: &RecordBatch, low: i64, high: i64) -> Result<BooleanArray> {
    let times = batch.column_by_name("time").context("column `time` is missing")?;
    let times = times.as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>().context("`time` is no time")?;
    Ok(times.iter().map(|time| Some(time.is_some_and(|time| (low..=high).contains(&time)))).collect())
}
