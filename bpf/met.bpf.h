/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whether any process has run a binary that the selectors of a hook ask for. Where none has, the hook's calls are refused
 * without a look at the process.
 */
#ifndef HASHTRAIL_MET_H
#define HASHTRAIL_MET_H

enum asked_binary {
	ASKED_BINARY_UNKNOWN, /* not all that runs was looked at, or the hook's gate asks for none */
	ASKED_BINARY_NEVER_RAN,
	ASKED_BINARY_RAN, /* from then on, also when its process has ended */
};

/*
 * Of each hook, under the policies of this generation. A process's sets are met before its next call. The first step is
 * taken only from UNKNOWN, so that a binary that is met meanwhile is not forgotten.
 */
volatile __u32 asked_binary[HOOK_COUNT];

/* Some of what runs was not met in the look that began last. */
__u32 running_unmet;

/*
 * Execs between the question which policies record and the note of their binary. One that an older generation's programs
 * took may be noted after these policies began.
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
	__u64 *execs = bpf_map_lookup_elem(&execs_in_progress, &key);

	return execs ? __sync_fetch_and_add(execs, amount) : 0;
}

static __always_inline __u64 common_bits(const volatile struct path_sets *asked, const volatile struct path_sets *sets)
{
	__u64 common = 0;
	int i;

	for (i = 0; i < PATH_SET_WORDS; i++)
		common |= asked->word[i] & sets->word[i];
	return common;
}

static long meet_at_hook(__u64 hook, struct path_sets *sets)
{
	if (hook < HOOK_COUNT && common_bits(&config.gate[hook].binaries, sets))
		asked_binary[hook] = ASKED_BINARY_RAN;
	return 0;
}

static __always_inline void meet(const struct path_sets *sets)
{
	struct path_sets met = *sets;

	if (common_bits(&met, &met))
		bpf_loop(HOOK_COUNT, meet_at_hook, &met, 0);
}

static long refuse_at_hook(__u64 hook, void *context)
{
	if (hook < HOOK_COUNT && common_bits(&config.gate[hook].binaries, &config.gate[hook].binaries))
		__sync_val_compare_and_swap(&asked_binary[hook], ASKED_BINARY_UNKNOWN, ASKED_BINARY_NEVER_RAN);
	return 0;
}

#endif
