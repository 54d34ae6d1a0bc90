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

/* d_path gives a path for a file outside the task's root too, and does not say so. */
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

static __always_inline bool is_memfd(struct path *path)
{
	char name[6];

	if (!(BPF_CORE_READ(path, mnt, mnt_flags) & MNT_INTERNAL))
		return false;
	if (bpf_probe_read_kernel(name, sizeof(name), BPF_CORE_READ(path, dentry, d_name.name)))
		return false;
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':';
}

/* d_unlinked(): no longer in the hash, and not a root */
static __always_inline bool is_unlinked(struct dentry *dentry)
{
	return !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
}

static __always_inline bool is_deleted(struct dentry *dentry)
{
	return is_unlinked(dentry) || !BPF_CORE_READ(dentry, d_inode, i_nlink);
}

static __always_inline __u32 flags_of_path(struct path *path, struct task_struct *task)
{
	__u32 flags = 0;

	if (is_deleted(BPF_CORE_READ(path, dentry)))
		flags |= PATH_DELETED;
	if (is_memfd(path))
		return PATH_MEMFD;
	if (BPF_CORE_READ(path, dentry) == BPF_CORE_READ(path, mnt, mnt_root))
		flags |= PATH_MOUNT_POINT;
	if (!is_reachable(path, task))
		flags |= PATH_UNREACHABLE;
	return flags;
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

/*
 * Puts the path at the start of the slot's tail. Its length counts no final NUL. What flags_of_path says costs more than
 * the path, and no filter asks for it.
 */
static __noinline int resolve_path(struct event *event, struct scratch *slot, struct path *path)
{
	bool unlinked = is_unlinked(BPF_CORE_READ(path, dentry));
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

/*
 * A dentry has no mount: its path is that from the root of its filesystem, behind the place where that is mounted if
 * user space knows exactly one. The names are put together from their end, in the part of the tail that only the
 * arguments of an exec use, and then moved to where they belong.
 */
struct climb {
	struct scratch *slot;
	struct dentry *dentry;
	__u32 position;
	bool complete;
};

#define CLIMB_BUFFER PATH_BYTES

static __always_inline bool put_before(struct climb *climb, const void *from, __u32 bytes)
{
	if (climb->position < bytes)
		return false;
	climb->position -= bytes;
	bpf_probe_read_kernel(climb->slot->tail + CLIMB_BUFFER + CLAMP(climb->position, PATH_BYTES - 1),
			      CLAMP(bytes, 255), from);
	return true;
}

static long climb_up(__u64 step, struct climb *climb)
{
	struct dentry *dentry = climb->dentry, *parent = BPF_CORE_READ(dentry, d_parent);

	if (parent == dentry) {
		climb->complete = true;
		return 1;
	}
	if (!put_before(climb, BPF_CORE_READ(dentry, d_name.name), CLAMP(BPF_CORE_READ(dentry, d_name.len), 255)) ||
	    !put_before(climb, "/", 1))
		return 1;
	climb->dentry = parent;
	return 0;
}

/* Puts the path of a dentry at `to`, and returns its length; flags say what it lacks. */
static __always_inline __u32 climb_path(struct scratch *slot, struct dentry *dentry, __u8 *to, __u32 *flags)
{
	struct climb climb = { .slot = slot, .dentry = dentry, .position = PATH_BYTES };
	__u32 dev = BPF_CORE_READ(dentry, d_parent, d_inode, i_sb, s_dev), bytes;
	struct mount_point *mount_point = bpf_map_lookup_elem(&mount_points, &dev);

	bpf_loop(WALK_STEPS, climb_up, &climb, 0);
	if (climb.complete && climb.position == PATH_BYTES && (!mount_point || !mount_point->bytes))
		put_before(&climb, "/", 1);
	if (!mount_point)
		*flags |= PATH_FS_RELATIVE;
	else if (!put_before(&climb, mount_point->path, CLAMP(mount_point->bytes, 255)))
		climb.complete = false;
	if (!climb.complete)
		*flags |= PATH_TOO_LONG;
	bytes = CLAMP(PATH_BYTES - climb.position, PATH_BYTES);
	bpf_probe_read_kernel(to, CLAMP(bytes, PATH_BYTES),
			      slot->tail + CLIMB_BUFFER + CLAMP(climb.position, PATH_BYTES));
	return bytes;
}

/* The path of a change hook's file, at the start of the slot's tail. */
__noinline int resolve_dentry(struct thread *thread, struct scratch *slot, __u64 dentry)
{
	struct event *event;
	__u32 flags = 0;

	if (!thread || !slot)
		return 0;
	event = &thread->event;
	event->path_bytes = climb_path(slot, (void *)dentry, slot->tail, &flags);
	/* Its attributes can still be set, through a descriptor, and its old name may be another file's by now. */
	if (is_deleted((void *)dentry))
		flags |= PATH_DELETED;
	event->path_flags |= flags;
	return 0;
}

/* The second path, of which target_bytes stay valid until the record is put together. */
__noinline int resolve_target(struct thread *thread, struct scratch *slot, __u64 dentry)
{
	struct inode *inode = BPF_CORE_READ((struct dentry *)dentry, d_inode);
	struct event *event;
	__u32 flags = 0;

	if (!thread)
		return 0;
	event = &thread->event;
	if (inode) {
		event->flags |= EVENT_HAS_TARGET;
		event->target_ino = BPF_CORE_READ(inode, i_ino);
	}
	if (!slot)
		return 0;
	event->target_bytes = climb_path(slot, (void *)dentry, slot->second, &flags);
	thread->target_flags = flags;
	return 0;
}

#endif
