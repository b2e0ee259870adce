/* Rebalances of the group. Each comes as an event and is answered when the engine has done its part
 * for every partition in it, so the loop and the heartbeats run on meanwhile. They queue: each is
 * answered before the next begins, unless the assignment is lost, which overrules all.
 *
 *   assigned:  engine_partition_assigned for each, part READY for each
 *              -> incremental_assign at these offsets
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

struct kafka_rebalances {
    struct link queue; /* the first one is being answered */
    struct parts *parts;
    struct kafka_group *group;
    int64_t gone_checked_ms;
};

/* `parts` and `group` are borrowed. */
void rebalances_init(struct kafka_rebalances *rebalances, struct parts *parts,
                     struct kafka_group *group);
void rebalances_done(struct kafka_rebalances *rebalances);
/* Takes up a REBALANCE event; the caller destroys the event. */
void rebalances_add(struct kafka_rebalances *rebalances, struct rd_kafka_op_s *event);
/* Begins and answers what can be, and starts partitions again that must restart. Once a turn. */
void rebalances_serve(struct kafka_rebalances *rebalances, int64_t now_ms);
/* Every partition of this client is lost, whatever rebalance it is in. */
void rebalances_lose_all(struct kafka_rebalances *rebalances);

#endif
