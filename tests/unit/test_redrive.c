/* Redriving dead letters: the progress, what a letter says, which ones are chosen, and the counts.
 */
#include "unit/unit.h"

#include <stdio.h>

#include "app/redrive/progress.h"
#include "app/redrive/shipment.h"
#include "app/redrive/tally.h"
#include "base/memory.h"
#include "base/random.h"

#define ARENA_BYTES 1048576
#define SPAN        400
#define WORLDS      300

/* ---- progress ---- */

static void check_equal(const struct progress *progress, const bool *done, int64_t front)
{
    int64_t lowest = front;
    while (lowest < front + SPAN && done[lowest - front])
        lowest++;
    assert_int_equal(progress->front, lowest);
    for (int64_t at = 0; at < SPAN; at++)
        assert_int_equal(progress_has(progress, front + at), done[at]);
}

/* Marks at random; the text form reads back the same after each step. */
static void progress_is_what_was_marked_and_survives_its_text(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 11);
    for (int world = 0; world < WORLDS; world++) {
        bool done[SPAN] = {false};
        int64_t front = (int64_t)random_below(&random, 3000);
        struct progress progress;
        progress_init(&progress, front);
        for (int step = 0; step < 12; step++) {
            int64_t from = (int64_t)random_below(&random, SPAN);
            int64_t length = (int64_t)random_below(&random, world % 2 == 0 ? 3 : 60);
            int64_t to = from + length < SPAN ? from + length : SPAN;
            assert_int_equal(progress_mark_span(&progress, front + from, front + to), OK);
            for (int64_t at = from; at < to; at++)
                done[at] = true;
            check_equal(&progress, done, front);
            struct buf text;
            struct progress again;
            buf_init(&text, 4096);
            progress_add_text(&progress, &text);
            assert_int_equal(text.failed, OK);
            assert_int_equal(progress_read(&again, progress.front, buf_slice(&text)), OK);
            check_equal(&again, done, front);
            progress_done(&again);
            buf_done(&text);
        }
        progress_done(&progress);
    }
}

static void every_other_letter_of_24000_fits_into_4096_bytes(void **state)
{
    (void)state;
    struct progress progress;
    struct buf text;
    progress_init(&progress, 7);
    buf_init(&text, 65536);
    for (int64_t offset = 8; offset < 24000; offset += 2)
        assert_int_equal(progress_mark(&progress, offset), OK);
    progress_add_text(&progress, &text);
    assert_true(text.failed == OK && text.len <= 4096);
    buf_done(&text);
    progress_done(&progress);
}

static void one_block_far_above_the_front_has_a_short_text(void **state)
{
    (void)state;
    struct progress progress;
    struct buf text;
    progress_init(&progress, 0);
    buf_init(&text, 4096);
    assert_int_equal(progress_mark_span(&progress, 1000000, 1005000), OK);
    progress_add_text(&progress, &text);
    assert_true(text.failed == OK && text.len < 32);
    assert_true(slice_starts(buf_slice(&text), SLICE("rd1r")));
    buf_done(&text);
    progress_done(&progress);
}

static void progress_that_is_damaged_or_of_another_front_is_rejected(void **state)
{
    (void)state;
    struct progress progress, again;
    struct buf text;
    progress_init(&progress, 40);
    buf_init(&text, 4096);
    assert_int_equal(progress_mark_span(&progress, 45, 60), OK);
    progress_add_text(&progress, &text);
    for (size_t i = 0; i < text.len; i++) {
        text.ptr[i] = (char)(text.ptr[i] ^ 1);
        assert_int_not_equal(progress_read(&again, 40, buf_slice(&text)), OK);
        progress_done(&again);
        text.ptr[i] = (char)(text.ptr[i] ^ 1);
    }
    assert_int_equal(progress_read(&again, 41, buf_slice(&text)), ERR_FORMAT);
    progress_done(&again);
    assert_int_equal(progress_read(&again, 40, SLICE("rd2bAAAA")), ERR_LATER_VERSION);
    progress_done(&again);
    assert_int_equal(progress_read(&again, 40, SLICE("bw2!!!!!!")), ERR_FORMAT);
    progress_done(&again);
    assert_int_equal(progress_read(&again, -1, SLICE("")), ERR_FORMAT);
    progress_done(&again);
    buf_done(&text);
    progress_done(&progress);
}

static void a_letter_too_far_above_the_front_is_refused(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, 5);
    assert_int_equal(progress_mark(&progress, 5 + (int64_t)PROGRESS_SPAN_MAX), ERR_TOO_LARGE);
    assert_int_equal(progress.front, 5);
    progress_done(&progress);
}

/* ---- dead letters ---- */

#define DLT "kafka_dlt-original-"

static const struct header HEADERS[] = {
    {{"trace", sizeof("trace") - 1}, {"t", sizeof("t") - 1}},
    {{DLT "topic", sizeof(DLT "topic") - 1}, {"bedrock.requests", sizeof("bedrock.requests") - 1}},
    {{DLT "partition", sizeof(DLT "partition") - 1}, {"\0\0\0\3", sizeof("\0\0\0\3") - 1}},
    {{DLT "offset", sizeof(DLT "offset") - 1},
     {"\0\0\0\0\0\0\1\2", sizeof("\0\0\0\0\0\0\1\2") - 1}},
    {{DLT "timestamp", sizeof(DLT "timestamp") - 1},
     {"\0\0\0\0\0\0\3\4", sizeof("\0\0\0\0\0\0\3\4") - 1}},
    {{"kafka_dlt-exception-fqcn", sizeof("kafka_dlt-exception-fqcn") - 1},
     {"ThrottlingException", sizeof("ThrottlingException") - 1}},
    {{"kafka_dlt-exception-stacktrace", sizeof("kafka_dlt-exception-stacktrace") - 1},
     {"at …", sizeof("at …") - 1}},
    {{"bedrock-error-code", sizeof("bedrock-error-code") - 1},
     {"throttled", sizeof("throttled") - 1}},
    {{"bedrock-attempts", sizeof("bedrock-attempts") - 1}, {"5", sizeof("5") - 1}},
    {{"bedrock-colour", sizeof("bedrock-colour") - 1},
     {"blue", sizeof("blue") - 1}}, /* the user's own */
    {{"bedrock-redrives", sizeof("bedrock-redrives") - 1}, {"2", sizeof("2") - 1}},
};

static struct record letter_record(const char *value)
{
    return (struct record){.topic = SLICE("bedrock.dead-letters"),
                           .partition = 1,
                           .offset = 9,
                           .timestamp_ms = 5000,
                           .key = SLICE("k"),
                           .value = slice_of_text(value),
                           .headers = {HEADERS, COUNT_OF(HEADERS)}};
}

static void a_dead_letter_says_where_its_request_was_and_why_it_failed(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct dead_letter letter;
    arena_init(&arena, ARENA_BYTES);
    struct record record =
        letter_record("{\"id\":\"a\",\"tenant\":\"acme\",\"expires_at\":\"1970-01-01T00:00:09Z\"}");
    assert_int_equal(dead_letter_read(&arena, &record, &letter), OK);
    assert_slice(letter.topic, "bedrock.requests");
    assert_int_equal(letter.partition, 3);
    assert_int_equal(letter.offset, 258);
    assert_int_equal(letter.timestamp_ms, 772);
    assert_slice(letter.code, "throttled");
    assert_true(letter.is_retryable);
    assert_int_equal(letter.redrives, 2);
    assert_slice(letter.id, "a");
    assert_slice(letter.tenant, "acme");
    assert_int_equal(letter.expires_ms, 9000);
    assert_false(letter.is_cut);
}

static void springs_dead_letter_has_its_exception_as_code(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct dead_letter letter;
    arena_init(&arena, ARENA_BYTES);
    struct record record = letter_record("no JSON");
    record.headers.count = 6; /* up to the exception */
    assert_int_equal(dead_letter_read(&arena, &record, &letter), OK);
    assert_slice(letter.code, "ThrottlingException");
    assert_false(letter.is_retryable);
    assert_int_equal(letter.redrives, 0);
    assert_slice(letter.id, "bedrock.requests-3-258");
    assert_slice(letter.tenant, "default");
    assert_int_equal(letter.expires_ms, DEAD_LETTER_NO_TIME);
}

static void damaged_headers_make_it_no_dead_letter(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct dead_letter letter;
    arena_init(&arena, ARENA_BYTES);
    const struct header bad[][1] = {{{SLICE(DLT "partition"), SLICE("\0\0\3")}},
                                    {{SLICE(DLT "partition"), SLICE("\xff\0\0\3")}},
                                    {{SLICE(DLT "offset"), SLICE("258")}},
                                    {{SLICE(DLT "offset"), SLICE_NULL}},
                                    {{SLICE(DLT "topic"), SLICE("")}}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct header headers[COUNT_OF(HEADERS) + 1];
        memcpy(headers, HEADERS, sizeof HEADERS);
        headers[COUNT_OF(HEADERS)] = bad[i][0]; /* the last one of a name counts */
        struct record record = letter_record("{}");
        record.headers = (struct headers){headers, COUNT_OF(headers)};
        assert_int_equal(dead_letter_read(&arena, &record, &letter), OK);
        assert_null(letter.topic.ptr);
    }
}

static void what_was_added_to_the_request_is_taken_off_and_redrives_are_counted(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct dead_letter letter;
    struct headers headers;
    arena_init(&arena, ARENA_BYTES);
    struct record record = letter_record("{}");
    assert_int_equal(dead_letter_read(&arena, &record, &letter), OK);
    assert_int_equal(dead_letter_headers(&arena, &letter, record.headers, &headers), OK);
    assert_int_equal(headers.count, 3);
    assert_slice(headers.list[0].name, "trace");
    assert_slice(headers.list[1].name, "bedrock-colour");
    assert_slice(headers.list[2].name, "bedrock-redrives");
    assert_slice(headers.list[2].value, "3");
}

static void a_record_of_another_key_or_time_is_not_the_letters_request(void **state)
{
    (void)state;
    struct record record = letter_record("{}");
    struct dead_letter letter = {.offset = 258, .timestamp_ms = 772};
    struct record original = {.offset = 258, .timestamp_ms = 772, .key = SLICE("k")};
    assert_true(dead_letter_is_of(&record, &letter, &original));
    original.timestamp_ms = 773;
    assert_false(dead_letter_is_of(&record, &letter, &original));
    original.timestamp_ms = 772;
    original.key = SLICE_NULL;
    assert_false(dead_letter_is_of(&record, &letter, &original));
    original.key = SLICE("k");
    original.offset = 259;
    assert_false(dead_letter_is_of(&record, &letter, &original));
}

/* ---- choice ---- */

static bool takes(const struct choice_filter *filter)
{
    struct record record = letter_record("{}");
    struct dead_letter letter = {.code = SLICE("throttled"),
                                 .is_retryable = true,
                                 .id = SLICE("a"),
                                 .tenant = SLICE("acme")};
    return choice_takes(filter, &record, &letter);
}

static void a_letter_is_chosen_by_all_filters_together(void **state)
{
    (void)state;
    static const char *const two[] = {"timeout", "throttled"}, *const other[] = {"x"};
    struct choice_filter all = {.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    assert_true(takes(&all));
    struct choice_filter filter = all;
    filter.codes = (struct choice_words){two, 2};
    filter.only_retryable = true;
    assert_true(takes(&filter));
    filter.tenants = (struct choice_words){other, 1};
    assert_false(takes(&filter));
    filter = all;
    filter.since_ms = 5000;
    filter.until_ms = 5001;
    assert_true(takes(&filter));
    filter.until_ms = 5000;
    assert_false(takes(&filter));
    filter = all;
    filter.since_ms = 5001;
    assert_false(takes(&filter));
    filter = all;
    filter.keys = (struct choice_words){other, 1};
    assert_false(takes(&filter));
    filter = all;
    filter.ids = (struct choice_words){other, 1};
    assert_false(takes(&filter));
}

static void the_fate_of_a_letter_follows_the_rules(void **state)
{
    (void)state;
    const struct slice topics[] = {SLICE("a"), SLICE("b")};
    struct choice_rules rules = {.topics = topics, .topic_count = 2, .limit = 3, .wall_ms = 1000};
    struct dead_letter letter = {
        .topic = SLICE("b"), .redrives = 2, .expires_ms = DEAD_LETTER_NO_TIME};
    assert_int_equal(choice_fate(&rules, &letter), FATE_SENT);
    letter.redrives = 3;
    assert_int_equal(choice_fate(&rules, &letter), FATE_OVER_LIMIT);
    rules.parks = true;
    assert_int_equal(choice_fate(&rules, &letter), FATE_PARKED);
    letter.expires_ms = 1000;
    assert_int_equal(choice_fate(&rules, &letter), FATE_EXPIRED);
    letter.topic = SLICE("c");
    assert_int_equal(choice_fate(&rules, &letter), FATE_FOREIGN_TOPIC);
    letter.topic = SLICE_NULL;
    assert_int_equal(choice_fate(&rules, &letter), FATE_NOT_A_LETTER);
}

/* ---- shipment and tally ---- */

static void a_shipment_owns_its_records_and_parks_letters_as_they_are(void **state)
{
    (void)state;
    struct shipment *shipment = memory_new(sizeof *shipment);
    char value[] = "{\"id\":\"a\"}";
    struct record record = letter_record(value);
    assert_non_null(shipment);
    shipment_init(shipment);
    assert_int_equal(shipment_add(shipment, &record, &record, FATE_SENT, SLICE_NULL), OK);
    assert_int_equal(shipment_add(shipment, &record, &record, FATE_PARKED, SLICE("parked")), OK);
    memset(value, 'x', sizeof value - 1);
    assert_int_equal(shipment->count, 2);
    assert_slice(shipment->records[0].topic, "bedrock.requests");
    assert_slice(shipment->records[0].value, "{\"id\":\"a\"}");
    assert_int_equal(shipment->records[0].headers.count, 3);
    assert_slice(shipment->records[1].topic, "parked");
    assert_int_equal(shipment->records[1].headers.count, COUNT_OF(HEADERS));
    assert_slice(shipment->letters[1].letter.code, "throttled");
    shipment_drop(shipment, 0);
    assert_int_equal(shipment->count, 1);
    assert_slice(shipment->records[0].topic, "parked");
    shipment_empty(shipment);
    assert_int_equal(shipment->count, 0);
    shipment_done(shipment);
    memory_free(shipment);
}

static void the_counts_are_by_code_and_by_what_became_of_the_letters(void **state)
{
    (void)state;
    struct tally *tally = memory_new(sizeof *tally);
    struct buf text;
    assert_non_null(tally);
    buf_init(&text, 65536);
    struct dead_letter throttled = {.code = SLICE("throttled"), .is_retryable = true};
    struct dead_letter bare = {.code = SLICE_NULL};
    for (int i = 0; i < 1200; i++)
        tally_add(tally, &throttled, FATE_SENT);
    tally_add(tally, &bare, FATE_NOT_A_LETTER);
    tally->others = 2;
    tally_add_text(tally, true, &text);
    assert_buf(&text, "code                                      letters   to redrive  retryable\n"
                      "throttled                                   1,200        1,200  yes\n"
                      "(no code)                                       1            0  no\n"
                      "\n"
                      "       1,200  would be redriven\n"
                      "           1  without kafka_dlt-original-* headers; not dead letters\n"
                      "           2  left out by the filters\n");
    buf_done(&text);
    memory_free(tally);
}

static void more_codes_than_rows_are_counted_together(void **state)
{
    (void)state;
    struct tally *tally = memory_new(sizeof *tally);
    assert_non_null(tally);
    for (int i = 0; i < TALLY_CODES_MAX + 10; i++) {
        char code[16];
        (void)snprintf(code, sizeof code, "code\x1b%d", i);
        struct dead_letter letter = {.code = slice_of_text(code)};
        tally_add(tally, &letter, FATE_SENT);
    }
    assert_int_equal(tally_chosen(tally), TALLY_CODES_MAX + 10);
    assert_int_equal(tally->codes[TALLY_CODES_MAX].letters, 10);
    assert_string_equal(tally->codes[3].code, "code?3");
    memory_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_what_was_marked_and_survives_its_text),
        cmocka_unit_test(every_other_letter_of_24000_fits_into_4096_bytes),
        cmocka_unit_test(one_block_far_above_the_front_has_a_short_text),
        cmocka_unit_test(progress_that_is_damaged_or_of_another_front_is_rejected),
        cmocka_unit_test(a_letter_too_far_above_the_front_is_refused),
        cmocka_unit_test(a_dead_letter_says_where_its_request_was_and_why_it_failed),
        cmocka_unit_test(springs_dead_letter_has_its_exception_as_code),
        cmocka_unit_test(damaged_headers_make_it_no_dead_letter),
        cmocka_unit_test(what_was_added_to_the_request_is_taken_off_and_redrives_are_counted),
        cmocka_unit_test(a_record_of_another_key_or_time_is_not_the_letters_request),
        cmocka_unit_test(a_letter_is_chosen_by_all_filters_together),
        cmocka_unit_test(the_fate_of_a_letter_follows_the_rules),
        cmocka_unit_test(a_shipment_owns_its_records_and_parks_letters_as_they_are),
        cmocka_unit_test(the_counts_are_by_code_and_by_what_became_of_the_letters),
        cmocka_unit_test(more_codes_than_rows_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
