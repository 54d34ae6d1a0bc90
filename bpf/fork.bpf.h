/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A new process: it inherits what is known of its parent, and gets a row, so that process trees are complete. */
#ifndef HASHTRAIL_FORK_H
#define HASHTRAIL_FORK_H

static __always_inline void inherit(struct process *to, const struct process *from, struct task_struct *child)
{
	struct membership membership = { .task = child };
	int i;

	__builtin_memcpy(to, from, sizeof(*to));
	for (i = 0; i < PATH_SET_WORDS; i++)
		to->followed.word[i] |= from->binary.word[i];
	if (from->unknown)
		to->unknown |= UNKNOWN_FOLLOWED;
	/* The child's own number may be one that a policy names. */
	if (config.family_count) {
		bpf_loop(config.family_count, look_at_family, &membership, 0);
		to->families |= membership.families;
	}
}

static __always_inline void begin_fork(struct event *event, struct task_struct *child)
{
	__builtin_memset(event, 0, sizeof(*event));
	event->boot_ns = bpf_ktime_get_boot_ns();
	event->hook = HOOK_FORK;
	fill_task(event, child);
}

/* Without texts, in the memory of the thread that forks, where no hook runs now. */
static __always_inline void send_bare_fork(struct task_struct *parent, struct task_struct *child)
{
	struct thread *thread = bpf_task_storage_get(&threads, parent, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!thread) {
		COUNT(missed_no_memory, 1);
		return;
	}
	begin_fork(&thread->event, child);
	send(&thread->event, sizeof(thread->event));
}

/* The row's process is the child; it has no file. */
static __always_inline void send_fork(struct task_struct *parent, struct task_struct *child, const struct process *from)
{
	struct scratch *slot;
	struct event *event;
	__u32 bytes;

	if (is_recorder())
		return;
	slot = claim_scratch(bpf_ktime_get_boot_ns());
	if (!slot) {
		send_bare_fork(parent, child);
		return;
	}
	event = &slot->event;
	begin_fork(event, child);
	if (from) {
		event->exec_id = from->exec_id;
		bytes = CLAMP(from->exe_bytes, EXE_BYTES);
		bpf_probe_read_kernel(slot->tail, CLAMP(bytes, EXE_BYTES), from->exe);
		event->exe_bytes = bytes;
	}
	append_container(event, slot, cgroup_of(child));
	bytes = sizeof(*event) + event->exe_bytes + event->container_bytes;
	send(event, CLAMP(bytes, sizeof(*event) + EXE_BYTES + CONTAINER_BYTES));
	release_scratch(slot);
}

static __always_inline int follow_fork(struct task_struct *parent, struct task_struct *child, struct thread *thread)
{
	struct process *from, *to;

	if (child->pid != child->tgid || generation_that_records() != config.generation)
		return 0;
	/* At a reload the programs of two generations come by, the older first, and the switch can fall between them. */
	if (thread && thread->handled_generation)
		return 0;
	if (thread)
		thread->handled_generation = config.generation;
	from = known_process(false);
	/* What stands there for other policies is found again when the child is met; the look may not come by the child. */
	if (!from) {
		scan_is_incomplete = 1;
		from = process_of(bpf_get_current_task_btf(), false, 0);
	}
	if (from) {
		to = bpf_task_storage_get(&processes, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (to)
			inherit(to, from, child);
	}
	send_fork(parent, child, from);
	return 0;
}

/*
 * The memory of a new task is made here, where it cannot sleep. Made at a task's first event, 6.1.192 missed a third of
 * the calls of sixteen parallel workers; made here, none. The likely cause is the per-CPU lock of task storage, which up
 * to 6.1 is held over an allocation that can sleep.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	return follow_fork(parent, child, bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE));
}

/* Of 6.11. Task storage takes no lock of the scheduler for its memory since 6.4. */
extern void bpf_preempt_disable(void) __ksym __weak;

/*
 * From Linux 7 on a task can be preempted in the program above, and the kernel skips it for the forks of other tasks on that
 * CPU: one of twenty, with sixteen busy workers. This one comes next, holds a lock of the scheduler and so is never skipped.
 */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *child)
{
	if (!bpf_preempt_disable)
		return 0;
	return follow_fork(bpf_get_current_task_btf(), child,
			   bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE));
}

#endif
