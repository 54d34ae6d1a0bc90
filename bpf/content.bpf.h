/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The inode that has a file's content, and what of it moves when that changes. On a stacked filesystem it is the one
 * beneath: counters of the upper inode say nothing of a store into the file below it.
 */
#ifndef HASHTRAIL_CONTENT_H
#define HASHTRAIL_CONTENT_H

static __always_inline __u32 depth_of(struct inode *inode)
{
	return BPF_CORE_READ(inode, i_sb, s_stack_depth);
}

/* Where the file was copied up with its data. */
static __always_inline struct inode *upper_inode_of(struct inode *inode)
{
	struct ovl_inode *overlay = (void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
	struct dentry *upper = BPF_CORE_READ(overlay, __upperdentry);

	if (!upper || !(BPF_CORE_READ(overlay, flags) >> bpf_core_enum_value(enum ovl_inode_flag, OVL_UPPERDATA) & 1))
		return NULL;
	return BPF_CORE_READ(upper, d_inode);
}

/* The file that overlayfs opened beneath a regular file. */
static __always_inline struct file *file_beneath(struct file *file)
{
	void *opened = file ? BPF_CORE_READ(file, private_data) : NULL;

	if (opened && bpf_core_type_exists(struct ovl_file))
		return BPF_CORE_READ((struct ovl_file *)opened, realfile);
	return opened;
}

/*
 * One level down; false where what lies beneath is not known. The kernel tells the types of overlayfs only where it was loaded
 * before these programs were.
 */
static __noinline bool step_down(struct content *content)
{
	struct inode *inode = (void *)content->inode, *upper;
	struct file *beneath;

	if (!bpf_core_type_exists(struct ovl_inode) || (__u32)BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_SUPER_MAGIC ||
	    (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return false;
	upper = upper_inode_of(inode);
	beneath = file_beneath((void *)content->file);
	content->file = (__u64)beneath;
	content->inode = (__u64)(beneath ? BPF_CORE_READ(beneath, f_inode) : upper);
	/* Copied up since the open: the hash is of the upper file, a mapping of the lower one. */
	if (beneath && upper && content->inode != (__u64)upper)
		content->state |= CONTENT_TORN;
	return content->inode && depth_of((void *)content->inode) < depth_of(inode);
}

/* Content that a server gives, or another kernel changes. */
static __always_inline bool is_of_a_server(__u32 magic)
{
	switch (magic) {
	case FUSE_SUPER_MAGIC:
	case NFS_SUPER_MAGIC:
	case SMB_SUPER_MAGIC:
	case CIFS_SUPER_MAGIC:
	case SMB2_SUPER_MAGIC:
	case CEPH_SUPER_MAGIC:
	case V9FS_MAGIC:
	case AFS_SUPER_MAGIC:
	case CODA_SUPER_MAGIC:
	case OCFS2_SUPER_MAGIC:
	case GFS2_MAGIC:
	case VBOXSF_SUPER_MAGIC:
		return true;
	}
	return false;
}

/* Where each change of content, also through a mapping or by a seldom call, moves what we look at. */
static __always_inline bool is_watched(struct super_block *super, __u32 magic, bool is_typed)
{
	int major;

	if (magic == TMPFS_MAGIC)
		return true;
	if (magic != EXT4_SUPER_MAGIC && magic != XFS_SUPER_MAGIC && magic != BTRFS_SUPER_MAGIC)
		return false;
	major = major_of(super, is_typed);
	return major != NO_DISK && major != LOOP_MAJOR;
}

static __always_inline void look_at_filesystem(struct content *content, struct super_block *super, bool is_typed)
{
	__u32 magic = READ(is_typed, super, s_magic);
	unsigned long flags = READ(is_typed, super, s_flags), internal_flags = READ(is_typed, super, s_iflags);

	content->dev = READ(is_typed, super, s_dev);
	if ((flags | internal_flags) & SB_I_VERSION)
		content->state |= CONTENT_COUNTED;
	if (internal_flags & SB_I_IMA_UNVERIFIABLE_SIGNATURE || is_of_a_server(magic))
		content->state |= CONTENT_UNVERIFIABLE;
	/* A store through a mapping of tmpfs, or past the VFS of xfs, leaves its only trace at the open: see writer.bpf.h. */
	if (content->state & CONTENT_STACKED && magic == TMPFS_MAGIC)
		content->state |= CONTENT_UNVERIFIABLE;
	if (is_watched(super, magic, is_typed) && !(content->state & CONTENT_STACKED && magic == XFS_SUPER_MAGIC))
		content->state |= CONTENT_WATCHED;
	if (content->state & CONTENT_WATCHED && (magic == EXT4_SUPER_MAGIC || magic == BTRFS_SUPER_MAGIC))
		content->state |= CONTENT_TRACED;
	/* A memfd can be written through its own descriptor, which counts as no writer, unless a seal forbids it. */
	if (flags & SB_KERNMOUNT && content->writable_mappings >= 0)
		content->state |= CONTENT_WRITABLE;
}

/* As it is now. */
static __always_inline void look_at_content(struct content *content, struct inode *inode, bool is_typed)
{
	struct address_space *mapping = READ(is_typed, inode, i_mapping);

	content->version = READ(is_typed, inode, i_version.counter);
	content->size_bytes = READ(is_typed, inode, i_size);
	content->cached_bytes = READ(is_typed, mapping, nrpages) * config.page_bytes;
	content->writers = READ(is_typed, inode, i_writecount.counter);
	content->writable_mappings = READ(is_typed, mapping, i_mmap_writable.counter);
	read_ctime(inode, is_typed, &content->ctime_s, &content->ctime_ns);
	if (content->writers > content->own_writers || content->writable_mappings > 0)
		content->state |= CONTENT_WRITABLE;
	look_at_filesystem(content, READ(is_typed, inode, i_sb), is_typed);
}

/* What makes any digest of it doubtful. */
static __always_inline __u32 doubts_of(const struct content *content)
{
	__u32 doubt = 0;

	if (content->state & CONTENT_WRITABLE)
		doubt |= DOUBT_WRITER_OPEN;
	if (content->state & CONTENT_UNVERIFIABLE)
		doubt |= DOUBT_UNVERIFIABLE_FS;
	if (content->state & CONTENT_TORN)
		doubt |= DOUBT_MOVED_DURING_HASH;
	return doubt;
}

/* As it is now, of what stands in `opened` and `opened_inode`; nothing where there is no inode. */
__noinline int find_content(struct content *content)
{
	if (!content || !content->opened_inode)
		return 0;
	content->file = content->opened;
	content->inode = content->opened_inode;
	content->state = 0;
	if (depth_of((void *)content->inode)) {
		content->state = CONTENT_STACKED;
		/* The kernel allows two levels. */
		if (step_down(content) && depth_of((void *)content->inode))
			step_down(content);
	}
	if (!content->inode || depth_of((void *)content->inode)) {
		content->state |= CONTENT_UNVERIFIABLE;
		content->inode = content->opened_inode;
	}
	look_at_content(content, (void *)content->inode, false);
	return 0;
}

/* The same of a typed inode, which is in opened_inode. */
static __always_inline void find_typed_content(struct content *content, struct inode *inode)
{
	if (inode->i_sb->s_stack_depth) {
		find_content(content);
		return;
	}
	content->file = content->opened;
	content->inode = content->opened_inode;
	content->state = 0;
	look_at_content(content, inode, true);
}

static __always_inline void fill_image(struct event *event, struct super_block *super, bool is_typed)
{
	struct inode *image;

	if (major_of(super, is_typed) != LOOP_MAJOR)
		return;
	image = image_of(disk_of(super));
	event->image_dev = image ? BPF_CORE_READ(image, i_sb, s_dev) : BPF_CORE_READ(super, s_dev);
	event->image_ino = image ? BPF_CORE_READ(image, i_ino) : 0;
}

static __always_inline void fill_counts(struct event *event, const struct content *content)
{
	event->writers = content->writers;
	event->writable_mappings = content->writable_mappings;
	event->i_version_raw = content->version;
	event->digest_doubt = doubts_of(content);
}

/* The columns of what lies beneath the file. */
__noinline int fill_content(struct event *event, const struct content *content)
{
	struct inode *inode;

	if (!event || !content || !content->inode)
		return 0;
	inode = (void *)content->inode;
	fill_counts(event, content);
	fill_image(event, BPF_CORE_READ(inode, i_sb), false);
	if (!(content->state & CONTENT_STACKED) || depth_of(inode))
		return 0;
	event->real_dev = content->dev;
	event->real_ino = BPF_CORE_READ(inode, i_ino);
	bpf_probe_read_kernel_str(event->real_fs_type, sizeof(event->real_fs_type), BPF_CORE_READ(inode, i_sb, s_type, name));
	return 0;
}

/* The same where it is the file's own inode, or a stacked one's. */
static __always_inline void fill_typed_content(struct event *event, const struct content *content, struct inode *inode)
{
	if (content->state & CONTENT_STACKED) {
		fill_content(event, content);
		return;
	}
	fill_counts(event, content);
	fill_image(event, inode->i_sb, true);
}

#endif
