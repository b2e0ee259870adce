/* A seeded pseudo-random generator (xoshiro256** by Blackman and Vigna) for jitter, identifiers and
 * simulated worlds. The same seed gives the same numbers. Not for secrets. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* Any seed will do, 0 too: SplitMix64 fills the state. */
void random_init(struct random *random, uint64_t seed);
/* 64 random bits. */
uint64_t random_next(struct random *random);
/* A number from 0 to below - 1, all equally likely; `below` > 0. */
uint64_t random_below(struct random *random, uint64_t below);

#endif
