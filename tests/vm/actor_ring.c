// One request to a ring of io_uring.

#define _GNU_SOURCE
#include "actor.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int submit_to(int ring, const struct io_uring_params *params, const struct io_uring_sqe *request, const void *command,
	      size_t command_bytes)
{
	size_t ring_bytes = params->cq_off.cqes + params->cq_entries * 2 * sizeof(struct io_uring_cqe);
	size_t list_bytes = params->sq_off.array + params->sq_entries * sizeof(unsigned int);
	size_t entries_bytes = params->sq_entries * (params->flags & IORING_SETUP_SQE128 ? 2 : 1) * sizeof(struct io_uring_sqe);
	unsigned char *memory = mmap(NULL, ring_bytes > list_bytes ? ring_bytes : list_bytes, PROT_READ | PROT_WRITE,
				     MAP_SHARED, ring, IORING_OFF_SQ_RING);
	struct io_uring_sqe *entry =
		mmap(NULL, entries_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	int result;

	if (memory == MAP_FAILED || entry == MAP_FAILED)
		return -errno;
	*entry = *request;
	if (command)
		memcpy(entry->cmd, command, command_bytes);
	*(unsigned int *)(memory + params->sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(memory + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	result = ((struct io_uring_cqe *)(memory + params->cq_off.cqes))->res;
	munmap(entry, entries_bytes);
	munmap(memory, ring_bytes > list_bytes ? ring_bytes : list_bytes);
	return result;
}

static int ask(const struct io_uring_sqe *request, unsigned int flags, const void *command, size_t command_bytes)
{
	struct io_uring_params params = { .flags = flags };
	int ring = syscall(SYS_io_uring_setup, 1, &params), result;

	if (ring < 0)
		return -errno;
	result = submit_to(ring, &params, request, command, command_bytes);
	close(ring);
	return result;
}

int ask_ring(const struct io_uring_sqe *request)
{
	return ask(request, 0, NULL, 0);
}

int command_ring(const struct io_uring_sqe *request, const void *command, size_t command_bytes)
{
	return ask(request, IORING_SETUP_SQE128 | IORING_SETUP_CQE32, command, command_bytes);
}
