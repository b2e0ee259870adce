/* Counts the calls of each conversation, so that random decisions depend on the prompt and the
 * attempt and not on the order in which calls arrive, and a run can be repeated. A hash table of
 * fixed size; when a neighbourhood is full, its oldest entry is overwritten. */
#ifndef SIM_SEEN_H
#define SIM_SEEN_H

#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define SEEN_ENTRIES    (1 << 17)
#define SEEN_NEIGHBOURS 16

struct seen_entry {
    uint64_t hash; /* 0 = free */
    uint32_t count;
    uint32_t turn; /* of its last call */
};

struct seen {
    struct seen_entry *entries;
    uint32_t turn;
};

/* Makes an empty table. ERR_NO_MEMORY. */
MUST_CHECK enum err seen_init(struct seen *seen);
void seen_done(struct seen *seen);
/* Counts a call of the conversation with this hash; returns how many there were before. */
uint64_t seen_again(struct seen *seen, uint64_t hash);

#endif
