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

/* Writing is denied from the first to the last hook of an exec, so one hash serves them all. */
static __always_inline bool reuse_exec_digest(struct thread *thread)
{
	struct exec_digest *kept = &thread->exec_digest;
	struct event *event = &thread->event;

	if (!is_exec_hook(thread->hook) || !kept->exec_id || kept->exec_id != event->exec_id ||
	    kept->ino != event->ino || kept->dev != event->dev || kept->ino_generation != event->ino_generation ||
	    kept->i_version_raw != event->i_version_raw || kept->size_bytes != event->size_bytes)
		return false;
	__builtin_memcpy(event->digest, kept->digest, DIGEST_BYTES);
	event->digest_algorithm = kept->algorithm;
	event->digest_doubt = kept->doubt;
	event->digest_source = SOURCE_CACHE;
	COUNT(digests_reused, 1);
	return true;
}

static __always_inline void keep_exec_digest(struct thread *thread)
{
	struct exec_digest *kept = &thread->exec_digest;
	struct event *event = &thread->event;

	if (!is_exec_hook(thread->hook))
		return;
	kept->exec_id = event->exec_id;
	kept->ino = event->ino;
	kept->dev = event->dev;
	kept->ino_generation = event->ino_generation;
	kept->i_version_raw = event->i_version_raw;
	kept->size_bytes = event->size_bytes;
	kept->algorithm = event->digest_algorithm;
	kept->doubt = event->digest_doubt;
	__builtin_memcpy(kept->digest, event->digest, DIGEST_BYTES);
}

/*
 * What can make the digest doubtful. Bit 0 of i_version is set when the kernel really hashes and cleared by the next
 * change: a clear bit means that IMA answered from its cache with the digest of older content.
 */
static __always_inline __u32 doubts(struct thread *thread, struct file *file)
{
	struct event *event = &thread->event;
	struct inode *inode = file->f_inode;
	__u64 version = inode->i_version.counter, size = inode->i_size;
	__s32 own_writer = thread->hook == HOOK_FILE_POST_OPEN && file->f_mode & FMODE_WRITE;
	__u32 doubt = 0;

	if (counts_versions(inode)) {
		if (!(version & I_VERSION_QUERIED))
			doubt |= DOUBT_OLD;
		if (version >> 1 != event->i_version_raw >> 1)
			doubt |= DOUBT_MOVED_DURING_HASH;
	} else if (!config.hash_probe || !thread->hashed) {
		doubt |= DOUBT_NOT_REVALIDATED;
	}
	if (size != event->size_bytes)
		doubt |= DOUBT_MOVED_DURING_HASH;
	if (inode->i_writecount.counter > own_writer)
		doubt |= DOUBT_WRITER_OPEN;
	if (inode->i_sb->s_iflags & SB_I_IMA_UNVERIFIABLE_SIGNATURE)
		doubt |= DOUBT_UNVERIFIABLE_FS;
	event->i_version_raw = version;
	return doubt;
}

static __noinline int take_digest(struct thread *thread, struct file *file)
{
	struct event *event;
	__u64 begin;
	long algorithm;

	if (!thread)
		return 0;
	event = &thread->event;
	if (!file) {
		event->digest_status = thread->hook < HOOK_INODE_RENAME ? DIGEST_NO_FILE
									: DIGEST_NOT_AVAILABLE_AT_THIS_HOOK;
		return 0;
	}
	event->digest_status = digest_obstacle(thread, file);
	if (event->digest_status != DIGEST_OK || reuse_exec_digest(thread) || reuse_kept_digest(thread, file))
		return 0;
	begin = bpf_ktime_get_boot_ns();
	thread->hashed = 0;
	thread->calling_ima = 1;
	algorithm = bpf_ima_file_hash(file, event->digest, DIGEST_BYTES);
	thread->calling_ima = 0;
	event->digest_duration_ns = bpf_ktime_get_boot_ns() - begin;
	COUNT(digests, 1);
	/* 0 is an algorithm too (md4) */
	if (algorithm < 0) {
		event->digest_status = DIGEST_IMA_FAILED;
		return 0;
	}
	event->digest_algorithm = algorithm;
	event->digest_source = SOURCE_IMA;
	event->digest_doubt = doubts(thread, file);
	keep_exec_digest(thread);
	keep_digest(thread, file);
	return 0;
}

/*
 * IMA reads the file, for the helper or for its own policy. For a write-only file it opens it again for reading: hooks
 * that run inside are not acts of the task.
 */
SEC("fentry/ima_calc_file_hash")
int BPF_PROG(ima_hash_begins, struct file *file)
{
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!thread)
		return 0;
	thread->hashing = 1;
	thread->hashed = 1;
	if (generation_that_records() != config.generation)
		return 0;
	COUNT(hashed_files, 1);
	COUNT(hashed_bytes, file->f_inode->i_size);
	return 0;
}

SEC("fexit/ima_calc_file_hash")
int BPF_PROG(ima_hash_ends, struct file *file)
{
	struct thread *thread = bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);

	if (thread)
		thread->hashing = 0;
	return 0;
}

#endif
