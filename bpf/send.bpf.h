/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A finished record into the ring of this CPU. */
#ifndef HASHTRAIL_SEND_H
#define HASHTRAIL_SEND_H

/* Opens and mappings leave the last eighth of a ring to execs, modules and changes, so that a flood of opens hides no exec. */
static __always_inline bool is_bulk(__u32 hook)
{
	switch (hook) {
	case HOOK_MMAP_FILE:
	case HOOK_FILE_MPROTECT:
	case HOOK_FILE_OPEN:
	case HOOK_FILE_POST_OPEN:
	case HOOK_FILE_LOCK:
	case HOOK_FILE_RECEIVE:
	case HOOK_LOADTEST_BULK:
		return true;
	}
	return hook >= HOOK_OTHER_0 && hook <= HOOK_OTHER_7;
}

/*
 * The sequence number is taken before the ring is tried, so a drop leaves a hole. The consumer is woken once when the
 * ring becomes half full; below that it polls.
 */
static __always_inline void send(struct event *event, __u32 bytes)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 half = config.ring_bytes / 2, used, flags;
	struct counters *own = own_counters();
	void *ring;

	if (!own)
		return;
	event->cpu = cpu;
	event->record_bytes = bytes;
	event->seq = __sync_fetch_and_add(&own->seq, 1);
	if (is_bulk(event->hook))
		event->flags |= EVENT_BULK;
	ring = bpf_map_lookup_elem(&rings, &cpu);
	if (!ring) {
		__sync_fetch_and_add(&own->dropped_no_ring, 1);
		note_loss(own, event->boot_ns);
		return;
	}
	used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	flags = used < half && used + bytes >= half ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
	if ((event->flags & EVENT_BULK && config.ring_bytes - used < config.ring_bytes / 8) ||
	    bpf_ringbuf_output(ring, event, bytes, flags)) {
		__sync_fetch_and_add(&own->dropped_ring_full, 1);
		note_loss(own, event->boot_ns);
	} else {
		__sync_fetch_and_add(&own->sent, 1);
	}
}

#endif
