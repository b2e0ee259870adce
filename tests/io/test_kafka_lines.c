/* Which lines of librdkafka are logged, and when. */
#include "unit/unit.h"

#include <stdio.h>

#include "io/kafka/lines.h"
#include "io/loop/clock.h"

#define LOGGED_MAX 64

struct logged {
    size_t count;
    char texts[LOGGED_MAX][128];
};

static void note(void *self, enum log_event event, struct slice line)
{
    struct logged *logged = self;
    assert_int_equal(event, LOG_LIBRDKAFKA_LOG);
    assert_true(logged->count < LOGGED_MAX);
    (void)snprintf(logged->texts[logged->count++], sizeof logged->texts[0], "%.*s",
                   SLICE_ARG(line));
}

struct kit {
    struct logged logged;
    struct log_config config;
    struct log_sink *sink;
    struct kafka_lines *lines;
};

static void begin(struct kit *kit)
{
    *kit = (struct kit){.config = {.level = LOG_DEBUG,
                                   .format = LOG_FORMAT_TEXT,
                                   .fd = 2,
                                   .write = note,
                                   .self = &kit->logged}};
    kit->sink = log_sink_new(&kit->config);
    assert_non_null(kit->sink);
    kit->lines = kafka_lines_new(kit->sink);
    assert_non_null(kit->lines);
}

static void end(struct kit *kit)
{
    kafka_lines_free(kit->lines);
    log_sink_free(kit->sink);
}

/* Lines as librdkafka 2.8.0 writes them. */
static void the_list_knows_lines_by_facility_and_text(void **state)
{
    (void)state;
    static const struct {
        const char *facility, *line;
        enum held_when when;
        enum log_event event;
    } CASES[] = {
        {"FAIL",
         "[thrd:a:1/bootstrap]: a:1/bootstrap: Connect to ipv4#a:1 failed: Connection refused",
         HELD_WHILE, LOG_BROKERS_DOWN},
        {"FAIL", "SASL authentication error: Authentication failed", HELD_WHILE, LOG_BROKERS_DOWN},
        {"FAIL", "SaslAuthenticateRequest failed: Local: Broker handle destroyed", HELD_ALWAYS,
         LOG_STOPPED},
        {"REQTMOUT", "Timed out 1 in-flight, 0 retry-queued", HELD_WHILE, LOG_BROKERS_DOWN},
        {"ERROR", "1/1 brokers are down", HELD_ALWAYS, LOG_LIBRDKAFKA_ERROR},
        {"ERROR", "Fatal error: Broker: Producer fenced", HELD_NOT, LOG_BUG},
        {"TXNERR", "Transactional Id authorization failed", HELD_ALWAYS, LOG_RIGHT_MISSING},
        {"TXNERR", "Current transaction failed in state InTransaction", HELD_NOT, LOG_BUG},
        {"FAILURE", "Connect to ", HELD_NOT, LOG_BUG},
        {"CONFWARN", "Configuration property x is ignored", HELD_NOT, LOG_BUG},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        enum log_event event = LOG_BUG;
        assert_int_equal(kafka_lines_find(CASES[i].facility, CASES[i].line, &event), CASES[i].when);
        assert_int_equal(event, CASES[i].event);
    }
}

static void a_line_that_no_event_follows_is_logged_later(void **state)
{
    (void)state;
    struct kit kit;
    begin(&kit);
    kafka_lines_delay(kit.lines, LOG_BROKERS_DOWN, "consumer", SLICE("one of three is away"));
    int64_t now_ms = clock_monotonic_ms();
    kafka_lines_step(kit.lines, now_ms);
    assert_int_equal(kit.logged.count, 0);
    kafka_lines_step(kit.lines, now_ms + KAFKA_LINES_WAIT_MS);
    assert_int_equal(kit.logged.count, 1);
    assert_non_null(strstr(kit.logged.texts[0], "consumer: one of three is away"));
    assert_int_equal(kafka_lines_end(kit.lines, LOG_BROKERS_DOWN), 0);
    end(&kit);
}

static void lines_before_and_during_an_event_are_held_back_and_counted(void **state)
{
    (void)state;
    struct kit kit;
    begin(&kit);
    for (int round = 0; round < 2; round++) {
        assert_false(kafka_lines_hold(kit.lines, LOG_BROKERS_DOWN));
        kafka_lines_delay(kit.lines, LOG_BROKERS_DOWN, "consumer", SLICE("before"));
        kafka_lines_begin(kit.lines, LOG_BROKERS_DOWN);
        kafka_lines_begin(kit.lines, LOG_BROKERS_DOWN);
        assert_true(kafka_lines_hold(kit.lines, LOG_BROKERS_DOWN));
        assert_true(kafka_lines_hold(kit.lines, LOG_BROKERS_DOWN));
        assert_false(kafka_lines_hold(kit.lines, LOG_RIGHT_MISSING));
        if (round == 0)
            kafka_lines_step(kit.lines, INT64_MAX);
        assert_int_equal(kafka_lines_end(kit.lines, LOG_BROKERS_DOWN), 3);
    }
    kafka_lines_step(kit.lines, INT64_MAX);
    end(&kit);
    assert_int_equal(kit.logged.count, 0);
}

static void what_waits_is_bounded_and_logged_at_the_end(void **state)
{
    (void)state;
    struct kit kit;
    char text[2000];
    begin(&kit);
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 40; i++)
        kafka_lines_delay(kit.lines, LOG_BROKERS_DOWN, "chunks", slice_of(text, sizeof text));
    assert_true(kit.logged.count > 0 && kit.logged.count < 40);
    end(&kit);
    assert_int_equal(kit.logged.count, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_knows_lines_by_facility_and_text),
        cmocka_unit_test(a_line_that_no_event_follows_is_logged_later),
        cmocka_unit_test(lines_before_and_during_an_event_are_held_back_and_counted),
        cmocka_unit_test(what_waits_is_bounded_and_logged_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
