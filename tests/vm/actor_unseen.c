// Ways to run or load code that are no plain exec and no plain mapping of a file as executable memory, and an open that no
// system call of the process makes.

#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void make_executable(void *code, const char *path)
{
	if (mprotect(code, 4096, PROT_READ | PROT_EXEC))
		fail("cannot make executable", path);
}

// late-code FILE: maps FILE as data, makes it executable, and ends with what its code returns.
static int late_code(char **args)
{
	void *code = map_code(args[0], PROT_READ);

	make_executable(code, args[0]);
	return call_code(code);
}

// All of a file, in memory of the process.
static void *read_whole(const char *path, size_t *bytes)
{
	int fd = open_or_fail(path, O_RDONLY);
	struct stat info;
	void *image;

	if (fstat(fd, &info))
		fail("cannot look at", path);
	*bytes = info.st_size;
	image = malloc(*bytes);
	if (!image || read(fd, image, *bytes) != (ssize_t)*bytes)
		fail("cannot read", path);
	close(fd);
	return image;
}

static int memfd_of(const char *path)
{
	int fd = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t bytes;
	void *image = read_whole(path, &bytes);

	if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes)
		fail("no memfd for", path);
	free(image);
	return fd;
}

// late-memfd FILE: the same with a memfd that has the content of FILE; it waits until that can have been read by others.
static int late_memfd(char **args)
{
	void *code = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, memfd_of(args[0]), 0);

	if (code == MAP_FAILED)
		fail("cannot map", args[0]);
	make_executable(code, args[0]);
	sleep(3);
	return call_code(code);
}

// try-memfd FILE [sealed]: maps a memfd with the content of FILE as code; prints 0 or the errno.
static int try_memfd(char **args)
{
	int fd = memfd_of(args[0]);

	if (args[1] && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK))
		fail("cannot seal", args[0]);
	printf("%d\n", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? errno : 0);
	return 0;
}

// shared-code FILE: puts FILE into a segment of shared memory, attaches that as executable, and ends with what it returns.
static int shared_code(char **args)
{
	int segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);
	size_t bytes;
	void *image = read_whole(args[0], &bytes), *memory = shmat(segment, NULL, 0);

	if (segment < 0 || memory == (void *)-1)
		fail("no shared memory for", args[0]);
	memcpy(memory, image, bytes);
	shmdt(memory);
	memory = shmat(segment, NULL, SHM_RDONLY | SHM_EXEC);
	shmctl(segment, IPC_RMID, NULL);
	if (memory == (void *)-1)
		fail("cannot attach", args[0]);
	return call_code(memory);
}

// implied-code FILE: maps FILE for reading, in a personality in which that makes it executable.
static int implied_code(char **args)
{
	if (personality(READ_IMPLIES_EXEC) < 0)
		fail("no such personality for", args[0]);
	return call_code(map_code(args[0], PROT_READ));
}

// load-module FILE: gives the kernel a module from memory.
static int load_module(char **args)
{
	size_t bytes;
	void *image = read_whole(args[0], &bytes);

	if (syscall(SYS_init_module, image, bytes, ""))
		fail("cannot load", args[0]);
	return 0;
}

// kexec-file FILE: asks the kernel to read FILE as one that it is to boot into; prints the errno.
static int kexec_file(char **args)
{
	int fd = open_or_fail(args[0], O_RDONLY);

	printf("%d\n", syscall(SYS_kexec_file_load, fd, -1, 1, "", KEXEC_FILE_NO_INITRAMFS) ? errno : 0);
	return 0;
}

// kexec-memory: gives the kernel the empty list of segments to boot into.
static int kexec_memory(char **args)
{
	(void)args;
	return syscall(SYS_kexec_load, 0, 0, NULL, KEXEC_ARCH_DEFAULT) ? 1 : 0;
}

// ring-write FILE FROM [async]: opens FILE for writing through a ring, and puts the content of FROM into it. With `async` a
// thread of the kernel opens it.
static int ring_write(char **args)
{
	size_t bytes;
	void *content = read_whole(args[1], &bytes);
	struct io_uring_sqe request = { .opcode = IORING_OP_OPENAT,
					.flags = args[2] ? IOSQE_ASYNC : 0,
					.fd = AT_FDCWD,
					.addr = (uintptr_t)args[0],
					.open_flags = O_WRONLY };
	int fd = ask_ring(&request);

	if (fd < 0)
		errno = -fd;
	if (fd < 0 || write(fd, content, bytes) != (ssize_t)bytes)
		fail("cannot write", args[0]);
	return 0;
}

const struct command unseen_commands[] = {
	{ "late-code", 1, late_code },
	{ "late-memfd", 1, late_memfd },
	{ "try-memfd", 1, try_memfd },
	{ "shared-code", 1, shared_code },
	{ "implied-code", 1, implied_code },
	{ "load-module", 1, load_module },
	{ "kexec-file", 1, kexec_file },
	{ "kexec-memory", 0, kexec_memory },
	{ "ring-write", 2, ring_write },
	{ NULL, 0, NULL },
};
