/* The engine's edge: everything that goes in (events, functions of the engine) and everything that
 * comes out (commands, a table of function pointers). io sees only this file of the engine.
 *
 * Rules. The loop thread makes all calls. Commands never call back into the engine: they queue, and
 * their results arrive as events in a later step of the loop. Events may issue commands. The engine
 * ignores late events (an older epoch, generation or ticket). Times are milliseconds; monotonic
 * unless the name says wall. The engine borrows slices of an event for its duration; io borrows
 * slices of a command as its comment says.
 */
#ifndef ENGINE_PORTS_H
#define ENGINE_PORTS_H

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/event.h"
#include "wire/formats/http.h"
#include "wire/outputs/output.h"
#include "wire/formats/record.h"
#include "wire/bedrock/sigv4.h"

/* The most partitions assigned to one worker at once; slots are 0 .. PARTITIONS_MAX - 1. */
#define PARTITIONS_MAX 4096

/* One tenure of one partition: a slot that io chose, and an epoch that is unique in this process.
 */
struct tenure {
    uint32_t slot;
    uint32_t epoch;
};

/* One HTTP exchange: index < delivery.max_in_flight, and a generation that changes with every use
 * of the index. */
struct call_ref {
    uint32_t index;
    uint32_t generation;
};

/* What the broker has of one partition: what the group committed, and what its topic is now. */
struct committed {
    int64_t offset;           /* -1 = none is committed */
    struct slice metadata;    /* the offset map; empty = none */
    int32_t leader_epoch;     /* committed beside the offset (KIP-320); -1 = unknown */
    struct slice topic_id;    /* the 16 bytes of the topic's id; empty = unknown */
    int32_t topic_partitions; /* how many partitions the topic has; 0 = unknown */
};

/* What a batch commits for one partition. */
struct batch_offset {
    struct tenure tenure;
    struct slice topic;
    int32_t partition;
    int64_t offset;        /* the next offset to consume: the front */
    int32_t leader_epoch;  /* of the last record that the map covers; -1 = unknown */
    struct slice metadata; /* the offset map; ASCII */
    uint64_t batch;        /* the batch's id, for engine_offsets_committed */
};

/* One cut. io borrows everything until engine_batch_ended. */
struct batch {
    uint64_t id; /* from 1, rising */
    struct output *const *outputs;
    size_t output_count;
    const struct batch_offset *offsets; /* one for each touched partition; none when the batch has
                                           only usage of lost tenures */
    size_t offset_count;
    bool is_last; /* at_least_once: commit the offsets at once, no batch follows soon */
};

enum batch_outcome {
    BATCH_COMMITTED,   /* a clean commit */
    BATCH_ABORTED,     /* a clean abort with a passing cause: send the same records later */
    BATCH_REFUSED,     /* a clean abort: the broker (or librdkafka) rejected records for good */
    BATCH_GENERATION,  /* a clean abort: ILLEGAL_GENERATION; new metadata may succeed */
    BATCH_MEMBER_GONE, /* a clean abort: UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID */
    BATCH_UNKNOWN,     /* anything else; a new producer is ready: stable reads show the outcome */
    BATCH_FENCED,      /* as BATCH_UNKNOWN, and the cause was fencing */
};

/* A record that the broker (or librdkafka) rejected. */
struct batch_refusal {
    size_t index; /* in outputs */
    /* ERR_TOO_LARGE, ERR_NOT_FOUND (topic or partition), ERR_NOT_ALLOWED, ERR_INVALID */
    enum err err;
    bool is_sure; /* false: the broker may have rejected it for a record that it was sent with */
    /* ERR_TOO_LARGE: what its topic takes, with the record's frame; 0 = unknown. */
    uint64_t bytes_max;
};

struct batch_end {
    uint64_t id;
    enum batch_outcome outcome;
    const struct batch_refusal *refusals; /* BATCH_REFUSED: at least one, by rising index */
    size_t refusal_count;
    /* A topic that rejected a record as too large rejects all that are at least as large: records
     * are not compressed. */
    bool do_sizes_decide;
    bool was_time;       /* BATCH_ABORTED: it took too long; a smaller batch may succeed */
    struct slice reason; /* text for the log; no data */
};

/* How an exchange ended, after its head and body bytes. */
struct call_end {
    /* OK: a whole HTTP answer; ERR_CONNECTION, ERR_TIMEOUT, ERR_TOO_LARGE (head), ERR_BAD_ANSWER
     * (not HTTP), ERR_BROKEN_STREAM (closed before its declared length) */
    enum err err;
    bool was_sent;      /* a byte of the request may have reached the service, which may bill it */
    struct slice words; /* for people: "connection refused by 127.0.0.1:9000"; no data */
};

/* ---- Commands: the engine to io. `self` is the first argument of each. ---- */
struct ports {
    void *self;

    /* Opens an exchange. io borrows `request` until engine_call_ended or call_cancel. */
    void (*call_start)(void *self, struct call_ref call, const struct http_request *request);
    /* Breaks an exchange off; no event of it follows. Returns call_end.was_sent. */
    bool (*call_cancel)(void *self, struct call_ref call);

    /* The service rejected the credentials of an identity: io looks for new ones soon, once for all
     * that ask meanwhile, and answers with engine_credentials. */
    void (*credentials_refresh)(void *self, uint32_t identity);

    /* Reads committed offset and metadata of one partition, stable (no transaction pending on it).
     * io answers with engine_offsets_read and the same ticket. The read must reflect every batch
     * that ended before. io retries nothing: an unstable or failed read is an event, too. */
    void (*offsets_read)(void *self, struct tenure tenure, uint32_t ticket);
    /* Reads the maps that the group has committed for the topic's other partitions, stable or not;
     * io answers with engine_siblings_read and the same ticket. */
    void (*siblings_read)(void *self, struct tenure tenure, uint32_t ticket);
    /* Reads the log's first and end offset; io answers with engine_watermarks_read. */
    void (*watermarks_read)(void *self, struct tenure tenure);
    /* Fetches from `offset` on, also if it fetches already; -2 = the log's start. The record before
     * it has this leader epoch or a lower one, else the log was cut; -1 = unknown. */
    void (*partition_start)(void *self, struct tenure tenure, int64_t offset, int32_t leader_epoch);
    /* Fetches nothing of the partition until the next partition_start; drops what was fetched. */
    void (*partition_pause)(void *self, struct tenure tenure);
    /* The engine is done with a revoked partition: io may unassign it. */
    void (*partition_release)(void *self, struct tenure tenure);

    /* Appends the consumer's present group metadata, serialized. Appends nothing when the member id
     * is empty or the assignment is lost: then the engine must not commit. */
    void (*membership)(void *self, struct buf *ret_metadata);
    /* Commits a batch with the group metadata of this moment; io answers with engine_batch_ended.
     * One batch at a time. */
    void (*batch_commit)(void *self, const struct batch *batch);

    /* Looks up whether a topic exists and its number of partitions; io copies the name and answers
     * with engine_topic_found. */
    void (*topic_look_up)(void *self, struct slice topic, uint32_t ticket);
    /* Sends a chunk at once, outside transactions; io owns `chunk` from now on, but its key and
     * headers are borrowed for the call. A rejection arrives
     * as engine_chunk_refused. False: the queue is full, and io does not send it; there is a little
     * more room for the last chunk of a run. */
    bool (*chunk_send)(void *self, struct call_ref call, struct output *chunk, bool is_last);

    /* Sends a record to the topic of budgets at once, outside transactions; io owns it from now on.
     * Should it be lost, the next one makes up for it. NULL where no tenant has a budget. */
    void (*sums_send)(void *self, struct output *sums);

    /* Logs an event; io borrows the fields for the call. */
    void (*log)(void *self, enum log_event event, const struct log_field *fields, size_t count);
    /* The engine has ended: with 0 or 1 after engine_stop and drain, or with 1 because it must not
     * continue. Sent once. */
    void (*ended)(void *self, int exit_code);
};

/* ---- Events: io to the engine. ---- */
struct engine;

/* Sets the time of this turn of the loop; the first event of every turn. `wall_ms` is Unix time. */
void engine_time(struct engine *engine, int64_t now_ms, int64_t wall_ms);
/* Starts calls, cuts batches, fires timers; the last event of every turn. Returns the monotonic
 * time of the next turn if no event comes before (at most 1 s away). */
int64_t engine_turn(struct engine *engine);

/* Kafka: the group. Begins a tenure in a free slot (CHECKed); copies `topic`. */
void engine_partition_assigned(struct engine *engine, struct tenure tenure, struct slice topic,
                               int32_t partition);
/* Ends a tenure gracefully: the engine sends partition_release when the calls have ended and their
 * results are committed. */
void engine_partition_revoked(struct engine *engine, struct tenure tenure);
/* Ends a tenure at once: the partition may have another owner. Sends no partition_release. */
void engine_partition_lost(struct engine *engine, struct tenure tenure);
/* Answers offsets_read. OK: `committed` is what was read (borrowed). ERR_UNSTABLE, ERR_IO: unknown,
 * and `committed` is NULL; the engine reads again later. */
void engine_offsets_read(struct engine *engine, struct tenure tenure, uint32_t ticket, enum err err,
                         const struct committed *committed);
/* Answers siblings_read. OK: offset and map of each other partition of the topic that has a
 * committed offset (borrowed; nothing else of `siblings` is set). ERR_IO: unknown; the engine asks
 * again later. */
void engine_siblings_read(struct engine *engine, struct tenure tenure, uint32_t ticket,
                          enum err err, const struct committed *siblings, size_t count);
/* Answers watermarks_read; on an error the engine asks again. */
void engine_watermarks_read(struct engine *engine, struct tenure tenure, enum err err, int64_t low,
                            int64_t high);
/* The broker does not have the offset to fetch, or not with its leader epoch: then `end` is where
 * the log was cut, or OUT_OF_RANGE_CUT where that is unknown. OUT_OF_RANGE = it was not cut, as far
 * as the broker knows. */
#define OUT_OF_RANGE     (-1)
#define OUT_OF_RANGE_CUT (-2)
void engine_partition_out_of_range(struct engine *engine, struct tenure tenure, int64_t end);

/* Where the log ended when io looked last; for metrics and pages. */
void engine_partition_high(struct engine *engine, struct tenure tenure, int64_t high);

/* Kafka: records. How many records of this partition io may hand over now; 0 = io keeps them in the
 * queue and asks again after every turn. */
size_t engine_room(struct engine *engine, struct tenure tenure);
/* Whether engine_room would be 0 for each partition. */
bool engine_is_full(const struct engine *engine);
/* io has no record of this partition in its hands now: until io asks for room again, others may use
 * most of its share. */
void engine_partition_empty(struct engine *engine, struct tenure tenure);
/* Whether the engine would take a record of this partition now and holds no request of it, so that
 * none has a reason to wait. */
bool engine_partition_is_idle(struct engine *engine, struct tenure tenure);
/* Hands over a record, for which engine_room had room; the engine copies it. */
void engine_record(struct engine *engine, struct tenure tenure, const struct record *record);
/* The fetch reached the log's end; the next record has `position` or a higher offset. */
void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position);

/* Kafka: publishing. Answers batch_commit. */
void engine_batch_ended(struct engine *engine, const struct batch_end *end);
/* at_least_once: the broker has acknowledged the offset that this batch had for the partition. */
void engine_offsets_committed(struct engine *engine, struct tenure tenure, uint64_t batch);
/* Answers topic_look_up. OK and partitions > 0, ERR_NOT_FOUND, ERR_NOT_ALLOWED, or ERR_IO (unknown
 * now). */
void engine_topic_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions);
/* The broker rejected a chunk of this call. */
void engine_chunk_refused(struct engine *engine, struct call_ref call);

/* Quotas. What a look at the group's committed offsets and the ends of its logs shows: how many
 * partitions of the request topics have lag, and how many have none. */
struct group_look {
    uint32_t mine_busy, mine_idle; /* of this worker */
    uint32_t all_busy, all_idle;   /* of the group, these included */
    /* Requests completed since the look before; negative = unknown: partitions moved in between. */
    int64_t mine_done, all_done;
};
/* Whether the engine needs such looks now, because a quota is to be shared. */
bool engine_wants_group(const struct engine *engine);
/* Hands over a look. io reports no failed one: the engine then keeps the last. */
void engine_group_looked(struct engine *engine, const struct group_look *look);

/* Budgets: place and value of a record of the usage topic; and that all records have been handed
 * over that were there when the reading began. */
void engine_usage_read(struct engine *engine, int32_t partition, int64_t offset,
                       struct slice value);
void engine_usage_caught_up(struct engine *engine);
/* The value of a record of the topic of budgets. `counts`: it stands for the usage of its partition
 * before its offset, of which no record is handed over. */
void engine_sums_read(struct engine *engine, struct slice value, bool counts);

/* Bedrock. The answer's head arrives once and whole (the last one after any 100-continue); body
 * bytes follow as io receives them. */
void engine_call_head(struct engine *engine, struct call_ref call, int status, struct slice head);
void engine_call_body(struct engine *engine, struct call_ref call, struct slice bytes);
/* The exchange ended; io forgets the call. */
void engine_call_ended(struct engine *engine, struct call_ref call, const struct call_end *end);

/* The present credentials (copied) of an identity, below engine_config.identities, after every
 * look-up, also when they did not change. NULL = none; `reason` (copied) says why, and the engine
 * begins no call as this identity until there are some. */
void engine_credentials(struct engine *engine, uint32_t identity,
                        const struct credentials *credentials, struct slice reason);

/* Begins to stop: takes no records, begins no calls; calls under way may end within the drain
 * time-out. Then the engine sends `ended`. */
void engine_stop(struct engine *engine);
/* Stops in a hurry: cancels the running calls, commits their records and what else is finished, and
 * sends `ended` within ENGINE_HURRY_MS. Needs no engine_stop before; may come after `ended`. */
#define ENGINE_HURRY_MS 600
void engine_hurry(struct engine *engine);

#endif
