// The cells of one place: each file is made, run twice, changed and run again. How a run ended says what its content was.
// What was done goes into two tables in the directory of the oracle:
//   runs.tsv     place, way, size, step, before_ns, after_ns, pid, exit code, path, contents
//   changes.tsv  place, way, size, before_ns, after_ns, 0 or why it is not possible

#define _GNU_SOURCE
#include "actor.h"
#include "matrix.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RACES 4
#define BUSY_TRIES 20000

extern char **environ;

static FILE *runs, *changes;

struct timed {
	long long before_ns, after_ns;
};

static long long boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void pause_us(long long us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&time, NULL);
}

static void note_change(const struct cell *cell, const struct way *way, enum size size, struct timed time, int error)
{
	fprintf(changes, "%s\t%s\t%s\t%lld\t%lld\t%s\n", cell->place->name, way->name, size_names[size], time.before_ns,
		time.after_ns, error ? strerrorname_np(error) : "0");
}

// Runs the file. While it is open for writing, the kernel may refuse that: what is held is then let go, a racer closes it soon.
// Gives how it ended, or the negative errno that says why it cannot run.
static int run(struct cell *cell, const struct way *way, enum size size, const char *step, struct timed *time)
{
	char *argv[] = { cell->run_path, NULL };
	int error = ETXTBSY, status, code;
	pid_t pid;

	for (int try = 0; try < BUSY_TRIES; try++) {
		time->before_ns = boot_ns();
		error = posix_spawn(&pid, cell->run_path, NULL, NULL, argv, environ);
		if (error != ETXTBSY)
			break;
		if (cell->held >= 0)
			let_go(cell);
		else
			pause_us(100);
	}
	if (error)
		return -error;
	if (waitpid(pid, &status, 0) != pid)
		fail("cannot wait for", cell->run_path);
	time->after_ns = boot_ns();
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(runs, "%s\t%s\t%s\t%s\t%lld\t%lld\t%d\t%d\t%s\t%s\n", cell->place->name, way->name, size_names[size], step,
		time->before_ns, time->after_ns, pid, code, cell->run_path, cell->contents->name);
	return code;
}

static int is_memfd(const struct place *place)
{
	return !strcmp(place->made_in, "memfd");
}

static int new_memfd(const char *name, char path[PATH_BYTES], const unsigned char *data, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		fail("cannot make the memfd", name);
	snprintf(path, PATH_BYTES, "/proc/self/fd/%d", fd);
	// Through the descriptor itself: a mapping of one that was opened again would be another writer.
	if (write(fd, data, bytes) != (ssize_t)bytes)
		fail("cannot write", path);
	return fd;
}

// Makes the file; 0 or the errno.
static int make(struct cell *cell, const struct way *way, enum size size)
{
	const struct contents *contents = cell->contents = contents_of(size, way->form);
	char made[PATH_BYTES];

	cell->descriptor = cell->other_descriptor = cell->held = -1;
	if (is_memfd(cell->place)) {
		cell->descriptor = new_memfd(way->name, cell->path, contents->first, contents->first_bytes);
		strcpy(cell->run_path, cell->path);
		if (way->flags & WITH_OTHER)
			cell->other_descriptor =
				new_memfd("other", cell->other, contents->second, contents->second_bytes);
		return 0;
	}
	join(made, cell->place->made_in, way->name, "-", size_names[size]);
	join(cell->path, cell->place->changed_in, way->name, "-", size_names[size]);
	join(cell->run_path, cell->place->run_in, way->name, "-", size_names[size]);
	join(cell->other, cell->place->changed_in, way->name, "-other-", size_names[size]);
	// What cannot be written has its files already.
	if (access(made, F_OK))
		write_content(made, contents->first, contents->first_bytes);
	if (!(way->flags & WITH_OTHER))
		return 0;
	if (access(cell->place->changed_in, W_OK))
		return errno;
	write_content(cell->other, contents->second, contents->second_bytes);
	return 0;
}

// The content that can be read now must be the one that ran: else the cell proves nothing.
static void check(const struct cell *cell, int code)
{
	const unsigned char *expected = code ? cell->contents->second : cell->contents->first;
	size_t bytes = code ? cell->contents->second_bytes : cell->contents->first_bytes;
	unsigned char *data = malloc(bytes + 1);
	int fd = open_or_fail(cell->run_path, O_RDONLY);
	ssize_t found = data ? pread(fd, data, bytes + 1, 0) : -1;

	errno = EBADMSG;
	if ((code && code != 7) || found != (ssize_t)bytes || memcmp(data, expected, bytes))
		fail("what ran cannot be read in", cell->run_path);
	free(data);
	close(fd);
}

struct race {
	struct cell *cell;
	long long delay_us;
	struct timed time;
	int error;
};

static void *change_later(void *argument)
{
	struct race *race = argument;

	pause_us(race->delay_us);
	race->time.before_ns = boot_ns();
	// A program that runs or begins to run cannot be opened for writing; then as soon as it can.
	for (int try = 0; (race->error = set_switch(race->cell, SECOND_SWITCH)) == ETXTBSY && try < BUSY_TRIES; try++)
		pause_us(100);
	race->time.after_ns = boot_ns();
	return NULL;
}

// Each time another moment of the run is met, all of them during its hash or all of them after it.
static void race(struct cell *cell, const struct way *way, enum size size, long long hash_us)
{
	int is_after = !strcmp(way->name, "after-hash");

	for (int round = 0; round < RACES; round++) {
		struct race racer = { .cell = cell };
		struct timed time;
		pthread_t thread;
		char step[16];

		racer.delay_us = is_after ? hash_us * (16 + round) / 20 : hash_us * (1 + round) / 6;
		snprintf(step, sizeof(step), "race-%d", round);
		if ((errno = pthread_create(&thread, NULL, change_later, &racer)))
			fail("cannot start a thread for", cell->path);
		if (run(cell, way, size, step, &time) < 0)
			fail("cannot run", cell->run_path);
		pthread_join(thread, NULL);
		note_change(cell, way, size, racer.time, racer.error);
		time.before_ns = boot_ns();
		racer.error = set_switch(cell, FIRST_SWITCH);
		time.after_ns = boot_ns();
		note_change(cell, way, size, time, racer.error);
	}
}

static void go_through(const struct place *place, const struct way *way, enum size size)
{
	struct cell cell = { .place = place };
	struct timed time, first;
	int error = make(&cell, way, size), is_racing = way->flags & RACING, code = 0;

	// A file that is copied up by its first writer is to run before that.
	if (!error && way->flags & HELD && (is_racing || !strcmp(place->made_in, place->changed_in)))
		error = hold(&cell);
	if (!error) {
		error = -run(&cell, way, size, "before", &first);
		if (error || run(&cell, way, size, "again", &time))
			fail("does not run as it is:", cell.run_path);
	}
	if (!error && is_racing) {
		race(&cell, way, size, (first.after_ns - first.before_ns) / 1000);
	} else {
		time.before_ns = boot_ns();
		if (!error)
			error = way->change(&cell);
		time.after_ns = boot_ns();
		if (!error && (code = run(&cell, way, size, "after", &first)) < 0)
			error = -code;
		else if (!error && !(way->flags & UNSTEADY))
			check(&cell, code);
		note_change(&cell, way, size, time, error);
	}
	let_go(&cell);
	if (cell.descriptor >= 0)
		close(cell.descriptor);
	if (cell.other_descriptor >= 0)
		close(cell.other_descriptor);
}

static FILE *open_table(const char *directory, const char *name)
{
	char path[PATH_BYTES];
	FILE *table;

	join(path, directory, name, "", "");
	table = fopen(path, "ae");
	if (!table)
		fail("cannot open", path);
	return table;
}

// matrix OUT PLACE MADE_IN CHANGED_IN RUN_IN [IMAGE DEVICE]: goes through the cells of a place; MADE_IN may be `memfd`.
static int matrix(char **args)
{
	struct place place = { args[1], args[2], args[3], args[4], args[5], args[5] ? args[6] : NULL };

	runs = open_table(args[0], "runs.tsv");
	changes = open_table(args[0], "changes.tsv");
	for (int size = 0; size < SIZES; size++)
		for (const struct way *way = ways; way->name; way++)
			if (exists(&place, way))
				go_through(&place, way, size);
	return fclose(runs) || fclose(changes);
}

const struct command matrix_commands[] = {
	{ "matrix", 5, matrix },
	{ NULL, 0, NULL },
};
