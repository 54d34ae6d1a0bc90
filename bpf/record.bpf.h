/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a call that could match to its rows: texts, filters, limits, digest, filters on the digest, acts, rows. The digest
 * comes first and the ring last: a reservation held over a hash would block the ring.
 */
#ifndef HASHTRAIL_RECORD_H
#define HASHTRAIL_RECORD_H

static __always_inline void begin_event(struct thread *thread)
{
	struct event *event = &thread->event;

	__builtin_memset(event, 0, sizeof(*event));
	event->boot_ns = bpf_ktime_get_boot_ns();
	event->hook = thread->hook;
	event->attributes = thread->number[NUMBER_ATTRIBUTES];
	if (is_exec_hook(thread->hook))
		event->exec_id = thread->exec_id;
	if (thread->hook == HOOK_MMAP_FILE || thread->hook == HOOK_FILE_MPROTECT)
		event->mmap_prot = thread->number[NUMBER_ARGUMENT_2];
	thread->decided = thread->matched = thread->acting = thread->undecided = 0;
	thread->uncertain = thread->unknown = thread->wants_digest = thread->signalled = thread->denied = 0;
	thread->target_flags = 0;
	thread->digest_sequence = 0;
	__builtin_memset(&thread->sets[TEXT_PATH], 0, 2 * sizeof(thread->sets[0]));
	__builtin_memset(&thread->sets[TEXT_COMM], 0, 3 * sizeof(thread->sets[0]));
}

/* What d_path or a walk gives for these is no path of the task's, or not the whole. */
#define NO_WHOLE_PATH (PATH_TOO_LONG | PATH_UNREACHABLE | PATH_FS_RELATIVE)

/* A path that could not be built fully equals nothing and begins with nothing: filters on it are undecided. */
__noinline int find_path_sets(struct thread *thread, struct scratch *slot, bool has_file)
{
	struct event *event;

	if (!thread)
		return 0;
	event = &thread->event;
	if (!slot) {
		event->path_flags |= PATH_NO_SCRATCH;
		thread->unknown_texts |= LATE_TEXTS;
		return 0;
	}
	if (event->path_bytes && !(event->path_flags & NO_WHOLE_PATH))
		find_sets(slot, &thread->sets[TEXT_PATH], TAIL_TEXT, event->path_bytes);
	else if (has_file && !(event->path_flags & NO_PATH))
		thread->unknown_texts |= 1 << TEXT_PATH;
	if (event->target_bytes && !(thread->target_flags & NO_WHOLE_PATH))
		find_sets(slot, &thread->sets[TEXT_TARGET], SECOND_TEXT, event->target_bytes);
	else if (thread->target_flags & NO_WHOLE_PATH)
		thread->unknown_texts |= 1 << TEXT_TARGET;
	event->path_flags = (event->path_flags | thread->target_flags) & ~NO_PATH;
	return 0;
}

/* Takes back the rows that a rate limit stops, before any digest is known. */
__noinline int limit_rows(struct thread *thread, struct scratch *slot)
{
	if (!thread)
		return 0;
	if (config.has_limits) {
		hash_texts(thread, slot);
		apply_limits(thread, SELECTOR_LIMITED, thread->matched);
	}
	return !!(thread->matched | thread->acting | thread->undecided);
}

/* The rest of the entries, now that the digest is known. */
__noinline int decide_by_digest(struct thread *thread)
{
	__u64 undecided;

	if (!thread)
		return 0;
	undecided = thread->undecided;
	if (undecided) {
		evaluate(thread, PASS_DIGEST);
		if (undecided & ~thread->decided)
			COUNT(dropped_by_digest, 1);
		apply_limits(thread, SELECTOR_LIMITED, undecided);
	}
	thread->merging = (struct merging){ .until_ns = ~0ULL };
	apply_limits(thread, SELECTOR_DEDUPE, thread->matched);
	return 0;
}

/* After the digest. committed is given where an exec has succeeded. */
static __always_inline void finish(struct thread *thread, struct scratch *slot, struct linux_binprm *committed)
{
	decide_by_digest(thread);
	enforce(thread);
	if (!thread->matched) {
		/* Else a row was merged, or an act needs none: both are counted as such. */
		if (!thread->decided)
			COUNT(filtered, 1);
		return;
	}
	fill_process(thread);
	append_exe(thread, slot);
	if (committed)
		append_arguments(thread, slot, committed);
	append_target(thread, slot);
	append_container(&thread->event, slot, cgroup_of(bpf_get_current_task_btf()));
	send_rows(thread, slot);
}

/* What could match gets an event and, where one is free, a slot. */
static __always_inline struct scratch *begin(struct thread *thread)
{
	struct scratch *slot;

	begin_event(thread);
	slot = claim_scratch(thread->event.boot_ns);
	if (slot)
		look_at_comms(thread, slot);
	if (config.has_values)
		read_texts(thread, slot);
	return slot;
}

/* Nothing that others wait for is held meanwhile. */
static __always_inline struct scratch *hash_without_slot(struct thread *thread, struct scratch *slot, struct subject *subject,
							 struct linux_binprm *committed)
{
	bool had_slot = slot;

	put_aside(thread, slot);
	release_scratch(slot);
	take_hash(thread, subject->file);
	if (!had_slot)
		return NULL;
	if (committed)
		touch_arguments(committed);
	return take_back(thread, subject->path);
}

/* From the path on, for every hook. committed is given where an exec has succeeded. */
static __always_inline int conclude(struct thread *thread, struct scratch *slot, struct subject subject,
				    struct linux_binprm *committed)
{
	find_path_sets(thread, slot, subject.dentry);
	if (committed)
		remember_binary(thread, slot);
	if (evaluate(thread, PASS_PATH)) {
		fill_subject(thread, &subject);
		if (limit_rows(thread, slot)) {
			if (thread->wants_digest && needs_hash(thread, subject.file) && subject.file)
				slot = hash_without_slot(thread, slot, &subject, committed);
			finish(thread, slot, committed);
		}
	} else {
		COUNT(filtered, 1);
	}
	release_scratch(slot);
	return thread->verdict;
}

/* What a mount and a name lead to. is_kept: the path is what the process is known by from now on. Whether it is whole. */
static __always_inline __u64 find_path(struct thread *thread, struct scratch *slot, struct path *path, bool is_kept)
{
	__u64 is_whole = is_under_whole_mounts(path);
	struct hook_policy *policy = policy_of(thread->hook);

	resolve_path(&thread->event, slot, path);
	look_at_way(&thread->event, path, !is_whole && (is_kept || (policy && policy->needed_texts & 1 << TEXT_PATH)));
	return FORGET(is_whole);
}

/* Hooks that give a file. */
static __always_inline int record_file(struct thread *thread, struct file *file, struct linux_binprm *committed)
{
	struct subject subject = { .is_typed = true };
	struct scratch *slot;

	if (file) {
		subject.path = &file->f_path;
		subject.file = file;
		subject.dentry = file->f_path.dentry;
		subject.inode = file->f_inode;
		subject.open_flags = file->f_flags;
	}
	if (!could_match(thread, subject.inode, true) && !committed) {
		COUNT(filtered, 1);
		return 0;
	}
	if (committed)
		touch_arguments(committed);
	slot = begin(thread);
	if (file)
		subject.is_whole = find_path(thread, slot, &file->f_path, committed);
	return conclude(thread, slot, subject, committed);
}

/*
 * Hooks that give a file in a way in which the verifier does not know it as one, or none: nothing can be hashed, and its path
 * is found like that of a dentry.
 */
static __always_inline int record_unhashed(struct thread *thread, struct file *file)
{
	struct subject subject = {};
	struct scratch *slot;

	if (file) {
		subject.dentry = BPF_CORE_READ(file, f_path.dentry);
		subject.inode = BPF_CORE_READ(file, f_inode);
		subject.open_flags = BPF_CORE_READ(file, f_flags);
	}
	if (!could_match(thread, subject.inode, false)) {
		COUNT(filtered, 1);
		return 0;
	}
	slot = begin(thread);
	if (file && is_memfd(subject.dentry, BPF_CORE_READ(file, f_path.mnt), false))
		name_memfd(&thread->event, slot, (__u64)subject.dentry);
	else if (file)
		resolve_dentry(thread, slot, (__u64)subject.dentry, (__u64)BPF_CORE_READ(file, f_path.mnt));
	return conclude(thread, slot, subject, NULL);
}

/* Change hooks give names in directories, under their locks, so nothing is hashed. target is the second name, or 0. */
static __always_inline int record_dentry(struct thread *thread, __u64 dentry, __u64 target)
{
	struct subject subject = { .dentry = (void *)dentry };
	struct scratch *slot;

	subject.inode = BPF_CORE_READ((struct dentry *)dentry, d_inode);
	if (!could_match(thread, subject.inode, false)) {
		COUNT(filtered, 1);
		return 0;
	}
	slot = begin(thread);
	resolve_dentry(thread, slot, dentry, 0);
	if (target)
		resolve_target(thread, slot, target);
	else if (thread->hook == HOOK_INODE_SETXATTR)
		copy_attribute_name(thread, slot);
	return conclude(thread, slot, subject, NULL);
}

/* A place in the tree of mounts: a dentry and the vfsmount that shows it. */
static __always_inline int record_place(struct thread *thread, __u64 dentry, __u64 shown_by)
{
	struct subject subject = { .dentry = (void *)dentry };
	struct scratch *slot;

	subject.inode = BPF_CORE_READ((struct dentry *)dentry, d_inode);
	if (!could_match(thread, subject.inode, false)) {
		COUNT(filtered, 1);
		return 0;
	}
	slot = begin(thread);
	resolve_dentry(thread, slot, dentry, shown_by);
	return conclude(thread, slot, subject, NULL);
}

static __always_inline int record_path(struct thread *thread, struct path *path)
{
	struct subject subject = { .path = path };
	struct scratch *slot;

	subject.dentry = BPF_CORE_READ(path, dentry);
	subject.inode = BPF_CORE_READ(path, dentry, d_inode);
	if (!could_match(thread, subject.inode, false)) {
		COUNT(filtered, 1);
		return 0;
	}
	slot = begin(thread);
	subject.is_whole = find_path(thread, slot, path, false);
	return conclude(thread, slot, subject, NULL);
}

#endif
