/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The contract between kernel and user space: the record that a program sends, and the tables that it is steered by.
 * Rust takes its types from the object's BTF. Fixed-width types only, no hidden padding, every size asserted.
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
	/* Change hooks: dentries instead of files, no digest. */
	HOOK_INODE_RENAME,
	HOOK_INODE_UNLINK,
	HOOK_INODE_LINK,
	HOOK_INODE_SETATTR,
	HOOK_INODE_SETXATTR,
	HOOK_PATH_TRUNCATE,
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

/* Texts that filters are about. Each has its sets of paths. */
enum text {
	TEXT_PATH,
	TEXT_TARGET, /* second path of a rename or link */
	TEXT_BINARY, /* of the process, as of its exec */
	TEXT_FOLLOWED, /* TEXT_BINARY, or that of an ancestor */
	TEXT_PARENT_BINARY,
	TEXT_PARENT_FOLLOWED,
	TEXT_COMM,
	TEXT_PARENT_COMM,
	TEXT_GRANDPARENT_COMM,
	TEXT_COUNT,
};

/* Numbers that filters are about. */
enum number {
	NUMBER_ARGUMENT_0, /* of the hook, in its own order */
	NUMBER_ARGUMENT_1,
	NUMBER_ARGUMENT_2,
	NUMBER_ARGUMENT_3,
	NUMBER_ARGUMENT_4,
	NUMBER_OPEN_MODE, /* enum open_mode */
	NUMBER_ATTRIBUTES, /* enum attribute */
	NUMBER_FILE_TYPE, /* S_IFMT bits of the mode */
	NUMBER_UID,
	NUMBER_EUID,
	NUMBER_AUID,
	NUMBER_PID,
	NUMBER_NAMESPACE_PID,
	NUMBER_UTS_NS,
	NUMBER_IPC_NS,
	NUMBER_MNT_NS,
	NUMBER_PID_NS,
	NUMBER_PID_FOR_CHILDREN_NS,
	NUMBER_NET_NS,
	NUMBER_TIME_NS,
	NUMBER_TIME_FOR_CHILDREN_NS,
	NUMBER_CGROUP_NS,
	NUMBER_USER_NS,
	NUMBER_CAP_EFFECTIVE,
	NUMBER_CAP_INHERITABLE,
	NUMBER_CAP_PERMITTED,
	NUMBER_COUNT,
};

enum filter_kind {
	FILTER_ALWAYS,
	FILTER_TEXT, /* the text `operand` is in the set of paths `first` */
	FILTER_RANGES, /* the number `operand` is in one of `count` ranges from `first` on, which are in order */
	FILTER_MASK, /* the number `operand` has a bit of `mask` */
	FILTER_FOLLOWED_PID, /* the process is of the family `first` */
	FILTER_DIGEST, /* the digest is in the set `first` */
};

enum step_flag {
	STEP_FIRST = 1, /* of its selector */
	STEP_LAST = 2,
};

enum selector_flag {
	SELECTOR_POST = 1,
	SELECTOR_DIGEST = 2,
	SELECTOR_MONITOR = 4, /* the policy enforces nothing */
	SELECTOR_NEEDS_DIGEST = 8, /* to be decided */
	SELECTOR_HAS_ERROR = 16,
	SELECTOR_LIMITED = 32, /* limit_ns holds */
	SELECTOR_DEDUPE = 64,
	SELECTOR_DEDUPE_PROCESS = 128,
};

/* What the first argument of a hook without a program of its own is, by the kernel's BTF. */
enum other_kind {
	OTHER_PLAIN,
	OTHER_FILE,
	OTHER_BINPRM,
};

enum limit_scope {
	LIMIT_THREAD,
	LIMIT_PROCESS,
	LIMIT_GLOBAL,
};

enum affix_kind {
	AFFIX_PREFIX,
	AFFIX_POSTFIX,
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
#define AFFIX_BYTES 256
#define SHORT_PATH_BYTES 256
#define PREFIX_LENGTHS 256
#define POSTFIX_LENGTHS 128
#define PATH_SET_WORDS 4
#define ENTRIES_PER_HOOK 16
#define OTHER_HOOKS 8
#define MOUNT_POINT_BYTES 256

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
	__u8 padding[7];
	char comm[COMM_BYTES];
	char parent_comm[COMM_BYTES];
	char fs_type[FS_TYPE_BYTES];
	__u8 digest[DIGEST_BYTES];
};
_Static_assert(sizeof(struct event) == 392, "the record head has no hidden padding");

/* Counts of one CPU since start. seq is also the number of rows that got a sequence number. */
struct counters {
	__u64 seq;
	__u64 sent;
	__u64 dropped_ring_full;
	__u64 dropped_no_ring;
	__u64 missed_nested; /* runs inside a hash of this thread */
	__u64 missed_no_memory;
	__u64 own_calls; /* of the recorder itself */
	__u64 filtered; /* calls that no selector matched, without those that a gate stopped */
	__u64 no_scratch;
	__u64 digests; /* helper calls */
	__u64 digests_reused; /* second hook of an exec */
	__u64 hashed_files; /* files that IMA really read, for anyone */
	__u64 hashed_bytes;
	__u64 canaries; /* locks by the recorder, which show that programs run */
	__u64 suppressed_limit; /* rows that rate limits stopped, before they got a number */
	__u64 suppressed_dedupe;
	__u64 dropped_by_digest; /* matched but for the filter on their digest */
	__u64 acts_without_row; /* denials and signals of selectors that post nothing */
};

/* One set of paths is one bit. */
struct path_sets {
	__u64 word[PATH_SET_WORDS];
};

struct affix_key {
	__u32 kind;
	__u32 length;
	__u8 bytes[AFFIX_BYTES];
};

/* Lengths that occur among the prefixes and postfixes of all sets, each of which costs one look-up. */
struct text_index {
	__u32 prefixes;
	__u32 postfixes;
	__u32 exact_state; /* that a pass for substrings begins with; 0: no pass */
	__u32 folded_state; /* the same for substrings whose ASCII letters have no case */
	__u16 prefix[PREFIX_LENGTHS];
	__u16 postfix[POSTFIX_LENGTHS];
};

/*
 * One filter of one selector. The steps of a hook stand together in the order in which they are tried; a selector
 * without filters is one step of FILTER_ALWAYS.
 */
struct step {
	__u8 kind;
	__u8 negated;
	__u8 operand; /* enum text or enum number */
	__u8 flags;
	__u32 selector; /* row of the selectors */
	__u32 first;
	__u32 count;
	__u64 mask;
};

struct range {
	__u64 first;
	__u64 last; /* itself included */
};

struct selector {
	__u16 entry_of_hook;
	__u16 entry;
	__u16 selector;
	__u16 flags;
	__s32 error; /* that Override returns, -4095 to 0 */
	__u8 signal;
	__u8 limit_scope;
	__u8 reserved[2];
	__u64 limit_ns; /* of the rate limit, or of the window in which rows are merged */
	__u64 dedupe_ns;
};

/* What the steps of a hook look at stands here, and nothing else is read for them. */
struct hook_policy {
	__u32 first_step;
	__u32 step_count;
	__u32 needed_texts; /* bits of enum text */
	__u32 number_count;
	__u8 number[32]; /* enum number, without the hook's arguments */
};

/* A set of digests has its number in each of its members. */
struct digest_key {
	__u32 set;
	__s32 algorithm;
	__u8 digest[DIGEST_BYTES];
};

/* One matchPIDs filter with followForks. */
struct family {
	__u32 pid[4];
	__u32 pid_count;
	__u32 is_namespace_pid;
};

/* The state machine that finds substrings: one look-up for each byte of a path. */
struct substring_state {
	__u16 next[256];
	struct path_sets found; /* where the path so far ends with a substring */
};

/* Where the filesystem of a device is mounted, if it is at one place only. "/" has no bytes. */
struct mount_point {
	__u32 bytes;
	__u32 reserved;
	char path[MOUNT_POINT_BYTES];
};

/*
 * What an exec leaves behind for the process's later events; copied at fork. The sets belong to the policies of one
 * generation: under other ones they are found again from exe.
 */
struct process {
	__u64 exec_id;
	__u64 families; /* that the process is of, by its ancestors */
	struct path_sets binary;
	struct path_sets followed; /* of its ancestors */
	__u32 generation;
	__u32 exe_bytes;
	__u32 exe_truncated;
	__u32 reserved;
	char exe[EXE_BYTES];
};

/* Puts the enumerations into the object's BTF, where Rust takes them from. */
struct wire_enumerations {
	enum hook hook;
	enum event_flag event_flag;
	enum path_flag path_flag;
	enum digest_status digest_status;
	enum digest_source digest_source;
	enum digest_doubt digest_doubt;
	enum open_mode open_mode;
	enum action action;
	enum not_enforced not_enforced;
	enum attribute attribute;
	enum text text;
	enum number number;
	enum filter_kind filter_kind;
	enum step_flag step_flag;
	enum selector_flag selector_flag;
	enum limit_scope limit_scope;
	enum other_kind other_kind;
	enum affix_kind affix_kind;
};

/*
 * What each call of a hook must have that any selector can match. Not part of the tables: the verifier knows these as
 * constants, and leaves nothing of a gate that is 0.
 */
struct gate {
	__u64 mask; /* of these bits of the number that the hook's program looks at first, one */
	struct path_sets binaries; /* of these sets, one that holds the calling binary or an ancestor's */
};

/* Set once, before load. */
struct sensor_config {
	struct gate gate[HOOK_COUNT];
	__u64 max_hash_bytes;
	__u64 ring_bytes;
	__u64 hash_key[2]; /* of the keyed hashes in rate limits */
	__u32 recorder_tgid;
	__u32 direct_io_flag; /* O_DIRECT differs between architectures */
	__u32 hash_probe; /* the programs on ima_calc_file_hash are attached */
	__u32 generation; /* of the policies, from 1 */
	__u32 enforce;
	__u32 family_count;
	__u32 has_limits;
	__u32 setattr_dentry; /* place of the dentry among the arguments of inode_setattr */
	__u32 other_kind[OTHER_HOOKS]; /* enum other_kind, of argument 0 */
};

#endif
