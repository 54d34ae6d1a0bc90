//! The LSM hooks that have a program of their own: the one list of their numbers and names.

use crate::record::wire;
use hashtrail::hooks;

/// By their number in `bpf/event.h`; the programs have the hooks' names.
pub(crate) const ALL: [(wire::hook, &str); 22] = [
    (wire::hook::HOOK_BPRM_CREDS_FOR_EXEC, hooks::BPRM_CREDS_FOR_EXEC),
    (wire::hook::HOOK_BPRM_CREDS_FROM_FILE, hooks::BPRM_CREDS_FROM_FILE),
    (wire::hook::HOOK_BPRM_CHECK_SECURITY, hooks::BPRM_CHECK_SECURITY),
    (wire::hook::HOOK_BPRM_COMMITTING_CREDS, hooks::BPRM_COMMITTING_CREDS),
    (wire::hook::HOOK_BPRM_COMMITTED_CREDS, hooks::BPRM_COMMITTED_CREDS),
    (wire::hook::HOOK_MMAP_FILE, hooks::MMAP_FILE),
    (wire::hook::HOOK_FILE_OPEN, hooks::FILE_OPEN),
    (wire::hook::HOOK_FILE_POST_OPEN, hooks::FILE_POST_OPEN),
    (wire::hook::HOOK_KERNEL_READ_FILE, hooks::KERNEL_READ_FILE),
    (wire::hook::HOOK_FILE_LOCK, hooks::FILE_LOCK),
    (wire::hook::HOOK_FILE_RECEIVE, hooks::FILE_RECEIVE),
    (wire::hook::HOOK_FILE_MPROTECT, hooks::FILE_MPROTECT),
    (wire::hook::HOOK_KERNEL_LOAD_DATA, hooks::KERNEL_LOAD_DATA),
    (wire::hook::HOOK_INODE_RENAME, hooks::INODE_RENAME),
    (wire::hook::HOOK_INODE_UNLINK, hooks::INODE_UNLINK),
    (wire::hook::HOOK_INODE_LINK, hooks::INODE_LINK),
    (wire::hook::HOOK_INODE_SETATTR, hooks::INODE_SETATTR),
    (wire::hook::HOOK_INODE_SETXATTR, hooks::INODE_SETXATTR),
    (wire::hook::HOOK_PATH_TRUNCATE, hooks::PATH_TRUNCATE),
    (wire::hook::HOOK_SB_MOUNT, hooks::SB_MOUNT),
    (wire::hook::HOOK_MOVE_MOUNT, hooks::MOVE_MOUNT),
    (wire::hook::HOOK_SB_UMOUNT, hooks::SB_UMOUNT),
];

/// The number of a hook; none for a hook without a program of its own.
pub(crate) fn number_of(name: &str) -> Option<u32> {
    ALL.iter().find(|(_, known)| *known == name).map(|(number, _)| number.0)
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
