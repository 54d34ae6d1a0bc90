// The files of a served filesystem: their names, which may be several for one, and what they hold.

#define _GNU_SOURCE
#include "served.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 512

static struct node nodes[NAMES_MAX];
static size_t nodes_count;
static struct {
	char name[NAME_BYTES]; // empty: a free place
	struct node *node;
} names[NAMES_MAX];

struct node *node_at(size_t place)
{
	return place < nodes_count ? &nodes[place] : NULL;
}

size_t place_of_node(const struct node *node)
{
	return node - nodes;
}

static int place_of(const char *name)
{
	int place = 0;

	while (place < NAMES_MAX && strcmp(names[place].name, name))
		place++;
	return place < NAMES_MAX ? place : -1;
}

struct node *find(const char *name)
{
	int place = place_of(name);

	return place < 0 ? NULL : names[place].node;
}

int add_name(const char *name, struct node *node)
{
	int place = place_of("");

	if (place < 0 || strlen(name) >= NAME_BYTES)
		return ENOSPC;
	strcpy(names[place].name, name);
	names[place].node = node;
	node->links++;
	return 0;
}

void remove_name(const char *name)
{
	int place = place_of(name);

	if (place >= 0) {
		names[place].node->links--;
		names[place].name[0] = 0;
	}
}

const char *name_of(const struct node *node)
{
	for (int place = 0; place < NAMES_MAX; place++)
		if (names[place].name[0] && names[place].node == node)
			return names[place].name;
	return "";
}

void touch(struct node *node)
{
	clock_gettime(CLOCK_REALTIME, &node->changed);
}

int resize(struct node *node, size_t bytes)
{
	unsigned char *data = bytes > node->bytes ? realloc(node->data, bytes) : node->data;

	if (bytes && !data)
		return ENOSPC;
	if (bytes > node->bytes)
		memset(data + node->bytes, 0, bytes - node->bytes);
	node->data = data;
	node->bytes = bytes;
	touch(node);
	return 0;
}

struct node *new_node(const char *name)
{
	struct node *node = nodes_count < NAMES_MAX ? &nodes[nodes_count] : NULL;

	if (!node || add_name(name, node))
		return NULL;
	nodes_count++;
	touch(node);
	return node;
}
