//! Which rows are worth reading in full: those that share an inode number or a name with a change, or have no name.

use super::act::Act;
use super::reach::ends;
use super::unnamed::is_unnamed;
use crate::change::Change;
use anyhow::{Context, Result};
use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use hashtrail::event::Event;
use hashtrail::reader::Predicate;
use std::collections::HashMap;
use std::sync::Arc;

/// Changes by what their suspects have in common with them.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    inodes: HashMap<i64, Vec<usize>>,
    /// Last components of the paths, and of the directories above them.
    names: HashMap<String, Vec<usize>>,
}

impl Candidates {
    pub(super) fn new(changes: &[Change]) -> Self {
        let mut candidates = Self::default();
        for (number, change) in changes.iter().enumerate().filter(|(_, change)| change.from.is_some()) {
            for run in ends(change) {
                for ino in std::iter::once(run.row.ino).chain(run.row.real_ino).chain(run.row.image_ino) {
                    candidates.inodes.entry(ino).or_default().push(number);
                }
            }
            for name in change.key.path.iter().flat_map(|path| path.split('/')).filter(|name| !name.is_empty()) {
                candidates.names.entry(name.to_owned()).or_default().push(number);
            }
        }
        candidates
    }

    /// The changes that an event may have made, each once.
    pub(super) fn of(&self, event: &Event) -> Vec<usize> {
        let inodes = [event.ino, event.target_ino, event.real_ino].into_iter().flatten();
        let inodes = inodes.filter_map(|ino| self.inodes.get(&ino));
        let paths = [event.path.as_deref(), event.target_path.as_deref()].into_iter().flatten();
        let names = paths.filter_map(|path| self.names.get(last_component(path)));
        let mut numbers: Vec<usize> = inodes.chain(names).flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The test for the reader.
    pub(super) fn predicate(self: &Arc<Self>) -> Predicate {
        let candidates = Arc::clone(self);
        let columns = vec!["hook", "open_flags", "ino", "target_ino", "real_ino", "path", "target_path", "path_flags"];
        Predicate { columns, keep: Arc::new(move |batch| candidates.keep(batch)) }
    }

    fn keep(&self, batch: &RecordBatch) -> Result<BooleanArray> {
        let column = |name: &str| batch.column_by_name(name).with_context(|| format!("column `{name}` is missing"));
        let text = |name: &str| column(name)?.as_string_opt::<i32>().with_context(|| format!("`{name}` is no text"));
        let number = |name: &str| {
            column(name)?.as_primitive_opt::<Int64Type>().with_context(|| format!("`{name}` is no number"))
        };
        let flags = column("open_flags")?.as_primitive_opt::<Int32Type>().context("`open_flags` is no number")?;
        let path_flags = column("path_flags")?.as_list_opt::<i32>().context("`path_flags` is no list")?;
        let (hooks, paths, targets) = (text("hook")?, text("path")?, text("target_path")?);
        // Files of version 1 have no `real_ino`.
        let real_inos = batch.column_by_name("real_ino").map(|_| number("real_ino")).transpose()?;
        let inodes: Vec<&Int64Array> = [number("ino")?, number("target_ino")?].into_iter().chain(real_inos).collect();
        let is_known_inode = |row: usize| {
            inodes.iter().any(|column| column.is_valid(row) && self.inodes.contains_key(&column.value(row)))
        };
        let is_known_name = |path: Option<&str>| path.is_some_and(|path| self.names.contains_key(last_component(path)));
        let kept = hooks.iter().zip(flags).zip(paths.iter().zip(targets)).enumerate();
        let kept = kept.map(|(row, ((hook, flags), (path, target)))| {
            let Some(act) = hook.and_then(|hook| Act::of_hook(hook, flags)) else { return false };
            let names = [path, target];
            is_known_inode(row)
                || names.into_iter().any(is_known_name)
                || is_unnamed(act, names, &texts(&path_flags.value(row)))
        });
        Ok(kept.collect::<Vec<bool>>().into())
    }
}

/// The texts of a list.
fn texts(list: &dyn Array) -> Vec<String> {
    list.as_string_opt::<i32>().into_iter().flatten().flatten().map(str::to_owned).collect()
}

fn last_component(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::replaced;

    #[test]
    fn rows_that_share_nothing_with_a_change_are_not_read() -> Result<()> {
        let change = replaced();
        let candidates = Candidates::new(&[change]);
        let rename = |ino: i64, target_ino: Option<i64>, path: &str, target: &str| Event {
            hook: "inode_rename".into(),
            ino: Some(ino),
            target_ino,
            path: Some(path.into()),
            target_path: Some(target.into()),
            ..Event::default()
        };
        let events = [
            rename(13, None, "/x/a", "/x/b"),
            rename(99, Some(12), "/x/a", "/x/b"),
            rename(99, None, "/tool", "/x/b"),
            rename(99, None, "/x/a", "/mnt/usr/bin"),
            rename(99, Some(98), "/x/a", "/x/tools"),
            Event { real_ino: Some(12), ..rename(99, Some(98), "/x/a", "/x/b") },
            Event { path: None, ..rename(99, None, "/x/a", "/x/b") },
            Event { path_flags: vec!["no_scratch".into()], ..rename(99, None, "/x/a", "/x/b") },
            Event { hook: "mmap_file".into(), ..rename(13, None, "/x/a", "/x/b") },
            Event { hook: "file_open".into(), open_flags: Some(0), ..rename(13, None, "/x/a", "/x/b") },
        ];
        let kept = candidates.keep(&crate::testing::batch(&events)?)?;
        assert_eq!(kept, BooleanArray::from(vec![true, true, true, true, false, true, true, true, false, false]));
        let found: Vec<usize> = events.iter().map(|event| candidates.of(event).len()).collect();
        assert_eq!(found, [1, 1, 1, 1, 0, 1, 0, 0, 1, 1]);
        Ok(())
    }
}
