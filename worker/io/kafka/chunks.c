#include "io/kafka/chunks.h"

#include <librdkafka/rdkafka.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/produce.h"
#include "io/kafka/log.h"
#include "io/kafka/tokens.h"
#include "io/loop/clock.h"

#define KEPT_BACK_PART 16   /* of the queue, for the last chunks of runs */
#define REPORTS_MS     1000 /* how long a failed client may take to report what it has */

struct kafka_chunks {
    struct kafka_log log; /* first: the client's opaque begins with it */
    const struct kafka_config *config;
    struct engine *engine;
    struct loop_wake wake;
    rd_kafka_conf_t *conf; /* what each client is made from */
    rd_kafka_t *client;
    struct kafka_handles handles;
    rd_kafka_queue_t *queue;
    int queue_max;            /* chunks */
    struct call_ref *refused; /* whose refusal waits for the next step */
    size_t refused_count, refused_room;
    uint64_t *refused_before; /* by index of a call: the last generation that was refused, + 1 */
};

_Static_assert(sizeof(uintptr_t) >= sizeof(uint64_t),
               "a call must fit into the opaque of a record");

static void *call_to_opaque(struct call_ref call)
{
    return (void *)(uintptr_t)(((uint64_t)call.generation << 32) | call.index);
}

static struct call_ref call_of_opaque(const void *opaque)
{
    uint64_t both = (uint64_t)(uintptr_t)opaque;
    return (struct call_ref){.index = (uint32_t)both, .generation = (uint32_t)(both >> 32)};
}

/* Tells the engine once of each call; the closing chunk of a request has no call. */
static void refusal_add(struct kafka_chunks *chunks, struct call_ref call)
{
    if (call.index >= chunks->config->calls_max ||
        chunks->refused_before[call.index] == (uint64_t)call.generation + 1)
        return;
    if (chunks->refused_count == chunks->refused_room) {
        size_t room = chunks->refused_room == 0 ? 64 : chunks->refused_room * 2;
        chunks->refused = memory_resize(chunks->refused, room * sizeof *chunks->refused);
        CHECK(chunks->refused != NULL);
        chunks->refused_room = room;
    }
    chunks->refused_before[call.index] = (uint64_t)call.generation + 1;
    chunks->refused[chunks->refused_count++] = call;
    chunks->wake.wake(chunks->wake.self);
}

static void refusal_log(struct kafka_chunks *chunks, int code, struct slice topic)
{
    bool is_sums = slice_equal(topic, chunks->config->budgets_topic);
    if (!kafka_log_right(&chunks->log, code, "Write", topic,
                         is_sums ? "a start reads the usage of the whole span until it is granted"
                                 : "streams have no chunks until it is granted"))
        kafka_log_add(&chunks->log, LOG_LIBRDKAFKA_LOG, "%s not delivered: %s",
                      is_sums ? "sums of budgets were" : "a chunk was",
                      rd_kafka_err2str((rd_kafka_resp_err_t)code));
}

/* librdkafka reports failures only, in the loop's thread, during rd_kafka_poll. */
static void on_delivery_failure(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct kafka_chunks *chunks = opaque;
    if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
        message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
        refusal_log(chunks, (int)message->err, slice_of_text(rd_kafka_topic_name(message->rkt)));
    refusal_add(chunks, call_of_opaque(message->_private));
}

static void chunks_woken(rd_kafka_t *client, void *opaque)
{
    (void)client;
    struct kafka_chunks *chunks = opaque;
    chunks->wake.wake(chunks->wake.self);
}

static bool conf_make(struct kafka_chunks *chunks, char *ret_error)
{
    chunks->conf = kafka_conf_new(chunks->config, KAFKA_CHUNKS, ret_error);
    if (chunks->conf == NULL)
        return false;
    rd_kafka_conf_set_opaque(chunks->conf, chunks);
    rd_kafka_conf_set_log_cb(chunks->conf, kafka_log_callback);
    rd_kafka_conf_set_dr_msg_cb(chunks->conf, on_delivery_failure);
    return true;
}

static bool client_make(struct kafka_chunks *chunks, char *ret_error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(chunks->conf);
    chunks->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, ret_error, KAFKA_ERROR_MAX);
    if (chunks->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    kafka_tokens_add(chunks->log.tokens, chunks->client);
    chunks->queue = rd_kafka_queue_get_main(chunks->client);
    rd_kafka_queue_cb_event_enable(chunks->queue, chunks_woken, chunks);
    (void)kafka_warm_up(chunks->client, chunks->config, 0);
    return true;
}

static void client_destroy(struct kafka_chunks *chunks)
{
    if (chunks->client == NULL)
        return;
    rd_kafka_queue_cb_event_enable(chunks->queue, NULL, NULL);
    rd_kafka_queue_destroy(chunks->queue);
    handles_clear(&chunks->handles);
    kafka_tokens_remove(chunks->log.tokens, chunks->client);
    rd_kafka_destroy(chunks->client);
    chunks->client = NULL;
}

struct kafka_chunks *kafka_chunks_new(const struct kafka_config *config, struct kafka_lines *lines,
                                      struct loop_wake wake, char *ret_error)
{
    struct kafka_chunks *chunks = memory_new(sizeof *chunks);
    if (chunks == NULL)
        return NULL;
    kafka_log_init(&chunks->log, lines, "chunks");
    chunks->log.tokens = config->tokens;
    chunks->config = config;
    chunks->wake = wake;
    chunks->refused_before =
        memory_new((config->calls_max + (size_t)1) * sizeof *chunks->refused_before);
    chunks->queue_max =
        (int)kafka_conf_number(config, KAFKA_CHUNKS, "queue.buffering.max.messages");
    if (chunks->refused_before != NULL && conf_make(chunks, ret_error) &&
        client_make(chunks, ret_error))
        return chunks;
    kafka_chunks_free(chunks);
    return NULL;
}

void kafka_chunks_attach(struct kafka_chunks *chunks, struct engine *engine)
{
    chunks->engine = engine;
}

static bool has_room(const struct kafka_chunks *chunks, bool is_last)
{
    return is_last || rd_kafka_outq_len(chunks->client) <
                          chunks->queue_max - chunks->queue_max / KEPT_BACK_PART;
}

bool kafka_chunks_send(struct kafka_chunks *chunks, struct call_ref call, struct output *chunk,
                       bool is_last)
{
    int code = RD_KAFKA_RESP_ERR__FATAL;
    if (chunks->client != NULL)
        code = has_room(chunks, is_last) ? kafka_produce(chunks->client, &chunks->handles, chunk,
                                                         true, call_to_opaque(call))
                                         : RD_KAFKA_RESP_ERR__QUEUE_FULL;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        refusal_log(chunks, code, chunk->topic);
    output_free(chunk);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        refusal_add(chunks, call);
    return code != RD_KAFKA_RESP_ERR__QUEUE_FULL;
}

/* Makes a client report all chunks that it still has as failed, so that their runs end: the next
 * client does not have them. */
static void client_give_up(struct kafka_chunks *chunks)
{
    int64_t until_ms = clock_monotonic_ms() + REPORTS_MS;
    (void)rd_kafka_purge(chunks->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_outq_len(chunks->client) > 0 && clock_monotonic_ms() < until_ms)
        (void)rd_kafka_poll(chunks->client, 10);
}

/* Makes a new client after a fatal error: an idempotent producer of librdkafka before 2.3.0 may
 * fail for good after a disconnect. */
static void client_renew(struct kafka_chunks *chunks)
{
    char error[KAFKA_ERROR_MAX];
    if (chunks->client != NULL && rd_kafka_fatal_error(chunks->client, error, sizeof error) == 0)
        return;
    if (chunks->client != NULL) {
        kafka_log_add(&chunks->log, LOG_LIBRDKAFKA_LOG,
                      "the producer failed; the worker makes a new one: %s", error);
        client_give_up(chunks);
    }
    client_destroy(chunks);
    if (!client_make(chunks, error))
        kafka_log_add(&chunks->log, LOG_LIBRDKAFKA_ERROR, "cannot make a producer: %s", error);
}

void kafka_chunks_step(struct kafka_chunks *chunks)
{
    if (chunks->client != NULL)
        (void)rd_kafka_poll(chunks->client, 0);
    client_renew(chunks);
    for (size_t i = 0; i < chunks->refused_count && chunks->engine != NULL; i++)
        engine_chunk_refused(chunks->engine, chunks->refused[i]);
    chunks->refused_count = 0;
}

size_t kafka_chunks_waiting(const struct kafka_chunks *chunks)
{
    return chunks->client == NULL ? 0 : (size_t)rd_kafka_outq_len(chunks->client);
}

void kafka_chunks_free(struct kafka_chunks *chunks)
{
    if (chunks == NULL)
        return;
    chunks->engine = NULL;
    if (chunks->client != NULL)
        (void)rd_kafka_purge(chunks->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    client_destroy(chunks);
    if (chunks->conf != NULL)
        rd_kafka_conf_destroy(chunks->conf);
    kafka_log_done(&chunks->log);
    memory_free(chunks->refused);
    memory_free(chunks->refused_before);
    memory_free(chunks);
}
