/* Prices: rows that say what a million tokens cost for which models, where, in which tier and when;
 * and the exact cost of a call by them (base/money.h). A table is made once (price_table_sort) and
 * then only read; its maker owns rows and texts.
 *
 * A row's model is a glob. A call's model has up to three names: the id as it was called, the id
 * that an ARN holds, and that id without its profile's prefix (`us.`, `global.`). A row that
 * matches only an earlier name, as `us.*` does, wins over one that matches a later one; then the
 * more specific glob wins, then a row that names a region, then the one with the largest
 * context_over. Two rows that stand equal there are a mistake (price_clash_of), so one row applies
 * or none.
 */
#ifndef POLICY_PRICE_H
#define POLICY_PRICE_H

#include "base/money.h"
#include "base/slice.h"

enum price_class {
#define CLASS(id, member) PRICE_##id,
#include "policy/price.def"
#undef CLASS
    PRICE_CLASSES
};

/* The member's name; static. */
const char *price_class_name(enum price_class class);

#define PRICE_ROWS_MAX 5000
#define PRICE_NONE     (-1) /* no price, which is not a price of 0 */
#define PRICE_GLOBAL   "global"
#define PRICE_TIER     "default"
#define PRICE_ALWAYS   INT64_MIN /* from_ms */
#define PRICE_FOREVER  INT64_MAX /* to_ms */

struct price_row {
    struct slice model; /* glob, at most GLOB_COMPARED_MAX */
    struct slice
        region;        /* null = any that is not global; PRICE_GLOBAL: calls by a global profile */
    struct slice tier; /* that served */
    int64_t context_over;   /* for calls with more input, cached tokens with it; 0 = for all */
    int64_t from_ms, to_ms; /* Unix time of the call's start; to_ms is not within */
    int64_t price[PRICE_CLASSES]; /* money_price; PRICE_NONE */
    uint32_t line, column;        /* in its file */
    uint32_t letters, length; /* of the model: bytes that are no wildcards; of its shortest match */
    uint32_t stars;           /* several in a row are one */
};

struct price_table {
    struct price_row *rows; /* in the order in which they win */
    size_t count;
    char currency[MONEY_CURRENCY_LEN + 1];
    char version[MONEY_PRICES_MAX];
    uint64_t hash; /* of what it was made from; never 0 */
};

/* Counts what makes globs specific, and sorts the rows. */
void price_table_sort(struct price_table *table);

/* What is wrong with two rows. */
enum price_clash {
    PRICE_NO_CLASH,
    PRICE_OVERLAP,   /* the same models, region, tier and context at one time */
    PRICE_AMBIGUOUS, /* a model could match both, and neither is more specific */
};
enum price_clash price_clash_of(const struct price_row *a, const struct price_row *b);
/* Whether two rows have the same model, region, tier and context. */
bool price_same_key(const struct price_row *a, const struct price_row *b);

enum price_name { PRICE_AS_CALLED, PRICE_OF_ARN, PRICE_WITHOUT_PREFIX, PRICE_NAMES };

/* What was called, and when. */
struct price_query {
    struct slice names[PRICE_NAMES];
    struct slice region;
    bool is_global;       /* by a global profile */
    struct slice tier;    /* that served; empty = PRICE_TIER */
    int64_t input_tokens; /* with cached ones */
    int64_t at_ms;        /* of the call's start */
};

/* Whether the row is for this model and region at all; *ret_name is the last name that it matches.
 */
bool price_row_is_for(const struct price_row *row, const struct price_query *query,
                      enum price_name *ret_name);
/* Whether such a row applies to tier, input and time. */
bool price_row_applies(const struct price_row *row, const struct price_query *query);

#define PRICE_MEMO_SLOTS 16
#define PRICE_MEMO_ROWS  32
#define PRICE_MEMO_BYTES 384

/* The rows for the models and regions asked last: few are called, and the table may be long.
 * Zeroed = empty. */
struct price_memo {
    struct price_known {
        uint64_t table; /* its hash; 0 = free */
        bool is_global;
        size_t lens[PRICE_NAMES + 1];
        char text[PRICE_MEMO_BYTES]; /* the names, then the region */
        uint16_t count;
        uint16_t rows[PRICE_MEMO_ROWS]; /* in the order in which they win */
    } slots[PRICE_MEMO_SLOTS];
};

/* The row that applies; NULL: none. `memo` may be NULL. */
const struct price_row *price_find(const struct price_table *table, struct price_memo *memo,
                                   const struct price_query *query);

/* Tokens of a call by class of the bill. */
struct price_counts {
    int64_t input; /* with cached ones */
    int64_t output, cache_read, cache_write;
    int64_t cache_write_1h; /* of cache_write; below 0 = 0 */
};

/* Why a call has no cost. */
enum price_lack {
    PRICE_LACKS_NOTHING,
    PRICE_LACKS_ROW,
    PRICE_LACKS_CLASS,  /* *ret_class of it has tokens and no price */
    PRICE_LACKS_COUNTS, /* the counts contradict each other, or the cost exceeds 64 bits */
};

/* The cost of a call by this row (NULL: PRICE_LACKS_ROW) of the table. */
enum price_lack price_cost(const struct price_table *table, const struct price_row *row,
                           const struct price_counts *counts, struct money_cost *ret_cost,
                           enum price_class *ret_class);

#endif
