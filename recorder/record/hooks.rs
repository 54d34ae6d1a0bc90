//! The LSM hooks that have a program of their own: the one list of their numbers and names.

use crate::record::wire;

/// By their number in `bpf/event.h`; the programs have the hooks' names.
pub(crate) const PROGRAMS: [(wire::hook, &str); 22] = [
    (wire::hook::HOOK_BPRM_CREDS_FOR_EXEC, "bprm_creds_for_exec"),
    (wire::hook::HOOK_BPRM_CREDS_FROM_FILE, "bprm_creds_from_file"),
    (wire::hook::HOOK_BPRM_CHECK_SECURITY, "bprm_check_security"),
    (wire::hook::HOOK_BPRM_COMMITTING_CREDS, "bprm_committing_creds"),
    (wire::hook::HOOK_BPRM_COMMITTED_CREDS, "bprm_committed_creds"),
    (wire::hook::HOOK_MMAP_FILE, "mmap_file"),
    (wire::hook::HOOK_FILE_OPEN, "file_open"),
    (wire::hook::HOOK_FILE_POST_OPEN, "file_post_open"),
    (wire::hook::HOOK_KERNEL_READ_FILE, "kernel_read_file"),
    (wire::hook::HOOK_FILE_LOCK, "file_lock"),
    (wire::hook::HOOK_FILE_RECEIVE, "file_receive"),
    (wire::hook::HOOK_FILE_MPROTECT, "file_mprotect"),
    (wire::hook::HOOK_KERNEL_LOAD_DATA, "kernel_load_data"),
    (wire::hook::HOOK_INODE_RENAME, "inode_rename"),
    (wire::hook::HOOK_INODE_UNLINK, "inode_unlink"),
    (wire::hook::HOOK_INODE_LINK, "inode_link"),
    (wire::hook::HOOK_INODE_SETATTR, "inode_setattr"),
    (wire::hook::HOOK_INODE_SETXATTR, "inode_setxattr"),
    (wire::hook::HOOK_PATH_TRUNCATE, "path_truncate"),
    (wire::hook::HOOK_SB_MOUNT, "sb_mount"),
    (wire::hook::HOOK_MOVE_MOUNT, "move_mount"),
    (wire::hook::HOOK_SB_UMOUNT, "sb_umount"),
];

/// The number of a hook; none for a hook without a program of its own.
pub(crate) fn number_of(name: &str) -> Option<u32> {
    PROGRAMS.iter().find(|(_, known)| *known == name).map(|(number, _)| number.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::model::Hook;

    #[test]
    fn every_hook_that_a_policy_can_name_has_its_program() {
        for hook in Hook::all() {
            assert!(number_of(hook.name()).is_some(), "{hook:?}");
        }
    }
}
