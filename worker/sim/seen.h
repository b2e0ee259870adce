/* How often each conversation was asked: what makes chance depend on the prompt and the attempt,
 * not on the order in which calls happen to arrive, so that a run can be repeated. A table of fixed
 * size; when a neighbourhood is full the oldest entry there is forgotten. */
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

MUST_CHECK enum err seen_init(struct seen *seen);
void seen_done(struct seen *seen);
/* Counts one more call; returns how many there were before. */
uint64_t seen_again(struct seen *seen, uint64_t hash);

#endif
