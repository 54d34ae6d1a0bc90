/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The rows of a call, one for each entry of a policy that matched. */
#ifndef HASHTRAIL_ROWS_H
#define HASHTRAIL_ROWS_H

/* One row for each entry that matched; all share the digest. */
struct rows {
	struct thread *thread;
	struct scratch *slot;
	__u32 bytes;
	__u32 doubt; /* of the digest that those share which want one */
	__u8 status;
};

static __always_inline void fill_entry(struct event *event, struct rows *rows, __u32 row, __u64 bit)
{
	struct thread *thread = rows->thread;
	bool wants_digest = thread->wants_digest & bit;
	struct selector *selector = bpf_map_lookup_elem(&selectors, &row);

	if (!selector)
		return;
	event->entry = selector->entry;
	event->selector = selector->selector;
	event->flags &= ~(EVENT_ENFORCED | EVENT_UNDECIDED);
	if (thread->unknown & bit) {
		event->flags |= EVENT_UNDECIDED;
		COUNT(undecided, 1);
	}
	event->result = 0;
	event->not_enforced = NOT_ENFORCED_NONE;
	fill_action(event, thread, selector);
	event->digest_status = wants_digest ? rows->status : DIGEST_NOT_REQUESTED;
	event->digest_doubt = wants_digest ? rows->doubt : 0;
}

static long send_matched_entry(__u64 entry, struct rows *rows)
{
	struct thread *thread = rows->thread;
	__u64 bit = 1ULL << (entry % ENTRIES_PER_HOOK);
	struct event *event = &thread->event;
	__u32 row;

	if (entry >= ENTRIES_PER_HOOK || !(thread->matched >> entry))
		return 1;
	if (!(thread->matched & bit))
		return 0;
	row = thread->selector_of_entry[entry];
	if (rows->slot) {
		rows->slot->event = *event;
		fill_entry(&rows->slot->event, rows, row, bit);
		send(&rows->slot->event, CLAMP(rows->bytes, sizeof(struct event) + TAIL_BYTES));
	} else {
		fill_entry(event, rows, row, bit);
		send(event, sizeof(*event));
	}
	return 0;
}

__noinline int send_rows(struct thread *thread, struct scratch *slot)
{
	struct rows rows = { .thread = thread, .slot = slot };
	struct event *event;

	if (!thread)
		return 0;
	event = &thread->event;
	rows.status = event->digest_status;
	rows.doubt = event->digest_doubt;
	rows.bytes = sizeof(*event) + event->path_bytes + event->exe_bytes + event->argv_bytes + event->target_bytes +
		     event->container_bytes;
	bpf_loop(ENTRIES_PER_HOOK, send_matched_entry, &rows, 0);
	return 0;
}

#endif
