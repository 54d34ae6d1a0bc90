/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a filesystem lies on. A loop device has its content in a file, whose writers go past the filesystem: that file is noted,
 * and no digest of what lies in it is used again. What lies beneath other devices (dm, md, nbd, a disk that is written raw) is
 * not looked at.
 */
#ifndef HASHTRAIL_DEVICE_H
#define HASHTRAIL_DEVICE_H

/* The only device of a btrfs; NULL where there are several, or its types are not known. */
static __always_inline struct block_device *device_of_btrfs(struct super_block *super)
{
	struct btrfs_fs_info *info = BPF_CORE_READ(super, s_fs_info);
	struct btrfs_fs_devices *devices;

	if (!bpf_core_type_exists(struct btrfs_fs_info))
		return NULL;
	devices = BPF_CORE_READ(info, fs_devices);
	return BPF_CORE_READ(devices, num_devices) == 1 ? BPF_CORE_READ(devices, latest_dev, bdev) : NULL;
}

/* The disk under a filesystem, also under a partition of it; NULL where that is not one disk, or not known. */
static __always_inline struct gendisk *disk_of(struct super_block *super)
{
	struct block_device *device;

	if ((__u32)BPF_CORE_READ(super, s_magic) == BTRFS_SUPER_MAGIC)
		device = device_of_btrfs(super);
	else
		device = BPF_CORE_READ(super, s_bdev);
	return device ? BPF_CORE_READ(device, bd_disk) : NULL;
}

#define NO_DISK -1

/* Of the disk under a filesystem; NO_DISK where disk_of gives none. */
static __always_inline int major_of(struct super_block *super, bool is_typed)
{
	struct block_device *device;
	struct gendisk *disk;

	if ((__u32)READ(is_typed, super, s_magic) == BTRFS_SUPER_MAGIC) {
		disk = disk_of(super);
		return disk ? BPF_CORE_READ(disk, major) : NO_DISK;
	}
	device = READ(is_typed, super, s_bdev);
	if (!device)
		return NO_DISK;
	disk = READ(is_typed, device, bd_disk);
	return disk ? READ(is_typed, disk, major) : NO_DISK;
}

/* The image that a loop device shows; NULL where its type was not known when these programs were loaded. */
static __always_inline struct inode *image_of(struct gendisk *disk)
{
	struct loop_device *loop = BPF_CORE_READ(disk, private_data);

	return bpf_core_type_exists(struct loop_device) ? BPF_CORE_READ(loop, lo_backing_file, f_inode) : NULL;
}

#endif
