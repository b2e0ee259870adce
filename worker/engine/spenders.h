/* Tenants with a budget, for the rooms that know them by usage records (engine/budget_records.h),
 * by sums (engine/budget_sums.h) and by their requests (engine/budgets.h). No other file includes
 * it. A tenant that has spent nothing in its span and waits for nothing is forgotten. */
#ifndef ENGINE_SPENDERS_H
#define ENGINE_SPENDERS_H

#include "engine/state.h"
#include "wire/outputs/entry.h"
#include "wire/outputs/sums.h"

#define BUCKETS      4096 /* a power of two */
#define PENDING_MAX  65536
#define KNOWN_POINTS 8
#define LOST_MAX     4096 /* records of lost calls that may be replaced yet */

/* What a tenant's records of one partition of the usage topic sum to. A tenant is a key, so that
 * nearly always there is one portion. */
struct portion {
    struct portion *next;
    int32_t partition;
    struct budget budget; /* only its spans */
};

/* A tenant with a budget. */
struct spender {
    struct link link_hash;
    struct link link_held;  /* in budgets.held, while requests wait */
    struct link link_check; /* in budgets.check, while some of them may go on */
    struct link held;       /* jobs by link */
    uint32_t users;         /* reservations and pending records */
    struct budget budget;
    struct budget_rules rules; /* as the last request or record found them */
    struct portion *portions;
    uint64_t hash;
    int64_t soft_start_ms, spent_start_ms; /* of the spans for which that was logged; -1 = none */
    size_t name_len;
    char name[];
};

/* A call whose record was made and has not been read. */
struct pending {
    struct link link;   /* in the bucket of its id, or free */
    struct entry_id id; /* of the record */
    struct spender *spender;
    int64_t amount, since_ms; /* since when it is reserved */
};

/* A record that another one may replace. */
struct lost_record {
    struct entry_id id;
    struct spender *spender;
    int64_t at_ms, amount;
    int32_t partition;
};

/* A partition of the usage topic. */
struct usage_log {
    int64_t next;      /* offset behind the last record that was read; -1 = none was */
    int64_t written;   /* the offset of the latest sums in the topic of budgets; -1 = none */
    int64_t due_ms;    /* when this worker writes them, unless another one has */
    bool is_too_large; /* its sums, which was logged */
};

/* What this worker has told the others. */
struct telling {
    struct uuid life;  /* of this process */
    int64_t number;    /* of the latest record */
    int64_t began_ms;  /* when the first was sent */
    int64_t heard_ms;  /* when one was read again last */
    int64_t sent_ms;   /* when it was sent; -1 = it has been read again */
    int64_t behind_ms; /* when the latest was sent: it has what was reserved until then */
    int64_t due_ms;    /* when the next may be sent */
    int64_t again_ms;  /* when the same is said again, so that the others do not forget it */
    uint64_t said;     /* a hash of what it says; 0 = nothing is reserved */
    struct known_point {
        int64_t sent_ms, known_ms; /* what was reserved when it was sent is known from then on */
    } points[KNOWN_POINTS];        /* a ring */
    size_t next_point;
};

struct budgets {
    struct link spenders[BUCKETS], pending[BUCKETS];
    struct link held, check, free_pending;
    struct pending *pool;
    struct lost_record *lost; /* a ring */
    size_t lost_next, spender_count, sweep_at;
    bool is_caught_up;
    int64_t check_ms;
    struct usage_log *logs; /* by partition */
    size_t log_count;
    int64_t sums_ms; /* when to look for logs whose sums are due */
    uint64_t rules;  /* tenant_budgets_hash at the start */
    struct telling telling;
    struct link peers; /* other workers: engine/reservations.c */
    uint32_t peer_count;
    int64_t known_ms; /* the others know what this worker had reserved then; -1 = nothing */
    int64_t records,
        sums;           /* usage records read until it was caught up, and sums in place of more */
    struct arena arena; /* of one record */
};

/* The budget of a tenant; NULL = it has none. */
const struct budget_rules *spender_rules(const struct tenant_table *table, struct slice tenant);
/* What these counts amount to; -1: the cost is not known in the budget's currency. */
int64_t spender_amount(const struct budget_rules *rules, const struct usage_counts *counts,
                       const struct output_cost *cost);

/* How records in the topic of budgets say an amount; and whose budget such an amount is of now:
 * NULL = another one than it was made for. */
struct sums_amount spender_said(const struct budget_rules *rules, int64_t amount);
const struct budget_rules *spender_rules_for(const struct engine *engine, struct slice tenant,
                                             const struct sums_amount *amount);

/* NULL = it is not known. `hash` is of the engine's seed. */
struct spender *spender_find(const struct budgets *budgets, struct slice tenant, uint64_t hash);
/* CHECKs that there is memory. A budget in another unit or for another span begins with nothing. */
struct spender *spender_find_or_make(struct engine *engine, struct slice tenant,
                                     const struct budget_rules *rules);
void spender_free(struct budgets *budgets, struct spender *spender);

/* Counts what a record of this partition says; negative = it is taken back. */
void spender_count_entry(struct spender *spender, int32_t partition, int64_t at_ms, int64_t amount);
/* NULL = it has nothing of this partition. */
struct portion *spender_portion(struct spender *spender, int32_t partition);
/* Remembers a record of a lost call, which another one may replace. */
void spender_keep_lost(struct budgets *budgets, const struct lost_record *lost);
/* Its held requests may go on. */
void spender_check_soon(struct budgets *budgets, struct spender *spender);

bool spender_is_over_soft(const struct engine *engine, const struct spender *spender);
/* Log, once in a span each: it is over its soft limit, if it is; it has spent its budget. */
void spender_log_soft(struct engine *engine, struct spender *spender);
void spender_log_spent(struct engine *engine, struct spender *spender);

#endif
