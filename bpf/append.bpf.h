/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Texts that stand behind the path in a record and do not belong to the process: arguments, and the second text. */
#ifndef HASHTRAIL_APPEND_H
#define HASHTRAIL_APPEND_H

struct argument_count {
	struct scratch *slot;
	__u32 offset;
	__u32 limit;
	__s32 strings_left;
	__u32 bytes;
};

static long count_argument_byte(__u64 index, struct argument_count *count)
{
	__u64 position = count->offset + index;

	if (count->strings_left <= 0 || index >= count->limit)
		return 1;
	count->bytes = index + 1;
	if (!count->slot->tail[CLAMP(position, TAIL_BYTES - 1)])
		count->strings_left--;
	return 0;
}

/* Reading them into a slot must not wait for memory that was swapped out: whoever made it so decides how long that takes. */
static __always_inline void touch_arguments(struct linux_binprm *bprm)
{
	__u64 first = bprm->p, end = bprm->exec;
	__u8 byte;
	int page;

	for (page = 0; page <= ARGV_BYTES >> 12; page++)
		if (first + (page << 12) < end)
			bpf_copy_from_user(&byte, sizeof(byte), (void *)(first + (page << 12)));
}

/*
 * mm->arg_start is not yet set here: argc strings stand between bprm->p and bprm->exec, then the environment, which is
 * not recorded.
 */
static __noinline int append_arguments(struct thread *thread, struct scratch *slot, struct linux_binprm *bprm)
{
	struct argument_count count = { .slot = slot };
	struct event *event;
	__u64 available;

	if (!thread || !bprm)
		return 0;
	event = &thread->event;
	event->argc = bprm->argc;
	available = CLAMP(bprm->exec - bprm->p, ARGV_BYTES);
	count.offset = event->path_bytes + event->exe_bytes;
	count.strings_left = event->argc;
	if (slot && !bpf_probe_read_user(slot->tail + CLAMP(count.offset, PATH_BYTES + EXE_BYTES),
					 CLAMP(available, ARGV_BYTES), (void *)bprm->p)) {
		count.limit = available;
		bpf_loop(ARGV_BYTES, count_argument_byte, &count, 0);
	}
	event->argv_bytes = count.bytes;
	if (count.strings_left > 0)
		event->flags |= EVENT_ARGV_TRUNCATED;
	return 0;
}

/* The target stood aside until now, because the path's length was not known; without arguments it comes next. */
__noinline int append_target(struct thread *thread, struct scratch *slot)
{
	__u32 offset, bytes;

	if (!thread || !slot || !thread->event.target_bytes)
		return 0;
	offset = thread->event.path_bytes + thread->event.exe_bytes;
	bytes = thread->event.target_bytes;
	bpf_probe_read_kernel(slot->tail + CLAMP(offset, PATH_BYTES + EXE_BYTES), CLAMP(bytes, PATH_BYTES), slot->second);
	return 0;
}

static __always_inline void copy_attribute_name(struct thread *thread, struct scratch *slot)
{
	long bytes;

	if (!slot)
		return;
	bytes = bpf_probe_read_kernel_str(slot->second, 256, (void *)thread->attribute_name);
	thread->event.target_bytes = bytes > 1 ? bytes - 1 : 0;
}

#endif
