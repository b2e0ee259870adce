/* Runs simulated worlds: `world --worlds N [--from SEED]` runs N seeds, each twice with equal
 * traces, and prints a hash of all traces, which a change that only moves code leaves unchanged;
 * `world --seed N` replays one and prints what happens, `world --pinned N` one of those in which a
 * slow model must not stop the others, `world --outages N` one of those in which a lone worker
 * loses its brokers again and again and pays nothing twice, `world --cuts N` one of those in which
 * logs are cut, `world --flood N` one of those in which tenants send more than can be called.
 * Seeds that once failed are in
 * seeds.def. */
#include "world.h"

#include <string.h>

#include "base/memory.h"

static struct world world;

static const struct {
    uint64_t seed;
    const char *story;
} SEEDS[] = {
#define SEED(number, story) {number, story},
#include "seeds.def"
#undef SEED
};

#define PINNED_WORLDS 20
#define OUTAGE_WORLDS 200
#define FLOOD_WORLDS  40
#define CUT_WORLDS    300 /* or as many as are asked for */

struct sums {
    uint64_t worlds, calls, responses, usages, lost_usages, crashes, stalls, truncations,
        recreations, outages, adopted, moved, cuts, quotas, looks, over;
    int64_t longest_ms;
    double fullest;
    int64_t virtual_ms;
    uint64_t traces; /* a sum: whatever the order of the seeds, and in how many runs */
};

static void run_twice(uint64_t seed, enum pin pin, struct sums *sums)
{
    int64_t live = memory_live();
    world_run(&world, seed, pin, false);
    uint64_t trace = world.trace;
    MUST(&world, memory_live() == live); /* nothing leaks */
    world_run(&world, seed, pin, false);
    MUST(&world, world.trace == trace); /* and nothing but the seed decides */
    sums->worlds++;
    sums->calls += world.calls;
    sums->responses += world.responses;
    sums->usages += world.usages;
    sums->lost_usages += world.lost_usages;
    sums->crashes += world.crashes;
    sums->stalls += world.stalls;
    sums->truncations += world.truncations;
    sums->recreations += world.recreations;
    sums->outages += world.outages;
    sums->adopted += world.adopted;
    sums->moved += world.moved;
    sums->cuts += world.cuts;
    sums->quotas += world.has_quotas;
    sums->looks += world.looks;
    sums->over += world.over;
    sums->longest_ms = world.longest_ms > sums->longest_ms ? world.longest_ms : sums->longest_ms;
    sums->fullest = world.fullest > sums->fullest ? world.fullest : sums->fullest;
    sums->virtual_ms += world.now_ms;
    sums->traces += trace;
}

static void print_sums(const struct sums *sums)
{
    printf("%llu worlds, each twice with equal traces: %.1f virtual hours, %llu crashes, %llu "
           "stalls, %llu outages of all brokers, %llu logs truncated, %llu recreated, %llu cut, "
           "%llu calls, %llu of them kept through a lost membership, %llu of a fallback, %llu "
           "answers, %llu usage records (%llu of "
           "calls whose worker died); %llu worlds with quotas: %llu looks at the group, %llu calls "
           "beyond a quota, the fullest minute had %.0f %% of what it may have; the longest wait "
           "without an open call was %.0f s\ntraces %016llx\n",
           (unsigned long long)sums->worlds, (double)sums->virtual_ms / 3.6e6,
           (unsigned long long)sums->crashes, (unsigned long long)sums->stalls,
           (unsigned long long)sums->outages, (unsigned long long)sums->truncations,
           (unsigned long long)sums->recreations, (unsigned long long)sums->cuts,
           (unsigned long long)sums->calls, (unsigned long long)sums->adopted,
           (unsigned long long)sums->moved, (unsigned long long)sums->responses,
           (unsigned long long)sums->usages, (unsigned long long)sums->lost_usages,
           (unsigned long long)sums->quotas, (unsigned long long)sums->looks,
           (unsigned long long)sums->over, 100 * sums->fullest, (double)sums->longest_ms / 1000,
           (unsigned long long)sums->traces);
}

static int replay(uint64_t seed, enum pin pin)
{
    world_run(&world, seed, pin, true);
    printf("seed %llu keeps all promises\n", (unsigned long long)seed);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t worlds = 2000;
    uint64_t from = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--worlds") == 0)
            worlds = number;
        else if (strcmp(argv[i], "--from") == 0)
            from = number;
        else if (strcmp(argv[i], "--seed") == 0)
            return replay(number, PIN_NONE);
        else if (strcmp(argv[i], "--outages") == 0)
            return replay(number, PIN_OUTAGES);
        else if (strcmp(argv[i], "--cuts") == 0)
            return replay(number, PIN_CUTS);
        else if (strcmp(argv[i], "--flood") == 0)
            return replay(number, PIN_FLOOD);
        else if (strcmp(argv[i], "--pinned") == 0)
            return replay(number, PIN_SLOW_MODEL);
    }
    struct sums sums = {0};
    for (size_t i = 0; i < COUNT_OF(SEEDS); i++)
        run_twice(SEEDS[i].seed, PIN_NONE, &sums);
    for (uint64_t i = 0; i < PINNED_WORLDS; i++)
        run_twice(i, PIN_SLOW_MODEL, &sums);
    for (uint64_t i = 0; i < FLOOD_WORLDS; i++)
        run_twice(i, PIN_FLOOD, &sums);
    for (uint64_t i = 0; i < OUTAGE_WORLDS; i++)
        run_twice(i, PIN_OUTAGES, &sums);
    for (uint64_t i = 0; i < (worlds < CUT_WORLDS ? worlds : CUT_WORLDS); i++)
        run_twice(from + i, PIN_CUTS, &sums);
    for (uint64_t i = 0; i < worlds; i++)
        run_twice(from + i, PIN_NONE, &sums);
    print_sums(&sums);
    return 0;
}
