/* The partitions that are assigned to this worker: a table of slots, each used by one tenure at a
 * time. Records wait in librdkafka's queue of the partition, and this room takes them only while
 * the engine has room; to pause the partition instead would drop what librdkafka has fetched.
 * librdkafka signals a queue only when it becomes non-empty, so `more` stays set until the queue
 * was empty. Loop thread only, except where noted. */
#ifndef IO_KAFKA_PARTITIONS_H
#define IO_KAFKA_PARTITIONS_H

#include <stdatomic.h>

#include "engine/ports.h"
#include "io/kafka/log.h"
#include "io/kafka/still.h"
#include "io/kafka/fetch_turns.h"

#define TOPIC_NAME_MAX 249 /* Kafka's limit */

struct rd_kafka_queue_s;

enum part_state {
    PART_FREE,
    PART_WAITING, /* assigned; the engine does not know yet where to start, or withholds it */
    PART_READY,   /* its start offset is known; its rebalance waits for others, a short time */
    PART_RUNNING,
    PART_LEAVING, /* revoked; the engine finishes its requests and commits */
    PART_LEFT,    /* the engine has released it */
};

/* A partition of this worker. */
struct part {
    struct parts *parts;
    enum part_state state;
    uint32_t epoch;
    bool is_assigned;  /* in librdkafka's assignment */
    bool is_paused;    /* in librdkafka: it is assigned, and nothing is fetched */
    bool is_stopped;   /* its offset is out of range, so librdkafka has stopped fetching */
    bool must_restart; /* at start_offset */
    char topic[TOPIC_NAME_MAX + 1];
    int32_t partition;
    int64_t start_offset;
    int32_t start_epoch;
    int64_t high;        /* the log's end as the brokers said on request; -1 = not */
    int64_t next_offset; /* records below are duplicates that librdkafka fetched again */
    int64_t end_offset;  /* the last end of the log that was reached; -1 = none */
    struct still still;
    struct fetch_turn turn;         /* of a running part: whether it is fetched now */
    size_t queued;                  /* in its queue, when that was weighed last */
    bool is_only_end;               /* that was only the end of the log */
    struct rd_kafka_queue_s *queue; /* NULL until assigned */
    struct part *next;              /* in its bucket */
};

#define PART_BUCKETS   8192 /* a power of two */
#define PARTS_LOOKS    16
#define PARTS_PER_WORD 64

/* The table. */
struct parts {
    struct part *slots;    /* PARTITIONS_MAX */
    size_t end;            /* slots from here on were never used */
    size_t free_from;      /* no slot below is free */
    struct part **buckets; /* PART_BUCKETS: by topic and partition */
    /* By slot: its queue may hold something. librdkafka's threads set the bits. */
    atomic_uint_fast64_t more[PARTITIONS_MAX / PARTS_PER_WORD];
    size_t cursor;                    /* the slot where the next round begins */
    size_t look;                      /* the next of PARTS_LOOKS */
    struct tenure found_still, still; /* of this round, and of the last one; epoch 0 = none */
    bool may_restart;                 /* a part may have must_restart */
    size_t behind;                    /* the slot that parts_behind looked at last */
    struct fetch_turns turns;         /* which ones are fetched: io/kafka/fetching.h */
    size_t closing;                   /* the slot that fetching_serve looked at last */
    int64_t weigh_due_ms, turns_log_due_ms;
    uint32_t last_epoch;
    struct rd_kafka_s *client;
    struct kafka_log *log;
    struct engine *engine; /* NULL = none, when closing */
    void (*wake)(void *self);
    void *wake_self;
    struct header *headers; /* of the record that is being passed on */
    size_t headers_room;
};

/* Makes an empty table; the caller then sets client, log, engine and wake. All queues together may
 * hold some `queued_max` bytes. False: out of memory. */
MUST_CHECK bool parts_init(struct parts *parts, uint64_t queued_max);
void parts_done(struct parts *parts);

/* Begins a tenure in state PART_WAITING. NULL: all slots are in use, or the topic's name is
 * invalid.
 */
struct part *parts_take(struct parts *parts, const char *topic, int32_t partition);
/* The part of a partition; NULL when it has none. */
struct part *parts_find(struct parts *parts, const char *topic, int32_t partition);
/* The part of a tenure; NULL when it is over. */
struct part *parts_at(struct parts *parts, struct tenure tenure);
/* The tenure of a part. */
struct tenure part_tenure(const struct part *part);

/* How many parts are assigned and read from; *ret_waiting are assigned and not read from yet. */
uint32_t parts_running(const struct parts *parts, uint32_t *ret_waiting);

/* Separates the partition's queue from the consumer's. Call it before the partition is assigned. */
void part_open(struct part *part);
struct rd_kafka_topic_partition_list_s;
/* Pauses the partitions of the list, or lets them be fetched. They need not be assigned yet. */
void parts_pause(struct parts *parts, struct rd_kafka_topic_partition_list_s *list, bool pause);
/* Lets these running parts be fetched again, from where the engine has got to. */
void parts_resume(struct parts *parts, struct rd_kafka_topic_partition_list_s *list);
/* Throws away what the queue of a paused part holds; parts_resume fetches it again. */
void part_drop(struct part *part);
/* Stops fetching a running part; it waits for part_go. */
void part_hold(struct part *part);
/* Makes an assigned part that waits fetch from `offset` (-2 = the beginning of the log). */
void part_go(struct part *part, int64_t offset, int32_t leader_epoch);
/* Makes a running part continue at `offset` (-2 = the beginning of the log). With an epoch
 * librdkafka asks the broker whether its log was cut since, which an assignment does only for
 * topics that are new to it; -1 = none. */
void part_seek(struct part *part, int64_t offset, int32_t leader_epoch);
/* After the assignment: lets the broker check the epoch of its start, if there is one. */
void part_check_epoch(struct part *part);
/* The partition must be assigned again, to start at start_offset. */
static inline void part_must_restart(struct part *part)
{
    part->must_restart = part->parts->may_restart = true;
}
/* Takes note that the partition was assigned again after it had stopped. */
void part_restarted(struct part *part);
/* Ends the tenure and frees the slot. */
void part_free(struct part *part);

/* The running parts whose records wait in their queues, or that wait for their turn: librdkafka may
 * fetch no more of them then, so nothing shows how far their logs grow. Some of them each time, in
 * turns. The caller destroys the list; NULL = there are none. */
struct rd_kafka_topic_partition_list_s *parts_behind(struct parts *parts);
/* Where the logs of these ended; elements with an error say nothing. */
void parts_ends_found(struct parts *parts, const struct rd_kafka_topic_partition_list_s *ends);

/* The first slot from `from` on, and below `to`, whose queue may hold something; else `to`. */
size_t parts_next(const struct parts *parts, size_t from, size_t to);

/* Passes records to the engine while it has room, in turns between the partitions. True: there are
 * more, and room for them. */
MUST_CHECK bool parts_pump(struct parts *parts);
/* Looks at the next part of the table, so that PARTS_LOOKS looks, one round of STILL_LOOK_MS, see
 * each running part: says to the engine where its log ends, as far as fetches or parts_ends_found
 * showed it, and whether it stands still (still.h). */
void parts_look(struct parts *parts, bool has_brokers, int64_t now_ms);
/* The first part that stood still in the last round; NULL = none did. */
const struct part *parts_still(struct parts *parts);

#endif
