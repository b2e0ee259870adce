/* A YAML document as a plain tree with places: what the readers of settings (the worker's and the
 * simulator's) need of YAML and no more. Anchors, aliases, tags, a second document, NUL bytes and
 * keys that are not plain texts are rejected, and size, depth and number of nodes are bounded, so
 * that a hostile file costs no more than its bytes. The only room that sees libyaml. */
#ifndef YAML_DOCUMENT_H
#define YAML_DOCUMENT_H

#include "base/arena.h"
#include "base/err.h"
#include "yaml/problems.h"

#define DOCUMENT_BYTES_MAX   ((size_t)4 * 1024 * 1024)
#define DOCUMENT_DEPTH_MAX   12
#define DOCUMENT_NODES_MAX   100000
#define DOCUMENT_ARENA_BYTES ((size_t)64 * 1024 * 1024) /* enough for the limits above */

enum document_kind { DOCUMENT_TEXT, DOCUMENT_LIST, DOCUMENT_MAP };

struct document_node {
    enum document_kind kind;
    bool is_plain;       /* a text without quotes */
    struct slice text;   /* DOCUMENT_TEXT; NUL-terminated behind */
    struct slice source; /* a list or map as it was written; borrowed from what was read */
    struct place place;
    struct slice key; /* of a member of a map */
    struct place key_place;
    struct document_node *first, *last; /* items or members */
    struct document_node *next;
    size_t count;
};

/* Reads `text`; everything is made in the arena. The first fault goes to `problems`, with what to
 * do, and *ret_root is NULL: what stands before a fault may not be what was meant. An empty
 * document gives NULL and no problem. Places are counted from `file`:1:1. */
void document_read(struct arena *arena, struct slice text, const char *file,
                   struct problems *problems, struct document_node **ret_root);
/* A text without quotes that is empty, `~` or `null`. */
bool document_is_null(const struct document_node *node);

/* Has an earlier member of the map the same key? */
bool document_is_repeated(const struct document_node *map, const struct document_node *member);
/* `group.key`, in the arena; the key of an empty group, and the group when memory ran out. */
struct slice document_path(struct arena *arena, struct slice group, struct slice key);

#endif
