//! Files that stood at a path by a mount over it: the file beneath did not change, and who asked for the path had another one.

use crate::archives::{Archives, Scan};
use crate::output::{Row, object};
use crate::versions::run::Run;
use crate::versions::series::SeriesKey;
use anyhow::{Context, Result};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use hashtrail::cell::Micros;
use hashtrail::event::{Event, MOUNT_POINT};
use hashtrail::hooks;
use hashtrail::reader::{Need, Predicate};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Hooks that tell what is mounted where.
const HOOKS: [&str; 2] = [hooks::SB_MOUNT, hooks::MOVE_MOUNT];
/// Files that are told one by one.
const TOLD_MAX: usize = 10;

/// A file that was mounted over a path, for as long as it was seen there.
#[derive(Debug)]
struct MountedFile {
    key: SeriesKey,
    dev: String,
    ino: i64,
    /// Each digest that it was seen with.
    digests: BTreeSet<String>,
    first: Micros,
    last: Micros,
    boot_id: String,
    first_boot_ns: i64,
    /// The last mounts at the path before it was first seen there.
    mount: Option<Event>,
}

/// All that concern an answer.
#[derive(Debug, Default)]
pub(crate) struct MountedFiles {
    list: Vec<MountedFile>,
}

/// Whether a run is of a file that is mounted over its path.
pub(crate) fn is_mounted_over(run: &Run) -> bool {
    run.row.path_flags.iter().any(|flag| flag == MOUNT_POINT)
}

impl MountedFiles {
    /// Takes the runs of one such file.
    pub(crate) fn add(&mut self, key: &SeriesKey, runs: &[&Run]) {
        let Some(first) = runs.iter().min_by_key(|run| run.first) else { return };
        let last = runs.iter().map(|run| run.row.last_time).max().unwrap_or(first.row.last_time);
        self.list.push(MountedFile {
            key: key.clone(),
            dev: first.row.dev.clone(),
            ino: first.row.ino,
            digests: runs.iter().map(|run| run.row.digest.clone()).collect(),
            first: first.row.first_time,
            last,
            boot_id: first.row.boot_id.clone(),
            first_boot_ns: first.row.first_boot_ns,
            mount: None,
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Looks for who mounted them.
    ///
    /// # Errors
    /// When a scan cannot be made.
    pub(crate) fn look_for_mounts(&mut self, archives: &Archives<'_>) -> Result<()> {
        if self.list.is_empty() {
            return Ok(());
        }
        let predicate = Predicate::new(vec!["hook"], keep).needing([Need::text("hook", |hook| HOOKS.contains(&hook))]);
        archives.each_row(&Scan { predicates: vec![predicate], ..Scan::default() }, |event: Event| {
            for file in self.list.iter_mut().filter(|file| file.may_come_from(&event)) {
                if file.mount.as_ref().is_none_or(|known| known.boot_ns < event.boot_ns) {
                    file.mount = Some(event.clone());
                }
            }
        })
    }

    /// As the contract shows them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.list.iter().map(|file| {
            object(json!({
                "type": "mounted_over", "path": file.key.path, "host": file.key.host, "dev": file.dev, "ino": file.ino,
                "digests": file.digests, "first_seen": file.first.rfc3339(), "last_seen": file.last.rfc3339(),
                "mounted_by": file.mount.as_ref().map(mount_json),
            }))
        })
    }

    /// The same for people.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.list.iter().take(TOLD_MAX).map(MountedFile::text).collect();
        if self.list.len() > TOLD_MAX {
            notes.push(format!("another file stood at {} more path(s), by a mount", self.list.len() - TOLD_MAX));
        }
        notes
    }
}

impl MountedFile {
    fn may_come_from(&self, event: &Event) -> bool {
        event.host == self.key.host
            && event.boot_id == self.boot_id
            && event.boot_ns <= self.first_boot_ns
            && event.path.is_some()
            && event.path == self.key.path
    }

    fn text(&self) -> String {
        let path = self.key.path.as_deref().unwrap_or("?");
        let (host, first, last) = (&self.key.host, self.first.rfc3339(), self.last.rfc3339());
        let digests: Vec<&str> = self.digests.iter().map(String::as_str).collect();
        let mount = match &self.mount {
            Some(Event { exe, comm, pid, uid, time, .. }) => {
                let exe = exe.as_ref().unwrap_or(comm);
                format!("; mounted by {exe} (pid {pid}, uid {uid}) at {}", time.rfc3339())
            }
            None => "; no row has who mounted it".to_owned(),
        };
        format!(
            "another file stood at {path} on {host}, by a mount, from {first} to {last} at least: {} (inode {} of {}){mount}",
            digests.join(", "),
            self.ino,
            self.dev
        )
    }
}

fn mount_json(event: &Event) -> Value {
    json!({
        "time": event.time.rfc3339(), "hook": event.hook, "pid": event.pid, "process_start_ns": event.process_start_ns,
        "exe": event.exe, "comm": event.comm, "uid": event.uid, "container_id": event.container_id,
    })
}

fn keep(batch: &RecordBatch) -> Result<BooleanArray> {
    let hooks =
        batch.column_by_name("hook").and_then(|column| column.as_string_opt::<i32>()).context("`hook` is no text")?;
    Ok(hooks.iter().map(|hook| Some(hook.is_some_and(|hook| HOOKS.contains(&hook)))).collect())
}
