/* An arena for each test, which frees all its memory at the end. The test's file says ARENA_LIMIT
 * before it includes this. */
#ifndef UNIT_ARENA_KIT_H
#define UNIT_ARENA_KIT_H

#include "base/arena.h"
#include "base/memory.h"

static struct arena arena;

static int arena_kit_start(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_LIMIT);
    return 0;
}

static int arena_kit_finish(void **state)
{
    (void)state;
    arena_done(&arena);
    return memory_live() == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_kit_start, arena_kit_finish)

#endif
