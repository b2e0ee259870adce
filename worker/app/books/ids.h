/* A table from ids (UUIDs) to small numbers, with a limit of its size. */
#ifndef APP_BOOKS_IDS_H
#define APP_BOOKS_IDS_H

#include "wire/outputs/entry.h"

struct ids_slot;

struct ids {
    struct ids_slot *slots; /* 2 * room */
    size_t count, room, limit;
    uint64_t seed;
};

/* An empty table of at most `limit` ids. */
void ids_init(struct ids *ids, size_t limit, uint64_t seed);
void ids_done(struct ids *ids);
/* The number of an id; NULL: it is not there. Valid until the next ids_put. */
uint32_t *ids_find(const struct ids *ids, const struct entry_id *id);
/* The number of an id, made as 0 where it is not there. NULL: the table is full, or out of memory.
 */
MUST_CHECK uint32_t *ids_put(struct ids *ids, const struct entry_id *id);

#endif
