/* The status page that is built in (app/pages/page.c). */
#include "unit/unit.h"

#include <string.h>

#include "app/pages/page.h"

static void the_policy_allows_the_pages_own_script_and_styles_alone(void **state)
{
    (void)state;
    const char *policy = page_policy();
    assert_ptr_equal(policy, page_policy());
    assert_int_equal(strncmp(policy, "default-src 'none'; script-src 'sha256-", 39), 0);
    assert_non_null(strstr(policy, "'; style-src 'sha256-"));
    assert_non_null(strstr(policy, "; connect-src 'self'; "));
    assert_null(strstr(policy, "unsafe"));
}

static void the_page_has_one_script_and_no_address_of_elsewhere(void **state)
{
    (void)state;
    struct buf body OWNED_BY(buf_done);
    struct server_page page = {.status = 200, .body = &body};
    buf_init(&body, SERVER_PAGE_BYTES_MAX);
    page_answer(&page);
    const char *text = buf_text(&body);
    assert_string_equal(page.type, "text/html; charset=utf-8");
    assert_int_equal(strncmp(text, "<!doctype html>", 15), 0);
    const char *script = strstr(text, "<script>");
    assert_non_null(script);
    assert_null(strstr(script + 1, "<script"));
    assert_null(strstr(text, "https://"));
    assert_null(strstr(text, " style=\""));
    assert_null(strstr(text, "innerHTML"));
    const char *address = strstr(text, "http://");
    assert_int_equal(strncmp(address, "http://www.w3.org/2000/svg\"", 27), 0);
    assert_null(strstr(address + 1, "http://"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_allows_the_pages_own_script_and_styles_alone),
        cmocka_unit_test(the_page_has_one_script_and_no_address_of_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
