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
	struct dentry *mountpoint; /* of the file's mount, where that is not the root's */
	__u64 moves; /* grows with each move of a dentry on the way */
	bool is_moving;
	bool has_arrived;
};

static __always_inline void ascend(struct ascent *ascent, struct dentry *dentry, struct dentry *root, bool is_typed)
{
	int i;

	ascent->has_arrived = false;
	for (i = 0; i < DEEPEST_FILE; i++) {
		__u32 sequence;

		if (dentry == root) {
			ascent->has_arrived = true;
			return;
		}
		sequence = READ(is_typed, dentry, d_seq.seqcount.sequence);
		ascent->is_moving |= sequence & 1;
		ascent->moves += sequence;
		ascent->second = ascent->first;
		ascent->first = dentry;
		dentry = READ(is_typed, dentry, d_parent);
	}
}

/* Of a mount that is not the root's, but mounted in it; on others the way is not gone. */
static __always_inline void ascend_mount(struct ascent *ascent, struct path *path, struct path *root)
{
	struct mount *mount = (void *)(__u64)path->mnt - bpf_core_field_offset(struct mount, mnt), *parent;

	ascend(ascent, path->dentry, path->mnt->mnt_root, true);
	if (!ascent->has_arrived)
		return;
	ascent->has_arrived = false;
	parent = BPF_CORE_READ(mount, mnt_parent);
	if ((__u64)parent + bpf_core_field_offset(struct mount, mnt) != (__u64)root->mnt)
		return;
	ascent->mountpoint = BPF_CORE_READ(mount, mnt_mountpoint);
	ascend(ascent, ascent->mountpoint, root->dentry, false);
}

/* A short name stands in the dentry itself, where a plain load reaches it. */
static __always_inline bool first_word(__u64 *word, struct dentry *dentry, bool is_typed)
{
	__u64 name = (__u64)READ(is_typed, dentry, d_name.name), inside, offset;

	if (bpf_core_field_exists(dentry->d_iname))
		offset = bpf_core_field_offset(struct dentry, d_iname);
	else
		offset = bpf_core_field_offset(struct dentry___shortname, d_shortname);
	inside = (__u64)dentry + offset;
	/* Else the compiler takes one of two equal addresses for the other, of which the verifier knows only this one. */
	asm volatile("" : "+r"(inside));
	if (is_typed && name == inside) {
		*word = *(const __u64 *)((const void *)dentry + offset);
		return true;
	}
	return !bpf_probe_read_kernel(word, sizeof(*word), (const void *)name);
}

/* Mixes a name's length and its first eight bytes into a hash; recorder/tables/directories.rs does the same. */
static __always_inline bool mix_name(__u64 *hash, struct dentry *dentry, bool is_typed)
{
	__u32 bytes = READ(is_typed, dentry, d_name.len);
	__u64 word;

	if (!first_word(&word, dentry, is_typed))
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

static __always_inline bool is_asked_for(const struct directories *asked, const struct ascent *ascent, bool is_typed,
					 bool *is_known)
{
	__u64 hash = 0;

	*is_known = ascent->has_arrived && !ascent->is_moving && ascent->first && mix_name(&hash, ascent->first, is_typed);
	if (has_bit(asked->first, hash))
		return true;
	if (!ascent->second || !has_bit(asked->looked_into, hash))
		return false;
	*is_known = *is_known && mix_name(&hash, ascent->second, is_typed);
	return has_bit(asked->second, hash);
}

static __always_inline bool is_same_way(const struct ascent *ascent, const struct ascent *again)
{
	return again->has_arrived && again->moves == ascent->moves && again->first == ascent->first &&
	       again->mountpoint == ascent->mountpoint;
}

/* A function of its own: most files are on the mount of the root. */
static __noinline int stops_in_mount(const struct directories *asked, struct path *path, struct path *root)
{
	struct ascent ascent = {}, again = {};
	bool is_known;

	ascend_mount(&ascent, path, root);
	if (is_asked_for(asked, &ascent, false, &is_known) || !is_known)
		return false;
	ascend_mount(&again, path, root);
	return is_same_way(&ascent, &again);
}

/*
 * Whether no policy can match, because all ask for files in other directories. The sequence numbers of the dentries are read
 * again at the end, and the place of a mount: two moves beside this ascent could show a way that the file never had. They are
 * read without barriers, which only x86 does not need.
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
	struct ascent ascent = {}, again = {};
	bool is_known;

	if (!(asked.first | asked.second))
		return false;
	if (file->f_path.mnt != fs->root.mnt)
		return stops_in_mount(&asked, &file->f_path, &fs->root);
	ascend(&ascent, file->f_path.dentry, fs->root.dentry, true);
	if (is_asked_for(&asked, &ascent, true, &is_known) || !is_known)
		return false;
	ascend(&again, file->f_path.dentry, fs->root.dentry, true);
	return is_same_way(&ascent, &again);
#else
	return false;
#endif
}

#endif
