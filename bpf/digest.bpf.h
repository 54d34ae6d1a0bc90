/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The digest of the file, with its evidence. */
#ifndef HASHTRAIL_DIGEST_H
#define HASHTRAIL_DIGEST_H

static __always_inline bool is_pseudo_filesystem(struct file *file)
{
	switch ((__u32)file->f_inode->i_sb->s_magic) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case SELINUX_MAGIC:
	case SMACK_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case CONFIGFS_MAGIC:
	case BINFMTFS_MAGIC:
	case EFIVARFS_MAGIC:
		return true;
	}
	return false;
}

/*
 * Why the helper must not be called, or DIGEST_OK. In file_open it fails on first opens and can hang the opener for
 * ever; for anything but a regular file with stored content it gives the digest of nothing.
 */
static __always_inline __u8 digest_obstacle(struct thread *thread, struct file *file)
{
	struct event *event = &thread->event;

	if (thread->hook == HOOK_FILE_OPEN)
		return DIGEST_NOT_AVAILABLE_AT_THIS_HOOK;
	if ((event->mode & S_IFMT) != S_IFREG)
		return DIGEST_NOT_REGULAR;
	if (is_pseudo_filesystem(file))
		return DIGEST_PSEUDO_FILESYSTEM;
	if (thread->hook == HOOK_MMAP_FILE && !(event->mmap_prot & PROT_EXEC))
		return DIGEST_NOT_EXECUTABLE_MAPPING;
	if (event->open_flags & config.direct_io_flag)
		return DIGEST_DIRECT_IO;
	if (event->size_bytes > config.max_hash_bytes)
		return DIGEST_TOO_LARGE;
	return DIGEST_OK;
}

static __always_inline bool is_exec_hook(__u32 hook)
{
	switch (hook) {
	case HOOK_BPRM_CREDS_FOR_EXEC:
	case HOOK_BPRM_CREDS_FROM_FILE:
	case HOOK_BPRM_CHECK_SECURITY:
	case HOOK_BPRM_COMMITTING_CREDS:
	case HOOK_BPRM_COMMITTED_CREDS:
		return true;
	}
	return false;
}

/*
 * Writing is denied from the first to the last hook of an exec, so one hash serves them all, where the content is one that
 * cannot change otherwise.
 */
static __always_inline bool reuse_exec_digest(struct thread *thread, struct file *file)
{
	struct exec_digest *known = &thread->exec_digest;
	struct event *event = &thread->event;
	struct cached_digest *cached;

	if (!is_exec_hook(thread->hook) || !known->exec_id || known->exec_id != event->exec_id ||
	    known->ino != event->ino || known->dev != event->dev || known->ino_generation != event->ino_generation ||
	    known->i_version_raw != event->i_version_raw || known->size_bytes != event->size_bytes ||
	    !(thread->content.state & CONTENT_WATCHED))
		return false;
	cached = bpf_inode_storage_get(&digest_cache, file->f_inode, NULL, 0);
	if (!cached || cached->write_opens != known->write_opens)
		return false;
	__builtin_memcpy(event->digest, known->digest, DIGEST_BYTES);
	event->digest_algorithm = known->algorithm;
	event->digest_doubt |= known->doubt;
	event->digest_source = SOURCE_CACHE;
	event->content_read_ns = known->read_ns;
	COUNT(digests_reused, 1);
	return true;
}

static __always_inline void keep_exec_digest(struct thread *thread, __u64 write_opens)
{
	struct exec_digest *known = &thread->exec_digest;
	struct event *event = &thread->event;

	if (!is_exec_hook(thread->hook))
		return;
	known->exec_id = event->exec_id;
	known->ino = event->ino;
	known->dev = event->dev;
	known->ino_generation = event->ino_generation;
	known->i_version_raw = event->i_version_raw;
	known->size_bytes = event->size_bytes;
	known->read_ns = event->content_read_ns;
	known->write_opens = write_opens;
	known->algorithm = event->digest_algorithm;
	known->doubt = event->digest_doubt;
	__builtin_memcpy(known->digest, event->digest, DIGEST_BYTES);
}

/*
 * What moved over the hash. Bit 0 of i_version is set when the kernel really hashes and cleared by the next change: where IMA
 * read nothing, a clear bit means that its memory is of older content. Not each filesystem sets it: xfs no more since 6.13.
 */
static __always_inline __u32 doubts_over_hash(const struct thread *thread, const struct content *after)
{
	const struct content *before = &thread->content;
	__u32 doubt = doubts_of(before) | doubts_of(after);

	if (after->state & CONTENT_COUNTED) {
		if (!(after->version & I_VERSION_QUERIED) && !thread->hashed)
			doubt |= DOUBT_OLD;
		if (after->version >> 1 != before->version >> 1)
			doubt |= DOUBT_MOVED_DURING_HASH;
	}
	if (after->inode != before->inode || after->size_bytes != before->size_bytes || after->ctime_s != before->ctime_s ||
	    after->ctime_ns != before->ctime_ns)
		doubt |= DOUBT_MOVED_DURING_HASH;
	return doubt;
}

/*
 * Attributes of IMA's policy; 0: it has none, keeps no digests in its memory, and reads the file at each call of the helper,
 * so that no program has to see that it did.
 */
__u64 ima_policy_flag; /* its address; 0: not known */

/* Run once after the load: libbpf would read the names of all symbols of the kernel for it, twice. */
SEC("syscall")
int find_ima_policy_flag(void *context)
{
	char name[] = "ima_policy_flag";
	__u64 address = 0;

	if (!bpf_kallsyms_lookup_name(name, sizeof(name), 0, &address))
		ima_policy_flag = address;
	return 0;
}

static __always_inline bool ima_has_policy(void)
{
	int flags = 1;

	if (ima_policy_flag)
		bpf_probe_read_kernel(&flags, sizeof(flags), (void *)ima_policy_flag);
	return flags;
}

/* False where there is none, or one is known already. */
static __noinline int needs_hash(struct thread *thread, struct file *file)
{
	struct event *event;

	if (!thread)
		return 0;
	event = &thread->event;
	if (!file) {
		event->digest_status = thread->hook < HOOK_INODE_RENAME && !(event->flags & EVENT_HAS_FILE)
					       ? DIGEST_NO_FILE
					       : DIGEST_NOT_AVAILABLE_AT_THIS_HOOK;
		return 0;
	}
	event->digest_status = digest_obstacle(thread, file);
	return event->digest_status == DIGEST_OK && !reuse_exec_digest(thread, file) && !reuse_cached_digest(thread, file);
}

/* After the helper: what the digest is worth, and where it is kept. write_opens: before it. */
static __noinline int weigh_digest(struct thread *thread, struct cached_digest *cached, __u64 write_opens, __u64 begin)
{
	struct content after = {};
	struct event *event;

	if (!thread)
		return 0;
	event = &thread->event;
	after.opened = thread->content.opened;
	after.opened_inode = thread->content.opened_inode;
	after.own_writers = thread->content.own_writers;
	find_content(&after);
	event->digest_doubt = doubts_over_hash(thread, &after);
	event->i_version_raw = after.version;
	event->content_read_ns = thread->hashed ? begin : vouched_read(thread, cached);
	if (!event->content_read_ns)
		event->content_read_ns = noted_read(&after);
	if (!event->content_read_ns)
		event->digest_doubt |= DOUBT_NOT_REVALIDATED;
	/* Who opened it for writing and is gone again may have stored into a mapping, which leaves no other trace. */
	if (!cached || cached->write_opens != write_opens)
		event->digest_doubt |= cached ? DOUBT_MOVED_DURING_HASH : DOUBT_NOT_REVALIDATED;
	keep_exec_digest(thread, write_opens);
	if (cached && thread->hashed)
		cache_digest(thread, cached, &after, write_opens);
	return 0;
}

static __noinline int take_hash(struct thread *thread, struct file *file)
{
	struct cached_digest *cached;
	struct event *event;
	__u64 begin, write_opens;
	bool may_remember;
	long algorithm;

	if (!thread || !file)
		return 0;
	event = &thread->event;
	cached = memory_of(file->f_inode);
	write_opens = cached ? cached->write_opens : 0;
	begin = bpf_ktime_get_boot_ns();
	may_remember = ima_has_policy();
	thread->hashed = 0;
	thread->hash_counted = 0;
	thread->calling_ima = 1;
	algorithm = bpf_ima_file_hash(file, event->digest, DIGEST_BYTES);
	thread->calling_ima = 0;
	thread->reopening = 0;
	event->digest_duration_ns = bpf_ktime_get_boot_ns() - begin;
	COUNT(digests, 1);
	/* 0 is an algorithm too (md4) */
	if (algorithm < 0) {
		event->digest_status = DIGEST_IMA_FAILED;
		return 0;
	}
	event->digest_algorithm = algorithm;
	event->digest_source = SOURCE_IMA;
	if (!may_remember && !ima_has_policy())
		thread->hashed = 1;
	return weigh_digest(thread, cached, write_opens, begin);
}

static __always_inline void note_hash_begin(struct file *file)
{
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!thread)
		return;
	thread->reopening = file->f_mode & FMODE_READ ? 0 : (__u64)file->f_inode;
	thread->hashed = 1;
	/* What it reads for the helper does not stay in its memory. */
	if (!thread->calling_ima)
		begin_reading(file);
	if (thread->hash_counted || generation_that_records() != config.generation)
		return;
	thread->hash_counted = 1;
	COUNT(hashed_files, 1);
	COUNT(hashed_bytes, file->f_inode->i_size);
}

static __always_inline void note_hash_end(struct file *file, int error)
{
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);

	if (!thread)
		return;
	thread->reopening = 0;
	thread->hashed = 1;
	thread->hash_counted = 0;
	if (!thread->calling_ima && !error)
		end_reading(file);
}

/*
 * IMA reads the file, for the helper or for its own policy. For a write-only file it opens it again for reading, which is
 * no act of the task: that one open is not recorded. The kernel may skip any program, so nothing rests on the end:
 * a mark that said "inside" would hide, once it stays, all that the thread does from then on.
 */
SEC("fentry/ima_calc_file_hash")
int BPF_PROG(ima_hash_begins, struct file *file)
{
	note_hash_begin(file);
	return 0;
}

/* A task that is preempted in a program makes the kernel skip it for the other tasks of that CPU: not this one too. */
SEC("fentry/ima_calc_file_hash")
int BPF_PROG(ima_hash_begins_again, struct file *file)
{
	note_hash_begin(file);
	return 0;
}

SEC("fexit/ima_calc_file_hash")
int BPF_PROG(ima_hash_ends, struct file *file, void *hash, int ret)
{
	note_hash_end(file, ret);
	return 0;
}

SEC("fexit/ima_calc_file_hash")
int BPF_PROG(ima_hash_ends_again, struct file *file, void *hash, int ret)
{
	note_hash_end(file, ret);
	return 0;
}

#endif
