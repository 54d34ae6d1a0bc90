// Acts that try to run what nobody hashed: code that is changed while it is mapped, content that is stored to through a mapping,
// many hashes at once.

#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void *map_code(const char *path, int protection)
{
	int fd = open_or_fail(path, O_RDONLY);
	void *code = mmap(NULL, 4096, protection, MAP_PRIVATE, fd, 0);

	if (code == MAP_FAILED)
		fail("cannot map", path);
	close(fd);
	return code;
}

int call_code(void *code)
{
	int (*function)(void);

	memcpy(&function, &code, sizeof(function));
	return function();
}

// hold-code FILE FIFO: maps FILE executable and prints what its code returns now, and again each time FIFO is written to,
// until it returns 0.
static int hold_code(char **args)
{
	void *code = map_code(args[0], PROT_READ | PROT_EXEC);
	int value;

	setvbuf(stdout, NULL, _IONBF, 0);
	while ((value = call_code(code))) {
		int fd;
		char byte;

		printf("%d\n", value);
		fd = open_or_fail(args[1], O_RDONLY);
		while (read(fd, &byte, 1) > 0)
			;
		close(fd);
	}
	return 0;
}

static void run_memfd(int fd)
{
	char *argv[] = { "stored", NULL };
	pid_t child = fork();
	int status;

	if (child == 0) {
		fexecve(fd, argv, environ);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		fail("cannot run", "a memfd");
}

// stored-memfd FIRST SECOND: runs a memfd with the content of FIRST twice, stores SECOND, of the same size, through a shared
// mapping, and runs it again.
static int stored_memfd(char **args)
{
	int first = open_or_fail(args[0], O_RDONLY), second = open_or_fail(args[1], O_RDONLY);
	int fd = memfd_create("stored", MFD_CLOEXEC);
	struct stat info;
	char *memory;

	if (fstat(first, &info) || fd < 0 || ftruncate(fd, info.st_size))
		fail("no memfd for", args[0]);
	memory = mmap(NULL, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED || read(first, memory, info.st_size) != info.st_size)
		fail("cannot store", args[0]);
	run_memfd(fd);
	run_memfd(fd);
	if (read(second, memory, info.st_size) != info.st_size)
		fail("cannot store", args[1]);
	run_memfd(fd);
	return 0;
}

static _Noreturn void map_at_start(const char *path, int uid, int ready, int start)
{
	char byte = 0;
	int fd;

	if (setuid(uid))
		fail("cannot become a user for", path);
	fd = open_or_fail(path, O_RDONLY);
	if (write(ready, &byte, 1) != 1)
		fail("cannot begin with", path);
	while (read(start, &byte, 1) > 0)
		;
	map_executable(fd, path);
	for (;;)
		pause();
}

// flood FILE COUNT UID [SERVER]: so many processes of UID map FILE executable, all at once, and are left behind. Each waits in
// its mapping while the kernel hashes FILE, then for ever. SERVER, the process that serves FILE, is stopped before.
static int flood(char **args)
{
	int count = atoi(args[1]), ready[2], start[2];
	char byte;

	if (pipe(ready) || pipe(start))
		fail("no pipe for", args[0]);
	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("cannot fork for", args[0]);
		if (child == 0) {
			close(start[1]);
			map_at_start(args[0], atoi(args[2]), ready[1], start[0]);
		}
	}
	for (int i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a process did not begin with", args[0]);
	if (args[3] && kill(atoi(args[3]), SIGSTOP))
		fail("cannot stop the server of", args[0]);
	return 0;
}

const struct command code_commands[] = {
	{ "hold-code", 2, hold_code },
	{ "stored-memfd", 2, stored_memfd },
	{ "flood", 3, flood },
	{ NULL, 0, NULL },
};
