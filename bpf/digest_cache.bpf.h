/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The digest of a file's content, kept with its inode for as long as that content cannot have changed: a program that runs a
 * thousand times is not hashed a thousand times, and what IMA has in its own memory is believed only where this agrees.
 */
#ifndef HASHTRAIL_DIGEST_CACHE_H
#define HASHTRAIL_DIGEST_CACHE_H

/*
 * What is written below the filesystem changes no counter. It counts when it is read again; that is seen because some of the
 * file is not in memory then, and at the latest after this time.
 */
#define DIGEST_CACHE_NS 10000000000ULL
/*
 * Of a smaller file that was read again from a disk, all may be in memory too: an exec reads the start of its file, with what is
 * read ahead, before the first hook. Its digest is kept only while nobody can write the disk past the filesystem.
 */
#define DIGEST_CACHE_FROM_BYTES (256 << 10)

/* The last open of which all rows are merged while the digest is kept: see repeat.bpf.h. */
struct repeat {
	struct repeat_key key;
	__u64 until_ns;
	__u32 sequence; /* odd while it is written */
	__u32 digest_sequence; /* of the memory that has the digest */
	__u32 rows; /* 0: none */
	__u32 padding;
};

/* All tasks share it: a copy counts only if nobody wrote meanwhile. */
struct cached_digest {
	__u64 write_opens; /* opens for writing since this memory was made; outside of the sequence */
	__u64 write_opens_before; /* when the content was read */
	__u64 i_version_raw;
	__u64 size_bytes;
	__u64 real_inode; /* address */
	__u64 read_ns; /* when the content began to be read */
	__u32 sequence; /* odd while it is written */
	__s32 algorithm;
	__u8 digest[DIGEST_BYTES];
	struct repeat repeat; /* outside of the sequence */
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct cached_digest);
} digest_cache SEC(".maps");

/* Of two CPUs that make it at once, the kernel lets one fail: it finds what the other made. */
static __always_inline struct cached_digest *memory_of(struct inode *inode)
{
	struct cached_digest *cached = bpf_inode_storage_get(&digest_cache, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return cached ? cached : bpf_inode_storage_get(&digest_cache, inode, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* A full barrier too. */
static __always_inline __u32 load_sequence(__u32 *sequence)
{
	return __sync_fetch_and_add(sequence, 0);
}

static __always_inline bool begin_writing(__u32 *sequence)
{
	__u32 seen = load_sequence(sequence);

	return !(seen & 1) && __sync_val_compare_and_swap(sequence, seen, seen + 1) == seen;
}

/* The sequence from then on. Used, because an addition whose result nobody wants orders nothing on arm64. */
static __always_inline __u32 end_writing(__u32 *sequence)
{
	__u32 after = __sync_fetch_and_add(sequence, 1) + 1;

	asm volatile("" : "+r"(after));
	return after;
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

/* Whether a digest of the content may be one that is kept. */
static __always_inline bool may_be_kept(const struct content *content)
{
	return config.keeps_digests && is_settled(content) &&
	       (content->size_bytes >= DIGEST_CACHE_FROM_BYTES || are_disks_left_alone());
}

/* Whether the digest that is kept is that of the content, which was looked at no earlier than at boot_ns. */
static __always_inline bool is_kept_of(const struct cached_digest *cached, const struct content *content, __u64 boot_ns)
{
	__u64 read_ns = cached->read_ns;

	return cached->i_version_raw == content->version && cached->size_bytes == content->size_bytes &&
	       cached->real_inode == content->inode && cached->write_opens == cached->write_opens_before && read_ns &&
	       boot_ns - read_ns < DIGEST_CACHE_NS;
}

/*
 * Copies the digest that is kept for the content of the call, and gives the time when it was read; 0 where none is kept or
 * the content may be another one.
 */
static __always_inline __u64 copy_cached(struct thread *thread, struct cached_digest *cached, __s32 *algorithm, __u8 *digest)
{
	__u32 sequence = load_sequence(&cached->sequence);
	__u64 read_ns = cached->read_ns;
	bool is_same = is_kept_of(cached, &thread->content, thread->event.boot_ns);

	*algorithm = cached->algorithm;
	__builtin_memcpy(digest, cached->digest, DIGEST_BYTES);
	if (sequence & 1 || !is_same || load_sequence(&cached->sequence) != sequence)
		return 0;
	thread->digest_sequence = sequence;
	return read_ns;
}

static __always_inline bool reuse_cached_digest(struct thread *thread, struct file *file)
{
	struct event *event = &thread->event;
	struct cached_digest *cached;

	if (!may_be_kept(&thread->content))
		return false;
	cached = bpf_inode_storage_get(&digest_cache, file->f_inode, NULL, 0);
	if (!cached)
		return false;
	event->content_read_ns = copy_cached(thread, cached, &event->digest_algorithm, event->digest);
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
static __always_inline __u64 vouched_read(struct thread *thread, struct cached_digest *cached)
{
	__u8 digest[DIGEST_BYTES];
	__s32 algorithm;
	__u64 read_ns;

	if (!cached || !is_settled(&thread->content))
		return 0;
	read_ns = copy_cached(thread, cached, &algorithm, digest);
	if (algorithm == thread->event.digest_algorithm && is_same_digest(digest, thread->event.digest))
		return read_ns;
	thread->digest_sequence = 0;
	return 0;
}

/* Keeps the digest whose content was just read, where nothing makes it doubtful. */
static __always_inline void cache_digest(struct thread *thread, struct cached_digest *cached, const struct content *content,
					__u64 write_opens)
{
	struct event *event = &thread->event;

	if (event->digest_doubt || !is_settled(content) || !begin_writing(&cached->sequence))
		return;
	cached->algorithm = event->digest_algorithm;
	cached->i_version_raw = content->version;
	cached->size_bytes = content->size_bytes;
	cached->real_inode = content->inode;
	cached->read_ns = event->content_read_ns;
	cached->write_opens_before = write_opens;
	__builtin_memcpy(cached->digest, event->digest, DIGEST_BYTES);
	thread->digest_sequence = end_writing(&cached->sequence);
}

#endif
