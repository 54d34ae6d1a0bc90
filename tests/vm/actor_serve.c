// A FUSE filesystem whose files stand in the memory of its server: one directory, and what the matrix does in it. The server
// can lie: where there is also a file NAME.answer, reads of NAME get the content of that. A file whose name begins with
// `two-faced` does so only when a page is read, as for a program that runs, and not when the reader is given the bytes
// themselves, as one that hashes is.

#define _GNU_SOURCE
#include "actor.h"
#include "matrix.h"
#include "served.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define WRITE_BYTES (128 << 10)
#define FOREVER_SECONDS 100000
#define TWO_FACED "two-faced"

static int device;

static void reply(const struct fuse_in_header *request, int error, const void *first, size_t first_bytes, const void *second,
		  size_t second_bytes)
{
	struct fuse_out_header header = { .error = -error, .unique = request->unique };
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)first, 0 }, { (void *)second, 0 } };

	if (!error) {
		parts[1].iov_len = first_bytes;
		parts[2].iov_len = second_bytes;
	}
	header.len = sizeof(header) + parts[1].iov_len + parts[2].iov_len;
	// Whoever asked may have gone.
	(void)!writev(device, parts, 3);
}

static void reply_error(const struct fuse_in_header *request, int error)
{
	reply(request, error, NULL, 0, NULL, 0);
}

static struct node *node_of(const struct fuse_in_header *request)
{
	return node_at(request->nodeid - FUSE_ROOT_ID - 1);
}

static struct fuse_attr attributes(const struct node *node)
{
	struct fuse_attr attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2, .blksize = BLOCK_BYTES };

	if (node) {
		attr.ino = FUSE_ROOT_ID + 1 + place_of_node(node);
		attr.mode = node->mode;
		attr.nlink = node->links;
		attr.size = node->bytes;
		attr.mtime = attr.ctime = attr.atime = node->changed.tv_sec;
		attr.mtimensec = attr.ctimensec = attr.atimensec = node->changed.tv_nsec;
	}
	return attr;
}

static struct fuse_entry_out entry_of(const struct node *node)
{
	struct fuse_entry_out entry = { .entry_valid = FOREVER_SECONDS, .attr_valid = FOREVER_SECONDS };

	entry.attr = attributes(node);
	entry.nodeid = entry.attr.ino;
	return entry;
}

static void reply_entry(const struct fuse_in_header *request, const struct node *node)
{
	struct fuse_entry_out entry = entry_of(node);

	reply(request, 0, &entry, sizeof(entry), NULL, 0);
}

static void reply_attributes(const struct fuse_in_header *request)
{
	struct fuse_attr_out out = { .attr_valid = FOREVER_SECONDS, .attr = attributes(node_of(request)) };

	reply(request, 0, &out, sizeof(out), NULL, 0);
}

static struct fuse_open_out opened(const struct node *node)
{
	int is_two_faced = node && !strncmp(name_of(node), TWO_FACED, strlen(TWO_FACED));

	return (struct fuse_open_out){ .open_flags = is_two_faced ? FOPEN_DIRECT_IO : 0 };
}

static void create(const struct fuse_in_header *request, const struct fuse_create_in *in)
{
	struct node *node = new_node((const char *)(in + 1));
	struct fuse_entry_out entry;
	struct fuse_open_out open;

	if (node) {
		node->mode = in->mode;
		entry = entry_of(node);
		open = opened(node);
	}
	reply(request, node ? 0 : ENOSPC, &entry, sizeof(entry), &open, sizeof(open));
}

static void read_bytes(const struct fuse_in_header *request, const struct fuse_read_in *in)
{
	struct node *node = node_of(request), *answer;
	char name[NAME_BYTES + 8];
	size_t bytes = in->size;
	// Set where the bytes go to a reader, and not into the page cache.
	int is_direct = in->read_flags & FUSE_READ_LOCKOWNER;

	if (!node) {
		reply_error(request, EISDIR);
		return;
	}
	snprintf(name, sizeof(name), "%s.answer", name_of(node));
	answer = find(name);
	if (answer && !(is_direct && !strncmp(name, TWO_FACED, strlen(TWO_FACED))))
		node = answer;
	if (in->offset >= node->bytes)
		bytes = 0;
	else if (bytes > node->bytes - in->offset)
		bytes = node->bytes - in->offset;
	reply(request, 0, bytes ? node->data + in->offset : NULL, bytes, NULL, 0);
}

static void write_bytes(const struct fuse_in_header *request, const struct fuse_write_in *in)
{
	struct node *node = node_of(request);
	struct fuse_write_out out = { .size = in->size };
	int error = !node ? EISDIR : in->offset + in->size > node->bytes ? resize(node, in->offset + in->size) : 0;

	if (!error) {
		memcpy(node->data + in->offset, in + 1, in->size);
		touch(node);
	}
	reply(request, error, &out, sizeof(out), NULL, 0);
}

static void set_attributes(const struct fuse_in_header *request, const struct fuse_setattr_in *in)
{
	struct node *node = node_of(request);

	if (node && in->valid & FATTR_SIZE && resize(node, in->size)) {
		reply_error(request, ENOSPC);
		return;
	}
	if (node && in->valid & FATTR_MODE)
		node->mode = in->mode;
	if (node && in->valid & FATTR_MTIME && !(in->valid & FATTR_MTIME_NOW))
		node->changed = (struct timespec){ in->mtime, in->mtimensec };
	reply_attributes(request);
}

static void rename_name(const struct fuse_in_header *request, const char *old, uint32_t flags)
{
	const char *new = old + strlen(old) + 1;
	struct node *moved = find(old), *replaced = find(new);
	int error = moved && !(flags & ~RENAME_EXCHANGE) ? 0 : EINVAL;

	if (!error) {
		remove_name(old);
		remove_name(new);
		error = add_name(new, moved);
		if (!error && flags & RENAME_EXCHANGE && replaced)
			error = add_name(old, replaced);
	}
	reply_error(request, error);
}

static void link_name(const struct fuse_in_header *request, const struct fuse_link_in *in)
{
	struct node *node = node_at(in->oldnodeid - FUSE_ROOT_ID - 1);
	int error = node ? add_name((const char *)(in + 1), node) : EPERM;

	if (error)
		reply_error(request, error);
	else
		reply_entry(request, node);
}

static void start(const struct fuse_in_header *request, const struct fuse_init_in *in)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = in->max_readahead,
		.flags = in->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES),
		.max_write = WRITE_BYTES,
		.max_pages = WRITE_BYTES / BLOCK_BYTES,
		.time_gran = 1,
	};

	reply(request, 0, &out, sizeof(out), NULL, 0);
}

static void answer(const struct fuse_in_header *request)
{
	const void *in = request + 1;
	struct fuse_open_out open = opened(node_of(request));
	struct fuse_statfs_out space = { .st = { .bsize = BLOCK_BYTES, .frsize = BLOCK_BYTES, .blocks = 1 << 20,
						 .bfree = 1 << 20, .bavail = 1 << 20, .namelen = NAME_BYTES - 1 } };

	switch (request->opcode) {
	case FUSE_INIT: start(request, in); break;
	case FUSE_LOOKUP: find(in) ? reply_entry(request, find(in)) : reply_error(request, ENOENT); break;
	case FUSE_GETATTR: reply_attributes(request); break;
	case FUSE_SETATTR: set_attributes(request, in); break;
	case FUSE_OPEN:
	case FUSE_OPENDIR: reply(request, 0, &open, sizeof(open), NULL, 0); break;
	case FUSE_CREATE: create(request, in); break;
	case FUSE_READ: read_bytes(request, in); break;
	case FUSE_WRITE: write_bytes(request, in); break;
	case FUSE_UNLINK: remove_name(in); reply_error(request, 0); break;
	case FUSE_RENAME: rename_name(request, (const char *)in + sizeof(struct fuse_rename_in), 0); break;
	case FUSE_RENAME2:
		rename_name(request, (const char *)in + sizeof(struct fuse_rename2_in),
			    ((const struct fuse_rename2_in *)in)->flags);
		break;
	case FUSE_LINK: link_name(request, in); break;
	case FUSE_STATFS: reply(request, 0, &space, sizeof(space), NULL, 0); break;
	case FUSE_READDIR:
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR: reply_error(request, 0); break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: break; // these want no answer
	default: reply_error(request, ENOSYS);
	}
}

// serve-files DIRECTORY: mounts the filesystem there and serves it in the background until it is unmounted.
static int serve_files(char **args)
{
	static char request[WRITE_BYTES + BLOCK_BYTES] __attribute__((aligned(8)));
	char options[128];

	device = open_or_fail("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (mount("served", args[0], "fuse", 0, options))
		fail("cannot mount", args[0]);
	if (fork() != 0)
		return 0;
	while (read(device, request, sizeof(request)) > 0 || errno == EINTR || errno == ENOENT)
		answer((const struct fuse_in_header *)request);
	_exit(0);
}

const struct command serve_commands[] = {
	{ "serve-files", 1, serve_files },
	{ NULL, 0, NULL },
};
