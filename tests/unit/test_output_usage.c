#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/output_kit.h"
#include "unit/output_read.h"
#include "unit/torture.h"

#include <stdio.h>

#define HEAD                                                                                       \
    "{\"specversion\":\"1.0\",\"id\":\"019aab1e-5000-7000-8000-000000000002\",\"source\":"         \
    "\"/bedrock-worker/bedrock-worker\",\"type\":\"bedrock.chat.usage.v1\",\"subject\":"
#define TIME                                                                                       \
    "\"time\":\"2026-11-22T10:00:01.927Z\",\"datacontenttype\":\"application/json\",\"data\":"     \
    "{\"request_id\":\"order-17\",\"call\":\"019aab1e-5000-7000-8000-000000000002\","              \
    "\"attempt\":2,"
#define SOURCE                                                                                     \
    "\"source\":{\"topic\":\"bedrock.requests\",\"partition\":3,\"offset\":42,\"timestamp\":"      \
    "\"2026-11-22T10:00:00.083Z\"}}}"

static struct output *encode(const struct output_kit *kit)
{
    struct output *output = NULL;
    assert_int_equal(output_usage(&kit->context, &kit->usage, &output), OK);
    return output;
}

static void a_usage_record_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.answer.service_tier = SLICE("default");
    struct output *output = encode(&kit);
    assert_int_equal(output->kind, OUTPUT_USAGE);
    assert_text(output->topic, "bedrock.usage");
    assert_text(output->key, "default");
    assert_int_equal(output->partition, -1);
    assert_text(output->value,
                HEAD "\"default\"," TIME
                     "\"final\":true,\"estimated\":false,\"tenant\":\"default\",\"labels\":{},"
                     "\"model\":\"" KIT_MODEL "\",\"model_requested\":\"claude\",\"region\":"
                     "\"us-east-1\",\"api\":\"converse\",\"stream\":false,\"service_tier\":"
                     "\"default\",\"stop_reason\":\"end_turn\",\"bedrock_request_id\":\"req-2\","
                     "\"started_at\":\"2026-11-22T10:00:02.123Z\",\"duration_ms\":701,\"usage\":"
                     "{\"input_tokens\":29,\"output_tokens\":21,\"total_tokens\":50,"
                     "\"cache_read_tokens\":0,\"cache_write_tokens\":0,\"convention\":"
                     "\"langchain\",\"raw\":{\"inputTokens\":29,\"outputTokens\":21,"
                     "\"totalTokens\":50}}," SOURCE);
    output_free(output);
}

static void an_estimated_usage_record_matches_the_golden_one(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit_fail(&kit);
    kit.request.tenant = SLICE("team \"a\"");
    kit.request.labels = SLICE("{\"project\":\"x\"}");
    kit.request.stream = true;
    kit.attempts[1].bedrock_request_id[0] = '\0';
    kit.usage.final = false;
    kit.usage.estimated_reason = "stream_cut";
    kit.usage.counts.raw = SLICE_NULL;
    struct output *output = encode(&kit);
    assert_text(output->key, "team \"a\"");
    assert_text(output->value,
                HEAD "\"team \\\"a\\\"\"," TIME
                     "\"final\":false,\"estimated\":true,\"reason\":\"stream_cut\",\"tenant\":"
                     "\"team \\\"a\\\"\",\"labels\":{\"project\":\"x\"},\"model\":\"" KIT_MODEL
                     "\",\"model_requested\":\"claude\",\"region\":\"us-east-1\",\"api\":"
                     "\"converse\",\"stream\":true,\"started_at\":\"2026-11-22T10:00:02.123Z\","
                     "\"duration_ms\":701,\"usage\":{\"input_tokens\":29,\"output_tokens\":21,"
                     "\"total_tokens\":50,\"cache_read_tokens\":0,\"cache_write_tokens\":0,"
                     "\"convention\":\"langchain\"}," SOURCE);
    output_free(output);
}

static void a_known_cost_stands_behind_the_counts_and_is_in_the_bill(void **state)
{
    (void)state;
    static const char COST[] =
        "\"cost\":{\"amount\":\"0.000402\",\"currency\":\"USD\",\"prices\":"
        "\"2026-08-06-0123456789ab\",\"parts\":{\"input\":\"0.000087\",\"output\":\"0.000315\","
        "\"cache_read\":\"0\",\"cache_write\":\"0\"}}";
    struct output_cost cost = {.cost = KIT_COST};
    output_cost_write(&cost);
    struct output_kit kit;
    kit_init(&kit);
    kit.usage.cost = &cost;
    struct output *output = encode(&kit);
    assert_non_null(memmem(output->value.ptr, output->value.len, COST, sizeof COST - 1));
    assert_true(output->bill.is_priced);
    assert_false(output->bill.is_unpriced);
    assert_int_equal(output->bill.amount, 402000000);
    assert_string_equal(output->bill.currency, "USD");
    output_free(output);
    cost.cost.is_known = false;
    output_cost_write(&cost);
    output = encode(&kit);
    assert_null(memmem(output->value.ptr, output->value.len, "\"cost\"", 6));
    assert_true(output->bill.is_unpriced);
    assert_false(output->bill.is_priced);
    output_free(output);
}

static void a_lost_call_says_whether_it_was_begun_and_not_when(void **state)
{
    (void)state;
    static const char *const BEGUN[] = {"yes", "unknown"};
    struct output_kit kit;
    kit_init(&kit);
    kit.usage.final = false;
    kit.usage.estimated_reason = "worker_lost";
    for (size_t i = 0; i < COUNT_OF(BEGUN); i++) {
        char member[32];
        (void)snprintf(member, sizeof member, "\"begun\":\"%s\"", BEGUN[i]);
        kit.usage.begun = BEGUN[i];
        struct output *output = encode(&kit);
        struct buf text OWNED_BY(buf_done);
        buf_init(&text, 65536);
        buf_add(&text, output->value);
        assert_non_null(strstr(buf_text(&text), member));
        assert_null(strstr(buf_text(&text), "started_at"));
        assert_null(strstr(buf_text(&text), "duration_ms"));
        output_free(output);
    }
}

static void a_record_without_a_timestamp_has_none_in_its_usage(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.record.timestamp_type = TIMESTAMP_NONE;
    struct output *output = encode(&kit);
    assert_true(slice_ends(output->value, SLICE("\"partition\":3,\"offset\":42}}}")));
    output_free(output);
}

static bool has(const struct output *output, struct slice part)
{
    return memmem(output->value.ptr, output->value.len, part.ptr, part.len) != NULL;
}

static void a_usage_record_says_what_the_cost_is_by(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.request.service_tier = SLICE("flex");
    kit.request.base_model = SLICE("amazon.nova-lite-v1:0");
    struct output *output = encode(&kit);
    struct slice middle = SLICE("\"base_model\":\"amazon.nova-lite-v1:0\",\"region\":\"us-east-1\","
                                "\"api\":\"converse\",\"stream\":false,"
                                "\"service_tier_requested\":\"flex\",\"stop_reason\"");
    assert_true(has(output, middle));
    output_free(output);
    kit.answer.service_tier = SLICE("default");
    kit.request.model = SLICE("another that answered in its place");
    output = encode(&kit);
    assert_true(has(output, SLICE("\"service_tier\":\"default\","
                                  "\"service_tier_requested\":\"flex\"")));
    assert_false(has(output, SLICE("base_model")));
    output_free(output);
}

static void a_usage_record_is_a_cloud_event_in_structured_mode(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.globs[0] = SLICE("*");
    struct output *output = encode(&kit);
    assert_int_equal(output->header_count, 1);
    assert_text(header_of(output, "content-type"), "application/cloudevents+json; charset=UTF-8");
    output_free(output);
}

static void a_usage_record_outlives_the_request(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    char tenant[] = "team-a";
    kit.request.tenant = slice_of(tenant, strlen(tenant));
    struct output *output = encode(&kit);
    memset(tenant, 'X', strlen(tenant));
    assert_text(output->key, "team-a");
    output_free(output);
}

static void a_usage_record_over_the_limit_is_rejected(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.context.output_bytes_max = 300;
    struct output *output = NULL;
    assert_int_equal(output_usage(&kit.context, &kit.usage, &output), ERR_TOO_LARGE);
    assert_null(output);
}

static bool encode_once(void *self)
{
    struct output_kit *kit = self;
    struct output *output = NULL;
    enum err err = output_usage(&kit->context, &kit->usage, &output);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    assert_true((err == OK) == (output != NULL));
    output_free(output);
    return err == OK;
}

static void a_usage_record_survives_failed_allocations(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    assert_int_equal(torture(encode_once, &kit), 3);
}

/* ---- calls that two owners may record ---- */

/* Computed by Python's hashlib. */
static void the_id_of_a_lost_call_follows_from_its_request(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    kit.context.group_id = SLICE("orders-group");
    struct lost_call_name name = {.topic = SLICE("bedrock.requests"),
                                  .partition = 3,
                                  .offset = 42,
                                  .timestamp_ms = 1795000000123,
                                  .begun = 2};
    struct uuid id;
    output_lost_call_id(&kit.context, &name, &id);
    assert_text(uuid_slice(&id), "01a1ee56-5e7b-7a63-b63a-fbd183db8798");
    name.timestamp_ms = -1; /* a record without one */
    output_lost_call_id(&kit.context, &name, &id);
    assert_text(uuid_slice(&id), "00000000-0000-7bac-9e31-a9d6ca678491");
}

static void a_record_that_replaces_another_is_the_same_beside(void **state)
{
    (void)state;
    struct output_kit kit;
    kit_init(&kit);
    struct output *output = encode(&kit), *copy = NULL;
    struct uuid id;
    memcpy(id.text, "01a1ee56-5e7b-7a63-b63a-fbd183db8798", UUID_TEXT_LEN);
    assert_int_equal(output_usage_replacing(&kit.context, output, &id, &copy), OK);
    char expected[4096];
    (void)snprintf(expected, sizeof expected, "%.*s,\"replaces\":\"%.*s\"}}",
                   (int)output->value.len - 2, output->value.ptr, SLICE_ARG(uuid_slice(&id)));
    assert_text(copy->value, expected);
    assert_text(copy->key, "default");
    assert_text(copy->topic, "bedrock.usage");
    assert_int_equal(copy->header_count, output->header_count);
    assert_text(copy->headers[0].value, "application/cloudevents+json; charset=UTF-8");
    assert_text(copy->bill.model, KIT_MODEL);
    assert_int_equal(copy->bill.output_tokens, output->bill.output_tokens);
    assert_true(copy->is_replacing);
    output_free(output);
    output_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usage_record_matches_the_golden_one),
        cmocka_unit_test(an_estimated_usage_record_matches_the_golden_one),
        cmocka_unit_test(a_known_cost_stands_behind_the_counts_and_is_in_the_bill),
        cmocka_unit_test(a_lost_call_says_whether_it_was_begun_and_not_when),
        cmocka_unit_test(a_record_without_a_timestamp_has_none_in_its_usage),
        cmocka_unit_test(a_usage_record_says_what_the_cost_is_by),
        cmocka_unit_test(a_usage_record_is_a_cloud_event_in_structured_mode),
        cmocka_unit_test(a_usage_record_outlives_the_request),
        cmocka_unit_test(a_usage_record_over_the_limit_is_rejected),
        cmocka_unit_test(a_usage_record_survives_failed_allocations),
        cmocka_unit_test(the_id_of_a_lost_call_follows_from_its_request),
        cmocka_unit_test(a_record_that_replaces_another_is_the_same_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
