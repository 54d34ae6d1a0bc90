/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who: the columns of the process, and what an exec leaves behind for its later events. */
#ifndef HASHTRAIL_PROCESS_H
#define HASHTRAIL_PROCESS_H

/* From 6.2 on the verifier lets a sleepable program use group_leader in an RCU section only; before, there is none. */
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;

static __always_inline struct process *process_of(struct task_struct *task, __u64 flags)
{
	struct process *process;

	if (bpf_rcu_read_lock)
		bpf_rcu_read_lock();
	process = bpf_task_storage_get(&processes, task->group_leader, NULL, flags);
	if (bpf_rcu_read_unlock)
		bpf_rcu_read_unlock();
	return process;
}

static __always_inline void fill_credentials(struct event *event, struct task_struct *task)
{
	event->uid = task->cred->uid.val;
	event->gid = task->cred->gid.val;
	event->euid = task->cred->euid.val;
	event->auid = (__u32)-1;
	event->session_id = (__u32)-1;
	/* CONFIG_AUDIT */
	if (bpf_core_field_exists(task->loginuid))
		event->auid = task->loginuid.val;
	if (bpf_core_field_exists(task->sessionid))
		event->session_id = task->sessionid;
}

static __always_inline __u32 pid_namespace_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *own = (void *)numbers + level * bpf_core_type_size(struct upid);

	return BPF_CORE_READ(own, ns, ns.inum);
}

static __noinline int fill_process(struct thread *thread)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct event *event;
	__u64 id = bpf_get_current_pid_tgid();

	if (!thread)
		return 0;
	event = &thread->event;
	event->pid = id >> 32;
	event->tid = id;
	event->ppid = task->real_parent->tgid;
	event->process_start_ns = task->group_leader->start_boottime;
	event->parent_start_ns = task->real_parent->group_leader->start_boottime;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->parent_comm, sizeof(event->parent_comm), task->real_parent->comm);
	fill_credentials(event, task);
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	event->pid_ns = pid_namespace_of(task);
	event->root_dev = BPF_CORE_READ(task, fs, root.dentry, d_inode, i_sb, s_dev);
	event->root_ino = BPF_CORE_READ(task, fs, root.dentry, d_inode, i_ino);
	return 0;
}

/* Copies the path of the running binary behind the record's path, and the exec that it began with. */
static __noinline int append_exe(struct thread *thread, struct scratch *slot)
{
	struct process *process = process_of(bpf_get_current_task_btf(), 0);
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

/* At a successful exec: the path that stands in the slot is the process's binary from now on. */
static __noinline int remember_binary(struct thread *thread, struct scratch *slot)
{
	struct process *process = process_of(bpf_get_current_task_btf(), BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u32 bytes;

	if (!thread || !process)
		return 0;
	__builtin_memset(process, 0, sizeof(*process));
	process->exec_id = thread->event.exec_id;
	process->binary = thread->path;
	if (!slot)
		return 0;
	bytes = thread->event.path_bytes;
	process->exe_truncated = bytes > EXE_BYTES - 1;
	bytes = CLAMP(bytes, EXE_BYTES - 1);
	bpf_probe_read_kernel(process->exe, CLAMP(bytes, EXE_BYTES - 1), slot->tail);
	process->exe_bytes = bytes;
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
	struct process *from, *to;

	bpf_task_storage_get(&threads, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (child->pid != child->tgid)
		return 0;
	from = process_of(parent, 0);
	if (!from)
		return 0;
	to = bpf_task_storage_get(&processes, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (to)
		__builtin_memcpy(to, from, sizeof(*to));
	return 0;
}

#endif
