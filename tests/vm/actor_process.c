// Acts by processes of every kind: with other users, capabilities, namespaces, threads and ancestors.

#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAP_OF_TESTS CAP_SYS_TIME // no act here needs it

static void read_file(const char *file)
{
	int fd = open_or_fail(file, O_RDONLY | O_NONBLOCK);
	char byte;

	// What has no content to read counts as read.
	(void)!read(fd, &byte, 1);
	close(fd);
}

static void lock_file(const char *file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_or_fail(file, O_RDWR);

	if (fcntl(fd, F_SETLK, &lock))
		fail("cannot lock", file);
	close(fd);
}

static void trace_child(const char *file)
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	if (child < 0 || ptrace(PTRACE_SEIZE, child, NULL, NULL))
		fail("cannot trace a child for", file);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

void perform(const char *act, const char *file)
{
	int failed = 0;

	if (!strcmp(act, "read"))
		read_file(file);
	else if (!strcmp(act, "lock"))
		lock_file(file);
	else if (!strcmp(act, "map"))
		map_executable(open_or_fail(file, O_RDONLY), file);
	else if (!strcmp(act, "chmod"))
		failed = chmod(file, 0600);
	else if (!strcmp(act, "unlink"))
		failed = unlink(file);
	else if (!strcmp(act, "mkdir"))
		failed = mkdir(file, 0755);
	else if (!strcmp(act, "mount"))
		failed = mount("none", file, "tmpfs", 0, NULL);
	else if (!strcmp(act, "signal"))
		failed = kill(getpid(), 0);
	else if (!strcmp(act, "trace"))
		trace_child(file);
	else
		failed = errno = EINVAL;
	if (failed)
		fail(act, file);
}

static void wait_for(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		fail("a child failed in", "its act");
}

// do ACT FILE...: the act on each file, in order.
static int do_each(char **args)
{
	for (char **file = args + 1; *file; file++)
		perform(args[0], *file);
	return 0;
}

// run PROGRAM ARGUMENT...: runs a program in a child.
static int run(char **args)
{
	pid_t child = fork();

	if (child == 0) {
		execv(args[0], args);
		fail("cannot run", args[0]);
	}
	wait_for(child);
	return 0;
}

// map-while FILE PROGRAM ARGUMENT...: runs a program in a child while FILE is mapped executable.
static int map_while(char **args)
{
	int fd = open_or_fail(args[0], O_RDONLY);

	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		fail("cannot map", args[0]);
	close(fd);
	return run(args + 1);
}

// exec PROGRAM ARGUMENT...: becomes the program.
static int become(char **args)
{
	execv(args[0], args);
	fail("cannot become", args[0]);
}

static void *become_in_thread(void *args)
{
	become(args);
	return NULL;
}

// exec-in-thread PROGRAM ARGUMENT...: becomes the program by an exec of a thread that is not the first.
static int exec_in_thread(char **args)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, become_in_thread, args))
		pthread_join(thread, NULL);
	fail("cannot run a thread for", args[0]);
}

// The process itself, or its descendant so many forks away.
static void perform_after_forks(int forks, char **act)
{
	pid_t child;

	if (!forks) {
		perform(act[0], act[1]);
		return;
	}
	child = fork();
	if (child == 0) {
		perform_after_forks(forks - 1, act);
		_exit(0);
	}
	wait_for(child);
}

// after FIFO FORKS ACT FILE: waits until somebody opens FIFO for writing, then acts, itself (0) or by a descendant.
static int after(char **args)
{
	close(open_or_fail(args[0], O_RDONLY));
	perform_after_forks(atoi(args[1]), args + 2);
	return 0;
}

// enter NAMESPACE FORKS ACT FILE: in a new namespace, by the process itself (0) or by a descendant.
static int enter(char **args)
{
	static const struct {
		const char *name;
		int flag;
	} known[] = {
		{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC },   { "mnt", CLONE_NEWNS },
		{ "net", CLONE_NEWNET },   { "pid", CLONE_NEWPID },   { "time", 0x80 /* CLONE_NEWTIME */ },
		{ "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP },
	};
	size_t i = 0;

	while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i].name, args[0]))
		i++;
	if (i == sizeof(known) / sizeof(known[0]) || unshare(known[i].flag))
		fail("cannot enter a new namespace", args[0]);
	perform_after_forks(atoi(args[1]), args + 2);
	return 0;
}

// user REAL EFFECTIVE ACT FILE: as other users.
static int user(char **args)
{
	if (setresuid(atoi(args[0]), atoi(args[1]), -1))
		fail("cannot become user", args[0]);
	perform(args[2], args[3]);
	return 0;
}

// capability SET ACT FILE: lacks CAP_SYS_TIME in the effective set, or in the permitted one too, or has it in the
// inheritable one.
static int capability(char **args)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	__u32 bit = 1u << CAP_OF_TESTS;

	if (syscall(SYS_capget, &header, sets))
		fail("cannot read", "capabilities");
	if (!strcmp(args[0], "inheritable"))
		sets[0].inheritable |= bit;
	else
		sets[0].effective &= ~bit;
	if (!strcmp(args[0], "permitted"))
		sets[0].permitted &= ~bit;
	if (syscall(SYS_capset, &header, sets))
		fail("cannot set capabilities", args[0]);
	perform(args[1], args[2]);
	return 0;
}

struct repeated {
	int times;
	const char *file;
};

static void *read_repeatedly(void *argument)
{
	struct repeated *repeated = argument;

	for (int i = 0; i < repeated->times; i++)
		perform("read", repeated->file);
	return NULL;
}

// threads THREADS TIMES FILE: threads, one after the other, each reads FILE so often.
static int threads(char **args)
{
	struct repeated repeated = { .times = atoi(args[1]), .file = args[2] };

	for (int i = 0; i < atoi(args[0]); i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, read_repeatedly, &repeated) || pthread_join(thread, NULL))
			fail("cannot run a thread for", args[2]);
	}
	return 0;
}

const struct command process_commands[] = {
	{ "do", 2, do_each },
	{ "run", 1, run },
	{ "map-while", 2, map_while },
	{ "exec", 1, become },
	{ "exec-in-thread", 1, exec_in_thread },
	{ "after", 4, after },
	{ "enter", 4, enter },
	{ "user", 4, user },
	{ "capability", 3, capability },
	{ "threads", 3, threads },
	{ NULL, 0, NULL },
};
