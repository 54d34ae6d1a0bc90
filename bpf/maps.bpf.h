/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps that several headers share: rings and counters per CPU, memory of processes, and the tables of the policies. */
#ifndef HASHTRAIL_MAPS_H
#define HASHTRAIL_MAPS_H

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

struct wire_enumerations *wire_enumerations;

static __always_inline __u32 generation_that_records(void)
{
	__u32 key = 0, *generation = bpf_map_lookup_elem(&active_generation, &key);

	return generation ? *generation : 0;
}

#endif
