//! What of an event decides whether it is a suspect, and what is told of it then.

use crate::processes::Boot;
use crate::processes::recorded::Processes;
use crate::recordings::Position;
use hashtrail::cell::Micros;
use hashtrail::event::Event;

/// The columns of all that [`super::find`] asks an event: what it did, to which file, by which name, and what is told of it.
pub(super) const COLUMNS: [&str; 38] = [
    "recording_id",
    "host",
    "boot_id",
    "cpu",
    "seq",
    "time",
    "boot_ns",
    "hook",
    "action",
    "enforced",
    "pid",
    "tid",
    "ppid",
    "process_start_ns",
    "uid",
    "euid",
    "auid",
    "comm",
    "exe",
    "parent_comm",
    "container_id",
    "root_dev",
    "root_ino",
    "path",
    "path_flags",
    "dev",
    "ino",
    "ino_generation",
    "real_dev",
    "real_ino",
    "mode",
    "mapped_executable",
    "open_flags",
    "attributes",
    "argv",
    "target_path",
    "target_ino",
    "parent_ino",
];

/// What is told of an event that is kept as a suspect: a quarter of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) place: Position,
    pub(crate) time: Micros,
    pub(crate) host: String,
    pub(super) boot_id: String,
    pub(crate) dev: Option<String>,
    pub(crate) ino: Option<i64>,
    pub(super) ino_generation: Option<i64>,
    pub(crate) hook: String,
    pub(crate) pid: i32,
    pub(super) tid: i32,
    pub(super) ppid: i32,
    pub(crate) process_start_ns: i64,
    pub(crate) uid: i64,
    pub(super) euid: i64,
    pub(super) auid: Option<i64>,
    pub(crate) comm: String,
    pub(crate) exe: Option<String>,
    pub(crate) parent_comm: String,
    pub(super) container_id: Option<String>,
    pub(crate) path: Option<String>,
    pub(super) path_flags: Vec<String>,
    pub(super) target_path: Option<String>,
    pub(crate) attributes: Vec<String>,
    /// Files of version 1 do not say it.
    pub(crate) mapped_executable: Option<bool>,
    pub(super) argv: Option<Vec<String>>,
}

impl Seen {
    /// Of an event in the recording of this rank.
    pub(super) fn of(event: Event, rank: usize) -> Self {
        Self {
            place: Position { rank, boot_ns: event.boot_ns, cpu: event.cpu, seq: event.seq },
            time: event.time,
            host: event.host,
            boot_id: event.boot_id,
            dev: event.dev,
            ino: event.ino,
            ino_generation: event.ino_generation,
            hook: event.hook,
            pid: event.pid,
            tid: event.tid,
            ppid: event.ppid,
            process_start_ns: event.process_start_ns,
            uid: event.uid,
            euid: event.euid,
            auid: event.auid,
            comm: event.comm,
            exe: event.exe,
            parent_comm: event.parent_comm,
            container_id: event.container_id,
            path: event.path,
            path_flags: event.path_flags,
            target_path: event.target_path,
            attributes: event.attributes,
            mapped_executable: event.mapped_executable,
            argv: event.argv,
        }
    }

    /// What stands in a column by which acts can be asked for.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        match column {
            "exe" => self.exe.as_deref(),
            "comm" => Some(&self.comm),
            "parent_comm" => Some(&self.parent_comm),
            "container_id" => self.container_id.as_deref(),
            "target_path" => self.target_path.as_deref(),
            _ => None,
        }
    }

    /// Place of its process.
    pub(crate) fn process(&self, processes: &Processes) -> Option<u32> {
        let boot = Boot { host: self.host.clone(), boot_id: self.boot_id.clone() };
        processes.of_boot(&boot, self.pid, self.process_start_ns)
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let Self { host, boot_id, hook, comm, parent_comm, dev, exe, container_id, path, target_path, .. } = self;
        let optional = [dev, exe, container_id, path, target_path].into_iter().flatten();
        let lists = [&self.path_flags, &self.attributes].into_iter().chain(&self.argv).flatten();
        let texts =
            [host, boot_id, hook, comm, parent_comm].into_iter().chain(optional).map(String::len).sum::<usize>();
        size_of::<Self>() + texts + lists.map(|text| size_of::<String>() + text.len()).sum::<usize>()
    }
}
