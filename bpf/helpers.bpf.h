/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Words that all other headers are written in: bounds that the verifier sees, counts, zeros. */
#ifndef HASHTRAIL_HELPERS_H
#define HASHTRAIL_HELPERS_H

/*
 * Up to 6.1 the verifier looks at the callback of a loop once, as for its first round, and removes what cannot be reached from
 * there. What a later round compares must not begin with a number that it knows. That this is 0 it does not.
 */
__u64 unknown_zero;

/*
 * A number of which the verifier knows no more than of any other. Later ones look at all that follows for each number that it
 * knows, and at the callback of a loop until what it knows repeats: that is most of the time that a load takes.
 */
#define FORGET(value) ((value) ^ unknown_zero)

static __always_inline struct counters *own_counters(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&counters, &key);
}

/* Source of zeros for buffers too large for one instruction sequence. */
const __u8 zeros[PATH_BYTES] = {};

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

/* The longest time from the entry of a hook to the loss of its call, so that a gap covers the time of the act. */
static __always_inline void note_loss(struct counters *own, __u64 entry_ns)
{
	__u64 lag_ns = bpf_ktime_get_boot_ns() - entry_ns, seen = own->slowest_loss_ns;
	int i;

	for (i = 0; i < 4 && lag_ns > seen; i++)
		seen = __sync_val_compare_and_swap(&own->slowest_loss_ns, seen, lag_ns);
}

/*
 * Atomic: a sleepable program can be preempted between load and store. A function of its own: the kernel copies the whole
 * program, as it loads it, for each place that looks into an array.
 */
__noinline int count(__u32 counter, __u64 amount)
{
	struct counters *own = own_counters();

	if (own && counter < sizeof(*own) / sizeof(__u64))
		__sync_fetch_and_add((__u64 *)own + counter, amount);
	return 0;
}

#define COUNT(field, amount) count(offsetof(struct counters, field) / sizeof(__u64), amount)

#endif
