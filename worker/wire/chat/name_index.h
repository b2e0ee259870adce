/* Names and where each stood first. A trie by the bits of their hashes, so that many names cost no
 * square of their number. It lies in the caller's arena and borrows the names; NULL is an empty
 * one. */
#ifndef WIRE_CHAT_NAME_INDEX_H
#define WIRE_CHAT_NAME_INDEX_H

#include "base/arena.h"

#define NAME_INDEX_NONE SIZE_MAX

struct name_index;

/* Adds the name with its place, unless it is there; *ret_place is that of the first one. False: out
 * of memory. */
MUST_CHECK bool name_index_add(struct arena *arena, struct name_index **index, struct slice name,
                               size_t place, size_t *ret_place);
/* The place, or NAME_INDEX_NONE. */
size_t name_index_find(const struct name_index *index, struct slice name);

#endif
