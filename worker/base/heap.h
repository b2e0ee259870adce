/* An intrusive priority queue: a leftist heap, whose nodes lie in their objects. It needs no memory
 * of its own and owns nothing; each operation takes O(log n) steps (Crane 1972; Knuth, The Art of
 * Computer Programming, vol. 3, 5.2.3). Of two nodes with one key the one with the lower `order`
 * comes first, so that a simulated world replays exactly. A node that is in no heap needs no init:
 * the caller knows which are in one. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;    /* the caller sets both before heap_add and leaves them as they are until */
    uint64_t order; /* heap_remove */
    struct heap_node *left, *right, *up;
    uint32_t rank; /* nodes on the way to the nearest one that lacks a child */
};

/* A zeroed heap is empty. */
struct heap {
    struct heap_node *root; /* the first node; NULL = empty */
};

/* The object of type `type` whose member `member` is the node. */
#define HEAP_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Adds a node that is in no heap. */
void heap_add(struct heap *heap, struct heap_node *node);
/* Removes a node that is in this heap. */
void heap_remove(struct heap *heap, struct heap_node *node);
/* All nodes, the first one first and the others in no order: NULL begins, and NULL ends. */
struct heap_node *heap_walk(const struct heap *heap, const struct heap_node *node);

#endif
