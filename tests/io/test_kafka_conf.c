/* librdkafka's properties: which are rejected and why, and which the clients get. */
#include "unit/unit.h"

#include <librdkafka/rdkafka.h>

#include "io/kafka/conf.h"
#include "io/kafka/consumer.h"
#include "io/loop/log_sink.h"

static enum err check(const char *name, const char *value, struct buf *ret_words)
{
    buf_reset(ret_words);
    return kafka_conf_check(slice_of_text(name), slice_of_text(value), ret_words);
}

static void properties_that_break_a_guarantee_are_rejected_with_the_reason(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"enable.auto.commit",
                                        "enable.auto.offset.store",
                                        "isolation.level",
                                        "enable.idempotence",
                                        "acks",
                                        "request.required.acks",
                                        "transactional.id",
                                        "group.id",
                                        "group.instance.id",
                                        "auto.offset.reset",
                                        "partition.assignment.strategy",
                                        "partitioner",
                                        "enable.partition.eof",
                                        "bootstrap.servers",
                                        "metadata.broker.list",
                                        "enable.gapless.guarantee",
                                        "delivery.report.only.error",
                                        "queuing.strategy"};
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, KAFKA_ERROR_MAX);
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        assert_int_equal(check(NAMES[i], "something", &words), ERR_NOT_ALLOWED);
        assert_true(words.len > 10 && words.failed == OK);
    }
}

static void the_safe_value_of_such_a_property_is_accepted(void **state)
{
    (void)state;
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, KAFKA_ERROR_MAX);
    assert_int_equal(check("enable.auto.commit", "false", &words), OK);
    assert_int_equal(check("acks", "all", &words), OK);
    assert_int_equal(check("isolation.level", "read_committed", &words), OK);
    assert_int_equal(check("partition.assignment.strategy", "cooperative-sticky", &words), OK);
    assert_int_equal(check("partitioner", "murmur2_random", &words), OK);
    assert_int_equal(words.len, 0);
}

static void other_properties_are_checked_by_librdkafka(void **state)
{
    (void)state;
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, KAFKA_ERROR_MAX);
    assert_int_equal(check("security.protocol", "sasl_ssl", &words), OK);
    assert_int_equal(check("socket.timeout.ms", "30000", &words), OK);
    assert_int_equal(check("socket.timeout.mss", "30000", &words), ERR_INVALID);
    assert_non_null(strstr(buf_text(&words), "socket.timeout.mss"));
    assert_int_equal(check("socket.timeout.ms", "soon", &words), ERR_INVALID);
    assert_true(words.len > 10);
    assert_int_equal(kafka_conf_check(SLICE("client.id"), slice_of("a\0b", 3), &words),
                     ERR_INVALID);
}

static struct kafka_config config_of(bool exactly_once)
{
    return (struct kafka_config){.bootstrap_servers = SLICE("127.0.0.1:1"),
                                 .group_id = SLICE("g"),
                                 .transactional_id = SLICE("g-1"),
                                 .exactly_once = exactly_once,
                                 .request_bytes_max = 4 << 20,
                                 .output_bytes_max = 20 << 20};
}

static void clients_get_defaults_then_settings_then_properties(void **state)
{
    (void)state;
    struct kafka_config config = config_of(true);
    assert_int_equal(kafka_conf_number(&config, KAFKA_CONSUMER, "session.timeout.ms"), 45000);
    assert_int_equal(kafka_conf_number(&config, KAFKA_PUBLISHER, "transaction.timeout.ms"), 12000);
    assert_true(kafka_conf_number(&config, KAFKA_PUBLISHER, "message.timeout.ms") < 12000);
    assert_true(kafka_conf_number(&config, KAFKA_PUBLISHER, "message.max.bytes") > 20 << 20);
    config.session_timeout_ms = 7000;
    assert_int_equal(kafka_conf_number(&config, KAFKA_CONSUMER, "session.timeout.ms"), 7000);
    assert_true(kafka_conf_number(&config, KAFKA_CONSUMER, "heartbeat.interval.ms") < 7000 / 2);
    const struct kafka_property of_all[] = {{SLICE("session.timeout.ms"), SLICE("8000")}};
    const struct kafka_property of_consumer[] = {{SLICE("session.timeout.ms"), SLICE("9000")}};
    config.client = (struct kafka_properties){of_all, 1};
    assert_int_equal(kafka_conf_number(&config, KAFKA_CONSUMER, "session.timeout.ms"), 8000);
    config.consumer = (struct kafka_properties){of_consumer, 1};
    assert_int_equal(kafka_conf_number(&config, KAFKA_CONSUMER, "session.timeout.ms"), 9000);
}

/* A library before 2.5 has no such property, and pushes nothing. */
static void assert_pushes_metrics(const struct kafka_config *config, const char *expected)
{
    char words[KAFKA_ERROR_MAX], value[16];
    size_t size = sizeof value;
    rd_kafka_conf_t *conf = kafka_conf_new(config, KAFKA_PUBLISHER, words);
    assert_non_null(conf);
    if (rd_kafka_conf_get(conf, "enable.metrics.push", value, &size) == RD_KAFKA_CONF_OK)
        assert_string_equal(value, expected);
    else
        assert_true(rd_kafka_version() < 0x02050000);
    rd_kafka_conf_destroy(conf);
}

static void clients_push_metrics_only_where_the_user_asks_for_it(void **state)
{
    (void)state;
    struct kafka_config config = config_of(true);
    assert_pushes_metrics(&config, "false");
    const struct kafka_property asked[] = {{SLICE("enable.metrics.push"), SLICE("true")}};
    config.client = (struct kafka_properties){asked, 1};
    if (rd_kafka_version() >= 0x02050000)
        assert_pushes_metrics(&config, "true");
}

static void a_number_is_not_read_from_invalid_properties(void **state)
{
    (void)state;
    struct kafka_config config = config_of(true);
    const struct kafka_property wrong[] = {{SLICE("no.such"), SLICE("1")}};
    config.client = (struct kafka_properties){wrong, 1};
    assert_int_equal(kafka_conf_number(&config, KAFKA_CONSUMER, "session.timeout.ms"), -1);
    char words[KAFKA_ERROR_MAX] = "";
    assert_null(kafka_conf_new(&config, KAFKA_CONSUMER, words));
    assert_non_null(strstr(words, "no.such"));
}

static void the_memory_bound_grows_with_partitions_and_queues(void **state)
{
    (void)state;
    struct kafka_config config = config_of(false);
    uint64_t one = kafka_conf_memory_bound(&config, 1);
    uint64_t ten = kafka_conf_memory_bound(&config, 10);
    assert_true(one > 40 << 20);
    assert_true(ten > one + 9 * ((256 + 64) << 10));
    /* The smallest requests, of which a fetch brings most. */
    assert_true(ten >= one + 9 * (uint64_t)(128 + 65536 / 64) * (64 + 350));
    const struct kafka_property more[] = {{SLICE("queued.max.messages.kbytes"), SLICE("65536")}};
    config.consumer = (struct kafka_properties){more, 1};
    assert_true(kafka_conf_memory_bound(&config, 10) > ten + 9 * (60ULL << 20));
}

static void the_memory_bound_counts_the_queues_of_thousands_of_partitions_alike(void **state)
{
    (void)state;
    struct kafka_config config = config_of(false);
    uint64_t none = kafka_conf_memory_bound(&config, 0);
    uint64_t many = kafka_conf_memory_bound(&config, 1000);
    assert_int_equal(kafka_conf_queued_max(&config), 64 << 20);
    assert_int_equal(many, kafka_conf_memory_bound(&config, 4000));
    assert_int_equal(many - none, 2 * (64 << 20));
    /* A user who wants longer queues gets them. */
    const struct kafka_property more[] = {{SLICE("queued.max.messages.kbytes"), SLICE("65536")}};
    config.consumer = (struct kafka_properties){more, 1};
    assert_true(kafka_conf_queued_max(&config) > 8 * (64ULL << 20));
    config.queued_bytes_max = 1000;
    assert_int_equal(kafka_conf_queued_max(&config), 1000);
}

static void do_not_wake(void *self)
{
    (void)self;
}

static void a_consumer_that_cannot_be_created_says_why_and_leaks_nothing(void **state)
{
    (void)state;
    const struct kafka_property no_user[] = {{SLICE("security.protocol"), SLICE("SASL_PLAINTEXT")},
                                             {SLICE("sasl.mechanism"), SLICE("SCRAM-SHA-512")}};
    const struct kafka_property no_file[] = {{SLICE("security.protocol"), SLICE("ssl")},
                                             {SLICE("ssl.ca.location"), SLICE("/no/such.pem")}};
    const struct kafka_properties wrong[] = {{no_user, 2}, {no_file, 2}};
    static const char *const WORDS[] = {"sasl.username", "ssl.ca.location"};
    struct log_config log = {.level = LOG_ERROR, .fd = 2};
    struct log_sink *sink = log_sink_new(&log);
    struct kafka_lines *lines = kafka_lines_new(sink);
    assert_non_null(lines);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct kafka_config config = config_of(true);
        char words[KAFKA_ERROR_MAX] = "";
        config.client = wrong[i];
        struct loop_wake wake = {.wake = do_not_wake};
        assert_null(kafka_consumer_new(&config, lines, wake, words));
        assert_non_null(strstr(words, WORDS[i]));
    }
    kafka_lines_free(lines);
    log_sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_that_break_a_guarantee_are_rejected_with_the_reason),
        cmocka_unit_test(the_safe_value_of_such_a_property_is_accepted),
        cmocka_unit_test(other_properties_are_checked_by_librdkafka),
        cmocka_unit_test(clients_get_defaults_then_settings_then_properties),
        cmocka_unit_test(clients_push_metrics_only_where_the_user_asks_for_it),
        cmocka_unit_test(a_number_is_not_read_from_invalid_properties),
        cmocka_unit_test(the_memory_bound_grows_with_partitions_and_queues),
        cmocka_unit_test(the_memory_bound_counts_the_queues_of_thousands_of_partitions_alike),
        cmocka_unit_test(a_consumer_that_cannot_be_created_says_why_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
