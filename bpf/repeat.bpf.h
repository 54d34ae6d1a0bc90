/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * An open like the one before it of its file, each row of which is merged: it is counted at once, without a look at its path,
 * its digest and the policies. All that the selectors ask is how the file is opened and of which type it is; what else a
 * filter may ask, a path too, keeps its hook from this. So the outcome is the same while the content is the one whose digest
 * is kept.
 */
#ifndef HASHTRAIL_REPEAT_H
#define HASHTRAIL_REPEAT_H

/* `repeats`: of the hook's gate, and constant. */
static __always_inline void fill_repeat_key(struct repeat_key *key, struct thread *thread, struct file *file, __u64 repeats)
{
	struct task_struct *task = bpf_get_current_task_btf();

	key->generation = config.generation;
	key->hook = thread->hook;
	key->open_flags = file->f_flags;
	key->open_mode = thread->number[NUMBER_OPEN_MODE];
	key->mask = thread->number[NUMBER_ARGUMENT_1];
	key->task = repeats & REPEAT_BY_PROCESS ? task->tgid : 0;
	key->task_start_ns = repeats & REPEAT_BY_PROCESS ? task->group_leader->start_boottime : 0;
}

static __always_inline bool is_same_key(const struct repeat_key *left, const struct repeat_key *right)
{
	return left->task_start_ns == right->task_start_ns && left->task == right->task &&
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

/*
 * Whether the call had an outcome that the next one like it has too: its rows are merged, and it does nothing else. On btrfs and
 * overlays two inodes can be one file for merges, and rows of the other one come between.
 */
static __always_inline bool is_repeatable(const struct thread *thread, struct file *file)
{
	return thread->merging.rows && !thread->merging.others && thread->digest_sequence &&
	       !(thread->acting | thread->undecided | thread->uncertain | thread->unknown) &&
	       !(thread->content.state & CONTENT_STACKED) && (__u32)file->f_inode->i_sb->s_magic != BTRFS_SUPER_MAGIC;
}

/*
 * After a call that was looked at. The digest of its rows has to be the one that is kept: in between, another call may have
 * recorded another content.
 */
static __noinline int note_repeat(struct thread *thread, struct file *file)
{
	struct cached_digest *cached;
	struct repeat *repeat;

	if (!is_repeatable(thread, file))
		return 0;
	cached = bpf_inode_storage_get(&digest_cache, file->f_inode, NULL, 0);
	if (!cached || load_sequence(&cached->sequence) != thread->digest_sequence)
		return 0;
	repeat = &cached->repeat;
	if (!begin_writing(&repeat->sequence))
		return 0;
	repeat->key = thread->repeat_key;
	repeat->until_ns = thread->merging.until_ns;
	repeat->rows = thread->merging.rows;
	repeat->digest_sequence = thread->digest_sequence;
	end_writing(&repeat->sequence);
	return 0;
}

#endif
