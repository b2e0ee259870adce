/* The engine's edge: everything that goes in (events, functions of the engine) and everything that
 * comes out (commands, a table of function pointers). io sees the engine through this file alone.
 *
 * Rules. One thread: all calls are made by the loop thread. Commands never call back into the
 * engine: they queue, and their results come as events in a later step of the loop. Events may
 * issue commands. What comes late (an older epoch, generation or ticket) is dropped by the engine
 * in silence. Times are milliseconds; monotonic unless the name says wall. Slices given to an event
 * are borrowed for its duration; slices given to a command are borrowed as its comment says.
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

#define PARTITIONS_MAX                                                                             \
    4096 /* assigned to one worker at once: slots are 0 .. PARTITIONS_MAX - 1                      \
          */

/* One tenure of one partition: a slot that io chose, and an epoch that is never used twice in this
 * process. */
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

/* What one batch says of one partition. */
struct batch_offset {
    struct tenure tenure;
    struct slice topic;
    int32_t partition;
    int64_t offset;        /* next offset to consume: the front */
    struct slice metadata; /* the offset map; ASCII */
};

/* One cut. Everything is borrowed until engine_batch_ended. */
struct batch {
    uint64_t id; /* from 1, rising */
    struct output *const *outputs;
    size_t output_count;
    const struct batch_offset
        *offsets; /* one per touched partition; may be 0 when only usage of lost tenures goes out */
    size_t offset_count;
    bool is_last; /* at_least_once: commit the offsets at once, nothing follows soon */
};

enum batch_outcome {
    BATCH_COMMITTED,   /* a clean commit */
    BATCH_ABORTED,     /* a clean abort, by a passing cause: same records again later */
    BATCH_REFUSED,     /* a clean abort: the broker (or librdkafka) refused records for good */
    BATCH_GENERATION,  /* a clean abort: ILLEGAL_GENERATION; fresh metadata may do */
    BATCH_MEMBER_GONE, /* a clean abort: UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID */
    BATCH_UNKNOWN,     /* anything else; a new producer is ready, so stable reads tell the truth */
    BATCH_FENCED,      /* as BATCH_UNKNOWN, and the cause was fencing */
};

struct batch_end {
    uint64_t id;
    enum batch_outcome outcome;
    /* BATCH_REFUSED: so many records; with ERR_TOO_LARGE and ERR_INVALID those beside a bad one are
     * refused with it */
    size_t refused;
    size_t blame; /* the first of them: index into outputs */
    /* ERR_TOO_LARGE, ERR_NOT_FOUND (topic or partition), ERR_NOT_ALLOWED, ERR_INVALID */
    enum err blame_err;
    bool was_time;       /* BATCH_ABORTED: it took too long; a smaller batch may do */
    struct slice reason; /* words for the log; no data */
};

/* How an exchange ended. The head and the body bytes came before. */
struct call_end {
    /* OK: a whole HTTP answer; ERR_CONNECTION, ERR_TIMEOUT, ERR_TOO_LARGE (head), ERR_BAD_ANSWER
     * (not HTTP), ERR_BROKEN_STREAM (closed before its declared length) */
    enum err err;
    bool was_sent;      /* any byte of the request may have reached the service: it may bill */
    struct slice words; /* for people: "connection refused by 127.0.0.1:9000"; no data */
};

/* ---- Commands: what the engine asks of io. `self` is the first argument of each. ---- */
struct ports {
    void *self;

    /* Opens an exchange. `request` is borrowed until engine_call_ended or call_cancel. */
    void (*call_start)(void *self, struct call_ref call, const struct http_request *request);
    /* Breaks it off. No event of this call follows. True: a byte of the request may have reached
     * the service, as call_end.was_sent. */
    bool (*call_cancel)(void *self, struct call_ref call);

    /* The credentials were refused as old: look for new ones now. Answered by engine_credentials;
     * more often than about once a second it changes nothing. */
    void (*credentials_refresh)(void *self);

    /* Reads offset + metadata of one partition, stable (no transaction pending on it),
     * asynchronously; answered by engine_offsets_read with the same ticket. Must reflect every
     * batch that has ended before. io retries nothing: an unstable or failed read is an event, too.
     */
    void (*offsets_read)(void *self, struct tenure tenure, uint32_t ticket);
    /* Asks for the log's first and end offset; answered by engine_watermarks_read. */
    void (*watermarks_read)(void *self, struct tenure tenure);
    /* Begin (or begin again) to fetch at `offset`; -2 = at the log's start. */
    void (*partition_start)(void *self, struct tenure tenure, int64_t offset);
    /* The engine has done with a revoked partition: it may be unassigned. */
    void (*partition_release)(void *self, struct tenure tenure);

    /* The consumer's group metadata, serialized, as of now; appended to ret_metadata. Nothing is
     * appended when the member id is empty or the assignment is lost: then nothing may be
     * committed. */
    void (*membership)(void *self, struct buf *ret_metadata);
    /* Publishes a batch, with the group metadata as of this very call; answered by
     * engine_batch_ended. One at a time. */
    void (*batch_commit)(void *self, const struct batch *batch);

    /* Does this topic exist, and with how many partitions? Answered by engine_topic_found. The name
     * is copied. */
    void (*topic_look_up)(void *self, struct slice topic, uint32_t ticket);
    /* Sends a chunk at once, outside transactions; takes ownership of `chunk`. A refusal comes as
     * engine_chunk_refused. */
    void (*chunk_send)(void *self, struct call_ref call, struct output *chunk);

    void (*log)(void *self, enum log_event event, const struct log_field *fields, size_t count);
    /* The engine has finished: after engine_stop when all is drained, or when it must not go on
     * (exit_code 1). Once. */
    void (*ended)(void *self, int exit_code);
};

/* ---- Events: what io tells the engine. ---- */
struct engine;

/* The time of this turn of the loop; first thing in every turn. */
void engine_time(struct engine *engine, int64_t now_ms, int64_t wall_ms);
/* Last thing in every turn: starts calls, cuts batches, fires timers. Returns the monotonic time of
 * the next turn that is needed even when nothing happens (at most 1 s away). */
int64_t engine_turn(struct engine *engine);

/* Kafka: the group. `topic` is borrowed for the call. */
void engine_partition_assigned(struct engine *engine, struct tenure tenure, struct slice topic,
                               int32_t partition);
/* Graceful: answered by partition_release when its calls have ended and their results are
 * committed. */
void engine_partition_revoked(struct engine *engine, struct tenure tenure);
/* Not ours any more: dropped at once; no answer. */
void engine_partition_lost(struct engine *engine, struct tenure tenure);
/* err OK: offset -1 = none committed; ERR_UNSTABLE, ERR_IO: nothing known, ask again later. */
void engine_offsets_read(struct engine *engine, struct tenure tenure, uint32_t ticket, enum err err,
                         int64_t offset, struct slice metadata);
void engine_watermarks_read(struct engine *engine, struct tenure tenure, enum err err, int64_t low,
                            int64_t high);
/* The broker does not have the offset that was asked for (auto.offset.reset=error). */
void engine_partition_out_of_range(struct engine *engine, struct tenure tenure);

/* Kafka: records. How many records of this partition may be handed over now; 0 = leave them in the
 * queue (ask again after every turn). */
size_t engine_room(struct engine *engine, struct tenure tenure);
void engine_record(struct engine *engine, struct tenure tenure, const struct record *record);
/* The end of the log was reached; the next record will have `position` or a higher offset. */
void engine_partition_end(struct engine *engine, struct tenure tenure, int64_t position);

/* Kafka: publishing. */
void engine_batch_ended(struct engine *engine, const struct batch_end *end);
/* OK and partitions > 0, ERR_NOT_FOUND, ERR_NOT_ALLOWED, or ERR_IO (not known now). */
void engine_topic_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions);
void engine_chunk_refused(struct engine *engine, struct call_ref call);

/* Bedrock. The head comes once and whole (last one after any 100-continue); body bytes follow as
 * they are heard. */
void engine_call_head(struct engine *engine, struct call_ref call, int status, struct slice head);
void engine_call_body(struct engine *engine, struct call_ref call, struct slice bytes);
void engine_call_ended(struct engine *engine, struct call_ref call, const struct call_end *end);

/* The credentials that there are now (copied), told after every look for them, also when they are
 * the same as before. NULL = none usable now, `reason` says why (copied): no call is begun until
 * there are some. */
void engine_credentials(struct engine *engine, const struct credentials *credentials,
                        struct slice reason);

/* Begin to stop: no intake, no new calls; calls under way finish within the drain time-out; then
 * `ended`. */
void engine_stop(struct engine *engine);

#endif
