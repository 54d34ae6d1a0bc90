/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The LSM hooks, one sleepable program each: cheap filters, path, filters on the path, digest, record, ring. Nothing is
 * shared between tasks. The digest comes first and the ring last: a reservation held over a hash would block the ring.
 */
#ifndef HASHTRAIL_HOOKS_H
#define HASHTRAIL_HOOKS_H

/* The thread's memory, made ready for one call; NULL where the call is not to be recorded. */
static __noinline struct thread *enter(__u32 hook)
{
	struct thread *thread;

	if (stopped)
		return NULL;
	if (bpf_get_current_pid_tgid() >> 32 == config.recorder_tgid) {
		COUNT(own_calls, 1);
		return NULL;
	}
	thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		COUNT(missed_no_memory, 1);
		return NULL;
	}
	if (thread->calling_ima || thread->hashing) {
		COUNT(missed_nested, 1);
		return NULL;
	}
	thread->hook = hook;
	thread->matched_entries = thread->decided_entries = thread->wants_digest = thread->open_mode = 0;
	__builtin_memset(thread->argument, 0, sizeof(thread->argument));
	__builtin_memset(&thread->path, 0, sizeof(thread->path));
	__builtin_memset(&thread->binary, 0, sizeof(thread->binary));
	__builtin_memset(&thread->event, 0, sizeof(thread->event));
	thread->event.boot_ns = bpf_ktime_get_boot_ns();
	thread->event.hook = hook;
	return thread;
}

static __always_inline void find_binary(struct thread *thread)
{
	struct process *process = process_of(bpf_get_current_task_btf(), 0);

	if (process)
		thread->binary = process->binary;
}

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
	if (slot && !bpf_copy_from_user(slot->tail + CLAMP(count.offset, PATH_BYTES + EXE_BYTES),
					CLAMP(available, ARGV_BYTES), (void *)bprm->p)) {
		count.limit = available;
		bpf_loop(ARGV_BYTES, count_argument_byte, &count, 0);
	}
	event->argv_bytes = count.bytes;
	if (count.strings_left > 0)
		event->flags |= EVENT_ARGV_TRUNCATED;
	return 0;
}

/* One row for each entry that matched; all share the digest. */
struct rows {
	struct thread *thread;
	struct scratch *slot;
	__u32 bytes;
};

static long send_matched_entry(__u64 entry, struct rows *rows)
{
	struct thread *thread = rows->thread;
	struct event *event = &thread->event;

	if (entry >= ENTRIES_PER_HOOK)
		return 1;
	if (!(thread->matched_entries >> entry & 1))
		return 0;
	event->entry = thread->id_of_entry[entry];
	event->selector = thread->selector_of_entry[entry];
	if (rows->slot) {
		rows->slot->event = *event;
		send(&rows->slot->event, CLAMP(rows->bytes, sizeof(struct event) + TAIL_BYTES));
	} else {
		send(event, sizeof(*event));
	}
	return 0;
}

static __noinline int send_rows(struct thread *thread, struct scratch *slot)
{
	struct rows rows = { .thread = thread, .slot = slot };
	struct event *event;

	if (!thread)
		return 0;
	event = &thread->event;
	rows.bytes = sizeof(*event) + event->path_bytes + event->exe_bytes + event->argv_bytes;
	bpf_loop(ENTRIES_PER_HOOK, send_matched_entry, &rows, 0);
	return 0;
}

/* From the path on, for every hook. bprm is given where the exec has succeeded. */
static __always_inline void record(struct thread *thread, struct file *file, struct linux_binprm *committed)
{
	struct scratch *slot;

	if (!committed && !could_match(thread)) {
		COUNT(filtered, 1);
		return;
	}
	slot = claim_scratch();
	resolve_path(thread, slot, file);
	find_path_sets(slot, &thread->path, thread->event.path_bytes);
	if (committed)
		remember_binary(thread, slot);
	if (match(thread)) {
		fill_process(thread);
		if (file)
			fill_file(&thread->event, file);
		if (thread->wants_digest)
			take_digest(thread, file);
		append_exe(thread, slot);
		if (committed)
			append_arguments(thread, slot, committed);
		send_rows(thread, slot);
	} else {
		COUNT(filtered, 1);
	}
	release_scratch(slot);
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct thread *thread = enter(HOOK_BPRM_CHECK_SECURITY);

	if (!thread)
		return ret;
	/* A script's interpreter comes by as a second step of the same exec, with interp replaced. */
	if (bprm->interp == bprm->filename)
		thread->exec_id = __sync_fetch_and_add(&last_exec_id, 1) + 1;
	thread->event.exec_id = thread->exec_id;
	find_binary(thread);
	record(thread, bprm->file, NULL);
	return ret;
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct thread *thread = enter(HOOK_BPRM_COMMITTED_CREDS);

	if (!thread)
		return 0;
	thread->event.exec_id = thread->exec_id;
	find_binary(thread);
	record(thread, bprm->file, bprm);
	return 0;
}

SEC("lsm.s/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags, int ret)
{
	struct thread *thread = enter(HOOK_MMAP_FILE);
	__u64 raw_file = 0;

	if (!thread)
		return ret;
	/* NULL for anonymous memory, which the verifier of some kernels rules out: look at the number, not the pointer. */
	bpf_probe_read_kernel(&raw_file, sizeof(raw_file), ctx);
	thread->event.mmap_prot = prot;
	thread->argument[1] = reqprot;
	thread->argument[2] = prot;
	thread->argument[3] = flags;
	find_binary(thread);
	if (raw_file)
		record(thread, file, NULL);
	else
		record(thread, NULL, NULL);
	return ret;
}

SEC("lsm.s/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	struct thread *thread = enter(HOOK_FILE_OPEN);

	if (!thread)
		return ret;
	thread->open_mode = open_mode_of(file);
	find_binary(thread);
	record(thread, file, NULL);
	return ret;
}

SEC("lsm.s/file_post_open")
int BPF_PROG(file_post_open, struct file *file, int mask, int ret)
{
	struct thread *thread = enter(HOOK_FILE_POST_OPEN);

	if (!thread)
		return ret;
	thread->open_mode = open_mode_of(file);
	thread->argument[1] = mask;
	find_binary(thread);
	record(thread, file, NULL);
	return ret;
}

SEC("lsm.s/kernel_read_file")
int BPF_PROG(kernel_read_file, struct file *file, int id, bool contents, int ret)
{
	struct thread *thread = enter(HOOK_KERNEL_READ_FILE);

	if (!thread)
		return ret;
	thread->argument[1] = id;
	thread->argument[2] = contents;
	find_binary(thread);
	record(thread, file, NULL);
	return ret;
}

/* The recorder locks a file of its own each second. Silence shows that programs do not run (ftrace_enabled=0, say). */
SEC("lsm.s/file_lock")
int BPF_PROG(canary, struct file *file, unsigned int cmd, int ret)
{
	if (bpf_get_current_pid_tgid() >> 32 == config.recorder_tgid)
		COUNT(canaries, 1);
	return ret;
}

#endif
