/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The path of a dentry that comes without a mount, as the task sees it: up to the root of its filesystem, on through the
 * one place where the task's namespace has that mounted, and up to the task's root. It is found at the hook, because what
 * was mounted a moment ago is not what is mounted now.
 */
#ifndef HASHTRAIL_CLIMB_H
#define HASHTRAIL_CLIMB_H

/* Mounts of one filesystem that are looked at: containers have theirs of the host's filesystems. */
#define MOST_MOUNTS 1024

struct search_mount {
	__u64 next; /* of the list that links the mounts of a filesystem */
	__u64 end;
	struct mnt_namespace *namespace;
	struct dentry *root; /* of the filesystem */
	struct mount *whole; /* that shows its root */
	struct mount *part; /* that shows a directory of it */
	/* No counts: a verifier may follow the search for each value that they can have. */
	__u32 several_wholes;
	__u32 several_parts;
};

static __always_inline struct mount *listed_mount(struct search_mount *search)
{
	if (bpf_core_field_exists(((struct mount *)0)->mnt_instance))
		return (void *)search->next - bpf_core_field_offset(struct mount, mnt_instance);
	return (void *)search->next;
}

static long look_at_listed_mount(__u64 index, struct search_mount *search)
{
	struct mount *mount;

	if (!search->next || search->next == search->end)
		return 1;
	mount = listed_mount(search);
	if (BPF_CORE_READ(mount, mnt_ns) == search->namespace) {
		if (BPF_CORE_READ(mount, mnt.mnt_root) == search->root) {
			search->several_wholes |= !!search->whole;
			search->whole = mount;
		} else {
			search->several_parts |= !!search->part;
			search->part = mount;
		}
	}
	if (bpf_core_field_exists(mount->mnt_instance))
		search->next = (__u64)BPF_CORE_READ(mount, mnt_instance.next);
	else
		search->next = (__u64)BPF_CORE_READ((struct mount___linked *)mount, mnt_next_for_sb);
	return 0;
}

/* Where the task's namespace has the filesystem mounted; NULL where that is at no place or at several. */
static __always_inline struct mount *mount_of(struct super_block *super, struct task_struct *task)
{
	struct search_mount search = {
		.namespace = BPF_CORE_READ(task, nsproxy, mnt_ns),
		.root = BPF_CORE_READ(super, s_root),
		.whole = (void *)unknown_zero,
		.part = (void *)unknown_zero,
	};

	if (bpf_core_field_exists(((struct mount *)0)->mnt_instance)) {
		search.end = (__u64)super + bpf_core_field_offset(struct super_block, s_mounts);
		search.next = (__u64)BPF_CORE_READ(super, s_mounts.next);
	} else {
		search.next = (__u64)BPF_CORE_READ((struct super_block___linked *)super, s_mounts);
	}
	if (bpf_loop(MOST_MOUNTS, look_at_listed_mount, &search, 0) == MOST_MOUNTS)
		return NULL;
	if (search.whole)
		return search.several_wholes ? NULL : search.whole;
	return search.several_parts ? NULL : search.part;
}

/* Among path flags, in the sensor only: of a pipe, a memfd and the like, which no path leads to. */
#define NO_PATH (1U << 31)

enum climb_end {
	CLIMB_UNDER_WAY,
	CLIMB_ARRIVED, /* at the root of the task, or without a mount at that of the filesystem */
	CLIMB_LOST, /* at what is no root: a dentry that was found by a file handle, a detached mount, outside of a chroot */
	CLIMB_FULL,
};

/* The names are put together from their end, in the part of the tail that only the arguments of an exec need. */
struct climb {
	struct scratch *slot; /* NULL: the way is only gone again */
	struct dentry *dentry;
	struct mount *mount;
	struct dentry *filesystem_root;
	struct dentry *root; /* of the task */
	struct vfsmount *root_mount;
	__u64 trace; /* of the way, and of all moves of the dentries on it */
	__u32 position;
	__u32 end;
};

#define CLIMB_BUFFER PATH_BYTES

static __always_inline bool put_before(struct climb *climb, const void *from, __u32 bytes)
{
	struct scratch *slot = climb->slot;

	if (!slot)
		return true;
	if (climb->position < bytes)
		return false;
	climb->position -= bytes;
	bpf_probe_read_kernel(slot->tail + CLIMB_BUFFER + CLAMP(climb->position, PATH_BYTES - 1), CLAMP(bytes, 255), from);
	return true;
}

/* At the top of a filesystem, or of the part of it that a mount shows. */
static __always_inline long leave_mount(struct climb *climb, struct dentry *dentry)
{
	struct mount *mount = climb->mount, *parent;

	if (!mount || dentry != BPF_CORE_READ(mount, mnt.mnt_root)) {
		climb->end = !mount && dentry == climb->filesystem_root ? CLIMB_ARRIVED : CLIMB_LOST;
		return 1;
	}
	parent = BPF_CORE_READ(mount, mnt_parent);
	if (parent == mount) {
		climb->end = CLIMB_LOST;
		return 1;
	}
	climb->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
	climb->mount = parent;
	return 0;
}

static long climb_up(__u64 step, struct climb *climb)
{
	struct dentry *dentry = climb->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
	struct mount *mount = climb->mount;

	climb->trace = (climb->trace ^ (__u64)dentry ^ (__u64)mount) * SIEVE_FACTOR + BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
	if (mount && dentry == climb->root && (void *)mount + bpf_core_field_offset(struct mount, mnt) == climb->root_mount) {
		climb->end = CLIMB_ARRIVED;
		return 1;
	}
	if (parent == dentry || (mount && dentry == BPF_CORE_READ(mount, mnt.mnt_root)))
		return leave_mount(climb, dentry);
	if (!put_before(climb, BPF_CORE_READ(dentry, d_name.name), CLAMP(BPF_CORE_READ(dentry, d_name.len), 255)) ||
	    !put_before(climb, "/", 1)) {
		climb->end = CLIMB_FULL;
		return 1;
	}
	climb->dentry = parent;
	return 0;
}

/* Whether the way is still the one that was gone: no name and no mount on it was moved meanwhile. */
static __always_inline bool is_way_of(const struct climb *gone, struct dentry *dentry, struct mount *mount)
{
	struct climb again = *gone;

	again.slot = NULL;
	again.dentry = dentry;
	again.mount = mount;
	again.trace = 0;
	again.end = CLIMB_UNDER_WAY;
	bpf_loop(WALK_STEPS, climb_up, &again, 0);
	return again.trace == gone->trace && again.end == gone->end;
}

/* Puts the path of a dentry at `to`, and returns its length; flags say what it lacks. mount is NULL where it is not known. */
static __always_inline __u32 climb_path(struct scratch *slot, struct dentry *dentry, struct mount *mount, __u8 *to,
					__u32 *flags)
{
	struct super_block *super = BPF_CORE_READ(dentry, d_sb);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct climb climb = {
		.slot = slot,
		.dentry = dentry,
		.mount = mount,
		.filesystem_root = BPF_CORE_READ(super, s_root),
		.root = BPF_CORE_READ(task, fs, root.dentry),
		.root_mount = BPF_CORE_READ(task, fs, root.mnt),
		.position = PATH_BYTES + unknown_zero,
	};
	__u32 bytes;

	if (!mount)
		climb.mount = mount = mount_of(super, task);
	bpf_loop(WALK_STEPS, climb_up, &climb, 0);
	if (climb.end == CLIMB_ARRIVED && climb.position == PATH_BYTES)
		put_before(&climb, "/", 1);
	if (!mount)
		*flags |= PATH_FS_RELATIVE;
	if (BPF_CORE_READ(super, s_flags) & SB_NOUSER)
		*flags |= NO_PATH;
	if (climb.end == CLIMB_FULL)
		*flags |= PATH_TOO_LONG;
	else if (climb.end != CLIMB_ARRIVED || !is_way_of(&climb, dentry, mount))
		*flags |= PATH_UNREACHABLE;
	bytes = CLAMP(PATH_BYTES - climb.position, PATH_BYTES);
	bpf_probe_read_kernel(to, CLAMP(bytes, PATH_BYTES),
			      slot->tail + CLIMB_BUFFER + CLAMP(climb.position, PATH_BYTES));
	return bytes;
}

/* The path of a change hook's file, at the start of the slot's tail. shown_by: the vfsmount, or 0. */
__noinline int resolve_dentry(struct thread *thread, struct scratch *slot, __u64 dentry, __u64 shown_by)
{
	struct mount *mount = shown_by ? (void *)shown_by - bpf_core_field_offset(struct mount, mnt) : NULL;
	struct event *event;
	__u32 flags = 0;

	if (!thread || !slot)
		return 0;
	event = &thread->event;
	event->path_bytes = climb_path(slot, (void *)dentry, mount, slot->tail, &flags);
	/* Its attributes can still be set, through a descriptor, and its old name may be another file's by now. */
	if (is_deleted((void *)dentry, false))
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
	event->target_bytes = climb_path(slot, (void *)dentry, NULL, slot->second, &flags);
	thread->target_flags = flags;
	return 0;
}

#endif
