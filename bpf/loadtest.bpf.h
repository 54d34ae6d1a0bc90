/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A producer for the way from ring to archive, on kernels that refuse LSM programs too. Run by BPF_PROG_TEST_RUN. */
#ifndef HASHTRAIL_LOADTEST_H
#define HASHTRAIL_LOADTEST_H

#define LOADTEST_PATH "/loadtest/file-00000000"
#define LOADTEST_DIGITS 8
#define LOADTEST_FILES 4096
#define SHA256_ALGORITHM 4
#define SHA256_BYTES 32

/* Not static: clang would put it into a section of mergeable strings, which BTF cannot describe. */
const char loadtest_path[] = LOADTEST_PATH;

struct load {
	struct scratch *slot;
	__u64 first;
	__u16 hook;
};

static __always_inline void fill_load(struct event *event, __u64 number, __u16 hook)
{
	__u32 file = number % LOADTEST_FILES;

	__builtin_memset(event, 0, sizeof(*event));
	event->boot_ns = bpf_ktime_get_boot_ns();
	event->hook = hook;
	event->flags = EVENT_HAS_FILE;
	event->ino = file + 1;
	event->mode = S_IFREG | 0755;
	event->nlink = 1;
	event->size_bytes = 4096;
	event->digest_status = DIGEST_OK;
	event->digest_source = SOURCE_CACHE;
	event->digest_algorithm = SHA256_ALGORITHM;
	__builtin_memcpy(event->digest, &file, sizeof(file));
	event->path_bytes = sizeof(LOADTEST_PATH) - 1;
}

static long send_load(__u64 index, struct load *load)
{
	struct scratch *slot = load->slot;
	__u64 number = load->first + index, rest = number % LOADTEST_FILES;
	int i;

	fill_load(&slot->event, number, load->hook);
	__builtin_memcpy(slot->tail, loadtest_path, sizeof(loadtest_path) - 1);
	for (i = 0; i < LOADTEST_DIGITS; i++, rest /= 10)
		slot->tail[sizeof(loadtest_path) - 2 - i] = '0' + rest % 10;
	send(&slot->event, sizeof(struct event) + sizeof(loadtest_path) - 1);
	return 0;
}

/* Sends count events, numbered from first, that rank as execs or as opens (bulk). Returns how many it produced. */
SEC("raw_tp")
int loadtest(__u64 *arguments)
{
	struct load load = {
		.slot = claim_scratch(bpf_ktime_get_boot_ns()),
		.first = arguments[0],
		.hook = arguments[2] ? HOOK_LOADTEST_BULK : HOOK_LOADTEST,
	};
	int produced = 0;

	if (!load.slot)
		return 0;
	produced = bpf_loop(arguments[1], send_load, &load, 0);
	release_scratch(load.slot);
	return produced;
}

#endif
