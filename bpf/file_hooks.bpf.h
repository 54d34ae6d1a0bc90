/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The LSM hooks, one sleepable program each. Nothing is shared between tasks. */
#ifndef HASHTRAIL_FILE_HOOKS_H
#define HASHTRAIL_FILE_HOOKS_H

/* What a hook may return. An older kernel takes any number for a denial, a newer one wants to see the bounds. */
static __always_inline int bounded(int verdict)
{
	if (verdict > 0 || verdict < -MAX_ERRNO)
		return -EPERM;
	return verdict;
}

static __always_inline void begin_exec(struct thread *thread)
{
	__u32 key = 0;
	__u64 *last = bpf_map_lookup_elem(&last_exec_id, &key);

	thread->exec_id = last ? __sync_fetch_and_add(last, 1) + 1 : 0;
}

SEC("lsm.s/bprm_creds_for_exec")
int BPF_PROG(bprm_creds_for_exec, struct linux_binprm *bprm, int ret)
{
	struct thread *thread = enter(ctx, HOOK_BPRM_CREDS_FOR_EXEC);

	if (!thread)
		return 0;
	begin_exec(thread);
	thread->exec_begun = 1;
	return bounded(record_file(thread, bprm->file, NULL));
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct thread *thread;

	note_kernel_task();
	thread = enter(ctx, HOOK_BPRM_CHECK_SECURITY);
	if (!thread)
		return 0;
	/* A script's interpreter comes by as a second step of the same exec, with interp replaced. */
	if (bprm->interp == bprm->filename && !thread->exec_begun)
		begin_exec(thread);
	thread->exec_begun = 0;
	follow_thread(thread);
	return bounded(record_file(thread, bprm->file, NULL));
}

SEC("lsm.s/bprm_creds_from_file")
int BPF_PROG(bprm_creds_from_file, struct linux_binprm *bprm, struct file *file, int ret)
{
	struct thread *thread = enter(ctx, HOOK_BPRM_CREDS_FROM_FILE);

	return thread ? bounded(record_file(thread, file, NULL)) : 0;
}

SEC("lsm.s/bprm_committing_creds")
int BPF_PROG(bprm_committing_creds, struct linux_binprm *bprm)
{
	struct thread *thread = enter(ctx, HOOK_BPRM_COMMITTING_CREDS);

	if (thread)
		record_file(thread, bprm->file, NULL);
	return 0;
}

SEC("lsm.s/bprm_committed_creds")
int BPF_PROG(bprm_committed_creds, struct linux_binprm *bprm)
{
	struct thread *thread;

	add_execs_in_progress(1);
	thread = enter(ctx, HOOK_BPRM_COMMITTED_CREDS);
	if (thread)
		record_file(thread, bprm->file, bprm);
	add_execs_in_progress(-1);
	return 0;
}

SEC("lsm.s/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags, int ret)
{
	struct thread *thread = enter_gate(ctx, HOOK_MMAP_FILE, prot);
	__u64 raw_file = 0;

	if (!thread)
		return 0;
	/* NULL for anonymous memory, which the verifier of some kernels rules out: look at the number, not the pointer. */
	bpf_probe_read_kernel(&raw_file, sizeof(raw_file), ctx);
	thread->number[NUMBER_ARGUMENT_1] = reqprot;
	thread->number[NUMBER_ARGUMENT_2] = prot;
	thread->number[NUMBER_ARGUMENT_3] = flags;
	if (raw_file)
		return bounded(record_file(thread, file, NULL));
	return bounded(record_file(thread, NULL, NULL));
}

static __always_inline bool stops_at_open(__u32 hook, struct file *file)
{
	__u64 mask = config.gate[hook].mask;

	return stops_at_once(hook, mask ? open_mode_of(file, mask) : 0);
}

static __always_inline bool is_watched_open(__u32 hook, struct file *file)
{
	return hook == HOOK_FILE_OPEN && config.watches_writers && file->f_mode & FMODE_WRITE;
}

/* A function of its own: the programs themselves, which refuse most opens, then save no registers and have no stack. */
static __noinline int record_open(__u64 *ctx, struct file *file, __u32 hook, __u32 mask)
{
	__u64 repeats = config.gate[hook].repeats;
	struct thread *thread;
	int verdict;

	if (is_watched_open(hook, file)) {
		note_writer(file);
		if (stops_at_open(hook, file))
			return 0;
	}
	thread = enter_file(ctx, hook, file);
	if (!thread)
		return 0;
	thread->number[NUMBER_OPEN_MODE] = open_mode_of(file, ~0ULL);
	thread->number[NUMBER_ARGUMENT_1] = mask;
	if (repeats) {
		fill_repeat_key(&thread->repeat_key, thread, file, repeats);
		if (count_repeat(thread, file))
			return 0;
		thread->merging.rows = 0;
	}
	verdict = record_file(thread, file, NULL);
	if (repeats)
		note_repeat(thread, file);
	return bounded(verdict);
}

SEC("lsm.s/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	if (!is_watched_open(HOOK_FILE_OPEN, file) && stops_at_open(HOOK_FILE_OPEN, file))
		return 0;
	return record_open(ctx, file, HOOK_FILE_OPEN, 0);
}

SEC("lsm.s/file_post_open")
int BPF_PROG(file_post_open, struct file *file, int mask, int ret)
{
	return stops_at_open(HOOK_FILE_POST_OPEN, file) ? 0 : record_open(ctx, file, HOOK_FILE_POST_OPEN, mask);
}

SEC("lsm.s/kernel_read_file")
int BPF_PROG(kernel_read_file, struct file *file, int id, bool contents, int ret)
{
	struct thread *thread = enter(ctx, HOOK_KERNEL_READ_FILE);

	if (!thread)
		return 0;
	thread->number[NUMBER_ARGUMENT_1] = (__u32)id;
	thread->number[NUMBER_ARGUMENT_2] = contents;
	return bounded(record_file(thread, file, NULL));
}

SEC("lsm.s/file_lock")
int BPF_PROG(file_lock, struct file *file, unsigned int cmd, int ret)
{
	struct thread *thread = stops_at_once(HOOK_FILE_LOCK, ~0ULL) ? NULL : enter_file(ctx, HOOK_FILE_LOCK, file);

	if (!thread)
		return 0;
	thread->number[NUMBER_ARGUMENT_1] = cmd;
	return bounded(record_file(thread, file, NULL));
}

SEC("lsm.s/file_receive")
int BPF_PROG(file_receive, struct file *file, int ret)
{
	struct thread *thread = enter(ctx, HOOK_FILE_RECEIVE);

	return thread ? bounded(record_file(thread, file, NULL)) : 0;
}

/* Memory of a file that was mapped otherwise becomes executable. The kernel holds the lock of all mappings of the process. */
SEC("lsm/file_mprotect")
int BPF_PROG(file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot, int ret)
{
	struct thread *thread = enter_gate(ctx, HOOK_FILE_MPROTECT, prot);

	if (!thread)
		return 0;
	thread->number[NUMBER_ARGUMENT_1] = reqprot;
	thread->number[NUMBER_ARGUMENT_2] = prot;
	return bounded(record_unhashed(thread, BPF_CORE_READ(vma, vm_file)));
}

/* The kernel takes a module or another image from the memory of a process: there is no file. */
SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_load_data, int id, bool contents, int ret)
{
	struct thread *thread = enter(ctx, HOOK_KERNEL_LOAD_DATA);

	if (!thread)
		return 0;
	thread->number[NUMBER_ARGUMENT_0] = (__u32)id;
	thread->number[NUMBER_ARGUMENT_1] = contents;
	return bounded(record_unhashed(thread, NULL));
}

/* The recorder locks a file of its own each second. Silence shows that programs do not run (ftrace_enabled=0, say). */
SEC("lsm.s/file_lock")
int BPF_PROG(canary, struct file *file, unsigned int cmd, int ret)
{
	if (is_recorder() && generation_that_records() == config.generation)
		COUNT(canaries, 1);
	return 0;
}

#endif
