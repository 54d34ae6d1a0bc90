/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading the kernel's structures. A pointer that the verifier knows by its type, an argument of a hook or the calling task
 * and what is reached from there, is followed by plain loads, which cost a tenth of a probe; a NULL on the way gives 0 either
 * way. It is known no more once it was a number, went through a map or through a function that is not static.
 */
#ifndef HASHTRAIL_LOAD_H
#define HASHTRAIL_LOAD_H

/* is_typed is constant, so that of the two ways one is left. */
#define READ(is_typed, from, ...) ((is_typed) ? ___arrow(from, __VA_ARGS__) : BPF_CORE_READ(from, __VA_ARGS__))

/* From 6.2 on. */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak;

/*
 * The same task for plain loads alone, which each look whether an address is the kernel's then. For each pointer that is read
 * from a task that it trusts, the verifier looks for types that say how much that one may be trusted, and compares the names
 * of all types of the kernel for it, on 6.12: too slow where much is read, and looked at again and again.
 */
static __noinline struct task_struct *untrusted_task(struct task_struct *task)
{
	return bpf_rdonly_cast ? bpf_rdonly_cast(task, bpf_core_type_id_kernel(struct task_struct)) : task;
}

#endif
