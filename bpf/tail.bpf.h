/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Texts that stand behind the path in a record and do not belong to the process: arguments, and the second text. */
#ifndef HASHTRAIL_TAIL_H
#define HASHTRAIL_TAIL_H

struct argument_count {
	struct scratch *slot;
	__u32 offset;
	__u32 limit;
	__s32 strings_left;
	__u32 bytes;
};

#define WORD_OF(byte) ((byte) * 0x0101010101010101ULL)

/* The highest bit of each byte that is 0. */
static __always_inline __u64 ends_in(__u64 word)
{
	return ~(((word & WORD_OF(0x7fULL)) + WORD_OF(0x7fULL)) | word | WORD_OF(0x7fULL));
}

/* A string ends with each 0; only in the word with the last one the bytes are looked at by themselves. */
static long count_argument_word(__u64 index, struct argument_count *count)
{
	__u32 position = index * sizeof(__u64), left = count->limit - position;
	__u64 word, ends;
	__s32 strings;
	int i;

	if (count->strings_left <= 0 || position >= count->limit)
		return 1;
	word = *(const __u64 *)(count->slot->tail + CLAMP(count->offset + position, TAIL_BYTES - sizeof(word)));
	/* Behind the limit stands what an earlier record left there. */
	if (left < sizeof(word))
		word |= ~0ULL << left * 8;
	ends = ends_in(word);
	strings = (ends >> 7) * WORD_OF(1ULL) >> 56;
	if (strings < count->strings_left) {
		count->strings_left -= strings;
		count->bytes = position + (left < sizeof(word) ? left : sizeof(word));
		return 0;
	}
	for (i = 0; i < (int)sizeof(word) && count->strings_left > 0; i++) {
		count->bytes = position + i + 1;
		count->strings_left -= ends >> (i * 8 + 7) & 1;
	}
	return 1;
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
		bpf_loop(ARGV_BYTES / sizeof(__u64), count_argument_word, &count, 0);
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
