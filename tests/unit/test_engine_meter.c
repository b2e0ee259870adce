/* What the engine counts for metrics, and what a scrape reads of it. */
#include "unit/engine_stream_kit.h"

#include "telemetry/metrics.h"

#define PROFILE(number) "arn:aws:bedrock:eu-west-" number ":123456789012:inference-profile/x."

static struct price_row priced[] = {
    {.model = {"m.*", 3},
     .tier = {"default", 7},
     .from_ms = PRICE_ALWAYS,
     .to_ms = PRICE_FOREVER,
     .price = {3000000, 15000000, PRICE_NONE, PRICE_NONE, PRICE_NONE}},
};
static const struct price_table PRICES = {
    .rows = priced, .count = 1, .currency = "USD", .version = "v", .hash = 1};

/* With partition 0, the alias `m`, metrics, and a price of m.1. */
static struct kit *kit_metered(void)
{
    static const uint32_t FALLBACKS[] = {0};
    static const struct model_alias ALIASES[] = {
        {.name = {"m", 1}, .id = {"m.1", 3}},
        {.name = {"n", 1},
         .id = {"m.2", 3},
         .identity = 1,
         .fallbacks = FALLBACKS,
         .fallback_count = 1,
         .fallback_after_ms = 10000},
    };
    struct engine_config config = kit_config();
    int64_t live = memory_live();
    config.metrics = metrics_new();
    assert_non_null(config.metrics);
    config.catalog.aliases = ALIASES;
    config.catalog.alias_count = COUNT_OF(ALIASES);
    config.prices = &PRICES;
    config.identity_count = 2;
    struct kit *kit = kit_started(&config);
    kit->live_before = live;
    return kit;
}

static int64_t value_of(struct kit *kit, enum metric metric, const char *first, const char *second)
{
    const struct slice labels[] = {slice_of_text(first), slice_of_text(second)};
    metrics_begin_scrape(kit->config.metrics);
    engine_meter_gauges(kit->engine);
    return metrics_value(kit->config.metrics, metric, labels);
}

/* The lines of a scrape; the caller frees it. */
static char *scrape(struct kit *kit)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1 << 20);
    metrics_begin_scrape(kit->config.metrics);
    engine_meter_gauges(kit->engine);
    metrics_print(kit->config.metrics, &text);
    return kit_copy(buf_slice(&text));
}

static int64_t tokens_of(struct kit *kit, const char *model, const char *kind)
{
    return value_of(kit, METRIC_TOKENS, model, kind);
}

static void usage_counts_when_it_is_committed(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    assert_int_equal(value_of(kit, METRIC_USAGE_RECORDS, "exact", ""), 0);
    assert_int_equal(value_of(kit, METRIC_USAGE_UNPUBLISHED, "", ""), 10);
    kit_make(kit);
    kit_batch_ends(kit, BATCH_ABORTED);
    assert_int_equal(value_of(kit, METRIC_USAGE_RECORDS, "exact", ""), 0);
    assert_int_equal(value_of(kit, METRIC_USAGE_UNPUBLISHED, "", ""), 10);
    assert_int_equal(value_of(kit, METRIC_BATCHES, "aborted", ""), 1);
    kit_settle(kit);
    assert_int_equal(value_of(kit, METRIC_USAGE_RECORDS, "exact", ""), 1);
    assert_int_equal(value_of(kit, METRIC_USAGE_UNPUBLISHED, "", ""), 0);
    assert_int_equal(tokens_of(kit, "m.1", "input"), 7);
    assert_int_equal(tokens_of(kit, "m.1", "output"), 3);
    assert_int_equal(value_of(kit, METRIC_BATCHES, "committed", ""), 1);
    kit_free(kit);
}

static void cost_counts_when_it_is_committed_and_so_does_its_lack(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    char *text = scrape(kit);
    assert_non_null(strstr(text, "unpriced_calls_total 0\n"));
    free(text);
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, ",\"model\":\"x.1\"");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_answer(kit, 1);
    assert_int_equal(value_of(kit, METRIC_COST, "USD", "m.1"), 0);
    kit_settle(kit);
    assert_int_equal(value_of(kit, METRIC_COST, "USD", "m.1"), 66000);
    assert_int_equal(value_of(kit, METRIC_UNPRICED, "", ""), 1);
    text = scrape(kit);
    assert_non_null(strstr(text, "cost_total{currency=\"USD\",model=\"m.1\"} 0.000066000\n"));
    free(text);
    kit_free(kit);
}

static void an_estimate_counts_under_its_reason(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    kit_request(kit, 0, 0, NULL, ",\"stream\":true");
    kit_turn(kit);
    cut_stream(kit, 0);
    kit_settle(kit);
    assert_int_equal(value_of(kit, METRIC_USAGE_RECORDS, "stream_cut", ""), 1);
    assert_int_equal(value_of(kit, METRIC_USAGE_RECORDS, "exact", ""), 0);
    kit_free(kit);
}

static void the_backlog_counts_what_has_no_outcome_and_the_lag_waits_for_the_front(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    assert_int_equal(value_of(kit, METRIC_BACKLOG, "requests", "0"), 0); /* the end is unknown */
    engine_partition_high(kit->engine, kit->tenures[0], 10);
    for (int64_t offset = 0; offset < 4; offset++)
        kit_request(kit, 0, offset, NULL, "");
    kit_turn(kit);
    assert_int_equal(value_of(kit, METRIC_BACKLOG, "requests", "0"), 10);
    for (int64_t offset = 1; offset < 4; offset++)
        kit_answer(kit, offset);
    kit_settle(kit);
    assert_int_equal(value_of(kit, METRIC_BACKLOG, "requests", "0"), 7);
    assert_int_equal(value_of(kit, METRIC_COMMIT_LAG, "requests", "0"), 10);
    assert_true(value_of(kit, METRIC_MAP_RATIO, "requests", "0") > 0);
    kit_answer(kit, 0);
    kit_settle(kit);
    assert_int_equal(value_of(kit, METRIC_BACKLOG, "requests", "0"), 6);
    assert_int_equal(value_of(kit, METRIC_COMMIT_LAG, "requests", "0"), 6);
    assert_int_equal(value_of(kit, METRIC_MAP_RATIO, "requests", "0"), 0);
    kit_free(kit);
}

static void markers_at_the_end_of_the_log_are_no_backlog(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_answer(kit, 0);
    engine_partition_end(kit->engine, kit->tenures[0], 3);
    engine_partition_high(kit->engine, kit->tenures[0], 3);
    kit_settle(kit);
    assert_int_equal(value_of(kit, METRIC_BACKLOG, "requests", "0"), 0);
    assert_int_equal(value_of(kit, METRIC_COMMIT_LAG, "requests", "0"), 0);
    kit_free(kit);
}

static void invented_models_and_regions_are_other(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    char more[128];
    for (int64_t offset = 0; offset < 10; offset++) {
        (void)snprintf(more, sizeof more, ",\"model\":\"" PROFILE("%d") "%d\"", (int)offset,
                       (int)offset);
        kit_request(kit, 0, offset, NULL, more);
    }
    kit_turn(kit);
    for (int64_t offset = 0; offset < 10; offset++)
        kit_answer_with(kit, offset, 400, "x-amzn-errortype: ValidationException\r\n",
                        "{\"message\":\"no\"}");
    kit_settle(kit);
    char *text = scrape(kit);
    assert_non_null(strstr(text, "calls_total{model=\"other\",region=\"other\","
                                 "outcome=\"rejected\"} 10\n"));
    assert_null(strstr(text, "x.1"));
    assert_null(strstr(text, "eu-west-1"));
    free(text);
    kit_free(kit);
}

static void a_model_that_answers_has_its_own_label(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    kit_request(kit, 0, 0, NULL, ",\"model\":\"" PROFILE("1") "1\"");
    kit_turn(kit);
    kit_answer(kit, 0);
    kit_settle(kit);
    char *text = scrape(kit);
    assert_non_null(strstr(
        text, "calls_total{model=\"" PROFILE("1") "1\",region=\"eu-west-1\",outcome=\"ok\"} 1\n"));
    assert_int_equal(tokens_of(kit, PROFILE("1") "1", "input"), 7);
    free(text);
    kit_free(kit);
}

static void the_end_of_the_credentials_shows_if_they_end(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = KIT_WALL_MS + 500};
    char *text = scrape(kit);
    assert_null(strstr(text, "\nbedrock_worker_credentials_expiry_timestamp_seconds "));
    free(text);
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
    text = scrape(kit);
    assert_non_null(
        strstr(text, "\nbedrock_worker_credentials_expiry_timestamp_seconds 1795000000.500\n"));
    free(text);
    kit_free(kit);
}

/* What io sets: tests/kafka/test_metrics.py sees these from a real worker. */
static bool is_of_io(enum metric metric)
{
    return metric == METRIC_EVENTS || metric == METRIC_REBALANCES || metric == METRIC_LOOP_STALL ||
           metric == METRIC_BUILD_INFO || metric == METRIC_SETTINGS_RELOAD ||
           metric == METRIC_SPANS || *metric_prefix(metric) == '\0';
}

static bool shows(const char *text, enum metric metric)
{
    char line[128];
    for (const char *ends = "{ _"; *ends != '\0'; ends++) {
        (void)snprintf(line, sizeof line, "\n%s%s%c", metric_prefix(metric), metric_name(metric),
                       *ends);
        if (strstr(text, line) != NULL)
            return true;
    }
    return false;
}

static void a_request_that_moves_counts_once_with_both_models(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    kit_request(kit, 0, 0, NULL, ",\"model\":\"n\"");
    kit_turn(kit);
    kit_answer(kit, 0);
    const struct slice labels[] = {SLICE("m.2"), SLICE("m.1"), SLICE("credentials")};
    assert_int_equal(metrics_value(kit->config.metrics, METRIC_REQUESTS_MOVED, labels), 1);
    kit_free(kit);
}

static void waiting_requests_and_tenants_show_by_priority(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    for (int64_t offset = 0; offset < 40; offset++)
        kit_request(kit, 0, offset, NULL, offset % 2 == 0 ? ",\"tenant\":\"a\"" : "");
    kit_request(kit, 0, 40, NULL, ",\"priority\":\"low\"");
    free(scrape(kit));
    static const struct {
        struct slice priority;
        int64_t requests, tenants;
    } cases[] = {{{"high", 4}, 0, 0}, {{"normal", 6}, 40, 2}, {{"low", 3}, 1, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct metrics *metrics = kit->config.metrics;
        assert_int_equal(metrics_value(metrics, METRIC_REQUESTS_WAITING, &cases[i].priority),
                         cases[i].requests);
        assert_int_equal(metrics_value(metrics, METRIC_TENANTS_WAITING, &cases[i].priority),
                         cases[i].tenants);
    }
    kit_free(kit);
}

/* Per minute; a token limit is not known. */
static void a_scrape_says_what_a_quota_allows(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    kit->engine->config.start_per_second = 1000;
    kit_request(kit, 0, 0, NULL, ",\"model\":\"m\"");
    kit_turn(kit);
    char *text = scrape(kit);
    assert_non_null(
        strstr(text, "quota_rate{model=\"m.1\",region=\"us-east-1\",kind=\"requests\"} 60000\n"));
    assert_null(strstr(text, "kind=\"tokens\"}"));
    assert_non_null(strstr(text, "quota_wait_seconds{model=\"m.1\",region=\"us-east-1\"} 0\n"));
    free(text);
    kit_free(kit);
}

static void every_metric_of_the_list_is_fed(void **state)
{
    (void)state;
    struct kit *kit = kit_metered();
    kit->engine->config.start_per_second = 1000;
    engine_credentials(kit->engine, 1, NULL, SLICE("none"));
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = KIT_WALL_MS + 86400000};
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
    kit_request(kit, 0, 0, NULL, "");
    kit_request(kit, 0, 1, NULL, ",\"stream\":true");
    kit_wait(kit, 5);
    kit_answer(kit, 0);
    hear_head(kit, 1);
    hear(kit, 1, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, 1, "once");
    hear_end(kit, 1);
    kit_call_ends(kit, kit_call(kit, 1), OK, true);
    kit_settle(kit);
    engine_partition_high(kit->engine, kit->tenures[0], 5);
    kit_request(kit, 0, 2, NULL, "");
    kit_request(kit, 0, 3, NULL, ",\"model\":\"n\"");
    kit_turn(kit);
    char *text = scrape(kit);
    for (enum metric metric = 0; metric < METRIC_COUNT; metric++)
        if (!is_of_io(metric) && !shows(text, metric))
            fail_msg("nothing feeds %s", metric_name(metric));
    free(text);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_counts_when_it_is_committed),
        cmocka_unit_test(cost_counts_when_it_is_committed_and_so_does_its_lack),
        cmocka_unit_test(an_estimate_counts_under_its_reason),
        cmocka_unit_test(the_backlog_counts_what_has_no_outcome_and_the_lag_waits_for_the_front),
        cmocka_unit_test(markers_at_the_end_of_the_log_are_no_backlog),
        cmocka_unit_test(invented_models_and_regions_are_other),
        cmocka_unit_test(a_model_that_answers_has_its_own_label),
        cmocka_unit_test(the_end_of_the_credentials_shows_if_they_end),
        cmocka_unit_test(a_request_that_moves_counts_once_with_both_models),
        cmocka_unit_test(waiting_requests_and_tenants_show_by_priority),
        cmocka_unit_test(a_scrape_says_what_a_quota_allows),
        cmocka_unit_test(every_metric_of_the_list_is_fed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
