/* Which partitions librdkafka fetches, when the records that wait in its queues weigh too much. A
 * fetch brings at least one batch of records, and producers write batches of up to a megabyte: with
 * a backlog in a thousand partitions these are a gigabyte. Below the limit all partitions are
 * fetched, and none waits for another. Above it those whose queues hold little are closed. First to
 * be opened again, a few at a time, are those that have little to bring or nothing, which is most
 * of them in most groups; then those with a backlog, in the order of their closing, while a part of
 * the limit is free. So that each has its turn, an open one with records ends its turn after
 * FETCH_TURN_MS or FETCH_TURN_RECORDS while another one waits; what it has in its queue is fetched
 * again later. A queue weighs what it held since it was empty last, because librdkafka frees a
 * batch as a whole. Pure; units are bytes and milliseconds of one monotonic clock. */
#ifndef IO_KAFKA_FETCH_TURNS_H
#define IO_KAFKA_FETCH_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"

#define FETCH_RECORD_BESIDE 350 /* a fetched record beside its bytes: librdkafka's op. Measured */
#define FETCH_EXPECTED_MIN  65536

#define FETCH_TURN_MS       3000
#define FETCH_TURN_LEAST_MS 1000 /* the same, while those with few records wait */
#define FETCH_TURN_RECORDS  256
#define FETCH_TURN_WAIT_MS  2000 /* how long an opened one keeps the room for its first records */

enum fetch_step {
    FETCH_OPEN,
    FETCH_CLOSED_FEW, /* it has few records or none, or was not read yet */
    FETCH_CLOSED,     /* it has a backlog */
};

/* Of one partition. */
struct fetch_turn {
    struct link link; /* in the list of its step */
    enum fetch_step step;
    uint64_t awaited;    /* what it is expected to bring, until something came; 0 = it is not */
    int64_t since_ms;    /* since when it is awaited, else since when its queue has records */
    uint64_t weight;     /* of its queue */
    uint64_t heaviest;   /* the most that it weighed; 0 = it never had records */
    size_t records;      /* the most in its queue since it was empty */
    size_t record_bytes; /* as its records were lately; 0 = none yet */
    uint32_t taken;      /* records since its queue was empty */
};

/* Of all partitions. */
struct fetch_turns {
    uint64_t most;   /* the limit */
    uint64_t weight; /* of all queues; those of closed partitions are empty */
    uint64_t awaited;
    uint64_t expected; /* of a partition that never had records */
    size_t record_bytes;
    uint32_t closed;
    struct link few, behind; /* closed ones, the next to be opened first */
};

void fetch_turns_init(struct fetch_turns *turns, uint64_t most);
/* An open partition without records. */
void fetch_turn_init(struct fetch_turn *turn);
/* The partition is not fetched any more, or goes on elsewhere in its log: it is as fetch_turn_init
 * left it. */
void fetch_turn_reset(struct fetch_turns *turns, struct fetch_turn *turn);

/* A record of this size was taken from the queue of an open partition. */
void fetch_turn_take(struct fetch_turns *turns, struct fetch_turn *turn, size_t bytes);
/* The open partition was read to its end, or has failed: no record is awaited. */
void fetch_turn_await_none(struct fetch_turns *turns, struct fetch_turn *turn);
/* The queue of an open partition has `records` now, not counting the end of its log. */
void fetch_turn_weigh(struct fetch_turns *turns, struct fetch_turn *turn, size_t records,
                      int64_t now_ms);

/* Whether anything is to be closed or opened. */
static inline bool fetch_turns_are_taken(const struct fetch_turns *turns)
{
    return turns->closed > 0 || turns->weight > turns->most;
}

/* Whether a partition, weighed just now, must be closed because the limit is exceeded and it has
 * next to nothing yet. */
MUST_CHECK bool fetch_turn_must_wait(const struct fetch_turns *turns,
                                     const struct fetch_turn *turn);
/* Whether its turn is over, as another one waits. */
MUST_CHECK bool fetch_turn_is_over(const struct fetch_turns *turns, const struct fetch_turn *turn,
                                   int64_t now_ms);
/* Closes an open partition: one that was opened, or got records, and had no time for them, is the
 * next. The caller makes librdkafka forget its queue. */
void fetch_turn_end(struct fetch_turns *turns, struct fetch_turn *turn, bool has_few);
/* Opens the next partition, if there is room for what it may bring. NULL = none. */
MUST_CHECK struct fetch_turn *fetch_turns_next(struct fetch_turns *turns, int64_t now_ms);

#endif
