/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps: rings and counters per CPU, memory of tasks, scratch, and the tables of the policies. */
#ifndef HASHTRAIL_MAPS_H
#define HASHTRAIL_MAPS_H

/*
 * Buffers too large for the stack. A slot belongs to one running invocation: it is claimed by compare-and-exchange and
 * given back at the end. Never per CPU: a sleepable program can be preempted, and the next task would write into it.
 */
#define SCRATCH_SLOTS 64

struct scratch {
	__u64 claimed;
	struct affix_key affix;
	/* The record as it is sent; the path stands at the start of the tail. */
	struct event event;
	__u8 tail[TAIL_BYTES];
};

/* The digest that the first hook of an exec took, for the second one. */
struct exec_digest {
	__u64 exec_id;
	__u64 ino;
	__u64 i_version_raw;
	__u64 size_bytes;
	__u32 dev;
	__u32 ino_generation;
	__s32 algorithm;
	__u32 doubt;
	__u8 digest[DIGEST_BYTES];
};

/* One thread's memory. Hooks of one thread never run at the same time, except nested in a hash, which returns at once. */
struct thread {
	__u64 exec_id; /* of the exec in progress */
	__u32 calling_ima;
	__u32 hashing; /* inside ima_calc_file_hash, called by anyone */
	__u32 hashed; /* since the flag was cleared */
	__u32 matched_entries;
	__u32 decided_entries;
	__u32 wants_digest;
	__u32 open_mode;
	__u32 hook;
	__u64 argument[5]; /* integer arguments of the hook, by their index */
	struct path_sets path;
	struct path_sets binary;
	__u16 selector_of_entry[ENTRIES_PER_HOOK];
	__u16 id_of_entry[ENTRIES_PER_HOOK];
	struct exec_digest exec_digest;
	struct event event;
};

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
	__uint(max_entries, 1); /* set to the number of selectors before load */
	__type(key, __u32);
	__type(value, struct selector);
} selectors SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct affix_lengths);
} affix_lengths SEC(".maps");

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

/* Set at stop: what runs now belongs to no recording any more. */
__u32 stopped = 0;
__u64 last_exec_id = 0;

/* Source of zeros for buffers too large for one instruction sequence. */
const __u8 zeros[PATH_BYTES] = {};

struct wire_enumerations *wire_enumerations;

static __always_inline struct counters *own_counters(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&counters, &key);
}

/*
 * A length or offset that the verifier knows to be at most limit. The compiler knows such bounds too, and computes the
 * address before the check where it may; it cannot look into this.
 */
#define CLAMP(value, limit)                                                                                            \
	({                                                                                                             \
		__u64 clamped = (value);                                                                               \
		asm volatile("if %0 <= %1 goto +1\n\t%0 = %1" : "+r"(clamped) : "i"(limit));                           \
		clamped;                                                                                               \
	})

/* Atomic: a sleepable program can be preempted between load and store. */
#define COUNT(field, amount)                                                                                           \
	do {                                                                                                           \
		struct counters *own = own_counters();                                                                 \
		if (own)                                                                                               \
			__sync_fetch_and_add(&own->field, amount);                                                     \
	} while (0)

#endif
