#include "base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/check.h"

static _Atomic int64_t live;
static _Thread_local int64_t passes_left = -1;

static bool must_fail(void)
{
    if (passes_left < 0)
        return false;
    if (passes_left == 0)
        return true;
    passes_left--;
    return false;
}

void *memory_new(size_t size)
{
    CHECK(size > 0);
    if (must_fail())
        return NULL;
    void *ptr = calloc(1, size);
    if (ptr != NULL)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return ptr;
}

void *memory_resize(void *old, size_t size)
{
    CHECK(size > 0);
    if (must_fail())
        return NULL;
    void *ptr = realloc(old, size);
    if (ptr != NULL && old == NULL)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return ptr;
}

void memory_free(void *ptr)
{
    if (ptr == NULL)
        return;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(ptr);
}

void memory_fail_after(int64_t count)
{
    passes_left = count < 0 ? -1 : count;
}

int64_t memory_live(void)
{
    return atomic_load_explicit(&live, memory_order_relaxed);
}
