// The programs whose content the matrix changes. They are made here, byte by byte, so that one byte at a chosen place decides
// how they end, and that byte may be the last one of the file or stand behind it.

#define _GNU_SOURCE
#include "actor.h"
#include "matrix.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASE_ADDRESS 0x400000
#define SMALL_BYTES 700
#define LARGE_BYTES (256 * 1024 + SMALL_BYTES) // more than what a kept digest begins with
#define MARK_BYTES 32

const char *const size_names[SIZES] = { "small", "large" };
static const char *const form_names[FORMS] = { "plain", "shorter", "longer", "blocks", "pair" };
static const size_t size_bytes[SIZES] = { SMALL_BYTES, LARGE_BYTES };

static void relative(unsigned char *code, size_t next, size_t target)
{
	int32_t distance = target - next;

	memcpy(code, &distance, sizeof(distance));
}

// A program that ends with (byte at `switch_at` ^ 7) + byte at `extra_at`. All of it is one segment; what that has behind the
// end of the file reads as 0, as the rest of each last page does.
static void build(unsigned char *data, size_t bytes, size_t switch_at, size_t extra_at, const char *mark)
{
	const size_t start = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
	unsigned char code[] = {
		0x0f, 0xb6, 0x3d, 0, 0, 0, 0, // movzx switch(%rip), %edi
		0x83, 0xf7, 0x07,	      // xor $7, %edi
		0x0f, 0xb6, 0x05, 0, 0, 0, 0, // movzx extra(%rip), %eax
		0x01, 0xc7,		      // add %eax, %edi
		0xb8, 0x3c, 0x00, 0x00, 0x00, // mov $60, %eax
		0x0f, 0x05,		      // syscall
	};
	size_t mapped = (extra_at > switch_at ? extra_at : switch_at) + 1;
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = BASE_ADDRESS + start,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	Elf64_Phdr segment = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = BASE_ADDRESS,
		.p_paddr = BASE_ADDRESS,
		.p_filesz = mapped,
		.p_memsz = mapped,
		.p_align = BLOCK_BYTES,
	};

	relative(code + 3, start + 7, switch_at);
	relative(code + 13, start + 17, extra_at);
	memset(data, 0, bytes);
	memcpy(data, &header, sizeof(header));
	memcpy(data + sizeof(header), &segment, sizeof(segment));
	memcpy(data + start, code, sizeof(code));
	strncpy((char *)data + switch_at - MARK_BYTES, mark, MARK_BYTES);
	data[switch_at] = FIRST_SWITCH;
}

static void make_contents(struct contents *made, enum size size, enum form form)
{
	size_t bytes = size_bytes[size], in_blocks = (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
	size_t one = form == BLOCKS || form == PAIR ? in_blocks : bytes;

	snprintf(made->name, sizeof(made->name), "%s-%s", size_names[size], form_names[form]);
	made->first = calloc(2, one + 1);
	made->second = calloc(1, one + 1);
	if (!made->first || !made->second)
		fail("no memory for", made->name);
	// A byte of the header that is always 0.
	build(made->first, one, one - 1, form == LONGER ? one : EI_NIDENT - 1, made->name);
	memcpy(made->second, made->first, one);
	made->first_bytes = made->second_bytes = one;
	made->switch_at = one - 1;
	switch (form) {
	case SHORTER:
		made->second_bytes--;
		break;
	case LONGER:
		made->second[made->second_bytes++] = 7;
		break;
	case PAIR:
		made->second[made->switch_at] = SECOND_SWITCH;
		memcpy(made->first + one, made->second, one);
		made->first_bytes += one;
		break;
	default:
		made->second[made->switch_at] = SECOND_SWITCH;
	}
}

const struct contents *contents_of(enum size size, enum form form)
{
	static struct contents all[SIZES][FORMS];

	if (!all[size][form].first)
		make_contents(&all[size][form], size, form);
	return &all[size][form];
}

void join(char path[PATH_BYTES], const char *directory, const char *name, const char *middle, const char *end)
{
	if (snprintf(path, PATH_BYTES, "%s/%s%s%s", directory, name, middle, end) >= PATH_BYTES)
		fail("too long a path:", directory);
}

void write_content(const char *path, const unsigned char *data, size_t bytes)
{
	int fd = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);

	for (size_t done = 0; done < bytes;) {
		ssize_t part = write(fd, data + done, bytes - done);

		if (part <= 0)
			fail("cannot write", path);
		done += part;
	}
	if (close(fd))
		fail("cannot close", path);
}

// matrix-contents DIRECTORY: writes all contents as files.
static int write_all(char **args)
{
	char path[PATH_BYTES];

	for (int size = 0; size < SIZES; size++) {
		for (int form = 0; form < FORMS; form++) {
			const struct contents *contents = contents_of(size, form);

			join(path, args[0], contents->name, ".", "first");
			write_content(path, contents->first, contents->first_bytes);
			join(path, args[0], contents->name, ".", "second");
			write_content(path, contents->second, contents->second_bytes);
		}
	}
	return 0;
}

// matrix-files DIRECTORY: writes the file of each cell, for a filesystem that cannot be written later.
static int write_files(char **args)
{
	char path[PATH_BYTES];

	for (int size = 0; size < SIZES; size++) {
		for (const struct way *way = ways; way->name; way++) {
			const struct contents *contents = contents_of(size, way->form);

			join(path, args[0], way->name, "-", size_names[size]);
			write_content(path, contents->first, contents->first_bytes);
		}
	}
	return 0;
}

const struct command content_commands[] = {
	{ "matrix-contents", 1, write_all },
	{ "matrix-files", 1, write_files },
	{ NULL, 0, NULL },
};
