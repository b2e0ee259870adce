/* The records that go out, one encoder each (records.md): response, chunk, usage, dead letter. An
 * output owns all its bytes, because it outlives the job's arena: it waits for a batch, and through
 * aborts for the next. */
#ifndef WIRE_OUTPUTS_OUTPUT_H
#define WIRE_OUTPUTS_OUTPUT_H

#include "base/buf.h"
#include "base/list.h"
#include "base/money.h"
#include "base/uuid.h"
#include "wire/chat/answer.h"
#include "wire/formats/record.h"
#include "wire/chat/request.h"
#include "wire/formats/why.h"

enum output_kind { OUTPUT_RESPONSE, OUTPUT_USAGE, OUTPUT_LETTER, OUTPUT_CHUNK, OUTPUT_SUMS };

/* What a usage record says, for who counts what was committed. */
struct output_bill {
    struct slice model; /* of the output's value; an odd one is cut by JSON's escapes */
    const char *reason; /* why it is estimated, static; NULL = it is exact */
    int64_t input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens;
    bool is_priced, is_unpriced; /* it has a cost; it has none though there are prices */
    int64_t amount;              /* money; of its cost */
    char currency[MONEY_CURRENCY_LEN + 1];
};

struct output {
    struct link link; /* in its owner's list */
    enum output_kind kind;
    struct slice topic; /* borrowed: settings, or its own */
    int32_t partition;  /* -1 = by key */
    struct slice key;   /* may be null */
    struct slice value; /* may be null (dead letter of a tombstone) */
    const struct header *headers;
    size_t header_count;
    size_t held_bytes;  /* what it counts against delivery.max_held_bytes */
    bool is_replacing;  /* OUTPUT_USAGE: it names the record that it replaces */
    bool is_delivered;  /* under at_least_once: the broker has it, should its batch come again */
    struct buf body;    /* owns the value and the texts of our own headers; zeroed = empty */
    struct arena arena; /* owns the rest: topic of a reply, key, header list, echoed headers */
    struct output_bill bill; /* OUTPUT_USAGE */
};

void output_free(struct output *output); /* NULL is fine */

/* What all encoders need to know of the worker. Borrowed; made once by app. */
struct output_context {
    struct slice source; /* /bedrock-worker/<group id> */
    struct slice group_id;
    struct slice responses_topic, chunks_topic, usage_topic, dead_letters_topic;
    struct slice budgets_topic;       /* null = no tenant has a budget */
    const struct slice *echo_headers; /* globs */
    size_t echo_header_count;
    size_t output_bytes_max; /* limit of one output: key, value and headers together */
};

#define OUTPUT_COST_MAX 400 /* bytes of the member `cost` */

/* What a call cost, ready for its records: response and usage record say the same. */
struct output_cost {
    struct money_cost cost;
    char member[OUTPUT_COST_MAX]; /* `"cost":{…}` */
    size_t len;                   /* of it; 0 = the cost is not known */
};

/* Writes the member of ret_cost->cost. */
void output_cost_write(struct output_cost *ret_cost);

struct dialect;

/* One call that was made for a request. Records take what was called, when and how it ended
 * only from here: the next call of the request may go to another model. */
struct attempt {
    int number; /* from 1, throttled ones included */
    int status; /* HTTP; 0 = none came */
    struct uuid call;
    struct slice model, region;
    const struct api_name *api;
    char error[WHY_TYPE_MAX]; /* "" = none: Bedrock's type, else our code */
    int64_t started_wall_ms;
    int64_t duration_ms;
    int64_t first_token_ms;      /* since its start; -1 = none came, or no stream */
    char bedrock_request_id[48]; /* a UUID; "" = none came */
    char service_tier[24];       /* that served, by the answer's head or body; "" = not said */

    /* Of the caller; encoders do not read them: */
    const struct dialect *dialect; /* how the model was spoken to */
    int64_t started_ms;            /* monotonic */
    uint64_t credentials_version;  /* that the call was signed with */
    int64_t clock_offset_ms;       /* likewise */
};

struct response_facts {
    const struct record *record;
    const struct request *request;
    const struct answer *answer; /* NULL in error responses */
    const struct why *why;       /* NULL when ok */
    const struct attempt *attempts;
    size_t attempt_count;
    const struct attempt *answered; /* the one that gave the answer; NULL = the last */
    const struct output_cost *cost; /* of the answer's call; NULL or not known = not said */
    int64_t received_wall_ms, answered_wall_ms;
    /* record's timestamp to received, from 0; absent when the record has none */
    int64_t queued_ms;
    int64_t waited_ms; /* received to the last call's start, calls not counted */
    bool is_over_soft; /* the tenant has spent more than its budget's soft limit */
};

/* Which call a usage record is about. */
struct usage_facts {
    const struct record *record; /* source position; value and key are not read */
    const struct request *request;
    const struct attempt *attempt;
    const struct answer *answer; /* NULL when none was whole */
    struct usage_counts counts;
    bool final;
    /* NULL = exact; stream_cut, timeout, cancelled, no_counts, worker_lost */
    const char *estimated_reason;
    /* worker_lost: "yes" = the call was under way when the last map that names it was committed;
     * "unknown" = it may never have been made; else NULL */
    const char *begun;
    const struct output_cost *cost; /* NULL: there are no prices; not known = not said */
    int64_t wall_ms;                /* of the record; worker_lost: when that map was made */
};

/* The headers of a run's chunks: all but id and time are the same. */
struct chunk_run {
    struct header *list; /* NULL = not made */
    size_t count, bytes; /* of the list; of its names and texts, but for id and time */
    size_t id, time;     /* their places */
};

/* What names a call that a committed offset map tells as begun. */
struct lost_call_name {
    struct slice topic; /* of its request */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* of its request's record; what is below 0 counts as 0 */
    uint8_t begun;        /* the count that the map tells of its offset */
};

/* The id of the usage record (`worker_lost`) of such a call when its owner is lost: each owner
 * computes the same one, so that the first owner, should it live, can name the record as replaced.
 * The first 16 bytes of SHA-256 over group, topic, partition, offset, timestamp and count (as
 * decimal text, with a line feed between them), made a UUID of version 7 whose time is the
 * timestamp. */
void output_lost_call_id(const struct output_context *context, const struct lost_call_name *name,
                         struct uuid *ret_id);
/* A copy of a usage record that says also which record it replaces; `output` stays as it is.
 * ERR_NO_MEMORY, ERR_TOO_LARGE. */
MUST_CHECK enum err output_usage_replacing(const struct output_context *context,
                                           const struct output *output, const struct uuid *replaced,
                                           struct output **ret_output);

struct chunk_facts {
    /* NULL: the chunk has headers of its own; else it borrows the run's, which the next one
     * changes, and the record's key */
    struct chunk_run *run;
    const struct record *record;
    const struct request *request;
    const struct attempt *attempt;
    int64_t seq;
    int64_t gap;                      /* pieces that are missing before it */
    const struct stream_step *step;   /* NULL: the closing chunk of a request that ended in error */
    const struct usage_counts *usage; /* when step->has_usage */
    const struct why *why;            /* of that error, else NULL */
    /* for null keys: murmur2(id) over the chunk topic's partitions; -1 = by key */
    int32_t partition;
    int64_t wall_ms; /* of the chunk, for ce_time; 0 = not said */
};

/* Each gives a new output; ERR_NO_MEMORY or ERR_TOO_LARGE. A response goes to the request's reply
 * topic and partition, unless that is what was refused (ERR_REPLY_REFUSED): then to the settings'
 * topic. */
MUST_CHECK enum err output_response(const struct output_context *context,
                                    const struct response_facts *facts, struct output **ret_output);
MUST_CHECK enum err output_usage(const struct output_context *context,
                                 const struct usage_facts *facts, struct output **ret_output);
/* Makes the headers of a run; the list is in the arena, names and texts are borrowed.
 * ERR_NO_MEMORY. */
MUST_CHECK enum err output_chunk_run(const struct output_context *context, struct arena *arena,
                                     const struct record *record, const struct request *request,
                                     struct chunk_run *ret_run);
MUST_CHECK enum err output_chunk(const struct output_context *context,
                                 const struct chunk_facts *facts, struct output **ret_output);
/* with_value false: `bedrock-value-omitted: too large` in its place. A record that lost headers
 * since it was sent: `bedrock-headers-omitted: too large`. */
MUST_CHECK enum err output_letter(const struct output_context *context, const struct record *record,
                                  const struct why *why, int attempts, bool with_value,
                                  struct output **ret_output);

#endif
