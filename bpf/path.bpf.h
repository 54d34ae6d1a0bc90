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
static __always_inline bool is_reachable(struct path *path)
{
	struct task_struct *task = bpf_get_current_task_btf();
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
static __always_inline bool is_unlinked(struct path *path)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);

	return !BPF_CORE_READ(dentry, d_hash.pprev) && BPF_CORE_READ(dentry, d_parent) != dentry;
}

static __always_inline __u32 flags_of_path(struct path *path)
{
	__u32 flags = 0;

	if (is_unlinked(path) || !BPF_CORE_READ(path, dentry, d_inode, i_nlink))
		flags |= PATH_DELETED;
	if (is_memfd(path))
		return PATH_MEMFD;
	if (BPF_CORE_READ(path, dentry) == BPF_CORE_READ(path, mnt, mnt_root))
		flags |= PATH_MOUNT_POINT;
	if (!is_reachable(path))
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

/* Puts the path at the start of the slot's tail. Its length counts no final NUL. */
static __noinline int resolve_path(struct thread *thread, struct scratch *slot, struct file *file)
{
	struct event *event = &thread->event;
	bool unlinked;
	long length;

	if (!file)
		return 0;
	unlinked = is_unlinked(&file->f_path);
	event->path_flags = flags_of_path(&file->f_path);
	if (!slot) {
		event->path_flags |= PATH_NO_SCRATCH;
		return 0;
	}
	length = bpf_d_path(&file->f_path, (char *)slot->tail, PATH_BYTES);
	if (length == -ENAMETOOLONG) {
		event->path_flags |= PATH_TOO_LONG;
		unlinked = false;
		length = bpf_probe_read_kernel_str(slot->tail, 256, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	}
	if (length > 1 && length <= PATH_BYTES)
		event->path_bytes = unlinked ? without_suffix(slot, length - 1) : length - 1;
	return 0;
}

struct path_look_up {
	struct scratch *slot;
	struct path_sets *sets;
	struct affix_lengths *lengths;
	__u32 bytes;
};

static __always_inline void add_sets(struct path_sets *sets, const struct path_sets *more)
{
	int i;

	if (!more)
		return;
	for (i = 0; i < PATH_SET_WORDS; i++)
		sets->word[i] |= more->word[i];
}

static __always_inline void look_up_affix(struct path_look_up *look_up, __u32 kind, __u32 length, __u32 offset)
{
	struct affix_key *key = &look_up->slot->affix;

	__builtin_memset(key, 0, sizeof(*key));
	key->kind = kind;
	key->length = length;
	bpf_probe_read_kernel(key->bytes, CLAMP(length, AFFIX_BYTES), look_up->slot->tail + CLAMP(offset, PATH_BYTES));
	add_sets(look_up->sets, bpf_map_lookup_elem(&affixes, key));
}

static long look_up_prefix(__u64 index, struct path_look_up *look_up)
{
	__u32 length = look_up->lengths->prefix[index % PREFIX_LENGTHS];

	if (length <= look_up->bytes)
		look_up_affix(look_up, AFFIX_PREFIX, length, 0);
	return 0;
}

static long look_up_postfix(__u64 index, struct path_look_up *look_up)
{
	__u32 length = look_up->lengths->postfix[index % POSTFIX_LENGTHS];

	if (length <= look_up->bytes)
		look_up_affix(look_up, AFFIX_POSTFIX, length, look_up->bytes - length);
	return 0;
}

/*
 * Which sets the path in the slot belongs to. Whole paths are keys padded with zeros; prefixes and postfixes cost one
 * look-up for each length that occurs among them.
 */
static __noinline int find_path_sets(struct scratch *slot, struct path_sets *sets, __u32 bytes)
{
	struct path_look_up look_up = { .slot = slot, .sets = sets, .bytes = bytes };
	__u32 key = 0;
	__u64 length;

	if (!slot || !sets || !bytes)
		return 0;
	look_up.lengths = bpf_map_lookup_elem(&affix_lengths, &key);
	if (!look_up.lengths)
		return 0;
	if (bytes <= SHORT_PATH_BYTES) {
		length = CLAMP(bytes, SHORT_PATH_BYTES);
		bpf_probe_read_kernel(slot->tail + length, CLAMP(SHORT_PATH_BYTES - length, SHORT_PATH_BYTES), zeros);
		add_sets(sets, bpf_map_lookup_elem(&short_paths, slot->tail));
	} else {
		length = CLAMP(bytes, PATH_BYTES);
		bpf_probe_read_kernel(slot->tail + length, CLAMP(PATH_BYTES - length, PATH_BYTES), zeros);
		add_sets(sets, bpf_map_lookup_elem(&long_paths, slot->tail));
	}
	bpf_loop(look_up.lengths->prefixes, look_up_prefix, &look_up, 0);
	bpf_loop(look_up.lengths->postfixes, look_up_postfix, &look_up, 0);
	return 0;
}

#endif
