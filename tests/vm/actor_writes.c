// Ways of changing the content of a file through a descriptor or by its path, each with the calls for it.

#define _GNU_SOURCE
#include "matrix.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int truncate_path(struct cell *cell)
{
	return outcome(truncate(cell->path, cell->contents->second_bytes));
}

int truncate_descriptor(struct cell *cell)
{
	int fd = open_to_change(cell, O_WRONLY);

	return fd < 0 ? errno : closed(fd, ftruncate(fd, cell->contents->second_bytes));
}

int extend(struct cell *cell)
{
	int fd = open_to_change(cell, O_WRONLY | O_APPEND);

	return fd < 0 ? errno : closed(fd, write(fd, cell->contents->second + cell->contents->first_bytes, 1) != 1);
}

int punch(struct cell *cell)
{
	int fd = open_to_change(cell, O_WRONLY);

	return fd < 0 ? errno
		      : closed(fd, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, cell->contents->switch_at, 1));
}

int collapse(struct cell *cell)
{
	int fd = open_to_change(cell, O_RDWR);

	return fd < 0 ? errno : closed(fd, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, cell->contents->second_bytes));
}

int write_directly(struct cell *cell)
{
	size_t last = cell->contents->second_bytes - BLOCK_BYTES;
	int fd = open_to_change(cell, O_WRONLY | O_DIRECT), error;
	void *block = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);

	if (fd < 0 || !block)
		return errno;
	memcpy(block, cell->contents->second + last, BLOCK_BYTES);
	error = closed(fd, pwrite(fd, block, BLOCK_BYTES, last) != BLOCK_BYTES);
	free(block);
	return error;
}

// Opens the file and the one with the second content, and lets `copy` do the rest.
static int from_other(struct cell *cell, int (*copy)(int from, int to, size_t bytes))
{
	int from = open(cell->other, O_RDONLY | O_CLOEXEC), to = open_to_change(cell, O_WRONLY), error;

	if (from < 0 || to < 0) {
		error = errno;
		if (from >= 0)
			close(from);
		return error;
	}
	error = closed(to, copy(from, to, cell->contents->second_bytes));
	close(from);
	return error;
}

static int copy_range(int from, int to, size_t bytes)
{
	while (bytes > 0) {
		ssize_t part = copy_file_range(from, NULL, to, NULL, bytes, 0);

		if (part <= 0)
			return 1;
		bytes -= part;
	}
	return 0;
}

static int clone(int from, int to, size_t bytes)
{
	(void)bytes;
	return ioctl(to, FICLONE, from);
}

int copy_file(struct cell *cell)
{
	return from_other(cell, copy_range);
}

int reflink(struct cell *cell)
{
	return from_other(cell, clone);
}

int splice_byte(struct cell *cell)
{
	unsigned char value = SECOND_SWITCH;
	off_t place = cell->contents->switch_at;
	int ends[2], fd = open_to_change(cell, O_WRONLY), error;

	if (fd < 0 || pipe2(ends, O_CLOEXEC))
		return errno;
	error = outcome(write(ends[1], &value, 1) != 1 || splice(ends[0], NULL, fd, &place, 1, 0) != 1);
	close(ends[0]);
	close(ends[1]);
	return closed(fd, 0) ? errno : error;
}
