/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * When IMA read files for its own policy, of which it then answers from its memory: that is believed where nothing could
 * change the content since then unseen.
 */
#ifndef HASHTRAIL_READING_H
#define HASHTRAIL_READING_H

struct reading {
	__u64 real_inode; /* address */
	__u64 version;
	__u64 size_bytes;
	__u64 begin_ns;
	__u32 is_whole; /* nobody could write from its begin to its end */
	__u32 padding;
};

/*
 * By the address of the inode: a tracing program has no memory beside it. IMA forgets with the inode, so what it answers for
 * one at the same address was read, and stands here, anew. Where one is evicted, the digest is doubted.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct reading);
} readings SEC(".maps");

/* Whether a change from here on would move the counter: each later mapping asks before it is first stored to. */
static __always_inline bool is_traced(const struct content *content)
{
	return content->state & CONTENT_TRACED && content->state & CONTENT_COUNTED && !doubts_of(content) &&
	       content->version & I_VERSION_QUERIED;
}

static __always_inline bool is_reading_of(const struct reading *reading, const struct content *content)
{
	return reading->real_inode == content->inode && reading->version == content->version &&
	       reading->size_bytes == content->size_bytes;
}

static __always_inline void begin_reading(struct file *file)
{
	struct content content = { .opened = (__u64)file, .opened_inode = (__u64)file->f_inode };
	struct reading reading = { .begin_ns = bpf_ktime_get_boot_ns() };

	find_content(&content);
	reading.real_inode = content.inode;
	reading.version = content.version;
	reading.size_bytes = content.size_bytes;
	if (is_traced(&content))
		bpf_map_update_elem(&readings, &content.opened_inode, &reading, 0);
	else
		bpf_map_delete_elem(&readings, &content.opened_inode);
}

static __always_inline void end_reading(struct file *file)
{
	struct content content = { .opened = (__u64)file, .opened_inode = (__u64)file->f_inode };
	struct reading *reading = bpf_map_lookup_elem(&readings, &content.opened_inode);

	if (!reading)
		return;
	find_content(&content);
	if (is_traced(&content) && is_reading_of(reading, &content))
		reading->is_whole = 1;
	else
		bpf_map_delete_elem(&readings, &content.opened_inode);
}

/* When IMA read what it has in its memory of the content; 0 where that is not known, or it may be of an older one. */
static __always_inline __u64 noted_read(const struct content *content)
{
	__u64 key = content->opened_inode;
	struct reading *reading = bpf_map_lookup_elem(&readings, &key);

	return reading && reading->is_whole && is_traced(content) && is_settled(content) && is_reading_of(reading, content)
		       ? reading->begin_ns
		       : 0;
}

#endif
