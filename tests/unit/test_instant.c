#include "unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "base/instant.h"
#include "base/random.h"

#define LAST_MS INT64_C(253402300799999)

static void assert_texts(int64_t wall_ms, const char *rfc3339, const char *basic)
{
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 100);
    instant_add_rfc3339(&buf, wall_ms);
    assert_buf(&buf, rfc3339);
    buf_reset(&buf);
    instant_add_basic(&buf, wall_ms);
    assert_buf(&buf, basic);
}

static void instants_are_printed(void **state)
{
    (void)state;
    assert_texts(0, "1970-01-01T00:00:00.000Z", "19700101T000000Z");
    assert_texts(INT64_C(951782399999), "2000-02-28T23:59:59.999Z", "20000228T235959Z");
    assert_texts(INT64_C(951782400000), "2000-02-29T00:00:00.000Z", "20000229T000000Z");
    assert_texts(INT64_C(4107542400000), "2100-03-01T00:00:00.000Z", "21000301T000000Z");
    assert_texts(LAST_MS, "9999-12-31T23:59:59.999Z", "99991231T235959Z");
}

static void instants_out_of_range_are_clamped(void **state)
{
    (void)state;
    assert_texts(-1, "1970-01-01T00:00:00.000Z", "19700101T000000Z");
    assert_texts(INT64_MIN, "1970-01-01T00:00:00.000Z", "19700101T000000Z");
    assert_texts(INT64_MAX, "9999-12-31T23:59:59.999Z", "99991231T235959Z");
}

/* Against the C library's calendar, and back through both readers. */
static void printing_and_reading_agree(void **state)
{
    (void)state;
    struct random random;
    struct buf buf OWNED_BY(buf_done);
    random_init(&random, 5);
    buf_init(&buf, 100);
    for (int i = 0; i < 20000; i++) {
        int64_t wall_ms = (int64_t)random_below(&random, (uint64_t)LAST_MS + 1), read_ms = -1;
        time_t seconds = (time_t)(wall_ms / 1000);
        struct tm tm;
        char expected[100], date[64];
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) > 0);
        (void)snprintf(expected, sizeof expected, "%s.%03dZ", date, (int)(wall_ms % 1000));
        buf_reset(&buf);
        instant_add_rfc3339(&buf, wall_ms);
        assert_buf(&buf, expected);
        assert_true(instant_from_rfc3339(buf_slice(&buf), &read_ms));
        assert_true(read_ms == wall_ms);
        size_t len = strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        assert_true(instant_from_http_date(slice_of(date, len), &read_ms));
        assert_true(read_ms == wall_ms / 1000 * 1000);
    }
}

static void assert_rfc3339(const char *text, int64_t expected_ms)
{
    int64_t wall_ms = -7;
    if (!instant_from_rfc3339(slice_of_text(text), &wall_ms))
        fail_msg("refused: %s", text);
    assert_true(wall_ms == expected_ms);
}

static void rfc3339_is_read_with_offsets_and_decimals(void **state)
{
    (void)state;
    assert_rfc3339("1970-01-01T00:00:00Z", 0);
    assert_rfc3339("1970-01-01t00:00:01z", 1000);
    assert_rfc3339("1970-01-01T00:00:00.5Z", 500);
    assert_rfc3339("1970-01-01T00:00:00.123456789Z", 123);
    assert_rfc3339("1970-01-01T00:00:00.9999Z", 999);
    assert_rfc3339("1970-01-01T02:00:00+02:00", 0);
    assert_rfc3339("1969-12-31T23:30:00-00:30", 0);
    assert_rfc3339("1996-12-19T16:39:57-08:00", INT64_C(851042397000));
    assert_rfc3339("2024-02-29T12:00:00-00:00", INT64_C(1709208000000));
}

static void a_leap_second_counts_as_the_second_after(void **state)
{
    (void)state;
    assert_rfc3339("1990-12-31T23:59:60Z", INT64_C(662688000000));
    assert_rfc3339("1990-12-31T15:59:60.5-08:00", INT64_C(662688000500));
    int64_t wall_ms;
    assert_false(instant_from_rfc3339(SLICE("1990-12-31T22:59:60Z"), &wall_ms));
    assert_false(instant_from_rfc3339(SLICE("1990-12-31T23:59:61Z"), &wall_ms));
}

static void an_invalid_rfc3339_time_is_rejected(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "",
        "2024",
        "2024-01-01",
        "2024-01-01T00:00:00",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00Z",
        "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00.1234567890Z",
        "2024-01-01T00:00:00,5Z",
        "2024-01-01T00:00:00+0200",
        "2024-01-01T00:00:00+02",
        "2024-01-01T00:00:00+24:00",
        "2024-01-01T00:00:00+02:60",
        "2024-01-01T00:00:00Zx",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z",
        "2024-13-01T00:00:00Z",
        "2024-13-01T00:00:00.000Z",
        "2024-00-01T00:00:00.000Z",
        "2024-01-00T00:00:00.000Z",
        "2024-01-32T00:00:00.000Z",
        "2023-02-29T00:00:00.000Z",
        "2024-04-31T00:00:00.000Z",
        "2024-01-01T24:00:00.000Z",
        "2024-01-01T00:60:00.000Z",
        "2024-01-01T00:00:61.000Z",
        "2024-01-01T00:00:60.000Z",
        "1968-01-01T00:00:00.000Z",
        "2024-01-01T00:00:00.00xZ",
        "202/-01-01T00:00:00.000Z",
        "2024-01-01T00:00:00.000+",
        "2024:01-01T00:00:00.000Z",
        "2024-00-01T00:00:00Z",
        "2024-01-32T00:00:00Z",
        "2024-01-00T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-00:01",
        "24-01-01T00:00:00Z",
        "02024-01-01T00:00:00Z",
        "-024-01-01T00:00:00Z",
        "2024-1-01T00:00:00Z",
        " 2024-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        int64_t wall_ms = -7;
        if (instant_from_rfc3339(slice_of_text(WRONG[i]), &wall_ms))
            fail_msg("accepted: %s", WRONG[i]);
        assert_int_equal(wall_ms, -7);
    }
    int64_t wall_ms;
    assert_false(instant_from_rfc3339(SLICE_NULL, &wall_ms));
}

static void the_http_date_is_read(void **state)
{
    (void)state;
    int64_t wall_ms = -7;
    assert_true(instant_from_http_date(SLICE("Sun, 06 Nov 1994 08:49:37 GMT"), &wall_ms));
    assert_true(wall_ms == INT64_C(784111777000));
    static const char *const WRONG[] = {
        "",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Now 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Thu, 30 Feb 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < COUNT_OF(WRONG); i++)
        if (instant_from_http_date(slice_of_text(WRONG[i]), &wall_ms))
            fail_msg("accepted: %s", WRONG[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_printed),
        cmocka_unit_test(instants_out_of_range_are_clamped),
        cmocka_unit_test(printing_and_reading_agree),
        cmocka_unit_test(rfc3339_is_read_with_offsets_and_decimals),
        cmocka_unit_test(a_leap_second_counts_as_the_second_after),
        cmocka_unit_test(an_invalid_rfc3339_time_is_rejected),
        cmocka_unit_test(the_http_date_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
