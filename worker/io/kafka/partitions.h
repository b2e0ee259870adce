/* The partitions that are assigned to this worker: a table of slots, each used by one tenure at a
 * time. Records wait in librdkafka's queue of the partition and are taken only while the engine has
 * room for them: pausing instead would throw the prefetched ones away. librdkafka speaks up only
 * when a queue goes from empty to not empty, so `more` stays set until a queue was seen empty. */
#ifndef IO_KAFKA_PARTITIONS_H
#define IO_KAFKA_PARTITIONS_H

#include <stdatomic.h>

#include "engine/ports.h"
#include "io/kafka/log.h"

#define TOPIC_NAME_MAX 249 /* Kafka's own limit */

struct rd_kafka_queue_s;

enum part_state {
    PART_FREE,
    PART_WAITING, /* the engine knows it, and reads what was committed */
    PART_READY,   /* where to start is known; its rebalance waits for others */
    PART_RUNNING,
    PART_LEAVING, /* revoked: the engine finishes and commits */
    PART_LEFT,    /* the engine has done with it */
};

struct part {
    struct parts *parts;
    enum part_state state;
    uint32_t epoch;
    bool is_assigned;  /* librdkafka has been told */
    bool is_stopped;   /* its offset is out of range: librdkafka fetches no more */
    bool must_restart; /* at start_offset */
    char topic[TOPIC_NAME_MAX + 1];
    int32_t partition;
    int64_t start_offset;
    int64_t next_offset;            /* records below were taken before: fetched again by accident */
    struct rd_kafka_queue_s *queue; /* NULL until assigned */
    atomic_bool more;               /* the queue may hold something; set by librdkafka's threads */
};

struct parts {
    struct part *slots; /* PARTITIONS_MAX */
    size_t end;         /* no slot from here on was ever used */
    size_t cursor;      /* where the next round begins */
    uint32_t last_epoch;
    struct rd_kafka_s *client;
    struct kafka_log *log;
    struct engine *engine; /* NULL when closing: no one listens */
    void (*wake)(void *self);
    void *wake_self;
    struct header *headers; /* of the record that is handed over */
    size_t headers_room;
};

MUST_CHECK bool parts_init(struct parts *parts);
void parts_done(struct parts *parts);

/* A new tenure in state WAITING; NULL when all slots are taken or the name is no topic's. */
struct part *parts_take(struct parts *parts, const char *topic, int32_t partition);
struct part *parts_find(struct parts *parts, const char *topic, int32_t partition);
/* The part of a tenure; NULL when it is over. */
struct part *parts_at(struct parts *parts, struct tenure tenure);
struct tenure part_tenure(const struct part *part);

/* Before the partition is assigned: its records shall wait in a queue of their own. */
void part_open(struct part *part);
/* Goes on at another offset (-2 = the log's start); for a RUNNING part. */
void part_seek(struct part *part, int64_t offset);
/* It was assigned anew. */
void part_restarted(struct part *part);
void part_free(struct part *part);

/* Hands records over while there is room, in turns between the partitions. True: there are more
 * that could go at once. */
MUST_CHECK bool parts_pump(struct parts *parts);

#endif
