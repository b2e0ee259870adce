/* The engine: the worker's work without input and output. app makes it from an engine_config and a
 * table of commands (ports.h); io sends it events. It owns jobs, ledgers, targets and the open
 * batch, all sized at birth from the limits. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/ports.h"
#include "policy/quota_row.h"
#include "policy/retry.h"
#include "policy/tenants.h"
#include "telemetry/metrics.h"
#include "telemetry/trace/spans.h"
#include "wire/bedrock/dialects.h"
#include "wire/chat/catalog.h"

/* The most configurations that requests may have been read with at a time. */
#define ENGINE_TERMS_MAX 8

enum ordering { ORDERING_KEY, ORDERING_PARTITION, ORDERING_NONE };

/* The engine borrows everything here for its life; what engine_reload changes, until
 * engine_uses_terms says no. */
struct engine_config {
    struct catalog catalog;
    const struct dialects *dialects; /* NULL = those of this version */
    struct output_context output;
    const struct price_table *prices;  /* what tokens cost; NULL = records have no cost */
    const struct slice *reply_allowed; /* globs */
    size_t reply_allowed_count;
    const struct slice *request_topics; /* the topics of requests; never reply topics */
    size_t request_topic_count;
    uint32_t identity_count;   /* as whom calls are signed: 0 is the default, the catalog's aliases
                                  name others; 0 = 1 */
    struct slice region;       /* for requests that name none */
    struct slice endpoint_url; /* null = AWS's endpoint of the region */
    bool fips, dual_stack;
    struct slice user_agent;       /* bedrock-worker/1.2.3 */
    struct slice transactional_id; /* for log lines */
    enum ordering ordering;
    enum start { START_AUTO, START_EARLIEST, START_LATEST } start; /* engine/beginning.h */
    bool exactly_once; /* false: at_least_once: cuts results as soon as the committer is free */
    bool write_ahead;  /* a call begins after the commit that records it as begun: engine/mark.h */
    bool send_dead_letters, send_error_responses;
    uint32_t max_in_flight, max_held;
    uint64_t max_held_bytes, max_request_bytes, max_answer_bytes;
    uint32_t max_begun;
    uint32_t batch_results_max; /* results in one cut */
    uint64_t batch_bytes_max;
    int64_t commit_interval_ms, drain_timeout_ms;
    int64_t stall_ms;     /* half of session.timeout.ms */
    int64_t heartbeat_ms; /* heartbeat.interval.ms: the group reports a lost membership within it */
    int64_t keep_lost_ms; /* how long the shelf keeps what lost partitions had; 0 = there is none */
    size_t offset_map_bytes_max; /* 4096 unless the broker's offset.metadata.max.bytes differs */
    struct retry_settings retry;
    struct tenant_table tenants;
    double start_per_second;  /* calls of a target with an unknown quota: policy/quota.h */
    struct quota_rows quotas; /* what is known of quotas; the first row that fits counts */
    uint64_t seed;            /* for jitter, call ids and hashes */
    struct metrics *metrics;  /* where the engine counts; NULL = it does not */
    struct spans *spans;      /* where it puts spans; NULL = it makes none */
};

/* Makes an engine; NULL: no memory. Copies config and ports, but not what they point to. `now_ms`
 * is monotonic, `wall_ms` Unix time. CHECKs that the limits are above 0. */
struct engine *engine_new(const struct engine_config *config, const struct ports *ports,
                          int64_t now_ms, int64_t wall_ms);
/* Changes what may change while the engine runs: catalog, reply_allowed, retry, prices, tenants,
 * start_per_second (of new targets), quotas, commit_interval_ms and the output's echo_headers; it
 * looks at nothing else of `config`. They hold for requests taken from now on; those taken earlier
 * keep what they were read with, but quotas hold at once. So `config`'s lists are borrowed while
 * engine_uses_terms(*ret_number). The first terms have number 0. False: requests hold
 * ENGINE_TERMS_MAX terms; try again later. */
MUST_CHECK bool engine_reload(struct engine *engine, const struct engine_config *config,
                              uint32_t *ret_number);
/* Whether these terms are the present ones or those of a request. */
bool engine_uses_terms(const struct engine *engine, uint32_t number);

/* Frees the engine with everything it owns; NULL is allowed. Sends no commands. */
void engine_free(struct engine *engine);
/* The most bytes that the engine can hold; the worker logs it at start. */
uint64_t engine_memory_bound(const struct engine_config *config);
/* The part of it that calls hold: their requests and the answers that they receive. */
uint64_t engine_calls_memory_bound(const struct engine_config *config);

/* Sets the gauges in engine_config.metrics, for one scrape. */
void engine_meter_gauges(struct engine *engine);

/* Appends members of a JSON object that say how the worker stands, for the status page
 * (engine/status.c): headline, requests, calls, waits, targets, partitions, minutes. Costs a step
 * for each held request, target and partition. No keys, prompts or answers. */
void engine_status(struct engine *engine, struct buf *ret_json);
/* Appends the headline alone. */
void engine_headline(struct engine *engine, struct buf *ret_text);

/* A question for engine_explain. */
struct explain_query {
    enum { EXPLAIN_ID, EXPLAIN_POSITION, EXPLAIN_KEY } kind;
    struct slice text; /* request id, topic, or key */
    int32_t partition; /* EXPLAIN_POSITION */
    int64_t offset;    /* likewise */
};
/* Appends a JSON object that says why the requests of this question wait (engine/explain.h). */
void engine_explain(struct engine *engine, const struct explain_query *query, struct buf *ret_json);

/* For progress lines and tests. */
struct engine_stats {
    uint64_t taken, answered, failed; /* requests; failed = answered with an error */
    uint64_t calls;                   /* begun */
    uint64_t throttled;               /* ended by throttling */
    uint64_t retries;                 /* begun, second and later calls of a request */
    uint64_t commits, aborts;
    uint32_t held, calling; /* requests, and of these those with an open call */
    uint64_t held_bytes;
    size_t partitions;
};
/* Fills *ret_stats with the counts since birth and the present state. */
void engine_stats(const struct engine *engine, struct engine_stats *ret_stats);

#endif
