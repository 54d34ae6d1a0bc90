//! Who opened a changed file for writing while it changed.

use crate::archives::{Archives, Scan};
use crate::change::Change;
use crate::gaps::Mark;
use crate::recordings::Recordings;
use crate::series::{Root, Run, Version};
use anyhow::Result;
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::Int32Type;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use hashtrail::reader::{Predicate, Prune, Span};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Hooks that see a file opened for writing.
const OPEN_HOOKS: [&str; 2] = ["file_open", "file_post_open"];
const O_ACCMODE: i32 = 0o3;
const O_TRUNC: i32 = 0o1000;
/// How far wall clocks may have been set while a change happened, for the choice of partitions: a day.
const CLOCK_SLACK_MICROS: i64 = 86_400_000_000;

/// For each change, the events that may have made it.
pub(crate) fn find(archives: &Archives<'_>, recordings: &Recordings, changes: &[&Change]) -> Result<Vec<Vec<Event>>> {
    let mut found = vec![Vec::new(); changes.len()];
    if changes.iter().all(|change| change.from.is_none()) {
        return Ok(found);
    }
    let index = Index::new(changes);
    archives.each_row(&scan(changes), |event: Event| {
        let Some(rank) = recordings.rank(&event.recording_id) else { return };
        let at = Mark { rank, boot_ns: event.boot_ns };
        for change in index.candidates(&event) {
            if is_suspect(changes[change], &event, at) {
                found[change].push(event.clone());
            }
        }
    })?;
    for events in &mut found {
        events.sort_by_key(|event| (recordings.rank(&event.recording_id), event.boot_ns, event.cpu, event.seq));
        events.dedup_by(|left, right| {
            (left.cpu, left.seq, &left.recording_id) == (right.cpu, right.seq, &right.recording_id)
        });
    }
    Ok(found)
}

/// As the contract shows a suspect.
pub(crate) fn to_json(event: &Event) -> Value {
    json!({
        "time": event.time.rfc3339(), "pid": event.pid, "exe": event.exe, "comm": event.comm, "uid": event.uid,
        "hook": event.hook,
    })
}

/// Changes by the files and paths that their suspects touch.
#[derive(Default)]
struct Index<'a> {
    files: HashMap<(&'a str, i64), Vec<usize>>,
    paths: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(changes: &[&'a Change]) -> Self {
        let mut index = Self::default();
        for (number, change) in changes.iter().enumerate() {
            for run in ends(change) {
                index.files.entry((run.row.dev.as_str(), run.row.ino)).or_default().push(number);
            }
            if let Some(path) = &change.key.path {
                index.paths.entry(path).or_default().push(number);
            }
        }
        index
    }

    fn candidates(&self, event: &Event) -> Vec<usize> {
        let file = event.dev.as_deref().zip(event.ino).and_then(|file| self.files.get(&file));
        let path = event.path.as_deref().and_then(|path| self.paths.get(path));
        let mut numbers: Vec<usize> = file.into_iter().chain(path).flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// The last run of the old version and the first of the new one.
fn ends(change: &Change) -> impl Iterator<Item = &Run> {
    change.from.as_ref().map(Version::latest).into_iter().chain([change.to.first()])
}

fn is_suspect(change: &Change, event: &Event, at: Mark) -> bool {
    let Some(after) = change.after() else { return false };
    let before = change.before();
    let order = |mark: Mark| (mark.rank, mark.boot_ns);
    if event.host != change.key.host || order(at) < order(after) || order(at) > order(before) {
        return false;
    }
    let is_file = ends(change).any(|run| {
        let row = &run.row;
        row.boot_id == event.boot_id
            && event.dev.as_ref() == Some(&row.dev)
            && (event.ino, event.ino_generation) == (Some(row.ino), Some(row.ino_generation))
    });
    is_file || (event.path == change.key.path && is_root(&change.key.root, change, event))
}

fn is_root(root: &Root, change: &Change, event: &Event) -> bool {
    match root {
        Root::Other { boot_id, dev, ino } => (boot_id, dev, *ino) == (&event.boot_id, &event.root_dev, event.root_ino),
        // The numbers of the host's root are known for the boots of the two versions.
        Root::Host => ends(change).any(|run| {
            (&run.row.boot_id, &run.row.root_dev, run.row.root_ino) == (&event.boot_id, &event.root_dev, event.root_ino)
        }),
    }
}

/// Reads only opens for writing, and only where an interval reaches.
fn scan(changes: &[&Change]) -> Scan {
    let times = changes.iter().filter_map(|change| Some((change.after_time()?, change.before_time())));
    let (low, high) = times.fold((i64::MAX, i64::MIN), |(low, high), (after, before)| {
        (low.min(after.0).min(before.0), high.max(after.0).max(before.0))
    });
    let date = |micros: i64| Micros(micros).date();
    let dates = (date(low.saturating_sub(CLOCK_SLACK_MICROS)), date(high.saturating_add(CLOCK_SLACK_MICROS)));
    let spans = changes.iter().filter_map(|change| span(change)).collect();
    Scan {
        prune: Prune { spans, ..Prune::default() },
        dates: Some(dates),
        columns: Vec::new(),
        predicate: Some(Predicate { columns: vec!["hook", "open_flags"], keep: Arc::new(write_opens) }),
    }
}

/// The clock since boot is exact but means something only within one recording; else the wall clock must do.
fn span(change: &Change) -> Option<Span> {
    let (after, before) = (change.after()?, change.before());
    if after.rank == before.rank {
        return Some(Span { first: "boot_ns", last: "boot_ns", low: after.boot_ns, high: before.boot_ns });
    }
    let (after, before) = (change.after_time()?.0, change.before_time().0);
    let low = after.min(before).saturating_sub(CLOCK_SLACK_MICROS);
    Some(Span { first: "time", last: "time", low, high: after.max(before).saturating_add(CLOCK_SLACK_MICROS) })
}

fn write_opens(batch: &RecordBatch) -> Result<BooleanArray> {
    let hooks = batch.column_by_name("hook").and_then(|column| column.as_string_opt::<i32>());
    let flags = batch.column_by_name("open_flags").and_then(|column| column.as_primitive_opt::<Int32Type>());
    let (Some(hooks), Some(flags)) = (hooks, flags) else { return Ok(vec![false; batch.num_rows()].into()) };
    let is_write_open = |(hook, flags): (Option<&str>, Option<i32>)| {
        hook.is_some_and(|hook| OPEN_HOOKS.contains(&hook)) && flags.is_some_and(opens_for_writing)
    };
    Ok(hooks.iter().zip(flags).map(is_write_open).collect::<Vec<bool>>().into())
}

fn opens_for_writing(flags: i32) -> bool {
    flags & O_ACCMODE != 0 || flags & O_TRUNC != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::changes_of;
    use crate::series::group;
    use crate::testing::{recordings, version};

    fn event(path: &str, ino: i64, at: i64) -> Event {
        Event {
            host: "web".into(),
            boot_id: "boot1".into(),
            root_dev: "8:1".into(),
            root_ino: 2,
            path: Some(path.into()),
            dev: Some("8:1".into()),
            ino: Some(ino),
            ino_generation: Some(1),
            boot_ns: at * 1000,
            ..Event::default()
        }
    }

    #[test]
    fn suspects_touch_the_file_or_the_path_within_the_interval() {
        let rows = vec![version("aa", 10, 20), version("bb", 30, 40)];
        let (key, series) = group(rows, &recordings(&["r1"])).into_iter().next().expect("series");
        let change = changes_of(&key, series).remove(1);
        let suspect = |event: &Event| is_suspect(&change, event, Mark { rank: 0, boot_ns: event.boot_ns });
        assert!(suspect(&event("/usr/bin/tool", 99, 25)), "by path");
        assert!(suspect(&event("/other/name", 12, 25)), "by file");
        assert!(!suspect(&event("/other/name", 99, 25)));
        assert!(!suspect(&event("/usr/bin/tool", 12, 15)) && !suspect(&event("/usr/bin/tool", 12, 35)));
        let in_chroot = Event { root_ino: 77, ..event("/usr/bin/tool", 99, 25) };
        assert!(!suspect(&in_chroot));
    }

    #[test]
    fn only_opens_for_writing_count() {
        assert!(opens_for_writing(1) && opens_for_writing(0o102) && opens_for_writing(O_TRUNC));
        assert!(!opens_for_writing(0o2_000_000));
    }
}
