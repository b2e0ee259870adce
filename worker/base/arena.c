#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"

#define ARENA_BLOCK_GROWTH_MAX ((size_t)256 * 1024)

struct arena_block {
    struct arena_block *before;
    size_t size; /* of `bytes` */
    size_t taken;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

void arena_done(struct arena *arena)
{
    arena_reset(arena);
}

void arena_reset(struct arena *arena)
{
    while (arena->last != NULL) {
        struct arena_block *block = arena->last;
        arena->last = block->before;
        memory_free(block);
    }
    arena->held = 0;
}

void arena_wipe(struct arena *arena)
{
    for (struct arena_block *block = arena->last; block != NULL; block = block->before)
        explicit_bzero(block->bytes, block->taken);
    arena_reset(arena);
}

void arena_rewind(struct arena *arena, size_t keep_max)
{
    struct arena_block *kept = arena->last;
    if (kept == NULL || kept->size > keep_max) {
        arena_reset(arena);
        return;
    }
    arena->last = kept->before;
    arena_reset(arena);
    memset(kept->bytes, 0, kept->taken);
    kept->taken = 0;
    kept->before = NULL;
    arena->last = kept;
    arena->held = kept->size + sizeof *kept;
}

/* Each new block is as large as all before it: the number of blocks stays small, and at most half
 * of the memory is unused. */
static bool add_block(struct arena *arena, size_t size)
{
    CHECK(arena->held <= arena->limit);
    size_t left = arena->limit - arena->held;
    if (left < sizeof(struct arena_block) || size > left - sizeof(struct arena_block))
        return false;
    size_t whole = arena->held < ARENA_BLOCK_MIN ? ARENA_BLOCK_MIN : arena->held;
    if (whole > ARENA_BLOCK_GROWTH_MAX)
        whole = ARENA_BLOCK_GROWTH_MAX;
    if (whole > left)
        whole = left;
    if (whole < size + sizeof(struct arena_block))
        whole = size + sizeof(struct arena_block);
    struct arena_block *block = memory_new(whole);
    if (block == NULL)
        return false;
    block->before = arena->last;
    block->size = whole - sizeof(struct arena_block);
    arena->last = block;
    arena->held += whole;
    return true;
}

bool arena_reserve(struct arena *arena, size_t size)
{
    return (arena->last != NULL && size <= arena->last->size - arena->last->taken) ||
           add_block(arena, size);
}

void *arena_new(struct arena *arena, size_t size)
{
    size_t step = alignof(max_align_t);
    size_t rounded;
    if (__builtin_add_overflow(size == 0 ? 1 : size, step - 1, &rounded))
        return NULL;
    rounded &= ~(step - 1);
    if (arena->last == NULL || rounded > arena->last->size - arena->last->taken)
        if (!add_block(arena, rounded))
            return NULL;
    /* Zeroed by memory_new or arena_rewind, and not handed out since. */
    void *ptr = arena->last->bytes + arena->last->taken;
    arena->last->taken += rounded;
    return ptr;
}

void *arena_new_array(struct arena *arena, size_t count, size_t size)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole))
        return NULL;
    return arena_new(arena, whole);
}

bool arena_copy(struct arena *arena, struct slice s, struct slice *ret_copy)
{
    if (s.ptr == NULL) {
        *ret_copy = SLICE_NULL;
        return true;
    }
    size_t room;
    if (__builtin_add_overflow(s.len, 1, &room))
        return false;
    char *copy = arena_new(arena, room);
    if (copy == NULL)
        return false;
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    *ret_copy = slice_of(copy, s.len);
    return true;
}
