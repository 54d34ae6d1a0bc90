/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The families that a process is of, by itself or by an ancestor that still runs. */
#ifndef HASHTRAIL_ANCESTRY_H
#define HASHTRAIL_ANCESTRY_H

struct ancestry {
	struct task_struct *task;
	struct family *family;
	bool found;
};

/* 0: of the host's namespace, as Tetragon has it. Else the host's own init would be what a policy means by pid 1. */
static __always_inline __u32 namespace_pid_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *numbers = (void *)pid + bpf_core_field_offset(struct pid, numbers);
	struct upid *own = (void *)numbers + level * bpf_core_type_size(struct upid);

	return level ? BPF_CORE_READ(own, nr) : 0;
}

static long look_at_ancestor(__u64 generation, struct ancestry *ancestry)
{
	struct task_struct *task = ancestry->task;
	__u32 pid, i;

	task = BPF_CORE_READ(task, group_leader);
	pid = BPF_CORE_READ(task, tgid);
	if (!pid)
		return 1;
	if (ancestry->family->is_namespace_pid)
		pid = namespace_pid_of(task);
	for (i = 0; i < 4; i++)
		ancestry->found |= i < ancestry->family->pid_count && ancestry->family->pid[i] == pid;
	ancestry->task = BPF_CORE_READ(task, real_parent);
	return ancestry->found;
}

/* The families that a task is of by itself or by an ancestor that still runs. */
struct membership {
	struct task_struct *task;
	__u64 families;
};

static long look_at_family(__u64 index, struct membership *membership)
{
	struct ancestry ancestry = { .task = membership->task };
	__u32 key = index;

	ancestry.family = bpf_map_lookup_elem(&families, &key);
	if (!ancestry.family)
		return 1;
	bpf_loop(1024, look_at_ancestor, &ancestry, 0);
	if (ancestry.found)
		membership->families |= 1ULL << (index % 64);
	return 0;
}

#endif
