/* The heap of the worker's own code. Every allocation may return NULL; none aborts. Tests make the
 * n-th allocation fail and count what is not freed. Libraries (curl, librdkafka, libuv) use their
 * own allocator. Any thread may call. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Returns `size` > 0 zeroed bytes for memory_free, or NULL. */
MUST_CHECK void *memory_new(size_t size);
/* As realloc, with `size` > 0: the added bytes are not zeroed, and NULL leaves `old` as it is. */
MUST_CHECK void *memory_resize(void *old, size_t size);
/* NULL is fine. */
void memory_free(void *ptr);

/* For tests: `count` more allocations of this thread succeed, every later one fails. -1: none
 * fails. */
void memory_fail_after(int64_t count);
/* For tests: the number of blocks that the whole process has allocated and not freed. */
int64_t memory_live(void);

#endif
