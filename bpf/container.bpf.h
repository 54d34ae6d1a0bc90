/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The container that a process is in, told by the name of its cgroup. */
#ifndef HASHTRAIL_CONTAINER_H
#define HASHTRAIL_CONTAINER_H

static __always_inline struct kernfs_node *cgroup_of(struct task_struct *task)
{
	return task->cgroups->dfl_cgrp->kn;
}

/* An id of 64 hexadecimal digits, alone or with the runtime's name before or behind it, makes a cgroup one of a container. */
#define CONTAINER_ID_DIGITS 64
/* The helper that watches a container runs beside it, in a cgroup of its own: "-conmon-" as a number. */
#define CONMON 0x2d6e6f6d6e6f632dULL
/* Deeper than any path of cgroups: a process that may make some does not leave its container's by it. */
#define CGROUP_LEVELS 4096

struct cgroup_walk {
	struct kernfs_node *node;
	struct scratch *slot;
	__u32 offset; /* of the name in the slot's tail */
	__u32 start; /* of the digits that are looked at, in the name */
	__u32 bytes; /* of the name, once it is found to be a container's */
};

static __always_inline bool is_hex_digit(__u8 letter)
{
	return (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'f');
}

static __always_inline bool is_conmon(struct cgroup_walk *walk)
{
	__u64 before = 0;

	if (walk->start < sizeof(before))
		return false;
	bpf_probe_read_kernel(&before, sizeof(before),
			      walk->slot->tail + CLAMP(walk->offset + walk->start - sizeof(before), TAIL_BYTES - sizeof(before)));
	return before == CONMON;
}

/* Once for each letter, and for the end of the name. */
static long look_at_letter(__u64 place, struct cgroup_walk *walk)
{
	if (is_hex_digit(walk->slot->tail[CLAMP(walk->offset + (__u32)place, TAIL_BYTES - 1)]))
		return 0;
	if (place - walk->start == CONTAINER_ID_DIGITS && !is_conmon(walk)) {
		walk->bytes = 1;
		return 1;
	}
	walk->start = place + 1;
	return 0;
}

static long look_at_cgroup(__u64 level, struct cgroup_walk *walk)
{
	struct kernfs_node *node = walk->node;
	struct kernfs_node___rcu *newer = (void *)node;
	long bytes;

	if (!node)
		return 1;
	bytes = bpf_probe_read_kernel_str(walk->slot->tail + CLAMP(walk->offset, TAIL_BYTES - CONTAINER_BYTES),
					  CONTAINER_BYTES, node->name);
	if (bytes > CONTAINER_ID_DIGITS) {
		walk->start = unknown_zero;
		bpf_loop(CLAMP((__u32)bytes, CONTAINER_BYTES), look_at_letter, walk, 0);
		if (walk->bytes) {
			walk->bytes = bytes - 1;
			return 1;
		}
	}
	if (bpf_core_field_exists(node->parent))
		walk->node = node->parent;
	else
		walk->node = newer->__parent;
	return 0;
}

/* Behind all else: the name of the innermost cgroup that is a container's. */
static __always_inline void append_container(struct event *event, struct scratch *slot, struct kernfs_node *cgroup)
{
	struct cgroup_walk walk = { .slot = slot, .node = cgroup };

	if (!slot)
		return;
	walk.offset = event->path_bytes + event->exe_bytes + event->argv_bytes + event->target_bytes;
	bpf_loop(CGROUP_LEVELS, look_at_cgroup, &walk, 0);
	event->container_bytes = walk.bytes;
}

#endif
