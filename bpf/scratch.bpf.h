/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Slots of memory that a call claims for its record and its texts. */
#ifndef HASHTRAIL_SCRATCH_H
#define HASHTRAIL_SCRATCH_H

/*
 * Buffers too large for the stack. A slot belongs to one running invocation: it is claimed by compare-and-exchange and
 * given back at the end. Never per CPU: a sleepable program can be preempted, and the next task would write into it.
 * Nobody holds one over what an unprivileged task can make long, a hash or a page fault: only a task that is preempted
 * keeps it for a while. Where none is free the row has no texts, filters on them are undecided, and it is a loss.
 */
#define SCRATCH_SLOTS 128

struct scratch {
	__u64 claimed;
	__u64 number;
	struct affix_key affix;
	__u8 second[PATH_BYTES]; /* a second text: the target, or the name of a process */
	/* The record as it is sent; the path stands at the start of the tail. */
	struct event event;
	__u8 tail[TAIL_BYTES];
};

/* Where the two texts of a slot stand in it. */
#define TAIL_TEXT offsetof(struct scratch, tail)
#define SECOND_TEXT offsetof(struct scratch, second)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCRATCH_SLOTS);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_slots SEC(".maps");

/*
 * The slot as a map's value again, where the verifier knows it as memory only: up to 6.1 that is no key to look up by.
 */
static __always_inline struct scratch *same_slot(struct scratch *slot)
{
	__u32 key = slot->number;

	return bpf_map_lookup_elem(&scratch_slots, &key);
}

struct claim {
	__u32 first;
	__u32 key;
	bool done;
};

static long try_slot(__u64 index, struct claim *claim)
{
	__u32 key = (claim->first + index) % SCRATCH_SLOTS;
	struct scratch *slot = bpf_map_lookup_elem(&scratch_slots, &key);

	if (!slot || __sync_val_compare_and_swap(&slot->claimed, 0, 1))
		return 0;
	slot->number = claim->key = key;
	claim->done = true;
	return 1;
}

/* Threads begin at different slots, so the first is most often free. For a call that began at entry_ns. */
static __always_inline struct scratch *claim_scratch(__u64 entry_ns)
{
	struct claim claim = { .first = bpf_get_current_pid_tgid() };
	struct counters *own;

	bpf_loop(SCRATCH_SLOTS, try_slot, &claim, 0);
	if (claim.done)
		return bpf_map_lookup_elem(&scratch_slots, &claim.key);
	own = own_counters();
	if (own) {
		__sync_fetch_and_add(&own->no_scratch, 1);
		note_loss(own, entry_ns);
	}
	return NULL;
}

static __always_inline void release_scratch(struct scratch *slot)
{
	if (slot)
		__sync_val_compare_and_swap(&slot->claimed, 1, 0);
}

#endif
