// Ways of changing a file that take more than a call: a ring of io_uring, a file handle of xfs, the image or the device that a
// filesystem lies on, and the server of a FUSE filesystem.

#define _GNU_SOURCE
#include "actor.h"
#include "matrix.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

static const unsigned char second_switch = SECOND_SWITCH;

static int has_type(const char *path, unsigned int type)
{
	struct statfs info;

	return !statfs(path, &info) && (unsigned int)info.f_type == type;
}

int exists(const struct place *place, const struct way *way)
{
	return (!(way->flags & ON_XFS) || has_type(place->changed_in, XFS_SUPER_MAGIC)) &&
	       (!(way->flags & ON_IMAGE) || place->image) &&
	       (!(way->flags & ON_FUSE) || has_type(place->made_in, FUSE_SUPER_MAGIC));
}

// The kernel's own threads do not take part in a write that need not wait.
int write_by_ring(struct cell *cell)
{
	int fd = open_to_change(cell, O_WRONLY);
	struct io_uring_sqe request = { .opcode = IORING_OP_WRITE,
					.fd = fd,
					.addr = (uintptr_t)&second_switch,
					.len = 1,
					.off = cell->contents->switch_at };
	int result = fd < 0 ? -errno : ask_ring(&request), error = result < 0 ? -result : result != 1 ? EIO : 0;

	return fd >= 0 && close(fd) && !error ? errno : error;
}

// As in xfs's own header, which is in no package that is needed otherwise.
struct xfs_handle_request {
	uint32_t fd;
	const char *path;
	uint32_t flags;
	const void *handle;
	uint32_t handle_bytes;
	void *handle_out;
	uint32_t *handle_out_bytes;
};

#define XFS_IOC_PATH_TO_HANDLE _IOWR('X', 105, struct xfs_handle_request)
#define XFS_IOC_OPEN_BY_HANDLE _IOWR('X', 107, struct xfs_handle_request)

// What is written through a descriptor that xfs opens by a handle moves neither times nor counter.
int write_by_handle(struct cell *cell)
{
	unsigned char handle[64];
	uint32_t bytes = sizeof(handle);
	int mounted = open(cell->place->changed_in, O_RDONLY | O_CLOEXEC), fd, error = 0;
	struct xfs_handle_request by_path = {
		.path = cell->path, .flags = O_RDWR, .handle_out = handle, .handle_out_bytes = &bytes
	};

	if (mounted < 0 || ioctl(mounted, XFS_IOC_PATH_TO_HANDLE, &by_path))
		return errno;

	struct xfs_handle_request by_handle = { .flags = O_RDWR, .handle = handle, .handle_bytes = bytes };

	fd = ioctl(mounted, XFS_IOC_OPEN_BY_HANDLE, &by_handle);
	if (fd < 0 || pwrite(fd, &second_switch, 1, cell->contents->switch_at) != 1)
		error = errno;
	if (fd >= 0)
		close(fd);
	close(mounted);
	return error;
}

// Drops the pages of the file, so that it is read again.
static int forget(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;

	if (fd < 0)
		return errno;
	// What cannot be written has nothing to be synced.
	error = fsync(fd) && errno != EINVAL ? errno : posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return error;
}

// Everywhere on `raw` where the end of the first content stands, puts that of the second.
static int replace_in(int raw, const struct contents *contents)
{
	size_t length = contents->switch_at % BLOCK_BYTES + 1, bytes = lseek(raw, 0, SEEK_END);
	const unsigned char *end = contents->first + contents->switch_at + 1 - length;
	unsigned char *all, *found;
	int replaced = 0;

	// What the filesystem wrote went past the pages of the device.
	posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED);
	found = all = mmap(NULL, bytes, PROT_READ, MAP_SHARED, raw, 0);
	if (all == MAP_FAILED)
		return errno;
	while ((found = memmem(found, bytes - (found - all), end, length))) {
		if (pwrite(raw, &second_switch, 1, found - all + length - 1) != 1)
			return errno;
		replaced++;
		found += length;
	}
	munmap(all, bytes);
	return !replaced ? ENODATA : fsync(raw) ? errno : 0;
}

static int write_beneath(struct cell *cell, const char *raw_path)
{
	int error = forget(cell->path), raw;

	if (error)
		return error;
	raw = open(raw_path, O_RDWR | O_CLOEXEC);
	if (raw < 0)
		return errno;
	error = replace_in(raw, cell->contents);
	close(raw);
	return error ? error : forget(cell->path);
}

int write_to_image(struct cell *cell)
{
	return write_beneath(cell, cell->place->image);
}

int write_to_device(struct cell *cell)
{
	return write_beneath(cell, cell->place->device);
}

// The server answers another content as soon as there is a file of that name; see actor_serve.c.
int answer_another(struct cell *cell)
{
	char name[PATH_BYTES + 8];

	snprintf(name, sizeof(name), "%s.answer", cell->path);
	write_content(name, cell->contents->second, cell->contents->second_bytes);
	return forget(cell->path);
}
