/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who: the columns of the process, and what an exec leaves behind for its later events. */
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
	find_sets_of_tail(slot, binary, bytes);
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
	struct inode *root;

	event->pid = task->tgid;
	event->tid = task->pid;
	event->ppid = task->real_parent->tgid;
	event->process_start_ns = task->group_leader->start_boottime;
	event->parent_start_ns = task->real_parent->group_leader->start_boottime;
	copy_comm(event->comm, task);
	copy_comm(event->parent_comm, task->real_parent);
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

static __always_inline struct kernfs_node *cgroup_of(struct task_struct *task)
{
	return task->cgroups->dfl_cgrp->kn;
}

/* An id of 64 hexadecimal digits, alone or with the runtime's name before or behind it, makes a cgroup one of a container. */
#define CONTAINER_ID_DIGITS 64
/* The helper that watches a container runs beside it, in a cgroup of its own: "-conmon-" as a number. */
#define CONMON 0x2d6e6f6d6e6f632dULL
/* Deeper than any path of cgroups: a process that may make some does not leave its container's by it. */
#define CGROUP_LEVELS 4096

struct cgroup_walk {
	struct kernfs_node *node;
	struct scratch *slot;
	__u32 offset; /* of the name in the slot's tail */
	__u32 start; /* of the digits that are looked at, in the name */
	__u32 bytes; /* of the name, once it is found to be a container's */
};

static __always_inline bool is_hex_digit(__u8 letter)
{
	return (letter >= '0' && letter <= '9') || ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'f');
}

static __always_inline bool is_conmon(struct cgroup_walk *walk)
{
	__u64 before = 0;

	if (walk->start < sizeof(before))
		return false;
	bpf_probe_read_kernel(&before, sizeof(before),
			      walk->slot->tail + CLAMP(walk->offset + walk->start - sizeof(before), TAIL_BYTES - sizeof(before)));
	return before == CONMON;
}

/* Once for each letter, and for the end of the name. */
static long look_at_letter(__u64 place, struct cgroup_walk *walk)
{
	if (is_hex_digit(walk->slot->tail[CLAMP(walk->offset + (__u32)place, TAIL_BYTES - 1)]))
		return 0;
	if (place - walk->start == CONTAINER_ID_DIGITS && !is_conmon(walk)) {
		walk->bytes = 1;
		return 1;
	}
	walk->start = place + 1;
	return 0;
}

static long look_at_cgroup(__u64 level, struct cgroup_walk *walk)
{
	struct kernfs_node *node = walk->node;
	struct kernfs_node___rcu *newer = (void *)node;
	long bytes;

	if (!node)
		return 1;
	bytes = bpf_probe_read_kernel_str(walk->slot->tail + CLAMP(walk->offset, TAIL_BYTES - CONTAINER_BYTES),
					  CONTAINER_BYTES, node->name);
	if (bytes > CONTAINER_ID_DIGITS) {
		walk->start = unknown_zero;
		bpf_loop(CLAMP((__u32)bytes, CONTAINER_BYTES), look_at_letter, walk, 0);
		if (walk->bytes) {
			walk->bytes = bytes - 1;
			return 1;
		}
	}
	if (bpf_core_field_exists(node->parent))
		walk->node = node->parent;
	else
		walk->node = newer->__parent;
	return 0;
}

/* Behind all else: the name of the innermost cgroup that is a container's. */
static __always_inline void append_container(struct event *event, struct scratch *slot, struct kernfs_node *cgroup)
{
	struct cgroup_walk walk = { .slot = slot, .node = cgroup };

	if (!slot)
		return;
	walk.offset = event->path_bytes + event->exe_bytes + event->argv_bytes + event->target_bytes;
	bpf_loop(CGROUP_LEVELS, look_at_cgroup, &walk, 0);
	event->container_bytes = walk.bytes;
}

#endif
