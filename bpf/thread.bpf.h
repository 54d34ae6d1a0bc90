/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is remembered of a thread: its call, and the exec that the call is part of. */
#ifndef HASHTRAIL_THREAD_H
#define HASHTRAIL_THREAD_H

enum content_state {
	CONTENT_STACKED = 1, /* it lies beneath the filesystem of the file */
	CONTENT_COUNTED = 2, /* i_version counts changes */
	CONTENT_WATCHED = 4, /* nothing can change it that does not move what stands here */
	CONTENT_WRITABLE = 8, /* somebody can write it without a further open */
	CONTENT_UNVERIFIABLE = 16, /* it can change behind the kernel's back, or what lies beneath is not known */
	CONTENT_TORN = 32, /* what is hashed and what is mapped are two files */
	CONTENT_TRACED = 64, /* each store, through a mapping or past the VFS too, moves the counter */
};

/* What can be seen of a content at one moment. */
struct content {
	__u64 opened; /* address of the file of the call; 0: a dentry */
	__u64 opened_inode;
	__u64 file; /* address; beneath a stacked filesystem that of the file there */
	__u64 inode; /* the same */
	__u64 version;
	__u64 size_bytes;
	__u64 cached_bytes; /* of it in memory */
	__s64 ctime_s;
	__u32 ctime_ns;
	__u32 dev;
	__s32 writers;
	__s32 writable_mappings;
	__s32 own_writers; /* those of the call itself */
	__u32 state; /* enum content_state */
};

/* The digest that the first hook of an exec took, for the second one. */
struct exec_digest {
	__u64 exec_id;
	__u64 ino;
	__u64 i_version_raw;
	__u64 size_bytes;
	__u64 read_ns;
	__u64 write_opens;
	__u32 dev;
	__u32 ino_generation;
	__s32 algorithm;
	__u32 doubt;
	__u8 digest[DIGEST_BYTES];
};

/* Beside the texts that are not known of a call: the families of its process. */
#define UNKNOWN_FAMILIES (1 << TEXT_COUNT)
#define UNKNOWN_VALUES (1 << (TEXT_COUNT + 1))

/* Paths up to this length are kept with the thread over a hash. */
#define ASIDE_PATH_BYTES 384

/* What the outcome of an open depends on, beside the content of its file: see repeat.bpf.h. */
struct repeat_key {
	__u64 task_start_ns;
	__u32 task; /* 0: any */
	__u32 generation; /* of the policies */
	__u32 hook;
	__u32 open_flags;
	__u32 open_mode;
	__u32 mask;
	__u32 padding;
};

/* What a selector merges rows for, see limit.bpf.h. */
struct merging {
	__u64 until_ns; /* none of the rows is recorded again before */
	__u32 rows; /* of the call; each was merged, or will be from now on */
	__u32 others; /* that are not merged */
};

/* How a selector does whose filters are tried. It stands here because the verifier follows what stands on a stack. */
struct trial {
	__u8 pass; /* enum pass */
	__u8 failed; /* a filter does not match */
	__u8 unknown; /* one could not be evaluated */
	__u8 needs_digest; /* to say whether it matches */
	__u8 uncertain; /* it matches because the digest is not certain */
	__u8 possible; /* a selector of the call could match */
};

/* One thread's memory. Hooks of one thread never run at the same time, except nested in a hash, which returns at once. */
struct thread {
	__u64 exec_id; /* of the exec in progress */
	__u64 reopening; /* the inode that IMA is about to open again for reading */
	__u32 exec_begun; /* at bprm_creds_for_exec, which not every policy asks for */
	__u32 calling_ima;
	__u32 hashed; /* IMA read a file since the flag was cleared */
	__u32 hash_counted; /* the one that IMA is taking */
	__u32 handled_generation; /* of the newest programs that took the last call */
	__u32 hook;
	/* Bits of the hook's entries. */
	__u64 decided;
	__u64 matched; /* gets a row */
	__u64 acting; /* denies or signals */
	__u64 undecided; /* until the digest is known */
	__u64 uncertain; /* matched by a digest that is not certain */
	__u64 unknown; /* a filter that could not be evaluated decides whether it matches */
	__u64 wants_digest;
	__u64 signalled;
	__u64 denied; /* by this one */
	__u64 families; /* of the process */
	struct trial trial;
	struct repeat_key repeat_key;
	__u32 digest_sequence; /* of the memory that has the digest of the event; 0: none */
	struct merging merging;
	__u64 path_hash;
	__u32 target_flags; /* what the second path lacks, as in enum path_flag */
	__s32 verdict; /* what the hook returns */
	__u32 unknown_texts; /* bits of enum text: what could not be found out of this call; UNKNOWN_FAMILIES, UNKNOWN_VALUES */
	__u64 aside_hash; /* of a path too long for aside_path */
	__u64 attribute_name; /* address of the name that inode_setxattr was given */
	__u64 number[NUMBER_COUNT];
	struct path_sets sets[TEXT_COUNT];
	__u16 selector_of_entry[ENTRIES_PER_HOOK]; /* rows of the selectors */
	struct content content; /* of the file of the call, before the digest */
	struct exec_digest exec_digest;
	struct event event;
	__u8 aside_path[ASIDE_PATH_BYTES]; /* while the slot is given back, see aside.bpf.h */
};
/* With what the kernel puts before it, it fits in 2 KiB. */
_Static_assert(sizeof(struct thread) <= 1900, "the memory of a thread comes from the slab of 2 KiB");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

#endif
