/* Exact sums of usage by key: calls, tokens and costs. Rows and keys lie in an arena with a limit,
 * and stay where they are. Counts are 64 bits (entry.h says why that is enough), costs 128. */
#ifndef APP_BOOKS_TALLY_H
#define APP_BOOKS_TALLY_H

#include "wire/outputs/entry.h"
#include "base/money.h"

#define TALLY_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* What is summed. `requests` are calls whose answer was published. */
struct sums {
    int64_t requests, calls, estimated, unpriced;
    int64_t counts[ENTRY_COUNTS];
    struct money_sum amount;
    struct money_sum recorded; /* before other prices were applied */
    struct money_sum part[ENTRY_PARTS];
};

/* Add a record, take one off again that was added, or add other sums. `has_cost`: its cost counts,
 * else the call is unpriced. */
void sums_add(struct sums *sums, const struct entry *entry, bool has_cost);
void sums_take(struct sums *sums, const struct sums *taken);
void sums_add_sums(struct sums *sums, const struct sums *added);

struct tally_row {
    struct slice key;
    struct sums sums;
    void *more; /* of the tally's user; NULL at first */
};

struct tally {
    struct arena arena;
    struct tally_row **rows; /* in the order in which they came */
    uint32_t *slots;         /* by hash: 1 + the place in `rows`; 0 = free */
    size_t count, room;      /* of rows; there are 2 * room slots */
    uint64_t seed;
};

void tally_init(struct tally *tally, size_t bytes_max, uint64_t seed);
void tally_done(struct tally *tally);
/* The row of a key, made with sums of 0 where there is none; NULL: too many rows. */
MUST_CHECK struct tally_row *tally_row_of(struct tally *tally, struct slice key);

#endif
