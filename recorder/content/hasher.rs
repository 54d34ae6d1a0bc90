//! Digests that the kernel could not give, taken by user space: one thread behind the journal, which reads files through
//! the processes that have them.

mod clock;
mod file;
mod memory;
mod rereads;

use crate::content::identity::{is_file_of, is_unchanged};
use crate::host;
use crate::record::decode::algorithm_number;
use crate::record::own_row::OwnRow;
use crate::record::wire;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};
use file::open_recorded;
use memory::{Memory, REMEMBERED_MAX, Taken};
use rereads::Rereads;
use sha2::Digest;
use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Files that wait at most.
const QUEUE: usize = 2048;
/// Algorithms by the kernel's numbers; what is none of these is hashed by sha256.
const SHA1: i32 = 2;
const SHA256: i32 = 4;
const SHA384: i32 = 5;
const SHA512: i32 = 6;
/// The longest wait, at the stop, for files that are still to be hashed.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(2);
/// What the reading of a file takes at once.
const CHUNK_BYTES: usize = 128 << 10;
/// Filesystems without stored content. Those whose server may never answer are known by their doubt.
const UNREAD: [&str; 13] = [
    "proc",
    "sysfs",
    "debugfs",
    "tracefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "cgroup",
    "cgroup2",
    "bpf",
    "configfs",
    "binfmt_misc",
    "efivarfs",
];

/// What became of the files that were to be hashed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HasherCounts {
    /// Those that got a row, whatever it says.
    pub(crate) answered: u64,
    /// Part of `answered`: those that were not read, because they had been before and are as they were then.
    pub(crate) remembered: u64,
    /// Those that got none, because too many waited, or the recording ended.
    pub(crate) dropped: u64,
    /// The earliest event among these, nanoseconds since boot, since [`Hasher::forget_dropped`].
    pub(crate) dropped_from_ns: Option<i64>,
}

/// The way to the thread and back.
pub(crate) struct Hasher {
    requests: Sender<OwnRow>,
    answers: Receiver<Answer>,
    /// Executables of running processes that were asked for: each once.
    executables: HashSet<(u32, u64, u32)>,
    rereads: Rereads,
    /// The kernel's number of the algorithm that its own digests have, so that both can be compared.
    algorithm: i32,
    /// Times of the events that are not answered yet, in the order in which they are.
    pending: VecDeque<i64>,
    counts: HasherCounts,
}

impl Hasher {
    /// Starts the thread. Files above this size are not read.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(max_hash_bytes: u64) -> Result<Self> {
        let (requests, asked) = bounded::<OwnRow>(QUEUE);
        let (answer, answers) = bounded(QUEUE);
        // It ends when nobody asks or takes its answers any more, and is not waited for: a read may take for ever.
        let work = move || {
            let mut memory = Memory::new(REMEMBERED_MAX);
            asked.iter().all(|request| answer.send(answered(request, max_hash_bytes, &mut memory)).is_ok())
        };
        std::thread::Builder::new().name("hasher".into()).spawn(work).context("cannot start the hasher")?;
        let algorithm = algorithm_number(&host::ima_algorithm()).unwrap_or(SHA256);
        Ok(Self {
            requests,
            answers,
            executables: HashSet::new(),
            rereads: Rereads::default(),
            algorithm,
            pending: VecDeque::new(),
            counts: HasherCounts::default(),
        })
    }

    /// Asks for the digest of the file of this record, of which this is the head, where the kernel should have given one
    /// and could not.
    pub(crate) fn look_at(&mut self, head: &wire::event, record: &[u8]) {
        if head.digest_source == byte(wire::digest_source::SOURCE_IMA.0) {
            self.algorithm = head.digest_algorithm;
        }
        if !can_be_read(head) || !lacks_digest(head) && !self.rereads.are_due(head) {
            return;
        }
        let is_executable = u32::from(head.hook) == wire::hook::HOOK_RUNNING_PROCESS.0;
        if is_executable && !self.executables.insert((head.dev, head.ino, head.ino_generation)) {
            return;
        }
        let Some(mut request) = OwnRow::read(record) else { return };
        request.head.digest_algorithm = self.algorithm;
        let boot_ns = head.boot_ns.cast_signed();
        match self.requests.try_send(request) {
            Ok(()) => self.pending.push_back(boot_ns),
            Err(_) => self.drop_one(boot_ns),
        }
    }

    fn drop_one(&mut self, boot_ns: i64) {
        self.counts.dropped += 1;
        self.counts.dropped_from_ns = Some(self.counts.dropped_from_ns.map_or(boot_ns, |from| from.min(boot_ns)));
    }

    /// An answer that is ready.
    pub(crate) fn answer(&mut self) -> Option<OwnRow> {
        let answer = self.answers.try_recv().ok()?;
        Some(self.counted(answer))
    }

    /// The answer that comes next, for all that were asked for; `None` when there is none left, or not in time.
    pub(crate) fn last_answer(&mut self, limit: Instant) -> Option<OwnRow> {
        if !self.pending.is_empty() {
            let answer = self.answers.recv_deadline(limit).ok()?;
            return Some(self.counted(answer));
        }
        None
    }

    fn counted(&mut self, answer: Answer) -> OwnRow {
        self.pending.pop_front();
        self.counts.answered += 1;
        self.counts.remembered += u64::from(answer.is_remembered);
        answer.row
    }

    /// Gives up what is not answered.
    pub(crate) fn end(&mut self) {
        while let Some(boot_ns) = self.pending.pop_front() {
            self.drop_one(boot_ns);
        }
    }

    /// What became of all so far.
    pub(crate) fn counts(&self) -> HasherCounts {
        self.counts
    }

    /// After what was dropped is on record.
    pub(crate) fn forget_dropped(&mut self) {
        self.counts.dropped_from_ns = None;
    }
}

/// Whether a digest was asked for that the kernel did not give, or that may be of older content. Of running processes
/// none was asked of the kernel.
fn lacks_digest(head: &wire::event) -> bool {
    let stale = wire::digest_doubt::DOUBT_OLD.0 | wire::digest_doubt::DOUBT_NOT_REVALIDATED.0;
    match wire::digest_status(u32::from(head.digest_status)) {
        wire::digest_status::DIGEST_NOT_AVAILABLE_AT_THIS_HOOK
        | wire::digest_status::DIGEST_IMA_FAILED
        | wire::digest_status::DIGEST_DIRECT_IO => true,
        wire::digest_status::DIGEST_OK => head.digest_doubt & stale != 0,
        _ => u32::from(head.hook) == wire::hook::HOOK_RUNNING_PROCESS.0,
    }
}

/// Whether user space may read the file of a record without waiting for ever.
fn can_be_read(head: &wire::event) -> bool {
    /// `S_IFMT`, `S_IFREG`
    const FILE_TYPE: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    let is_of_a_server = head.digest_doubt & wire::digest_doubt::DOUBT_UNVERIFIABLE_FS.0 != 0;
    let has_file = u32::from(head.flags) & wire::event_flag::EVENT_HAS_FILE.0 != 0;
    has_file
        && !is_of_a_server
        && u32::from(head.hook) != wire::hook::HOOK_USER_DIGEST.0
        && head.mode & FILE_TYPE == REGULAR
        && !UNREAD.iter().any(|name| name.as_bytes() == wire::c_text(&head.fs_type))
}

/// The row that answers a request.
struct Answer {
    row: OwnRow,
    /// The file was not read again.
    is_remembered: bool,
}

/// The answer to a request: the same process and file, and the digest or why there is none.
fn answered(request: OwnRow, max_hash_bytes: u64, memory: &mut Memory) -> Answer {
    let head = request.head;
    let boot_ns = host::clock_anchor().boot_ns;
    let began = Instant::now();
    let known = memory.recall(&head);
    let is_remembered = known.is_some();
    let digest = known.map_or_else(|| digest_of_recorded(&head, &request.path, max_hash_bytes), Ok);
    // What a writer may do, it may do still.
    let writer = wire::digest_doubt::DOUBT_WRITER_OPEN.0;
    let doubt = if head.writers > 0 || head.writable_mappings > 0 { writer } else { head.digest_doubt & writer };
    let mut answer = wire::event {
        boot_ns: boot_ns.cast_unsigned(),
        hook: small(wire::hook::HOOK_USER_DIGEST.0),
        ref_cpu: head.cpu,
        ref_seq: head.seq,
        digest: [0; 64],
        digest_algorithm: 0,
        digest_doubt: doubt,
        digest_duration_ns: u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX),
        ..about_file(&head)
    };
    match digest {
        Ok(taken) => {
            memory.remember(&head, &taken);
            answer.digest[..taken.digest.len()].copy_from_slice(&taken.digest);
            answer.digest_algorithm = taken.algorithm;
            answer.content_read_ns = taken.read_ns.cast_unsigned();
            answer.digest_status = byte(wire::digest_status::DIGEST_OK.0);
            answer.digest_source = byte(wire::digest_source::SOURCE_USER.0);
        }
        Err(status) => answer.digest_status = byte(status.0),
    }
    Answer { row: OwnRow { head: answer, ..request }, is_remembered }
}

/// The process and the file of a record, without what its hook says beside them.
fn about_file(head: &wire::event) -> wire::event {
    let kept = wire::event_flag::EVENT_HAS_FILE.0 | wire::event_flag::EVENT_EXE_TRUNCATED.0;
    wire::event {
        flags: head.flags & byte(kept),
        entry: 0,
        selector: 0,
        action: 0,
        not_enforced: 0,
        result: 0,
        attributes: 0,
        argc: 0,
        target_ino: 0,
        digest_source: 0,
        content_read_ns: 0,
        ..*head
    }
}

/// The digest of the file of a record, behind its algorithm.
fn digest_of_recorded(head: &wire::event, path: &[u8], max_bytes: u64) -> Result<Taken, wire::digest_status> {
    if head.size_bytes > max_bytes {
        return Err(wire::digest_status::DIGEST_TOO_LARGE);
    }
    let mut file = open_recorded(head, path)?;
    let read_ns = host::clock_anchor().boot_ns;
    let digest = match head.digest_algorithm {
        SHA1 => digest_of::<sha1::Sha1>(&mut file, head.size_bytes),
        SHA384 => digest_of::<sha2::Sha384>(&mut file, head.size_bytes),
        SHA512 => digest_of::<sha2::Sha512>(&mut file, head.size_bytes),
        _ => digest_of::<sha2::Sha256>(&mut file, head.size_bytes),
    };
    let digest = digest.map_err(|_| wire::digest_status::DIGEST_UNREADABLE)?;
    let is_same = is_file_of(&file, head) && is_unchanged(&file, head);
    let digest = digest.filter(|_| is_same).ok_or(wire::digest_status::DIGEST_MOVED)?;
    let algorithm =
        if [SHA1, SHA384, SHA512].contains(&head.digest_algorithm) { head.digest_algorithm } else { SHA256 };
    Ok(Taken { algorithm, digest, read_ns })
}

/// The digest of a whole file of this size; `None` when it has another size.
fn digest_of<H: Digest>(file: &mut File, size_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut hash = H::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut read_bytes = 0;
    while read_bytes <= size_bytes {
        match file.read(&mut chunk) {
            Ok(0) => return Ok((read_bytes == size_bytes).then(|| hash.finalize().to_vec())),
            Ok(bytes) => {
                hash.update(&chunk[..bytes]);
                read_bytes += bytes as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

fn small(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
