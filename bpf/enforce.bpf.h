/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What selectors ask for beside a row: a denial, a signal. Nothing is done without --enforce. */
#ifndef HASHTRAIL_ENFORCE_H
#define HASHTRAIL_ENFORCE_H

static __always_inline __u8 action_of(const struct selector *selector)
{
	if (selector->flags & SELECTOR_HAS_ERROR)
		return ACTION_DENY;
	if (!selector->signal)
		return ACTION_POST;
	return selector->signal == SIGKILL ? ACTION_KILL : ACTION_SIGNAL;
}

static __always_inline __u8 obstacle_to_enforcement(struct thread *thread, const struct selector *selector)
{
	if (!config.enforce)
		return NOT_ENFORCED_NOT_ASKED;
	if (selector->flags & SELECTOR_MONITOR)
		return NOT_ENFORCED_MONITOR;
	if (thread->uncertain >> (selector->entry_of_hook % ENTRIES_PER_HOOK) & 1)
		return NOT_ENFORCED_DOUBTFUL_DIGEST;
	if (thread->unknown >> (selector->entry_of_hook % ENTRIES_PER_HOOK) & 1)
		return NOT_ENFORCED_UNDECIDED;
	return NOT_ENFORCED_NONE;
}

/* Acts of one entry; the first denial in load order gives the errno. */
static long enforce_entry(__u64 entry, struct thread **context)
{
	struct thread *thread = *context;
	__u64 bit = 1ULL << (entry % ENTRIES_PER_HOOK);
	struct selector *selector;
	__u32 row;

	if (entry >= ENTRIES_PER_HOOK || !(thread->acting >> entry))
		return 1;
	if (!(thread->acting & bit))
		return 0;
	row = thread->selector_of_entry[entry];
	selector = bpf_map_lookup_elem(&selectors, &row);
	if (!selector)
		return 0;
	if (!(thread->matched & bit))
		COUNT(acts_without_row, 1);
	if (obstacle_to_enforcement(thread, selector) != NOT_ENFORCED_NONE)
		return 0;
	if (selector->signal && !bpf_send_signal(selector->signal))
		thread->signalled |= bit;
	/* An error of 0 denies nothing, and is none that a later entry would have to stand behind. */
	if (selector->flags & SELECTOR_HAS_ERROR && (!thread->denied || !thread->verdict)) {
		thread->denied = bit;
		thread->verdict = selector->error;
	}
	return 0;
}

__noinline int enforce(struct thread *thread)
{
	if (thread && thread->acting)
		bpf_loop(ENTRIES_PER_HOOK, enforce_entry, &thread, 0);
	return 0;
}

/* What the row of an entry says of the act. */
static __always_inline void fill_action(struct event *event, struct thread *thread, const struct selector *selector)
{
	__u64 bit = 1ULL << (selector->entry_of_hook % ENTRIES_PER_HOOK);
	bool done;

	event->action = action_of(selector);
	if (event->action == ACTION_POST)
		return;
	event->not_enforced = obstacle_to_enforcement(thread, selector);
	if (event->not_enforced != NOT_ENFORCED_NONE)
		return;
	done = event->action == ACTION_DENY ? thread->denied == bit : thread->signalled & bit;
	if (done)
		event->flags |= EVENT_ENFORCED;
	else
		event->not_enforced = event->action == ACTION_DENY ? NOT_ENFORCED_OTHER_ENTRY : NOT_ENFORCED_FAILED;
	event->result = thread->verdict;
}

#endif
