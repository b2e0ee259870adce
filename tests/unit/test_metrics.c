#include "unit/unit.h"

#include <stdio.h>

#include "base/memory.h"
#include "telemetry/metrics.h"

static char *text_of(struct metrics *metrics, struct buf *buf)
{
    buf_init(buf, 16 << 20);
    metrics_print(metrics, buf);
    assert_int_equal(buf->failed, OK);
    return (char *)(uintptr_t)buf_text(buf);
}

static void a_counter_adds_up_for_each_set_of_labels(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct buf buf OWNED_BY(buf_done);
    struct slice one = SLICE("a.requests"), two = SLICE("b.requests");
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &one, 1);
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &two, 2);
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &one, 3);
    assert_int_equal(metrics_value(metrics, METRIC_REQUESTS_TAKEN, &one), 4);
    assert_non_null(strstr(text_of(metrics, &buf),
                           "# HELP bedrock_worker_requests_taken_total Requests taken from Kafka.\n"
                           "# TYPE bedrock_worker_requests_taken_total counter\n"
                           "bedrock_worker_requests_taken_total{topic=\"a.requests\"} 4\n"
                           "bedrock_worker_requests_taken_total{topic=\"b.requests\"} 2\n"));
    metrics_free(metrics);
}

static void a_gauge_shows_only_what_the_last_scrape_set(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct buf buf OWNED_BY(buf_done);
    struct slice gone[] = {SLICE("t"), SLICE("0")}, here[] = {SLICE("t"), SLICE("1")};
    metrics_begin_scrape(metrics);
    metrics_set(metrics, METRIC_BACKLOG, gone, 7);
    metrics_begin_scrape(metrics);
    metrics_set(metrics, METRIC_BACKLOG, here, 8);
    const char *text = text_of(metrics, &buf);
    assert_null(strstr(text, "partition=\"0\""));
    assert_non_null(
        strstr(text, "bedrock_worker_partition_backlog{topic=\"t\",partition=\"1\"} 8\n"));
    metrics_free(metrics);
}

static void the_buckets_of_a_histogram_are_cumulative_and_in_seconds(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct buf buf OWNED_BY(buf_done);
    metrics_observe(metrics, METRIC_WAIT, NULL, 10);
    metrics_observe(metrics, METRIC_WAIT, NULL, 11);
    metrics_observe(metrics, METRIC_WAIT, NULL, 99999999);
    metrics_observe(metrics, METRIC_WAIT, NULL, -5);
    const char *text = text_of(metrics, &buf);
    assert_non_null(strstr(text, "bedrock_worker_wait_seconds_bucket{le=\"0.010\"} 2\n"
                                 "bedrock_worker_wait_seconds_bucket{le=\"0.020\"} 3\n"));
    assert_non_null(strstr(text, "bedrock_worker_wait_seconds_bucket{le=\"5242.880\"} 3\n"
                                 "bedrock_worker_wait_seconds_bucket{le=\"+Inf\"} 4\n"
                                 "bedrock_worker_wait_seconds_sum 100000.020\n"
                                 "bedrock_worker_wait_seconds_count 4\n"));
    metrics_free(metrics);
}

static void a_label_value_is_escaped_and_clipped(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    struct buf buf OWNED_BY(buf_done);
    char longest[300];
    memset(longest, 'x', sizeof longest);
    struct slice odd = SLICE("a\"b\\c\nd\xff"), large = slice_of(longest, sizeof longest);
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &odd, 1);
    metrics_add(metrics, METRIC_REQUESTS_TAKEN, &large, 1);
    const char *text = text_of(metrics, &buf);
    assert_non_null(strstr(text, "{topic=\"a\\\"b\\\\c?d?\"} 1\n"));
    assert_null(memmem(text, strlen(text), longest, 129));
    metrics_free(metrics);
}

static void more_series_than_there_is_room_for_are_counted_as_other(void **state)
{
    (void)state;
    struct metrics *metrics = metrics_new();
    int64_t live = memory_live();
    struct slice other = SLICE("other");
    char text[32];
    for (int i = 0; i < 2 * METRICS_SERIES_MAX; i++) {
        (void)snprintf(text, sizeof text, "t%d", i);
        struct slice topic = slice_of_text(text);
        metrics_add(metrics, METRIC_REQUESTS_TAKEN, &topic, 1);
    }
    assert_true(metrics_value(metrics, METRIC_REQUESTS_TAKEN, &other) >= METRICS_SERIES_MAX);
    assert_true(memory_live() - live <= METRICS_SERIES_MAX);
    metrics_free(metrics);
}

static void without_a_set_nothing_is_counted(void **state)
{
    (void)state;
    metrics_add(NULL, METRIC_REQUESTS_TAKEN, NULL, 1);
    metrics_set(NULL, METRIC_CALL_SLOTS, NULL, 1);
    metrics_observe(NULL, METRIC_WAIT, NULL, 1);
    metrics_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_adds_up_for_each_set_of_labels),
        cmocka_unit_test(a_gauge_shows_only_what_the_last_scrape_set),
        cmocka_unit_test(the_buckets_of_a_histogram_are_cumulative_and_in_seconds),
        cmocka_unit_test(a_label_value_is_escaped_and_clipped),
        cmocka_unit_test(more_series_than_there_is_room_for_are_counted_as_other),
        cmocka_unit_test(without_a_set_nothing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
