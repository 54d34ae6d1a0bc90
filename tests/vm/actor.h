// What the files of the actor share.

#ifndef ACTOR_H
#define ACTOR_H

#include <linux/io_uring.h>
#include <stddef.h>

struct command {
	const char *name;
	int arguments; // at least this many
	int (*run)(char **args);
};

// Each table ends with an entry without a name.
extern const struct command process_commands[];
extern const struct command outcome_commands[];
extern const struct command cost_commands[];
extern const struct command code_commands[];
extern const struct command sensor_commands[];
extern const struct command content_commands[];
extern const struct command matrix_commands[];
extern const struct command serve_commands[];
extern const struct command handle_commands[];
extern const struct command unseen_commands[];
extern const struct command value_commands[];
extern const struct command disk_commands[];
extern const struct command floor_commands[];
extern const struct command repeat_commands[];

_Noreturn void fail(const char *what, const char *path);
int open_or_fail(const char *path, int flags);
int flags_of(char *names);
void map_executable(int fd, const char *path);

// A file of machine code that begins with a function without arguments, and what that returns.
void *map_code(const char *path, int protection);
int call_code(void *code);

// What one request to a ring of io_uring gives; an error as a negative number.
int ask_ring(const struct io_uring_sqe *request);
// The same of a command for a device, which stands behind the request.
int command_ring(const struct io_uring_sqe *request, const void *command, size_t command_bytes);
// The same of a ring that is there: submitted and awaited in one call.
int submit_to(int ring, const struct io_uring_params *params, const struct io_uring_sqe *request, const void *command,
	      size_t command_bytes);

// One plain act on a file: read, lock, map, chmod, unlink, mkdir, mount, signal or trace. The last two are about processes.
void perform(const char *act, const char *file);

#endif
