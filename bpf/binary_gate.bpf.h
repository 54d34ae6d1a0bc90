/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whether a process was seen that runs a binary that the selectors of a hook ask for. Where a look at all that runs (see
 * binary_scan.bpf.h) found none, the hook's calls are refused without a look at the process that calls, until one is seen.
 */
#ifndef HASHTRAIL_BINARY_GATE_H
#define HASHTRAIL_BINARY_GATE_H

enum asked_binary {
	ASKED_BINARY_UNKNOWN, /* not all that runs was looked at, or the hook's gate asks for none */
	ASKED_BINARY_ABSENT,
	ASKED_BINARY_SEEN, /* from then on, also when its process has ended */
};

/*
 * Of each hook, under the policies of this generation. What a process runs is seen before its next call. ABSENT replaces
 * only UNKNOWN, so that what is seen during the look at all that runs is not forgotten.
 */
volatile __u32 asked_binary[HOOK_COUNT];

/* The look at all that runs has left something out. */
volatile __u32 scan_is_incomplete;

/*
 * Programs of all generations that look at an exec now. What an older generation's program notes after these policies began
 * would not be seen by theirs.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} execs_in_progress SEC(".maps");

static __always_inline __u64 add_execs_in_progress(__s64 amount)
{
	__u32 key = 0;
	__u64 *execs = bpf_map_lookup_elem(&execs_in_progress, &key), before = 0;

	if (execs)
		before = __sync_fetch_and_add(execs, amount);
	/* Used, because an addition whose result nobody wants orders nothing on arm64. */
	asm volatile("" : "+r"(before));
	return before;
}

static __always_inline __u64 common_bits(const volatile struct path_sets *asked, const volatile struct path_sets *sets)
{
	__u64 common = 0;
	int i;

	for (i = 0; i < PATH_SET_WORDS; i++)
		common |= asked->word[i] & sets->word[i];
	return common;
}

static long note_at_hook(__u64 hook, struct path_sets *sets)
{
	if (hook < HOOK_COUNT && common_bits(&config.gate[hook].binaries, sets))
		asked_binary[hook] = ASKED_BINARY_SEEN;
	return 0;
}

static __always_inline void note_binary(const struct path_sets *sets)
{
	struct path_sets seen = *sets;

	if (common_bits(&seen, &seen))
		bpf_loop(HOOK_COUNT, note_at_hook, &seen, 0);
}

static long note_any_at_hook(__u64 hook, void *context)
{
	if (hook < HOOK_COUNT && common_bits(&config.gate[hook].binaries, &config.gate[hook].binaries))
		asked_binary[hook] = ASKED_BINARY_SEEN;
	return 0;
}

/* A binary whose path is not known may be any that is asked for. */
static __always_inline void note_unknown_binary(void)
{
	bpf_loop(HOOK_COUNT, note_any_at_hook, NULL, 0);
}

#endif
