/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which file: identity and attributes of the inode. */
#ifndef HASHTRAIL_FILE_H
#define HASHTRAIL_FILE_H

static __always_inline void fill_times(struct event *event, struct inode *inode)
{
	struct inode___timespec *timespec = (void *)inode;
	struct inode___accessor *accessor = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec)) {
		event->mtime_s = inode->i_mtime_sec;
		event->mtime_ns = inode->i_mtime_nsec;
		event->ctime_s = inode->i_ctime_sec;
		event->ctime_ns = inode->i_ctime_nsec;
		return;
	}
	if (bpf_core_field_exists(timespec->i_mtime)) {
		event->mtime_s = BPF_CORE_READ(timespec, i_mtime.tv_sec);
		event->mtime_ns = BPF_CORE_READ(timespec, i_mtime.tv_nsec);
	} else {
		event->mtime_s = BPF_CORE_READ(accessor, __i_mtime.tv_sec);
		event->mtime_ns = BPF_CORE_READ(accessor, __i_mtime.tv_nsec);
	}
	if (bpf_core_field_exists(timespec->i_ctime)) {
		event->ctime_s = BPF_CORE_READ(timespec, i_ctime.tv_sec);
		event->ctime_ns = BPF_CORE_READ(timespec, i_ctime.tv_nsec);
	} else {
		event->ctime_s = BPF_CORE_READ(accessor, __i_ctime.tv_sec);
		event->ctime_ns = BPF_CORE_READ(accessor, __i_ctime.tv_nsec);
	}
}

static __always_inline void fill_file(struct event *event, struct file *file)
{
	struct inode *inode = file->f_inode;
	struct super_block *sb = inode->i_sb;

	event->flags |= EVENT_HAS_FILE;
	event->dev = sb->s_dev;
	event->ino = inode->i_ino;
	event->ino_generation = inode->i_generation;
	event->parent_ino = BPF_CORE_READ(file, f_path.dentry, d_parent, d_inode, i_ino);
	bpf_probe_read_kernel_str(event->fs_type, sizeof(event->fs_type), sb->s_type->name);
	event->mode = inode->i_mode;
	event->owner_uid = inode->i_uid.val;
	event->owner_gid = inode->i_gid.val;
	event->nlink = inode->i_nlink;
	event->size_bytes = inode->i_size;
	event->i_version_raw = inode->i_version.counter;
	event->writers = inode->i_writecount.counter;
	event->open_flags = file->f_flags;
	fill_times(event, inode);
}

static __always_inline __u32 open_mode_of(struct file *file)
{
	__u32 mode = file->f_mode & (FMODE_READ | FMODE_WRITE), flags = file->f_flags;

	if (flags & O_TRUNC)
		mode |= OPEN_TRUNCATE;
	if (flags & O_APPEND)
		mode |= OPEN_APPEND;
	if (flags & O_CREAT)
		mode |= OPEN_CREATE;
	return mode;
}
_Static_assert(OPEN_READ == FMODE_READ && OPEN_WRITE == FMODE_WRITE, "open_mode begins with the kernel's bits");

#endif
