/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who: the columns of the task that acts. */
#ifndef HASHTRAIL_TASK_H
#define HASHTRAIL_TASK_H

static __always_inline void fill_credentials(struct event *event, struct task_struct *task)
{
	const struct cred *cred = task->cred;

	event->uid = cred->uid.val;
	event->gid = cred->gid.val;
	event->euid = cred->euid.val;
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
	struct pid *pid = task->thread_pid;
	__u32 level = pid->level;
	struct upid *own;

	if (!level)
		return pid->numbers[0].ns->ns.inum;
	/* As a number: the verifier lets no pointer that it knows move by what it does not know. */
	own = (void *)BPF_CORE_READ(task, thread_pid) + bpf_core_field_offset(struct pid, numbers) +
	      level * bpf_core_type_size(struct upid);
	return BPF_CORE_READ(own, ns, ns.inum);
}

static __always_inline void copy_comm(char *to, struct task_struct *task)
{
	__u64 *words = (void *)to;

	_Static_assert(COMM_BYTES == sizeof(task->comm) && COMM_BYTES == 2 * sizeof(*words), "a name is two words");
	words[0] = *(const __u64 *)&task->comm[0];
	words[1] = *(const __u64 *)&task->comm[8];
}

static __always_inline void fill_task(struct event *event, struct task_struct *task)
{
	struct task_struct *parent = task->real_parent;
	struct inode *root;

	event->pid = task->tgid;
	event->tid = task->pid;
	event->ppid = parent->tgid;
	event->process_start_ns = task->group_leader->start_boottime;
	event->parent_start_ns = parent->group_leader->start_boottime;
	copy_comm(event->comm, task);
	copy_comm(event->parent_comm, parent);
	fill_credentials(event, task);
	root = task->fs->root.dentry->d_inode;
	event->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	event->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	event->pid_ns = pid_namespace_of(task);
	event->root_dev = root->i_sb->s_dev;
	event->root_ino = root->i_ino;
}

__noinline int fill_process(struct thread *thread)
{
	if (thread)
		fill_task(&thread->event, bpf_get_current_task_btf());
	return 0;
}

#endif
