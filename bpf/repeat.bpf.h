/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An open like the one before it of its file, each row of which is merged: it is counted at once, without a look at its path,
 * its digest and the policies. What they look at is the same where the file has the same names, the process its root, the
 * call its flags, and the content the digest that is kept; what else a filter may ask keeps its hook from this.
 */
#ifndef HASHTRAIL_REPEAT_H
#define HASHTRAIL_REPEAT_H

/*
 * The names from a dentry up to a root, and all moves of them, mixed into one number; 0: they cannot be told. The kernel's
 * hash of a name is salted with its directory.
 */
static __always_inline __u64 mix_names(__u64 way, struct dentry *dentry, struct dentry *root, bool is_typed)
{
	int i;

	for (i = 0; i < DEEPEST_FILE; i++) {
		__u32 sequence;

		if (dentry == root)
			return way | 1;
		sequence = READ(is_typed, dentry, d_seq.seqcount.sequence);
		if (sequence & 1)
			return 0;
		way = (way ^ sequence) * SIEVE_FACTOR;
		way ^= (__u64)READ(is_typed, dentry, d_name.hash) << 32 | READ(is_typed, dentry, d_name.len);
		dentry = READ(is_typed, dentry, d_parent);
	}
	return 0;
}

/* The same of a file on a mount in that of the root; others are not told. */
static __noinline __u64 mix_mount(struct path *path, struct path *root)
{
	struct mount *mount = (void *)(__u64)path->mnt - bpf_core_field_offset(struct mount, mnt), *parent;
	__u64 way = mix_names(0, path->dentry, path->mnt->mnt_root, true);

	parent = BPF_CORE_READ(mount, mnt_parent);
	if (!way || (__u64)parent + bpf_core_field_offset(struct mount, mnt) != (__u64)root->mnt)
		return 0;
	return mix_names(way * SIEVE_FACTOR, BPF_CORE_READ(mount, mnt_mountpoint), root->dentry, false);
}

static __always_inline __u64 way_of(struct path *path)
{
	struct fs_struct *fs = bpf_get_current_task_btf()->fs;

	if (path->mnt != fs->root.mnt)
		return mix_mount(path, &fs->root);
	return mix_names(0, path->dentry, fs->root.dentry, true);
}

/* `repeats`: of the hook's gate, and constant. */
static __always_inline void fill_repeat_key(struct repeat_key *key, struct thread *thread, struct file *file, __u64 repeats)
{
	struct task_struct *task = bpf_get_current_task_btf();

	key->generation = config.generation;
	key->hook = thread->hook;
	key->open_flags = file->f_flags;
	key->open_mode = thread->number[NUMBER_OPEN_MODE];
	key->mask = thread->number[NUMBER_ARGUMENT_1];
	key->way = repeats & REPEAT_BY_PATH ? way_of(&file->f_path) : 1;
	key->task = repeats & REPEAT_BY_PROCESS ? task->tgid : 0;
	key->task_start_ns = repeats & REPEAT_BY_PROCESS ? task->group_leader->start_boottime : 0;
}

static __always_inline bool is_same_key(const struct repeat_key *left, const struct repeat_key *right)
{
	return left->way == right->way && left->task_start_ns == right->task_start_ns && left->task == right->task &&
	       left->generation == right->generation && left->hook == right->hook && left->open_flags == right->open_flags &&
	       left->open_mode == right->open_mode && left->mask == right->mask;
}

/* The rows of the call that are merged, where it is one that was noted; else 0. */
static __always_inline __u32 rows_noted(struct repeat *repeat, const struct repeat_key *key, __u64 boot_ns)
{
	__u32 sequence = load_sequence(&repeat->sequence), rows = repeat->rows;

	if (sequence & 1 || !rows || !is_same_key(&repeat->key, key) || boot_ns >= repeat->until_ns)
		return 0;
	return load_sequence(&repeat->sequence) == sequence ? rows : 0;
}

/* Counts the rows of an open that are all merged, where it is known without a further look that they are. */
static __noinline int count_repeat(struct thread *thread, struct file *file)
{
	struct cached_digest *cached = bpf_inode_storage_get(&digest_cache, file->f_inode, NULL, 0);
	struct content *content = &thread->content;
	__u64 boot_ns = bpf_ktime_get_boot_ns();
	__u32 rows, digest_sequence;

	if (!cached)
		return 0;
	digest_sequence = cached->repeat.digest_sequence;
	rows = rows_noted(&cached->repeat, &thread->repeat_key, boot_ns);
	if (!rows)
		return 0;
	content->opened = (__u64)file;
	content->opened_inode = (__u64)file->f_inode;
	content->own_writers = 0;
	find_typed_content(content, file->f_inode);
	if (!may_be_kept(content) || !is_kept_of(cached, content, boot_ns) ||
	    load_sequence(&cached->sequence) != digest_sequence)
		return 0;
	COUNT(suppressed_dedupe, rows);
	COUNT(digests_reused, 1);
	return 1;
}

/* Whether the call had an outcome that the next one like it has too: its rows are merged, and it does nothing else. */
static __always_inline bool is_repeatable(const struct thread *thread)
{
	return thread->merging.rows && !thread->merging.others && thread->repeat_key.way &&
	       !(thread->acting | thread->undecided | thread->uncertain | thread->unknown);
}

/* After a call that was looked at. The names are asked again, because its path was built meanwhile. */
static __noinline int note_repeat(struct thread *thread, struct file *file, __u64 repeats)
{
	struct cached_digest *cached;
	struct repeat *repeat;
	__u32 digest_sequence;

	if (!is_repeatable(thread))
		return 0;
	if (repeats & REPEAT_BY_PATH && way_of(&file->f_path) != thread->repeat_key.way)
		return 0;
	cached = bpf_inode_storage_get(&digest_cache, file->f_inode, NULL, 0);
	if (!cached)
		return 0;
	repeat = &cached->repeat;
	digest_sequence = load_sequence(&cached->sequence);
	if (!is_same_digest(cached->digest, thread->event.digest) ||
	    cached->algorithm != thread->event.digest_algorithm || !begin_writing(&repeat->sequence))
		return 0;
	repeat->key = thread->repeat_key;
	repeat->until_ns = thread->merging.until_ns;
	repeat->rows = digest_sequence & 1 || load_sequence(&cached->sequence) != digest_sequence ? 0 : thread->merging.rows;
	repeat->digest_sequence = digest_sequence;
	end_writing(&repeat->sequence);
	return 0;
}

#endif
