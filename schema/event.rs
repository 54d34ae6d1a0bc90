//! The `events` table: one row per matched LSM event, and what user space adds to them.

use crate::cell::Micros;
use crate::columns::table;
use crate::hooks;

table! {
    /// One LSM event that a policy matched, or a row that user space made beside them (see [`USER_SPACE_CPU`]). Key:
    /// (`recording_id`, `cpu`, `seq`). In rows of an import a number that its source does not tell is -1
    /// ([`crate::versions::NOT_TOLD`]), a text empty.
    #[derive(serde::Serialize, serde::Deserialize)]
    Event, EventView, EventChunks in "events" {
        recording_id: String, Dictionary in POLICY, "Random UUID of one start of the recorder; of an import made from what was imported";
        host: String, Dictionary in POLICY, "Node name at start, or --host; also the partition";
        boot_id: String, Dictionary in POLICY, "The kernel's random id of this boot; empty in rows of an import";
        cpu: i32, Dictionary, "CPU that recorded the event; -1: user space made the row, as all of an import";
        seq: i64, Delta, "Number of the event on its CPU, taken before its place in the ring: a hole is a lost event";
        time: Micros, Delta, "When the hook was entered or user space began to look, UTC (boot_ns plus the clock offset in force)";
        boot_ns: i64, Delta, "When the hook was entered or user space began to look, nanoseconds since boot, suspend included; in rows of an import since 1970, as time";
        hook: String, Dictionary in POLICY, "LSM hook that the policy names; beside those: sched_process_fork (a fork), running_process (a process that ran at the start, with the file columns of its executable), open_descriptor (a descriptor open for writing at the start), user_digest (a digest that user space took for the row ref_cpu, ref_seq). In rows of an import the hook that the record tells of, where it tells one, or else integrity_rule (audit), ima_measurement, osquery_hash, failed_exec, or the function that was traced";
        served_by: String, Dictionary in POLICY, "LSM hook that recorded it, where the kernel offers a safer one; in rows of an import the source and the kind of its record, as in tetragon:process_lsm";
        policy: Option<String>, Dictionary in POLICY, "Name of the policy that matched";
        selector: Option<String>, Dictionary in POLICY, "Label of the selector that matched, or its place in the hook entry, from 0";
        message: Option<String>, Dictionary in POLICY, "Message of the policy's hook entry";
        tags: Vec<String>, Dictionary, "Tags of the policy's hook entry";
        undecided: Option<bool>, Dictionary, "Whether a filter could not be evaluated, because a path or binary that it asks for was not known: the policy may have asked for the row";
        action: String, Dictionary in POLICY, "post, deny, signal or kill";
        enforced: bool, Dictionary, "Whether the action was carried out";
        unenforced: Option<String>, Dictionary in POLICY, "Why an action was not carried out: not_asked (no --enforce), monitor (policy mode), doubtful_digest, undecided (a filter could not be evaluated), other_entry, failed";
        result: Option<i32>, Dictionary in POLICY, "Errno that the recorder returned to the caller";
        pid: i32, Dictionary in PROCESS, "Process (thread group) in the host's pid namespace";
        tid: i32, Dictionary in PROCESS, "Thread in the host's pid namespace";
        ppid: i32, Dictionary in PROCESS, "Parent process";
        process_start_ns: i64, Dictionary in PROCESS, "Start of the process, nanoseconds since boot; with boot_id and pid its key";
        parent_start_ns: i64, Dictionary in PROCESS, "Start of the parent process, nanoseconds since boot";
        exec_id: Option<i64>, Dictionary in PROCESS, "Number of the exec in this recording; a script and its interpreter share it";
        uid: i64, Dictionary in PROCESS, "Real user";
        gid: i64, Dictionary in PROCESS, "Real group";
        euid: i64, Dictionary in PROCESS, "Effective user";
        auid: Option<i64>, Dictionary in PROCESS, "Login (audit) user; null when unset";
        session_id: Option<i64>, Dictionary in PROCESS, "Audit session; null when unset";
        comm: String, Dictionary in PROCESS, "Name of the thread";
        exe: Option<String>, Dictionary in PROCESS, "Path of the running binary as of its exec; a 255-byte prefix when longer";
        exe_bytes: Option<Vec<u8>>, Dictionary in PROCESS, "exe as it was, only where the text has escapes";
        parent_comm: String, Dictionary in PROCESS, "Name of the parent";
        cgroup_id: i64, Dictionary in PROCESS, "Cgroup v2 id";
        container_id: Option<String>, Dictionary in PROCESS, "Container id from the cgroup path";
        mnt_ns: i64, Dictionary in FILE, "Mount namespace inode";
        pid_ns: i64, Dictionary in PROCESS, "Pid namespace inode";
        root_dev: String, Dictionary in FILE, "Device (major:minor) of the task's root directory";
        root_ino: i64, Dictionary in FILE, "Inode of the task's root directory; with root_dev it separates chroots and containers";
        path: Option<String>, LookUp in FILE, "Path as the task sees it; bytes that are not UTF-8 as \\xNN, backslashes then doubled, also where the name itself reads like such an escape of a byte from \\x80 on";
        path_bytes: Option<Vec<u8>>, Dictionary in FILE, "path as it was, only where the text has escapes";
        path_flags: Vec<String>, Dictionary, "deleted, memfd, unreachable, too_long, fs_relative, no_scratch, mount_point, late (built again after the digest, and not as it was before), redacted (taken out of the archive)";
        dev: Option<String>, Dictionary in FILE, "Device (major:minor) of the file's filesystem";
        ino: Option<i64>, Dictionary in FILE, "Inode number";
        ino_generation: Option<i64>, Dictionary in FILE, "Inode generation; with dev and ino the file's key";
        fs_type: Option<String>, Dictionary in FILE, "Filesystem type";
        real_dev: Option<String>, Dictionary in FILE, "Of a file on a stacked filesystem (overlayfs): device of the file beneath, which has the content";
        real_ino: Option<i64>, Dictionary in FILE, "Of a file on a stacked filesystem: inode number of the file beneath";
        image_dev: Option<String>, Dictionary in FILE, "Of a file on a loop device: device of the image that holds the filesystem";
        image_ino: Option<i64>, Dictionary in FILE, "Of a file on a loop device: inode number of that image";
        real_fs_type: Option<String>, Dictionary in FILE, "Of a file on a stacked filesystem: filesystem type of the file beneath";
        mode: Option<i32>, Dictionary in FILE, "File type and permissions, as in stat";
        owner_uid: Option<i64>, Dictionary in FILE, "Owner of the file";
        owner_gid: Option<i64>, Dictionary in FILE, "Group of the file";
        nlink: Option<i64>, Dictionary in FILE, "Number of hard links";
        size_bytes: Option<i64>, Dictionary in FILE, "File size";
        mtime: Option<Micros>, Dictionary in FILE, "Last modification, as the filesystem says; root can set it";
        ctime: Option<Micros>, Dictionary in FILE, "Last change of the inode, UTC";
        i_version_raw: Option<i64>, Dictionary in FILE, "Kernel's change counter shifted left by one; bit 0: read since the last change";
        writers: Option<i32>, Dictionary in FILE, "i_writecount: open writers, or negative while writing is denied; of a stacked filesystem that of the file beneath";
        writable_mappings: Option<i32>, Dictionary in FILE, "i_mmap_writable: shared mappings that can write, or negative where a seal denies them; of a stacked filesystem that of the file beneath";
        mapped_executable: Option<bool>, Dictionary, "Of an open for writing or a truncation: whether the file was mapped executable at that moment, so that what runs may have changed";
        open_flags: Option<i32>, Dictionary in ACCESS, "Flags of the open file (O_*)";
        mmap_prot: Option<i32>, Dictionary in ACCESS, "Protection of the mapping (PROT_*); of an open_descriptor: it is a shared mapping, which can be made writable";
        attributes: Vec<String>, Dictionary, "What inode_setattr changed: mode, uid, gid, size, atime, mtime, ctime; at inode_setxattr the attribute's name";
        argv: Option<Vec<String>>, Dictionary, "Arguments of the exec";
        argv_bytes: Option<Vec<Vec<u8>>>, Dictionary, "argv as it was, only where the text has escapes";
        argc: Option<i32>, Dictionary in ACCESS, "Number of arguments that the exec passed";
        argv_truncated: Option<bool>, Dictionary, "Whether argv holds less than was passed (8 KiB limit)";
        target_path: Option<String>, Dictionary in ACCESS, "Second path of a rename or link: the new name";
        target_path_bytes: Option<Vec<u8>>, Dictionary in ACCESS, "target_path as it was, only where the text has escapes";
        parent_ino: Option<i64>, Dictionary in FILE, "Inode of the directory that holds path";
        target_ino: Option<i64>, Dictionary in ACCESS, "Inode that target_path named before; null if none";
        digest_algorithm: Option<String>, Dictionary in DIGEST, "Hash algorithm as the kernel reported it";
        digest: Option<String>, LookUp in DIGEST, "Digest of the whole content, lower-case hex";
        digest_status: String, Dictionary in DIGEST, "ok, unavailable or not_requested";
        digest_reason: Option<String>, Dictionary in DIGEST, "Why the digest is unavailable";
        digest_source: Option<String>, Dictionary in DIGEST, "ima, cache (kept by the recorder: of an earlier hook of the exec, or of a file that cannot have changed) or user (taken by user space: a user_digest row); in rows of an import its source";
        digest_doubt: Vec<String>, Dictionary, "old, writer_open, moved_during_hash, same_digest_other_size, unverifiable_fs, not_revalidated, undated (of an imported measurement list: nobody knows when it was taken)";
        digest_duration_ns: Option<i64>, Dictionary in DIGEST, "Time that the digest took; in rows of an import how long after `time` it can have been taken, where the source cuts times off";
        content_read_ns: Option<i64>, Dictionary in DIGEST, "When the reading of the content began that the digest is of, nanoseconds since boot; before boot_ns where a digest was used again, null where that is not known";
        ima_policy: Option<bool>, Dictionary, "Whether an IMA policy was loaded, so the kernel may answer from its cache";
        ref_cpu: Option<i32>, Dictionary in ACCESS, "CPU of the row that a user_digest row is about";
        ref_seq: Option<i64>, Dictionary in ACCESS, "Sequence number of the row that a user_digest row is about";
    }
}

/// Part of an event: what asked for it, and what was done. The values of a part come together: those of a row before come again
/// in one step.
pub const POLICY: usize = 1;
/// Part of an event: its process.
pub const PROCESS: usize = 2;
/// Part of an event: its file, and from where it was seen.
pub const FILE: usize = 3;
/// Part of an event: what was done with the file.
pub const ACCESS: usize = 4;
/// Part of an event: the digest.
pub const DIGEST: usize = 5;
/// How many parts there are, [`crate::columns::REST`] included.
pub const PARTS: usize = 6;

/// An event that is not a row yet.
pub trait EventSource<'a> {
    /// When it was, as in the row.
    fn time(&self) -> Micros;
    /// Appends bytes that tell all values of a part: where they are the same, the values are.
    fn put_key(&self, part: usize, key: &mut Vec<u8>);
    /// Fills an empty row. Columns of parts that are known may be left empty, but where there is a digest only the process.
    ///
    /// # Errors
    /// When the event cannot be read.
    fn fill(self, row: &mut EventView<'a>, is_known: [bool; PARTS]) -> anyhow::Result<()>;
}

/// The `cpu` of rows that user space made: they are numbered by themselves, as those of a further CPU.
pub const USER_SPACE_CPU: i32 = -1;

/// Whether a path with these `path_flags` is where its file stands. Else an observation belongs to its inode, never to a
/// path's series. A path that is too long is only its last component, which many files may share.
#[must_use]
pub fn names_a_file(path_flags: &[String]) -> bool {
    let names_none =
        |flag: &String| ["deleted", "memfd", "unreachable", "too_long", "no_scratch"].contains(&flag.as_str());
    !path_flags.iter().any(names_none)
}

/// In `path_flags`: the path begins at the root of its filesystem.
pub const FS_RELATIVE: &str = "fs_relative";

/// In `path_flags`: the file itself is mounted over the path, so the path says nothing about other files there.
pub const MOUNT_POINT: &str = "mount_point";

impl Event {
    /// Whether this is one of the exec hooks.
    #[must_use]
    pub fn is_exec_hook(&self) -> bool {
        hooks::is_exec(&self.hook)
    }

    /// Whether the kernel refused what the event is about, because a policy said so.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.action == DENY && self.enforced
    }

    /// (`cpu`, `seq`) of the event whose digest user space took here.
    #[must_use]
    pub fn answers(&self) -> Option<(i32, i64)> {
        answers(&self.hook, self.digest.is_some(), self.ref_cpu, self.ref_seq)
    }

    /// Whether the digest may begin a version and bound an interval.
    #[must_use]
    pub fn has_certain_digest(&self) -> bool {
        self.digest.is_some() && self.digest_doubt.is_empty()
    }
}

impl EventView<'_> {
    /// As [`Event::is_exec_hook`].
    pub(crate) fn is_exec_hook(&self) -> bool {
        hooks::is_exec(&self.hook)
    }

    /// As [`Event::answers`].
    pub(crate) fn answers(&self) -> Option<(i32, i64)> {
        answers(&self.hook, self.digest.is_some(), self.ref_cpu, self.ref_seq)
    }

    /// As [`Event::has_certain_digest`].
    pub(crate) fn has_certain_digest(&self) -> bool {
        self.digest.is_some() && self.digest_doubt.is_empty()
    }
}

/// Whether [`crate::execs::Execs`] learns anything from rows of this hook.
#[must_use]
pub fn tells_of_exec(hook: &str) -> bool {
    hooks::is_exec(hook) || hook == hooks::USER_DIGEST
}

/// The `action` of a policy that refuses.
pub const DENY: &str = "deny";

fn answers(hook: &str, has_digest: bool, ref_cpu: Option<i32>, ref_seq: Option<i64>) -> Option<(i32, i64)> {
    (hook == hooks::USER_DIGEST && has_digest).then_some(ref_cpu.zip(ref_seq)).flatten()
}
