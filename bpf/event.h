/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The contract between kernel and user space: the record that a program sends; tables.h has what it is steered by. Rust
 * takes its types from the object's BTF. Fixed-width types only, no hidden padding, every size asserted.
 *
 * A record is one struct event and, behind it, path, exe, argv, target and container, each of the length that the event
 * states.
 */
#ifndef HASHTRAIL_EVENT_H
#define HASHTRAIL_EVENT_H

enum hook {
	HOOK_BPRM_CHECK_SECURITY,
	HOOK_BPRM_COMMITTED_CREDS,
	HOOK_MMAP_FILE,
	HOOK_FILE_OPEN,
	HOOK_FILE_POST_OPEN,
	HOOK_KERNEL_READ_FILE,
	HOOK_LOADTEST,
	HOOK_LOADTEST_BULK,
	HOOK_BPRM_CREDS_FOR_EXEC,
	HOOK_BPRM_CREDS_FROM_FILE,
	HOOK_BPRM_COMMITTING_CREDS,
	HOOK_FILE_LOCK,
	HOOK_FILE_RECEIVE,
	HOOK_FILE_MPROTECT,
	HOOK_KERNEL_LOAD_DATA,
	/* Change hooks: dentries instead of files, no digest. */
	HOOK_INODE_RENAME,
	HOOK_INODE_UNLINK,
	HOOK_INODE_LINK,
	HOOK_INODE_SETATTR,
	HOOK_INODE_SETXATTR,
	HOOK_PATH_TRUNCATE,
	HOOK_SB_MOUNT,
	HOOK_MOVE_MOUNT,
	HOOK_SB_UMOUNT,
	/* Hooks that a policy names and that have no program of their own. */
	HOOK_OTHER_0,
	HOOK_OTHER_7 = HOOK_OTHER_0 + 7,
	/* Rows that no LSM hook makes: a fork, what ran at the start, a digest of user space. */
	HOOK_FORK,
	HOOK_RUNNING_PROCESS,
	HOOK_OPEN_DESCRIPTOR,
	HOOK_USER_DIGEST,
	HOOK_COUNT,
};

enum event_flag {
	EVENT_HAS_FILE = 1,
	EVENT_ARGV_TRUNCATED = 2,
	EVENT_EXE_TRUNCATED = 4,
	EVENT_BULK = 8, /* where space is short, it ranks behind execs and modules */
	EVENT_ENFORCED = 16, /* the action was carried out */
	EVENT_HAS_TARGET = 32, /* target_ino is that of a file which target named before */
	EVENT_UNDECIDED = 64, /* a filter could not be evaluated, so the policy may not have asked for the row */
	EVENT_MAPPED_EXECUTABLE = 128, /* the file that is to be written is mapped executable now */
};

/* What a selector asks for beside the row, strongest last. */
enum action {
	ACTION_POST,
	ACTION_SIGNAL,
	ACTION_KILL,
	ACTION_DENY,
};

/* Why an action other than post was not carried out. */
enum not_enforced {
	NOT_ENFORCED_NONE,
	NOT_ENFORCED_NOT_ASKED, /* --enforce was not given */
	NOT_ENFORCED_MONITOR, /* the policy's mode */
	NOT_ENFORCED_DOUBTFUL_DIGEST, /* a digest that is not certain denies nothing */
	NOT_ENFORCED_UNDECIDED, /* nor does a filter that could not be evaluated */
	NOT_ENFORCED_OTHER_ENTRY, /* another entry denied first, with its own errno */
	NOT_ENFORCED_FAILED,
};

enum path_flag {
	PATH_DELETED = 1,
	PATH_MEMFD = 2,
	PATH_UNREACHABLE = 4,
	PATH_TOO_LONG = 8,
	PATH_NO_SCRATCH = 16,
	PATH_MOUNT_POINT = 32,
	PATH_FS_RELATIVE = 64, /* from the root of the filesystem, whose mount point is not known */
	PATH_LATE = 128, /* built again after the digest, and not as it was before */
};

enum digest_status {
	DIGEST_NOT_REQUESTED,
	DIGEST_OK,
	DIGEST_NO_FILE,
	DIGEST_NOT_REGULAR,
	DIGEST_NOT_EXECUTABLE_MAPPING,
	DIGEST_DIRECT_IO,
	DIGEST_TOO_LARGE,
	DIGEST_NOT_AVAILABLE_AT_THIS_HOOK,
	DIGEST_IMA_FAILED,
	DIGEST_PSEUDO_FILESYSTEM,
	DIGEST_MOVED, /* user space: the file is no longer the one that was recorded */
	DIGEST_UNREADABLE, /* user space: it could not be opened or read */
};

enum digest_source {
	SOURCE_NONE,
	SOURCE_IMA,
	SOURCE_CACHE,
	SOURCE_USER,
};

enum digest_doubt {
	DOUBT_OLD = 1,
	DOUBT_WRITER_OPEN = 2,
	DOUBT_MOVED_DURING_HASH = 4,
	DOUBT_UNVERIFIABLE_FS = 8,
	DOUBT_NOT_REVALIDATED = 16,
};

enum open_mode {
	OPEN_READ = 1,
	OPEN_WRITE = 2,
	OPEN_TRUNCATE = 4,
	OPEN_APPEND = 8,
	OPEN_CREATE = 16,
};

/* What inode_setattr changes: the kernel's own bits (include/linux/fs.h), which are stable. */
enum attribute {
	ATTRIBUTE_MODE = 1,
	ATTRIBUTE_UID = 2,
	ATTRIBUTE_GID = 4,
	ATTRIBUTE_SIZE = 8,
	ATTRIBUTE_ATIME = 16,
	ATTRIBUTE_MTIME = 32,
	ATTRIBUTE_CTIME = 64,
	ATTRIBUTE_ALL = 127,
};

/* Sizes that both sides build on. */
#define DIGEST_BYTES 64
#define COMM_BYTES 16
#define FS_TYPE_BYTES 16
#define PATH_BYTES 4096
#define EXE_BYTES 256
#define ARGV_BYTES 8192
#define CONTAINER_BYTES 128
#define TAIL_BYTES (PATH_BYTES + EXE_BYTES + ARGV_BYTES + CONTAINER_BYTES)

struct event {
	__u64 boot_ns; /* entry of the hook, CLOCK_BOOTTIME */
	__u64 seq;
	__u64 process_start_ns;
	__u64 parent_start_ns;
	__u64 exec_id; /* 0: unknown */
	__u64 cgroup_id;
	__u64 root_ino;
	__u64 ino;
	__u64 parent_ino;
	__u64 size_bytes;
	__s64 mtime_s;
	__s64 ctime_s;
	__u64 i_version_raw;
	__u64 digest_duration_ns;
	__u64 target_ino;
	__u64 ref_seq; /* of the row that a row of user space is about */
	__u64 real_ino; /* of a stacked filesystem: of the file beneath; 0: not stacked, or not known */
	__u64 image_ino; /* of a filesystem on a loop device: of the image; 0: not known */
	__u64 content_read_ns; /* when the reading began that the digest is of, CLOCK_BOOTTIME; 0: not known */
	__u32 record_bytes; /* of the whole record */
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 euid;
	__u32 auid;
	__u32 session_id;
	__u32 mnt_ns;
	__u32 pid_ns;
	__u32 root_dev; /* kernel form: major << 20 | minor */
	__u32 dev;
	__u32 ino_generation;
	__u32 mode;
	__u32 owner_uid;
	__u32 owner_gid;
	__u32 nlink;
	__s32 writers;
	__u32 mtime_ns;
	__u32 ctime_ns;
	__u32 open_flags;
	__u32 mmap_prot;
	__s32 argc;
	__s32 digest_algorithm; /* hash_algo of the kernel */
	__u32 digest_doubt;
	__u32 path_flags;
	__u32 ref_cpu;
	__u32 attributes;
	__u32 real_dev;
	__u32 image_dev; /* 0: not on a loop device */
	__s32 writable_mappings; /* shared ones of the file's content; negative: denied by a seal */
	__s32 result; /* errno that the program returned, negative */
	__u16 hook; /* that recorded it */
	__u16 entry; /* of the loaded policies, over all hooks */
	__u16 selector; /* of the entry */
	__u16 path_bytes;
	__u16 exe_bytes;
	__u16 argv_bytes;
	__u16 target_bytes; /* second path; at inode_setxattr the name of the attribute */
	__u16 container_bytes; /* name of the cgroup that looks like a container's */
	__u8 flags;
	__u8 digest_status;
	__u8 digest_source;
	__u8 action;
	__u8 not_enforced;
	__u8 padding[3];
	char comm[COMM_BYTES];
	char parent_comm[COMM_BYTES];
	char fs_type[FS_TYPE_BYTES];
	char real_fs_type[FS_TYPE_BYTES];
	__u8 digest[DIGEST_BYTES];
};
_Static_assert(sizeof(struct event) == 440, "the record head has no hidden padding");

/* Counts of one CPU since start. seq is also the number of rows that got a sequence number. */
struct counters {
	__u64 seq;
	__u64 sent;
	__u64 dropped_ring_full;
	__u64 dropped_no_ring;
	__u64 missed_nested; /* runs inside a hash of this thread */
	__u64 missed_no_memory;
	__u64 missed_interrupt; /* calls that are no task's */
	__u64 own_calls; /* of the recorder itself */
	__u64 undecided; /* rows that a filter could not be evaluated for */
	__u64 slowest_loss_ns; /* longest time from the entry of a hook to the loss of its call */
	__u64 filtered; /* calls that no selector matched, without those that a gate stopped */
	__u64 no_scratch;
	__u64 digests; /* helper calls */
	__u64 digests_reused; /* of an earlier hook of the exec, or of an unchanged file */
	__u64 hashed_files; /* files that IMA really read, for anyone */
	__u64 hashed_bytes;
	__u64 canaries; /* locks by the recorder, which show that programs run */
	__u64 suppressed_limit; /* rows that rate limits stopped, before they got a number */
	__u64 suppressed_dedupe;
	__u64 dropped_by_digest; /* matched but for the filter on their digest */
	__u64 acts_without_row; /* denials and signals of selectors that post nothing */
};

#endif
