/* The only door to the heap for the floors base to engine. Every call may return NULL; nothing here
 * aborts. Tests make the n-th allocation fail (torture). Not for io's libraries, which bring their
 * own. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

MUST_CHECK void *memory_new(size_t size);               /* zeroed; size > 0 */
MUST_CHECK void *memory_resize(void *old, size_t size); /* as realloc; the new part is not zeroed */
void memory_free(void *ptr);                            /* NULL is fine */

/* Tests: let `count` allocations of this thread pass, then fail one and every later one; -1 = never
 * fail. */
void memory_fail_after(int64_t count);
/* Blocks that are allocated and not freed, of the whole process. */
int64_t memory_live(void);

#endif
