//! The words of the column `hook`: the recorder writes them, and questions are about them.

/// Before an exec's credentials are computed.
pub const BPRM_CREDS_FOR_EXEC: &str = "bprm_creds_for_exec";
/// When the credentials of the program that will really run are computed.
pub const BPRM_CREDS_FROM_FILE: &str = "bprm_creds_from_file";
/// When a program is about to be executed; also for each interpreter.
pub const BPRM_CHECK_SECURITY: &str = "bprm_check_security";
/// When an exec is about to change the credentials.
pub const BPRM_COMMITTING_CREDS: &str = "bprm_committing_creds";
/// When an exec can no longer fail: the row that says that a program ran.
pub const BPRM_COMMITTED_CREDS: &str = "bprm_committed_creds";
/// When a file is mapped.
pub const MMAP_FILE: &str = "mmap_file";
/// When a file is being opened; no digest is possible here.
pub const FILE_OPEN: &str = "file_open";
/// When a file was opened, before its opener sees it (kernel 6.8 and later).
pub const FILE_POST_OPEN: &str = "file_post_open";
/// When the kernel reads a file for itself.
pub const KERNEL_READ_FILE: &str = "kernel_read_file";
/// When a file is locked.
pub const FILE_LOCK: &str = "file_lock";
/// When a descriptor comes in over a socket.
pub const FILE_RECEIVE: &str = "file_receive";
/// When the protection of mapped memory is changed.
pub const FILE_MPROTECT: &str = "file_mprotect";
/// When the kernel takes an image from the memory of a process.
pub const KERNEL_LOAD_DATA: &str = "kernel_load_data";
/// When a name is moved, by its inode.
pub const INODE_RENAME: &str = "inode_rename";
/// When a name is removed, by its inode.
pub const INODE_UNLINK: &str = "inode_unlink";
/// When a file gets another name, by its inode.
pub const INODE_LINK: &str = "inode_link";
/// When attributes are changed, the size among them.
pub const INODE_SETATTR: &str = "inode_setattr";
/// When an extended attribute is set.
pub const INODE_SETXATTR: &str = "inode_setxattr";
/// When a name is moved, by its path.
pub const PATH_RENAME: &str = "path_rename";
/// When a name is removed, by its path.
pub const PATH_UNLINK: &str = "path_unlink";
/// When a file gets another name, by its path.
pub const PATH_LINK: &str = "path_link";
/// When a file is cut by its path.
pub const PATH_TRUNCATE: &str = "path_truncate";
/// When a file is cut by a descriptor.
pub const FILE_TRUNCATE: &str = "file_truncate";
/// When something is mounted, or a mount changed.
pub const SB_MOUNT: &str = "sb_mount";
/// When a mount is moved, by the newer calls for mounts.
pub const MOVE_MOUNT: &str = "move_mount";
/// When a mount is taken away.
pub const SB_UMOUNT: &str = "sb_umount";

/// A fork: of a process that no other row may tell of.
pub const PROCESS_FORK: &str = "sched_process_fork";
/// A process that ran when the recording began.
pub const RUNNING_PROCESS: &str = "running_process";
/// A descriptor that was open for writing when the recording began.
pub const OPEN_DESCRIPTOR: &str = "open_descriptor";
/// A digest that user space took, for a row before.
pub const USER_DIGEST: &str = "user_digest";

/// Rows that no policy asks for: the recorder makes them by itself.
pub const UNASKED: [&str; 4] = [PROCESS_FORK, RUNNING_PROCESS, OPEN_DESCRIPTOR, USER_DIGEST];

/// A change goes unseen unless one hook of each line sees every call on the path. `ftruncate` needs an open for writing,
/// so `file_truncate` adds nothing, and does not see `truncate`.
pub const CHANGES: [&[&str]; 5] = [
    &[FILE_OPEN, FILE_POST_OPEN],
    &[PATH_RENAME, INODE_RENAME],
    &[PATH_LINK, INODE_LINK],
    &[PATH_UNLINK, INODE_UNLINK],
    &[PATH_TRUNCATE, INODE_SETATTR],
];

/// Whether a program was about to run, or ran.
#[must_use]
pub fn is_exec(hook: &str) -> bool {
    hook.starts_with("bprm_")
}

/// Whether a file was opened.
#[must_use]
pub fn is_open(hook: &str) -> bool {
    [FILE_OPEN, FILE_POST_OPEN].contains(&hook)
}

/// Whether a row of this hook can have a digest.
#[must_use]
pub fn has_digest(hook: &str) -> bool {
    is_exec(hook)
        || is_open(hook)
        || [MMAP_FILE, FILE_MPROTECT, KERNEL_READ_FILE, FILE_LOCK, FILE_RECEIVE].contains(&hook)
}
