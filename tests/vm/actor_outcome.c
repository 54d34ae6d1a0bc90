// Acts whose outcome is what matters: what a denial answered, which signal came, and ways to write that no open shows.

#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static volatile sig_atomic_t caught;

static void count_signal(int number)
{
	(void)number;
	caught++;
}

// try-exec FILE: runs FILE in a child; prints 0, the errno of the exec, or the signal that ended it.
static int try_exec(char **args)
{
	char *argv[] = { args[0], NULL };
	int status;
	pid_t child = fork();

	if (child == 0) {
		execve(args[0], argv, environ);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		fail("cannot wait for", args[0]);
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("%d\n", WEXITSTATUS(status));
	return 0;
}

// try-open FLAGS FILE: prints 0 or the errno.
static int try_open(char **args)
{
	int fd = open(args[1], flags_of(args[0]));

	printf("%d\n", fd < 0 ? errno : 0);
	return 0;
}

// try-rename FROM TO: prints 0 or the errno.
static int try_rename(char **args)
{
	printf("%d\n", rename(args[0], args[1]) ? errno : 0);
	return 0;
}

// try-map PROT FLAGS FILE: maps a page; prints 0 or the errno.
static int try_map(char **args)
{
	int fd = open_or_fail(args[2], O_RDONLY);
	void *memory = mmap(NULL, 4096, strtol(args[0], NULL, 0), strtol(args[1], NULL, 0), fd, 0);

	printf("%d\n", memory == MAP_FAILED ? errno : 0);
	return 0;
}

// try-map-implied FILE: asks for a readable mapping under a personality that makes it executable too.
static int try_map_implied(char **args)
{
	char *mapping[] = { "1", "2", args[0] };

	if (personality(READ_IMPLIES_EXEC) < 0)
		fail("cannot set the personality for", args[0]);
	return try_map(mapping);
}

// try-signal FILE: opens FILE with a handler for SIGUSR1; prints how often that was called.
static int try_signal(char **args)
{
	signal(SIGUSR1, count_signal);
	close(open_or_fail(args[0], O_RDONLY));
	printf("%d\n", (int)caught);
	return 0;
}

// write-mapped FILE: changes the last byte of FILE through a shared mapping, after its descriptor is closed.
static int write_mapped(char **args)
{
	struct stat info;
	int fd = open_or_fail(args[0], O_RDWR);
	char *memory;

	if (fstat(fd, &info))
		fail("cannot look at", args[0]);
	memory = mmap(NULL, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail("cannot map", args[0]);
	close(fd);
	memory[info.st_size - 1] ^= 1;
	if (munmap(memory, info.st_size))
		fail("cannot unmap", args[0]);
	return 0;
}

// hold-mapping FILE: maps the first page of FILE, shared and writable, closes its descriptor, and stays.
static int hold_mapping(char **args)
{
	int fd = open_or_fail(args[0], O_RDWR);

	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		fail("cannot map", args[0]);
	close(fd);
	for (;;)
		pause();
}

// write-raw FILE DEVICE: changes the last used byte of FILE's first block on the block device below the filesystem.
static int write_raw(char **args)
{
	struct stat info;
	int fd = open_or_fail(args[0], O_RDONLY), device = open_or_fail(args[1], O_RDWR), block = 0, block_size;
	off_t place;
	char byte;

	if (fsync(fd) || fstat(fd, &info) || ioctl(fd, FIGETBSZ, &block_size) || ioctl(fd, FIBMAP, &block) || !block)
		fail("cannot find the first block of", args[0]);
	place = (off_t)block * block_size + (info.st_size < block_size ? info.st_size : block_size) - 1;
	if (pread(device, &byte, 1, place) != 1)
		fail("cannot read", args[1]);
	byte ^= 1;
	if (pwrite(device, &byte, 1, place) != 1 || fsync(device))
		fail("cannot write", args[1]);
	// The filesystem's own copy of the page is to be read again.
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

// run-until STOP FILE: runs FILE again and again until STOP exists; prints how often that worked.
static int run_until(char **args)
{
	char *argv[] = { args[1], NULL };
	int runs = 0, status;

	while (access(args[0], F_OK)) {
		pid_t child = fork();

		if (child == 0) {
			execve(args[1], argv, environ);
			_exit(1);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			fail("cannot run", args[1]);
		runs++;
	}
	printf("%d\n", runs);
	return 0;
}

// await FILE TEXT PID: waits until a line of FILE begins with TEXT, at most two minutes and while the process PID runs. Calls
// nothing meanwhile that a hook sees: programs are attached to the hooks now, see tests/vm/run.
static int await(char **args)
{
	int fd = open_or_fail(args[0], O_RDONLY);
	struct pollfd process = { .fd = syscall(SYS_pidfd_open, atoi(args[2]), 0), .events = POLLIN };
	static char content[1 << 16];

	if (process.fd < 0)
		fail("cannot watch process", args[2]);
	for (int round = 0; round < 1200; round++) {
		int has_ended = poll(&process, 1, 100);
		ssize_t bytes = pread(fd, content, sizeof(content) - 1, 0);

		content[bytes < 0 ? 0 : bytes] = 0;
		for (char *line = content; *line; line += strcspn(line, "\n"), line += *line == '\n')
			if (!strncmp(line, args[1], strlen(args[1])))
				return 0;
		if (has_ended)
			break;
	}
	return 1;
}

const struct command outcome_commands[] = {
	{ "try-exec", 1, try_exec },
	{ "try-open", 2, try_open },
	{ "try-rename", 2, try_rename },
	{ "try-map", 3, try_map },
	{ "try-map-implied", 1, try_map_implied },
	{ "try-signal", 1, try_signal },
	{ "write-mapped", 1, write_mapped },
	{ "hold-mapping", 1, hold_mapping },
	{ "write-raw", 2, write_raw },
	{ "run-until", 2, run_until },
	{ "await", 3, await },
	{ NULL, 0, NULL },
};
