#include "unit/unit.h"

#include "wire/formats/http.h"

#define NOW_MS INT64_C(1795342272000) /* Sun, 22 Nov 2026 10:11:12 GMT */

static void a_header_is_found_without_case_and_trimmed(void **state)
{
    (void)state;
    struct slice head =
        SLICE("HTTP/1.1 200 OK\r\nContent-Type:  text/html \t\r\nX-A:b:c\r\nX-Empty:\r\n\r\n");
    assert_slice(http_header(head, "content-type"), "text/html");
    assert_slice(http_header(head, "X-a"), "b:c");
    assert_slice(http_header(head, "x-empty"), "");
    assert_null(http_header(head, "x-none").ptr);
    assert_null(http_header(head, "HTTP/1.1 200 OK").ptr);
}

static void the_last_of_several_values_counts(void **state)
{
    (void)state;
    struct slice head = SLICE("HTTP/1.1 200 OK\nA: one\nAA: no\n a: no\nA: two");
    assert_slice(http_header(head, "a"), "two");
}

static void an_empty_head_has_no_headers(void **state)
{
    (void)state;
    assert_null(http_header(SLICE_NULL, "a").ptr);
    assert_null(http_header(SLICE(""), "a").ptr);
    assert_null(http_header(SLICE(":::\n:\n\n\r\n"), "a").ptr);
    assert_slice(http_header(SLICE(": x"), ""), "x");
}

static void retry_after_is_read_in_all_its_forms(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int64_t delay_ms;
    } ROWS[] = {
        {"HTTP/1.1 429 x\r\n\r\n", -1},
        {"Retry-After: 7\r\n", 7000},
        {"retry-after: 0\r\n", 0},
        {"x-amz-retry-after: 1500\r\nRetry-After: 7\r\n", 1500},
        {"x-amz-retry-after: soon\r\nRetry-After: 7\r\n", 7000},
        {"Retry-After: Sun, 22 Nov 2026 10:11:42 GMT\r\n", 30000},
        {"Retry-After: Sun, 22 Nov 2026 10:11:02 GMT\r\n", 0},
        {"Retry-After: Mon, 22 Nov 2027 10:11:02 GMT\r\n", 900000},
        {"Retry-After: 901\r\n", 900000},
        {"Retry-After: 99999999999999999999999999\r\n", 900000},
        {"x-amz-retry-after: 99999999999999999999999999\r\n", 900000},
        {"Retry-After: 9223372036854775807\r\n", 900000},
        {"Retry-After: -5\r\n", -1},
        {"Retry-After: 1.5\r\n", -1},
        {"Retry-After:\r\n", -1},
        {"Retry-After: tomorrow\r\n", -1},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_true(http_retry_after_ms(slice_of_text(ROWS[i].head), NOW_MS) == ROWS[i].delay_ms);
}

static void a_retry_date_is_measured_from_the_servers_date(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int64_t delay_ms;
    } ROWS[] = {
        {"Date: Sun, 22 Nov 2026 09:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 09:00:20 GMT\r\n",
         20000},
        {"Date: Sun, 22 Nov 2026 11:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 11:00:20 GMT\r\n",
         20000},
        {"Date: Sun, 22 Nov 2026 11:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 10:11:42 GMT\r\n",
         0},
        {"Date: today\r\nRetry-After: Sun, 22 Nov 2026 10:11:42 GMT\r\n", 30000},
        {"Date: Sun, 22 Nov 2026 09:00:00 GMT\r\nRetry-After: 7\r\n", 7000},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        assert_true(http_retry_after_ms(slice_of_text(ROWS[i].head), NOW_MS) == ROWS[i].delay_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_found_without_case_and_trimmed),
        cmocka_unit_test(the_last_of_several_values_counts),
        cmocka_unit_test(an_empty_head_has_no_headers),
        cmocka_unit_test(retry_after_is_read_in_all_its_forms),
        cmocka_unit_test(a_retry_date_is_measured_from_the_servers_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
