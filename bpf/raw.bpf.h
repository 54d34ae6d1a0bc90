/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who can write a disk past its filesystem. Not only who has it open for writing: with a command (SCSI, NVMe, that of a
 * controller) root writes through any descriptor of the disk, or of a character device. What is not known to be harmless
 * counts. It is seen when the command is given, so it does not matter when its device was opened.
 */
#ifndef HASHTRAIL_RAW_H
#define HASHTRAIL_RAW_H

union short_name {
	char text[16];
	__u64 word[2];
};

/* A ring of io_uring keeps what is registered with it open, also after its descriptor was closed. */
static __always_inline bool keeps_files_open(struct file *file)
{
	union short_name name = {}, known = { .text = "[io_uring]" };
	struct io_ring_ctx *ring = file->private_data;

	if ((__u32)file->f_inode->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return false;
	bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name.word[0] != known.word[0] || name.word[1] != known.word[1])
		return false;
	if (bpf_core_field_exists(struct io_ring_ctx___before_6_13, nr_user_files))
		return BPF_CORE_READ((struct io_ring_ctx___before_6_13 *)ring, nr_user_files);
	return !bpf_core_field_exists(ring->file_table.data.nr) || BPF_CORE_READ(ring, file_table.data.nr);
}

/* On loop devices nothing is kept anyway: see is_watched. The older interface of sg takes commands that are written to it. */
static __always_inline bool can_write_a_disk(struct file *file)
{
	struct inode *inode = file->f_inode;

	if (!(file->f_mode & FMODE_WRITE))
		return false;
	switch (inode->i_mode & S_IFMT) {
	case S_IFBLK:
		return inode->i_rdev >> 20 != LOOP_MAJOR;
	case S_IFCHR:
		return inode->i_rdev >> 20 == SCSI_GENERIC_MAJOR;
	}
	return false;
}

static __always_inline void note_raw_writer(void)
{
	__u32 key = RAW_WRITERS_SEEN;
	__u64 *seen = bpf_map_lookup_elem(&raw_writers, &key);

	if (seen)
		__sync_fetch_and_add(seen, 1);
}

/* Character devices that lead to no disk, by Documentation/admin-guide/devices.txt. Others get a number when they appear. */
static __always_inline bool is_far_from_disks(__u32 device)
{
	__u32 major = device >> 20, minor = device & ((1 << 20) - 1);

	switch (major) {
	case 1 ... 5: /* memory and terminals */
	case 7:
	case 13: /* input */
	case 29: /* displays, video, sound */
	case 81:
	case 116:
	case 226:
	case 108: /* PPP */
	case 128 ... 143: /* terminals */
	case 166:
	case 188:
	case 204:
	case 229:
		return true;
	case 10:
		break;
	default:
		return false;
	}
	switch (minor) {
	case 130: /* clocks and watchdogs */
	case 135:
	case 228:
	case 183: /* random numbers */
	case 200: /* tun */
	case 223: /* input */
	case 229: /* FUSE, autofs, the controls of btrfs and of loop devices */
	case 234:
	case 235:
	case 237:
	case 232: /* virtual machines */
	case 238:
	case 241:
	case 242: /* radio switches */
		return true;
	}
	return false;
}

/* Commands, without direction and size, that write nothing on whatever takes them. */
static __always_inline bool only_asks(__u32 command)
{
	switch (command & 0xffff) {
	case 0x5401: /* is it a terminal? */
	case 0x5413:
	case 0x542a:
	case 0x5421: /* FIONBIO, FIONCLEX, FIOCLEX, FIOASYNC: of the descriptor */
	case 0x5450 ... 0x5452:
	case 0x125e: /* BLKROGET, sizes, BLKFLSBUF, read-ahead, limits */
	case 0x1260 ... 0x1265:
	case 0x1267 ... 0x1268:
	case 0x1270:
	case 0x1272:
	case 0x1278 ... 0x127c:
	case 0x127e: /* BLKROTATIONAL, BLKGETDISKSEQ, zones */
	case 0x1280:
	case 0x1282:
	case 0x1284 ... 0x1285:
	case 0x0301: /* HDIO_GETGEO */
	case 0x0910 ... 0x0912: /* what an array has */
	case 0x5331: /* CDROM_GET_CAPABILITY */
	case 0x7001 ... 0x7013: /* clocks: RTC, PTP; watchdogs */
	case 0x3d01 ... 0x3d13:
	case 0x5700 ... 0x570a:
	case 0xfd00: /* what the device mapper has */
	case 0xfd02:
	case 0xfd07 ... 0xfd08:
	case 0xfd0b ... 0xfd0d:
		return true;
	}
	return false;
}

static __always_inline bool may_command_a_disk(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFBLK:
		return inode->i_rdev >> 20 != LOOP_MAJOR;
	case S_IFCHR:
		return !is_far_from_disks(inode->i_rdev);
	}
	return false;
}

SEC("lsm/file_ioctl")
int BPF_PROG(watch_ioctl, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	if (may_command_a_disk(file->f_inode) && !only_asks(command))
		note_raw_writer();
	return 0;
}

/* Where the kernel has no such hook, file_ioctl is called for 32-bit programs too. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(watch_ioctl_compat, struct file *file, unsigned int command, unsigned long argument, int ret)
{
	if (may_command_a_disk(file->f_inode) && !only_asks(command))
		note_raw_writer();
	return 0;
}

SEC("lsm/uring_cmd")
int BPF_PROG(watch_uring_cmd, struct io_uring_cmd *command, int ret)
{
	if (may_command_a_disk(command->file->f_inode))
		note_raw_writer();
	return 0;
}

/* A descriptor that was on its way between two processes when those that are open were looked at. */
SEC("lsm/file_receive")
int BPF_PROG(watch_receive, struct file *file, int ret)
{
	if (can_write_a_disk(file) || keeps_files_open(file))
		note_raw_writer();
	return 0;
}

#endif
