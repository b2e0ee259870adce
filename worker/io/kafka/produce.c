#include "io/kafka/produce.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

#include "io/kafka/conf.h"
#include "io/kafka/partitions.h"

#define SET_HEAD_BYTES 61
#define RECORD_NUMBERS 3

static rd_kafka_headers_t *headers_make(const struct output *output)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(output->header_count);
    for (size_t i = 0; headers != NULL && i < output->header_count; i++) {
        const struct header *header = &output->headers[i];
        (void)rd_kafka_header_add(headers, header->name.ptr, (ssize_t)header->name.len,
                                  header->value.ptr, (ssize_t)header->value.len);
    }
    return headers;
}

/* librdkafka does not change a payload that it does not own. */
static void *without_const(const char *ptr)
{
    union {
        const char *in;
        void *out;
    } both = {.in = ptr};
    return both.out;
}

int kafka_produce(struct rd_kafka_s *producer, struct kafka_handles *handles,
                  const struct output *output, bool copy, void *opaque)
{
    struct kafka_handles own = {0};
    struct rd_kafka_topic_s *topic =
        handles_find(handles != NULL ? handles : &own, producer, output->topic);
    if (topic == NULL) {
        handles_clear(&own);
        return RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
    }
    rd_kafka_headers_t *headers = headers_make(output);
    rd_kafka_vu_t arguments[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = output->partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {without_const(output->key.ptr), output->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {without_const(output->value.ptr), output->value.len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = copy ? RD_KAFKA_MSG_F_COPY : 0},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, arguments, COUNT_OF(arguments));
    handles_clear(&own);
    if (error == NULL)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}

/* Of a length as a record says it: 7 bits a byte, after one for the sign. */
static size_t length_bytes(size_t length)
{
    size_t bytes = 1;
    for (size_t rest = length * 2; rest >= 128; rest /= 128)
        bytes++;
    return bytes;
}

static size_t text_bytes(struct slice text)
{
    return length_bytes(text.len) + text.len;
}

size_t kafka_set_bytes(const struct output *output)
{
    /* attributes, and the two numbers that are relative to the set's */
    size_t bytes = RECORD_NUMBERS + text_bytes(output->key) + text_bytes(output->value) +
                   length_bytes(output->header_count);
    for (size_t i = 0; i < output->header_count; i++)
        bytes += text_bytes(output->headers[i].name) + text_bytes(output->headers[i].value);
    return SET_HEAD_BYTES + length_bytes(bytes) + bytes;
}

enum err kafka_refusal(int code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        return ERR_TOO_LARGE;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return ERR_NOT_FOUND;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return ERR_NOT_ALLOWED;
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
        return ERR_INVALID;
    default:
        return OK;
    }
}

int32_t kafka_warm_up(struct rd_kafka_s *producer, const struct kafka_config *config,
                      int timeout_ms)
{
    for (size_t i = 0; i < config->output_topic_count; i++) {
        char name[TOPIC_NAME_MAX + 1] = "";
        if (config->output_topics[i].len > TOPIC_NAME_MAX)
            continue;
        memcpy(name, config->output_topics[i].ptr, config->output_topics[i].len);
        /* librdkafka remembers the topic and fetches its metadata. */
        rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
        if (topic != NULL)
            rd_kafka_topic_destroy(topic);
    }
    const struct rd_kafka_metadata *metadata = NULL;
    if (timeout_ms == 0 ||
        rd_kafka_metadata(producer, 0, NULL, &metadata, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    int32_t broker_id = metadata->orig_broker_id;
    rd_kafka_metadata_destroy(metadata);
    return broker_id;
}
