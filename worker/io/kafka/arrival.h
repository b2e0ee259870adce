/* How a worker gets into its group, and what the log says of it: that it waits for others, that it
 * has partitions and is ready, or that it got none. Pure.
 *
 * The coordinator answers a JoinGroup only when all known members have joined again or their
 * sessions have ended (KIP-62), and on an empty group after group.initial.rebalance.delay.ms. A
 * member that comes to a full group first gets no partition and, in a second rebalance, those that
 * others give up (KIP-429). */
#ifndef IO_KAFKA_ARRIVAL_H
#define IO_KAFKA_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#define ARRIVAL_WAIT_MS  2000  /* a JoinGroup without its answer is worth a line then, */
#define ARRIVAL_AGAIN_MS 30000 /* and again so much later */
/* From the join until it is said that there is no partition: longer than heartbeats, which begin a
 * second rebalance. */
#define ARRIVAL_NONE_MS 5000

/* Zeroed at the start. */
struct arrival {
    int64_t join_since_ms, join_due_ms; /* 0 = no JoinGroup is under way */
    int64_t joined_ms;                  /* 0 = not yet */
    bool is_ready, is_none_said;
};

/* What a look sees. */
struct arrival_look {
    bool is_joining;     /* a JoinGroup or SyncGroup has no answer */
    bool has_brokers;    /* one can be reached; the log says it otherwise */
    bool has_joined;     /* there was an assignment, empty or not */
    uint32_t partitions; /* assigned, and read from */
    uint32_t waiting;    /* assigned, and not read from yet: other lines say why */
};

/* What to log. */
enum arrival_news {
    ARRIVAL_NO_NEWS,
    ARRIVAL_WAITS,      /* without partitions, for the group */
    ARRIVAL_REBALANCES, /* with partitions */
    ARRIVAL_NONE,       /* joined, and the group gave no partition */
    ARRIVAL_READY,      /* the first partitions */
};

/* Takes note of a look; at most one piece of news each time. ARRIVAL_READY comes once. */
enum arrival_news arrival_note(struct arrival *arrival, const struct arrival_look *look,
                               int64_t now_ms);
/* How long the JoinGroup under way has had no answer. */
int64_t arrival_waited_ms(const struct arrival *arrival, int64_t now_ms);

#endif
