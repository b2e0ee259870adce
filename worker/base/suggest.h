/* "Did you mean": finds the candidate that is nearest to a name that a user wrote, for error texts.
 * A candidate is near when at most a third of the name's letters differ (added, dropped, replaced
 * or swapped with a neighbour: Damerau-Levenshtein distance); case, `_` and `-` do not count. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/slice.h"

#define SUGGEST_NAME_MAX 64 /* bytes; longer names are not compared */

struct suggest {
    struct slice name;    /* as a user wrote it; borrowed */
    struct slice nearest; /* of the candidates; null = none is near; borrowed */
    size_t distance;      /* of `nearest` */
};

/* Begins without a candidate. */
void suggest_init(struct suggest *suggest, struct slice name);
/* Keeps `candidate` as the nearest if it is nearer than those before. */
void suggest_offer(struct suggest *suggest, struct slice candidate);

#endif
