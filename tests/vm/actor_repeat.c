// One process that opens one file again and again, and what between two opens makes the later one another.

#define _GNU_SOURCE
#include "actor.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void read_times(const char *path, int flags, int count)
{
	for (int i = 0; i < count; i++)
		close(open_or_fail(path, O_RDONLY | O_APPEND | flags));
}

static void overwrite_first(const char *path, char byte)
{
	int fd = open_or_fail(path, O_WRONLY);

	if (pwrite(fd, &byte, 1, 0) != 1)
		fail("cannot write", path);
	close(fd);
}

static void rename_or_fail(const char *from, const char *to)
{
	if (rename(from, to))
		fail("cannot rename", from);
}

// repeat-opens DIRECTORY: of asked/file, which has a second name aside/link and begins with an a. Each open has O_APPEND, which
// no other open for reading has.
static int repeat_opens(char **args)
{
	if (chdir(args[0]))
		fail("cannot enter", args[0]);
	read_times("asked/file", 0, 5);
	read_times("aside/link", 0, 3);
	read_times("asked/file", 0, 2);
	rename_or_fail("asked", "moved");
	read_times("moved/file", 0, 3);
	rename_or_fail("moved", "asked");
	read_times("asked/file", 0, 2);
	overwrite_first("asked/file", 'b');
	read_times("asked/file", 0, 3);
	overwrite_first("asked/file", 'a');
	read_times("asked/file", 0, 3);
	read_times("asked/file", O_DIRECT, 2);
	read_times("asked/file", 0, 1);
	if (chroot("."))
		fail("cannot change the root to", args[0]);
	read_times("asked/file", 0, 3);
	return 0;
}

const struct command repeat_commands[] = {
	{ "repeat-opens", 1, repeat_opens },
	{ NULL, 0, NULL },
};
