/* An arena: memory that its owner frees all at once, such as the memory of one request. It takes
 * blocks from the heap (base/memory.h), the first of ARENA_BLOCK_MIN bytes, and never more than its
 * limit in all. What it hands out is zeroed, aligned for any type, and valid until the next reset,
 * wipe, rewind or done. Allocations fail when the limit or the heap is exhausted. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/slice.h"

#define ARENA_BLOCK_MIN 1024 /* bytes */

struct arena_block;

struct arena {
    struct arena_block *last;
    size_t held;  /* bytes taken from the heap, block heads included */
    size_t limit; /* most bytes that `held` may reach */
};

/* Makes an empty arena that takes nothing from the heap yet. */
void arena_init(struct arena *arena, size_t limit);
/* Frees all memory. The arena may be used again. */
void arena_done(struct arena *arena);
/* Frees all memory and keeps no block. */
void arena_reset(struct arena *arena);
/* Overwrites all memory with zeroes, then frees it: for secrets. */
void arena_wipe(struct arena *arena);
/* Frees all memory except the last block, if that has at most `keep_max` bytes; the kept block is
 * zeroed. For owners that use the arena again at once. */
void arena_rewind(struct arena *arena, size_t keep_max);
/* Ensures that the next allocations, of `size` bytes together, come from one block. False when the
 * limit or the heap is exhausted. */
MUST_CHECK bool arena_reserve(struct arena *arena, size_t size);
/* Returns `size` zeroed bytes, or NULL when the limit or the heap is exhausted. A size of 0 gives a
 * valid pointer. */
MUST_CHECK void *arena_new(struct arena *arena, size_t size);
/* Returns `count` zeroed elements of `size` bytes. NULL also when the product overflows. */
MUST_CHECK void *arena_new_array(struct arena *arena, size_t count, size_t size);
/* Copies `s` and appends a NUL that the length does not count. The null slice stays null. False
 * when the limit or the heap is exhausted; *ret_copy is then unchanged. */
MUST_CHECK bool arena_copy(struct arena *arena, struct slice s, struct slice *ret_copy);

#endif
