/* wire/bedrock/sigv4.c against what botocore signs (tests/vectors/make.py). */
#include "unit/unit.h"

#include "base/memory.h"
#include "unit/torture.h"
#include "wire/bedrock/sigv4.h"

#define VECTORS_WALL_MS INT64_C(1795342272000) /* 2026-11-22T10:11:12Z */
#define KEY_ID          "AKIDVECTORS"
#define SECRET          "vectors/secret+key/of/no/account"

struct vector {
    const char *name, *method, *host, *path, *query, *headers;
    size_t body_len;
    const char *body, *region, *token, *canonical, *to_sign, *authorization;
};

static const struct vector VECTORS[] = {
#define VECTOR(...) {__VA_ARGS__},
#include "vectors/sigv4.inc"
#undef VECTOR
};

static struct sigv4_header headers[SIGV4_HEADERS_MAX];

/* `name:value\n…` */
static size_t read_headers(const char *text)
{
    struct slice rest = slice_of_text(text);
    size_t count = 0;
    while (rest.len > 0) {
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        size_t colon = slice_find(line, ':');
        headers[count++] =
            (struct sigv4_header){slice_sub(line, 0, colon), slice_sub(line, colon + 1, line.len)};
        rest = slice_sub(rest, line.len + 1, rest.len);
    }
    return count;
}

static struct sigv4_request request_of(const struct vector *vector)
{
    return (struct sigv4_request){
        .method = slice_of_text(vector->method),
        .host = slice_of_text(vector->host),
        .path = slice_of_text(vector->path),
        .query = slice_of_text(vector->query),
        .headers = headers,
        .header_count = read_headers(vector->headers),
        .body = slice_of(vector->body, vector->body_len),
        .region = slice_of_text(vector->region),
        .service = SLICE("bedrock"),
        .wall_ms = VECTORS_WALL_MS,
    };
}

static struct credentials credentials_of(const struct vector *vector)
{
    return (struct credentials){
        .access_key_id = SLICE(KEY_ID),
        .secret_access_key = SLICE(SECRET),
        .session_token = slice_of_text(vector->token),
        .expires_wall_ms = INT64_MAX,
    };
}

static void requests_are_signed_as_botocore_signs_them(void **state)
{
    (void)state;
    struct sigv4_key key = {{0}, {0}, {0}};
    assert_true(COUNT_OF(VECTORS) >= 30);
    for (size_t i = 0; i < COUNT_OF(VECTORS); i++) {
        const struct vector *vector = &VECTORS[i];
        struct sigv4_request request = request_of(vector);
        struct credentials credentials = credentials_of(vector);
        struct buf text OWNED_BY(buf_done);
        struct buf expected OWNED_BY(buf_done);
        buf_init(&text, 65536);
        buf_init(&expected, 65536);
        sigv4_add_canonical(&text, &request, credentials.session_token);
        assert_buf(&text, vector->canonical);
        buf_reset(&text);
        sigv4_add_string_to_sign(&text, &request, slice_of_text(vector->canonical));
        assert_buf(&text, vector->to_sign);
        buf_reset(&text);
        assert_int_equal(sigv4_add_headers(&text, &request, &credentials, &key), OK);
        buf_add_text(&expected, "X-Amz-Date: 20261122T101112Z\r\n");
        if (vector->token != NULL)
            buf_addf(&expected, "X-Amz-Security-Token: %s\r\n", vector->token);
        buf_addf(&expected, "Authorization: %s\r\n", vector->authorization);
        assert_buf(&text, buf_text(&expected));
    }
}

/* The signature that a fresh key gives. */
static void sign(const struct sigv4_request *request, const char *secret, struct sigv4_key *key,
                 char ret_signature[65])
{
    struct buf text OWNED_BY(buf_done);
    struct credentials credentials = credentials_of(&VECTORS[0]);
    credentials.secret_access_key = slice_of_text(secret);
    buf_init(&text, 65536);
    assert_int_equal(sigv4_add_headers(&text, request, &credentials, key), OK);
    memcpy(ret_signature, text.ptr + text.len - 66, 64);
    ret_signature[64] = '\0';
}

static void a_cached_key_follows_day_region_service_and_secret(void **state)
{
    (void)state;
    struct sigv4_key kept = {{0}, {0}, {0}};
    static const char *const REGIONS[] = {"us-east-1", "us-east-2"};
    static const char *const SECRETS[] = {SECRET, "another"};
    static const char *const SERVICES[] = {"bedrock", "sts"};
    char all[16][65];
    for (size_t i = 0; i < 16; i++) {
        struct sigv4_key fresh = {{0}, {0}, {0}};
        char signature[65];
        struct sigv4_request request = request_of(&VECTORS[0]);
        request.region = slice_of_text(REGIONS[i & 1]);
        request.service = slice_of_text(SERVICES[i >> 1 & 1]);
        request.wall_ms += (int64_t)(i >> 2 & 1) * 86400000;
        sign(&request, SECRETS[i >> 3 & 1], &fresh, signature);
        sign(&request, SECRETS[i >> 3 & 1], &kept, all[i]);
        assert_string_equal(all[i], signature);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(all[j], all[i]);
    }
}

static void a_bearer_token_replaces_the_signature(void **state)
{
    (void)state;
    struct sigv4_key key = {{0}, {0}, {0}};
    struct sigv4_request request = request_of(&VECTORS[0]);
    struct credentials credentials = credentials_of(&VECTORS[0]);
    struct buf text OWNED_BY(buf_done);
    credentials.bearer_token = SLICE("bedrock-api-key-abc=");
    buf_init(&text, 65536);
    assert_int_equal(sigv4_add_headers(&text, &request, &credentials, &key), OK);
    assert_buf(&text, "Authorization: Bearer bedrock-api-key-abc=\r\n");
}

static void must_refuse(struct credentials credentials)
{
    struct sigv4_key key = {{0}, {0}, {0}};
    struct sigv4_request request = request_of(&VECTORS[0]);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    assert_int_equal(sigv4_add_headers(&text, &request, &credentials, &key), ERR_NO_CREDENTIALS);
    assert_int_equal(text.len, 0);
}

static void credentials_with_characters_invalid_in_a_header_are_rejected(void **state)
{
    (void)state;
    struct credentials good = credentials_of(&VECTORS[0]);
    struct credentials bad = {.expires_wall_ms = INT64_MAX};
    must_refuse(bad);
    bad = good;
    bad.secret_access_key = SLICE("");
    must_refuse(bad);
    bad = good;
    bad.access_key_id = SLICE("AKID\r\nX-Evil: yes");
    must_refuse(bad);
    bad = good;
    bad.session_token = SLICE("a\nb");
    must_refuse(bad);
    bad = good;
    bad.bearer_token = SLICE("a\0b");
    must_refuse(bad);
    static char secret[SIGV4_SECRET_BYTES_MAX + 1];
    bad = good;
    bad.secret_access_key = slice_of(secret, sizeof secret);
    must_refuse(bad);
}

static void a_path_label_keeps_only_unreserved_characters(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1000);
    sigv4_add_label(&text, SLICE("AZaz09-._~"));
    assert_buf(&text, "AZaz09-._~");
    buf_reset(&text);
    sigv4_add_label(&text, SLICE("a:b/c d%+\xc3\xbc?#\x7f"));
    assert_buf(&text, "a%3Ab%2Fc%20d%25%2B%C3%BC%3F%23%7F");
}

static void too_many_parts_are_an_error(void **state)
{
    (void)state;
    static struct sigv4_header many[SIGV4_HEADERS_MAX + 1];
    struct sigv4_key key = {{0}, {0}, {0}};
    struct sigv4_request request = request_of(&VECTORS[0]);
    struct credentials credentials = credentials_of(&VECTORS[0]);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct sigv4_header){SLICE("x"), SLICE("y")};
    request.headers = many;
    request.header_count = SIGV4_HEADERS_MAX;
    assert_int_equal(sigv4_add_headers(&text, &request, &credentials, &key), OK);
    request.header_count++;
    assert_int_equal(sigv4_add_headers(&text, &request, &credentials, &key), ERR_TOO_LARGE);
    sigv4_add_canonical(&text, &request, SLICE_NULL);
    assert_int_equal(text.failed, ERR_TOO_LARGE);

    static char path[] = "/../a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"
                         "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a";
    request = request_of(&VECTORS[0]);
    request.path = slice_of_text(path);
    buf_reset(&text);
    sigv4_add_canonical(&text, &request, SLICE_NULL);
    assert_int_equal(text.failed, ERR_TOO_LARGE);

    static char query[] =
        "&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&";
    request = request_of(&VECTORS[0]);
    request.query = slice_of_text(query);
    buf_reset(&text);
    sigv4_add_canonical(&text, &request, SLICE_NULL);
    assert_int_equal(text.failed, ERR_TOO_LARGE);
}

static void a_region_too_long_for_the_key_is_an_error(void **state)
{
    (void)state;
    static char region[200];
    struct sigv4_key key = {{0}, {0}, {0}};
    struct sigv4_request request = request_of(&VECTORS[0]);
    struct credentials credentials = credentials_of(&VECTORS[0]);
    struct buf text OWNED_BY(buf_done);
    memset(region, 'a', sizeof region);
    buf_init(&text, 65536);
    request.region = slice_of(region, sizeof region);
    assert_int_equal(sigv4_add_headers(&text, &request, &credentials, &key), ERR_TOO_LARGE);
}

static bool signs(void *self)
{
    const struct vector *vector = self;
    struct sigv4_key key = {{0}, {0}, {0}};
    struct sigv4_request request = request_of(vector);
    struct credentials credentials = credentials_of(vector);
    struct buf text;
    buf_init(&text, 65536);
    enum err err = sigv4_add_headers(&text, &request, &credentials, &key);
    bool passed = err == OK;
    assert_true(passed || err == ERR_NO_MEMORY);
    if (passed)
        assert_non_null(strstr(buf_text(&text), vector->authorization));
    buf_done(&text);
    return passed;
}

static void failed_allocations_give_no_wrong_signature(void **state)
{
    (void)state;
    struct vector vector = VECTORS[0];
    assert_true(torture(signs, &vector) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_signed_as_botocore_signs_them),
        cmocka_unit_test(a_cached_key_follows_day_region_service_and_secret),
        cmocka_unit_test(a_bearer_token_replaces_the_signature),
        cmocka_unit_test(credentials_with_characters_invalid_in_a_header_are_rejected),
        cmocka_unit_test(a_path_label_keeps_only_unreserved_characters),
        cmocka_unit_test(too_many_parts_are_an_error),
        cmocka_unit_test(a_region_too_long_for_the_key_is_an_error),
        cmocka_unit_test(failed_allocations_give_no_wrong_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
