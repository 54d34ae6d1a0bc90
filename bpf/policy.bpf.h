/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One evaluator interprets the tables of the policies. */
#ifndef HASHTRAIL_POLICY_H
#define HASHTRAIL_POLICY_H

/* When the selectors are tried: what is not known yet counts as matching. */
enum pass {
	PASS_CHEAP, /* before the path is known; only whether any selector could match */
	PASS_PATH, /* decides all entries but those that a digest decides */
	PASS_DIGEST,
};

#define LATE_TEXTS                                                                                                     \
	(1 << TEXT_PATH | 1 << TEXT_TARGET | 1 << TEXT_COMM | 1 << TEXT_PARENT_COMM | 1 << TEXT_GRANDPARENT_COMM)

static __always_inline bool has_set(const struct path_sets *sets, __u32 set)
{
	return sets->word[(set / 64) % PATH_SET_WORDS] >> (set % 64) & 1;
}

struct search {
	__u64 value;
	__u64 low;
	__u64 high;
	bool found;
};

static long halve(__u64 round, struct search *search)
{
	__u64 low = FORGET(search->low), high = FORGET(search->high);
	__u32 middle = low + (high - low) / 2;
	struct range *range;

	if (low >= high)
		return 1;
	range = bpf_map_lookup_elem(&ranges, &middle);
	if (!range)
		return 1;
	if (search->value < range->first)
		search->high = FORGET(middle);
	else if (search->value > range->last)
		search->low = FORGET(middle + 1);
	else
		search->found = true;
	return search->found;
}

/* The ranges of a step are in order and do not touch. */
static __always_inline bool is_in_ranges(const struct step *step, __u64 value)
{
	struct search search = { .value = value, .low = step->first, .high = step->first + step->count };

	bpf_loop(32, halve, &search, 0);
	return search.found;
}

static __always_inline bool is_in_digest_set(struct thread *thread, __u32 set)
{
	struct digest_key key = { .set = set, .algorithm = thread->event.digest_algorithm };

	__builtin_memcpy(key.digest, thread->event.digest, DIGEST_BYTES);
	return bpf_map_lookup_elem(&digest_sets, &key);
}

static __always_inline bool is_same_digest(const __u8 *left, const __u8 *right)
{
	const __u64 *left_words = (const void *)left, *right_words = (const void *)right;
	__u64 difference = 0;
	int i;

	for (i = 0; i < DIGEST_BYTES / 8; i++)
		difference |= left_words[i] ^ right_words[i];
	return !difference;
}

static __always_inline bool has_certain_digest(struct event *event)
{
	return event->digest_status == DIGEST_OK && !event->digest_doubt;
}

static __always_inline bool digest_holds(struct thread *thread, const struct step *step)
{
	if (thread->trial.pass != PASS_DIGEST) {
		thread->trial.needs_digest = true;
		return true;
	}
	/* A row is never dropped, and nothing denied, for a digest that is not certain. */
	if (!has_certain_digest(&thread->event)) {
		thread->trial.uncertain = true;
		return true;
	}
	return is_in_digest_set(thread, step->first) != !!step->negated;
}

static __always_inline bool value_holds(struct thread *thread, const struct step *step)
{
	struct call_values *values;
	__u32 place = step->operand % HOOK_VALUES;
	bool found;

	if (!config.has_values)
		return false;
	if (thread->trial.pass == PASS_CHEAP && step->kind == FILTER_VALUE_TEXT)
		return true;
	values = thread->unknown_texts & UNKNOWN_VALUES ? NULL : values_of_call(0);
	if (!values || values->unknown >> place & 1) {
		thread->trial.unknown = true;
		return true;
	}
	if (step->kind == FILTER_VALUE_TEXT)
		found = has_set(&values->sets[place], step->first);
	else if (step->kind == FILTER_VALUE_MASK)
		found = values->number[place] & step->mask;
	else if (step->kind == FILTER_VALUE_NETWORKS)
		found = is_in_networks(step, values, place);
	else
		found = is_in_ranges(step, values->number[place]);
	return (found && !(values->absent >> place & 1)) != !!step->negated;
}

__noinline int step_holds(struct thread *thread, const struct step *step)
{
	bool found, is_unknown = false;
	__u32 operand;

	if (!thread || !step)
		return false;
	operand = step->operand;
	switch (step->kind) {
	case FILTER_ALWAYS:
		return true;
	case FILTER_DIGEST:
		return digest_holds(thread, step);
	case FILTER_TEXT:
		if (operand >= TEXT_COUNT)
			return false;
		if (thread->trial.pass == PASS_CHEAP && LATE_TEXTS >> operand & 1)
			return true;
		found = has_set(&thread->sets[operand], step->first);
		is_unknown = thread->unknown_texts >> operand & 1;
		break;
	case FILTER_FOLLOWED_PID:
		found = thread->families >> (step->first % 64) & 1;
		is_unknown = thread->unknown_texts & UNKNOWN_FAMILIES;
		break;
	case FILTER_VALUE_TEXT:
	case FILTER_VALUE_RANGES:
	case FILTER_VALUE_MASK:
	case FILTER_VALUE_NETWORKS:
		return value_holds(thread, step);
	default:
		if (operand >= NUMBER_COUNT)
			return false;
		found = step->kind == FILTER_MASK ? thread->number[operand] & step->mask
						  : is_in_ranges(step, thread->number[operand]);
	}
	/* Neither the filter nor its negation may be taken for true. */
	if (is_unknown && !found) {
		thread->trial.unknown = true;
		return true;
	}
	return found != !!step->negated;
}

static __always_inline bool has_action(const struct selector *selector)
{
	return selector->flags & SELECTOR_HAS_ERROR || selector->signal;
}

static __always_inline bool is_told(const struct selector *selector)
{
	return selector->flags & SELECTOR_POST || has_action(selector);
}

/* Selectors of one entry are tried in order; the first that matches decides. */
__noinline int selector_matches(struct thread *thread, __u32 row)
{
	struct selector *selector = bpf_map_lookup_elem(&selectors, &row);
	__u64 bit;

	if (!thread || !selector || selector->entry_of_hook >= ENTRIES_PER_HOOK)
		return 1;
	bit = 1ULL << selector->entry_of_hook;
	if (thread->decided & bit)
		return 0;
	if (thread->trial.pass == PASS_CHEAP) {
		thread->trial.possible = true;
		return 1;
	}
	if (thread->trial.unknown)
		thread->unknown |= bit;
	/* What may not match gives a row where it would post or act; else the next selector is tried, and may not match either. */
	if ((thread->trial.uncertain || thread->trial.unknown) && !is_told(selector))
		return 0;
	thread->decided |= bit;
	if (thread->trial.needs_digest) {
		thread->undecided |= bit;
		thread->wants_digest |= bit;
		return 0;
	}
	thread->selector_of_entry[selector->entry_of_hook] = row;
	if (thread->trial.uncertain)
		thread->uncertain |= bit;
	if (has_action(selector))
		thread->acting |= bit;
	if (selector->flags & SELECTOR_POST || thread->acting & (thread->unknown | thread->uncertain) & bit)
		thread->matched |= bit;
	if (selector->flags & SELECTOR_DIGEST)
		thread->wants_digest |= bit;
	return 0;
}

struct evaluation {
	struct thread *thread;
	__u32 first_step;
};

static long try_step(__u64 index, struct evaluation *evaluation)
{
	__u32 key = evaluation->first_step + index;
	struct step *step = bpf_map_lookup_elem(&steps, &key);
	struct thread *thread = evaluation->thread;
	struct trial *trial = &thread->trial;

	if (!step)
		return 1;
	if (step->flags & STEP_FIRST)
		trial->failed = trial->unknown = trial->needs_digest = trial->uncertain = false;
	if (!trial->failed && !step_holds(thread, step))
		trial->failed = true;
	if (step->flags & STEP_LAST && !trial->failed)
		return selector_matches(thread, step->selector) != 0;
	return 0;
}

static __always_inline struct hook_policy *policy_of(__u32 hook)
{
	return bpf_map_lookup_elem(&hook_policies, &hook);
}

/* Not static, like all that is called with the thread or a slot alone: the verifier looks at it once. */
__noinline int evaluate(struct thread *thread, __u32 pass)
{
	struct evaluation evaluation = { .thread = thread };
	struct hook_policy *policy;

	if (!thread)
		return 0;
	policy = policy_of(thread->hook);
	if (!policy)
		return 0;
	if (pass == PASS_DIGEST) {
		thread->decided &= ~thread->undecided;
		thread->unknown &= ~thread->undecided;
		thread->undecided = 0;
	}
	thread->trial.pass = pass;
	thread->trial.possible = false;
	evaluation.first_step = policy->first_step;
	bpf_loop(policy->step_count, try_step, &evaluation, 0);
	return pass == PASS_CHEAP ? thread->trial.possible : !!(thread->matched | thread->acting | thread->undecided);
}

#endif
