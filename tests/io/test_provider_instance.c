/* The provider of an EC2 instance's keys and region (io/aws/providers/instance.c), in virtual time.
 */
#include "io/search_kit.h"

#include "io/aws/instance.h"

#define URL_VARIABLE  "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define MODE_VARIABLE "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
#define ROLES         "/latest/meta-data/iam/security-credentials/"
#define KEYS_UNTIL(at)                                                                             \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIAI\",\"SecretAccessKey\":\"canary\","              \
    "\"Token\":\"canary-t\",\"Expiration\":\"" at "\"}"
#define KEYS     KEYS_UNTIL("2026-11-30T06:00:00Z")
#define OLD_KEYS KEYS_UNTIL("2026-11-30T04:59:59Z")

static void answer_all(struct kit *kit, const char *keys)
{
    kit_answer(kit, 200, "canary-token==");
    kit_answer(kit, 200, "the-role");
    kit_answer(kit, 200, keys);
}

static void keys_are_asked_with_a_token_of_version_2(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    answer_all(kit, KEYS);
    kit_must_find(kit, provider_instance, "ASIAI");
    assert_int_equal(kit->keys.credentials.expires_wall_ms, KIT_WALL_MS + 3600000);
    assert_int_equal(kit->request_count, 3);
    assert_int_equal(kit->requests[0].method, HTTP_PUT);
    assert_string_equal(kit->requests[0].url, "http://169.254.169.254/latest/api/token");
    assert_string_equal(kit->requests[0].headers,
                        "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n");
    assert_string_equal(kit->requests[1].url, "http://169.254.169.254" ROLES);
    assert_string_equal(kit->requests[2].url, "http://169.254.169.254" ROLES "the-role");
    for (size_t i = 0; i < 3; i++) {
        assert_true(kit->requests[i].is_direct);
        if (i > 0) {
            assert_int_equal(kit->requests[i].method, HTTP_GET);
            assert_string_equal(kit->requests[i].headers,
                                "x-aws-ec2-metadata-token: canary-token==\r\n");
        }
    }
    kit_free(kit);
}

static void variables_and_profile_name_the_endpoint(void **state)
{
    (void)state;
    static const struct {
        const char *url, *mode, *config, *wanted;
    } ROWS[] = {
        {NULL, NULL, "", "http://169.254.169.254/"},
        {NULL, "IPv6", "", "http://[fd00:ec2::254]/"},
        {NULL, "ipv4", "[default]\nec2_metadata_service_endpoint_mode = IPv6\n",
         "http://169.254.169.254/"},
        {NULL, NULL, "[default]\nec2_metadata_service_endpoint_mode = IPV6\n",
         "http://[fd00:ec2::254]/"},
        {NULL, NULL, "[default]\nimds_use_ipv6 = true\n", "http://[fd00:ec2::254]/"},
        {"http://127.0.0.1:1/", "IPv6", "", "http://127.0.0.1:1/"},
        {NULL, NULL, "[default]\nec2_metadata_service_endpoint = http://127.0.0.1:2//\n",
         "http://127.0.0.1:2/"},
        {"http://127.0.0.1:1", NULL, "[default]\nec2_metadata_service_endpoint = http://b\n",
         "http://127.0.0.1:1/"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct kit *kit = kit_new();
        kit_set(kit, URL_VARIABLE, ROWS[i].url);
        kit_set(kit, MODE_VARIABLE, ROWS[i].mode);
        kit_write(kit, ".aws/config", ROWS[i].config);
        answer_all(kit, KEYS);
        kit_must_find(kit, provider_instance, "ASIAI");
        const char *url = kit->requests[0].url;
        assert_memory_equal(url, ROWS[i].wanted, strlen(ROWS[i].wanted));
        assert_string_equal(url + strlen(ROWS[i].wanted), "latest/api/token");
        kit_free(kit);
    }
}

static void an_endpoint_or_mode_that_is_none_is_named(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_set(kit, MODE_VARIABLE, "IPv5");
    kit_must_refuse(kit, provider_instance, ERR_NO_CREDENTIALS, MODE_VARIABLE);
    kit_set(kit, MODE_VARIABLE, NULL);
    kit_set(kit, URL_VARIABLE, "http://a b");
    kit_must_refuse(kit, provider_instance, ERR_NO_CREDENTIALS, URL_VARIABLE);
    assert_int_equal(kit->request_count, 0);
    kit_free(kit);
}

static void metadata_that_are_disabled_are_not_asked(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"true", "TRUE", "True"};
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        struct kit *kit = kit_new();
        kit_set(kit, "AWS_EC2_METADATA_DISABLED", WORDS[i]);
        kit_must_refuse(kit, provider_instance, ERR_NOT_FOUND, "AWS_EC2_METADATA_DISABLED");
        assert_int_equal(kit->request_count, 0);
        kit_free(kit);
    }
}

static void version_1_is_never_asked(void **state)
{
    (void)state;
    static const int STATUSES[] = {403, 404, 405};
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        struct kit *kit = kit_new();
        kit_answer(kit, STATUSES[i], "canary");
        kit_must_refuse(kit, provider_instance, ERR_NOT_FOUND, "has no version 2");
        assert_int_equal(kit->request_count, 1);
        kit_free(kit);
    }
}

static void keys_that_are_not_renewed_are_used_on(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    answer_all(kit, OLD_KEYS);
    kit_must_find(kit, provider_instance, "ASIAI");
    int64_t life_ms = kit->keys.credentials.expires_wall_ms - KIT_WALL_MS;
    assert_true(life_ms >= 5 * 60 * 1000 && life_ms <= 15 * 60 * 1000);
    assert_non_null(strstr(kit->notes, "has not renewed"));
    kit_free(kit);
}

static void an_instance_without_a_role_has_no_keys(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_answer(kit, 200, "t");
    kit_answer(kit, 404, "canary");
    kit_must_refuse(kit, provider_instance, ERR_NOT_FOUND, "the instance has no role");
    kit_free(kit);
}

static void a_name_that_no_role_has_is_not_asked_for(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"",     "../../user-data", "canary x", "<html>", "a?b",
                                        "a%2e", "\x1b[0m"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct kit *kit = kit_new();
        kit_answer(kit, 200, "t");
        kit_answer(kit, 200, NAMES[i]);
        kit_must_refuse(kit, provider_instance, ERR_NO_CREDENTIALS, "names no role");
        assert_int_equal(kit->request_count, 2);
        kit_free(kit);
    }
}

static void the_first_line_is_the_role(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_answer(kit, 200, "t");
    kit_answer(kit, 200, "role+=,.@_-1\nother\n");
    kit_answer(kit, 200, KEYS);
    kit_must_find(kit, provider_instance, "ASIAI");
    assert_string_equal(kit->requests[2].url, "http://169.254.169.254" ROLES "role+=,.@_-1");
    kit_free(kit);
}

static void a_token_that_would_make_another_header_is_not_sent(void **state)
{
    (void)state;
    static const char *const TOKENS[] = {"", "a\r\nX: y", "a\n", "<html> </html>", "\xc3\xa9"};
    for (size_t i = 0; i < COUNT_OF(TOKENS); i++) {
        struct kit *kit = kit_new();
        kit_answer(kit, 200, TOKENS[i]);
        kit_must_refuse(kit, provider_instance, ERR_NO_CREDENTIALS, "is not a token");
        assert_int_equal(kit->request_count, 1);
        kit_free(kit);
    }
}

static void a_role_that_ec2_may_not_assume_is_named(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    answer_all(kit, "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"canary\"}");
    kit_must_refuse(kit, provider_instance, ERR_NO_CREDENTIALS, "AssumeRoleUnauthorizedAccess");
    kit_free(kit);
}

/* Whatever the settings, a search is over within 20 s. */
static void a_service_that_hangs_is_given_up_in_time(void **state)
{
    (void)state;
    static const char *const NUMBERS[] = {
        NULL, "1", "2", "5", "100", "0", "-1", "x", "9223372036854775807"};
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        for (size_t j = 0; j < COUNT_OF(NUMBERS); j++) {
            struct kit *kit = kit_new();
            kit_set(kit, "AWS_METADATA_SERVICE_TIMEOUT", NUMBERS[i]);
            kit_set(kit, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", NUMBERS[j]);
            kit_fail(kit, ERR_TIMEOUT);
            kit_must_refuse(kit, provider_instance, ERR_NOT_FOUND, "no metadata service answers");
            assert_true(kit->requests[0].timeout_ms >= 1000);
            /* A search has three requests, of which each may take this long. */
            assert_true(3 * (kit->wall_ms - KIT_WALL_MS) <= 20000);
            kit_free(kit);
        }
    }
}

static void failures_are_retried(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_fail(kit, ERR_CONNECTION);
    kit_answer(kit, 503, "canary");
    answer_all(kit, KEYS);
    kit_must_find(kit, provider_instance, "ASIAI");
    assert_int_equal(kit->request_count, 5);
    kit->answer_count = 0;
    kit_answer(kit, 500, "canary");
    kit_must_refuse(kit, provider_instance, ERR_NO_CREDENTIALS, "answers 500");
    assert_int_equal(kit->request_count, 3);
    kit_free(kit);
}

static void a_search_that_is_cancelled_ends(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_fail(kit, ERR_TIMEOUT);
    kit->is_cancelled = true;
    assert_int_equal(kit_find(kit, provider_instance), ERR_CANCELLED);
    assert_int_equal(kit->request_count, 1);
    kit_free(kit);
}

/* A provider's shape around the region, for the kit. */
static char region_found[64];

static enum err find_region(struct search *search, struct keys *ret_keys)
{
    struct buf region OWNED_BY(buf_done);
    (void)ret_keys;
    buf_init(&region, 63);
    enum err err = instance_find_region(search, &region);
    slice_write(buf_slice(&region), region_found, sizeof region_found);
    return err;
}

static void the_region_is_that_of_the_instance_or_of_its_zone(void **state)
{
    (void)state;
    struct kit *kit = kit_new();
    kit_answer(kit, 200, "t");
    kit_answer(kit, 200, "eu-central-1");
    assert_int_equal(kit_find(kit, find_region), OK);
    assert_string_equal(region_found, "eu-central-1");
    kit->answer_count = 0;
    kit_answer(kit, 200, "t");
    kit_answer(kit, 404, "");
    kit_answer(kit, 200, "us-gov-west-1b");
    assert_int_equal(kit_find(kit, find_region), OK);
    assert_string_equal(region_found, "us-gov-west-1");
    kit_free(kit);
}

static void a_text_that_is_no_region_is_not_one(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"", "<html>", "evil.com/", "eu-central-1 x"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct kit *kit = kit_new();
        kit_answer(kit, 200, "t");
        kit_answer(kit, 200, TEXTS[i]);
        kit_must_refuse(kit, find_region, ERR_NOT_FOUND, "names no region");
        assert_string_equal(region_found, "");
        kit_free(kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_asked_with_a_token_of_version_2),
        cmocka_unit_test(variables_and_profile_name_the_endpoint),
        cmocka_unit_test(an_endpoint_or_mode_that_is_none_is_named),
        cmocka_unit_test(metadata_that_are_disabled_are_not_asked),
        cmocka_unit_test(version_1_is_never_asked),
        cmocka_unit_test(keys_that_are_not_renewed_are_used_on),
        cmocka_unit_test(an_instance_without_a_role_has_no_keys),
        cmocka_unit_test(a_name_that_no_role_has_is_not_asked_for),
        cmocka_unit_test(the_first_line_is_the_role),
        cmocka_unit_test(a_token_that_would_make_another_header_is_not_sent),
        cmocka_unit_test(a_role_that_ec2_may_not_assume_is_named),
        cmocka_unit_test(a_service_that_hangs_is_given_up_in_time),
        cmocka_unit_test(failures_are_retried),
        cmocka_unit_test(a_search_that_is_cancelled_ends),
        cmocka_unit_test(the_region_is_that_of_the_instance_or_of_its_zone),
        cmocka_unit_test(a_text_that_is_no_region_is_not_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
