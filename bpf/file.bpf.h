/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which file: identity and attributes of the inode. */
#ifndef HASHTRAIL_FILE_H
#define HASHTRAIL_FILE_H

static __always_inline void read_mtime(struct inode *inode, bool is_typed, __s64 *seconds, __u32 *nanoseconds)
{
	struct inode___timespec *timespec = (void *)inode;
	struct inode___accessor *accessor = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec)) {
		*seconds = READ(is_typed, inode, i_mtime_sec);
		*nanoseconds = READ(is_typed, inode, i_mtime_nsec);
	} else if (bpf_core_field_exists(timespec->i_mtime)) {
		*seconds = READ(is_typed, timespec, i_mtime.tv_sec);
		*nanoseconds = READ(is_typed, timespec, i_mtime.tv_nsec);
	} else {
		*seconds = READ(is_typed, accessor, __i_mtime.tv_sec);
		*nanoseconds = READ(is_typed, accessor, __i_mtime.tv_nsec);
	}
}

static __always_inline void read_ctime(struct inode *inode, bool is_typed, __s64 *seconds, __u32 *nanoseconds)
{
	struct inode___timespec *timespec = (void *)inode;
	struct inode___accessor *accessor = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		*seconds = READ(is_typed, inode, i_ctime_sec);
		/* From 6.13 on the highest bit says that the time was asked for */
		*nanoseconds = READ(is_typed, inode, i_ctime_nsec) & ~(1U << 31);
	} else if (bpf_core_field_exists(timespec->i_ctime)) {
		*seconds = READ(is_typed, timespec, i_ctime.tv_sec);
		*nanoseconds = READ(is_typed, timespec, i_ctime.tv_nsec);
	} else {
		*seconds = READ(is_typed, accessor, __i_ctime.tv_sec);
		*nanoseconds = READ(is_typed, accessor, __i_ctime.tv_nsec);
	}
}

static __always_inline void read_file(struct event *event, struct dentry *dentry, struct inode *inode, bool is_typed)
{
	struct super_block *super = READ(is_typed, inode, i_sb);

	event->flags |= EVENT_HAS_FILE;
	event->dev = READ(is_typed, super, s_dev);
	event->ino = READ(is_typed, inode, i_ino);
	event->ino_generation = READ(is_typed, inode, i_generation);
	event->parent_ino = READ(is_typed, dentry, d_parent, d_inode, i_ino);
	bpf_probe_read_kernel_str(event->fs_type, sizeof(event->fs_type), READ(is_typed, super, s_type, name));
	event->mode = READ(is_typed, inode, i_mode);
	event->owner_uid = READ(is_typed, inode, i_uid.val);
	event->owner_gid = READ(is_typed, inode, i_gid.val);
	event->nlink = READ(is_typed, inode, i_nlink);
	event->size_bytes = READ(is_typed, inode, i_size);
	read_mtime(inode, is_typed, &event->mtime_s, &event->mtime_ns);
	read_ctime(inode, is_typed, &event->ctime_s, &event->ctime_ns);
}

/* Of the file of a hook that gives pointers which the verifier does not know. */
__noinline int fill_file(struct event *event, __u64 dentry, __u64 inode)
{
	if (event && inode)
		read_file(event, (void *)dentry, (void *)inode, false);
	return 0;
}

/* Of these bits; most policies ask for no more than reads and writes. */
static __always_inline __u32 open_mode_of(struct file *file, __u64 asked)
{
	__u32 mode = file->f_mode & (FMODE_READ | FMODE_WRITE), flags;

	if (!(asked & ~(__u64)(FMODE_READ | FMODE_WRITE)))
		return mode;
	flags = file->f_flags;
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
