// The files of a served filesystem, which stand in the memory of its server.

#ifndef SERVED_H
#define SERVED_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NAME_BYTES 64

struct node {
	unsigned char *data;
	size_t bytes;
	uint32_t mode, links;
	struct timespec changed;
};

// NULL where there is none, or no room for another.
struct node *node_at(size_t place);
struct node *new_node(const char *name);
struct node *find(const char *name);
size_t place_of_node(const struct node *node);

const char *name_of(const struct node *node);
int add_name(const char *name, struct node *node);
void remove_name(const char *name);
void touch(struct node *node);
int resize(struct node *node, size_t bytes);

#endif
