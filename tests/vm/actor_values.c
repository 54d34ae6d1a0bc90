// Acts whose arguments are numbers, modes and socket addresses. Each prints what the kernel answered: 0, or an error number.

#define _GNU_SOURCE
#include "actor.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int answered(long result)
{
	printf("%d\n", result < 0 ? errno : 0);
	return 0;
}

// mode MODE FILE: an octal mode.
static int mode(char **args)
{
	return answered(chmod(args[1], strtoul(args[0], NULL, 8)));
}

// look-at HOW: at a child, by reading what it runs (read) or by tracing it (attach).
static int look_at(char **args)
{
	char path[64], target[256];
	pid_t child = fork();
	long result;

	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/exe", child);
	result = strcmp(args[0], "read") ? ptrace(PTRACE_SEIZE, child, NULL, NULL)
					 : readlink(path, target, sizeof(target));
	answered(result);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

// bpf COMMAND: of the system call, with attributes that no command takes, as many as each kernel knows.
static int bpf(char **args)
{
	union bpf_attr attributes;

	memset(&attributes, 0xff, sizeof(attributes));
	return answered(syscall(SYS_bpf, atoi(args[0]), &attributes, 48));
}

// connect ADDRESS PORT BYTES: a datagram socket, which sends nothing; of the address as many bytes are given, 0: all.
static int connect_to(char **args)
{
	struct sockaddr_storage address = {};
	struct sockaddr_in *v4 = (void *)&address;
	struct sockaddr_in6 *v6 = (void *)&address;
	struct sockaddr_un *local = (void *)&address;
	int bytes = atoi(args[2]), whole;

	if (inet_pton(AF_INET, args[0], &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(atoi(args[1]));
		whole = sizeof(*v4);
	} else if (inet_pton(AF_INET6, args[0], &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(atoi(args[1]));
		whole = sizeof(*v6);
	} else {
		local->sun_family = AF_UNIX;
		strncpy(local->sun_path, args[0], sizeof(local->sun_path) - 1);
		whole = sizeof(*local);
	}
	return answered(connect(socket(address.ss_family, SOCK_DGRAM, 0), (void *)&address, bytes ? bytes : whole));
}

// listen PORT BACKLOG: at the loopback address of IPv4.
static int listen_at(char **args)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(args[0])) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (void *)&address, sizeof(address)))
		fail("cannot bind to port", args[0]);
	return answered(listen(fd, atoi(args[1])));
}

// reset-on-fork ACT FILE: acts with a flag of its own that is one bit of the kernel's memory.
static int reset_on_fork(char **args)
{
	struct sched_param none = {};

	if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none))
		fail("cannot set the flag for", args[1]);
	perform(args[0], args[1]);
	return 0;
}

const struct command value_commands[] = {
	{ "mode", 2, mode },
	{ "look-at", 1, look_at },
	{ "bpf", 1, bpf },
	{ "connect", 3, connect_to },
	{ "listen", 2, listen_at },
	{ "reset-on-fork", 2, reset_on_fork },
	{},
};
