/* A seeded generator (xoshiro256**), for jitter, identifiers and simulated worlds; not for secrets.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* any seed, 0 too (SplitMix64 fills the state) */
void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Even in [0, below); below > 0. */
uint64_t random_below(struct random *random, uint64_t below);

#endif
