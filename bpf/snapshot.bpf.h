/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What ran before the recording: iterators that user space reads once. Each gives records as the rings do, without
 * number and exe.
 */
#ifndef HASHTRAIL_SNAPSHOT_H
#define HASHTRAIL_SNAPSHOT_H

static __always_inline struct scratch *begin_sight(__u32 hook, struct task_struct *task)
{
	struct scratch *slot = claim_scratch(bpf_ktime_get_boot_ns());

	if (!slot)
		return NULL;
	__builtin_memset(&slot->event, 0, sizeof(slot->event));
	slot->event.boot_ns = bpf_ktime_get_boot_ns();
	slot->event.hook = hook;
	fill_task(&slot->event, untrusted_task(task));
	return slot;
}

static __always_inline void write_sight(struct seq_file *seq, struct scratch *slot, struct task_struct *task)
{
	struct event *event = &slot->event;
	__u32 bytes;

	append_container(event, slot, cgroup_of(untrusted_task(task)));
	bytes = CLAMP(sizeof(*event) + event->path_bytes + event->container_bytes,
		      sizeof(*event) + PATH_BYTES + CONTAINER_BYTES);
	event->record_bytes = bytes;
	bpf_seq_write(seq, event, CLAMP(bytes, sizeof(*event) + PATH_BYTES + CONTAINER_BYTES));
	release_scratch(slot);
}

static __always_inline void fill_sight(struct event *event, struct file *file)
{
	struct content content = { .opened = (__u64)file, .opened_inode = (__u64)BPF_CORE_READ(file, f_inode) };

	fill_file(event, (__u64)BPF_CORE_READ(file, f_path.dentry), content.opened_inode);
	find_content(&content);
	fill_content(event, &content);
}

/* Kernel threads have no executable; of the others user space finds its path. */
SEC("iter/task")
int running_processes(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct scratch *slot;
	struct file *exe;

	if (!task || task->pid != task->tgid)
		return 0;
	slot = begin_sight(HOOK_RUNNING_PROCESS, task);
	if (!slot)
		return 0;
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe) {
		fill_sight(&slot->event, exe);
		slot->event.open_flags = BPF_CORE_READ(exe, f_flags);
		slot->event.path_flags = flags_of_path(&exe->f_path, task, false, false);
	}
	write_sight(context->meta->seq, slot, task);
	return 0;
}

static __always_inline void write_writer(struct seq_file *seq, struct task_struct *task, struct file *file, __u32 prot)
{
	__u32 type = BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT;
	struct scratch *slot;

	if (can_write_a_disk(file) || keeps_files_open(file))
		note_raw_writer();
	/* Who writes a disk writes all files on it. */
	if (task->tgid == config.recorder_tgid || (type != S_IFREG && type != S_IFBLK) || is_pseudo_filesystem(file))
		return;
	slot = begin_sight(HOOK_OPEN_DESCRIPTOR, task);
	if (!slot)
		return;
	resolve_path(&slot->event, slot, &file->f_path);
	slot->event.path_flags |= flags_of_path(&file->f_path, task, true, false);
	fill_sight(&slot->event, file);
	slot->event.open_flags = file->f_flags;
	slot->event.mmap_prot = prot;
	write_sight(seq, slot, task);
}

SEC("iter/task_file")
int open_descriptors(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;

	if (task && file && file->f_mode & FMODE_WRITE)
		write_writer(context->meta->seq, task, file, 0);
	return 0;
}

/* A shared mapping writes without a descriptor. */
SEC("iter/task_vma")
int shared_mappings(struct bpf_iter__task_vma *context)
{
	struct task_struct *task = context->task;
	struct vm_area_struct *vma = context->vma;
	__u32 flags;
	struct file *file;

	if (!task || !vma || task->pid != task->tgid)
		return 0;
	flags = vma->vm_flags;
	file = vma->vm_file;
	if (file && flags & VM_SHARED && flags & VM_MAYWRITE)
		write_writer(context->meta->seq, task, file, flags & VM_PROTECTION);
	return 0;
}

#endif
