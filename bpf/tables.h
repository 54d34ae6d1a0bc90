/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The tables that user space steers the programs by: the policies, and what is known of processes and mounts. */
#ifndef HASHTRAIL_TABLES_H
#define HASHTRAIL_TABLES_H

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
	/* The same of the value `operand` of the hook, */
	FILTER_VALUE_TEXT,
	FILTER_VALUE_RANGES,
	FILTER_VALUE_MASK,
	FILTER_VALUE_NETWORKS, /* and that its address is in one of `count` networks from `first` on */
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

/* What the argument is that names the file of a hook without a program of its own, by the kernel's BTF. */
enum other_kind {
	OTHER_PLAIN,
	OTHER_FILE,
	OTHER_BINPRM,
	OTHER_PATH,
	OTHER_DENTRY,
};

/* What is read where a walk ends. */
enum value_kind {
	VALUE_NONE, /* the second half of an address */
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_FAMILY, /* of a socket address */
	VALUE_PORT,
	VALUE_ADDRESS, /* two numbers, in this place and the next */
};

/* Of a hook's calls: one whose rows are all merged can tell of the next one, without a look at what the selectors ask. */
enum repeat_flag {
	REPEAT_TELLS = 1, /* all filters are about the flags and the type of what is opened */
	REPEAT_BY_PROCESS = 2, /* rows are merged for each process */
};

enum limit_scope {
	LIMIT_THREAD,
	LIMIT_PROCESS,
	LIMIT_GLOBAL,
};

enum affix_kind {
	AFFIX_PREFIX,
	AFFIX_POSTFIX,
	AFFIX_WHOLE, /* passes the sieve, and stands in the tables of paths */
};

/* Sizes that both sides build on. */
#define SIEVE_BITS (1 << 15)
#define SIEVE_SHIFT 49
#define SIEVE_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 divided by the golden ratio */
#define AFFIX_BYTES 256
#define SHORT_PATH_BYTES 256
#define PREFIX_LENGTHS 256
#define POSTFIX_LENGTHS 128
#define PATH_SET_WORDS 4
#define ENTRIES_PER_HOOK 64
#define OTHER_HOOKS 8
#define HOOK_VALUES 16 /* of one hook over all policies */
#define VALUE_READS 11

/* One set of paths is one bit. */
struct path_sets {
	__u64 word[PATH_SET_WORDS];
};

struct affix_key {
	__u32 kind;
	__u32 length;
	__u8 bytes[AFFIX_BYTES];
};

/*
 * Lengths that occur among the prefixes and postfixes of all sets, each of which costs one look-up. Keys are padded and dear
 * to hash, so the sieve is asked first: no text stands in a table whose bit is not set.
 */
struct text_index {
	__u64 sieve[SIEVE_BITS / 64];
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

/*
 * A walk from an argument, or from the calling task, to a value: at each offset but the last a pointer is read, which is where
 * the next one counts from. A number is read with the kernel's width and sign, and cut to the width that the policy gives it.
 */
struct value {
	__u32 offset[VALUE_READS];
	__u32 last_offset;
	__u64 mask;
	__u8 kind; /* enum value_kind */
	__u8 start; /* place of the argument; any other number: the calling task */
	__u8 reads;
	__u8 is_direct; /* the argument is the number itself */
	__u8 bytes; /* of the number */
	__u8 left; /* shifts that leave of it what its bits are */
	__u8 right;
	__u8 is_signed;
	__u16 text_bytes; /* that a text can have there */
	__u8 length_argument; /* place of the argument that says how long an address is; any other number: none does */
	__u8 is_big_endian; /* a number of two bytes, as it goes over the wire */
	__u8 reserved[4];
};

/* Addresses that begin with the same bits; those of IPv4 as they are mapped into IPv6. */
struct network {
	__u64 high;
	__u64 low;
	__u64 high_mask;
	__u64 low_mask;
};

/* What the steps of a hook look at stands here, and nothing else is read for them. */
struct hook_policy {
	__u32 first_step;
	__u32 step_count;
	__u32 needed_texts; /* bits of enum text */
	__u32 number_count;
	__u32 has_early_filters; /* each selector has one that needs no path, so that calls can be refused before */
	__u8 number[32]; /* enum number, without the hook's arguments */
	__u32 first_value; /* row of the values */
	__u32 value_count;
	__u32 has_value_texts;
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

/* What is not known of a process under the policies of its generation. */
enum process_unknown {
	UNKNOWN_BINARY = 1, /* its path could not be built at the exec, or is too long to be kept for other policies */
	UNKNOWN_FOLLOWED = 2, /* the same of an ancestor, or of what it ran before */
};

/*
 * What an exec leaves behind for the process's later events; copied at fork. The sets belong to the policies of one
 * generation: under other ones they are found again from exe.
 */
struct process {
	__u64 exec_id;
	__u64 families; /* that the process is of, by its ancestors */
	struct path_sets binary;
	struct path_sets followed; /* of its ancestors, and of what it ran before */
	__u32 generation;
	__u32 exe_bytes;
	__u32 exe_truncated;
	__u16 unknown; /* enum process_unknown */
	__u16 is_kernel; /* it has run nothing yet: what the kernel starts has no binary before its exec */
	char exe[EXE_BYTES];
};

/* Who can write beneath a filesystem. */
enum raw_writers_key {
	RAW_WRITERS_SEEN, /* opens of disks for writing, and commands to them, since the programs were attached */
	RAW_WRITERS_NONE_BEFORE, /* 1: user space looked, and nobody had one open then; all commands are seen */
	RAW_WRITERS_KEYS,
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
	enum repeat_flag repeat_flag;
	enum limit_scope limit_scope;
	enum other_kind other_kind;
	enum value_kind value_kind;
	enum process_unknown process_unknown;
	enum affix_kind affix_kind;
	enum raw_writers_key raw_writers_key;
};

/*
 * Of these bits of the file's path one: of its first name, or of its first two where the first is one of those that are
 * looked into. All 0: any path.
 */
struct directories {
	__u64 first;
	__u64 looked_into;
	__u64 second;
};

/*
 * What each call of a hook must have that any selector can match. Not part of the tables: the verifier knows these as
 * constants, and leaves nothing of a gate that is 0.
 */
struct gate {
	__u64 mask; /* of these bits of the number that the hook's program looks at first, one */
	struct path_sets binaries; /* of these sets, one that holds the calling binary or an ancestor's */
	struct directories directories;
	__u64 has_values; /* a filter, or a rate limit, is about some */
	__u64 repeats; /* enum repeat_flag */
};

/* Set once, before load. */
struct sensor_config {
	struct gate gate[HOOK_COUNT];
	__u64 max_hash_bytes;
	__u64 ring_bytes;
	__u64 hash_key[2]; /* of the keyed hashes in rate limits */
	__u32 recorder_tgid;
	__u32 direct_io_flag; /* O_DIRECT differs between architectures */
	__u32 generation; /* of the policies, from 1 */
	__u32 enforce;
	__u32 family_count;
	__u32 has_limits;
	__u32 keeps_digests;
	__u32 page_bytes;
	__u32 watches_writers; /* digests are asked for, which an open for writing makes void */
	__u32 other_kind[OTHER_HOOKS]; /* enum other_kind */
	__u32 other_argument[OTHER_HOOKS]; /* its place */
	__u32 has_values; /* a hook has some */
};

#endif
