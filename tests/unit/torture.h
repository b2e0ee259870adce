/* Torture: an operation is run with its first, second, third … allocation failing (and all later
 * ones), until it passes. A failing run must report it and free everything: a leak or a crash fails
 * the test. */
#ifndef UNIT_TORTURE_H
#define UNIT_TORTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

#define TORTURE_RUNS_MAX 100000

/* The operation on its own storage, from init to done: true = it passed, false = it reported that
 * memory ran out. It asserts whatever else must hold. */
typedef bool torture_operation(void *self);

/* Needs cmocka.h included before. Returns how many allocations the operation makes when it passes.
 */
static inline int64_t torture(torture_operation *operation, void *self)
{
    for (int64_t passes = 0; passes < TORTURE_RUNS_MAX; passes++) {
        int64_t live = memory_live();
        memory_fail_after(passes);
        bool passed = operation(self);
        memory_fail_after(-1);
        assert_int_equal(memory_live(), live);
        if (passed)
            return passes;
    }
    fail_msg("the operation fails even with %d allocations", TORTURE_RUNS_MAX);
    return -1;
}

#endif
