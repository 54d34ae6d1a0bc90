/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The path of a file as the task sees it, and the sets of paths that it belongs to. */
#ifndef HASHTRAIL_PATH_H
#define HASHTRAIL_PATH_H

/* As many components as PATH_BYTES can hold. */
#define WALK_STEPS (PATH_BYTES / 2)

struct walk {
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *root;
	struct vfsmount *root_mount;
	bool reachable;
};

static long walk_up(__u64 step, struct walk *walk)
{
	struct dentry *dentry = walk->dentry, *parent;
	struct mount *mount = walk->mount, *parent_mount;

	if (dentry == walk->root && (void *)mount + bpf_core_field_offset(struct mount, mnt) == walk->root_mount) {
		walk->reachable = true;
		return 1;
	}
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		parent_mount = BPF_CORE_READ(mount, mnt_parent);
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = parent_mount;
		return parent_mount == mount;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	walk->dentry = parent;
	return parent == dentry;
}

/*
 * d_path gives a path for a file outside the task's root too, for one beside what its mount shows and for one that a file
 * handle led to, and does not say so.
 */
static __always_inline bool is_reachable(struct path *path, struct task_struct *task)
{
	struct walk walk = {
		.dentry = BPF_CORE_READ(path, dentry),
		.mount = (void *)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt),
		.root = BPF_CORE_READ(task, fs, root.dentry),
		.root_mount = BPF_CORE_READ(task, fs, root.mnt),
	};

	bpf_loop(WALK_STEPS, walk_up, &walk, 0);
	return walk.reachable;
}

static __always_inline bool is_memfd(struct dentry *dentry, struct vfsmount *mount, bool is_typed)
{
	char name[6];

	if (!(READ(is_typed, mount, mnt_flags) & MNT_INTERNAL))
		return false;
	if (bpf_probe_read_kernel(name, sizeof(name), READ(is_typed, dentry, d_name.name)))
		return false;
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

/* For hooks whose file the verifier does not know as one, so that d_path cannot be asked: a memfd's name is all its path. */
__noinline int name_memfd(struct event *event, struct scratch *slot, __u64 dentry)
{
	long bytes;

	if (!event)
		return 0;
	event->path_flags = PATH_MEMFD;
	if (!slot)
		return 0;
	bytes = bpf_probe_read_kernel_str(slot->tail, 256, BPF_CORE_READ((struct dentry *)dentry, d_name.name));
	event->path_bytes = bytes > 1 ? bytes - 1 : 0;
	return 0;
}

/* d_unlinked(): no longer in the hash, and not a root */
static __always_inline bool is_unlinked(struct dentry *dentry, bool is_typed)
{
	return !READ(is_typed, dentry, d_hash.pprev) && READ(is_typed, dentry, d_parent) != dentry;
}

/* A name that is about to be given to a file has none yet. */
static __always_inline bool is_deleted(struct dentry *dentry, bool is_typed)
{
	struct inode *inode = READ(is_typed, dentry, d_inode);

	return inode && (is_unlinked(dentry, is_typed) || !READ(is_typed, inode, i_nlink));
}

#define DELETED_SUFFIX_BYTES 10

/*
 * d_path marks an unlinked file by the text " (deleted)", which a name may hold itself: the flag says it, and the text
 * that d_path added is cut.
 */
static __always_inline __u32 without_suffix(struct scratch *slot, __u32 bytes)
{
	if (bytes <= DELETED_SUFFIX_BYTES || slot->tail[CLAMP(bytes - 1, PATH_BYTES)] != ')')
		return bytes;
	return bytes - DELETED_SUFFIX_BYTES;
}

/* A SysV segment or another file of the kernel's own tmpfs: it has no directory, and d_path adds the text to its name. */
static __always_inline bool is_segment(struct dentry *dentry, struct vfsmount *mount)
{
	return mount->mnt_flags & MNT_INTERNAL && dentry->d_parent == dentry &&
	       (__u32)dentry->d_sb->s_magic == TMPFS_MAGIC && !is_memfd(dentry, mount, true);
}

/*
 * Puts the path at the start of the slot's tail. Its length counts no final NUL. What flags_of_path says costs more than
 * the path; of it only what look_at_way says matters to filters.
 */
static __noinline int resolve_path(struct event *event, struct scratch *slot, struct path *path)
{
	struct dentry *dentry = path->dentry;
	bool unlinked = is_unlinked(dentry, true) || is_segment(dentry, path->mnt);
	long length;

	if (!slot)
		return 0;
	length = bpf_d_path(path, (char *)slot->tail, PATH_BYTES);
	if (length == -ENAMETOOLONG) {
		event->path_flags |= PATH_TOO_LONG;
		unlinked = false;
		length = bpf_probe_read_kernel_str(slot->tail, 256, BPF_CORE_READ(path, dentry, d_name.name));
	}
	if (length > 1 && length <= PATH_BYTES)
		event->path_bytes = unlinked ? without_suffix(slot, length - 1) : length - 1;
	return 0;
}

/* Mounts on mounts, between a file's and the root's; more are rare. */
#define FEW_MOUNTS 3

/*
 * Nearly each file of a task: every mount on the way shows the whole of its filesystem, so that only a dentry without a parent
 * can be outside of it, and the last one has the task's root. That costs much less than to go the way.
 */
static __always_inline bool is_under_whole_mounts(struct path *path)
{
	struct fs_struct *fs = bpf_get_current_task_btf()->fs;
	struct vfsmount *shown_by = path->mnt, *root_mount = fs->root.mnt;
	struct dentry *dentry = path->dentry, *top = shown_by->mnt_root;
	struct mount *mount;
	int i;

	if (dentry->d_parent == dentry || top != top->d_sb->s_root)
		return false;
	if (shown_by == root_mount)
		return top == fs->root.dentry;
	mount = (void *)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt);
	for (i = 0; i < FEW_MOUNTS; i++) {
		mount = BPF_CORE_READ(mount, mnt_parent);
		top = BPF_CORE_READ(mount, mnt.mnt_root);
		if (top != BPF_CORE_READ(top, d_sb, s_root))
			return false;
		if ((void *)mount + bpf_core_field_offset(struct mount, mnt) == root_mount)
			return top == fs->root.dentry;
	}
	return false;
}

/*
 * For a file of another namespace, or of a mount that was detached, d_path gives a path of that mount or namespace. Inside of
 * the kernel's own mounts are memfds and the like, whose names are no paths. The way is looked at only where a filter or a
 * later row takes the path for that of the file.
 */
static __always_inline void look_at_way(struct event *event, struct path *path, bool is_asked)
{
	struct mount *mount = (void *)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt);
	struct task_struct *task = bpf_get_current_task_btf();

	if (path->mnt->mnt_flags & MNT_INTERNAL)
		return;
	if (BPF_CORE_READ(mount, mnt_ns) != task->nsproxy->mnt_ns ||
	    (is_asked && !is_reachable(path, task)))
		event->path_flags |= PATH_UNREACHABLE;
}

/* is_whole: it was found to lie under whole mounts, and so is reached. */
static __always_inline __u32 flags_of_path(struct path *path, struct task_struct *task, bool is_typed, __u64 is_whole)
{
	struct dentry *dentry = READ(is_typed, path, dentry);
	struct vfsmount *mount = READ(is_typed, path, mnt);
	__u32 flags = 0;

	if (is_deleted(dentry, is_typed))
		flags |= PATH_DELETED;
	if (is_memfd(dentry, mount, is_typed))
		return PATH_MEMFD;
	if (dentry == READ(is_typed, mount, mnt_root))
		flags |= PATH_MOUNT_POINT;
	if (!is_whole && !is_reachable(path, task))
		flags |= PATH_UNREACHABLE;
	return flags;
}

#endif
