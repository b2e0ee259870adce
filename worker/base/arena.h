/* An arena: memory of one job that is freed at once. Blocks grow from ARENA_BLOCK_MIN; the sum of
 * blocks never passes the limit. arena_reset keeps nothing. Pointers are aligned for any type and
 * stay valid until reset or done. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/slice.h"

#define ARENA_BLOCK_MIN 1024

struct arena_block;

struct arena {
    struct arena_block *last;
    size_t held; /* bytes taken from the heap */
    size_t limit;
};

void arena_init(struct arena *arena, size_t limit);
void arena_done(struct arena *arena);
void arena_reset(struct arena *arena);
/* as arena_reset, and the bytes are overwritten first: for secrets */
void arena_wipe(struct arena *arena);
/* As arena_reset, but the last block stays (its bytes zero again) unless it is larger than
 * keep_max: for objects that are used over and over. */
void arena_rewind(struct arena *arena, size_t keep_max);
/* Makes sure that `size` more bytes come out of one block; false when they cannot. */
MUST_CHECK bool arena_reserve(struct arena *arena, size_t size);
/* Zeroed memory, or NULL when the limit or the heap is exhausted. size may be 0 (a valid pointer).
 */
MUST_CHECK void *arena_new(struct arena *arena, size_t size);
/* `count` zeroed elements; the product is checked for overflow. */
MUST_CHECK void *arena_new_array(struct arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. false when out of memory. The null slice stays null. */
MUST_CHECK bool arena_copy(struct arena *arena, struct slice s, struct slice *ret_copy);

#endif
