//! The `files` rows of a segment from its events.

use crate::cell::Micros;
use crate::event::EventView;
use crate::execs::Execs;
use crate::hash::HashSet;
use crate::versions::{FileVersion, NOT_TOLD, VersionContext};
use ahash::RandomState;
use hashbrown::HashTable;
use std::borrow::Cow;

/// The `files` rows of one segment, built from its events, which come in event order.
#[derive(Debug)]
pub(crate) struct Runs<'a> {
    context: &'a VersionContext,
    /// All execs of the segment, and those before it that wait.
    execs: &'a Execs,
    /// Of each series, kept apart for certain and doubtful observations.
    open: HashTable<Run>,
    hasher: RandomState,
    closed: Vec<Run>,
    /// When the last event was, nanoseconds since boot.
    end_ns: i64,
}

/// A run, and the execs that count for it.
#[derive(Debug)]
struct Run {
    row: FileVersion,
    execs: HashSet<i64>,
}

impl<'a> Runs<'a> {
    pub(crate) fn new(context: &'a VersionContext, execs: &'a Execs) -> Self {
        Self { context, execs, open: HashTable::new(), hasher: RandomState::new(), closed: Vec::new(), end_ns: 0 }
    }

    /// Takes the next event if it goes on with a run of certain digests and with its size; gives whether it did. Then it
    /// tells [`super::Sizes`] nothing: had the file had the digest at another size, the run would be doubtful.
    pub(crate) fn go_on(&mut self, event: &EventView<'_>) -> bool {
        if !event.has_certain_digest() || !self.is_observation(event) {
            return false;
        }
        let Some(run) = self.open.find_mut(self.hash_of(event), |run| is_of_series(&run.row, event)) else {
            return false;
        };
        if !is_of_run(&run.row, event) || Some(run.row.size_bytes) != event.size_bytes {
            return false;
        }
        extend(&mut run.row, event);
        run.execs.extend(self.execs.exec_of(event));
        self.end_ns = event.boot_ns;
        true
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &EventView<'_>) {
        self.end_ns = event.boot_ns;
        if !self.is_observation(event) {
            return;
        }
        let exec = self.execs.exec_of(event);
        let hash = self.hash_of(event);
        let Self { open, hasher, closed, context, .. } = self;
        let run = open.find_mut(hash, |run| is_of_series(&run.row, event));
        if let Some(run) = run.filter(|run| is_of_run(&run.row, event)) {
            extend(&mut run.row, event);
            run.execs.extend(exec);
            return;
        }
        let Some(row) = first_of_run(event, context) else { return };
        let first = Run { row, execs: exec.into_iter().collect() };
        match open.find_mut(hash, |run| is_of_series(&run.row, event)) {
            Some(last) => closed.push(std::mem::replace(last, first)),
            None => drop(open.insert_unique(hash, first, |run| hash_of_row(hasher, &run.row))),
        }
    }

    /// Whether the event shows a digest of a file, or of a path where the log of another program tells no more.
    fn is_observation(&self, event: &EventView<'_>) -> bool {
        let has_digest = event.digest.is_some() && event.digest_algorithm.is_some();
        has_digest && (has_file(event) || self.context.is_imported && event.path.is_some())
    }

    fn hash_of(&self, event: &EventView<'_>) -> u64 {
        let is_certain = event.has_certain_digest();
        self.hasher.hash_one((&*event.root_dev, event.root_ino, event.path.as_deref(), is_certain))
    }

    /// The rows, in the order of their table. Unless nothing comes after them, what the last execs came to is not known.
    pub(crate) fn finish(mut self, is_last: bool) -> Vec<FileVersion> {
        self.closed.extend(self.open);
        let open = if is_last { HashSet::default() } else { self.execs.open_at(self.end_ns) };
        let mut rows: Vec<FileVersion> =
            self.closed.into_iter().map(|run| count_runs(run, self.execs, &open, self.context)).collect();
        rows.sort_by(|left, right| {
            (&left.path, left.first_boot_ns, left.first_cpu, left.first_seq).cmp(&(
                &right.path,
                right.first_boot_ns,
                right.first_cpu,
                right.first_seq,
            ))
        });
        rows
    }
}

/// Whether the event tells all of its file.
fn has_file(event: &EventView<'_>) -> bool {
    let numbers = [event.ino, event.ino_generation, event.size_bytes, event.owner_uid, event.owner_gid];
    let has_place = event.dev.is_some() && event.fs_type.is_some() && event.mode.is_some();
    numbers.iter().all(Option::is_some) && has_place && event.mtime.is_some() && event.ctime.is_some()
}

/// What a row has of a file that is not told whole: half of it would be taken for all.
fn without_file() -> FileVersion {
    FileVersion {
        ino: NOT_TOLD,
        ino_generation: NOT_TOLD,
        size_bytes: NOT_TOLD,
        mtime: Micros(NOT_TOLD),
        ctime: Micros(NOT_TOLD),
        mode: -1,
        owner_uid: NOT_TOLD,
        owner_gid: NOT_TOLD,
        ..FileVersion::default()
    }
}

/// The run that begins with this event; `None` when the event shows no digest.
fn first_of_run(event: &EventView<'_>, context: &VersionContext) -> Option<FileVersion> {
    let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let file = if has_file(event) { file_of(event)? } else { without_file() };
    Some(FileVersion {
        recording_id: event.recording_id.to_string(),
        host: event.host.to_string(),
        boot_id: event.boot_id.to_string(),
        root_dev: event.root_dev.to_string(),
        root_ino: event.root_ino,
        root_is_host: event.root_dev == context.host_root_dev && event.root_ino == context.host_root_ino,
        path: owned(&event.path),
        path_flags: event.path_flags.to_vec(),
        mnt_ns: event.mnt_ns,
        parent_ino: event.parent_ino,
        real_dev: owned(&event.real_dev),
        real_ino: event.real_ino,
        image_dev: owned(&event.image_dev),
        image_ino: event.image_ino,
        digest_algorithm: owned(&event.digest_algorithm)?,
        digest: owned(&event.digest)?,
        first_time: event.time,
        first_boot_ns: event.boot_ns,
        first_cpu: event.cpu,
        first_seq: event.seq,
        first_duration_ns: event.digest_duration_ns,
        last_time: event.time,
        last_boot_ns: event.boot_ns,
        last_cpu: event.cpu,
        last_seq: event.seq,
        last_read_ns: Some(event.content_read_ns.unwrap_or(0)),
        observations: 1,
        runs: None,
        attempts: None,
        doubts: event.digest_doubt.to_vec(),
        ..file
    })
}

/// The columns of the file.
fn file_of(event: &EventView<'_>) -> Option<FileVersion> {
    let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    Some(FileVersion {
        dev: owned(&event.dev)?,
        ino: event.ino?,
        ino_generation: event.ino_generation?,
        fs_type: owned(&event.fs_type)?,
        size_bytes: event.size_bytes?,
        mtime: event.mtime?,
        ctime: event.ctime?,
        mode: event.mode?,
        owner_uid: event.owner_uid?,
        owner_gid: event.owner_gid?,
        ..FileVersion::default()
    })
}

/// As [`Runs::hash_of`]: the run of a doubtful event has doubts.
fn hash_of_row(hasher: &RandomState, row: &FileVersion) -> u64 {
    hasher.hash_one((&*row.root_dev, row.root_ino, row.path.as_deref(), row.doubts.is_empty()))
}

/// Whether the event is one of the run's series, and as certain.
fn is_of_series(run: &FileVersion, event: &EventView<'_>) -> bool {
    run.root_ino == event.root_ino
        && run.doubts.is_empty() == event.has_certain_digest()
        && (run.path.as_deref(), &*run.root_dev) == (event.path.as_deref(), &*event.root_dev)
}

fn is_of_run(run: &FileVersion, event: &EventView<'_>) -> bool {
    *run.path_flags == *event.path_flags
        && is_file_of_run(run, event)
        && (run.real_dev.as_deref(), run.real_ino) == (event.real_dev.as_deref(), event.real_ino)
        && (run.image_dev.as_deref(), run.image_ino) == (event.image_dev.as_deref(), event.image_ino)
        && (Some(&*run.digest_algorithm), Some(&*run.digest))
            == (event.digest_algorithm.as_deref(), event.digest.as_deref())
}

fn is_file_of_run(run: &FileVersion, event: &EventView<'_>) -> bool {
    let of_event = (event.dev.as_deref(), event.ino, event.ino_generation);
    if run.has_file() {
        of_event == (Some(&*run.dev), Some(run.ino), Some(run.ino_generation))
    } else {
        !has_file(event)
    }
}

fn extend(run: &mut FileVersion, event: &EventView<'_>) {
    run.last_time = event.time;
    run.last_boot_ns = event.boot_ns;
    run.last_cpu = event.cpu;
    run.last_seq = event.seq;
    run.last_read_ns = run.last_read_ns.max(event.content_read_ns);
    run.observations += 1;
    for doubt in event.digest_doubt.iter() {
        if !run.doubts.contains(doubt) {
            run.doubts.push(doubt.clone());
        }
    }
}

fn count_runs(run: Run, execs: &Execs, open: &HashSet<i64>, context: &VersionContext) -> FileVersion {
    let Run { mut row, execs: own } = run;
    if context.commits_recorded && own.is_disjoint(open) {
        let succeeded = own.iter().filter(|exec_id| execs.is_committed(**exec_id)).count();
        let others = own.len() - succeeded;
        if others == 0 || !context.commits_in_part {
            row.runs = i64::try_from(succeeded).ok();
            row.attempts = i64::try_from(others).ok();
        }
    }
    row
}
