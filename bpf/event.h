/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The contract between kernel and user space: the record that a program sends, and the tables that it is steered by.
 * Rust takes its types from the object's BTF. Fixed-width types only, no hidden padding, every size asserted.
 *
 * A record is one struct event and, behind it, path, exe and argv, each of the length that the event states.
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
	HOOK_COUNT,
};

enum event_flag {
	EVENT_HAS_FILE = 1,
	EVENT_ARGV_TRUNCATED = 2,
	EVENT_EXE_TRUNCATED = 4,
	EVENT_BULK = 8, /* where space is short, it ranks behind execs and modules */
};

enum path_flag {
	PATH_DELETED = 1,
	PATH_MEMFD = 2,
	PATH_UNREACHABLE = 4,
	PATH_TOO_LONG = 8,
	PATH_NO_SCRATCH = 16,
	PATH_MOUNT_POINT = 32,
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
};

enum digest_source {
	SOURCE_NONE,
	SOURCE_IMA,
	SOURCE_CACHE,
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

enum filter_kind {
	FILTER_PATH,
	FILTER_BINARY,
	FILTER_INTEGER_EQUAL,
	FILTER_INTEGER_MASK,
	FILTER_OPEN_MODE,
};

enum selector_flag {
	SELECTOR_POST = 1,
	SELECTOR_DIGEST = 2,
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
#define TAIL_BYTES (PATH_BYTES + EXE_BYTES + ARGV_BYTES)
#define AFFIX_BYTES 256
#define SHORT_PATH_BYTES 256
#define PREFIX_LENGTHS 256
#define POSTFIX_LENGTHS 128
#define PATH_SET_WORDS 4
#define FILTERS_PER_SELECTOR 16
#define FILTER_VALUES 4
#define ENTRIES_PER_HOOK 16

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
	__u16 hook; /* that recorded it */
	__u16 entry; /* of the loaded policies, over all hooks */
	__u16 selector; /* of the entry */
	__u16 path_bytes;
	__u16 exe_bytes;
	__u16 argv_bytes;
	__u8 flags;
	__u8 digest_status;
	__u8 digest_source;
	__u8 reserved;
	char comm[COMM_BYTES];
	char parent_comm[COMM_BYTES];
	char fs_type[FS_TYPE_BYTES];
	__u8 digest[DIGEST_BYTES];
};
_Static_assert(sizeof(struct event) == 352, "the record head has no hidden padding");

/* Counts of one CPU since start. seq is also the number of rows that got a sequence number. */
struct counters {
	__u64 seq;
	__u64 sent;
	__u64 dropped_ring_full;
	__u64 dropped_no_ring;
	__u64 missed_nested; /* runs inside a hash of this thread */
	__u64 missed_no_memory;
	__u64 own_calls; /* of the recorder itself */
	__u64 filtered;
	__u64 no_scratch;
	__u64 digests; /* helper calls */
	__u64 digests_reused; /* second hook of an exec */
	__u64 hashed_files; /* files that IMA really read, for anyone */
	__u64 hashed_bytes;
	__u64 canaries; /* locks by the recorder, which show that programs run */
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

/* Lengths that occur among the prefixes and postfixes of all sets: each costs one look-up. */
struct affix_lengths {
	__u32 prefixes;
	__u32 postfixes;
	__u16 prefix[PREFIX_LENGTHS];
	__u16 postfix[POSTFIX_LENGTHS];
};

struct filter {
	__u8 kind;
	__u8 negated;
	__u8 argument;
	__u8 value_count;
	__u32 path_set;
	__u64 value[FILTER_VALUES];
};

struct selector {
	__u16 entry_of_hook;
	__u16 entry;
	__u16 selector;
	__u8 flags;
	__u8 filter_count;
	struct filter filter[FILTERS_PER_SELECTOR];
};

/* The selectors of a hook stand together, in the order in which they are tried. */
struct hook_policy {
	__u32 first_selector;
	__u32 selector_count;
};

/* What an exec leaves behind for the process's later events; copied at fork. */
struct process {
	__u64 exec_id;
	struct path_sets binary;
	__u32 exe_bytes;
	__u32 exe_truncated;
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
	enum filter_kind filter_kind;
	enum selector_flag selector_flag;
	enum affix_kind affix_kind;
};

/* Set once, before load. */
struct sensor_config {
	__u64 max_hash_bytes;
	__u64 ring_bytes;
	__u32 recorder_tgid;
	__u32 direct_io_flag; /* O_DIRECT differs between architectures */
	__u32 hash_probe; /* the programs on ima_calc_file_hash are attached */
	__u32 reserved;
};

#endif
