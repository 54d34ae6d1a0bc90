/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Hooks that tell who changed a file: its names, attributes and size. They give dentries instead of files. */
#ifndef HASHTRAIL_CHANGES_H
#define HASHTRAIL_CHANGES_H

SEC("lsm.s/inode_rename")
int BPF_PROG(inode_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry, int ret)
{
	struct thread *thread = enter(HOOK_INODE_RENAME);

	return thread ? bounded(record_dentry(thread, (__u64)old_dentry, (__u64)new_dentry)) : 0;
}

SEC("lsm.s/inode_unlink")
int BPF_PROG(inode_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	struct thread *thread = enter(HOOK_INODE_UNLINK);

	return thread ? bounded(record_dentry(thread, (__u64)dentry, 0)) : 0;
}

SEC("lsm.s/inode_link")
int BPF_PROG(inode_link, struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry, int ret)
{
	struct thread *thread = enter(HOOK_INODE_LINK);

	return thread ? bounded(record_dentry(thread, (__u64)old_dentry, (__u64)new_dentry)) : 0;
}

/* Up to 6.8 the arguments are dentry and attributes, from 6.9 (314a8dc728d0) the mapping of ids comes before them. */
SEC("lsm.s/inode_setattr")
int inode_setattr(__u64 *ctx)
{
	struct thread *thread = enter(HOOK_INODE_SETATTR);
	__u64 dentry = 0, attributes = 0;

	if (!thread)
		return 0;
	bpf_get_func_arg(ctx, config.setattr_dentry, &dentry);
	bpf_get_func_arg(ctx, config.setattr_dentry + 1, &attributes);
	thread->number[NUMBER_ATTRIBUTES] = BPF_CORE_READ((struct iattr *)attributes, ia_valid) & ATTRIBUTE_ALL;
	return bounded(record_dentry(thread, dentry, 0));
}

/* The name of the attribute takes the place of a second path. */
SEC("lsm.s/inode_setxattr")
int inode_setxattr(__u64 *ctx)
{
	struct thread *thread = enter(HOOK_INODE_SETXATTR);
	__u64 dentry = 0, name = 0, size = 0;

	if (!thread)
		return 0;
	bpf_get_func_arg(ctx, 1, &dentry);
	bpf_get_func_arg(ctx, 2, &name);
	bpf_get_func_arg(ctx, 4, &size);
	thread->number[NUMBER_ARGUMENT_4] = size;
	thread->attribute_name = name;
	return bounded(record_dentry(thread, dentry, 0));
}

SEC("lsm.s/path_truncate")
int BPF_PROG(path_truncate, struct path *path, int ret)
{
	struct thread *thread = enter(HOOK_PATH_TRUNCATE);

	return thread ? bounded(record_path(thread, path)) : 0;
}

#endif
