/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which file: identity and attributes of the inode. */
#ifndef HASHTRAIL_FILE_H
#define HASHTRAIL_FILE_H

static __always_inline void read_mtime(struct inode *inode, __s64 *seconds, __u32 *nanoseconds)
{
	struct inode___timespec *timespec = (void *)inode;
	struct inode___accessor *accessor = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec)) {
		*seconds = BPF_CORE_READ(inode, i_mtime_sec);
		*nanoseconds = BPF_CORE_READ(inode, i_mtime_nsec);
	} else if (bpf_core_field_exists(timespec->i_mtime)) {
		*seconds = BPF_CORE_READ(timespec, i_mtime.tv_sec);
		*nanoseconds = BPF_CORE_READ(timespec, i_mtime.tv_nsec);
	} else {
		*seconds = BPF_CORE_READ(accessor, __i_mtime.tv_sec);
		*nanoseconds = BPF_CORE_READ(accessor, __i_mtime.tv_nsec);
	}
}

static __always_inline void read_ctime(struct inode *inode, __s64 *seconds, __u32 *nanoseconds)
{
	struct inode___timespec *timespec = (void *)inode;
	struct inode___accessor *accessor = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		*seconds = BPF_CORE_READ(inode, i_ctime_sec);
		/* From 6.13 on the highest bit says that the time was asked for */
		*nanoseconds = BPF_CORE_READ(inode, i_ctime_nsec) & ~(1U << 31);
	} else if (bpf_core_field_exists(timespec->i_ctime)) {
		*seconds = BPF_CORE_READ(timespec, i_ctime.tv_sec);
		*nanoseconds = BPF_CORE_READ(timespec, i_ctime.tv_nsec);
	} else {
		*seconds = BPF_CORE_READ(accessor, __i_ctime.tv_sec);
		*nanoseconds = BPF_CORE_READ(accessor, __i_ctime.tv_nsec);
	}
}

/* Of the file of any hook: not every hook gives pointers that the verifier knows, so all is read by probes. */
__noinline int fill_file(struct event *event, __u64 dentry_address, __u64 inode_address)
{
	struct dentry *dentry = (void *)dentry_address;
	struct inode *inode = (void *)inode_address;

	if (!event || !inode)
		return 0;
	event->flags |= EVENT_HAS_FILE;
	event->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	event->ino = BPF_CORE_READ(inode, i_ino);
	event->ino_generation = BPF_CORE_READ(inode, i_generation);
	event->parent_ino = BPF_CORE_READ(dentry, d_parent, d_inode, i_ino);
	bpf_probe_read_kernel_str(event->fs_type, sizeof(event->fs_type), BPF_CORE_READ(inode, i_sb, s_type, name));
	event->mode = BPF_CORE_READ(inode, i_mode);
	event->owner_uid = BPF_CORE_READ(inode, i_uid.val);
	event->owner_gid = BPF_CORE_READ(inode, i_gid.val);
	event->nlink = BPF_CORE_READ(inode, i_nlink);
	event->size_bytes = BPF_CORE_READ(inode, i_size);
	read_mtime(inode, &event->mtime_s, &event->mtime_ns);
	read_ctime(inode, &event->ctime_s, &event->ctime_ns);
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
