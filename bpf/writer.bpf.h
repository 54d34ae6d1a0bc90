/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Opens for writing, of any file and whatever the policies ask for: after one of them no digest of the file holds that was
 * taken before. Counters of the inode are not enough: a store through a mapping of tmpfs moves none, nor does a write past
 * the VFS, which xfs does for who has a file handle.
 */
#ifndef HASHTRAIL_WRITER_H
#define HASHTRAIL_WRITER_H

struct mapped {
	struct rb_node *node;
	struct rb_node *from;
	bool found;
};

/* One step through the tree of the file's mappings, down to the left, then to the right, then up. */
static long look_at_mapping(__u64 step, struct mapped *mapped)
{
	struct rb_node *node = mapped->node, *left, *right, *next;
	struct vm_area_struct *area;

	if (!node)
		return 1;
	left = BPF_CORE_READ(node, rb_left);
	right = BPF_CORE_READ(node, rb_right);
	next = (void *)(BPF_CORE_READ(node, __rb_parent_color) & ~3UL);
	if (mapped->from == next) {
		area = (void *)node - bpf_core_field_offset(struct vm_area_struct, shared.rb);
		mapped->found = BPF_CORE_READ(area, vm_flags) & VM_EXEC;
		next = left ? left : right ? right : next;
	} else if (mapped->from == left && right) {
		next = right;
	}
	mapped->from = node;
	mapped->node = next;
	return mapped->found;
}

/* So many steps see thousands of mappings; of what has more, one is taken to be executable. */
#define MAPPING_STEPS 16384

/* Whether any process has the content mapped executable now. */
static __always_inline bool is_mapped_executable(const struct content *content)
{
	struct inode *inode = (void *)content->inode;
	struct mapped mapped = {
		.node = BPF_CORE_READ(inode, i_mapping, i_mmap.rb_root.rb_node),
		.from = (void *)unknown_zero,
	};

	return mapped.node && (bpf_loop(MAPPING_STEPS, look_at_mapping, &mapped, 0) == MAPPING_STEPS || mapped.found);
}

/* Whether the call begins to write the file. */
static __always_inline bool is_write(struct thread *thread, struct file *file)
{
	switch (thread->hook) {
	case HOOK_FILE_OPEN:
	case HOOK_FILE_POST_OPEN:
		return file && file->f_mode & FMODE_WRITE;
	case HOOK_INODE_SETATTR:
		return thread->number[NUMBER_ATTRIBUTES] & ATTRIBUTE_SIZE;
	}
	return thread->hook == HOOK_PATH_TRUNCATE;
}

/* At file_post_open the call itself is among the writers of its file; at file_open it is not yet. */
static __always_inline bool is_own_writer(struct thread *thread, struct file *file)
{
	return thread->hook == HOOK_FILE_POST_OPEN && is_write(thread, file);
}

static __always_inline void note_writer(struct file *file)
{
	struct cached_digest *cached = bpf_inode_storage_get(&digest_cache, file->f_inode, NULL, 0);

	if (cached)
		__sync_fetch_and_add(&cached->write_opens, 1);
	if (can_write_a_disk(file))
		note_raw_writer();
}

#endif
