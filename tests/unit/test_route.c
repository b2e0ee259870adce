/* Requests that go through the fallbacks of their alias: what moves them, what does not, and that
 * everything about them stays right. */
#include "unit/engine_kit.h"

#include "engine/way.h"
#include "wire/bedrock/dialects.h"

#define CLAUDE "anthropic.claude-3-sonnet-20240229-v1:0"
#define NOVA   "amazon.nova-lite-v1:0"
#define TITAN  "amazon.titan-text-express-v1"
#define ASKS   ",\"model\":\"main\""

enum { MAIN, SPARE, TEXTS, ELSEWHERE, CHAIN };

static const uint32_t TO_SPARE[] = {SPARE}, TO_TEXTS[] = {TEXTS}, TO_ELSEWHERE[] = {ELSEWHERE},
                      TO_ALL[] = {TEXTS, SPARE};

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define FALLBACK(list)                                                                             \
    .fallbacks = (list), .fallback_count = COUNT_OF(list), .fallback_after_ms = 10000
static const struct model_alias ALIASES[] = {
    [MAIN] = {.name = TEXT("main"),
              .id = TEXT(CLAUDE),
              .defaults[PARAMETER_TEMPERATURE] = TEXT("0.25"),
              FALLBACK(TO_SPARE)},
    [SPARE] = {.name = TEXT("spare"),
               .id = TEXT("anthropic.claude-3-haiku-20240307-v1:0"),
               .api = TEXT("invoke"),
               .region = TEXT("eu-west-1"),
               .defaults[PARAMETER_TEMPERATURE] = TEXT("0.75"),
               .defaults[PARAMETER_MAX_TOKENS] = TEXT("512")},
    [TEXTS] = {.name = TEXT("texts"), .id = TEXT(TITAN), .api = TEXT("invoke")},
    [ELSEWHERE] = {.name = TEXT("elsewhere"), .id = TEXT(NOVA), .identity = 1},
    [CHAIN] = {.name = TEXT("chain"), .id = TEXT(CLAUDE), FALLBACK(TO_ALL)},
};

static struct kit *kit_with(const struct model_alias *aliases, size_t count)
{
    struct engine_config config = kit_config();
    config.identity_count = 2;
    config.retry.max_attempts = 100;
    config.retry.max_elapsed_ms = 3600000;
    config.catalog.aliases = aliases;
    config.catalog.alias_count = count;
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    return kit_started(&config);
}

static struct kit *kit_routed(void)
{
    return kit_with(ALIASES, COUNT_OF(ALIASES));
}

static struct kit_call *last_call(struct kit *kit, int64_t offset)
{
    struct kit_call *call = kit_call(kit, offset);
    assert_ptr_equal(call, &kit->calls[call - kit->calls]);
    return call;
}

static bool calls_model(struct kit *kit, int64_t offset, const char *model)
{
    struct slice url = last_call(kit, offset)->request->url;
    char text[512];
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(url));
    return strstr(text, model) != NULL;
}

static void assert_calls(struct kit *kit, int64_t offset, const char *model)
{
    if (!calls_model(kit, offset, model))
        fail_msg("the call is %.*s", SLICE_ARG(last_call(kit, offset)->request->url));
}

static void answer_texts(struct kit *kit, int64_t offset)
{
    kit_answer_with(kit, offset, 200, "content-type: application/json\r\n",
                    "{\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"stop_reason\":\"end_"
                    "turn\",\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}");
}

/* Its next call begins. */
static void next_call(struct kit *kit, int64_t offset)
{
    size_t calls = kit->call_count;
    kit_turn(kit);
    for (int i = 0; i < 3000 && kit->call_count == calls; i++) {
        kit_wait(kit, 10);
        if (kit->has_batch)
            kit_commit(kit);
    }
    (void)kit_call(kit, offset);
}

/* The first choice fails until the request is called elsewhere. */
static void fail_until_moved(struct kit *kit, int64_t offset)
{
    for (int i = 0; i < 60 && calls_model(kit, offset, "sonnet"); i++) {
        kit_fail(kit, offset);
        next_call(kit, offset);
    }
    assert_false(calls_model(kit, offset, "sonnet"));
}

static void go_out(struct kit *kit, int64_t offset)
{
    kit_request(kit, 0, offset, NULL, ASKS);
    kit_turn(kit);
    fail_until_moved(kit, offset);
}

/* ---- what moves a request ---- */

static void a_target_without_answers_for_five_seconds_hands_its_request_on(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    int64_t began_ms = kit->now_ms;
    go_out(kit, 0);
    assert_true(kit->now_ms - began_ms >= 5000);
    assert_true(kit->now_ms - began_ms <= 30000);
    answer_texts(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 1);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, "\"status\":\"ok\",\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\","
                          "\"model_requested\":\"main\"");
    assert_says(response, "\"model\":\"" CLAUDE "\",\"region\":\"us-east-1\",\"status\":500");
    const struct kit_text *usage = kit_output(kit, OUTPUT_USAGE, 0);
    assert_says(usage, "\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\","
                       "\"model_requested\":\"main\",\"region\":\"eu-west-1\",\"api\":\"invoke\"");
    assert_int_equal(kit_count(kit, OUTPUT_USAGE), 1);
    kit_free(kit);
}

static void one_refusal_moves_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_throttle(kit, 0);
    kit_wait(kit, 9000);
    assert_calls(kit, 0, "sonnet");
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    kit_free(kit);
}

static void an_outage_of_less_moves_nothing(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    for (int64_t began_ms = kit->now_ms; kit->now_ms - began_ms < 2000;) {
        assert_calls(kit, 0, "sonnet");
        kit_fail(kit, 0);
        next_call(kit, 0);
    }
    kit_answer(kit, 0);
    kit_wait(kit, 20000);
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 1, "sonnet"); /* the outage is over, however long ago it began */
    kit_free(kit);
}

static void one_failure_is_no_outage_however_long_ago(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_fail(kit, 0);
    kit_wait(kit, 1000); /* the second call runs for long */
    kit_wait(kit, 20000);
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 0, "sonnet");
    assert_calls(kit, 1, "sonnet");
    kit_free(kit);
}

static void requests_that_wait_move_too(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    for (int64_t offset = 1; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_wait(kit, 300);
    size_t moved = 0;
    for (int64_t offset = 1; offset < 5; offset++)
        moved += kit_calls_of(kit, offset) == 1 && calls_model(kit, offset, "haiku");
    assert_true(moved >= 3); /* one may try whether the other answers */
    kit_free(kit);
}

static void an_open_call_is_never_broken_off(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 7, NULL, ASKS);
    kit_turn(kit);
    go_out(kit, 8);
    kit_wait(kit, 60000);
    assert_calls(kit, 7, "sonnet");
    assert_int_equal(kit_calls_of(kit, 7), 1);
    kit_free(kit);
}

/* ---- the way back ---- */

static void one_request_at_a_time_tries_the_first_choice_and_all_return(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    int64_t offset = 1;
    size_t tries = 0;
    for (int i = 0; i < 60; i++, offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_wait(kit, 1000);
        if (calls_model(kit, offset, "sonnet")) {
            tries++;
            kit_fail(kit, offset);
            kit_wait(kit, 1);
            assert_calls(kit, offset, "haiku"); /* it does not wait for its own next try */
        }
        answer_texts(kit, offset);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_true(tries >= 3);
    assert_true(tries <= 60);
    for (bool is_back = false; !is_back; offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_wait(kit, 1000);
        is_back = calls_model(kit, offset, "sonnet");
        if (is_back)
            kit_answer(kit, offset);
        else
            answer_texts(kit, offset);
        assert_true(offset < 200);
        if (kit->has_batch)
            kit_commit(kit);
    }
    for (int64_t end = offset + 5; offset < end; offset++) {
        kit_request(kit, 0, offset, NULL, ASKS);
        kit_turn(kit);
        assert_calls(kit, offset, "sonnet");
        kit_answer(kit, offset);
    }
    kit_free(kit);
}

/* ---- credentials ---- */

static const struct model_alias KEYLESS[] = {
    [MAIN] = {.name = TEXT("main"),
              .id = TEXT("anthropic.claude-3-sonnet-20240229-v1:0"),
              .identity = 1,
              FALLBACK(TO_SPARE)},
    [SPARE] = {.name = TEXT("spare"), .id = TEXT("anthropic.claude-3-haiku-20240307-v1:0")},
};

static void without_credentials_a_request_moves_and_with_them_it_stays(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_wait(kit, 2000);
    assert_int_equal(kit->call_count, 0); /* the look for them has not ended */
    engine_credentials(kit->engine, 1, NULL, SLICE("there is no file"));
    kit_wait(kit, 300);
    assert_calls(kit, 0, "haiku");
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_wait(kit, 300);
    assert_calls(kit, 1, "sonnet");
    kit_free(kit);
}

static void refused_credentials_move_requests(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    struct credentials credentials = {.access_key_id = SLICE("OLD"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    engine_credentials(kit->engine, 1, &credentials, SLICE(""));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 0, "sonnet");
    kit_answer_with(kit, 0, 403, "x-amzn-errortype: ExpiredTokenException\r\n", "{}");
    kit_wait(kit, 1);
    assert_calls(kit, 0, "haiku");
    kit_free(kit);
}

static void where_no_fallback_can_be_called_a_request_stays(void **state)
{
    (void)state;
    static const struct model_alias BOTH[] = {
        [MAIN] = {.name = TEXT("main"), .id = TEXT(CLAUDE), FALLBACK(TO_ELSEWHERE)},
        [ELSEWHERE] = {.name = TEXT("elsewhere"), .id = TEXT(NOVA), .identity = 1}};
    struct kit *kit = kit_with(BOTH, COUNT_OF(BOTH));
    engine_credentials(kit->engine, 0, NULL, SLICE("none"));
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_wait(kit, 60000);
    assert_int_equal(kit->call_count, 0);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 0);
    kit_free(kit);
}

/* ---- the request as another one ---- */

static void assert_body_has(struct kit *kit, int64_t offset, const char *part)
{
    struct slice body = last_call(kit, offset)->request->body;
    if (memmem(body.ptr, body.len, part, strlen(part)) == NULL)
        fail_msg("%s is not in %.*s", part, SLICE_ARG(body));
}

static void the_body_is_that_of_the_other_model_with_its_defaults(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS ",\"top_p\":0.5");
    kit_turn(kit);
    assert_body_has(kit, 0, "\"inferenceConfig\":{\"temperature\":0.25,\"topP\":0.5}");
    fail_until_moved(kit, 0);
    assert_calls(kit, 0, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke");
    assert_body_has(kit, 0, "\"anthropic_version\"");
    assert_body_has(kit, 0, "\"max_tokens\":512");
    assert_body_has(kit, 0, "\"temperature\":0.75");
    assert_body_has(kit, 0, "\"top_p\":0.5");
    struct slice body = last_call(kit, 0)->request->body;
    assert_null(memmem(body.ptr, body.len, "inferenceConfig", 15));
    kit_free(kit);
}

static void explain_says(struct kit *kit, int64_t offset, const char *part)
{
    struct buf json OWNED_BY(buf_done);
    struct explain_query query = {.kind = EXPLAIN_POSITION, .text = KIT_TOPIC, .offset = offset};
    buf_init(&json, 1 << 20);
    engine_explain(kit->engine, &query, &json);
    if (strstr(buf_text(&json), part) == NULL)
        fail_msg("%s is not in %s", part, buf_text(&json));
}

#define TOOLS                                                                                      \
    ",\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\"}}]"

static void a_request_that_a_fallback_cannot_take_stays_and_says_why(void **state)
{
    (void)state;
    static const struct model_alias PAIR[] = {
        [MAIN] = {.name = TEXT("main"), .id = TEXT(CLAUDE), FALLBACK(TO_TEXTS)},
        [TEXTS] = {.name = TEXT("texts"), .id = TEXT(TITAN), .api = TEXT("invoke")}};
    struct kit *kit = kit_with(PAIR, COUNT_OF(PAIR));
    kit_request(kit, 0, 0, NULL, ASKS TOOLS);
    kit_turn(kit);
    for (int i = 0; i < 10; i++) {
        assert_calls(kit, 0, "sonnet");
        kit_fail(kit, 0);
        next_call(kit, 0);
    }
    explain_says(kit, 0, "a fallback cannot take it (texts: tools ");
    kit_request(kit, 0, 1, NULL, ASKS);
    kit_request(kit, 0, 2, NULL, ASKS);
    kit_turn(kit);
    assert_calls(kit, 2, "titan"); /* another one moves */
    explain_says(kit, 2, "it moved from " CLAUDE " because it has answered nothing for seconds");
    explain_says(kit, 2, "\"moved_from\":\"" CLAUDE "\"");
    kit_free(kit);
}

static void the_next_fallback_takes_what_the_first_cannot(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ",\"model\":\"chain\"" TOOLS);
    kit_turn(kit);
    fail_until_moved(kit, 0);
    assert_calls(kit, 0, "haiku");
    kit_free(kit);
}

static void a_fallback_that_rejects_sends_the_request_back_for_good(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    go_out(kit, 0);
    kit_answer_with(kit, 0, 404, "x-amzn-errortype: ResourceNotFoundException\r\n", "{}");
    for (int i = 0; i < 8; i++) {
        next_call(kit, 0);
        assert_calls(kit, 0, "sonnet");
        kit_fail(kit, 0);
    }
    next_call(kit, 0);
    explain_says(kit, 0, "a fallback cannot take it (spare: ");
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"status\":\"ok\",\"model\":\"" CLAUDE "\"");
    kit_free(kit);
}

static void what_the_first_choice_rejects_is_final(void **state)
{
    (void)state;
    struct kit *kit = kit_routed();
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    kit_answer_with(kit, 0, 400, "x-amzn-errortype: ValidationException\r\n", "{}");
    kit_settle(kit);
    assert_int_equal(kit->call_count, 1);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"rejected\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"model_requested\":\"main\"");
    kit_free(kit);
}

/* ---- limits, marks, lines ---- */

static void attempts_and_time_count_over_all_targets(void **state)
{
    (void)state;
    struct engine_config config = kit_config();
    config.catalog.aliases = ALIASES;
    config.catalog.alias_count = COUNT_OF(ALIASES);
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    config.identity_count = 2;
    config.retry.max_attempts = 4;
    config.retry.max_elapsed_ms = 3600000;
    config.retry.transient_base_ms = 20000;
    struct kit *kit = kit_started(&config);
    kit_request(kit, 0, 0, NULL, ASKS);
    kit_turn(kit);
    for (int i = 0; i < 60 && kit_count(kit, OUTPUT_RESPONSE) == 0; i++) {
        if (kit_open_calls(kit) > 0)
            kit_fail(kit, 0);
        kit_wait(kit, 20000);
        if (kit->has_batch)
            kit_commit(kit);
    }
    assert_int_equal(kit->call_count, 4);
    const struct kit_text *response = kit_output(kit, OUTPUT_RESPONSE, 0);
    assert_says(response, "\"status\":\"error\"");
    assert_says(response, "haiku");
    assert_says(response, "\"attempt\":4");
    kit_free(kit);
}

static void a_request_that_moved_keeps_its_time_limit(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    engine_credentials(kit->engine, 0, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ASKS ",\"ttl_ms\":60000,\"id\":\"o-1\"");
    kit_wait(kit, 59000);
    assert_int_equal(kit_count(kit, OUTPUT_RESPONSE), 0);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"id\":\"o-1\",\"status\":\"error\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"code\":\"expired\"");
    kit_free(kit);
}

static void a_pair_has_a_line_at_once_and_then_one_a_minute_with_its_count(void **state)
{
    (void)state;
    struct kit *kit = kit_with(KEYLESS, 2);
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    for (int64_t offset = 0; offset < 5; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_turn(kit);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 1);
    assert_non_null(strstr(kit->words[LOG_REQUEST_MOVED],
                           "1 requests moved from " CLAUDE " in us-east-1 to "
                           "anthropic.claude-3-haiku-20240307-v1:0 in us-east-1"));
    kit_wait(kit, 59000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 1);
    kit_wait(kit, 2000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 2);
    assert_non_null(strstr(kit->words[LOG_REQUEST_MOVED], "4 requests moved from"));
    kit_wait(kit, 120000);
    assert_int_equal(kit->logged[LOG_REQUEST_MOVED], 2);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_without_answers_for_five_seconds_hands_its_request_on),
        cmocka_unit_test(one_refusal_moves_nothing),
        cmocka_unit_test(an_outage_of_less_moves_nothing),
        cmocka_unit_test(one_failure_is_no_outage_however_long_ago),
        cmocka_unit_test(requests_that_wait_move_too),
        cmocka_unit_test(an_open_call_is_never_broken_off),
        cmocka_unit_test(one_request_at_a_time_tries_the_first_choice_and_all_return),
        cmocka_unit_test(without_credentials_a_request_moves_and_with_them_it_stays),
        cmocka_unit_test(refused_credentials_move_requests),
        cmocka_unit_test(where_no_fallback_can_be_called_a_request_stays),
        cmocka_unit_test(the_body_is_that_of_the_other_model_with_its_defaults),
        cmocka_unit_test(a_request_that_a_fallback_cannot_take_stays_and_says_why),
        cmocka_unit_test(the_next_fallback_takes_what_the_first_cannot),
        cmocka_unit_test(a_fallback_that_rejects_sends_the_request_back_for_good),
        cmocka_unit_test(what_the_first_choice_rejects_is_final),
        cmocka_unit_test(attempts_and_time_count_over_all_targets),
        cmocka_unit_test(a_request_that_moved_keeps_its_time_limit),
        cmocka_unit_test(a_pair_has_a_line_at_once_and_then_one_a_minute_with_its_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
