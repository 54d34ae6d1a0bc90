/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The digest of a file's content, kept with its inode for as long as that content cannot have changed, so that a program
 * that runs a thousand times is not hashed a thousand times.
 */
#ifndef HASHTRAIL_KEPT_H
#define HASHTRAIL_KEPT_H

/*
 * What is written below the filesystem changes no counter. It counts when it is read again; that is seen because some of the
 * file is not in memory then, and at the latest after this time.
 */
#define KEPT_NS 10000000000ULL
/* To hash less costs little. And an exec reads the start of its file, with what is read ahead, before the first hook. */
#define KEPT_FROM_BYTES (256 << 10)

/* All tasks share it: a copy counts only if nobody wrote meanwhile. */
struct kept_digest {
	__u32 turn; /* odd while it is written */
	__s32 algorithm;
	__u64 i_version_raw;
	__u64 size_bytes;
	__u64 boot_ns; /* when it was taken */
	__u8 digest[DIGEST_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kept_digest);
} kept_digests SEC(".maps");

/* A full barrier too. */
static __always_inline __u32 turn_of(struct kept_digest *kept)
{
	return __sync_fetch_and_add(&kept->turn, 0);
}

static __always_inline bool counts_versions(struct inode *inode)
{
	return inode->i_sb->s_flags & SB_I_VERSION || inode->i_sb->s_iflags & SB_I_VERSION;
}

/*
 * Whether the change counter, of this raw value, would show a change: bit 0 makes the next one count. Nobody has the file
 * open for writing, so no mapping is stored to; all of it is in memory, so it is what was hashed and what will run.
 */
static __always_inline bool is_settled(struct inode *inode, __u64 version)
{
	return config.keeps_digests && counts_versions(inode) && version & I_VERSION_QUERIED &&
	       inode->i_writecount.counter <= 0 && inode->i_size >= KEPT_FROM_BYTES &&
	       inode->i_mapping->nrpages * config.page_bytes >= (__u64)inode->i_size;
}

static __always_inline bool reuse_kept_digest(struct thread *thread, struct file *file)
{
	struct event *event = &thread->event;
	struct inode *inode = file->f_inode;
	__u64 version = inode->i_version.counter;
	struct kept_digest *kept;
	bool is_same;
	__u32 turn;

	if (!is_settled(inode, version))
		return false;
	kept = bpf_inode_storage_get(&kept_digests, inode, NULL, 0);
	if (!kept)
		return false;
	turn = turn_of(kept);
	is_same = kept->i_version_raw == version && kept->size_bytes == event->size_bytes &&
		  event->boot_ns - kept->boot_ns < KEPT_NS;
	event->digest_algorithm = kept->algorithm;
	__builtin_memcpy(event->digest, kept->digest, DIGEST_BYTES);
	if (turn & 1 || !is_same || turn_of(kept) != turn) {
		event->digest_algorithm = 0;
		__builtin_memset(event->digest, 0, DIGEST_BYTES);
		return false;
	}
	event->i_version_raw = version;
	event->digest_source = SOURCE_CACHE;
	COUNT(digests_reused, 1);
	return true;
}

/* Keeps the digest that was just taken, where nothing makes it doubtful. */
static __always_inline void keep_digest(struct thread *thread, struct file *file)
{
	struct event *event = &thread->event;
	struct kept_digest *kept;
	__u32 turn;

	if (event->digest_doubt || !is_settled(file->f_inode, event->i_version_raw))
		return;
	kept = bpf_inode_storage_get(&kept_digests, file->f_inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!kept)
		return;
	turn = turn_of(kept);
	if (turn & 1 || __sync_val_compare_and_swap(&kept->turn, turn, turn + 1) != turn)
		return;
	kept->algorithm = event->digest_algorithm;
	kept->i_version_raw = event->i_version_raw;
	kept->size_bytes = event->size_bytes;
	kept->boot_ns = event->boot_ns;
	__builtin_memcpy(kept->digest, event->digest, DIGEST_BYTES);
	__sync_fetch_and_add(&kept->turn, 1);
}

#endif
