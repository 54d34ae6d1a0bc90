/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One call of a hook: whether it is looked at, and what the cheap filters need. */
#ifndef HASHTRAIL_CALL_H
#define HASHTRAIL_CALL_H

static __always_inline bool is_recorder(void)
{
	return bpf_get_current_pid_tgid() >> 32 == config.recorder_tgid;
}

/*
 * At a reload the programs of two generations are attached, and the newer ones run first. Each call is taken by exactly
 * one of them: by the newer once that is the one that records, else by the older.
 */
static __always_inline bool is_taken(struct thread *thread, __u32 recording)
{
	if (recording < config.generation)
		return true;
	if (recording == config.generation) {
		thread->handled_generation = config.generation;
		return false;
	}
	return thread->handled_generation > config.generation;
}

/*
 * Most calls of a frequent hook are refused by one mask, such as opens that do not write, or because nobody runs a binary that
 * is asked for: that is asked before anything else is looked at, and not even counted: a count is a tenth of what such
 * a call costs.
 */
static __always_inline bool stops_at_once(__u32 hook, __u64 number)
{
	__u64 mask = config.gate[hook].mask;

	return (mask && !(mask & number)) || asked_binary[hook] == ASKED_BINARY_ABSENT;
}

/* Whether no binary that is asked for is the calling one, an ancestor's, or what the process ran before. */
static __always_inline bool stops_at_binary(__u32 hook)
{
	__u64 common = 0, any = 0;
	struct process *process;
	int i;

	for (i = 0; i < PATH_SET_WORDS; i++)
		any |= config.gate[hook].binaries.word[i];
	if (!any)
		return false;
	process = process_of(bpf_get_current_task_btf(), false, 0);
	/* Up to 6.1 it may only be busy; then that of the thread mostly is too, and the call is counted as missed. */
	if (!process)
		return false;
	for (i = 0; i < PATH_SET_WORDS; i++)
		common |= config.gate[hook].binaries.word[i] & (process->binary.word[i] | process->followed.word[i]);
	return !common && !process->unknown && process->generation == config.generation;
}

/* The thread's memory, made ready for one call; NULL where the call is not to be recorded. */
static __always_inline struct thread *enter_call(__u32 hook)
{
	struct thread *thread;
	__u32 recording = generation_that_records();

	if (!recording)
		return NULL;
	if (is_recorder()) {
		if (recording == config.generation)
			COUNT(own_calls, 1);
		return NULL;
	}
	thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!thread) {
		if (recording == config.generation)
			COUNT(missed_no_memory, 1);
		return NULL;
	}
	if (is_taken(thread, recording))
		return NULL;
	if (thread->calling_ima) {
		COUNT(missed_nested, 1);
		return NULL;
	}
	thread->hook = hook;
	thread->verdict = 0;
	thread->unknown_texts = 0;
	__builtin_memset(&thread->number[NUMBER_ARGUMENT_0], 0, LIMIT_ARGUMENTS * sizeof(thread->number[0]));
	return thread;
}

static __always_inline struct thread *enter_with_arguments(__u64 *ctx, __u32 hook)
{
	struct thread *thread = enter_call(hook);

	if (thread)
		keep_arguments(thread, ctx, hook);
	return thread;
}

static __always_inline struct thread *enter_gate(__u64 *ctx, __u32 hook, __u64 gate_number)
{
	return stops_at_once(hook, gate_number) || stops_at_binary(hook) ? NULL : enter_with_arguments(ctx, hook);
}

static __always_inline struct thread *enter(__u64 *ctx, __u32 hook)
{
	return enter_gate(ctx, hook, ~0ULL);
}

/* Once for each hash: a mark that was left behind hides nothing but a reading of that file. */
static __always_inline bool is_reopened_by_ima(struct thread *thread, struct file *file)
{
	if (thread->reopening != (__u64)file->f_inode || file->f_mode & FMODE_WRITE)
		return false;
	thread->reopening = 0;
	return true;
}

/* After stops_at_once. */
static __always_inline struct thread *enter_file(__u64 *ctx, __u32 hook, struct file *file)
{
	struct thread *thread;

	if (stops_at_binary(hook) || stops_at_directory(hook, file))
		return NULL;
	thread = enter_with_arguments(ctx, hook);
	if (thread && hook == HOOK_FILE_OPEN && is_reopened_by_ima(thread, file)) {
		COUNT(missed_nested, 1);
		return NULL;
	}
	return thread;
}

_Static_assert(NUMBER_ATTRIBUTES == NUMBER_ARGUMENT_0 + LIMIT_ARGUMENTS - 1, "arguments, open mode and attributes stand together");

static __always_inline __u64 capabilities_at(const struct cred *cred, __u64 offset)
{
	return *(const __u64 *)((const void *)cred + offset);
}

static __always_inline __u64 namespace_number(struct task_struct *task, __u32 number)
{
	switch (number) {
	case NUMBER_UTS_NS:
		return task->nsproxy->uts_ns->ns.inum;
	case NUMBER_IPC_NS:
		return task->nsproxy->ipc_ns->ns.inum;
	case NUMBER_MNT_NS:
		return task->nsproxy->mnt_ns->ns.inum;
	case NUMBER_PID_NS:
		return pid_namespace_of(task);
	case NUMBER_PID_FOR_CHILDREN_NS:
		return task->nsproxy->pid_ns_for_children->ns.inum;
	case NUMBER_NET_NS:
		return task->nsproxy->net_ns->ns.inum;
	case NUMBER_TIME_NS:
		return task->nsproxy->time_ns->ns.inum;
	case NUMBER_TIME_FOR_CHILDREN_NS:
		return task->nsproxy->time_ns_for_children->ns.inum;
	case NUMBER_CGROUP_NS:
		return task->nsproxy->cgroup_ns->ns.inum;
	}
	return task->cred->user_ns->ns.inum;
}

static __always_inline __u64 number_of(struct task_struct *task, __u32 number)
{
	const struct cred *cred = task->cred;

	switch (number) {
	case NUMBER_UID:
		return cred->uid.val;
	case NUMBER_EUID:
		return cred->euid.val;
	case NUMBER_AUID:
		if (!bpf_core_field_exists(task->loginuid))
			return (__u32)-1;
		return task->loginuid.val;
	case NUMBER_PID:
		return task->tgid;
	case NUMBER_NAMESPACE_PID:
		return namespace_pid_of(task->group_leader);
	case NUMBER_CAP_EFFECTIVE:
		return capabilities_at(cred, bpf_core_field_offset(struct cred, cap_effective));
	case NUMBER_CAP_INHERITABLE:
		return capabilities_at(cred, bpf_core_field_offset(struct cred, cap_inheritable));
	case NUMBER_CAP_PERMITTED:
		return capabilities_at(cred, bpf_core_field_offset(struct cred, cap_permitted));
	}
	return namespace_number(task, number);
}

struct numbers {
	struct thread *thread;
	struct hook_policy *policy;
};

static long fill_number(__u64 index, struct numbers *numbers)
{
	__u32 number = numbers->policy->number[index % sizeof(numbers->policy->number)];

	if (number < NUMBER_COUNT)
		numbers->thread->number[number] = number_of(untrusted_task(bpf_get_current_task_btf()), number);
	return 0;
}

/* Threads of the kernel have no binary. */
static __always_inline bool runs_a_program(bool parent)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return parent ? BPF_CORE_READ(task, real_parent, mm) : BPF_CORE_READ(task, mm);
}

/* The sets of the binary of the process, or of its parent, and of it and what came before it. Gives what is known of it. */
static __always_inline struct process *look_at_binary(struct thread *thread, bool parent, __u32 binary, __u32 followed)
{
	struct process *process = known_process(parent);
	int i;

	for (i = 0; i < PATH_SET_WORDS; i++) {
		thread->sets[binary].word[i] = process ? process->binary.word[i] : 0;
		thread->sets[followed].word[i] = process ? process->binary.word[i] | process->followed.word[i] : 0;
	}
	if (process ? process->unknown & UNKNOWN_BINARY : runs_a_program(parent))
		thread->unknown_texts |= 1 << binary | 1 << followed;
	else if (process && process->unknown)
		thread->unknown_texts |= 1 << followed;
	return process;
}

/* What the hook's steps ask of the process: its numbers, and the sets of its binary and its parent's. */
static __always_inline void look_at_process(struct thread *thread, struct hook_policy *policy)
{
	struct numbers numbers = { .thread = thread, .policy = policy };
	struct process *process;

	thread->families = 0;
	if (policy->number_count)
		bpf_loop(policy->number_count, fill_number, &numbers, 0);
	if (policy->needed_texts & (1 << TEXT_BINARY | 1 << TEXT_FOLLOWED) || config.family_count) {
		process = look_at_binary(thread, false, TEXT_BINARY, TEXT_FOLLOWED);
		if (process)
			thread->families = process->families;
		else
			thread->unknown_texts |= UNKNOWN_FAMILIES;
	}
	if (policy->needed_texts & (1 << TEXT_PARENT_BINARY | 1 << TEXT_PARENT_FOLLOWED))
		look_at_binary(thread, true, TEXT_PARENT_BINARY, TEXT_PARENT_FOLLOWED);
}

/* Whether any selector could match, whatever the path is: spares the path of what no policy asked for. */
static __always_inline bool could_match(struct thread *thread, struct inode *inode, bool is_typed)
{
	struct hook_policy *policy = policy_of(thread->hook);

	if (!policy || !policy->step_count)
		return false;
	thread->number[NUMBER_FILE_TYPE] = inode ? READ(is_typed, inode, i_mode) & S_IFMT : 0;
	look_at_process(thread, policy);
	if (config.has_values && policy->value_count)
		read_values(thread, policy);
	if (!policy->has_early_filters)
		return true;
	thread->decided = thread->matched = thread->acting = thread->undecided = 0;
	return evaluate(thread, PASS_CHEAP);
}

/* Names of processes are texts too; they pass through the slot before the path does. */
static __always_inline void look_at_comm(struct thread *thread, struct scratch *slot, struct task_struct *task, __u32 text)
{
	long bytes = bpf_probe_read_kernel_str(slot->second, COMM_BYTES, BPF_CORE_READ(task, comm));

	find_sets(slot, &thread->sets[text], SECOND_TEXT, bytes > 1 ? bytes - 1 : 0);
}

static __always_inline void look_at_comms(struct thread *thread, struct scratch *slot)
{
	struct hook_policy *policy = policy_of(thread->hook);
	struct task_struct *task = (void *)bpf_get_current_task(), *parent;

	if (!policy || !(policy->needed_texts >> TEXT_COMM))
		return;
	parent = BPF_CORE_READ(task, real_parent);
	look_at_comm(thread, slot, task, TEXT_COMM);
	look_at_comm(thread, slot, parent, TEXT_PARENT_COMM);
	look_at_comm(thread, slot, BPF_CORE_READ(parent, real_parent), TEXT_GRANDPARENT_COMM);
}
_Static_assert(TEXT_GRANDPARENT_COMM == TEXT_COUNT - 1, "the names of processes come last");

#endif
