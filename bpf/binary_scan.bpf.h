/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The look at the binaries of all that runs: an iterator that user space reads until a look was complete. */
#ifndef HASHTRAIL_BINARY_SCAN_H
#define HASHTRAIL_BINARY_SCAN_H

/* The kernel shows the processes of the reader's pid namespace only. */
static __always_inline void begin_scan(void)
{
	scan_is_incomplete = add_execs_in_progress(0) || namespace_pid_of(bpf_get_current_task_btf());
}

static long note_absent(__u64 hook, void *context)
{
	if (hook < HOOK_COUNT && common_bits(&config.gate[hook].binaries, &config.gate[hook].binaries))
		__sync_val_compare_and_swap(&asked_binary[hook], ASKED_BINARY_UNKNOWN, ASKED_BINARY_ABSENT);
	return 0;
}

/* Nearly each has memory; up to 6.1 it is not given while another task of this CPU is at its own. */
static __always_inline bool is_running_program(struct task_struct *task)
{
	return task->pid == task->tgid && !(task->flags & PF_KTHREAD) && BPF_CORE_READ(task, signal, live.counter) > 0;
}

static __always_inline void scan_task(struct task_struct *task)
{
	struct process *process = bpf_task_storage_get(&processes, task, NULL, 0);
	struct path_sets binary = {};
	struct scratch *slot;

	if (!process) {
		scan_is_incomplete |= is_running_program(task);
		return;
	}
	slot = claim_scratch(bpf_ktime_get_boot_ns());
	if (!slot) {
		scan_is_incomplete = 1;
		return;
	}
	if (!find_binary(slot, process, &binary))
		scan_is_incomplete = 1;
	release_scratch(slot);
}

/* Gives a byte at the end of a complete look. */
SEC("iter/task")
int running_binaries(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	if (!context->meta->seq_num)
		begin_scan();
	if (scan_is_incomplete)
		return 0;
	if (task) {
		scan_task(task);
	} else {
		bpf_loop(HOOK_COUNT, note_absent, NULL, 0);
		bpf_seq_write(context->meta->seq, zeros, 1);
	}
	return 0;
}

#endif
