// Files that are reached by their handles, after the kernel has forgotten their names.

#define _GNU_SOURCE
#include "actor.h"
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct handle {
	struct file_handle head;
	unsigned char bytes[MAX_HANDLE_SZ];
};

// handle-of FILE HANDLE: writes the handle of FILE into the file HANDLE.
static int handle_of(char **args)
{
	struct handle handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	int to = open_or_fail(args[1], O_WRONLY | O_CREAT | O_TRUNC), mount;

	if (name_to_handle_at(AT_FDCWD, args[0], &handle.head, &mount, 0))
		fail("no handle of", args[0]);
	return write(to, &handle, sizeof(handle)) != sizeof(handle);
}

static int open_handle(const char *mount, const char *path, int flags)
{
	struct handle handle;
	int from = open_or_fail(path, O_RDONLY), fd;

	if (read(from, &handle, sizeof(handle)) != sizeof(handle))
		fail("no handle in", path);
	fd = open_by_handle_at(open_or_fail(mount, O_RDONLY | O_DIRECTORY), &handle.head, flags);
	if (fd < 0)
		fail("cannot open by the handle in", path);
	return fd;
}

// write-handle MOUNT HANDLE TEXT: truncates the file of the handle and writes TEXT into it.
static int write_handle(char **args)
{
	int fd = open_handle(args[0], args[1], O_WRONLY | O_TRUNC);
	ssize_t bytes = strlen(args[2]);

	return write(fd, args[2], bytes) != bytes;
}

// run-handle MOUNT HANDLE: runs the file of the handle.
static int run_handle(char **args)
{
	char *argv[] = { "by-handle", NULL };

	fexecve(open_handle(args[0], args[1], O_RDONLY | O_CLOEXEC), argv, environ);
	fail("cannot run the handle in", args[1]);
}

const struct command handle_commands[] = {
	{ "handle-of", 2, handle_of },
	{ "write-handle", 3, write_handle },
	{ "run-handle", 2, run_handle },
	{ NULL, 0, NULL },
};
