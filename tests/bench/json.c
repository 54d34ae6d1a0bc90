// The rows of a journal as JSON lines: what a writer takes that compresses nothing and keeps no index.

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "journal.h"

#define LINE_BYTES (1 << 18)

static char buffer[4 * LINE_BYTES];
static char *end = buffer;

static void put(const char *text)
{
	while (*text)
		*end++ = *text++;
}

static void put_number(uint64_t number)
{
	char digits[20];
	int length = 0;

	do
		digits[length++] = '0' + number % 10;
	while (number /= 10);
	while (length)
		*end++ = digits[--length];
}

static void number_field(const char *name, int64_t number)
{
	put(name);
	if (number < 0) {
		*end++ = '-';
		number = -number;
	}
	put_number(number);
}

static void put_string(const char *text, uint64_t length)
{
	static const char hex[] = "0123456789abcdef";

	*end++ = '"';
	for (; length; length--, text++) {
		unsigned char byte = *text;

		if (byte == '"' || byte == '\\') {
			*end++ = '\\';
			*end++ = byte;
		} else if (byte < ' ') {
			put("\\u00");
			*end++ = hex[byte >> 4];
			*end++ = hex[byte & 15];
		} else {
			*end++ = byte;
		}
	}
	*end++ = '"';
}

static void text_field(const char *name, const char *text, uint64_t length)
{
	if (!length)
		return;
	put(name);
	put_string(text, length);
}

static void device_field(const char *name, uint32_t device)
{
	put(name);
	*end++ = '"';
	put_number(device >> 20);
	*end++ = ':';
	put_number(device & 0xfffff);
	*end++ = '"';
}

static void time_field(const char *name, int64_t seconds, long ns)
{
	static int64_t last_seconds = -1;
	static char last[32];

	if (seconds != last_seconds) {
		time_t time = seconds;
		struct tm utc;

		strftime(last, sizeof(last), "\"%FT%T.", gmtime_r(&time, &utc));
		last_seconds = seconds;
	}
	put(name);
	put(last);
	for (int place = 100000; place; place /= 10)
		*end++ = '0' + ns / 1000 / place % 10;
	put("Z\"");
}

static void digest_field(const struct event *event)
{
	static const char hex[] = "0123456789abcdef";

	if (event->digest_status != DIGEST_OK)
		return;
	put(",\"digest\":\"");
	for (int i = 0; i < 32; i++) {
		*end++ = hex[event->digest[i] >> 4];
		*end++ = hex[event->digest[i] & 15];
	}
	*end++ = '"';
	number_field(",\"digest_source\":", event->digest_source);
	number_field(",\"digest_duration_ns\":", event->digest_duration_ns);
	number_field(",\"content_read_ns\":", event->content_read_ns);
}

static void put_process(const struct event *event)
{
	number_field(",\"pid\":", event->pid);
	number_field(",\"tid\":", event->tid);
	number_field(",\"ppid\":", event->ppid);
	number_field(",\"process_start_ns\":", event->process_start_ns);
	number_field(",\"parent_start_ns\":", event->parent_start_ns);
	number_field(",\"exec_id\":", event->exec_id);
	number_field(",\"uid\":", event->uid);
	number_field(",\"gid\":", event->gid);
	number_field(",\"euid\":", event->euid);
	if (event->auid != UINT32_MAX)
		number_field(",\"auid\":", event->auid);
	text_field(",\"comm\":", event->comm, strnlen(event->comm, COMM_BYTES));
	text_field(",\"parent_comm\":", event->parent_comm, strnlen(event->parent_comm, COMM_BYTES));
	number_field(",\"cgroup_id\":", event->cgroup_id);
	number_field(",\"mnt_ns\":", event->mnt_ns);
	number_field(",\"pid_ns\":", event->pid_ns);
	device_field(",\"root_dev\":", event->root_dev);
	number_field(",\"root_ino\":", event->root_ino);
}

static void put_file(const struct event *event)
{
	if (!(event->flags & EVENT_HAS_FILE))
		return;
	device_field(",\"dev\":", event->dev);
	number_field(",\"ino\":", event->ino);
	number_field(",\"ino_generation\":", event->ino_generation);
	text_field(",\"fs_type\":", event->fs_type, strnlen(event->fs_type, FS_TYPE_BYTES));
	number_field(",\"mode\":", event->mode);
	number_field(",\"owner_uid\":", event->owner_uid);
	number_field(",\"owner_gid\":", event->owner_gid);
	number_field(",\"nlink\":", event->nlink);
	number_field(",\"size_bytes\":", event->size_bytes);
	time_field(",\"mtime\":", event->mtime_s, event->mtime_ns);
	time_field(",\"ctime\":", event->ctime_s, event->ctime_ns);
	number_field(",\"i_version_raw\":", event->i_version_raw);
	number_field(",\"writers\":", event->writers);
	number_field(",\"open_flags\":", event->open_flags);
	number_field(",\"mmap_prot\":", event->mmap_prot);
	number_field(",\"parent_ino\":", event->parent_ino);
}

static void put_arguments(const char *argv, uint64_t length)
{
	const char *stop = argv + length;

	if (!length)
		return;
	put(",\"argv\":[");
	while (argv < stop) {
		uint64_t one = strnlen(argv, stop - argv);

		put_string(argv, one);
		*end++ = ',';
		argv += one + 1;
	}
	end[-1] = ']';
}

static void put_row(const struct segment *segment, const struct frame_head *head, const struct event *event)
{
	const char *path = (const char *)(event + 1), *exe = path + event->path_bytes, *argv = exe + event->exe_bytes;
	int64_t utc_ns = event->boot_ns + head->utc_offset_ns;

	put("{\"recording_id\":\"");
	put(segment->recording_id);
	*end++ = '"';
	number_field(",\"cpu\":", event->cpu);
	number_field(",\"seq\":", event->seq);
	time_field(",\"time\":", utc_ns / 1000000000, utc_ns % 1000000000);
	number_field(",\"boot_ns\":", event->boot_ns);
	number_field(",\"hook\":", event->hook);
	put_process(event);
	put_file(event);
	text_field(",\"path\":", path, event->path_bytes);
	text_field(",\"exe\":", exe, event->exe_bytes);
	put_arguments(argv, event->argv_bytes);
	text_field(",\"target_path\":", argv + event->argv_bytes, event->target_bytes);
	digest_field(event);
	put("}\n");
}

static void flush(void)
{
	for (char *at = buffer; at < end;) {
		ssize_t written = write(STDOUT_FILENO, at, end - at);

		if (written <= 0)
			fail("cannot write to", "stdout");
		at += written;
	}
	end = buffer;
}

int print_json(struct segment *segments, int length)
{
	const struct frame_head *head;
	const char *payload;

	for (int i = 0; i < length; i++)
		while ((head = next_frame(&segments[i], &payload))) {
			if (head->kind == FRAME_RECORD)
				put_row(&segments[i], head, (const struct event *)payload);
			if (end - buffer > 3 * LINE_BYTES)
				flush();
		}
	flush();
	return 0;
}
