// What the kernel itself takes: a program at file_open that does nothing, or only asks for the path.

#include "actor.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_BYTES 128
#define PATH_WORDS (PATH_BYTES / 8)

// The kernel's types, and where the one after this is.
struct types {
	char *bytes;
	const char *texts;
	char *end;
	char *first;
};

static struct types read_types(void)
{
	enum { MOST_BYTES = 32 << 20 };
	struct types types = { .bytes = malloc(MOST_BYTES) };
	int fd = open_or_fail("/sys/kernel/btf/vmlinux", O_RDONLY);
	const struct btf_header *header = (const void *)types.bytes;
	size_t count = 0;
	ssize_t got;

	while ((got = read(fd, types.bytes + count, MOST_BYTES - count)) > 0)
		count += got;
	close(fd);
	types.first = types.bytes + header->hdr_len + header->type_off;
	types.end = types.first + header->type_len;
	types.texts = types.bytes + header->hdr_len + header->str_off;
	return types;
}

static char *after(char *at)
{
	const struct btf_type *type = (const void *)at;
	size_t count = BTF_INFO_VLEN(type->info);

	at += sizeof(*type);
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return at + 4;
	case BTF_KIND_ARRAY:
		return at + sizeof(struct btf_array);
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return at + 8 * count;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case BTF_KIND_ENUM64:
		return at + 12 * count;
	default:
		return at;
	}
}

// The number of the type of this kind and name; `found` is where it stands.
static __u32 type_named(const struct types *types, __u32 kind, const char *name, char **found)
{
	__u32 number = 1;

	for (*found = types->first; *found < types->end; *found = after(*found), number++) {
		const struct btf_type *type = (const void *)*found;

		if (BTF_INFO_KIND(type->info) == kind && !strcmp(types->texts + type->name_off, name))
			return number;
	}
	fail("no type of the kernel is", name);
}

static __s32 byte_of_path(const struct types *types)
{
	char *at;

	type_named(types, BTF_KIND_STRUCT, "file", &at);
	const struct btf_type *type = (const void *)at;
	const struct btf_member *members = (const void *)(type + 1);

	for (__u32 i = 0; i < BTF_INFO_VLEN(type->info); i++) {
		if (!strcmp(types->texts + members[i].name_off, "f_path"))
			return BTF_MEMBER_BIT_OFFSET(members[i].offset) / 8;
	}
	fail("struct file has no", "f_path");
}

// Attaches a program to file_open, and holds it.
static int hold(const struct types *types, const struct bpf_insn *program, __u32 instructions)
{
	static char log[1 << 16];
	char *at;
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_LSM,
		.expected_attach_type = BPF_LSM_MAC,
		.prog_flags = BPF_F_SLEEPABLE,
		.attach_btf_id = type_named(types, BTF_KIND_FUNC, "bpf_lsm_file_open", &at),
		.insns = (__u64)program,
		.insn_cnt = instructions,
		.license = (__u64) "GPL",
		.log_buf = (__u64)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	union bpf_attr attach = {};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));

	if (fd < 0)
		fail("cannot load the program", log);
	attach.raw_tracepoint.prog_fd = fd;
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attach, sizeof(attach)) < 0)
		fail("cannot attach to", "file_open");
	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}

// floor-empty: until it is killed.
static int floor_empty(char **unused)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct types types = read_types();

	(void)unused;
	return hold(&types, program, sizeof(program) / sizeof(program[0]));
}

// floor-path: until it is killed.
static int floor_path(char **unused)
{
	struct types types = read_types();
	const struct bpf_insn call[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = byte_of_path(&types) },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -PATH_BYTES },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = PATH_BYTES },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_d_path },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_insn program[PATH_WORDS + sizeof(call) / sizeof(call[0])];

	(void)unused;
	// The verifiers of kernels before 6.3 want the memory written.
	for (int word = 0; word < PATH_WORDS; word++) {
		program[word] = (struct bpf_insn){ .code = BPF_ST | BPF_MEM | BPF_DW,
						   .dst_reg = BPF_REG_10,
						   .off = -8 * (word + 1) };
	}
	memcpy(program + PATH_WORDS, call, sizeof(call));
	return hold(&types, program, sizeof(program) / sizeof(program[0]));
}

const struct command floor_commands[] = {
	{ "floor-empty", 0, floor_empty },
	{ "floor-path", 0, floor_path },
	{ NULL, 0, NULL },
};
