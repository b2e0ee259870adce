#include "unit/unit.h"

#include <stdio.h>

#include "unit/request_kit.h"
#include "unit/torture.h"

#define SEED_SYSTEM                                                                                \
    "You are a helpful assistant that translates English to French. Translate the user sentence."

/* --- the seed page --- */

static void the_seed_page_conversation_is_sent_byte_for_byte(void **state)
{
    (void)state;
    assert_body(
        "{\"model\":\"anthropic.claude-3-sonnet-20240229-v1:0\",\"temperature\":0,"
        "\"max_tokens\":null,\"messages\":[[\"system\",\"" SEED_SYSTEM
        "\"],[\"human\",\"I love programming.\"]]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"I love programming.\"}]}],"
        "\"system\":[{\"text\":\"" SEED_SYSTEM "\"}],\"inferenceConfig\":{\"temperature\":0}}");
}

static const char translated[] =
    "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"I love programming.\"}]}],"
    "\"system\":[{\"text\":\"You are a helpful assistant that translates English to German.\"}]}";

static void the_seed_page_template_is_filled(void **state)
{
    (void)state;
    assert_body(
        "{\"prompt\":{\"template\":\"translate\",\"variables\":{\"input_language\":\"English\","
        "\"output_language\":\"German\",\"input\":\"I love programming.\"}}}",
        translated);
    assert_body(
        "{\"prompt\":{\"template\":[[\"system\",\"You are a helpful assistant that translates "
        "{input_language} to {output_language}.\"],{\"role\":\"human\",\"content\":\"{input}\"}],"
        "\"variables\":{\"input_language\":\"English\",\"output_language\":\"German\","
        "\"input\":\"I love programming.\"}}}",
        translated);
}

/* --- parameters --- */

static void parameters_are_sent_as_they_were_written(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"temperature\":0.10,\"top_p\":1e-1,\"max_tokens\":1024,"
                "\"stop\":[\"a\",\"\\u0062\"]}",
                ASKED
                "],\"inferenceConfig\":{\"maxTokens\":1024,\"temperature\":0.10,\"topP\":1e-1,"
                "\"stopSequences\":[\"a\",\"\\u0062\"]}}");
}

static void a_single_stop_text_becomes_a_list(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"stop\":\"END\"}",
                ASKED "],\"inferenceConfig\":{\"stopSequences\":[\"END\"]}}");
}

static void whole_numbers_are_sent_as_integers(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"max_tokens\":1.024e3,\"top_k\":40.0}",
                ASKED "],\"inferenceConfig\":{\"maxTokens\":1024},"
                      "\"additionalModelRequestFields\":{\"top_k\":40}}");
}

static void null_counts_as_absent(void **state)
{
    (void)state;
    assert_body("{" SAID
                ",\"id\":null,\"temperature\":null,\"top_k\":null,\"stop\":null,\"tools\":null,"
                "\"model_kwargs\":null,\"prompt\":null,\"stream\":null,\"metadata\":null}",
                ASKED "]}");
}

static void additional_fields_keep_their_source_text(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"additional_model_request_fields\":{ \"someThing\" : {\"aB\":1.00} },"
                "\"additional_model_response_field_paths\":[\"/usage\"],"
                "\"request_metadata\":{\"userId\":\"u\\u00e9\"}}",
                ASKED "],\"additionalModelRequestFields\":{ \"someThing\" : {\"aB\":1.00} },"
                      "\"additionalModelResponseFieldPaths\":[\"/usage\"],"
                      "\"requestMetadata\":{\"userId\":\"u\\u00e9\"}}");
}

static void model_kwargs_and_additional_fields_are_merged(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"model_kwargs\":{\"foo_bar\":[1.0]},\"top_k\":5,"
                "\"additional_model_request_fields\":{\"thinking\":{\"budget_tokens\":1e3}}}",
                ASKED "],\"additionalModelRequestFields\":{\"foo_bar\":[1.0],"
                      "\"thinking\":{\"budget_tokens\":1e3},\"top_k\":5}}");
    assert_body("{" SAID ",\"model_kwargs\":{\"foo\": 1 },\"top_k\":5}",
                ASKED "],\"additionalModelRequestFields\":{\"foo\": 1,\"top_k\":5}}");
    assert_refused("{" SAID ",\"top_k\":1,\"additional_model_request_fields\":{\"top_k\":1}}",
                   ERR_INVALID, "top_k");
}

static void known_parameters_in_model_kwargs_become_parameters(void **state)
{
    (void)state;
    assert_body("{" SAID
                ",\"model_kwargs\":{\"temperature\":0,\"stop_sequences\":[\"x\"],\"top_k\":3,"
                "\"max_tokens\":null}}",
                ASKED "],\"inferenceConfig\":{\"temperature\":0,\"stopSequences\":[\"x\"]},"
                      "\"additionalModelRequestFields\":{\"top_k\":3}}");
    assert_refused("{" SAID ",\"temperature\":1,\"model_kwargs\":{\"temperature\":0}}", ERR_INVALID,
                   "model_kwargs.temperature");
    assert_refused("{" SAID ",\"model_kwargs\":{\"max_tokens\":0}}", ERR_INVALID,
                   "model_kwargs.max_tokens");
}

static void invalid_parameters_are_rejected(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value;
    } cases[] = {
        {"temperature", "\"0\""},
        {"temperature", "-0.1"},
        {"temperature", "1e999"},
        {"temperature", "true"},
        {"top_p", "1.01"},
        {"top_p", "-1"},
        {"top_p", "[]"},
        {"top_k", "-1"},
        {"top_k", "1.5"},
        {"top_k", "9223372036854775808"},
        {"max_tokens", "0"},
        {"max_tokens", "-1"},
        {"max_tokens", "1e30"},
        {"max_tokens", "99999999999999999999"},
        {"max_tokens", "\"1\""},
        {"stop", "1"},
        {"stop", "[1]"},
        {"stop", "\"\""},
        {"stop", "[\"a\",\"\"]"},
        {"stop", "[\"\"]"},
        {"stop", "{}"},
        {"stream", "1"},
        {"stream", "\"true\""},
        {"labels", "[]"},
        {"labels", "{\"a\":1}"},
        {"metadata", "\"x\""},
        {"model_kwargs", "[]"},
        {"additional_model_request_fields", "1"},
        {"additional_model_response_field_paths", "{}"},
        {"request_metadata", "{\"a\":1}"},
        {"ttl_ms", "-1"},
        {"ttl_ms", "1.5"},
        {"ttl_ms", "1e19"},
        {"expires_at", "1"},
        {"expires_at", "\"soon\""},
        {"id", "17"},
        {"id", "\"\""},
        {"id", "\"a\\nb\""},
        {"tenant", "\"\""},
        {"tenant", "5"},
        {"priority", "\"urgent\""},
        {"priority", "\"High\""},
        {"priority", "1"},
        {"model", "\"a.b\\u0007\""},
        {"model", "[]"},
        {"api", "\"grpc\""},
        {"reply_to", "1"},
        {"messages", "{}"},
        {"messages", "\"Hi\""},
        {"prompt", "\"Hi\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char value[256];
        snprintf(value, sizeof value, "{%s\"%s\":%s}",
                 strcmp(cases[i].field, "messages") == 0 ? "" : SAID ",", cases[i].field,
                 cases[i].value);
        assert_refused(value, ERR_INVALID, cases[i].field);
    }
}

static void assert_labels(size_t count, size_t value_len, bool is_good)
{
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 1 << 16);
    buf_add_text(&value, "{" SAID ",\"labels\":{");
    for (size_t i = 0; i < count; i++) {
        buf_addf(&value, "%s\"a%zu\":\"", i > 0 ? "," : "", i);
        for (size_t j = 0; j < value_len; j++)
            buf_add_byte(&value, 'x');
        buf_add_byte(&value, '"');
    }
    buf_add_text(&value, "}}");
    if (is_good)
        assert_body(buf_text(&value), ASKED "]}");
    else
        assert_refused(buf_text(&value), ERR_INVALID, "labels");
}

static void too_many_or_too_long_labels_are_rejected(void **state)
{
    (void)state;
    assert_labels(REQUEST_LABELS_MAX, REQUEST_LABEL_MAX, true);
    assert_labels(REQUEST_LABELS_MAX + 1, 0, false);
    assert_labels(1, REQUEST_LABEL_MAX + 1, false);
}

/* --- names --- */

static void unknown_fields_are_named_with_the_nearest_name(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(&kit, SLICE("{\"id\":\"a\",\"message\":[[\"human\",\"Hi\"]]}")),
        ERR_INVALID);
    assert_string_equal(kit.why.field, "message");
    assert_non_null(strstr(kit.why.message, "\"messages\""));
    assert_slice(kit.request.id, "a");
    request_kit_done(&kit);
    assert_refused("{" SAID ",\"temprature\":0}", ERR_INVALID, "temprature");
    assert_refused("{" SAID ",\"colour\":0}", ERR_INVALID, "colour");
    assert_refused("{" SAID ",\"\":0}", ERR_INVALID, "");
}

static void an_api_that_serves_the_model_is_accepted(void **state)
{
    (void)state;
    assert_body("{" SAID ",\"api\":\"auto\"}", ASKED "]}");
    assert_body("{" SAID ",\"api\":\"converse\"}", ASKED "]}");
}

/* --- values that are not requests --- */

static void values_that_are_not_requests_are_malformed(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        "   ",
        "{",
        "[]",
        "null",
        "\"text\"",
        "17",
        "not json",
        "{} {}",
        "{\"id\":\"a\",\"id\":\"b\"}",
        "{\"id\":\"\\u0000\"}",
        "{\"id\":\"\xff\"}",
        ("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
        "<html><body>502</body></html>",
    };
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_refused(values[i], ERR_MALFORMED, "");
}

static void an_error_in_the_json_has_line_and_column(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE("{\n \"id\": x}")), ERR_MALFORMED);
    assert_non_null(strstr(kit.why.message, "invalid JSON at line 2, column 8: expected a value"));
    assert_int_equal(request_kit_read(&kit, SLICE("{\"id\":1,\"id\":2}")), ERR_MALFORMED);
    assert_non_null(
        strstr(kit.why.message, "unsupported JSON at line 1, column 14: duplicate member"));
    request_kit_done(&kit);
}

static void a_tombstone_is_malformed(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE_NULL), ERR_MALFORMED);
    assert_non_null(strstr(kit.why.message, "tombstone"));
    assert_slice(kit.request.id, "bedrock.requests-3-42");
    request_kit_done(&kit);
}

static void a_schema_registry_prefix_is_named(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    const char value[] = "\0\0\0\0\x2a {" SAID "}";
    assert_int_equal(request_kit_read(&kit, slice_of(value, sizeof value - 1)), ERR_MALFORMED);
    assert_string_equal(kit.why.message,
                        "the value begins with the five bytes of a Confluent Schema Registry "
                        "serializer; send plain JSON");
    assert_int_equal(request_kit_read(&kit, slice_of("\0\0\0\0\x2a\x06"
                                                     "abc",
                                                     9)),
                     ERR_MALFORMED);
    assert_null(strstr(kit.why.message, "Confluent"));
    request_kit_done(&kit);
}

static void a_structured_cloud_event_is_rejected_by_its_name(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(&kit, SLICE("{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"t\","
                                     "\"source\":\"s\",\"data\":{" SAID "}}")),
        ERR_MALFORMED);
    assert_non_null(strstr(kit.why.message, "CloudEvent"));
    request_kit_done(&kit);
}

static void a_priority_is_high_normal_or_low(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        enum request_priority priority;
    } cases[] = {{"\"id\":\"x\"", PRIORITY_NORMAL},
                 {"\"priority\":null", PRIORITY_NORMAL},
                 {"\"priority\":\"normal\"", PRIORITY_NORMAL},
                 {"\"priority\":\"high\"", PRIORITY_HIGH},
                 {"\"priority\":\"low\"", PRIORITY_LOW}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char value[256];
        struct request_kit kit;
        (void)snprintf(value, sizeof value, "{" SAID ",%s}", cases[i].member);
        request_kit_init(&kit);
        assert_int_equal(request_kit_read(&kit, slice_of_text(value)), OK);
        assert_int_equal(kit.request.priority, cases[i].priority);
        request_kit_done(&kit);
    }
}

static void a_rejected_request_keeps_the_fields_that_are_valid(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(
        request_kit_read(&kit, SLICE("{\"max_tokens\":0,\"metadata\":{\"order\": 17 },"
                                     "\"tenant\":\"t\",\"id\":\"order-17\",\"reply_to\":"
                                     "\"answers\",\"model\":\"claude\"}")),
        ERR_INVALID);
    assert_string_equal(kit.why.field, "max_tokens");
    assert_slice(kit.request.id, "order-17");
    assert_slice(kit.request.tenant, "t");
    assert_slice(kit.request.metadata, "{\"order\": 17 }");
    assert_slice(kit.request.reply_topic, "answers");
    assert_slice(kit.request.model_requested, "claude");
    assert_slice(kit.request.model, "anthropic.claude-3-sonnet-20240229-v1:0");
    request_kit_done(&kit);
}

static void assert_id(size_t characters, bool is_good)
{
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 1 << 16);
    buf_add_text(&value, "{" SAID ",\"id\":\"");
    for (size_t i = 0; i < characters; i++)
        buf_add_text(&value, "\xc3\xa9");
    buf_add_text(&value, "\"}");
    if (is_good)
        assert_body(buf_text(&value), ASKED "]}");
    else
        assert_refused(buf_text(&value), ERR_INVALID, "id");
}

static void an_id_has_at_most_128_characters(void **state)
{
    (void)state;
    assert_id(REQUEST_ID_MAX, true);
    assert_id(REQUEST_ID_MAX + 1, false);
}

/* --- memory --- */

static bool read_once(void *self)
{
    struct request_kit kit;
    request_kit_init(&kit);
    enum err err = request_kit_read(&kit, slice_of_text(self));
    if (err != OK)
        assert_int_equal(err, ERR_NO_MEMORY);
    request_kit_done(&kit);
    return err == OK;
}

static void reading_survives_failed_allocations(void **state)
{
    (void)state;
    char value[] = "{\"id\":\"\\u00e9\",\"messages\":[[\"system\",\"\\n.\"],{\"type\":\"human\","
                   "\"content\":[\"a\\n\","
                   "{\"type\":\"text\",\"text\":\"b\"},{\"image\":{}}]},[\"ai\",[{\"type\":"
                   "\"reasoning_content\","
                   "\"reasoning_content\":{\"text\":\"t\",\"signature\":\"s\"}},\"x \"]]],"
                   "\"stop\":\"x\",\"top_k\":1.0,\"model_kwargs\":{\"a\":1},"
                   "\"additional_model_request_fields\":{\"b\":1},\"labels\":{\"l\":\"\\n\"}}";
    char prompt[] =
        "{\"prompt\":{\"template\":\"translate\",\"variables\":{\"input_language\":\"\\n\","
        "\"output_language\":\"b\",\"input\":\"c\"}}}";
    assert_true(torture(read_once, value) > 0);
    assert_true(torture(read_once, prompt) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_page_conversation_is_sent_byte_for_byte),
        cmocka_unit_test(the_seed_page_template_is_filled),
        cmocka_unit_test(parameters_are_sent_as_they_were_written),
        cmocka_unit_test(a_single_stop_text_becomes_a_list),
        cmocka_unit_test(whole_numbers_are_sent_as_integers),
        cmocka_unit_test(null_counts_as_absent),
        cmocka_unit_test(additional_fields_keep_their_source_text),
        cmocka_unit_test(model_kwargs_and_additional_fields_are_merged),
        cmocka_unit_test(known_parameters_in_model_kwargs_become_parameters),
        cmocka_unit_test(invalid_parameters_are_rejected),
        cmocka_unit_test(too_many_or_too_long_labels_are_rejected),
        cmocka_unit_test(unknown_fields_are_named_with_the_nearest_name),
        cmocka_unit_test(an_api_that_serves_the_model_is_accepted),
        cmocka_unit_test(values_that_are_not_requests_are_malformed),
        cmocka_unit_test(an_error_in_the_json_has_line_and_column),
        cmocka_unit_test(a_tombstone_is_malformed),
        cmocka_unit_test(a_schema_registry_prefix_is_named),
        cmocka_unit_test(a_structured_cloud_event_is_rejected_by_its_name),
        cmocka_unit_test(a_priority_is_high_normal_or_low),
        cmocka_unit_test(a_rejected_request_keeps_the_fields_that_are_valid),
        cmocka_unit_test(an_id_has_at_most_128_characters),
        cmocka_unit_test(reading_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
