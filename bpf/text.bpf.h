/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The sets that a text belongs to: whole texts, beginnings, ends and substrings. */
#ifndef HASHTRAIL_TEXT_H
#define HASHTRAIL_TEXT_H

struct text_look_up {
	struct scratch *slot;
	__u8 *text;
	struct path_sets *sets;
	struct text_index *index;
	__u32 text_offset; /* in the slot */
	__u32 bytes;
	__u32 state;
};

static __always_inline void add_sets(struct path_sets *sets, const struct path_sets *more)
{
	int i;

	if (!more)
		return;
	for (i = 0; i < PATH_SET_WORDS; i++)
		sets->word[i] |= more->word[i];
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first bytes of a text are its lowest ones");
_Static_assert(SIEVE_BITS == 1 << (64 - SIEVE_SHIFT), "the bits that are left have a place");

/* False where no text of this kind and length that begins so stands in a table. */
static __always_inline bool passes_sieve(struct text_look_up *look_up, __u32 kind, __u32 length, __u32 offset)
{
	__u64 first = *(__u64 *)(look_up->text + CLAMP(offset, PATH_BYTES));
	__u32 bit;

	if (length < sizeof(first))
		first &= (1ULL << length * 8) - 1;
	bit = (first ^ length ^ (__u64)kind << 32) * SIEVE_FACTOR >> SIEVE_SHIFT;
	return look_up->index->sieve[bit / 64] >> bit % 64 & 1;
}

/* What stands at an offset of the slot, as one affix of all. Few get here. */
__noinline int add_sets_of_affix(struct scratch *slot, struct path_sets *sets, __u32 kind, __u32 length, __u32 offset)
{
	struct affix_key *key;

	slot = slot ? same_slot(slot) : NULL;
	if (!slot || !sets)
		return 0;
	key = &slot->affix;
	__builtin_memset(key, 0, sizeof(*key));
	key->kind = kind;
	key->length = length;
	bpf_probe_read_kernel(key->bytes, CLAMP(length, AFFIX_BYTES), (__u8 *)slot + CLAMP(offset, sizeof(*slot) - AFFIX_BYTES));
	add_sets(sets, bpf_map_lookup_elem(&affixes, key));
	return 0;
}

static __always_inline void look_up_affix(struct text_look_up *look_up, __u32 kind, __u32 length, __u32 offset)
{
	if (length <= look_up->bytes && passes_sieve(look_up, kind, length, offset))
		add_sets_of_affix(look_up->slot, look_up->sets, kind, length, look_up->text_offset + offset);
}

static long look_up_prefix(__u64 index, struct text_look_up *look_up)
{
	__u32 length = look_up->index->prefix[index % PREFIX_LENGTHS];

	look_up_affix(look_up, AFFIX_PREFIX, length, 0);
	return 0;
}

static long look_up_postfix(__u64 index, struct text_look_up *look_up)
{
	__u32 length = look_up->index->postfix[index % POSTFIX_LENGTHS];

	look_up_affix(look_up, AFFIX_POSTFIX, length, look_up->bytes - length);
	return 0;
}

/* One byte of the text moves the state machine that finds all substrings in one pass. */
static long look_up_byte(__u64 index, struct text_look_up *look_up)
{
	struct substring_state *state = bpf_map_lookup_elem(&substring_states, &look_up->state);

	if (!state)
		return 1;
	look_up->state = state->next[look_up->text[CLAMP(index, PATH_BYTES - 1)]];
	state = bpf_map_lookup_elem(&substring_states, &look_up->state);
	if (state)
		add_sets(look_up->sets, &state->found);
	return 0;
}

static __always_inline void look_up_substrings(struct text_look_up *look_up, __u32 first_state)
{
	if (!first_state)
		return;
	look_up->state = first_state;
	bpf_loop(CLAMP(look_up->bytes, PATH_BYTES), look_up_byte, look_up, 0);
}

/* Whole texts are keys padded with zeros, in two sizes. */
static __always_inline void look_up_whole(struct text_look_up *look_up)
{
	__u32 bytes = look_up->bytes;
	__u64 length;

	if (!passes_sieve(look_up, AFFIX_WHOLE, bytes, 0))
		return;
	if (bytes <= SHORT_PATH_BYTES) {
		length = CLAMP(bytes, SHORT_PATH_BYTES);
		bpf_probe_read_kernel(look_up->text + length, CLAMP(SHORT_PATH_BYTES - length, SHORT_PATH_BYTES), zeros);
		add_sets(look_up->sets, bpf_map_lookup_elem(&short_paths, look_up->text));
	} else {
		length = CLAMP(bytes, PATH_BYTES);
		bpf_probe_read_kernel(look_up->text + length, CLAMP(PATH_BYTES - length, PATH_BYTES), zeros);
		add_sets(look_up->sets, bpf_map_lookup_elem(&long_paths, look_up->text));
	}
}

/* Of TAIL_TEXT or SECOND_TEXT. */
__noinline int find_sets(struct scratch *slot, struct path_sets *sets, __u32 text_offset, __u32 bytes)
{
	struct text_look_up look_up = { .sets = sets, .text_offset = text_offset, .bytes = bytes };
	__u32 key = 0;

	slot = slot ? same_slot(slot) : NULL;
	if (!slot || !sets)
		return 0;
	look_up.slot = slot;
	look_up.text = (__u8 *)slot + CLAMP(text_offset, TAIL_TEXT);
	__builtin_memset(sets, 0, sizeof(*sets));
	look_up.index = bpf_map_lookup_elem(&text_indexes, &key);
	if (!bytes || !look_up.index)
		return 0;
	look_up_whole(&look_up);
	bpf_loop(look_up.index->prefixes, look_up_prefix, &look_up, 0);
	bpf_loop(look_up.index->postfixes, look_up_postfix, &look_up, 0);
	look_up_substrings(&look_up, look_up.index->exact_state);
	look_up_substrings(&look_up, look_up.index->folded_state);
	return 0;
}

#endif
