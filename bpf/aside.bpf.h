/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A call over a hash. Whoever makes the kernel hash decides how long that takes, so the slot is given back before, and the
 * path stands aside in the memory of the thread. A path that is too long for that is built again.
 */
#ifndef HASHTRAIL_ASIDE_H
#define HASHTRAIL_ASIDE_H

__noinline int put_aside(struct thread *thread, struct scratch *slot)
{
	__u32 bytes;

	if (!thread || !slot)
		return 0;
	bytes = thread->event.path_bytes;
	if (bytes > ASIDE_PATH_BYTES)
		thread->aside_hash = hash_of(slot, TAIL_TEXT, bytes);
	else
		bpf_probe_read_kernel(thread->aside_path, CLAMP(bytes, ASIDE_PATH_BYTES), slot->tail);
	return 0;
}

/* A function of its own, so that the verifier sees the pointer checked that it knows. */
static __noinline int build_again(struct thread *thread, struct scratch *slot, struct path *path)
{
	struct event *event;
	__u32 bytes;

	if (!thread || !slot || !path)
		return 0;
	event = &thread->event;
	bytes = event->path_bytes;
	event->path_bytes = 0;
	resolve_path(event, slot, path);
	if (event->path_bytes != bytes || hash_of(slot, TAIL_TEXT, event->path_bytes) != thread->aside_hash)
		event->path_flags |= PATH_LATE;
	return 0;
}

/* The texts of the call in another slot; NULL where none is free. */
static __always_inline struct scratch *take_back(struct thread *thread, struct path *path)
{
	struct scratch *slot = claim_scratch(thread->event.boot_ns);
	struct event *event = &thread->event;

	if (!slot) {
		event->path_flags |= PATH_NO_SCRATCH;
		event->path_bytes = 0;
		return NULL;
	}
	if (event->path_bytes > ASIDE_PATH_BYTES)
		build_again(thread, slot, path);
	else
		bpf_probe_read_kernel(slot->tail, CLAMP(event->path_bytes, ASIDE_PATH_BYTES), thread->aside_path);
	return slot;
}

#endif
