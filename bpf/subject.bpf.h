/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The file of a call, and its columns. */
#ifndef HASHTRAIL_SUBJECT_H
#define HASHTRAIL_SUBJECT_H

/* The file of a call. path is NULL for a dentry that comes without a mount, file where nothing can be hashed. */
struct subject {
	struct path *path;
	struct file *file;
	struct dentry *dentry;
	struct inode *inode;
	__u32 open_flags;
	__u64 is_whole; /* the path lies under whole mounts */
	bool is_typed; /* the verifier knows all of it; constant */
};

/* Of a file that the verifier knows as one. Not inlined: there would be a dozen of it. */
static __noinline int fill_typed_file(struct thread *thread, struct file *file)
{
	struct inode *inode = file->f_inode;

	read_file(&thread->event, file->f_path.dentry, inode, true);
	find_typed_content(&thread->content, inode);
	fill_typed_content(&thread->event, &thread->content, inode);
	return 0;
}

/* The columns of the file. Filters ask for its type alone, so most calls that are filtered are spared this. */
static __always_inline void fill_subject(struct thread *thread, struct subject *subject)
{
	if (subject->path)
		thread->event.path_flags |= flags_of_path(subject->path, bpf_get_current_task_btf(), true,
							  subject->is_whole);
	thread->content.opened = (__u64)subject->file;
	thread->content.opened_inode = thread->content.inode = (__u64)subject->inode;
	thread->content.own_writers = is_own_writer(thread, subject->file);
	if (subject->is_typed) {
		if (subject->file)
			fill_typed_file(thread, subject->file);
	} else {
		fill_file(&thread->event, (__u64)subject->dentry, (__u64)subject->inode);
		find_content(&thread->content);
		fill_content(&thread->event, &thread->content);
	}
	thread->event.open_flags = subject->open_flags;
	if (is_write(thread, subject->file) && is_mapped_executable(&thread->content))
		thread->event.flags |= EVENT_MAPPED_EXECUTABLE;
}

#endif
