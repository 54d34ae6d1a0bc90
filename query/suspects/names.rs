//! By which names the file of a change was seen: whoever writes through another name, or through none, passes by a filter on the
//! path.

use crate::archives::{Archives, Scan};
use crate::change::Change;
use crate::suspects::reach::{ends, is_file_of_row};
use anyhow::{Context, Result};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int64Type;
use hashtrail::event::{Event, FS_RELATIVE, names_a_file};
use hashtrail::reader::Predicate;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The names of one file beside the path of the change.
#[derive(Debug, Clone, Default)]
pub(crate) struct OtherNames {
    /// Empty for one that is not known and whose acts are suspects all the same: of a file beneath, or of an image. Only a filter
    /// that asks for every path covers it.
    pub(crate) paths: BTreeSet<String>,
    /// Whether it has more names than are known: hard links, or ways to it without a path, such as a file handle or a mount
    /// that hangs nowhere.
    pub(crate) has_unknown: bool,
}

/// What tells the file of an event, and its name.
const COLUMNS: [&str; 11] = [
    "recording_id",
    "host",
    "boot_id",
    "path",
    "path_flags",
    "dev",
    "ino",
    "ino_generation",
    "real_dev",
    "real_ino",
    "nlink",
];

/// For each of these changes the names by which any event saw its old or new file.
///
/// # Errors
/// When a scan cannot be made.
pub(crate) fn other_names(archives: &Archives<'_>, changes: &[&Change]) -> Result<Vec<OtherNames>> {
    let mut names = vec![OtherNames::default(); changes.len()];
    let mut by_inode: HashMap<i64, Vec<usize>> = HashMap::new();
    for (number, change) in changes.iter().enumerate() {
        for run in ends(change) {
            for ino in std::iter::once(run.row.ino).chain(run.row.real_ino) {
                by_inode.entry(ino).or_default().push(number);
            }
            if run.row.real_ino.or(run.row.image_ino).is_some() {
                names[number].paths.insert(String::new());
            }
        }
    }
    if by_inode.is_empty() {
        return Ok(names);
    }
    let by_inode = Arc::new(by_inode);
    let wanted = Arc::clone(&by_inode);
    let keep = move |batch: &RecordBatch| keep(batch, &wanted);
    let predicate = Predicate::new(vec!["ino"], keep);
    let scan = Scan { columns: COLUMNS.to_vec(), predicates: vec![predicate], ..Scan::default() };
    archives.each_row(&scan, |event: Event| {
        for number in event.ino.and_then(|ino| by_inode.get(&ino)).into_iter().flatten() {
            let change = changes[*number];
            if event.host == change.key.host && ends(change).any(|run| is_file_of_row(&run.row, &event)) {
                names[*number].see(change, &event);
            }
        }
    })?;
    Ok(names)
}

impl OtherNames {
    fn see(&mut self, change: &Change, event: &Event) {
        let has_flag = |name: &str| event.path_flags.iter().any(|flag| flag == name);
        self.has_unknown |= event.nlink.is_some_and(|links| links > 1);
        if has_flag("deleted") {
            return;
        }
        let (Some(path), true) = (&event.path, names_a_file(&event.path_flags)) else {
            self.has_unknown = true;
            return;
        };
        let asked = change.key.path.as_deref().unwrap_or_default();
        let is_same = path == asked || has_flag(FS_RELATIVE) && asked.ends_with(path.as_str());
        if !is_same {
            self.paths.insert(path.clone());
        }
    }
}

fn keep(batch: &RecordBatch, wanted: &HashMap<i64, Vec<usize>>) -> Result<BooleanArray> {
    let inodes = batch.column_by_name("ino").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let inodes = inodes.context("column `ino` is no number")?;
    Ok(inodes.iter().map(|ino| Some(ino.is_some_and(|ino| wanted.contains_key(&ino)))).collect())
}
