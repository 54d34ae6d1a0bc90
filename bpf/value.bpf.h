/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Values of a call beyond those that each hook's program gives: other arguments, and what a walk through the kernel's structures
 * leads to. User space finds the offsets in the kernel's BTF; a table of reads is interpreted here. What cannot be read, a
 * NULL on the way among it, is unknown, and filters on it are undecided.
 */
#ifndef HASHTRAIL_VALUE_H
#define HASHTRAIL_VALUE_H

/* Arguments of a hook in its own order that a walk can begin at. */
#define VALUE_ARGUMENTS 5

/* Beside a thread's own memory, because only policies that ask for values need it. */
struct call_values {
	__u64 argument[VALUE_ARGUMENTS];
	__u64 number[HOOK_VALUES]; /* a text's hash where there are rate limits */
	struct path_sets sets[HOOK_VALUES];
	__u32 unknown; /* bits of the values that could not be read */
	__u32 absent; /* and of those that there is nothing of: an address of a family that has none */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call_values);
} call_values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set before load */
	__type(key, __u32);
	__type(value, struct value);
} value_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set before load */
	__type(key, __u32);
	__type(value, struct network);
} networks SEC(".maps");

/* include/linux/socket.h, include/uapi/linux/in.h, in6.h: as much of an address as filters are about. */
#define AF_INET 2
#define AF_INET6 10
struct socket_address {
	__u16 family;
	__u8 port[2];
	__u8 v4[4];
	__u8 v6[16];
};
_Static_assert(sizeof(struct socket_address) == 24, "up to the end of the address of IPv6");

static __always_inline struct call_values *values_of_call(__u64 flags)
{
	return bpf_task_storage_get(&call_values, bpf_get_current_task_btf(), NULL, flags);
}

/* As a number, because the functions that the verifier looks at once take no pointers of the kernel's. */
static __always_inline __u64 argument(__u64 *ctx, __u32 place)
{
	__u64 value = 0;

	bpf_get_func_arg(ctx, place, &value);
	return value;
}

/* Where there is no memory, no value of the call is known. */
static __always_inline void keep_arguments(struct thread *thread, __u64 *ctx, __u32 hook)
{
	struct call_values *values;
	int i;

	if (!config.gate[hook].has_values)
		return;
	values = values_of_call(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!values) {
		thread->unknown_texts |= UNKNOWN_VALUES;
		return;
	}
	values->unknown = values->absent = 0;
	for (i = 0; i < VALUE_ARGUMENTS; i++)
		values->argument[i] = argument(ctx, i);
}

/* Each pointer on the way is read where the last one led to, at its offset. */
static __always_inline bool follow(const struct value *value, __u64 *address)
{
	int i;

	for (i = 0; i < VALUE_READS; i++) {
		if (!*address)
			return false;
		if (i >= value->reads)
			break;
		if (bpf_probe_read_kernel(address, sizeof(*address), (void *)*address + value->offset[i]))
			return false;
	}
	*address += value->last_offset;
	return true;
}

static __always_inline bool read_number(const struct value *value, __u64 address, __u64 *number)
{
	if (value->is_direct) {
		*number = address;
	} else {
		*number = 0;
		if (bpf_probe_read_kernel(number, CLAMP(value->bytes, sizeof(*number)), (void *)address))
			return false;
	}
	*number <<= value->left % 64;
	if (value->is_signed)
		*number = (__s64)*number >> value->right % 64;
	else
		*number >>= value->right % 64;
	*number &= value->mask;
	if (value->is_big_endian)
		*number = __builtin_bswap16(*number);
	return true;
}

static __always_inline __u64 big_endian(const __u8 *bytes, __u32 count)
{
	__u64 number = 0;
	__u32 i;

	for (i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* The two halves of an address, of IPv4 as those of the IPv6 address that it is mapped to. */
static __always_inline bool split_address(const struct socket_address *address, __u64 *high, __u64 *low)
{
	if (address->family == AF_INET6) {
		*high = big_endian(address->v6, 8);
		*low = big_endian(address->v6 + 8, 8);
		return true;
	}
	*high = 0;
	*low = 0xffffULL << 32 | big_endian(address->v4, 4);
	return address->family == AF_INET;
}

/* The first bytes that are needed of what the caller gave, and no more than it gave: the rest is what stood there before. */
static __always_inline void read_address(struct call_values *values, const struct value *value, __u64 from, __u32 place)
{
	struct socket_address address = {};
	__u32 next = (place + 1) % HOOK_VALUES, needed = 2, given = sizeof(address);
	__u64 high, low;

	if (value->length_argument < VALUE_ARGUMENTS)
		given = values->argument[value->length_argument];
	if ((__s32)given < 2 || bpf_probe_read_kernel(&address, CLAMP(given, sizeof(address)), (void *)from)) {
		values->unknown |= 1 << place;
		return;
	}
	values->number[place] = address.family;
	if (value->kind == VALUE_FAMILY)
		return;
	if (!split_address(&address, &high, &low)) {
		values->absent |= 1 << place;
		return;
	}
	needed = value->kind == VALUE_PORT ? 4 : address.family == AF_INET ? 8 : 24;
	if ((__s32)given < (__s32)needed)
		values->unknown |= 1 << place;
	values->number[place] = value->kind == VALUE_PORT ? big_endian(address.port, 2) : high;
	if (value->kind == VALUE_ADDRESS)
		values->number[next] = low;
}

static __always_inline __u64 start_of(struct call_values *values, const struct value *value)
{
	if (value->start < VALUE_ARGUMENTS)
		return values->argument[value->start];
	return (__u64)bpf_get_current_task();
}

/* All but texts. Not static, so that the verifier looks at it once. */
__noinline int read_value(struct call_values *values, struct scratch *slot, __u32 row, __u32 place)
{
	struct value *value = bpf_map_lookup_elem(&value_table, &row);
	__u64 address, number;

	place %= HOOK_VALUES;
	if (!values || !value || value->kind == VALUE_TEXT || value->kind == VALUE_NONE)
		return 0;
	address = start_of(values, value);
	if (!value->is_direct && !follow(value, &address)) {
		values->unknown |= 1 << place;
		return 0;
	}
	if (value->kind != VALUE_NUMBER) {
		read_address(values, value, address, place);
		return 0;
	}
	if (!read_number(value, address, &number))
		values->unknown |= 1 << place;
	values->number[place] = number;
	return 0;
}

/* Reads one value, where it is of the kind that it is for. */
typedef int (*value_reader)(struct call_values *values, struct scratch *slot, __u32 row, __u32 place);

static __always_inline void read_each_value(struct thread *thread, struct hook_policy *policy, struct scratch *slot,
					    value_reader read)
{
	struct call_values *values = values_of_call(0);
	__u32 i;

	if (!values) {
		thread->unknown_texts |= UNKNOWN_VALUES;
		return;
	}
	for (i = 0; i < HOOK_VALUES; i++) {
		if (i >= policy->value_count)
			break;
		read(values, slot, policy->first_value + i, i);
	}
}

/* What needs no slot. */
static __always_inline void read_values(struct thread *thread, struct hook_policy *policy)
{
	read_each_value(thread, policy, NULL, read_value);
}

static __always_inline bool is_mapped(__u64 high, __u64 low)
{
	return !high && low >> 32 == 0xffff;
}

struct network_search {
	__u64 high;
	__u64 low;
	__u32 first;
	bool found;
};

static long look_at_network(__u64 index, struct network_search *search)
{
	__u32 row = search->first + index;
	struct network *network = bpf_map_lookup_elem(&networks, &row);

	if (!network)
		return 1;
	/* A network of IPv6 holds no address of IPv4, however few of its bits count. */
	search->found = (search->high & network->high_mask) == network->high && (search->low & network->low_mask) == network->low &&
			is_mapped(search->high, search->low) == is_mapped(network->high, network->low);
	return search->found;
}

/* Those of a step. */
static __always_inline bool is_in_networks(const struct step *step, struct call_values *values, __u32 place)
{
	struct network_search search = {
		.high = values->number[place],
		.low = values->number[(place + 1) % HOOK_VALUES],
		.first = step->first,
	};

	bpf_loop(step->count, look_at_network, &search, 0);
	return search.found;
}

#endif
