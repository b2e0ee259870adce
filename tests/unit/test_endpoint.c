#include "unit/unit.h"

#include "wire/bedrock/endpoint.h"

static void a_region_has_its_own_host(void **state)
{
    (void)state;
    static const struct {
        const char *region;
        bool fips, dual_stack;
        const char *url;
    } ROWS[] = {
        {"us-east-1", false, false, "https://bedrock-runtime.us-east-1.amazonaws.com"},
        {"us-east-1", true, false, "https://bedrock-runtime-fips.us-east-1.amazonaws.com"},
        {"us-east-1", false, true, "https://bedrock-runtime.us-east-1.api.aws"},
        {"us-east-1", true, true, "https://bedrock-runtime-fips.us-east-1.api.aws"},
        {"us-gov-west-1", true, false, "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com"},
        {"cn-north-1", false, false, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"},
        {"cn-north-1", false, true,
         "https://bedrock-runtime.cn-north-1.api.amazonwebservices.com.cn"},
        {"us-iso-east-1", false, false, "https://bedrock-runtime.us-iso-east-1.c2s.ic.gov"},
        {"us-isob-east-1", false, false, "https://bedrock-runtime.us-isob-east-1.sc2s.sgov.gov"},
        {"us-isof-south-1", false, false, "https://bedrock-runtime.us-isof-south-1.csp.hci.ic.gov"},
        {"eu-isoe-west-1", false, false, "https://bedrock-runtime.eu-isoe-west-1.cloud.adc-e.uk"},
        {"eusc-de-east-1", false, false, "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu"},
        {"mx-central-1", false, false, "https://bedrock-runtime.mx-central-1.amazonaws.com"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf url OWNED_BY(buf_done);
        buf_init(&url, 256);
        assert_int_equal(
            endpoint_add_url(&url, slice_of_text(ROWS[i].region), ROWS[i].fips, ROWS[i].dual_stack),
            OK);
        assert_buf(&url, ROWS[i].url);
    }
}

static void an_invalid_region_is_rejected(void **state)
{
    (void)state;
    static const char *const ROWS[] = {
        "",           "us-east-1.evil.com/",
        "us east",    "US-EAST-1",
        "-us-east-1", "us-east-1-",
        "xx-east-1",  "us-east",
        "us--1",      "us-east-1-2",
        "us-gov-1a",  "useast1",
        "a@b",        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf url OWNED_BY(buf_done);
        buf_init(&url, 256);
        assert_int_equal(endpoint_add_url(&url, slice_of_text(ROWS[i]), false, false), ERR_FORMAT);
        assert_int_equal(url.len, 0);
    }
    struct buf tight OWNED_BY(buf_done);
    buf_init(&tight, 20);
    assert_int_equal(endpoint_add_url(&tight, SLICE("us-east-1"), false, false), ERR_TOO_LARGE);
}

static void a_configured_url_takes_precedence_over_the_region(void **state)
{
    (void)state;
    struct buf url OWNED_BY(buf_done);
    buf_init(&url, 64);
    assert_int_equal(
        endpoint_choose_url(&url, SLICE("http://127.0.0.1:1"), SLICE("us-east-1"), true, true), OK);
    assert_buf(&url, "http://127.0.0.1:1");
    buf_reset(&url);
    assert_int_equal(endpoint_choose_url(&url, SLICE_NULL, SLICE("us-east-1"), true, true), OK);
    assert_buf(&url, "https://bedrock-runtime-fips.us-east-1.api.aws");
    buf_reset(&url);
    assert_int_equal(endpoint_choose_url(&url, SLICE_NULL, SLICE(""), true, true), ERR_FORMAT);
    assert_int_equal(url.len, 0);
    url.limit = 4;
    assert_int_equal(endpoint_choose_url(&url, SLICE("http://x"), SLICE(""), false, false),
                     ERR_TOO_LARGE);
}

static void a_url_is_split_into_its_parts(void **state)
{
    (void)state;
    static const struct {
        const char *url, *scheme, *host, *base_path;
    } ROWS[] = {
        {"https://example.com", "https", "example.com", ""},
        {"https://example.com/", "https", "example.com", ""},
        {"HTTP://127.0.0.1:9000", "http", "127.0.0.1:9000", ""},
        {"http://localhost:80/a/b//", "http", "localhost", "/a/b"},
        {"https://localhost:443", "https", "localhost", ""},
        {"https://localhost:80", "https", "localhost:80", ""},
        {"http://[::1]:8080/x", "http", "[::1]:8080", "/x"},
        {"http://[::1]", "http", "[::1]", ""},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct endpoint endpoint;
        assert_int_equal(endpoint_read(slice_of_text(ROWS[i].url), &endpoint), OK);
        assert_slice(endpoint.scheme, ROWS[i].scheme);
        assert_slice(endpoint.host, ROWS[i].host);
        assert_slice(endpoint.base_path, ROWS[i].base_path);
    }
}

static void an_invalid_endpoint_is_rejected(void **state)
{
    (void)state;
    static const char *const ROWS[] = {
        "",
        "example.com",
        "ftp://example.com",
        "https:/example.com",
        "https://",
        "https:///x",
        "https://u:p@x.com",
        "https://x.com?a=b",
        "https://x.com/#a",
        "https://x.com:",
        "https://x:0",
        "https://x:65536",
        "https://x:-1",
        "https://x:8a",
        "https://x y",
        "https://x\r\nEvil: yes",
        "https://x/\xc3\xbc",
        "https://[::1",
        "https://:80",
        "http://[::1]x",
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct endpoint endpoint;
        if (endpoint_read(slice_of_text(ROWS[i]), &endpoint) != ERR_FORMAT)
            print_message("%s\n", ROWS[i]);
        assert_int_equal(endpoint_read(slice_of_text(ROWS[i]), &endpoint), ERR_FORMAT);
    }
    struct endpoint endpoint;
    assert_int_equal(endpoint_read(SLICE_NULL, &endpoint), ERR_FORMAT);
    assert_int_equal(endpoint_read(SLICE("http://a\0b"), &endpoint), ERR_FORMAT);
}

static void other_services_have_hosts_of_the_same_partitions(void **state)
{
    (void)state;
    struct buf url OWNED_BY(buf_done);
    buf_init(&url, 256);
    assert_int_equal(
        endpoint_add_service_url(&url, "portal.sso", SLICE("cn-north-1"), false, false), OK);
    assert_buf(&url, "https://portal.sso.cn-north-1.amazonaws.com.cn");
    buf_reset(&url);
    assert_int_equal(endpoint_add_service_url(&url, "oidc", SLICE("a.evil/"), false, false),
                     ERR_FORMAT);
    assert_int_equal(url.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_has_its_own_host),
        cmocka_unit_test(other_services_have_hosts_of_the_same_partitions),
        cmocka_unit_test(an_invalid_region_is_rejected),
        cmocka_unit_test(a_configured_url_takes_precedence_over_the_region),
        cmocka_unit_test(a_url_is_split_into_its_parts),
        cmocka_unit_test(an_invalid_endpoint_is_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
