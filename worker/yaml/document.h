/* A YAML document as a tree of nodes with their places: the part of YAML 1.1 that the settings of
 * the worker and the simulator need. The reader rejects anchors, aliases, tags, a second document,
 * NUL bytes and keys that are not texts, and limits size, depth and number of nodes, so that a
 * hostile file cannot exhaust memory. The arena of the caller owns the tree. Only document.c uses
 * libyaml. */
#ifndef YAML_DOCUMENT_H
#define YAML_DOCUMENT_H

#include "base/arena.h"
#include "base/err.h"
#include "yaml/problems.h"

#define DOCUMENT_BYTES_MAX   ((size_t)4 * 1024 * 1024)
#define DOCUMENT_DEPTH_MAX   12
#define DOCUMENT_NODES_MAX   100000
#define DOCUMENT_ARENA_BYTES ((size_t)64 * 1024 * 1024) /* holds any document within the limits */

enum document_kind { DOCUMENT_TEXT, DOCUMENT_LIST, DOCUMENT_MAP };

/* A text, list or map. Items of a list and members of a map are chained by `next`. */
struct document_node {
    enum document_kind kind;
    bool is_plain;       /* a text without quotes */
    struct slice text;   /* DOCUMENT_TEXT; NUL-terminated behind */
    struct slice source; /* of a list or map: its YAML; borrowed from the text that was read */
    struct place place;
    struct slice key; /* of a map's member */
    struct place key_place;
    struct document_node *first, *last; /* of a list or map; NULL when empty */
    struct document_node *next;
    size_t count; /* items or members */
};

/* Reads `text` into the arena, which should have a limit of DOCUMENT_ARENA_BYTES. At the first
 * fault adds a problem and sets *ret_root to NULL, because what stands before a fault may mean
 * something else. An empty document gives NULL without a problem. `file` is the name in the nodes'
 * places; `text` and `file` must outlive the tree. */
void document_read(struct arena *arena, struct slice text, const char *file,
                   struct problems *problems, struct document_node **ret_root);
/* Is the node a text without quotes that is empty, `~` or `null`? */
bool document_is_null(const struct document_node *node);

/* Does an earlier member of the map have the same key? */
bool document_is_repeated(const struct document_node *map, const struct document_node *member);
/* Makes `group.key` in the arena; returns `key` when `group` is empty, and `group` when the arena
 * is full. */
struct slice document_path(struct arena *arena, struct slice group, struct slice key);

#endif
