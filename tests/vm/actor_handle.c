// Files that are reached by their handles, after the kernel has forgotten their names, or through a mount that hangs nowhere.

#define _GNU_SOURCE
#include "actor.h"
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
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

// A second mount of what stands at the directory, which no name leads to.
static int detached(const char *directory)
{
	int fd = syscall(SYS_open_tree, AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		fail("cannot clone the mount at", directory);
	return fd;
}

// run-detached DIRECTORY FILE: runs FILE below a detached mount of DIRECTORY.
static int run_detached(char **args)
{
	char *argv[] = { args[1], NULL };

	syscall(SYS_execveat, detached(args[0]), args[1], argv, environ, 0);
	fail("cannot run through a detached mount", args[1]);
}

// write-detached DIRECTORY FILE TEXT: writes TEXT into FILE below a detached mount of DIRECTORY.
static int write_detached(char **args)
{
	int fd = openat(detached(args[0]), args[1], O_WRONLY | O_TRUNC);
	ssize_t bytes = strlen(args[2]);

	if (fd < 0)
		fail("cannot write through a detached mount", args[1]);
	return write(fd, args[2], bytes) != bytes;
}

const struct command handle_commands[] = {
	{ "handle-of", 2, handle_of },
	{ "write-handle", 3, write_handle },
	{ "run-handle", 2, run_handle },
	{ "run-detached", 2, run_detached },
	{ "write-detached", 3, write_detached },
	{ NULL, 0, NULL },
};
