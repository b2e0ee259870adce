/* "Did you mean": the nearest of the names that are offered, for words to people. Near is at most a
 * third of the name changed (letters added, dropped, exchanged or swapped); case, `_` and `-` do
 * not count. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/slice.h"

#define SUGGEST_NAME_MAX 64 /* bytes; longer names are near to nothing */

struct suggest {
    struct slice name;    /* what was written */
    struct slice nearest; /* of those offered; null = none is near. Borrowed */
    size_t distance;      /* of it */
};

void suggest_init(struct suggest *suggest, struct slice name);
void suggest_offer(struct suggest *suggest, struct slice candidate);

#endif
