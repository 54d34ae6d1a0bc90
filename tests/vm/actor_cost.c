// What an act costs, in nanoseconds: in a guest whose clock counts instructions (tests/vm/run --icount), in those.

#define _GNU_SOURCE
#include "actor.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// The act on `file`, with `number`: flags, or a descriptor of it.
typedef void (*act)(const char *file, int number);

static long long ns_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Prints what one of `count` acts costs, in the least of a hundred rounds of so many each: most rounds of a few are shorter
// than the time between two ticks. The clock of this thread leaves out what the recorder does meanwhile.
static int print_least(clockid_t clock, int count, act act, const char *file, int number)
{
	long long least = -1;

	for (int round = 0; round < 100; round++) {
		long long began = ns_of(clock), spent;

		for (int i = 0; i < count; i++)
			act(file, number);
		spent = ns_of(clock) - began;
		if (least < 0 || spent < least)
			least = spent;
	}
	printf("%lld\n", least / count);
	return 0;
}

static void open_and_close(const char *file, int flags)
{
	close(open_or_fail(file, flags));
}

static void map_and_unmap(const char *file, int fd)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (code == MAP_FAILED)
		fail("cannot map", file);
	munmap(code, 4096);
}

static void run_program(const char *file, int unused)
{
	char *argv[] = { (char *)file, NULL };
	pid_t child = vfork();
	int status;

	(void)unused;
	if (child == 0) {
		execve(file, argv, environ);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		fail("cannot run", file);
}

// cost FLAGS FILE COUNT: of one open and close.
static int cost(char **args)
{
	return print_least(CLOCK_THREAD_CPUTIME_ID, atoi(args[2]), open_and_close, args[1], flags_of(args[0]));
}

// cost-map FILE COUNT: of one executable mapping and its end.
static int cost_map(char **args)
{
	return print_least(CLOCK_THREAD_CPUTIME_ID, atoi(args[1]), map_and_unmap, args[0], open_or_fail(args[0], O_RDONLY));
}

// cost-exec FILE COUNT: of a program from its fork to its end. What runs beside it is counted too.
static int cost_exec(char **args)
{
	return print_least(CLOCK_MONOTONIC, atoi(args[1]), run_program, args[0], 0);
}

const struct command cost_commands[] = {
	{ "cost", 3, cost },
	{ "cost-map", 2, cost_map },
	{ "cost-exec", 2, cost_exec },
	{ NULL, 0, NULL },
};
