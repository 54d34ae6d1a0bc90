/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Hooks that tell who changed a file: its names, attributes and size. They give dentries instead of files. */
#ifndef HASHTRAIL_INODE_HOOKS_H
#define HASHTRAIL_INODE_HOOKS_H

/* old_dir, old_dentry, new_dir, new_dentry */
SEC("lsm.s/inode_rename")
int inode_rename(__u64 *ctx)
{
	struct thread *thread = enter(ctx, HOOK_INODE_RENAME);

	return thread ? bounded(record_dentry(thread, argument(ctx, 1), argument(ctx, 3))) : 0;
}

/* dir, dentry */
SEC("lsm.s/inode_unlink")
int inode_unlink(__u64 *ctx)
{
	struct thread *thread = enter(ctx, HOOK_INODE_UNLINK);

	return thread ? bounded(record_dentry(thread, argument(ctx, 1), 0)) : 0;
}

/* old_dentry, dir, new_dentry. No kernel lets programs sleep here. */
SEC("lsm/inode_link")
int inode_link(__u64 *ctx)
{
	struct thread *thread = enter(ctx, HOOK_INODE_LINK);

	return thread ? bounded(record_dentry(thread, argument(ctx, 0), argument(ctx, 2))) : 0;
}

/* dentry, attributes; from 6.9 (314a8dc728d0) on the mapping of ids comes before them. */
SEC("lsm.s/inode_setattr")
int inode_setattr(__u64 *ctx)
{
	__u32 dentry = bpf_get_func_arg_cnt(ctx) > 2;
	struct iattr *attributes = (void *)argument(ctx, dentry + 1);
	__u32 valid = BPF_CORE_READ(attributes, ia_valid) & ATTRIBUTE_ALL;
	struct thread *thread = enter_gate(ctx, HOOK_INODE_SETATTR, valid);

	if (!thread)
		return 0;
	thread->number[NUMBER_ATTRIBUTES] = valid;
	return bounded(record_dentry(thread, argument(ctx, dentry), 0));
}

/* id mapping, dentry, name, value, size, flags. The name of the attribute takes the place of a second path. */
SEC("lsm.s/inode_setxattr")
int inode_setxattr(__u64 *ctx)
{
	struct thread *thread = enter(ctx, HOOK_INODE_SETXATTR);

	if (!thread)
		return 0;
	thread->attribute_name = argument(ctx, 2);
	thread->number[NUMBER_ARGUMENT_4] = argument(ctx, 4);
	return bounded(record_dentry(thread, argument(ctx, 1), 0));
}

SEC("lsm.s/path_truncate")
int BPF_PROG(path_truncate, struct path *path, int ret)
{
	struct thread *thread = enter(ctx, HOOK_PATH_TRUNCATE);

	return thread ? bounded(record_path(thread, path)) : 0;
}

/* What mounts and unmounts leave at a path. No kernel lets programs sleep at all three hooks. */
static __always_inline int record_mount_point(struct thread *thread, __u64 path)
{
	return record_place(thread, (__u64)BPF_CORE_READ((struct path *)path, dentry),
			    (__u64)BPF_CORE_READ((struct path *)path, mnt));
}

/* dev_name, path, type, flags, data */
SEC("lsm/sb_mount")
int sb_mount(__u64 *ctx)
{
	struct thread *thread = enter(ctx, HOOK_SB_MOUNT);

	if (!thread)
		return 0;
	thread->number[NUMBER_ARGUMENT_3] = argument(ctx, 3);
	return bounded(record_mount_point(thread, argument(ctx, 1)));
}

/* from_path, to_path */
SEC("lsm/move_mount")
int move_mount(__u64 *ctx)
{
	struct thread *thread = enter(ctx, HOOK_MOVE_MOUNT);

	return thread ? bounded(record_mount_point(thread, argument(ctx, 1))) : 0;
}

/* mount, flags */
SEC("lsm/sb_umount")
int sb_umount(__u64 *ctx)
{
	struct mount *mount = (void *)argument(ctx, 0) - bpf_core_field_offset(struct mount, mnt);
	struct thread *thread = enter(ctx, HOOK_SB_UMOUNT);
	struct mount *parent;

	if (!thread)
		return 0;
	parent = BPF_CORE_READ(mount, mnt_parent);
	thread->number[NUMBER_ARGUMENT_1] = (__u32)argument(ctx, 1);
	return bounded(record_place(thread, (__u64)BPF_CORE_READ(mount, mnt_mountpoint),
				    (__u64)parent + bpf_core_field_offset(struct mount, mnt)));
}

#endif
