#include "io/kafka/publisher.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "io/loop/clock.h"
#include "io/kafka/epochs.h"
#include "io/kafka/partitions.h"
#include "io/kafka/produce.h"
#include "io/kafka/tokens.h"

#define INIT_TIMEOUT_MS    1000  /* a stop may have to wait this long */
#define LOGGED_AGAIN_MS    30000 /* between two lines about a producer that is not ready */
#define WARM_UP_TIMEOUT_MS 3000
#define PAUSE_MIN_MS       100
#define PAUSE_MAX_MS       5000
#define POLL_MS            100
#define POLL_EVERY         64 /* records between two polls for delivery reports */
#define ABORTS_MAX         8  /* in a row; after more the publisher replaces the producer */
#define TOPICS_TIMEOUT_MS  1000
#define TOPICS_MAX         8192 /* with more, reply topics, the publisher replaces the producer */
#define METADATA_TEXT_MAX  1048576
#define LIMITS_AGAIN_MS    240000 /* before they are forgotten */
#define LARGE_TOPICS_MAX   16     /* asked for after one batch */
#define SET_BYTES_KEPT_MS  300000 /* how long a smaller batch.size stays */

/* What to do after a step of a transaction. */
enum verdict { GO_ON, MUST_ABORT, MUST_RENEW };

static void client_destroy(struct publisher *publisher)
{
    handles_clear(&publisher->handles);
    kafka_tokens_remove(publisher->log.tokens, publisher->client);
    if (publisher->client != NULL)
        rd_kafka_destroy(publisher->client);
    publisher->client = NULL;
}

static void reason_set(struct publisher *publisher, const char *what, const char *text)
{
    (void)snprintf(publisher->reason, sizeof publisher->reason, "%s: %s", what, text);
}

/* ---- delivery reports ---- */

static bool code_is_purge(int code)
{
    return code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

/* `partition`: where the record was sent to; -1 = librdkafka did not send it. */
static void delivery_failed(struct publisher *publisher, size_t index, int code, int32_t partition)
{
    if (code_is_purge(code))
        return; /* an abort purges records that are not at fault */
    if (kafka_refusal(code) != OK) {
        refusals_add(&publisher->refusals, publisher->batch, index, code, partition);
        return;
    }
    publisher->deliveries.failed++;
    publisher->deliveries.failed_code = code;
}

/* The opaque of a record is its index + 1. */
static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct publisher *publisher = opaque;
    size_t index = (size_t)(uintptr_t)message->_private - 1;
    publisher->deliveries.outstanding--;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        delivery_failed(publisher, index, message->err, message->partition);
    else if (!publisher->config->exactly_once)
        publisher->batch->outputs[index]->is_delivered = true;
}

/* ---- the life of a client ---- */

static bool conf_compresses(rd_kafka_conf_t *conf)
{
    char codec[64] = "";
    size_t size = sizeof codec;
    return rd_kafka_conf_get(conf, "compression.codec", codec, &size) != RD_KAFKA_CONF_OK ||
           strcmp(codec, "none") != 0;
}

bool publisher_init(struct publisher *publisher, const struct kafka_config *config,
                    struct kafka_lines *lines, char *ret_error)
{
    *publisher = (struct publisher){.config = config};
    kafka_log_init(&publisher->log, lines, "publisher");
    publisher->log.tokens = config->tokens;
    publisher->transaction_ms =
        kafka_conf_number(config, KAFKA_PUBLISHER, "transaction.timeout.ms");
    publisher->conf = kafka_conf_new(config, KAFKA_PUBLISHER, ret_error);
    if (publisher->conf == NULL)
        return false;
    publisher->broker_id = -1;
    publisher->set_bytes_settings = kafka_conf_number(config, KAFKA_PUBLISHER, "batch.size");
    publisher->set_bytes = publisher->set_bytes_usual = publisher->set_bytes_settings;
    publisher->is_compressing = conf_compresses(publisher->conf);
    rd_kafka_conf_set_opaque(publisher->conf, publisher);
    rd_kafka_conf_set_log_cb(publisher->conf, kafka_log_callback);
    rd_kafka_conf_set_dr_msg_cb(publisher->conf, on_delivery);
    return true;
}

void publisher_done(struct publisher *publisher)
{
    client_destroy(publisher);
    refusals_done(&publisher->refusals);
    if (publisher->conf != NULL)
        rd_kafka_conf_destroy(publisher->conf);
    kafka_log_done(&publisher->log);
}

static bool client_make(struct publisher *publisher)
{
    char text[KAFKA_ERROR_MAX];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(publisher->conf);
    if (publisher->set_bytes != publisher->set_bytes_settings) {
        (void)snprintf(text, sizeof text, "%lld", (long long)publisher->set_bytes);
        CHECK(rd_kafka_conf_set(conf, "batch.size", text, NULL, 0) == RD_KAFKA_CONF_OK);
    }
    /* Behind a set that is rejected, librdkafka would try the next ones until they time out. */
    if (publisher->set_bytes != publisher->set_bytes_usual)
        CHECK(rd_kafka_conf_set(conf, "max.in.flight", "1", NULL, 0) == RD_KAFKA_CONF_OK);
    publisher->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (publisher->client != NULL) {
        kafka_tokens_add(publisher->log.tokens, publisher->client);
        return true;
    }
    rd_kafka_conf_destroy(conf);
    kafka_log_add(&publisher->log, LOG_LIBRDKAFKA_ERROR, "cannot make a producer: %s", text);
    return false;
}

static void not_ready_log(struct publisher *publisher, const rd_kafka_error_t *error)
{
    char text[KAFKA_ERROR_MAX];
    int64_t now_ms = clock_monotonic_ms();
    if (publisher->logged_ms != 0 && now_ms - publisher->logged_ms < LOGGED_AGAIN_MS)
        return;
    publisher->logged_ms = now_ms;
    int code = (int)rd_kafka_error_code(error);
    int fatal = (int)rd_kafka_fatal_error(publisher->client, text, sizeof text);
    const char *consequence = publisher->was_ready
                                  ? "results wait in memory until it is granted"
                                  : "the worker takes no request until it is granted";
    if (!kafka_log_right(&publisher->log, fatal != 0 ? fatal : code, NULL,
                         publisher->config->transactional_id, consequence))
        kafka_log_line(&publisher->log, "PRODUCER",
                       code == RD_KAFKA_RESP_ERR__TIMED_OUT
                           ? "it is not ready yet: no transaction coordinator answers"
                           : rd_kafka_error_string(error));
}

/* Retries until the transactions are ready; false when this client cannot have any. */
static bool transactions_init(struct publisher *publisher)
{
    while (!atomic_load(&publisher->stopping)) {
        rd_kafka_error_t *error = rd_kafka_init_transactions(publisher->client, INIT_TIMEOUT_MS);
        if (error == NULL)
            return true;
        bool again = rd_kafka_error_is_retriable(error) != 0 && rd_kafka_error_is_fatal(error) == 0;
        not_ready_log(publisher, error);
        rd_kafka_error_destroy(error);
        if (!again)
            return false;
    }
    return false;
}

static bool client_begin(struct publisher *publisher)
{
    if (!client_make(publisher))
        return false;
    (void)kafka_warm_up(publisher->client, publisher->config, 0);
    if (publisher->config->exactly_once && !transactions_init(publisher))
        return false;
    publisher->broker_id = kafka_warm_up(publisher->client, publisher->config, WARM_UP_TIMEOUT_MS);
    return true;
}

static void pause_ms(const struct publisher *publisher, int64_t delay_ms)
{
    for (int64_t waited_ms = 0; waited_ms < delay_ms && !atomic_load(&publisher->stopping);
         waited_ms += 50) {
        struct timespec step = {.tv_nsec = 50 * 1000000L};
        (void)nanosleep(&step, NULL);
    }
}

/* Asks what these topics take. A set beyond that would be rejected whole, so the client must make
 * none. */
static void limits_ask(struct publisher *publisher, const struct slice *topics, size_t count)
{
    topic_limits_ask(&publisher->limits, publisher->client, topics, count, publisher->broker_id);
    int64_t usual = topic_limits_least(&publisher->limits, publisher->set_bytes_settings);
    if (publisher->set_bytes == publisher->set_bytes_usual || publisher->set_bytes > usual) {
        publisher->must_renew = publisher->must_renew || publisher->set_bytes != usual;
        publisher->set_bytes = usual;
    }
    publisher->set_bytes_usual = usual;
}

static void limits_refresh(struct publisher *publisher)
{
    int64_t now_ms = clock_monotonic_ms();
    if (publisher->client == NULL || now_ms < publisher->limits_due_ms)
        return;
    publisher->limits_due_ms = now_ms + LIMITS_AGAIN_MS;
    limits_ask(publisher, publisher->config->output_topics, publisher->config->output_topic_count);
}

void publisher_renew(struct publisher *publisher)
{
    int64_t started_ms = clock_monotonic_ms();
    int64_t delay_ms = PAUSE_MIN_MS;
    publisher->must_renew = false;
    client_destroy(publisher);
    while (!atomic_load(&publisher->stopping) && !client_begin(publisher)) {
        client_destroy(publisher);
        pause_ms(publisher, delay_ms);
        delay_ms = delay_ms * 2 < PAUSE_MAX_MS ? delay_ms * 2 : PAUSE_MAX_MS;
    }
    if (publisher->client == NULL)
        return;
    limits_refresh(publisher);
    if (publisher->must_renew) {
        publisher_renew(publisher); /* they are not due again */
        return;
    }
    if (publisher->was_ready) {
        struct log_field field = FIELD_INT("duration_ms", clock_monotonic_ms() - started_ms);
        log_sink_add(publisher->log.sink, LOG_PRODUCER_RENEWED, &field, 1);
    }
    publisher->was_ready = true;
    publisher->logged_ms = 0;
    publisher->aborts = 0;
}

/* ---- one batch ---- */

/* Decides what follows from `error`, which it destroys. It trusts the codes more than librdkafka's
 * flags, which are wrong in 2.0.2. */
static enum verdict error_judge(struct publisher *publisher, const char *what,
                                rd_kafka_error_t *error, int *ret_code)
{
    if (error == NULL)
        return GO_ON;
    char text[KAFKA_ERROR_MAX];
    *ret_code = (int)rd_kafka_error_code(error);
    reason_set(publisher, what, rd_kafka_error_string(error));
    bool is_fatal = rd_kafka_error_is_fatal(error) != 0;
    bool must_abort = rd_kafka_error_txn_requires_abort(error) != 0;
    rd_kafka_error_destroy(error);
    int fatal_code = (int)rd_kafka_fatal_error(publisher->client, text, sizeof text);
    if (fatal_code != RD_KAFKA_RESP_ERR_NO_ERROR)
        *ret_code = fatal_code;
    publisher->fenced = *ret_code == RD_KAFKA_RESP_ERR__FENCED ||
                        *ret_code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
                        *ret_code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    if (publisher->fenced || is_fatal || fatal_code != RD_KAFKA_RESP_ERR_NO_ERROR || !must_abort)
        return MUST_RENEW;
    return MUST_ABORT;
}

/* Queues one record; while the queue is full it waits, until `until_ms`. */
static int record_produce(struct publisher *publisher, const struct batch *batch, size_t index,
                          int64_t until_ms)
{
    void *opaque = (void *)(uintptr_t)(index + 1);
    for (;;) {
        int code = kafka_produce(publisher->client, &publisher->handles, batch->outputs[index],
                                 false, opaque);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            publisher->deliveries.outstanding++;
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || clock_monotonic_ms() >= until_ms)
            return code;
        if (atomic_load(&publisher->stopping))
            return code;
        (void)rd_kafka_poll(publisher->client, POLL_MS);
    }
}

/* Whether its topic would reject the record for its size. */
static bool is_over_limit(const struct publisher *publisher, const struct output *output)
{
    if (publisher->is_compressing || publisher->limits.count == 0)
        return false;
    int64_t limit = topic_limits_find(&publisher->limits, output->topic);
    return limit > 0 && kafka_set_bytes(output) > (size_t)limit;
}

/* Rejects such records before anything is sent: an abort would cost the others time. */
static void large_reject(struct publisher *publisher, const struct batch *batch)
{
    for (size_t i = 0; i < batch->output_count; i++)
        if (!batch->outputs[i]->is_delivered && is_over_limit(publisher, batch->outputs[i]))
            delivery_failed(publisher, i, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, -1);
}

static enum verdict records_produce(struct publisher *publisher, const struct batch *batch,
                                    int64_t until_ms)
{
    for (size_t i = 0; i < batch->output_count; i++) {
        int code = record_produce(publisher, batch, i, until_ms);
        if (i % POLL_EVERY == POLL_EVERY - 1)
            (void)rd_kafka_poll(publisher->client, 0);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        reason_set(publisher, "produce", rd_kafka_err2str((rd_kafka_resp_err_t)code));
        if (code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__FENCED) {
            char text[KAFKA_ERROR_MAX];
            publisher->fenced = rd_kafka_fatal_error(publisher->client, text, sizeof text) ==
                                RD_KAFKA_RESP_ERR__FENCED;
            return MUST_RENEW;
        }
        delivery_failed(publisher, i, code, -1);
        if (kafka_refusal(code) == OK)
            return MUST_ABORT;
    }
    return publisher->refusals.count > 0 ? MUST_ABORT : GO_ON;
}

static rd_kafka_topic_partition_list_t *offsets_make(rd_kafka_t *client, const struct batch *batch)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)batch->offset_count);
    for (size_t i = 0; i < batch->offset_count; i++) {
        const struct batch_offset *offset = &batch->offsets[i];
        char topic[TOPIC_NAME_MAX + 1] = "";
        CHECK(offset->topic.len <= TOPIC_NAME_MAX && offset->metadata.len <= METADATA_TEXT_MAX);
        memcpy(topic, offset->topic.ptr, offset->topic.len);
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, topic, offset->partition);
        element->offset = offset->offset;
        kafka_set_epoch(element, offset->leader_epoch);
        char *metadata = rd_kafka_mem_malloc(client, offset->metadata.len + 1);
        if (offset->metadata.len > 0)
            memcpy(metadata, offset->metadata.ptr, offset->metadata.len);
        metadata[offset->metadata.len] = '\0';
        element->metadata = metadata;
        element->metadata_size = offset->metadata.len;
    }
    return list;
}

/* Adds the offsets to the transaction. After a retriable failure it repeats the call, because the
 * transaction must not commit without them. */
static enum verdict offsets_send(struct publisher *publisher, const struct batch *batch,
                                 const rd_kafka_consumer_group_metadata_t *group, int64_t until_ms,
                                 int *ret_code)
{
    if (batch->offset_count == 0)
        return GO_ON;
    rd_kafka_topic_partition_list_t *list = offsets_make(publisher->client, batch);
    enum verdict verdict = MUST_ABORT;
    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(
            publisher->client, list, group, left_ms > 1000 ? (int)left_ms : 1000);
        bool again = error != NULL && rd_kafka_error_is_retriable(error) != 0;
        verdict = error_judge(publisher, "send offsets", error, ret_code);
        if (verdict != MUST_RENEW || !again || publisher->fenced)
            break;
        verdict = MUST_ABORT; /* a retriable failure leaves the transaction open */
        if (clock_monotonic_ms() >= until_ms || atomic_load(&publisher->stopping))
            break;
        (void)rd_kafka_poll(publisher->client, POLL_MS);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return verdict;
}

/* Runs a transaction from begin to commit or abort. *ret_code is the error of the step that failed.
 */
static enum verdict transaction_try(struct publisher *publisher, const struct batch *batch,
                                    const rd_kafka_consumer_group_metadata_t *group, int *ret_code)
{
    int64_t until_ms = clock_monotonic_ms() + publisher->transaction_ms * 2 / 3;
    if (error_judge(publisher, "begin", rd_kafka_begin_transaction(publisher->client), ret_code) !=
        GO_ON)
        return MUST_RENEW;
    enum verdict verdict = records_produce(publisher, batch, until_ms);
    if (verdict == GO_ON)
        verdict = offsets_send(publisher, batch, group, until_ms, ret_code);
    if (verdict == GO_ON)
        verdict = error_judge(publisher, "commit",
                              rd_kafka_commit_transaction(publisher->client, -1), ret_code);
    if (verdict != MUST_ABORT)
        return verdict;
    int abort_code = RD_KAFKA_RESP_ERR_NO_ERROR;
    char cause[PUBLISHER_REASON_MAX];
    memcpy(cause, publisher->reason, sizeof cause);
    rd_kafka_error_t *error = rd_kafka_abort_transaction(publisher->client, -1);
    if (error_judge(publisher, "abort", error, &abort_code) != GO_ON)
        return MUST_RENEW;
    memcpy(publisher->reason, cause, sizeof cause);
    return ++publisher->aborts > ABORTS_MAX ? MUST_RENEW : MUST_ABORT;
}

static bool code_is_time(int code)
{
    return code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE ||
           code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT || code == RD_KAFKA_RESP_ERR__QUEUE_FULL;
}

static bool output_has_no_partition(const struct rd_kafka_metadata *metadata,
                                    const struct output *output)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
        if (!slice_equal_text(output->topic, topic->topic))
            continue;
        bool is_there = topic->err == RD_KAFKA_RESP_ERR_NO_ERROR;
        return kafka_refusal((int)topic->err) == ERR_NOT_FOUND ||
               (is_there && output->partition >= topic->partition_cnt);
    }
    return false;
}

/* Finds the records whose topic or partition does not exist, so that only they fail. For a deleted
 * topic no delivery report says so: the broker refuses the transaction, or the record times out in
 * the queue. */
static void missing_partitions_blame(struct publisher *publisher, const struct batch *batch)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(publisher->client, 0, NULL, &metadata, TOPICS_TIMEOUT_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    for (size_t i = 0; i < batch->output_count; i++)
        if (!batch->outputs[i]->is_delivered &&
            output_has_no_partition(metadata, batch->outputs[i]))
            delivery_failed(publisher, i, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, -1);
    rd_kafka_metadata_destroy(metadata);
}

/* Lists the rejected records. If some may be rejected only for those that they were sent with, the
 * next client sends each of them alone. */
static void refusals_describe(struct publisher *publisher, struct batch_end *ret_end)
{
    reason_set(publisher, "refused",
               rd_kafka_err2str((rd_kafka_resp_err_t)refusals_first_code(&publisher->refusals)));
    ret_end->outcome = BATCH_REFUSED;
    ret_end->do_sizes_decide = !publisher->is_compressing;
    bool was_set = false;
    struct slice topics[LARGE_TOPICS_MAX];
    size_t count = refusals_large_topics(&publisher->refusals, topics, LARGE_TOPICS_MAX);
    int64_t set_bytes = publisher->set_bytes; /* that they were sent with */
    if (count > 0 && publisher->client != NULL)
        limits_ask(publisher, topics, count);
    size_t bytes =
        refusals_tell(&publisher->refusals, publisher->is_compressing ? NULL : &publisher->limits,
                      set_bytes, ret_end, &was_set);
    publisher->must_renew = publisher->must_renew || was_set;
    if (bytes == 0)
        return;
    publisher->set_bytes =
        (int64_t)bytes < publisher->set_bytes_usual ? (int64_t)bytes : publisher->set_bytes_usual;
    publisher->set_bytes_until_ms = clock_monotonic_ms() + SET_BYTES_KEPT_MS;
}

/* Writes why a batch failed, by the delivery reports and the code of the step that failed. */
static void failure_describe(struct publisher *publisher, const struct batch *batch, int code,
                             struct batch_end *ret_end)
{
    const struct deliveries *deliveries = &publisher->deliveries;
    ret_end->outcome = BATCH_ABORTED;
    ret_end->was_time =
        code_is_time(code) || (deliveries->failed > 0 && code_is_time(deliveries->failed_code));
    bool may_lack_partition = ret_end->was_time || kafka_refusal(code) == ERR_NOT_FOUND;
    if (publisher->refusals.count == 0 && may_lack_partition && publisher->client != NULL)
        missing_partitions_blame(publisher, batch);
    if (publisher->refusals.count > 0) {
        refusals_describe(publisher, ret_end);
    } else if (code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION) {
        ret_end->outcome = BATCH_GENERATION;
    } else if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
               code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        ret_end->outcome = BATCH_MEMBER_GONE;
    }
}

static void run_in_transaction(struct publisher *publisher, const struct batch *batch,
                               const rd_kafka_consumer_group_metadata_t *group,
                               struct batch_end *ret_end)
{
    int code = RD_KAFKA_RESP_ERR_NO_ERROR;
    large_reject(publisher, batch);
    if (publisher->refusals.count > 0) {
        refusals_describe(publisher, ret_end);
        return;
    }
    enum verdict verdict = transaction_try(publisher, batch, group, &code);
    if (verdict == GO_ON) {
        publisher->aborts = 0;
        ret_end->outcome = BATCH_COMMITTED;
    } else if (verdict == MUST_ABORT) {
        failure_describe(publisher, batch, code, ret_end);
    } else {
        bool fenced = publisher->fenced;
        publisher_renew(publisher);
        ret_end->outcome = fenced ? BATCH_FENCED : BATCH_UNKNOWN;
    }
}

/* Waits for all delivery reports. A stop destroys the client instead, so that librdkafka no longer
 * borrows the records. */
static void deliveries_wait(struct publisher *publisher)
{
    while (publisher->deliveries.outstanding > 0 && !atomic_load(&publisher->stopping))
        (void)rd_kafka_poll(publisher->client, POLL_MS);
    if (publisher->deliveries.outstanding > 0)
        client_destroy(publisher);
}

static void run_without_transaction(struct publisher *publisher, const struct batch *batch,
                                    struct batch_end *ret_end)
{
    char text[KAFKA_ERROR_MAX];
    large_reject(publisher, batch);
    for (size_t i = 0; i < batch->output_count; i++) {
        /* Delivered by an earlier batch, in which another record failed. */
        if (batch->outputs[i]->is_delivered || is_over_limit(publisher, batch->outputs[i]))
            continue;
        int code = record_produce(publisher, batch, i, INT64_MAX);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            delivery_failed(publisher, i, code, -1);
    }
    deliveries_wait(publisher);
    const struct deliveries *deliveries = &publisher->deliveries;
    if (publisher->client != NULL && deliveries->outstanding == 0 &&
        publisher->refusals.count == 0 && deliveries->failed == 0) {
        ret_end->outcome = BATCH_COMMITTED;
        return;
    }
    reason_set(publisher, "deliver",
               rd_kafka_err2str((rd_kafka_resp_err_t)deliveries->failed_code));
    failure_describe(publisher, batch, deliveries->failed_code, ret_end);
    if (publisher->client == NULL ||
        rd_kafka_fatal_error(publisher->client, text, sizeof text) != 0)
        publisher_renew(publisher);
}

static void set_bytes_restore(struct publisher *publisher)
{
    if (publisher->set_bytes == publisher->set_bytes_usual ||
        clock_monotonic_ms() < publisher->set_bytes_until_ms)
        return;
    publisher->set_bytes = publisher->set_bytes_usual;
    publisher->must_renew = true;
}

void publisher_run(struct publisher *publisher, const struct batch *batch,
                   const struct rd_kafka_consumer_group_metadata_s *group,
                   struct batch_end *ret_end)
{
    *ret_end = (struct batch_end){.id = batch->id, .outcome = BATCH_UNKNOWN};
    publisher->deliveries = (struct deliveries){0};
    refusals_clear(&publisher->refusals);
    publisher->batch = batch;
    publisher->fenced = false;
    publisher->reason[0] = '\0';
    set_bytes_restore(publisher);
    limits_refresh(publisher);
    if (publisher->client == NULL || publisher->must_renew)
        publisher_renew(publisher);
    if (publisher->client == NULL)
        reason_set(publisher, "stop", "no producer is ready");
    else if (!publisher->config->exactly_once)
        run_without_transaction(publisher, batch, ret_end);
    else if (batch->offset_count > 0 && group == NULL)
        ret_end->outcome = BATCH_MEMBER_GONE;
    else
        run_in_transaction(publisher, batch, group, ret_end);
    /* librdkafka forgets no topic that it has written to. */
    if (publisher->handles.count > TOPICS_MAX)
        publisher->must_renew = true;
    publisher->deliveries = (struct deliveries){0};
    ret_end->reason = slice_of(publisher->reason, strlen(publisher->reason));
}
