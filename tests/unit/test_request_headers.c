#include "unit/unit.h"

#include "unit/request_kit.h"

static void set_headers(struct request_kit *kit, const struct header *list, size_t count)
{
    kit->record.headers = (struct headers){.list = list, .count = count};
}

static void without_headers_topic_and_offset_name_the_request(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), OK);
    assert_slice(kit.request.id, "bedrock.requests-3-42");
    assert_slice(kit.request.tenant, "default");
    assert_null(kit.request.reply_topic.ptr);
    assert_int_equal(kit.request.reply_partition, -1);
    assert_true(kit.request.expires_wall_ms == REQUEST_NO_LIMIT);
    assert_false(kit.request.stream);
    request_kit_done(&kit);
}

static void spring_headers_name_reply_topic_and_partition(void **state)
{
    (void)state;
    const struct header list[] = {
        {SLICE("kafka_replyTopic"), SLICE("old")},
        {SLICE("kafka_replyTopic"), SLICE("replies")},
        {SLICE("kafka_replyPartition"), SLICE("\x00\x01\x02\x03")},
        {SLICE("ce_id"), SLICE("event-1")},
    };
    struct request_kit kit;
    request_kit_init(&kit);
    set_headers(&kit, list, COUNT_OF(list));
    assert_int_equal(request_kit_read(&kit, SLICE("no json")), ERR_MALFORMED);
    assert_slice(kit.request.reply_topic, "replies");
    assert_int_equal(kit.request.reply_partition, 0x010203);
    assert_slice(kit.request.id, "event-1");
    assert_int_equal(
        request_kit_read(&kit, SLICE("{" SAID ",\"reply_to\":\"mine\",\"id\":\"own\"}")), OK);
    assert_slice(kit.request.reply_topic, "mine");
    assert_int_equal(kit.request.reply_partition, -1);
    assert_slice(kit.request.id, "own");
    request_kit_done(&kit);
}

static void assert_header_refused(const char *name, struct slice value, enum err err)
{
    const struct header list[] = {{SLICE("kafka_replyTopic"), SLICE("replies")},
                                  {slice_of_text(name), value}};
    struct request_kit kit;
    request_kit_init(&kit);
    set_headers(&kit, list, COUNT_OF(list));
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), err);
    assert_string_equal(kit.why.field, name);
    assert_slice(kit.request.id, "bedrock.requests-3-42");
    request_kit_done(&kit);
}

static void invalid_headers_are_rejected(void **state)
{
    (void)state;
    assert_header_refused("kafka_replyPartition", SLICE("1"), ERR_INVALID);
    assert_header_refused("kafka_replyPartition", SLICE("\xff\xff\xff\xff"), ERR_INVALID);
    assert_header_refused("kafka_replyPartition", SLICE("\x00\x00\x00\x00\x01"), ERR_INVALID);
    assert_header_refused("kafka_replyPartition", SLICE(""), ERR_INVALID);
    assert_header_refused("kafka_replyTopic", SLICE("no/topic"), ERR_REPLY_REFUSED);
    assert_header_refused("kafka_replyTopic", SLICE(".."), ERR_REPLY_REFUSED);
    assert_header_refused("kafka_replyTopic", SLICE("\xff"), ERR_REPLY_REFUSED);
    assert_header_refused("ce_id", SLICE("a\xff"), ERR_INVALID);
    assert_header_refused("ce_id", SLICE("a\nb"), ERR_INVALID);
    assert_header_refused("ce_expirytime", SLICE("tomorrow"), ERR_INVALID);
    assert_refused("{" SAID ",\"reply_to\":\"a b\"}", ERR_REPLY_REFUSED, "reply_to");
}

/* An error response has the request's fields although a header is invalid. */
static void assert_value_read(const struct header *list, size_t count, enum err err,
                              const char *field)
{
    struct request_kit kit;
    request_kit_init(&kit);
    set_headers(&kit, list, count);
    const char *value = "{" SAID ",\"id\":\"own\",\"tenant\":\"acme\",\"metadata\":{\"order\":17},"
                        "\"reply_to\":\"mine\",\"temperature\":\"hot\"}";
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), err);
    assert_string_equal(kit.why.field, field);
    assert_slice(kit.request.id, "own");
    assert_slice(kit.request.tenant, "acme");
    assert_slice(kit.request.metadata, "{\"order\":17}");
    assert_slice(kit.request.reply_topic, "mine");
    assert_int_equal(kit.request.reply_partition, -1);
    request_kit_done(&kit);
}

static void the_value_is_read_although_a_header_or_field_is_invalid(void **state)
{
    (void)state;
    static struct header many[HEADERS_MAX + 1];
    const struct header expiry = {SLICE("ce_expirytime"), SLICE("tomorrow")};
    const struct header topic = {SLICE("kafka_replyTopic"), SLICE("no/topic")};
    const struct header partition[] = {{SLICE("kafka_replyTopic"), SLICE("replies")},
                                       {SLICE("kafka_replyPartition"), SLICE("1")}};
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct header){SLICE("n"), SLICE("v")};
    assert_value_read(NULL, 0, ERR_INVALID, "temperature");
    assert_value_read(&expiry, 1, ERR_INVALID, "ce_expirytime");
    assert_value_read(&topic, 1, ERR_INVALID, "temperature");
    assert_value_read(partition, 2, ERR_INVALID, "temperature");
    assert_value_read(many, COUNT_OF(many), ERR_MALFORMED, "");
}

static void too_many_headers_still_name_the_reply_topic(void **state)
{
    (void)state;
    static struct header many[HEADERS_MAX + 1];
    struct request_kit kit;
    request_kit_init(&kit);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct header){SLICE("n"), SLICE("v")};
    many[7] = (struct header){SLICE("kafka_replyTopic"), SLICE("replies")};
    many[8] = (struct header){SLICE("ce_id"), SLICE("event-1")};
    set_headers(&kit, many, COUNT_OF(many));
    assert_int_equal(request_kit_read(&kit, SLICE("no json")), ERR_MALFORMED);
    assert_slice(kit.request.reply_topic, "replies");
    assert_slice(kit.request.id, "event-1");
    request_kit_done(&kit);
}

static void a_bad_reply_header_fails_only_a_request_without_reply_to(void **state)
{
    (void)state;
    const struct header list[] = {{SLICE("kafka_replyTopic"), SLICE("\xff\xfe")},
                                  {SLICE("kafka_replyPartition"), SLICE("x")}};
    struct request_kit kit;
    request_kit_init(&kit);
    set_headers(&kit, list, COUNT_OF(list));
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"reply_to\":\"mine\"}")), OK);
    assert_slice(kit.request.reply_topic, "mine");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"reply_to\":null}")),
                     ERR_REPLY_REFUSED);
    assert_string_equal(kit.why.field, "kafka_replyTopic");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"reply_to\":\"a b\"}")),
                     ERR_REPLY_REFUSED);
    assert_string_equal(kit.why.field, "reply_to");
    request_kit_done(&kit);
}

static void headers_that_were_not_copied_count_as_too_many(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    kit.record.headers_sent = 1;
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), ERR_MALFORMED);
    assert_non_null(strstr(kit.why.message, "headers"));
    request_kit_done(&kit);
}

static void a_bad_event_id_fails_only_a_request_without_an_id(void **state)
{
    (void)state;
    const struct header list[] = {{SLICE("ce_id"), SLICE("a\nb")}};
    struct request_kit kit;
    request_kit_init(&kit);
    set_headers(&kit, list, COUNT_OF(list));
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"id\":\"own\"}")), OK);
    assert_slice(kit.request.id, "own");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"id\":null}")), ERR_INVALID);
    assert_string_equal(kit.why.field, "ce_id");
    assert_slice(kit.request.id, "bedrock.requests-3-42");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"id\":7}")), ERR_INVALID);
    assert_string_equal(kit.why.field, "id");
    request_kit_done(&kit);
}

static void null_headers_count_as_absent(void **state)
{
    (void)state;
    const struct header list[] = {{SLICE("kafka_replyTopic"), SLICE_NULL},
                                  {SLICE("kafka_replyPartition"), SLICE("x")},
                                  {SLICE("ce_id"), SLICE("")},
                                  {SLICE("ce_expirytime"), SLICE_NULL}};
    struct request_kit kit;
    request_kit_init(&kit);
    set_headers(&kit, list, COUNT_OF(list));
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), OK);
    assert_null(kit.request.reply_topic.ptr);
    assert_slice(kit.request.id, "bedrock.requests-3-42");
    request_kit_done(&kit);
}

static void headers_over_the_limit_are_malformed(void **state)
{
    (void)state;
    static struct header many[HEADERS_MAX + 1];
    static char wide[HEADERS_BYTES_MAX + 1];
    struct request_kit kit;
    request_kit_init(&kit);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct header){SLICE("n"), SLICE("v")};
    set_headers(&kit, many, HEADERS_MAX);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), OK);
    set_headers(&kit, many, COUNT_OF(many));
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), ERR_MALFORMED);
    many[0].value = slice_of(wide, sizeof wide);
    set_headers(&kit, many, 1);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), ERR_MALFORMED);
    request_kit_done(&kit);
}

static void the_earliest_limit_wins(void **state)
{
    (void)state;
    const struct header list[] = {{SLICE("ce_expirytime"), SLICE("2027-01-15T08:00:02Z")}};
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"ttl_ms\":1500}")), OK);
    assert_true(kit.request.expires_wall_ms == KIT_TIME_MS + 1500);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"ttl_ms\":1500,\"expires_at\":"
                                                  "\"2027-01-15T08:00:01.000Z\"}")),
                     OK);
    assert_true(kit.request.expires_wall_ms == KIT_TIME_MS + 1000);
    set_headers(&kit, list, 1);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"ttl_ms\":2500}")), OK);
    assert_true(kit.request.expires_wall_ms == KIT_TIME_MS + 2000);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"ttl_ms\":9223372036854775807}")),
                     OK);
    assert_true(kit.request.expires_wall_ms == KIT_TIME_MS + 2000);
    kit.record.timestamp_type = TIMESTAMP_NONE;
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"ttl_ms\":1}")), ERR_INVALID);
    request_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_headers_topic_and_offset_name_the_request),
        cmocka_unit_test(spring_headers_name_reply_topic_and_partition),
        cmocka_unit_test(invalid_headers_are_rejected),
        cmocka_unit_test(the_value_is_read_although_a_header_or_field_is_invalid),
        cmocka_unit_test(too_many_headers_still_name_the_reply_topic),
        cmocka_unit_test(a_bad_reply_header_fails_only_a_request_without_reply_to),
        cmocka_unit_test(headers_that_were_not_copied_count_as_too_many),
        cmocka_unit_test(a_bad_event_id_fails_only_a_request_without_an_id),
        cmocka_unit_test(null_headers_count_as_absent),
        cmocka_unit_test(headers_over_the_limit_are_malformed),
        cmocka_unit_test(the_earliest_limit_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
