#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/output_kit.h"
#include "unit/output_read.h"
#include "unit/torture.h"

static struct output *encode(const struct output_kit *kit, bool with_value)
{
    struct output *output = NULL;
    assert_int_equal(output_letter(&kit->context, &kit->record, &kit->why, 2, with_value, &output),
                     OK);
    return output;
}

static void assert_header(const struct header *header, const char *name, const char *value,
                          size_t len)
{
    assert_text(header->name, name);
    assert_int_equal(header->value.len, len);
    assert_memory_equal(header->value.ptr, value, len);
}

static void a_dead_letter_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit, true);
    assert_int_equal(output->kind, OUTPUT_LETTER);
    assert_text(output->topic, "bedrock.dead-letters");
    assert_int_equal(output->partition, -1);
    assert_text(output->key, "customer-7");
    assert_text(output->value, "{\"id\":\"order-17\"}");
    const struct header *h = output->headers;
    assert_int_equal(output->header_count, 4 + 10);
    assert_header(&h[0], "kafka_correlationId", "\xff\x00\x80\x01", 4);
    assert_header(&h[1], "content-type", "text/plain", 10);
    assert_text(h[2].name, "traceparent");
    assert_header(&h[3], "x-private", "no", 2);
    assert_header(&h[4], "kafka_dlt-original-topic", "bedrock.requests", 16);
    assert_header(&h[5], "kafka_dlt-original-partition", "\0\0\0\3", 4);
    assert_header(&h[6], "kafka_dlt-original-offset", "\0\0\0\0\0\0\0\x2a", 8);
    assert_header(&h[7], "kafka_dlt-original-timestamp", "\x00\x00\x01\xa2\x02\xb2\xc5\x53", 8);
    assert_header(&h[8], "kafka_dlt-original-timestamp-type", "CreateTime", 10);
    assert_header(&h[9], "kafka_dlt-original-consumer-group", "bedrock-worker", 14);
    assert_header(&h[10], "kafka_dlt-exception-fqcn", "ValidationException", 19);
    assert_header(&h[11], "kafka_dlt-exception-message",
                  "messages[0].content: messages must not be empty", 47);
    assert_header(&h[12], "bedrock-error-code", "rejected", 8);
    assert_header(&h[13], "bedrock-attempts", "2", 1);
    output_free(output);
}

static void a_dead_letter_replaces_the_headers_of_an_earlier_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct header headers[] = {
        {SLICE("kafka_dlt-original-offset"), SLICE("old")},
        {SLICE("kept"), SLICE_NULL},
        {SLICE("bedrock-error-code"), SLICE("timeout")},
        {SLICE("bedrock-value-omitted"), SLICE("too large")},
        {SLICE("kafka_dlt-exception-stacktrace"), SLICE("theirs")},
        {SLICE("kafka_dlt-original-offset"), SLICE("older")},
        {SLICE("kept"), SLICE("")},
    };
    kit.record.headers = (struct headers){headers, COUNT_OF(headers)};
    struct output *output = encode(&kit, true);
    assert_int_equal(output->header_count, 3 + 10);
    assert_text(output->headers[0].name, "kept");
    assert_null(output->headers[0].value.ptr);
    assert_text(output->headers[1].name, "kafka_dlt-exception-stacktrace");
    assert_text(output->headers[2].name, "kept");
    assert_non_null(output->headers[2].value.ptr);
    assert_int_equal(header_of(output, "kafka_dlt-original-offset").len, 8);
    assert_text(header_of(output, "bedrock-error-code"), "rejected");
    assert_false(has_header(output, "bedrock-value-omitted"));
    output_free(output);
}

static void a_dead_letter_without_its_value_says_so(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit, false);
    assert_null(output->value.ptr);
    assert_text(header_of(output, "bedrock-value-omitted"), "too large");
    output_free(output);
}

static void a_dead_letter_that_omits_headers_says_so(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.headers_sent = kit.record.headers.count;
    struct output *output = encode(&kit, true);
    assert_false(has_header(output, "bedrock-headers-omitted"));
    output_free(output);
    kit.record.headers.count = 0;
    output = encode(&kit, false);
    assert_int_equal(output->header_count, 10 + 2);
    assert_text(header_of(output, "bedrock-headers-omitted"), "too large");
    output_free(output);
}

static void null_and_empty_keys_and_values_stay_distinct(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.key = kit.record.value = SLICE_NULL;
    struct output *output = encode(&kit, true);
    assert_null(output->key.ptr);
    assert_null(output->value.ptr);
    assert_false(has_header(output, "bedrock-value-omitted"));
    output_free(output);
    kit.record.key = kit.record.value = SLICE("");
    output = encode(&kit, true);
    assert_non_null(output->key.ptr);
    assert_non_null(output->value.ptr);
    assert_int_equal(output->key.len + output->value.len, 0);
    output_free(output);
}

static void a_dead_letter_keeps_invalid_utf8_but_not_in_its_message(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.value = slice_of("\xff\xfe{\0}", 5);
    kit.record.key = slice_of("\x80", 1);
    struct header headers[] = {{slice_of("na\xc3me", 5), slice_of("\0\xff", 2)}};
    kit.record.headers = (struct headers){headers, 1};
    memcpy(kit.why.message, "bad \xe2\x28", 7);
    struct output *output = encode(&kit, true);
    assert_int_equal(output->value.len, 5);
    assert_memory_equal(output->value.ptr, "\xff\xfe{\0}", 5);
    assert_memory_equal(output->key.ptr, "\x80", 1);
    assert_header(&output->headers[0], "na\xc3me", "\0\xff", 2);
    assert_text(header_of(output, "kafka_dlt-exception-message"), "messages[0].content: bad ");
    output_free(output);
}

static void a_dead_letter_names_the_timestamp_type(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.timestamp_type = TIMESTAMP_APPEND;
    struct output *output = encode(&kit, true);
    assert_text(header_of(output, "kafka_dlt-original-timestamp-type"), "LogAppendTime");
    output_free(output);
    kit.record.timestamp_type = TIMESTAMP_NONE;
    kit.record.timestamp_ms = -1;
    output = encode(&kit, true);
    assert_text(header_of(output, "kafka_dlt-original-timestamp-type"), "NoTimestampType");
    assert_memory_equal(header_of(output, "kafka_dlt-original-timestamp").ptr,
                        "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    output_free(output);
}

static void a_dead_letter_holds_more_headers_than_a_request_may_have(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    static struct header headers[HEADERS_MAX * 4];
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        headers[i] = (struct header){SLICE("h"), SLICE("v")};
    kit.record.headers = (struct headers){headers, COUNT_OF(headers)};
    struct output *output = encode(&kit, true);
    assert_int_equal(output->header_count, COUNT_OF(headers) + 10);
    output_free(output);
    kit.context.output_bytes_max = COUNT_OF(headers) * sizeof(struct header);
    output = NULL;
    assert_int_equal(output_letter(&kit.context, &kit.record, &kit.why, 2, true, &output),
                     ERR_TOO_LARGE);
    assert_null(output);
}

static bool encode_once(void *self)
{
    struct output_kit *kit = self;
    struct output *output = NULL;
    enum err err = output_letter(&kit->context, &kit->record, &kit->why, 1, true, &output);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    assert_true((err == OK) == (output != NULL));
    output_free(output);
    return err == OK;
}

static void a_dead_letter_survives_failed_allocations(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    assert_int_equal(torture(encode_once, &kit), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_letter_matches_the_golden_one),
        cmocka_unit_test(a_dead_letter_replaces_the_headers_of_an_earlier_one),
        cmocka_unit_test(a_dead_letter_without_its_value_says_so),
        cmocka_unit_test(a_dead_letter_that_omits_headers_says_so),
        cmocka_unit_test(null_and_empty_keys_and_values_stay_distinct),
        cmocka_unit_test(a_dead_letter_keeps_invalid_utf8_but_not_in_its_message),
        cmocka_unit_test(a_dead_letter_names_the_timestamp_type),
        cmocka_unit_test(a_dead_letter_holds_more_headers_than_a_request_may_have),
        cmocka_unit_test(a_dead_letter_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
