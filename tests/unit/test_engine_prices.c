/* What calls cost, in responses and usage records. */
#include "unit/engine_stream_kit.h"

#define PRICES(in, out, read, write, hour)                                                         \
    {                                                                                              \
        (in), (out), (read), (write), (hour)                                                       \
    }
#define ALWAYS .from_ms = PRICE_ALWAYS, .to_ms = PRICE_FOREVER
#define CACHED_ANSWER                                                                              \
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"hello\"}]}},"       \
    "\"stopReason\":\"end_turn\",\"serviceTier\":{\"type\":\"flex\"},"                             \
    "\"usage\":{\"inputTokens\":9,\"outputTokens\":30,\"totalTokens\":139,"                        \
    "\"cacheReadInputTokens\":60,\"cacheWriteInputTokens\":40,\"cacheDetails\":"                   \
    "[{\"ttl\":\"1h\",\"inputTokens\":15},{\"ttl\":\"5m\",\"inputTokens\":25}]}}"

/* In the order in which they win. */
static struct price_row rows[] = {
    {.model = {"m.1", 3},
     .tier = {"default", 7},
     .context_over = 1000,
     ALWAYS,
     .price = PRICES(6000000, 30000000, PRICE_NONE, PRICE_NONE, PRICE_NONE)},
    {.model = {"m.1", 3},
     .tier = {"default", 7},
     .to_ms = KIT_WALL_MS + 60000,
     .from_ms = PRICE_ALWAYS,
     .price = PRICES(3000000, 15000000, PRICE_NONE, PRICE_NONE, PRICE_NONE)},
    {.model = {"m.1", 3},
     .tier = {"default", 7},
     .from_ms = KIT_WALL_MS + 60000,
     .to_ms = PRICE_FOREVER,
     .price = PRICES(4000000, 15000000, PRICE_NONE, PRICE_NONE, PRICE_NONE)},
    {.model = {"m.1", 3},
     .tier = {"flex", 4},
     ALWAYS,
     .price = PRICES(1000000, 2000000, 100000, 1250000, 2000000)},
    {.model = {"n.*", 3},
     .region = {"global", 6},
     .tier = {"default", 7},
     ALWAYS,
     .price = PRICES(1, 1, PRICE_NONE, PRICE_NONE, PRICE_NONE)},
    {.model = {"n.*", 3},
     .tier = {"default", 7},
     ALWAYS,
     .price = PRICES(2, 2, PRICE_NONE, PRICE_NONE, PRICE_NONE)},
};
static const struct price_table TABLE = {
    .rows = rows, .count = COUNT_OF(rows), .currency = "USD", .version = "2026-08-06-v", .hash = 1};

static struct kit *kit_priced(void)
{
    struct engine_config config = kit_config();
    config.prices = &TABLE;
    return kit_started(&config);
}

static void assert_says_not(const struct kit_text *text, const char *part)
{
    if (strstr(text->value, part) != NULL)
        fail_msg("%s\nis said in\n%s", part, text->value);
}

static void response_and_usage_say_the_same_exact_cost(void **state)
{
    (void)state;
    static const char COST[] =
        "\"cost\":{\"amount\":\"0.000066\",\"currency\":\"USD\",\"prices\":\"2026-08-06-v\","
        "\"parts\":{\"input\":\"0.000021\",\"output\":\"0.000045\",\"cache_read\":\"0\","
        "\"cache_write\":\"0\"}}";
    struct kit *kit = kit_priced();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), COST);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), COST);
    assert_int_equal(kit->logged[LOG_PRICE_MISSING], 0);
    kit_free(kit);
}

static void cached_tokens_cost_by_their_class_in_the_tier_that_served(void **state)
{
    (void)state;
    struct kit *kit = kit_priced();
    kit_request(kit, 0, 0, NULL, ",\"service_tier\":\"priority\"");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "", CACHED_ANSWER);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"service_tier\":\"flex\"");
    /* 9 × 1 + 30 × 2 + 60 × 0.1 + 25 × 1.25 + 15 × 2, a million tokens */
    assert_says(kit_output(kit, OUTPUT_USAGE, 0),
                "\"cost\":{\"amount\":\"0.00013625\",\"currency\":\"USD\",\"prices\":"
                "\"2026-08-06-v\",\"parts\":{\"input\":\"0.000009\",\"output\":\"0.00006\","
                "\"cache_read\":\"0.000006\",\"cache_write\":\"0.00006125\"}}");
    kit_free(kit);
}

static void a_call_without_a_price_has_no_cost_and_one_line_a_minute(void **state)
{
    (void)state;
    struct kit *kit = kit_priced();
    for (int64_t offset = 0; offset < 3; offset++)
        kit_request(kit, 0, offset, NULL, ",\"model\":\"x.1\"");
    kit_request(kit, 0, 3, NULL, ",\"service_tier\":\"reserved\"");
    kit_turn(kit);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_answer(kit, offset);
    kit_settle(kit);
    for (size_t i = 0; i < 4; i++) {
        assert_says_not(kit_output(kit, OUTPUT_USAGE, i), "\"cost\"");
        assert_says_not(kit_output(kit, OUTPUT_RESPONSE, i), "\"cost\"");
    }
    assert_int_equal(kit->logged[LOG_PRICE_MISSING], 1);
    assert_non_null(strstr(kit->words[LOG_PRICE_MISSING], "x.1 in us-east-1, tier default"));
    kit_free(kit);
}

static void tokens_of_a_class_without_a_price_leave_the_cost_out(void **state)
{
    (void)state;
    struct kit *kit = kit_priced();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "",
                    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[]}},"
                    "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":9,\"outputTokens\":30,"
                    "\"totalTokens\":99,\"cacheReadInputTokens\":60}}");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"cache_read_tokens\":60");
    assert_says_not(kit_output(kit, OUTPUT_USAGE, 0), "\"cost\"");
    assert_non_null(strstr(kit->words[LOG_PRICE_MISSING], "(class cache_read, "));
    kit_free(kit);
}

static void an_estimate_has_an_estimated_cost_by_the_tier_of_the_head(void **state)
{
    (void)state;
    struct kit *kit = kit_priced();
    kit_request(kit, 0, 0, NULL, ",\"stream\":true");
    kit_turn(kit);
    engine_call_head(kit->engine, kit_call(kit, 0)->ref, 200,
                     SLICE("HTTP/1.1 200 x\r\ncontent-type: application/vnd.amazon.eventstream\r\n"
                           "X-Amzn-Bedrock-Service-Tier: flex\r\n\r\n"));
    hear(kit, 0, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 0, "once upon a time");
    kit_call_ends(kit, kit_call(kit, 0), OK, true);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"reason\":\"stream_cut\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"service_tier\":\"flex\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"output\":\"0.000008\"");
    kit_free(kit);
}

static void the_price_is_that_of_the_calls_start(void **state)
{
    (void)state;
    struct kit *kit = kit_priced();
    kit_wait(kit, 50000);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_wait(kit, 30000); /* the new price holds, but not for this call */
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"input\":\"0.000021\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"input\":\"0.000028\"");
    kit_free(kit);
}

static void long_input_has_its_own_price(void **state)
{
    (void)state;
    struct kit *kit = kit_priced();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer_with(kit, 0, 200, "",
                    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[]}},"
                    "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":1001,"
                    "\"outputTokens\":1,\"totalTokens\":1002}}");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"amount\":\"0.006036\"");
    kit_free(kit);
}

static void profiles_and_arns_find_the_row_of_their_model(void **state)
{
    (void)state;
    static const struct {
        const char *model, *amount;
    } CASES[] = {
        {"n.one", "\"amount\":\"0.00000000002\""},
        {"us.n.one", "\"amount\":\"0.00000000002\""},
        {"global.n.one", "\"amount\":\"0.00000000001\""},
        {"arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.n.one",
         "\"amount\":\"0.00000000001\""},
        {"arn:aws:bedrock:us-east-1::foundation-model/n.one", "\"amount\":\"0.00000000002\""},
        {"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc\","
         "\"base_model\":\"us.n.one",
         "\"amount\":\"0.00000000002\""},
    };
    struct kit *kit = kit_priced();
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char more[256];
        (void)snprintf(more, sizeof more, ",\"model\":\"%s\"", CASES[i].model);
        kit_request(kit, 0, (int64_t)i, NULL, more);
        kit_turn(kit);
        kit_answer(kit, (int64_t)i);
        kit_settle(kit);
        assert_says(kit_output(kit, OUTPUT_USAGE, i), CASES[i].amount);
    }
    kit_free(kit);
}

static void without_prices_nothing_is_said_of_cost(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says_not(kit_output(kit, OUTPUT_USAGE, 0), "\"cost\"");
    assert_int_equal(kit->logged[LOG_PRICE_MISSING], 0);
    kit_free(kit);
}

static void a_request_keeps_the_prices_of_its_time(void **state)
{
    (void)state;
    static const struct price_table LATER = {
        .rows = rows, .count = 1, .currency = "EUR", .version = "later", .hash = 2};
    struct kit *kit = kit_priced();
    struct engine_config config = kit_config();
    uint32_t number;
    config.prices = &LATER;
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    assert_true(engine_reload(kit->engine, &config, &number));
    kit_request(kit, 0, 1, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_answer_with(kit, 1, 200, "",
                    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[]}},"
                    "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":1001,"
                    "\"outputTokens\":1,\"totalTokens\":1002}}");
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"prices\":\"2026-08-06-v\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"currency\":\"EUR\",\"prices\":\"later\"");
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(response_and_usage_say_the_same_exact_cost),
        cmocka_unit_test(cached_tokens_cost_by_their_class_in_the_tier_that_served),
        cmocka_unit_test(a_call_without_a_price_has_no_cost_and_one_line_a_minute),
        cmocka_unit_test(tokens_of_a_class_without_a_price_leave_the_cost_out),
        cmocka_unit_test(an_estimate_has_an_estimated_cost_by_the_tier_of_the_head),
        cmocka_unit_test(the_price_is_that_of_the_calls_start),
        cmocka_unit_test(long_input_has_its_own_price),
        cmocka_unit_test(profiles_and_arns_find_the_row_of_their_model),
        cmocka_unit_test(without_prices_nothing_is_said_of_cost),
        cmocka_unit_test(a_request_keeps_the_prices_of_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
