// The ways of changing the content of a file that the matrix goes through: each makes the second content of the first, and
// gives 0 or the errno that says why it is not possible here.

#define _GNU_SOURCE
#include "matrix.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOUND "/tmp/bound"

int outcome(int has_failed)
{
	return has_failed ? errno : 0;
}

int open_to_change(const struct cell *cell, int flags)
{
	return open(cell->path, flags | O_CLOEXEC);
}

int closed(int fd, int has_failed)
{
	int error = outcome(has_failed);

	return close(fd) && !error ? errno : error;
}

static int put_byte(int fd, const struct cell *cell, unsigned char value)
{
	return pwrite(fd, &value, 1, cell->contents->switch_at) != 1;
}

static int write_at(const char *path, const struct cell *cell)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? errno : closed(fd, put_byte(fd, cell, SECOND_SWITCH));
}

static int write_and_restore_times(struct cell *cell)
{
	struct stat before;
	struct timespec times[2];
	int error;

	if (stat(cell->path, &before))
		return errno;
	times[0] = before.st_atim;
	times[1] = before.st_mtim;
	error = write_at(cell->path, cell);
	return error ? error : outcome(utimensat(AT_FDCWD, cell->path, times, 0));
}

int hold(struct cell *cell)
{
	size_t bytes = cell->contents->first_bytes;

	// A memfd's own descriptor does not count as a writer; one that is opened again does.
	cell->held = cell->descriptor >= 0 ? fcntl(cell->descriptor, F_DUPFD_CLOEXEC, 0) : open_to_change(cell, O_RDWR);
	if (cell->held < 0)
		return errno;
	cell->mapping = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cell->held, 0);
	if (cell->mapping == MAP_FAILED) {
		cell->mapping = NULL;
		return errno;
	}
	// The first store to a page is a fault, which counts as a change. Those that follow are seen by nobody.
	return set_switch(cell, cell->mapping[cell->contents->switch_at]);
}

void let_go(struct cell *cell)
{
	if (cell->mapping)
		munmap(cell->mapping, cell->contents->first_bytes);
	if (cell->held >= 0)
		close(cell->held);
	if (cell->covered)
		umount2(cell->covered, MNT_DETACH);
	cell->mapping = NULL;
	cell->held = -1;
	cell->covered = NULL;
}

int set_switch(struct cell *cell, unsigned char value)
{
	if (cell->mapping) {
		*(volatile unsigned char *)(cell->mapping + cell->contents->switch_at) = value;
		return 0;
	}
	int fd = open_to_change(cell, O_WRONLY);

	return fd < 0 ? errno : closed(fd, put_byte(fd, cell, value));
}

static int store_and_stay(struct cell *cell)
{
	int error = cell->mapping ? 0 : hold(cell);

	return error ? error : set_switch(cell, SECOND_SWITCH);
}

static int store_after_close(struct cell *cell)
{
	int error = hold(cell);

	if (error)
		return error;
	close(cell->held);
	cell->held = -1;
	error = set_switch(cell, SECOND_SWITCH);
	let_go(cell);
	return error;
}

static int rename_over(struct cell *cell)
{
	return outcome(rename(cell->other, cell->path));
}

static int exchange(struct cell *cell)
{
	return outcome(renameat2(AT_FDCWD, cell->other, AT_FDCWD, cell->path, RENAME_EXCHANGE));
}

static int write_by_link(struct cell *cell)
{
	char name[PATH_BYTES + 8];

	snprintf(name, sizeof(name), "%s.link", cell->path);
	return link(cell->path, name) ? errno : write_at(name, cell);
}

static void directory_of(const char *path, char directory[PATH_BYTES])
{
	snprintf(directory, PATH_BYTES, "%.*s", (int)(strrchr(path, '/') - path), path);
}

static int link_unnamed(struct cell *cell)
{
	char directory[PATH_BYTES], own[64];
	int fd;

	directory_of(cell->path, directory);
	fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0755);
	if (fd < 0)
		return errno;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	return closed(fd, write(fd, cell->contents->second, cell->contents->second_bytes) !=
					  (ssize_t)cell->contents->second_bytes ||
				  unlink(cell->path) || linkat(AT_FDCWD, own, AT_FDCWD, cell->path, AT_SYMLINK_FOLLOW));
}

static int write_by_bind_mount(struct cell *cell)
{
	char directory[PATH_BYTES], name[PATH_BYTES + 16];
	int error;

	directory_of(cell->path, directory);
	if ((mkdir(BOUND, 0755) && errno != EEXIST) || mount(directory, BOUND, NULL, MS_BIND, NULL))
		return errno;
	snprintf(name, sizeof(name), BOUND "/%s", strrchr(cell->path, '/') + 1);
	error = write_at(name, cell);
	return umount2(BOUND, MNT_DETACH) && !error ? errno : error;
}

static int mount_over(struct cell *cell)
{
	char second[PATH_BYTES];

	snprintf(second, sizeof(second), "contents/%s.second", cell->contents->name);
	if (mount(second, cell->run_path, NULL, MS_BIND, NULL))
		return errno;
	cell->covered = cell->run_path;
	return 0;
}

const struct way ways[] = {
	{ "write", PLAIN, 0, write_and_restore_times },
	{ "mapping-closed", PLAIN, 0, store_after_close },
	{ "mapping-open", PLAIN, HELD, store_and_stay },
	{ "truncate-path", SHORTER, 0, truncate_path },
	{ "truncate-descriptor", SHORTER, 0, truncate_descriptor },
	{ "extend", LONGER, 0, extend },
	{ "punch", PLAIN, 0, punch },
	{ "collapse", PAIR, 0, collapse },
	{ "direct", BLOCKS, 0, write_directly },
	{ "copy-file-range", PLAIN, WITH_OTHER, copy_file },
	{ "reflink", PLAIN, WITH_OTHER, reflink },
	{ "splice", PLAIN, 0, splice_byte },
	{ "io-uring", PLAIN, 0, write_by_ring },
	{ "rename", PLAIN, WITH_OTHER, rename_over },
	{ "exchange", PLAIN, WITH_OTHER, exchange },
	{ "hard-link", PLAIN, 0, write_by_link },
	{ "tmpfile", PLAIN, 0, link_unnamed },
	{ "bind-write", PLAIN, 0, write_by_bind_mount },
	{ "bind-over", PLAIN, 0, mount_over },
	{ "during-hash", PLAIN, HELD | RACING, NULL },
	{ "after-hash", PLAIN, HELD | RACING, NULL },
	{ "handle", PLAIN, ON_XFS, write_by_handle },
	{ "image", PLAIN, ON_IMAGE, write_to_image },
	// Other contents than those that the way before it changed in the whole image.
	{ "device", BLOCKS, ON_IMAGE, write_to_device },
	{ "server", PLAIN, ON_FUSE, answer_another },
	{ "two-faced", PLAIN, UNSTEADY | ON_FUSE, answer_another },
	{ NULL, PLAIN, 0, NULL },
};
