/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is known of a process: what an exec leaves behind for its later events. */
#ifndef HASHTRAIL_PROCESS_H
#define HASHTRAIL_PROCESS_H

/* From 6.2 on the verifier lets a sleepable program use group_leader in an RCU section only; before, there is none. */
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;

/* The memory of the task itself, or of its parent. */
static __always_inline struct process *process_of(struct task_struct *task, bool parent, __u64 flags)
{
	struct process *process;

	if (bpf_rcu_read_lock)
		bpf_rcu_read_lock();
	if (parent)
		process = bpf_task_storage_get(&processes, task->real_parent->group_leader, NULL, flags);
	else
		process = bpf_task_storage_get(&processes, task->group_leader, NULL, flags);
	if (bpf_rcu_read_unlock)
		bpf_rcu_read_unlock();
	return process;
}

/* False where it cannot be told: of a longer path only the beginning is known. */
static __always_inline bool find_binary(struct scratch *slot, const struct process *process, struct path_sets *binary)
{
	__u32 bytes = CLAMP(process->exe_bytes, EXE_BYTES);

	if (process->is_kernel)
		return true;
	if (process->exe_truncated || !bytes) {
		note_unknown_binary();
		return false;
	}
	bpf_probe_read_kernel(slot->tail, CLAMP(bytes, EXE_BYTES), process->exe);
	find_sets(slot, binary, TAIL_TEXT, bytes);
	note_binary(binary);
	return true;
}

/*
 * A process that the programs of this generation meet for the first time: its sets and families under their policies. Its
 * other threads and its children may look at it meanwhile, so the sets are found aside.
 */
__noinline int classify_process(struct scratch *slot, struct process *process, __u64 task)
{
	struct membership membership = { .task = (void *)task };
	struct path_sets binary = {};

	if (!slot || !process)
		return 0;
	/* What it ran before these policies is not followed. */
	process->unknown = find_binary(slot, process, &binary) ? 0 : UNKNOWN_BINARY;
	process->binary = binary;
	__builtin_memset(&process->followed, 0, sizeof(process->followed));
	/* Asked, because 6.12 refuses a program with a loop that it knows never to run. */
	if (config.family_count)
		bpf_loop(config.family_count, look_at_family, &membership, 0);
	process->families = membership.families;
	process->generation = config.generation;
	return 0;
}

/*
 * The memory of the calling process (or its parent), with sets that fit the policies of this generation. Those of another
 * one have other numbers and would match anything, so without a slot to find them in the process is not known.
 */
static __always_inline struct process *known_process(bool parent)
{
	struct process *process = process_of(bpf_get_current_task_btf(), parent, 0);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct scratch *slot;

	if (!process || process->generation == config.generation)
		return process;
	slot = claim_scratch(bpf_ktime_get_boot_ns());
	if (!slot)
		return NULL;
	if (parent)
		task = BPF_CORE_READ(task, real_parent);
	classify_process(slot, process, (__u64)task);
	release_scratch(slot);
	return process;
}

/* Copies the path of the running binary behind the record's path, and the exec that it began with. */
static __noinline int append_exe(struct thread *thread, struct scratch *slot)
{
	struct process *process = process_of(bpf_get_current_task_btf(), false, 0);
	struct event *event;
	__u32 bytes;

	if (!thread || !process)
		return 0;
	event = &thread->event;
	if (!event->exec_id)
		event->exec_id = process->exec_id;
	if (process->exe_truncated)
		event->flags |= EVENT_EXE_TRUNCATED;
	if (!slot)
		return 0;
	bytes = CLAMP(process->exe_bytes, EXE_BYTES);
	bpf_probe_read_kernel(slot->tail + CLAMP(event->path_bytes, PATH_BYTES), CLAMP(bytes, EXE_BYTES), process->exe);
	event->exe_bytes = bytes;
	return 0;
}

/*
 * At a successful exec: the path that stands in the slot is the process's binary from now on. What ran in the process before
 * is followed like an ancestor: a shell often execs its last command without a fork.
 */
static __noinline int remember_binary(struct thread *thread, struct scratch *slot)
{
	struct process *process = known_process(false);
	__u32 bytes;
	int i;

	if (!process) {
		process = process_of(bpf_get_current_task_btf(), false, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (process)
			process->unknown = UNKNOWN_BINARY;
	}
	if (!thread || !process)
		return 0;
	for (i = 0; i < PATH_SET_WORDS; i++)
		process->followed.word[i] |= process->binary.word[i];
	process->unknown = process->unknown ? UNKNOWN_FOLLOWED : 0;
	process->is_kernel = 0;
	process->exec_id = thread->exec_id;
	process->binary = thread->sets[TEXT_PATH];
	note_binary(&thread->sets[TEXT_PATH]);
	/* The last name of a path that is too long would be taken for the whole. */
	if (!slot || thread->unknown_texts >> TEXT_PATH & 1) {
		process->exe_bytes = process->exe_truncated = 0;
		process->unknown |= UNKNOWN_BINARY;
		note_unknown_binary();
		return 0;
	}
	bytes = thread->event.path_bytes;
	process->exe_truncated = bytes > EXE_BYTES - 1;
	bytes = CLAMP(bytes, EXE_BYTES - 1);
	bpf_probe_read_kernel(process->exe, CLAMP(bytes, EXE_BYTES - 1), slot->tail);
	process->exe_bytes = bytes;
	return 0;
}

/* What the kernel starts by itself, a helper for a module or a core dump, runs no program before its first exec. */
static __always_inline void note_kernel_task(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process *process;

	if (task->mm)
		return;
	process = process_of(task, false, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (process && !process->exec_id && !process->exe_bytes)
		process->is_kernel = 1;
}

/* A thread that execs becomes the leader, of whom all is asked: what is known of the process has to be known of it. */
static __noinline int follow_thread(struct thread *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process *from, *to;

	if (!thread || task->pid == task->tgid)
		return 0;
	from = process_of(task, false, 0);
	to = from ? bpf_task_storage_get(&processes, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE) : NULL;
	if (to)
		__builtin_memcpy(to, from, sizeof(*to));
	return 0;
}

#endif
