//! What one row says of its process.

use crate::recordings::Position;
use crate::sorter::Sortable;
use hashtrail::cell::Micros;
use hashtrail::event::Event;
use serde::{Deserialize, Serialize};

/// The columns of it.
pub(super) const COLUMNS: [&str; 33] = [
    "recording_id",
    "host",
    "boot_id",
    "cpu",
    "seq",
    "time",
    "boot_ns",
    "hook",
    "pid",
    "process_start_ns",
    "exec_id",
    "uid",
    "gid",
    "euid",
    "auid",
    "session_id",
    "comm",
    "exe",
    "parent_comm",
    "container_id",
    "path",
    "path_flags",
    "dev",
    "ino",
    "argv",
    "argc",
    "digest_algorithm",
    "digest",
    "digest_status",
    "digest_reason",
    "digest_doubt",
    "ref_cpu",
    "ref_seq",
];

/// Who a process acts for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) uid: i64,
    pub(crate) gid: i64,
    pub(crate) euid: i64,
    pub(crate) auid: Option<i64>,
    pub(crate) session_id: Option<i64>,
    pub(crate) container_id: Option<String>,
}

/// A file that was read to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramFile {
    pub(crate) path: Option<String>,
    pub(crate) path_flags: Vec<String>,
    pub(crate) dev: Option<String>,
    pub(crate) ino: Option<i64>,
    pub(crate) digest: Digest,
}

/// Its digest, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Digest {
    pub(crate) algorithm: Option<String>,
    pub(crate) digest: Option<String>,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) doubt: Vec<String>,
}

impl Digest {
    /// Takes what another row says of the same file, where that tells more: a certain digest more than a doubtful one.
    pub(super) fn improve(&mut self, other: Self) {
        if other.worth() > self.worth() {
            *self = other;
        }
    }

    fn worth(&self) -> u8 {
        u8::from(self.digest.is_some()) + u8::from(self.digest.is_some() && self.doubt.is_empty())
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.digest.is_some() && !self.doubt.is_empty()
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    /// Of the process in the answer.
    pub(super) place: u32,
    pub(super) at: Position,
    pub(super) time: Micros,
    pub(super) hook: String,
    pub(super) exec_id: Option<i64>,
    pub(super) comm: String,
    pub(super) parent_comm: String,
    pub(super) exe: Option<String>,
    pub(super) credentials: Credentials,
    pub(super) file: ProgramFile,
    pub(super) argv: Option<Vec<String>>,
    pub(super) argc: Option<i32>,
    /// CPU and number of the row whose digest this one has.
    pub(super) answers: Option<(i32, i64)>,
}

impl Sight {
    pub(super) fn of(event: Event, place: u32, rank: usize) -> Self {
        let answers = event.answers();
        Self {
            place,
            at: Position { rank, boot_ns: event.boot_ns, cpu: event.cpu, seq: event.seq },
            time: event.time,
            hook: event.hook,
            exec_id: event.exec_id,
            comm: event.comm,
            parent_comm: event.parent_comm,
            exe: event.exe,
            credentials: Credentials {
                uid: event.uid,
                gid: event.gid,
                euid: event.euid,
                auid: event.auid,
                session_id: event.session_id,
                container_id: event.container_id,
            },
            file: ProgramFile {
                path: event.path,
                path_flags: event.path_flags,
                dev: event.dev,
                ino: event.ino,
                digest: Digest {
                    algorithm: event.digest_algorithm,
                    digest: event.digest,
                    status: event.digest_status,
                    reason: event.digest_reason,
                    doubt: event.digest_doubt,
                },
            },
            argv: event.argv,
            argc: event.argc,
            answers,
        }
    }

    /// By process, and those of one in the order of events.
    pub(super) fn order(&self) -> (u32, Position) {
        (self.place, self.at)
    }
}

impl Sortable for Sight {
    fn bytes(&self) -> usize {
        let Self { hook, comm, parent_comm, exe, credentials, file, argv, .. } = self;
        let Digest { algorithm, digest, status, reason, doubt } = &file.digest;
        let optional = [exe, &credentials.container_id, &file.path, &file.dev, algorithm, digest, reason];
        let texts = [hook, comm, parent_comm, status].into_iter().chain(optional.into_iter().flatten());
        let texts = texts.chain(&file.path_flags).chain(doubt).chain(argv.iter().flatten());
        // An allocation takes some bytes more than what it holds.
        size_of::<Self>() + texts.map(|text| size_of::<String>() + text.capacity() + 16).sum::<usize>()
    }
}
