// Ways to write a disk past its filesystem without opening it for writing, or with a descriptor that no process has.

#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nvme_ioctl.h>
#include <scsi/sg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NVME_WRITE = 1, NVME_READ = 2, SECTOR = 512 };

// The last used byte of a file's first block, as it lies on the whole disk.
static off_t place_of(int fd, const char *path)
{
	struct stat info;
	int block = 0, block_size;

	if (fsync(fd) || fstat(fd, &info) || ioctl(fd, FIGETBSZ, &block_size) || ioctl(fd, FIBMAP, &block) || !block)
		fail("cannot find the first block of", path);
	return (off_t)block * block_size + (info.st_size < block_size ? info.st_size : block_size) - 1;
}

static int command(int device, int by_ring, unsigned int opcode, off_t place, void *sector)
{
	struct nvme_passthru_cmd command = {
		.opcode = opcode, .nsid = 1, .addr = (uintptr_t)sector, .data_len = SECTOR, .cdw10 = place / SECTOR
	};
	struct nvme_uring_cmd ring_command = {
		.opcode = opcode, .nsid = 1, .addr = (uintptr_t)sector, .data_len = SECTOR, .cdw10 = place / SECTOR
	};
	struct io_uring_sqe request = { .opcode = IORING_OP_URING_CMD, .fd = device, .off = NVME_URING_CMD_IO };

	if (!by_ring)
		return ioctl(device, NVME_IOCTL_IO_CMD, &command);
	return command_ring(&request, &ring_command, sizeof(ring_command));
}

// command-disk HOW FILE DEVICE: changes the last used byte of FILE's first block by commands of NVMe, HOW is `ioctl` or `ring`.
static int command_disk(char **args)
{
	static unsigned char sector[SECTOR] __attribute__((aligned(SECTOR)));
	int by_ring = !strcmp(args[0], "ring"), fd = open_or_fail(args[1], O_RDONLY), device = open_or_fail(args[2], O_RDONLY);
	off_t place = place_of(fd, args[1]);

	if (command(device, by_ring, NVME_READ, place, sector))
		fail("cannot read by command", args[2]);
	sector[place % SECTOR] ^= 1;
	if (command(device, by_ring, NVME_WRITE, place, sector))
		fail("cannot write by command", args[2]);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

// ask-disk DEVICE: what programs ask of a disk that they do not write.
static int ask_disk(char **args)
{
	int device = open_or_fail(args[0], O_RDONLY), value;
	uint64_t bytes;

	if (ioctl(device, BLKGETSIZE64, &bytes) || ioctl(device, BLKSSZGET, &value) || ioctl(device, BLKROGET, &value))
		fail("cannot ask", args[0]);
	return isatty(device);
}

// scsi DEVICE: gives it a command of SCSI, which it need not know.
static int scsi(char **args)
{
	unsigned char test_unit_ready[6] = { 0 };
	struct sg_io_hdr header = {
		.interface_id = 'S', .dxfer_direction = SG_DXFER_NONE, .cmd_len = sizeof(test_unit_ready), .cmdp = test_unit_ready
	};

	if (ioctl(open_or_fail(args[0], O_RDONLY), SG_IO, &header) && errno != ENOTTY && errno != EINVAL)
		fail("cannot command", args[0]);
	return 0;
}

// The write is that of write-raw, through a descriptor that is open.
static int write_through(int device, const char *path)
{
	int fd = open_or_fail(path, O_RDONLY);
	off_t place = place_of(fd, path);
	char byte;

	if (pread(device, &byte, 1, place) != 1)
		fail("cannot read the disk of", path);
	byte ^= 1;
	if (pwrite(device, &byte, 1, place) != 1 || fsync(device))
		fail("cannot write the disk of", path);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

// write-in-flight FILE DEVICE READY FIFO: the descriptor of DEVICE is on its way through a socket until FIFO is opened.
static int write_in_flight(char **args)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char byte = 0;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int ends[2], device = open_or_fail(args[1], O_RDWR);

	memcpy(CMSG_DATA(&control.head), &device, sizeof(device));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || sendmsg(ends[0], &message, 0) != 1)
		fail("cannot send", args[1]);
	close(device);
	close(open_or_fail(args[2], O_CREAT | O_WRONLY));
	close(open_or_fail(args[3], O_RDONLY));
	if (recvmsg(ends[1], &message, 0) != 1)
		fail("cannot receive", args[1]);
	memcpy(&device, CMSG_DATA(&control.head), sizeof(device));
	return write_through(device, args[0]);
}

// write-in-ring FILE DEVICE READY FIFO: a ring of io_uring keeps DEVICE open, no descriptor does, and writes when FIFO is opened.
static int write_in_ring(char **args)
{
	static char block[4096] __attribute__((aligned(4096)));
	int fd = open_or_fail(args[0], O_RDONLY), device = open_or_fail(args[1], O_RDWR);
	off_t place = place_of(fd, args[0]), begin = place / (off_t)sizeof(block) * (off_t)sizeof(block);
	struct io_uring_sqe request = { .opcode = IORING_OP_WRITE, .flags = IOSQE_FIXED_FILE, .addr = (uintptr_t)block,
					.len = sizeof(block), .off = begin };
	struct io_uring_params params = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (pread(device, block, sizeof(block), begin) != sizeof(block))
		fail("cannot read", args[1]);
	block[place - begin] ^= 1;
	if (ring < 0 || syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &device, 1))
		fail("cannot register", args[1]);
	close(device);
	close(open_or_fail(args[2], O_CREAT | O_WRONLY));
	close(open_or_fail(args[3], O_RDONLY));
	if (submit_to(ring, &params, &request, NULL, 0) != sizeof(block))
		fail("cannot write by the ring", args[1]);
	sync();
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

const struct command disk_commands[] = {
	{ "command-disk", 3, command_disk },
	{ "ask-disk", 1, ask_disk },
	{ "scsi", 1, scsi },
	{ "write-in-flight", 4, write_in_flight },
	{ "write-in-ring", 4, write_in_ring },
	{ NULL, 0, NULL },
};
