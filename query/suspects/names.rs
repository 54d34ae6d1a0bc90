//! By which names the file of a change was seen: whoever writes through another name, or through none, passes by a filter on the
//! path.

use crate::archives::{Archives, Scan};
use crate::suspects::reach::{ends, is_file_of_row};
use crate::versions::change::Change;
use ahash::RandomState;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use hashtrail::event::{Event, FS_RELATIVE, names_a_file};
use hashtrail::reader::{Judged, Predicate, rows};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Rows that are known at once.
const ALIKE_MAX: usize = 1 << 20;

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
    let mut by_inode: HashMap<i64, Vec<usize>, RandomState> = HashMap::default();
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
    let is_wanted = Predicate::new(vec!["ino"], move |batch| keep(batch, &wanted));
    let alike = Alike::default();
    let is_first = move |batch: &RecordBatch| alike.first_of_each(batch);
    let is_first = Predicate::new(COLUMNS.to_vec(), is_first).coded();
    let scan = Scan { columns: COLUMNS.to_vec(), predicates: vec![is_wanted, is_first], ..Scan::default() };
    archives.scan::<Event>(&scan, |batch| {
        for event in rows::<Event>(batch) {
            let event = match event {
                Ok(event) => archives.hosts().named(event),
                Err(error) => {
                    archives.problems().error(&error);
                    continue;
                }
            };
            for number in event.ino.and_then(|ino| by_inode.get(&ino)).into_iter().flatten() {
                let change = changes[*number];
                if event.host == change.key.host && ends(change).any(|run| is_file_of_row(&run.row, &event)) {
                    names[*number].see(change, &event);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
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

/// Rows that were seen: files are seen by the same names millions of times, and the second says nothing that the first did
/// not. They stand as their hashes by a key that nobody knows.
#[derive(Default)]
struct Alike {
    hashes: RandomState,
    seen: Mutex<HashSet<u64, RandomState>>,
}

impl Alike {
    /// The rows of a batch that no other was like.
    fn first_of_each(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let mut columns = Vec::new();
        for (number, (field, column)) in batch.schema_ref().fields().iter().zip(batch.columns()).enumerate() {
            // What no row has tells none apart.
            if column.null_count() < column.len() {
                columns.push((number, Values::of(batch, field.name(), column.as_ref())?));
            }
        }
        // What all rows of the batch share is looked at once.
        let (shared, others): (Vec<_>, Vec<_>) = columns.into_iter().partition(|(_, values)| values.are_alike());
        let shared =
            shared.into_iter().fold(0, |hash, (number, mut values)| values.add_to(hash, 0, number, &self.hashes));
        let mut rows = vec![shared; batch.num_rows()];
        for (number, mut values) in others {
            for (row, hash) in rows.iter_mut().enumerate() {
                *hash = values.add_to(*hash, row, number, &self.hashes);
            }
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Seen again they are looked at again.
        if seen.len() > ALIKE_MAX {
            seen.clear();
        }
        Ok(BooleanBuffer::collect_bool(rows.len(), |row| seen.insert(rows[row])).into())
    }
}

/// The values of a column, as they are told apart.
enum Values<'a> {
    Texts(Judged<'a, u64>),
    Lists(&'a ListArray, &'a StringArray),
    Numbers(&'a Int64Array),
}

impl<'a> Values<'a> {
    fn of(batch: &'a RecordBatch, name: &str, column: &'a dyn Array) -> Result<Self> {
        if let Some(numbers) = column.as_primitive_opt() {
            return Ok(Self::Numbers(numbers));
        }
        match column.as_list_opt::<i32>() {
            Some(lists) => {
                let texts = lists.values().as_string_opt().with_context(|| format!("`{name}` is no list of texts"))?;
                Ok(Self::Lists(lists, texts))
            }
            None => Ok(Self::Texts(Judged::of(batch, name)?)),
        }
    }

    /// Whether all rows are known to have the same value.
    fn are_alike(&self) -> bool {
        match self {
            Self::Texts(texts) => texts.are_alike(),
            Self::Numbers(numbers) => {
                let first = numbers.values().first();
                numbers.null_count() == 0 && numbers.values().iter().all(|number| Some(number) == first)
            }
            Self::Lists(lists, _) => {
                let offsets = lists.value_offsets();
                lists.null_count() == 0 && offsets.first() == offsets.last()
            }
        }
    }

    /// Adds the value of a row to what it is told apart by, and which column it is: others may be left out.
    fn add_to(&mut self, hash: u64, row: usize, number: usize, hashes: &RandomState) -> u64 {
        let before = hashes.hash_one((hash, number));
        match self {
            Self::Texts(texts) => hashes.hash_one((before, texts.of_row(row, |text| hashes.hash_one(text)))),
            Self::Numbers(numbers) => hashes.hash_one((before, numbers.is_valid(row).then(|| numbers.value(row)))),
            Self::Lists(lists, texts) => {
                let offsets = lists.value_offsets();
                let items = (offsets[row]..offsets[row + 1]).map(|item| texts.value(item as usize));
                let items = items.fold(before, |hash, text| hashes.hash_one((hash, text)));
                hashes.hash_one((items, offsets[row + 1] - offsets[row]))
            }
        }
    }
}

fn keep(batch: &RecordBatch, wanted: &HashMap<i64, Vec<usize>, RandomState>) -> Result<BooleanArray> {
    let inodes = batch.column_by_name("ino").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let inodes = inodes.context("column `ino` is no number")?;
    let is_wanted = |row: usize| inodes.is_valid(row) && wanted.contains_key(&inodes.value(row));
    Ok(BooleanBuffer::collect_bool(batch.num_rows(), is_wanted).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_without_a_difference_are_alike() -> Result<()> {
        let event = |path: Option<&str>, flags: &[&str], nlink| Event {
            path: path.map(str::to_owned),
            path_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            nlink,
            ..Event::default()
        };
        let rows = [
            event(Some("/a"), &["x"], Some(1)),
            event(Some("/a"), &["x"], Some(1)),
            event(Some("/a"), &[], Some(1)),
            event(Some("/a"), &["x"], Some(2)),
            event(Some("/a"), &["x"], None),
            event(None, &["x"], Some(1)),
            event(Some("/a"), &["x"], Some(1)),
        ];
        let batch = crate::testing::batch(&rows)?;
        let batch = batch.project(&COLUMNS.map(|name| batch.schema().index_of(name).expect("a column")))?;
        let alike = Alike::default();
        let first: Vec<bool> = alike.first_of_each(&batch)?.iter().flatten().collect();
        assert_eq!(first, [true, false, true, true, true, true, false]);
        assert_eq!(alike.first_of_each(&batch)?.true_count(), 0, "in a later batch too");
        Ok(())
    }

    /// A column that a batch has nowhere is left out: what stands in another one must not look like it.
    #[test]
    fn values_of_different_columns_are_not_alike() -> Result<()> {
        let alike = Alike::default();
        for event in [
            Event { ino_generation: Some(1), ..Event::default() },
            Event { real_ino: Some(1), ..Event::default() },
            Event { real_dev: Some("8:1".into()), ..Event::default() },
            Event { dev: Some("8:1".into()), ..Event::default() },
        ] {
            let batch = crate::testing::batch(&[event])?;
            let columns = COLUMNS.iter().filter_map(|name| batch.schema().index_of(name).ok()).collect::<Vec<_>>();
            assert_eq!(alike.first_of_each(&batch.project(&columns)?)?.true_count(), 1, "{:?}", batch.columns());
        }
        Ok(())
    }
}
