/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps: rings and counters per CPU, memory of tasks, scratch, and the tables of the policies. */
#ifndef HASHTRAIL_MAPS_H
#define HASHTRAIL_MAPS_H

/*
 * Buffers too large for the stack. A slot belongs to one running invocation: it is claimed by compare-and-exchange and
 * given back at the end. Never per CPU: a sleepable program can be preempted, and the next task would write into it.
 * Nobody holds one over what an unprivileged task can make long, a hash or a page fault: only a task that is preempted
 * keeps it for a while. Where none is free the row has no texts, filters on them are undecided, and it is a loss.
 */
#define SCRATCH_SLOTS 128

/* Paths up to this length are kept with the thread over a hash. */
#define ASIDE_PATH_BYTES 384

struct scratch {
	__u64 claimed;
	__u64 number;
	struct affix_key affix;
	__u8 second[PATH_BYTES]; /* a second text: the target, or the name of a process */
	/* The record as it is sent; the path stands at the start of the tail. */
	struct event event;
	__u8 tail[TAIL_BYTES];
};

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

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1); /* set to the number of CPUs before load */
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct process);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOOK_COUNT);
	__type(key, __u32);
	__type(value, struct hook_policy);
} hook_policies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set to the number of steps before load */
	__type(key, __u32);
	__type(value, struct step);
} steps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* likewise */
	__type(key, __u32);
	__type(value, struct selector);
} selectors SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* likewise */
	__type(key, __u32);
	__type(value, struct range);
} ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* likewise */
	__type(key, __u32);
	__type(value, struct family);
} families SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* likewise */
	__type(key, struct digest_key);
	__type(value, __u32);
} digest_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* likewise */
	__type(key, __u32);
	__type(value, struct substring_state);
} substring_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct text_index);
} text_indexes SEC(".maps");

/* The hook's arguments, the mode of an open and the attributes that are set. */
#define LIMIT_ARGUMENTS 7

/* What a rate limit or a merge remembers. Where an old one is evicted, a row more is recorded, never one less. */
struct limit_key {
	__u64 task_start_ns; /* 0: of the whole host */
	__u64 ino;
	__u64 path_hash;
	__u64 argument[LIMIT_ARGUMENTS];
	__u32 task;
	__u32 selector;
	__u32 dev;
	__u32 ino_generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set before load where there are limits */
	__type(key, struct limit_key);
	__type(value, __u64);
} limits SEC(".maps");

struct merged {
	__u64 boot_ns; /* of the last row */
	__s32 algorithm;
	__u32 padding;
	__u8 digest[DIGEST_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set before load where rows are merged */
	__type(key, struct limit_key);
	__type(value, struct merged);
} merges SEC(".maps");

/* Paths of the sets, padded with zeros; LPM_TRIE is refused in sleepable programs. Sizes are set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct affix_key);
	__type(value, struct path_sets);
} affixes SEC(".maps");

struct short_path {
	__u8 bytes[SHORT_PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct short_path);
	__type(value, struct path_sets);
} short_paths SEC(".maps");

struct long_path {
	__u8 bytes[PATH_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct long_path);
	__type(value, struct path_sets);
} long_paths SEC(".maps");

const volatile struct sensor_config config = {};

/* Generation of the policies that record now; 0 after the stop. Programs of two generations are attached at a reload. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} active_generation SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} last_exec_id SEC(".maps");

/* Who can write beneath a filesystem. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RAW_WRITERS_KEYS);
	__type(key, __u32);
	__type(value, __u64);
} raw_writers SEC(".maps");

/* Source of zeros for buffers too large for one instruction sequence. */
const __u8 zeros[PATH_BYTES] = {};

struct wire_enumerations *wire_enumerations;

static __always_inline struct counters *own_counters(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&counters, &key);
}

/*
 * The slot as a map's value again, where the verifier knows it as memory only: up to 6.1 that is no key to look up by.
 */
static __always_inline struct scratch *same_slot(struct scratch *slot)
{
	__u32 key = slot->number;

	return bpf_map_lookup_elem(&scratch_slots, &key);
}

static __always_inline __u32 generation_that_records(void)
{
	__u32 key = 0, *generation = bpf_map_lookup_elem(&active_generation, &key);

	return generation ? *generation : 0;
}

/*
 * A length or offset that the verifier knows to be at most limit. The compiler knows such bounds too, and computes the
 * address before the check where it may; it cannot look into this.
 */
/*
 * Up to 6.1 the verifier looks at the callback of a loop once, as for its first round, and removes what cannot be reached from
 * there. What a later round compares must not begin with a number that it knows. That this is 0 it does not.
 */
__u32 unknown_zero;

#define CLAMP(value, limit)                                                                                            \
	({                                                                                                             \
		__u64 clamped = (value);                                                                               \
		asm volatile("if %0 <= %1 goto +1\n\t%0 = %1" : "+r"(clamped) : "i"(limit));                           \
		clamped;                                                                                               \
	})

/* The longest time from the entry of a hook to the loss of its call, so that a gap covers the time of the act. */
static __always_inline void note_loss(struct counters *own, __u64 entry_ns)
{
	__u64 lag_ns = bpf_ktime_get_boot_ns() - entry_ns, seen = own->slowest_loss_ns;
	int i;

	for (i = 0; i < 4 && lag_ns > seen; i++)
		seen = __sync_val_compare_and_swap(&own->slowest_loss_ns, seen, lag_ns);
}

/* Atomic: a sleepable program can be preempted between load and store. */
#define COUNT(field, amount)                                                                                           \
	do {                                                                                                           \
		struct counters *own = own_counters();                                                                 \
		if (own)                                                                                               \
			__sync_fetch_and_add(&own->field, amount);                                                     \
	} while (0)

#endif
