/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The first two names of a file's path, without building it: most opens are of files where no policy looks, and d_path
 * costs more than all else that is asked of them. Where they cannot be told for certain the path decides.
 */
#ifndef HASHTRAIL_DIRECTORY_H
#define HASHTRAIL_DIRECTORY_H

#define DEEPEST_FILE 32

/* The way from a file up to the root of the task. */
struct ascent {
	struct dentry *first; /* below the root */
	struct dentry *second;
	__u64 moves; /* grows with each move of a dentry on the way */
	bool is_moving;
	bool has_arrived;
};

static __always_inline void ascend(struct ascent *ascent, struct dentry *dentry, struct dentry *root)
{
	int i;

	__builtin_memset(ascent, 0, sizeof(*ascent));
	for (i = 0; i < DEEPEST_FILE; i++) {
		__u32 sequence;

		if (dentry == root) {
			ascent->has_arrived = true;
			return;
		}
		sequence = dentry->d_seq.seqcount.sequence;
		ascent->is_moving |= sequence & 1;
		ascent->moves += sequence;
		ascent->second = ascent->first;
		ascent->first = dentry;
		dentry = dentry->d_parent;
	}
}

/* Mixes a name's length and its first eight bytes into a hash; recorder/tables/directories.rs does the same. */
static __always_inline bool mix_name(__u64 *hash, struct dentry *dentry)
{
	__u32 bytes = dentry->d_name.len;
	__u64 word;

	if (bpf_probe_read_kernel(&word, sizeof(word), dentry->d_name.name))
		return false;
	if (bytes < sizeof(word))
		word &= (1ULL << bytes * 8) - 1;
	*hash = (*hash ^ (word + bytes)) * SIEVE_FACTOR;
	return true;
}

/* The highest six bits of a hash are the number of its bit. */
static __always_inline bool has_bit(__u64 bits, __u64 hash)
{
	return bits >> (hash >> 58) & 1;
}

static __always_inline bool is_asked_for(const struct directories *asked, const struct ascent *ascent, bool *is_known)
{
	__u64 hash = 0;

	*is_known = ascent->has_arrived && !ascent->is_moving && ascent->first && mix_name(&hash, ascent->first);
	if (has_bit(asked->first, hash))
		return true;
	if (!ascent->second || !has_bit(asked->looked_into, hash))
		return false;
	*is_known = *is_known && mix_name(&hash, ascent->second);
	return has_bit(asked->second, hash);
}

/*
 * Whether no policy can match, because all ask for files in other directories. The sequence numbers of the dentries are read
 * again at the end: two moves beside this ascent could show a way that the file never had. They are read without barriers,
 * which only x86 does not need.
 */
static __always_inline bool stops_at_directory(__u32 hook, struct file *file)
{
	struct directories asked = {
		.first = config.gate[hook].directories.first,
		.looked_into = config.gate[hook].directories.looked_into,
		.second = config.gate[hook].directories.second,
	};
#ifdef __TARGET_ARCH_x86
	struct fs_struct *fs = bpf_get_current_task_btf()->fs;
	struct dentry *root = fs->root.dentry;
	struct ascent ascent, again;
	bool is_known;

	if (!(asked.first | asked.second) || file->f_path.mnt != fs->root.mnt)
		return false;
	ascend(&ascent, file->f_path.dentry, root);
	if (is_asked_for(&asked, &ascent, &is_known) || !is_known)
		return false;
	ascend(&again, file->f_path.dentry, root);
	return again.has_arrived && again.moves == ascent.moves && again.first == ascent.first;
#else
	return false;
#endif
}

#endif
