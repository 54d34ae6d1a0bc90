// What the files of the actor share.

#ifndef ACTOR_H
#define ACTOR_H

struct command {
	const char *name;
	int arguments; // at least this many
	int (*run)(char **args);
};

// Each table ends with an entry without a name.
extern const struct command process_commands[];
extern const struct command outcome_commands[];

_Noreturn void fail(const char *what, const char *path);
int open_or_fail(const char *path, int flags);
int flags_of(char *names);
void map_executable(int fd, const char *path);

// One plain act on a file: read, lock, map, chmod, unlink, mkdir, mount, signal or trace. The last two are about processes.
void perform(const char *act, const char *file);

#endif
