// What the files of the matrix share. A cell of it is one file in one place, of one size, whose content changes in one way.

#ifndef MATRIX_H
#define MATRIX_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PATH_BYTES 512
#define BLOCK_BYTES 4096
#define FIRST_SWITCH 7
#define SECOND_SWITCH 0

// How the second content is made of the first: by another byte, without its last one, with one more, by another byte in
// whole blocks, and by what stands behind it in whole blocks.
enum form { PLAIN, SHORTER, LONGER, BLOCKS, PAIR, FORMS };
enum size { SMALL, LARGE, SIZES };

// Two programs: the first ends with 0, the second with 7.
struct contents {
	char name[32];
	unsigned char *first, *second;
	size_t first_bytes, second_bytes;
	off_t switch_at; // the byte that is 7 in the first and 0 in the second, where both have it
};

// A filesystem, or some that are stacked: where files are made, changed and run. The last two are NULL where nobody can write
// beneath.
struct place {
	const char *name, *made_in, *changed_in, *run_in, *image, *device;
};

struct cell {
	const struct place *place;
	const struct contents *contents;
	char path[PATH_BYTES]; // where it is changed
	char run_path[PATH_BYTES];
	char other[PATH_BYTES]; // a file beside it that has the second content
	int descriptor, other_descriptor; // of memfds
	int held; // a descriptor that stays open over the runs, or -1
	unsigned char *mapping; // and a mapping, or NULL
	const char *covered; // a path that something is mounted on, or NULL
};

// What a way needs, and how it is gone through.
enum way_flags { HELD = 1, RACING = 2, WITH_OTHER = 4, UNSTEADY = 8, ON_XFS = 16, ON_IMAGE = 32, ON_FUSE = 64 };

struct way {
	const char *name;
	enum form form;
	int flags;
	int (*change)(struct cell *cell); // 0 or the errno
};

// The table ends with an entry without a name.
extern const struct way ways[];

extern const char *const size_names[SIZES];
const struct contents *contents_of(enum size size, enum form form);
void join(char path[PATH_BYTES], const char *directory, const char *name, const char *middle, const char *end);
void write_content(const char *path, const unsigned char *data, size_t bytes);

// The errno of what has failed, else 0; and after the descriptor is closed.
int outcome(int has_failed);
int closed(int fd, int has_failed);
int open_to_change(const struct cell *cell, int flags);
int hold(struct cell *cell);
void let_go(struct cell *cell);
int set_switch(struct cell *cell, unsigned char value);

int exists(const struct place *place, const struct way *way);
int truncate_path(struct cell *cell);
int truncate_descriptor(struct cell *cell);
int extend(struct cell *cell);
int punch(struct cell *cell);
int collapse(struct cell *cell);
int write_directly(struct cell *cell);
int copy_file(struct cell *cell);
int reflink(struct cell *cell);
int splice_byte(struct cell *cell);
int write_by_ring(struct cell *cell);
int write_by_handle(struct cell *cell);
int write_to_image(struct cell *cell);
int write_to_device(struct cell *cell);
int answer_another(struct cell *cell);

#endif
