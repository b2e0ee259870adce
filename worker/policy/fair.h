/* Whose turn it is among requests that wait for one thing (a target). Each line has three classes;
 * a class has a ring of tenants, a tenant a ring of partitions, a partition its requests in their
 * order. Costs and shares are in tokens.
 *
 * Rings share by weight: a tenant of weight 2 gets twice the tokens of one of weight 1, as deficit
 * round robin would give it, but without rounds: each member has the tag at which its first request
 * would be finished if all waiting members were served at once, and the lowest tag is next
 * (self-clocked fair queueing: S. J. Golestani, INFOCOM 1994). So a request of a quiet tenant waits
 * for about one request of its own cost from each other waiting tenant, however many they have, and
 * a step takes O(log n) whatever the costs. A member that comes begins at the tag of the request
 * taken last, which no tag of a member that has gone exceeds: so members without waiting requests
 * are forgotten at once, and none gains by leaving and coming again.
 *
 * High comes before normal, normal before low. While normal ones wait they get at least 15 % of the
 * tokens, low ones 5 %: each waiting class saves up this part of all that is taken and goes first
 * when its first request is covered.
 *
 * A request that comes back and was not billed (refused, or never begun) goes to the front of its
 * partition, and its tenant is next in its class. Pure: no time, and nothing fails after
 * fair_pool_init. */
#ifndef POLICY_FAIR_H
#define POLICY_FAIR_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/slice.h"
#include "policy/tenants.h"

#define FAIR_WEIGHT_MAX TENANT_WEIGHT_MAX
#define FAIR_COST_MAX   10000000 /* tokens; larger costs count as this */

/* In the order of calls. */
enum fair_class { FAIR_HIGH, FAIR_NORMAL, FAIR_LOW, FAIR_CLASSES };

/* A request; lies in its job. The caller sets the first members and leaves them as they are while
 * it waits. */
struct fair_entry {
    enum fair_class class;
    uint32_t weight;     /* of its tenant, 1 to FAIR_WEIGHT_MAX; the last one that came counts */
    struct slice tenant; /* borrowed */
    uint64_t partition;  /* any number that names it */
    uint64_t cost;       /* expected tokens, at least 1 */
    bool is_unbilled;    /* it was taken; the caller clears this when it is billed */
    uint64_t saved;      /* what its turn took of its class's savings */
    struct link link;    /* in its queue; needs link_init */
    struct fair_queue *queue; /* NULL = it does not wait */
    struct heap_node sorted;  /* of a fair_walk */
};

struct fair_ring {
    struct heap heap;
    int64_t tag; /* of the request taken last */
};

/* A zeroed line is empty. */
struct fair_line {
    struct {
        struct fair_ring tenants;
        uint32_t waiting;
        uint32_t tenant_count; /* that have waiting requests */
        uint64_t saved;        /* hundredths of tokens that it may take before its turn */
    } classes[FAIR_CLASSES];
};

/* The tenants and partitions with waiting requests of all lines. */
struct fair_pool {
    struct fair_tenant *tenants;
    struct fair_queue *queues;
    struct link free_tenants, free_queues;
    struct link *tenant_buckets, *queue_buckets; /* mask + 1 of each */
    size_t mask;
    uint64_t seed;
    uint64_t order; /* counts those that came */
};

/* Bytes that the pool holds for each entry, at most. */
#define FAIR_BYTES_PER_ENTRY 512

/* A pool for up to `entries` that wait at a time. ERR_NO_MEMORY; fair_pool_done is due in any case.
 */
MUST_CHECK enum err fair_pool_init(struct fair_pool *pool, size_t entries, uint64_t seed);
void fair_pool_done(struct fair_pool *pool);

/* Adds an entry that does not wait: at the end of its partition, or at the front. */
void fair_add(struct fair_pool *pool, struct fair_line *line, struct fair_entry *entry,
              bool at_front);
/* Removes a waiting entry that was not its turn. */
void fair_remove(struct fair_pool *pool, struct fair_line *line, struct fair_entry *entry);
/* The entry whose turn it is, which goes on waiting; NULL = none waits. */
struct fair_entry *fair_next(const struct fair_line *line);
/* Removes a waiting entry and charges its tenant. */
void fair_take(struct fair_pool *pool, struct fair_line *line, struct fair_entry *entry);

/* The waiting entries in the order of their turns, if none comes. One walk at a time; meanwhile
 * only entries that it has returned may be removed or added. Takes O(log n) steps for each. */
struct fair_walk {
    struct heap sorted[FAIR_CLASSES];
    uint64_t saved[FAIR_CLASSES];
};
void fair_walk_begin(const struct fair_line *line, struct fair_walk *ret_walk);
/* NULL: these were all. */
struct fair_entry *fair_walk_next(struct fair_walk *walk);

/* About how many waiting requests would be before a request of this tenant that is added now, at
 * the end: those of higher classes, and one of each tenant, or all if its tenant waits, too. */
uint32_t fair_ahead(const struct fair_pool *pool, const struct fair_line *line,
                    enum fair_class class, struct slice tenant);

/* How many waiting requests are before this one in that order. CHECKs that the entry waits. */
struct fair_place {
    uint32_t own;    /* of its tenant, in its class */
    uint32_t others; /* of other tenants, and of other classes */
};
struct fair_place fair_place_of(const struct fair_line *line, const struct fair_entry *entry);

#endif
