/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The digest of a file's content, kept with its inode for as long as that content cannot have changed: a program that runs a
 * thousand times is not hashed a thousand times, and what IMA has in its own memory is believed only where this agrees.
 */
#ifndef HASHTRAIL_KEPT_H
#define HASHTRAIL_KEPT_H

/*
 * What is written below the filesystem changes no counter. It counts when it is read again; that is seen because some of the
 * file is not in memory then, and at the latest after this time.
 */
#define KEPT_NS 10000000000ULL
/*
 * Of a smaller file that was read again from a disk, all may be in memory too: an exec reads the start of its file, with what is
 * read ahead, before the first hook. Its digest is kept only while nobody can write the disk past the filesystem.
 */
#define KEPT_FROM_BYTES (256 << 10)

/* All tasks share it: a copy counts only if nobody wrote meanwhile. */
struct kept_digest {
	__u64 write_opens; /* opens for writing since this memory was made; not of the turn */
	__u64 write_opens_before; /* when the content was read */
	__u64 i_version_raw;
	__u64 size_bytes;
	__u64 real_inode; /* address */
	__u64 read_ns; /* when the content began to be read */
	__u32 turn; /* odd while it is written */
	__s32 algorithm;
	__u8 digest[DIGEST_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kept_digest);
} kept_digests SEC(".maps");

/* Of two CPUs that make it at once, the kernel lets one fail: it finds what the other made. */
static __always_inline struct kept_digest *memory_of(struct inode *inode)
{
	struct kept_digest *kept = bpf_inode_storage_get(&kept_digests, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return kept ? kept : bpf_inode_storage_get(&kept_digests, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* A full barrier too. */
static __always_inline __u32 turn_of(struct kept_digest *kept)
{
	return __sync_fetch_and_add(&kept->turn, 0);
}

/*
 * Whether a change would be seen: bit 0 of the counter makes the next one count. Nobody has the file open for writing, so no
 * mapping is stored to; all of it is in memory, so it is what was hashed and what will run.
 */
static __always_inline bool is_settled(const struct content *content)
{
	return (content->state & (CONTENT_COUNTED | CONTENT_WATCHED)) == (CONTENT_COUNTED | CONTENT_WATCHED) &&
	       content->version & I_VERSION_QUERIED && !doubts_of(content) &&
	       content->cached_bytes >= content->size_bytes;
}

static __always_inline __u64 raw_writers_of(__u32 key)
{
	__u64 *value = bpf_map_lookup_elem(&raw_writers, &key);

	return value ? *value : 0;
}

/* As far as opens tell: a disk stays suspect after its first open for writing, because that can last. */
static __always_inline bool are_disks_left_alone(void)
{
	return raw_writers_of(RAW_WRITERS_NONE_BEFORE) && !raw_writers_of(RAW_WRITERS_SEEN);
}

/*
 * Copies the digest that is kept for the content of the call, and gives the time when it was read; 0 where none is kept or
 * the content may be another one.
 */
static __always_inline __u64 copy_kept(struct thread *thread, struct kept_digest *kept, __s32 *algorithm, __u8 *digest)
{
	struct content *content = &thread->content;
	__u32 turn = turn_of(kept);
	__u64 read_ns = kept->read_ns;
	bool is_same = kept->i_version_raw == content->version && kept->size_bytes == content->size_bytes &&
		       kept->real_inode == content->inode && kept->write_opens == kept->write_opens_before &&
		       read_ns && thread->event.boot_ns - read_ns < KEPT_NS;

	*algorithm = kept->algorithm;
	__builtin_memcpy(digest, kept->digest, DIGEST_BYTES);
	return turn & 1 || !is_same || turn_of(kept) != turn ? 0 : read_ns;
}

static __always_inline bool reuse_kept_digest(struct thread *thread, struct file *file)
{
	struct event *event = &thread->event;
	struct kept_digest *kept;

	if (!config.keeps_digests || !is_settled(&thread->content))
		return false;
	if (thread->content.size_bytes < KEPT_FROM_BYTES && !are_disks_left_alone())
		return false;
	kept = bpf_inode_storage_get(&kept_digests, file->f_inode, NULL, 0);
	if (!kept)
		return false;
	event->content_read_ns = copy_kept(thread, kept, &event->digest_algorithm, event->digest);
	if (!event->content_read_ns) {
		event->digest_algorithm = 0;
		__builtin_memset(event->digest, 0, DIGEST_BYTES);
		return false;
	}
	event->digest_source = SOURCE_CACHE;
	COUNT(digests_reused, 1);
	return true;
}

/* IMA answered from its memory: when the content was read that the digest is of, if that is known and not long ago. */
static __always_inline __u64 vouched_read(struct thread *thread, struct kept_digest *kept)
{
	__u8 digest[DIGEST_BYTES];
	__s32 algorithm;
	__u64 read_ns;

	if (!kept || !is_settled(&thread->content))
		return 0;
	read_ns = copy_kept(thread, kept, &algorithm, digest);
	return algorithm == thread->event.digest_algorithm && is_same_digest(digest, thread->event.digest) ? read_ns : 0;
}

/* Keeps the digest whose content was just read, where nothing makes it doubtful. */
static __always_inline void keep_digest(struct thread *thread, struct kept_digest *kept, const struct content *content,
					__u64 write_opens)
{
	struct event *event = &thread->event;
	__u32 turn;

	if (event->digest_doubt || !is_settled(content))
		return;
	turn = turn_of(kept);
	if (turn & 1 || __sync_val_compare_and_swap(&kept->turn, turn, turn + 1) != turn)
		return;
	kept->algorithm = event->digest_algorithm;
	kept->i_version_raw = content->version;
	kept->size_bytes = content->size_bytes;
	kept->real_inode = content->inode;
	kept->read_ns = event->content_read_ns;
	kept->write_opens_before = write_opens;
	__builtin_memcpy(kept->digest, event->digest, DIGEST_BYTES);
	__sync_fetch_and_add(&kept->turn, 1);
}

#endif
