/* Which records of a batch are at fault when brokers reject them for their size, and how large the
 * next sets may be (io/kafka/refusals.c, io/kafka/topic_limits.c). */
#include "unit/unit.h"

#include <librdkafka/rdkafka.h>

#include "io/kafka/produce.h"
#include "io/kafka/refusals.h"
#include "io/kafka/topic_limits.h"

#define COUNT     4
#define SET_BYTES 1000000
#define TOO_LARGE RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE

static char letters[40000];
static struct output records[COUNT];
static struct output *outputs[COUNT];
static const struct batch BATCH = {.outputs = outputs, .output_count = COUNT};

/* Sets the sizes of the records' values. */
static void have(const size_t sizes[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        records[i] =
            (struct output){.topic = SLICE("responses"), .value = slice_of(letters, sizes[i])};
        outputs[i] = &records[i];
    }
}

static struct topic_limits limit(int64_t bytes)
{
    return (struct topic_limits){.list = {{.topic = "responses", .bytes = bytes}}, .count = 1};
}

/* The broker rejected all records as one set. Returns the next batch.size. */
static size_t reject_all(struct refusals *refusals, const struct topic_limits *limits,
                         int64_t set_bytes, struct batch_end *ret_end)
{
    bool was_set;
    for (size_t i = 0; i < COUNT; i++)
        refusals_add(refusals, &BATCH, i, TOO_LARGE, 0);
    size_t bytes = refusals_tell(refusals, limits, set_bytes, ret_end, &was_set);
    assert_true(was_set);
    assert_int_equal(ret_end->refusal_count, COUNT);
    return bytes;
}

static void a_record_over_the_known_limit_is_at_fault_and_no_other(void **state)
{
    (void)state;
    struct refusals refusals OWNED_BY(refusals_done) = {0};
    struct topic_limits limits = limit(20000);
    struct batch_end end = {0};
    have((const size_t[]){300, 30000, 19000, 20001});
    assert_int_equal(reject_all(&refusals, &limits, SET_BYTES, &end), 20000);
    static const bool SURE[] = {false, true, false, true};
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(end.refusals[i].is_sure, SURE[i]);
        assert_int_equal(end.refusals[i].bytes_max, 20000);
    }
}

static void without_a_limit_the_smallest_record_sizes_the_next_sets(void **state)
{
    (void)state;
    struct refusals refusals OWNED_BY(refusals_done) = {0};
    struct batch_end end = {0};
    have((const size_t[]){300, 30000, 19000, 20001});
    assert_int_equal(reject_all(&refusals, NULL, SET_BYTES, &end), 300);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(!end.refusals[i].is_sure && end.refusals[i].bytes_max == 0);
}

/* A record's frame is not known to the byte: one that is about as large as the limit. */
static void sets_within_the_limit_that_are_rejected_are_sent_one_by_one(void **state)
{
    (void)state;
    struct refusals refusals OWNED_BY(refusals_done) = {0};
    struct topic_limits limits = limit(20000);
    struct batch_end end = {0};
    have((const size_t[]){300, 400, 500, 600});
    assert_int_equal(reject_all(&refusals, &limits, 20000, &end), 300);
}

static void what_was_not_sent_is_at_fault_and_changes_no_set(void **state)
{
    (void)state;
    struct refusals refusals OWNED_BY(refusals_done) = {0};
    struct topic_limits limits = limit(20000);
    struct batch_end end = {0};
    struct slice topics[2];
    bool was_set;
    have((const size_t[]){300, 30000, 300, 300});
    refusals_add(&refusals, &BATCH, 1, TOO_LARGE, -1);
    assert_int_equal(refusals_large_topics(&refusals, topics, 2), 0);
    assert_int_equal(refusals_tell(&refusals, &limits, SET_BYTES, &end, &was_set), 0);
    assert_true(!was_set && end.refusal_count == 1 && end.refusals[0].is_sure);
    assert_int_equal(end.refusals[0].bytes_max, 20000);
}

static void each_topic_that_rejected_a_size_is_asked_for_once(void **state)
{
    (void)state;
    struct refusals refusals OWNED_BY(refusals_done) = {0};
    struct slice topics[COUNT];
    have((const size_t[]){1, 1, 1, 1});
    records[1].topic = SLICE("replies");
    records[3].topic = SLICE("usage");
    for (size_t i = 0; i < 3; i++)
        refusals_add(&refusals, &BATCH, i, TOO_LARGE, 0);
    refusals_add(&refusals, &BATCH, 3, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 0);
    assert_int_equal(refusals_large_topics(&refusals, topics, COUNT), 2);
    assert_true(slice_equal_text(topics[0], "responses") && slice_equal_text(topics[1], "replies"));
    assert_int_equal(refusals_large_topics(&refusals, topics, 1), 1);
}

/* Against a broker's own count: a set of one record, key null, value of 100 bytes, one header. */
static void the_bytes_of_a_set_are_those_of_the_format(void **state)
{
    (void)state;
    struct header header = {.name = SLICE("ce_id"), .value = SLICE("seven77")};
    struct output output = {.value = slice_of(letters, 100)};
    /* 61 and: length 2, attributes 1, time 1, number 1, no key 1, value 2 + 100, no headers 1 */
    assert_int_equal(kafka_set_bytes(&output), 61 + 109);
    output.headers = &header;
    output.header_count = 1;
    assert_int_equal(kafka_set_bytes(&output), 61 + 109 + 1 + 5 + 1 + 7);
    output.key = SLICE("key");
    assert_int_equal(kafka_set_bytes(&output), 61 + 109 + 14 + 3);
    output = (struct output){.value = slice_of(letters, 63)};
    assert_int_equal(kafka_set_bytes(&output), 61 + 2 + 3 + 1 + 1 + 63 + 1);
    output.value.len = 8192; /* from here on a length has three bytes */
    assert_int_equal(kafka_set_bytes(&output), 61 + 3 + 3 + 1 + 3 + 8192 + 1);
}

static void the_least_of_the_known_limits_bounds_all_sets(void **state)
{
    (void)state;
    struct topic_limits limits = limit(20000);
    assert_int_equal(topic_limits_least(&limits, 1000), 1000);
    assert_int_equal(topic_limits_least(&limits, SET_BYTES), 20000);
    assert_int_equal(topic_limits_find(&limits, SLICE("responses")), 20000);
    assert_int_equal(topic_limits_find(&limits, SLICE("usage")), 0);
    topic_limits_forget(&limits); /* its time is over */
    assert_int_equal(topic_limits_find(&limits, SLICE("responses")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_over_the_known_limit_is_at_fault_and_no_other),
        cmocka_unit_test(without_a_limit_the_smallest_record_sizes_the_next_sets),
        cmocka_unit_test(sets_within_the_limit_that_are_rejected_are_sent_one_by_one),
        cmocka_unit_test(what_was_not_sent_is_at_fault_and_changes_no_set),
        cmocka_unit_test(each_topic_that_rejected_a_size_is_asked_for_once),
        cmocka_unit_test(the_bytes_of_a_set_are_those_of_the_format),
        cmocka_unit_test(the_least_of_the_known_limits_bounds_all_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
