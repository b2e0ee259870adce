/* Rebalances of the group (cooperative, KIP-429). librdkafka reports a rebalance as an event and
 * waits for its answer. This room answers when the engine has done its part for every partition in
 * it; loop and heartbeats run on meanwhile. Rebalances queue: each is answered before the next
 * begins. Only the loss of the assignment overrules those before it. Loop thread only.
 *
 *   assigned:  engine_partition_assigned for each; when each part is READY, or after a second
 *              -> incremental_assign of the READY ones at their offsets, the others paused; these
 *                 start when the engine says where
 *   revoked:   engine_partition_revoked for each, part LEFT for each -> incremental_unassign
 *   lost:      engine_partition_lost for each -> incremental_unassign at once
 */
#ifndef IO_KAFKA_REBALANCES_H
#define IO_KAFKA_REBALANCES_H

#include "base/list.h"
#include "io/kafka/group.h"
#include "io/kafka/partitions.h"

struct rd_kafka_op_s;
struct rd_kafka_error_s;

enum rebalance_kind { REBALANCE_ASSIGNED, REBALANCE_REVOKED, REBALANCE_LOST, REBALANCE_KINDS };

struct kafka_rebalances {
    struct link queue; /* of rebalances; the first one is running */
    struct parts *parts;
    struct kafka_group *group;
    int64_t gone_checked_ms;         /* when the membership was checked last */
    int64_t counts[REBALANCE_KINDS]; /* of rebalances that came */
    bool has_assignment;             /* one that assigns was answered, also an empty one */
};

/* Makes an empty queue. `parts` and `group` are borrowed. */
void rebalances_init(struct kafka_rebalances *rebalances, struct parts *parts,
                     struct kafka_group *group);
void rebalances_done(struct kafka_rebalances *rebalances);
/* Queues a REBALANCE event, which the caller keeps. */
void rebalances_add(struct kafka_rebalances *rebalances, struct rd_kafka_op_s *event);
/* Begins and answers rebalances. Call it once per turn. */
void rebalances_serve(struct kafka_rebalances *rebalances, int64_t now_ms);
/* Whether rebalances_serve has more to do at once: the loop must turn again. */
bool rebalances_are_beginning(struct kafka_rebalances *rebalances);
/* Whether stopped partitions must be assigned again and no rebalance is known; then
 * rebalances_restart does it, if librdkafka's queue holds no event. */
bool rebalances_must_restart(struct kafka_rebalances *rebalances);
void rebalances_restart(struct kafka_rebalances *rebalances);
/* Reports every partition as lost to the engine, because the client has failed for good. */
void rebalances_lose_all(struct kafka_rebalances *rebalances);

#endif
