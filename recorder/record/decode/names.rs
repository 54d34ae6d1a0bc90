//! The names that stand for the numbers in records.

use crate::record::programs;
use crate::record::wire;
use hashtrail::hooks;
use std::borrow::Cow;

/// Names of the kernel's `hash_algo` numbers and the digests' lengths (include/uapi/linux/hash_info.h).
pub(super) const ALGORITHMS: [(&str, usize); 23] = [
    ("md4", 16),
    ("md5", 16),
    ("sha1", 20),
    ("rmd160", 20),
    ("sha256", 32),
    ("sha384", 48),
    ("sha512", 64),
    ("sha224", 28),
    ("rmd128", 16),
    ("rmd256", 32),
    ("rmd320", 40),
    ("wp256", 32),
    ("wp384", 48),
    ("wp512", 64),
    ("tgr128", 16),
    ("tgr160", 20),
    ("tgr192", 24),
    ("sm3", 32),
    ("streebog256", 32),
    ("streebog512", 64),
    ("sha3-256", 32),
    ("sha3-384", 48),
    ("sha3-512", 64),
];

/// The kernel's number of an algorithm; `None` where it has none of this name.
pub(crate) fn algorithm_number(name: &str) -> Option<i32> {
    ALGORITHMS.iter().position(|(known, _)| *known == name).and_then(|number| i32::try_from(number).ok())
}

pub(super) const PATH_FLAGS: [(u32, &str); 8] = [
    (wire::path_flag::PATH_DELETED.0, "deleted"),
    (wire::path_flag::PATH_MEMFD.0, "memfd"),
    (wire::path_flag::PATH_UNREACHABLE.0, "unreachable"),
    (wire::path_flag::PATH_TOO_LONG.0, "too_long"),
    (wire::path_flag::PATH_NO_SCRATCH.0, "no_scratch"),
    (wire::path_flag::PATH_MOUNT_POINT.0, "mount_point"),
    (wire::path_flag::PATH_FS_RELATIVE.0, "fs_relative"),
    (wire::path_flag::PATH_LATE.0, "late"),
];

pub(super) const ATTRIBUTES: [(u32, &str); 7] = [
    (wire::attribute::ATTRIBUTE_MODE.0, "mode"),
    (wire::attribute::ATTRIBUTE_UID.0, "uid"),
    (wire::attribute::ATTRIBUTE_GID.0, "gid"),
    (wire::attribute::ATTRIBUTE_SIZE.0, "size"),
    (wire::attribute::ATTRIBUTE_ATIME.0, "atime"),
    (wire::attribute::ATTRIBUTE_MTIME.0, "mtime"),
    (wire::attribute::ATTRIBUTE_CTIME.0, "ctime"),
];

pub(super) const DOUBTS: [(u32, &str); 5] = [
    (wire::digest_doubt::DOUBT_OLD.0, "old"),
    (wire::digest_doubt::DOUBT_WRITER_OPEN.0, "writer_open"),
    (wire::digest_doubt::DOUBT_MOVED_DURING_HASH.0, "moved_during_hash"),
    (wire::digest_doubt::DOUBT_UNVERIFIABLE_FS.0, "unverifiable_fs"),
    (wire::digest_doubt::DOUBT_NOT_REVALIDATED.0, "not_revalidated"),
];

/// Rows that no LSM hook makes.
const OTHER_ROWS: [(wire::hook, &str); 6] = [
    (wire::hook::HOOK_FORK, hooks::PROCESS_FORK),
    (wire::hook::HOOK_RUNNING_PROCESS, hooks::RUNNING_PROCESS),
    (wire::hook::HOOK_OPEN_DESCRIPTOR, hooks::OPEN_DESCRIPTOR),
    (wire::hook::HOOK_USER_DIGEST, hooks::USER_DIGEST),
    (wire::hook::HOOK_LOADTEST, "loadtest"),
    (wire::hook::HOOK_LOADTEST_BULK, "loadtest_bulk"),
];

/// The name of what made a row; none for a hook without a program of its own, which the policy names.
pub(super) fn hook_name(hook: wire::hook) -> Option<&'static str> {
    let all = programs::ALL.iter().chain(&OTHER_ROWS);
    all.into_iter().find(|(number, _)| *number == hook).map(|(_, name)| *name)
}

/// Whether a policy asked for the row.
pub(super) fn has_entry(hook: wire::hook) -> bool {
    !OTHER_ROWS.iter().any(|(number, _)| *number == hook)
}

/// The names of the bits that are set.
pub(super) fn names_of<'a>(names: &[(u32, &str)], bits: u32) -> Cow<'a, [String]> {
    if bits == 0 {
        return Cow::default();
    }
    names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| (*name).to_owned()).collect()
}
