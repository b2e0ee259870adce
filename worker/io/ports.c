/* The engine's ports: pass its commands to the rooms of io, and the events of its calls to it. */
#include "io/kafka/tokens.h"
#include "io/parts.h"

#include "base/check.h"

void io_wake(void *self)
{
    struct io *io = self;
    atomic_store(&io->woken, true);
    (void)uv_async_send(&io->wake);
}

static void port_call_start(void *self, struct call_ref call, const struct http_request *request)
{
    http_start(((struct io *)self)->calls, call, request);
}

static bool port_call_cancel(void *self, struct call_ref call)
{
    return http_cancel(((struct io *)self)->calls, call);
}

static void port_credentials_refresh(void *self, uint32_t identity)
{
    identities_refresh(((struct io *)self)->identities, identity);
}

static void port_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    kafka_offsets_read(((struct io *)self)->offsets, tenure, ticket);
}

static void port_siblings_read(void *self, struct tenure tenure, uint32_t ticket)
{
    kafka_siblings_read(((struct io *)self)->siblings, tenure, ticket);
}

static void port_watermarks_read(void *self, struct tenure tenure)
{
    kafka_lookup_watermarks(((struct io *)self)->lookup, tenure);
}

static void port_partition_start(void *self, struct tenure tenure, int64_t offset,
                                 int32_t leader_epoch)
{
    kafka_consumer_start(((struct io *)self)->consumer, tenure, offset, leader_epoch);
}

static void port_partition_pause(void *self, struct tenure tenure)
{
    kafka_consumer_pause(((struct io *)self)->consumer, tenure);
}

/* Under at_least_once, commits the last offset of the partition first. */
static void port_partition_release(void *self, struct tenure tenure)
{
    struct io *io = self;
    if (!kafka_offsets_holds(io->offsets, tenure)) {
        kafka_consumer_release(io->consumer, tenure);
        return;
    }
    CHECK(io->release_count < PARTITIONS_MAX);
    io->releases[io->release_count++] = (struct release){.tenure = tenure, .since_ms = io->now_ms};
    kafka_offsets_commit(io->offsets);
    io_wake(io);
}

static void port_membership(void *self, struct buf *ret_metadata)
{
    kafka_consumer_membership(((struct io *)self)->consumer, ret_metadata);
}

static void port_batch_commit(void *self, const struct batch *batch)
{
    struct io *io = self;
    kafka_committer_give(io->committer, batch,
                         io->config.kafka.exactly_once ? kafka_consumer_group(io->consumer) : NULL);
}

static void port_topic_look_up(void *self, struct slice topic, uint32_t ticket)
{
    kafka_lookup_topic(((struct io *)self)->lookup, topic, ticket);
}

static bool port_chunk_send(void *self, struct call_ref call, struct output *chunk, bool is_last)
{
    return kafka_chunks_send(((struct io *)self)->chunks, call, chunk, is_last);
}

static void port_sums_send(void *self, struct output *sums)
{
    struct io *io = self;
    struct call_ref no_call = {.index = UINT32_MAX};
    if (!kafka_chunks_send(io->chunks, no_call, sums, false))
        log_sink_add(io->sink, LOG_BUDGETS_UNSENT, NULL, 0);
}

static void port_log(void *self, enum log_event event, const struct log_field *fields, size_t count)
{
    log_sink_add(((struct io *)self)->sink, event, fields, count);
}

static void port_ended(void *self, int exit_code)
{
    struct io *io = self;
    if (!io->has_ended && exit_code != 0)
        io->exit_code = exit_code;
    io->has_ended = true;
}

void io_ports_make(struct io *io)
{
    io->ports = (struct ports){
        .self = io,
        .call_start = port_call_start,
        .call_cancel = port_call_cancel,
        .credentials_refresh = port_credentials_refresh,
        .offsets_read = port_offsets_read,
        .siblings_read = port_siblings_read,
        .watermarks_read = port_watermarks_read,
        .partition_start = port_partition_start,
        .partition_pause = port_partition_pause,
        .partition_release = port_partition_release,
        .membership = port_membership,
        .batch_commit = port_batch_commit,
        .topic_look_up = port_topic_look_up,
        .chunk_send = port_chunk_send,
        .sums_send = port_sums_send,
        .log = port_log,
        .ended = port_ended,
    };
}

/* ---- the events of calls ---- */

static void on_head(void *self, struct call_ref call, int status, struct slice head)
{
    engine_call_head(((struct io *)self)->engine, call, status, head);
}

static void on_body(void *self, struct call_ref call, struct slice bytes)
{
    engine_call_body(((struct io *)self)->engine, call, bytes);
}

static void on_end(void *self, struct call_ref call, const struct call_end *end)
{
    engine_call_ended(((struct io *)self)->engine, call, end);
}

bool io_calls_make(struct io *io)
{
    struct exchange_hearer hearer = {.self = io, .head = on_head, .body = on_body, .ended = on_end};
    io->calls = http_channel_open(io->http, &hearer, io->config.http.max_in_flight);
    return io->calls != NULL;
}

/* ---- identities, and logging in to Kafka ---- */

uint32_t io_identity_count(const struct io *io)
{
    return io->config.identity_count + (io->config.kafka.auth == KAFKA_AUTH_MSK_IAM ? 1 : 0);
}

bool io_identities_make(struct io *io, struct loop_wake wake)
{
    const struct identities_config config = {
        .list = io->config.identities,
        .count = io_identity_count(io),
        .http = io->http,
        .sink = io->sink,
        .wake = wake,
        .seed = clock_seed(),
    };
    io->identities = identities_new(&config);
    return io->identities != NULL;
}

bool io_tokens_make(struct io *io)
{
    struct kafka_config *kafka = &io->config.kafka;
    if (kafka->auth == KAFKA_AUTH_MSK_IAM)
        kafka->tokens = kafka_tokens_new(kafka->auth_region);
    return kafka->auth != KAFKA_AUTH_MSK_IAM || kafka->tokens != NULL;
}

void io_tokens_step(struct io *io)
{
    struct kafka_tokens *tokens = io->config.kafka.tokens;
    char reason[SEARCH_REASON_MAX];
    uint64_t version;
    if (tokens == NULL)
        return;
    struct keys keys OWNED_BY(keys_done);
    keys_init(&keys);
    if (identities_keys(io->identities, io->config.identity_count, &keys, &version, reason))
        kafka_tokens_set(tokens, &keys.credentials, SLICE_NULL);
    else
        kafka_tokens_set(tokens, NULL, slice_of_text(reason));
}
