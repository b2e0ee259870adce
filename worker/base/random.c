#include "base/random.h"

#include "base/check.h"

static uint64_t rotate(uint64_t bits, int left)
{
    return bits << left | bits >> (64 - left);
}

void random_init(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15U;
        uint64_t mixed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
        random->state[i] = mixed ^ mixed >> 31;
    }
}

uint64_t random_next(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t below)
{
    CHECK(below > 0);
    /* The lowest 2^64 mod below values would make the small results likelier. */
    uint64_t uneven = (0 - below) % below;
    uint64_t drawn = random_next(random);
    while (drawn < uneven)
        drawn = random_next(random);
    return drawn % below;
}
