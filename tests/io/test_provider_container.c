/* The provider of a container's keys (io/aws/providers/container.c), in virtual time. */
#include "io/search_kit.h"

#define PATH_VARIABLE  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL_VARIABLE  "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN_VARIABLE "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define FILE_VARIABLE  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define KEYS                                                                                       \
    "{\"AccessKeyId\":\"ASIAC\",\"SecretAccessKey\":\"canary\",\"Token\":\"canary-t\","            \
    "\"Expiration\":\"2026-11-30T06:00:00Z\"}"

static void without_its_variables_there_is_no_container(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, TOKEN_VARIABLE, "canary");
    kit_must_refuse(kit, provider_container, ERR_NOT_FOUND, PATH_VARIABLE);
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void a_path_is_asked_of_the_host_of_ecs_directly(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, PATH_VARIABLE, "/v2/credentials/x?y=1");
    kit_set(kit, FULL_VARIABLE, "http://127.0.0.1/z");
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_container, "ASIAC");
    assert_slice(kit->keys.credentials.session_token, "canary-t");
    assert_int_equal(kit->keys.credentials.expires_wall_ms, KIT_WALL_MS + 3600000);
    assert_int_equal(kit->request_count, 1);
    assert_string_equal(kit->requests[0].url, "http://169.254.170.2/v2/credentials/x?y=1");
    assert_int_equal(kit->requests[0].method, HTTP_GET);
    assert_true(kit->requests[0].is_direct);
    kit_free(kit);
}

static void plain_http_is_for_hosts_of_the_container_only(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is_fine;
    } ROWS[] = {
        {"http://127.0.0.1:8080/x", true},
        {"http://127.1.2.3/x", true},
        {"http://localhost/x", true},
        {"http://[::1]:80/x", true},
        {"http://[0:0:0:0:0:0:0:1]/x", true},
        {"http://169.254.170.2/x", true},
        {"http://169.254.170.23/x", true},
        {"http://[fd00:ec2::23]/x", true},
        {"https://example.com/x", true},
        {"HTTPS://example.com/x", true},
        {"http://example.com/x", false},
        {"http://169.254.169.254/x", false},
        {"http://169.254.170.3/x", false},
        {"http://[fd00:ec2::24]/x", false},
        {"http://[::ffff:10.0.0.1]/x", false},
        {"http://127.0.0.1.example.com/x", false},
        {"http://127.1/x", false},
        {"http://0x7f.0.0.1/x", false},
        {"http://2130706433/x", false},
        {"http://localhost.example.com/x", false},
        {"http://127.0.0.1@example.com/x", false},
        {"http://example.com#@127.0.0.1/x", false},
        {"http://127.0.0.1\\@example.com/x", false},
        {"http://127.0.0.1/x\r\nX-Injected: y", false},
        {"http://127.0.0.1/x?\r\nX-Injected: y", false},
        {"http://127.0.0.1/x y", false},
        {"ftp://127.0.0.1/x", false},
        {"file:///etc/passwd", false},
        {"//127.0.0.1/x", false},
        {"127.0.0.1/x", false},
        {"http://", false},
        {"http://[::1/x", false},
        {"http://127.0.0.1:99999/x", false},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct kit *kit = kit_new();
        kit_set(kit, FULL_VARIABLE, ROWS[i].url);
        kit_set(kit, TOKEN_VARIABLE, "canary");
        kit_answer(kit, 200, KEYS);
        if (ROWS[i].is_fine)
            kit_must_find(kit, provider_container, "ASIAC");
        else
            kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, FULL_VARIABLE);
        assert_int_equal(kit->request_count, ROWS[i].is_fine ? 1 : 0);
        kit_free(kit);
    }
}

static void a_path_cannot_name_another_host(void **state)
{
    (void)state;
    static const char *const PATHS[] = {".example.com/x", "@example.com/x", "x",
                                        ":80@example.com/"};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        struct kit *kit = kit_new();
        kit_set(kit, PATH_VARIABLE, PATHS[i]);
        kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, PATH_VARIABLE);
        assert_int_equal(kit->request_count, 0);
        kit_free(kit);
    }
}

static void the_token_is_read_for_each_request(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, FULL_VARIABLE, "http://169.254.170.23/v1/credentials");
    kit_set(kit, FILE_VARIABLE, "~/token");
    kit_set(kit, TOKEN_VARIABLE, "not this one");
    kit_answer(kit, 200, KEYS);
    kit_write(kit, "token", "first");
    kit_must_find(kit, provider_container, "ASIAC");
    assert_non_null(strstr(kit->requests[0].headers, "Authorization: first\r\n"));
    kit_write(kit, "token", "second");
    kit_must_find(kit, provider_container, "ASIAC");
    assert_non_null(strstr(kit->requests[0].headers, "Authorization: second\r\n"));
    kit_free(kit);
}

static void a_token_that_would_make_another_header_is_not_sent(void **state)
{
    (void)state;
    static const char *const TOKENS[] = {"canary\r\nX: y", "canary\n", "canary\r", "canary\x7f",
                                         "canary\t"};
    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        for (int is_file = 0; is_file < 2; is_file++) {
            struct kit *kit = kit_new();
            kit_set(kit, FULL_VARIABLE, "http://127.0.0.1/x");
            kit_set(kit, is_file ? FILE_VARIABLE : TOKEN_VARIABLE, is_file ? "~/token" : TOKENS[i]);
            kit_write(kit, "token", TOKENS[i]);
            kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS,
                            is_file ? FILE_VARIABLE : TOKEN_VARIABLE);
            assert_int_equal(kit->request_count, 0);
            kit_free(kit);
        }
    }
}

static void a_token_file_that_is_missing_empty_or_huge_is_named(void **state)
{
    (void)state;
    static char huge[70000];
    memset(huge, 'c', sizeof huge - 1);
    struct kit *kit = kit_new();
    kit_set(kit, FULL_VARIABLE, "http://127.0.0.1/x");
    kit_set(kit, FILE_VARIABLE, "~/token");
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, "/token");
    kit_write(kit, "token", "");
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, FILE_VARIABLE);
    kit_write(kit, "token", huge);
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, "/token is over 64 KiB");
    kit_set(kit, FILE_VARIABLE, "/");
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, "it is a directory");
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void a_failure_is_retried_once(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, FULL_VARIABLE, "http://127.0.0.1/x");
    kit_answer(kit, 500, "canary");
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_container, "ASIAC");
    assert_int_equal(kit->request_count, 2);
    kit->answer_count = 0;
    kit_answer(kit, 500, "canary");
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, "answers 500");
    assert_int_equal(kit->request_count, 2);
    kit->answer_count = 0;
    kit_answer(kit, 404, "canary");
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, "answers 404");
    assert_int_equal(kit->request_count, 1);
    kit_free(kit);
}

static void an_endpoint_that_hangs_is_given_up_in_time(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, FULL_VARIABLE, "http://127.0.0.1:8080/canary");
    kit_fail(kit, ERR_TIMEOUT);
    kit_must_refuse(kit, provider_container, ERR_NO_CREDENTIALS, "127.0.0.1:8080 does not answer");
    assert_true(kit->wall_ms - KIT_WALL_MS <= 15000);
    kit_free(kit);
}

static void a_search_that_is_cancelled_ends(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, FULL_VARIABLE, "http://127.0.0.1/x");
    kit_fail(kit, ERR_CONNECTION);
    kit->is_cancelled = true;
    assert_int_equal(kit_find(kit, provider_container), ERR_CANCELLED);
    assert_int_equal(kit->request_count, 1);
    kit->answer_count = 0;
    kit_fail(kit, ERR_CANCELLED);
    assert_int_equal(kit_find(kit, provider_container), ERR_CANCELLED);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_its_variables_there_is_no_container),
        cmocka_unit_test(a_path_is_asked_of_the_host_of_ecs_directly),
        cmocka_unit_test(plain_http_is_for_hosts_of_the_container_only),
        cmocka_unit_test(a_path_cannot_name_another_host),
        cmocka_unit_test(the_token_is_read_for_each_request),
        cmocka_unit_test(a_token_that_would_make_another_header_is_not_sent),
        cmocka_unit_test(a_token_file_that_is_missing_empty_or_huge_is_named),
        cmocka_unit_test(a_failure_is_retried_once),
        cmocka_unit_test(an_endpoint_that_hangs_is_given_up_in_time),
        cmocka_unit_test(a_search_that_is_cancelled_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
