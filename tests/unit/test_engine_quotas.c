/* Known quotas in the engine: which row holds, what calls cost, a day's tokens, shares. */
#include "unit/engine_kit.h"

#include "wire/bedrock/dialects.h"

#define STEP_MS   50
#define MINUTE_MS 60000
#define HOUR_MS   3600000LL
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define USAGE(usage)                                                                               \
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"hello\"}]}},"       \
    "\"stopReason\":\"end_turn\",\"usage\":{" usage "},\"metrics\":{\"latencyMs\":5}}"

/* A worker whose requests never end, and a service that answers at once. */
struct load {
    struct kit *kit;
    const char *answer, *more;
    int64_t next_offset;
    size_t begun;
};

static void serve(struct load *load)
{
    struct kit *kit = load->kit;
    for (size_t i = 0; i < kit->call_count; i++) {
        if (!kit->calls[i].is_open)
            continue;
        load->begun++;
        kit_answer_with(kit, kit->calls[i].offset, 200, "content-type: application/json\r\n",
                        load->answer);
    }
    kit->call_count = 0;
    for (size_t i = 0; i < kit->output_count; i++) {
        free(kit->outputs[i].topic);
        free(kit->outputs[i].value);
    }
    kit->output_count = 0;
}

/* How many calls begin within this time. */
static size_t run(struct load *load, int64_t ms, int64_t step_ms)
{
    struct kit *kit = load->kit;
    size_t before = load->begun;
    for (int64_t passed_ms = 0; passed_ms < ms; passed_ms += step_ms) {
        while (engine_room(kit->engine, kit->tenures[0]) > 0)
            kit_request(kit, 0, load->next_offset++, NULL, load->more);
        kit_time(kit, step_ms);
        kit_turn(kit);
        serve(load);
        if (kit->has_batch)
            kit_commit(kit);
    }
    return load->begun - before;
}

static struct load load_of(const struct quota_row *rows, size_t count)
{
    struct engine_config config = kit_config();
    config.quotas = (struct quota_rows){rows, count};
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.max_held = 20;
    return (struct load){.kit = kit_started(&config), .answer = KIT_ANSWER, .more = ""};
}

static void a_known_quota_of_requests_is_spent_and_not_exceeded(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("m.*"), .requests_per_minute = 120, .share = 1, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    (void)run(&load, MINUTE_MS, STEP_MS);
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 116, 120);
    kit_free(load.kit);
}

static void the_group_has_its_share_of_the_account(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("m.*"), .requests_per_minute = 120, .share = 0.5, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    (void)run(&load, MINUTE_MS, STEP_MS);
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 57, 60);
    kit_free(load.kit);
}

static void a_row_is_for_its_model_and_region(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("other.*"), .requests_per_minute = 6, .share = 1},
        {.model = TEXT("m.*"), .region = TEXT("eu-west-1"), .requests_per_minute = 6, .share = 1},
        {.model = TEXT("m.*"), .region = TEXT("us-east-1"), .requests_per_minute = 60, .share = 1},
    };
    struct load load = load_of(rows, 3);
    (void)run(&load, MINUTE_MS, STEP_MS);
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 57, 60);
    kit_free(load.kit);
}

/* Input 10 and output 20 * 5: 110 each, of which 80 was read from a cache and counts for nothing.
 */
static void tokens_count_as_bedrock_counts_them(void **state)
{
    (void)state;
    const struct quota_row rows[] = {{.model = TEXT("m.*"),
                                      .tokens_per_minute = 11000,
                                      .burndown = 5,
                                      .share = 1,
                                      .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    load.more = ",\"max_tokens\":40";
    load.answer = USAGE("\"inputTokens\":10,\"outputTokens\":20,\"cacheReadInputTokens\":80,"
                        "\"totalTokens\":110");
    (void)run(&load, 2 * MINUTE_MS, STEP_MS);
    assert_in_range(run(&load, 2 * MINUTE_MS, STEP_MS), 192, 200);
    kit_free(load.kit);
}

static void absurd_usage_does_not_stop_a_model(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("m.*"), .tokens_per_minute = 60000, .share = 1, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    load.more = ",\"max_tokens\":100";
    (void)run(&load, MINUTE_MS, STEP_MS);
    load.answer = USAGE("\"inputTokens\":1000000000,\"outputTokens\":1000000000,"
                        "\"totalTokens\":2000000000");
    while (run(&load, STEP_MS, STEP_MS) == 0)
        ;
    load.answer = KIT_ANSWER;
    (void)run(&load, MINUTE_MS, STEP_MS);
    assert_true(run(&load, MINUTE_MS, STEP_MS) > 500);
    kit_free(load.kit);
}

static void a_request_over_the_quota_is_called_alone_and_logged(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("m.*"), .tokens_per_minute = 6000, .share = 1, .burst_ms = 10000}};
    struct load load = load_of(rows, 1);
    load.more = ",\"max_tokens\":7000";
    assert_true(run(&load, 2 * MINUTE_MS, STEP_MS) > 3);
    assert_in_range(load.kit->logged[LOG_REQUEST_OVER_QUOTA], 1, 3);
    assert_non_null(strstr(load.kit->words[LOG_REQUEST_OVER_QUOTA], "max_tokens 7000 of m.1"));
    kit_free(load.kit);
}

/* What a call reserves, as the line about a request over the quota says it. */
static void assert_reserves(const char *more, const char *words)
{
    const struct quota_row rows[] = {
        {.model = TEXT("*"), .tokens_per_minute = 10, .share = 1, .burst_ms = 10000}};
    struct load load = load_of(rows, 1);
    kit_request(load.kit, 0, 0, NULL, more);
    kit_wait(load.kit, 2 * MINUTE_MS);
    if (strstr(load.kit->words[LOG_REQUEST_OVER_QUOTA], words) == NULL)
        fail_msg("%s: %s", more, load.kit->words[LOG_REQUEST_OVER_QUOTA]);
    kit_free(load.kit);
}

static void what_a_request_does_not_limit_is_reserved_as_its_models_longest_answer(void **state)
{
    (void)state;
    assert_reserves(",\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\",\"max_tokens\":77",
                    "max_tokens 77 of ");
    assert_reserves(",\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\"", "max_tokens 4096 of ");
    assert_reserves(",\"model\":\"us.anthropic.claude-sonnet-4-20250514-v1:0\"",
                    "max_tokens 64000 of ");
    /* InvokeModel's body names a limit. */
    assert_reserves(",\"model\":\"us.anthropic.claude-sonnet-4-20250514-v1:0\",\"api\":\"invoke\"",
                    "max_tokens 1024 of ");
}

/* An ARN says no model; base_model does. Output 20 * 5 and input 10 each. */
static void the_burndown_is_that_of_the_base_model(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("arn:*"), .tokens_per_minute = 11000, .share = 1, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    load.more = ",\"model\":\"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/"
                "abc\",\"base_model\":\"anthropic.claude-sonnet-4-20250514-v1:0\","
                "\"max_tokens\":40";
    load.answer = USAGE("\"inputTokens\":10,\"outputTokens\":20,\"totalTokens\":30");
    (void)run(&load, 2 * MINUTE_MS, STEP_MS);
    assert_in_range(run(&load, 2 * MINUTE_MS, STEP_MS), 192, 200);
    kit_free(load.kit);
}

static void assert_status_says(struct kit *kit, const char *words)
{
    struct buf status OWNED_BY(buf_done);
    buf_init(&status, 65536);
    buf_add_byte(&status, '{');
    engine_status(kit->engine, &status);
    assert_non_null(strstr(buf_text(&status), words));
}

static void what_a_day_may_spend_is_not_exceeded(void **state)
{
    (void)state;
    const struct quota_row rows[] = {{.model = TEXT("m.*"),
                                      .tokens_per_minute = 6000,
                                      .tokens_per_day = 2000,
                                      .share = 1,
                                      .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    load.more = ",\"max_tokens\":40";
    size_t first = run(&load, HOUR_MS, 1000);
    assert_in_range(first, 190, 200); /* of 10 tokens */
    assert_int_equal(run(&load, 22 * HOUR_MS, 2000), 0);
    assert_true(load.kit->logged[LOG_DAY_QUOTA_SPENT] >= 1);
    assert_non_null(strstr(load.kit->words[LOG_DAY_QUOTA_SPENT], "m.1: the 2000 tokens"));
    assert_status_says(load.kit, "\"quota_tokens_per_day\":2000,");
    assert_status_says(load.kit, "the next day of their target's quota");
    assert_in_range(run(&load, 3 * HOUR_MS, 1000), 190, 200);
    kit_free(load.kit);
}

static void a_reload_changes_the_pace_at_once(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("m.*"), .requests_per_minute = 60, .share = 1, .burst_ms = 0}};
    const struct quota_row more[] = {
        {.model = TEXT("m.*"), .requests_per_minute = 240, .share = 1, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    struct engine_config config = load.kit->config;
    uint32_t number;
    (void)run(&load, MINUTE_MS, STEP_MS);
    config.quotas = (struct quota_rows){more, 1};
    assert_true(engine_reload(load.kit->engine, &config, &number));
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 230, 241);
    kit_free(load.kit);
}

/* ---- shares ---- */

static void the_share_follows_the_groups_lag(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("m.*"), .requests_per_minute = 240, .share = 1, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    (void)run(&load, MINUTE_MS, STEP_MS);
    engine_group_looked(load.kit->engine,
                        &(struct group_look){.mine_busy = 1, .all_busy = 4, .all_done = -1});
    (void)run(&load, 5000, STEP_MS);
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 57, 60);
    assert_status_says(load.kit, "\"quota_requests_per_minute\":60,");
    assert_status_says(load.kit, "\"quota_share\":0.250");
    engine_group_looked(
        load.kit->engine,
        &(struct group_look){
            .mine_busy = 1, .all_busy = 1, .all_idle = 3, .mine_done = 0, .all_done = 0});
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 228, 240);
    kit_free(load.kit);
}

static void a_new_model_has_the_present_share(void **state)
{
    (void)state;
    const struct quota_row rows[] = {
        {.model = TEXT("*"), .requests_per_minute = 240, .share = 1, .burst_ms = 0}};
    struct load load = load_of(rows, 1);
    engine_group_looked(load.kit->engine,
                        &(struct group_look){.mine_busy = 1, .all_busy = 4, .all_done = -1});
    load.more = ",\"model\":\"n.2\"";
    (void)run(&load, MINUTE_MS, STEP_MS);
    assert_in_range(run(&load, MINUTE_MS, STEP_MS), 57, 60);
    kit_free(load.kit);
}

static void looks_are_wanted_when_a_quota_is_known(void **state)
{
    (void)state;
    const struct quota_row known[] = {
        {.model = TEXT("m.1"), .requests_per_minute = 60, .share = 1, .burst_ms = 0}};
    const struct quota_row nothing[] = {{.model = TEXT("m.1"), .burndown = 2, .share = 1}};
    struct load load = load_of(known, 1);
    assert_true(engine_wants_group(load.kit->engine));
    kit_free(load.kit);
    load = load_of(nothing, 1);
    assert_false(engine_wants_group(load.kit->engine));
    kit_request(load.kit, 0, 1, NULL, "");
    kit_turn(load.kit);
    assert_false(engine_wants_group(load.kit->engine));
    kit_free(load.kit);
}

static void a_refused_model_wants_looks_too(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    for (int64_t offset = 0; offset < 16; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    for (int64_t offset = 0; offset < 12; offset++)
        kit_answer(kit, offset);
    assert_false(engine_wants_group(kit->engine));
    for (int64_t offset = 12; offset < 16; offset++) /* fewer may be chance */
        kit_throttle(kit, offset);
    assert_true(engine_wants_group(kit->engine));
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_quota_of_requests_is_spent_and_not_exceeded),
        cmocka_unit_test(the_group_has_its_share_of_the_account),
        cmocka_unit_test(a_row_is_for_its_model_and_region),
        cmocka_unit_test(tokens_count_as_bedrock_counts_them),
        cmocka_unit_test(absurd_usage_does_not_stop_a_model),
        cmocka_unit_test(a_request_over_the_quota_is_called_alone_and_logged),
        cmocka_unit_test(what_a_request_does_not_limit_is_reserved_as_its_models_longest_answer),
        cmocka_unit_test(the_burndown_is_that_of_the_base_model),
        cmocka_unit_test(what_a_day_may_spend_is_not_exceeded),
        cmocka_unit_test(a_reload_changes_the_pace_at_once),
        cmocka_unit_test(the_share_follows_the_groups_lag),
        cmocka_unit_test(a_new_model_has_the_present_share),
        cmocka_unit_test(looks_are_wanted_when_a_quota_is_known),
        cmocka_unit_test(a_refused_model_wants_looks_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
