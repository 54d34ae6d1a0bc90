/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Rate limits and merged rows. What they stop is counted before it gets a number. */
#ifndef HASHTRAIL_LIMIT_H
#define HASHTRAIL_LIMIT_H

struct sip {
	const __u8 *text;
	__u32 bytes;
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotate(__u64 value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void sip_round(struct sip *sip)
{
	sip->v0 += sip->v1;
	sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
	sip->v0 = rotate(sip->v0, 32);
	sip->v2 += sip->v3;
	sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
	sip->v0 += sip->v3;
	sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
	sip->v2 += sip->v1;
	sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
	sip->v2 = rotate(sip->v2, 32);
}

static long sip_word(__u64 index, struct sip *sip)
{
	__u64 word = *(const __u64 *)(sip->text + CLAMP(index * 8, PATH_BYTES - 8));
	__u32 left = sip->bytes - index * 8;

	/* Behind the text stands what a longer one left there. */
	if (left < sizeof(word))
		word &= (1ULL << left * 8) - 1;
	sip->v3 ^= word;
	sip_round(sip);
	sip_round(sip);
	sip->v0 ^= word;
	return 0;
}

/*
 * SipHash-2-4 of a text, filled up with zeros to whole words, and its length as the last word. Keyed, so that nobody can
 * choose two paths of one hash to hide one behind the other.
 */
__noinline __u64 hash_of(struct scratch *slot, __u32 text_offset, __u32 bytes)
{
	struct sip sip = {
		.bytes = bytes,
		.v0 = FORGET(config.hash_key[0] ^ 0x736f6d6570736575),
		.v1 = FORGET(config.hash_key[1] ^ 0x646f72616e646f6d),
		.v2 = FORGET(config.hash_key[0] ^ 0x6c7967656e657261),
		.v3 = FORGET(config.hash_key[1] ^ 0x7465646279746573),
	};

	if (!slot)
		return 0;
	sip.text = (__u8 *)slot + CLAMP(text_offset, TAIL_TEXT);
	bpf_loop((CLAMP(bytes, PATH_BYTES) + 7) / 8, sip_word, &sip, 0);
	sip.v3 ^= bytes;
	sip_round(&sip);
	sip_round(&sip);
	sip.v0 ^= bytes;
	sip.v2 ^= 0xff;
	sip_round(&sip);
	sip_round(&sip);
	sip_round(&sip);
	sip_round(&sip);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

__noinline int hash_texts(struct thread *thread, struct scratch *slot)
{
	if (!thread)
		return 0;
	thread->path_hash = 0;
	if (!slot)
		return 0;
	thread->path_hash = hash_of(slot, TAIL_TEXT, thread->event.path_bytes);
	if (thread->event.target_bytes)
		thread->path_hash ^= rotate(hash_of(slot, SECOND_TEXT, thread->event.target_bytes), 1);
	return 0;
}

/* Values have no place of their own in the key, and a hash of each, so that other ones give another. */
static __always_inline __u64 mix_of_values(struct thread *thread)
{
	struct hook_policy *policy = policy_of(thread->hook);
	struct call_values *values = policy && policy->value_count ? values_of_call(0) : NULL;
	__u64 mix = 0;
	__u32 i;

	if (!values)
		return 0;
	for (i = 0; i < HOOK_VALUES; i++) {
		if (i < policy->value_count)
			mix = (rotate(mix, 23) ^ values->number[i] ^ (values->unknown >> i & 1)) * SIEVE_FACTOR;
	}
	return mix;
}

static __always_inline void fill_limit_key(struct limit_key *key, struct thread *thread, __u32 row, __u32 scope)
{
	struct task_struct *task = bpf_get_current_task_btf();
	int i;

	__builtin_memset(key, 0, sizeof(*key));
	key->selector = row;
	key->path_hash = thread->path_hash;
	key->ino = thread->event.ino;
	key->dev = thread->event.dev;
	key->ino_generation = thread->event.ino_generation;
	for (i = 0; i < LIMIT_ARGUMENTS; i++)
		key->argument[i] = thread->number[NUMBER_ARGUMENT_0 + i];
	if (config.has_values)
		key->path_hash ^= mix_of_values(thread);
	if (scope == LIMIT_THREAD) {
		key->task = task->pid;
		key->task_start_ns = task->start_boottime;
	} else if (scope == LIMIT_PROCESS) {
		key->task = task->tgid;
		key->task_start_ns = task->group_leader->start_boottime;
	}
}

static __always_inline bool is_limited(struct thread *thread, __u32 row, const struct selector *selector)
{
	__u64 now = thread->event.boot_ns, *last;
	struct limit_key key;

	fill_limit_key(&key, thread, row, selector->limit_scope);
	last = bpf_map_lookup_elem(&limits, &key);
	if (last && now - *last < selector->limit_ns)
		return true;
	bpf_map_update_elem(&limits, &key, &now, 0);
	return false;
}

/* A row like this one is in the archive, or on its way there; the next ones are merged with it until then. */
static __always_inline void note_merging(struct thread *thread, __u64 until_ns)
{
	thread->merging.rows++;
	if (until_ns < thread->merging.until_ns)
		thread->merging.until_ns = until_ns;
}

/* One row for each file, and process, and digest in a window. Another digest is always a row: A, B, A are three. */
static __always_inline bool is_merged(struct thread *thread, __u32 row, const struct selector *selector)
{
	struct event *event = &thread->event;
	struct merged now = { .boot_ns = event->boot_ns, .algorithm = event->digest_algorithm }, *last;
	__u32 scope = selector->flags & SELECTOR_DEDUPE_PROCESS ? LIMIT_PROCESS : LIMIT_GLOBAL;
	struct limit_key key;

	if (!has_certain_digest(event)) {
		thread->merging.others++;
		return false;
	}
	fill_limit_key(&key, thread, row, scope);
	key.path_hash = 0;
	__builtin_memset(key.argument, 0, sizeof(key.argument));
	__builtin_memcpy(now.digest, event->digest, DIGEST_BYTES);
	last = bpf_map_lookup_elem(&merges, &key);
	if (last && now.boot_ns - last->boot_ns < selector->dedupe_ns && last->algorithm == now.algorithm &&
	    is_same_digest(last->digest, now.digest)) {
		note_merging(thread, last->boot_ns + selector->dedupe_ns);
		return true;
	}
	bpf_map_update_elem(&merges, &key, &now, 0);
	note_merging(thread, now.boot_ns + selector->dedupe_ns);
	return false;
}

struct limiting {
	struct thread *thread;
	__u32 flag; /* SELECTOR_LIMITED or SELECTOR_DEDUPE */
	__u32 stopped; /* rows; the stack has no room for one more call below a limit's key */
	__u64 entries; /* bits of those that are looked at: each once, because a look is remembered */
};

static long limit_entry(__u64 entry, struct limiting *limiting)
{
	struct thread *thread = limiting->thread;
	__u64 bit = 1ULL << (entry % ENTRIES_PER_HOOK);
	struct selector *selector;
	__u32 row;

	if (entry >= ENTRIES_PER_HOOK || !((thread->matched & limiting->entries) >> entry))
		return 1;
	if (!(thread->matched & limiting->entries & bit))
		return 0;
	row = thread->selector_of_entry[entry];
	selector = bpf_map_lookup_elem(&selectors, &row);
	if (!selector || !(selector->flags & limiting->flag)) {
		thread->merging.others++;
		return 0;
	}
	if (limiting->flag == SELECTOR_LIMITED ? !is_limited(thread, row, selector) : !is_merged(thread, row, selector))
		return 0;
	limiting->stopped++;
	thread->matched &= ~bit;
	thread->wants_digest &= ~bit;
	return 0;
}

/* Takes back the rows of these entries that a limit stops. */
__noinline int apply_limits(struct thread *thread, __u32 flag, __u64 entries)
{
	struct limiting limiting = { .thread = thread, .flag = flag, .entries = entries };

	if (!thread)
		return 0;
	bpf_loop(ENTRIES_PER_HOOK, limit_entry, &limiting, 0);
	if (!limiting.stopped)
		return 0;
	if (flag == SELECTOR_LIMITED)
		COUNT(suppressed_limit, limiting.stopped);
	else
		COUNT(suppressed_dedupe, limiting.stopped);
	return 0;
}

#endif
