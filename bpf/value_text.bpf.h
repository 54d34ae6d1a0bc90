/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Texts that a walk through the kernel's structures leads to: the sets that they belong to. */
#ifndef HASHTRAIL_VALUE_TEXT_H
#define HASHTRAIL_VALUE_TEXT_H

/* A text, through the slot's second one. What fills all of it was longer, and is not known. */
__noinline int read_text(struct call_values *values, struct scratch *slot, __u32 row, __u32 place)
{
	struct value *value = bpf_map_lookup_elem(&value_table, &row);
	__u64 address;
	long bytes = -1;

	place %= HOOK_VALUES;
	if (!values || !value || value->kind != VALUE_TEXT)
		return 0;
	slot = slot ? same_slot(slot) : NULL;
	address = start_of(values, value);
	if (slot && follow(value, &address))
		bytes = bpf_probe_read_kernel_str(slot->second, CLAMP(value->text_bytes, PATH_BYTES), (void *)address);
	if (bytes < 1 || bytes >= PATH_BYTES) {
		values->unknown |= 1 << place;
		return 0;
	}
	find_sets(slot, &values->sets[place], SECOND_TEXT, bytes - 1);
	if (config.has_limits)
		values->number[place] = hash_of(slot, SECOND_TEXT, bytes - 1);
	return 0;
}

static __always_inline void read_texts(struct thread *thread, struct scratch *slot)
{
	struct hook_policy *policy = policy_of(thread->hook);

	if (policy && policy->has_value_texts)
		read_each_value(thread, policy, slot, read_text);
}

#endif
