/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One evaluator interprets the tables of the policies. */
#ifndef HASHTRAIL_POLICY_H
#define HASHTRAIL_POLICY_H

static __always_inline bool has_set(const struct path_sets *sets, __u32 set)
{
	return sets->word[(set / 64) % PATH_SET_WORDS] >> (set % 64) & 1;
}

static __always_inline bool has_value(const struct filter *filter, __u64 argument)
{
	bool found = false;
	int i;

	for (i = 0; i < FILTER_VALUES; i++) {
		if (i >= filter->value_count)
			break;
		if (filter->kind == FILTER_INTEGER_MASK)
			found |= !!(argument & filter->value[i]);
		else
			found |= argument == filter->value[i];
	}
	return found;
}

static __always_inline bool filter_matches(struct thread *thread, const struct filter *filter)
{
	bool found = false;

	switch (filter->kind) {
	case FILTER_PATH:
		found = has_set(&thread->path, filter->path_set);
		break;
	case FILTER_BINARY:
		found = has_set(&thread->binary, filter->path_set);
		break;
	case FILTER_INTEGER_EQUAL:
	case FILTER_INTEGER_MASK:
		if (filter->argument < 5)
			found = has_value(filter, thread->argument[filter->argument]);
		break;
	case FILTER_OPEN_MODE:
		found = thread->open_mode & filter->value[0];
		break;
	}
	return found != !!filter->negated;
}

struct evaluation {
	struct thread *thread;
	__u32 first_selector;
	bool cheap_only; /* before the path is known */
	bool possible;
};

static __always_inline bool selector_matches(struct evaluation *evaluation, struct selector *selector)
{
	struct filter *filter;
	int i;

	for (i = 0; i < FILTERS_PER_SELECTOR; i++) {
		if (i >= selector->filter_count)
			break;
		filter = &selector->filter[i];
		if (evaluation->cheap_only && filter->kind == FILTER_PATH)
			continue;
		if (!filter_matches(evaluation->thread, filter))
			return false;
	}
	return true;
}

/* Selectors of one entry are tried in order; the first that matches decides. */
static long try_selector(__u64 index, struct evaluation *evaluation)
{
	struct thread *thread = evaluation->thread;
	__u32 key = evaluation->first_selector + index, entry;
	struct selector *selector = bpf_map_lookup_elem(&selectors, &key);

	if (!selector || selector->entry_of_hook >= ENTRIES_PER_HOOK)
		return 1;
	entry = selector->entry_of_hook;
	if (thread->decided_entries >> entry & 1 || !selector_matches(evaluation, selector))
		return 0;
	if (evaluation->cheap_only) {
		evaluation->possible = true;
		return 1;
	}
	thread->decided_entries |= 1 << entry;
	if (!(selector->flags & SELECTOR_POST))
		return 0;
	thread->matched_entries |= 1 << entry;
	thread->selector_of_entry[entry] = selector->selector;
	thread->id_of_entry[entry] = selector->entry;
	if (selector->flags & SELECTOR_DIGEST)
		thread->wants_digest |= 1 << entry;
	return 0;
}

static __noinline int evaluate(struct thread *thread, bool cheap_only)
{
	struct evaluation evaluation = { .thread = thread, .cheap_only = cheap_only };
	struct hook_policy *policy;
	__u32 hook;

	if (!thread)
		return 0;
	hook = thread->hook;
	policy = bpf_map_lookup_elem(&hook_policies, &hook);
	if (!policy)
		return 0;
	evaluation.first_selector = policy->first_selector;
	bpf_loop(policy->selector_count, try_selector, &evaluation, 0);
	return cheap_only ? evaluation.possible : thread->matched_entries;
}

/* Whether any selector could match, whatever the path is; spares the path of what no policy asked for. */
static __always_inline bool could_match(struct thread *thread)
{
	return evaluate(thread, true);
}

/* Decides which entries record the event; wants_digest says whether one asks for the digest. */
static __always_inline bool match(struct thread *thread)
{
	return evaluate(thread, false);
}

#endif
