/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Programs for hooks that a policy names and that have none of their own. User space gives each its hook before load. They
 * do not sleep, because most hooks do not allow it, and so take no digest.
 */
#ifndef HASHTRAIL_NAMED_HOOKS_H
#define HASHTRAIL_NAMED_HOOKS_H

#ifdef __TARGET_ARCH_x86
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;
#endif

static __always_inline bool is_in_interrupt(void)
{
#ifdef __TARGET_ARCH_x86
	if (&__preempt_count)
		return *(const int *)bpf_this_cpu_ptr(&__preempt_count) & IN_INTERRUPT;
	if (&pcpu_hot)
		return ((const struct pcpu_hot *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count & IN_INTERRUPT;
#endif
	return false;
}

/*
 * A packet that arrives interrupts whoever runs. That task did not make the call, and it may be inside another hook, with
 * its memory in use. Hooks with programs of their own may sleep, so none is called from there.
 */
static __always_inline bool is_interrupt(void)
{
	if (!is_in_interrupt())
		return false;
	if (generation_that_records() == config.generation)
		COUNT(missed_interrupt, 1);
	return true;
}

static __always_inline int record_named_hook(__u64 *ctx, __u32 place)
{
	struct thread *thread = is_interrupt() ? NULL : enter(ctx, HOOK_OTHER_0 + place);
	__u32 kind = config.other_kind[place];
	struct file *file;
	__u64 named;

	if (!thread)
		return 0;
	named = argument(ctx, config.other_argument[place]);
	if (named && kind == OTHER_PATH)
		return record_place(thread, (__u64)BPF_CORE_READ((struct path *)named, dentry),
				    (__u64)BPF_CORE_READ((struct path *)named, mnt));
	if (named && kind == OTHER_DENTRY)
		return record_place(thread, named, 0);
	file = kind == OTHER_FILE ? (void *)named : NULL;
	if (kind == OTHER_BINPRM)
		file = BPF_CORE_READ((struct linux_binprm *)named, file);
	return record_unhashed(thread, file);
}

#define OTHER(place)                                                                                                   \
	SEC("lsm/task_alloc")                                                                                          \
	int other_##place(__u64 *ctx)                                                                                  \
	{                                                                                                              \
		return bounded(record_named_hook(ctx, place));                                                         \
	}

OTHER(0)
OTHER(1)
OTHER(2)
OTHER(3)
OTHER(4)
OTHER(5)
OTHER(6)
OTHER(7)

#endif
