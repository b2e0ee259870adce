/* Sessions of `aws login`, and the proof of possession for their renewal
 * (wire/aws/console_login.c). */
#include "unit/unit.h"

#include "base/memory.h"
#include "unit/torture.h"
#include "wire/aws/console_login.h"

#define END_MS INT64_C(1796014800000) /* 2026-11-30T05:00:00Z */
#define LOGIN                                                                                      \
    "{\"accessToken\":{\"accessKeyId\":\"i\",\"secretAccessKey\":\"s\",\"sessionToken\":\"t\","    \
    "\"accountId\":\"111122223333\",\"expiresAt\":\"2026-11-30T05:00:00Z\"},"                      \
    "\"tokenType\":\"aws_sigv4\",\"refreshToken\":\"r\\\"\",\"idToken\":\"x.y.z\","                \
    "\"clientId\":\"arn:aws:signin:::devtools/same-device\",\"dpopKey\":\"-----BEGIN\"}"
#define RENEWED                                                                                    \
    "{\"accessToken\":{\"accessKeyId\":\"I\",\"secretAccessKey\":\"S\",\"sessionToken\":\"T\"},"   \
    "\"tokenType\":\"aws_sigv4\",\"expiresIn\":900,\"refreshToken\":\"R\"}"

struct reading {
    struct arena arena;
    struct console_login login;
    struct document_fault fault;
    struct buf text;
};

static void reading_init(struct reading *reading)
{
    arena_init(&reading->arena, DOCUMENT_ARENA_BYTES);
    buf_init(&reading->text, 8192);
}

static void reading_done(struct reading *reading)
{
    arena_wipe(&reading->arena);
    buf_done(&reading->text);
}

static enum err read_login(struct reading *reading, const char *text)
{
    return console_login_read(&reading->arena, slice_of_text(text), &reading->login,
                              &reading->fault);
}

static enum err read_renewal(struct reading *reading, struct slice text)
{
    return console_login_read_renewal(&reading->arena, text, END_MS, &reading->login,
                                      &reading->fault);
}

/* The digest is Python's. */
static void the_file_is_named_by_the_sha256_of_the_session(void **state)
{
    (void)state;
    struct buf name OWNED_BY(buf_done);
    buf_init(&name, 128);
    console_login_add_file_name(&name, SLICE("arn:aws:iam::111122223333:user/me"));
    assert_buf(&name, "6eeec053fe13079aaf7fd81065ec5ecbdb93674f20700e51842d0c769b240c8a.json");
}

static void a_login_has_keys_and_what_renews_them(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LOGIN), OK);
    assert_slice(reading.login.keys.access_key_id, "i");
    assert_slice(reading.login.keys.secret_access_key, "s");
    assert_slice(reading.login.keys.session_token, "t");
    assert_int_equal(reading.login.keys.expires_wall_ms, END_MS);
    assert_slice(reading.login.dpop_key, "-----BEGIN");
    assert_null(reading.login.sign_in_region.ptr);
    console_login_add_renewal(&reading.text, &reading.login);
    assert_buf(&reading.text, "{\"clientId\":\"arn:aws:signin:::devtools/same-device\","
                              "\"grantType\":\"refresh_token\",\"refreshToken\":\"r\\\"\"}");
}

static void a_renewed_login_keeps_the_rest_of_the_file(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LOGIN), OK);
    char answer[] = RENEWED;
    assert_int_equal(read_renewal(&reading, slice_of_text(answer)), OK);
    memset(answer, 0, sizeof answer); /* what was read are copies */
    assert_int_equal(reading.login.keys.expires_wall_ms, END_MS + 900000);
    console_login_add(&reading.text, &reading.login);
    assert_buf(&reading.text,
               "{\"accessToken\":{\"accountId\":\"111122223333\",\"accessKeyId\":\"I\","
               "\"secretAccessKey\":\"S\",\"sessionToken\":\"T\",\"expiresAt\":"
               "\"2026-11-30T05:15:00Z\"},\"tokenType\":\"aws_sigv4\",\"idToken\":\"x.y.z\","
               "\"clientId\":\"arn:aws:signin:::devtools/same-device\",\"dpopKey\":\"-----BEGIN\","
               "\"refreshToken\":\"R\"}");
    struct reading again OWNED_BY(reading_done);
    reading_init(&again);
    assert_int_equal(read_login(&again, buf_text(&reading.text)), OK);
    assert_slice(again.login.keys.session_token, "T");
}

static void a_broken_renewal_changes_nothing(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",
        "<html>",
        "{\"accessToken\":{},\"expiresIn\":900,\"refreshToken\":\"R\"}",
        "{\"accessToken\":\"x\",\"expiresIn\":900,\"refreshToken\":\"R\"}",
        "{\"accessToken\":{\"accessKeyId\":\"I\",\"secretAccessKey\":\"S\",\"sessionToken\":\"T\"},"
        "\"expiresIn\":-60,\"refreshToken\":\"R\"}",
        "{\"accessToken\":{\"accessKeyId\":\"I\",\"secretAccessKey\":\"S\",\"sessionToken\":\"T\"},"
        "\"expiresIn\":900}",
    };
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LOGIN), OK);
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_int_equal(read_renewal(&reading, slice_of_text(TEXTS[i])), ERR_FORMAT);
        assert_slice(reading.login.keys.access_key_id, "i");
        assert_slice(reading.login.refresh_token, "r\"");
    }
}

static void a_file_that_is_no_login_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } ROWS[] = {
        {"{", "it is not valid JSON at line 1, column 2"},
        {"{}", "it has no accessToken"},
        {"{\"accessToken\":\"canary\"}", "it has no accessToken"},
        {"{\"accessToken\":{\"accessKeyId\":\"canary\"}}", "it has no secretAccessKey"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct reading reading OWNED_BY(reading_done);
        reading_init(&reading);
        assert_int_equal(read_login(&reading, ROWS[i].text), ERR_FORMAT);
        assert_string_equal(reading.fault.words, ROWS[i].words);
    }
}

static void a_refusal_names_its_error(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } ROWS[] = {
        {"{\"error\":\"TOKEN_EXPIRED\",\"message\":\"canary\"}", "TOKEN_EXPIRED"},
        {"{\"error\":\"a b\"}", "a"},
        {"{\"error\":7}", ""},
        {"{\"message\":\"canary\"}", ""},
        {"<html>", ""},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct reading reading OWNED_BY(reading_done);
        struct slice error;
        reading_init(&reading);
        assert_int_equal(
            console_login_read_refusal(&reading.arena, slice_of_text(ROWS[i].text), &error), OK);
        assert_slice(error, ROWS[i].error);
    }
}

/* By the endpoint rules of AWS's service model signin-2023-01-01. */
static void sign_in_has_a_host_in_each_partition(void **state)
{
    (void)state;
    static const struct {
        const char *region, *url;
    } ROWS[] = {
        {"us-east-1", "https://us-east-1.signin.aws.amazon.com"},
        {"cn-north-1", "https://cn-north-1.signin.amazonaws.cn"},
        {"us-gov-west-1", "https://us-gov-west-1.signin.amazonaws-us-gov.com"},
        {"us-iso-east-1", "https://us-iso-east-1.signin.c2shome.ic.gov"},
        {"us-isob-east-1", "https://us-isob-east-1.signin.sc2shome.sgov.gov"},
        {"eusc-de-east-1", "https://eusc-de-east-1.signin.amazonaws-eusc.eu"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct buf url OWNED_BY(buf_done);
        buf_init(&url, 256);
        assert_int_equal(console_login_add_url(&url, slice_of_text(ROWS[i].region)), OK);
        assert_buf(&url, ROWS[i].url);
    }
    struct buf url OWNED_BY(buf_done);
    buf_init(&url, 256);
    assert_int_equal(console_login_add_url(&url, SLICE("evil.com/")), ERR_FORMAT);
    assert_int_equal(url.len, 0);
}

/* base64url of RFC 4648 without padding. */
static void base64url_has_no_padding_and_other_letters(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 64);
    dpop_add_base64url(&text, SLICE("\xfb\xff"));
    buf_add_byte(&text, ' ');
    dpop_add_base64url(&text, SLICE(""));
    buf_add_byte(&text, ' ');
    dpop_add_base64url(&text, SLICE("f"));
    assert_buf(&text, "-_8  Zg");
}

static void a_proof_names_key_request_time_and_itself(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    uint8_t x[32] = {0}, y[32] = {[31] = 1};
    const struct dpop_proof proof = {
        .x = x, .y = y, .url = SLICE("https://h/v1/token"), .wall_ms = 1999, .id = SLICE("u")};
    buf_init(&text, 4096);
    dpop_add_signed_text(&text, &proof);
    /* {"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"AAA…A","y":"AAA…E","crv":"P-256"}} and
     * {"htm":"POST","htu":"https://h/v1/token","iat":1,"jti":"u"} */
    assert_buf(&text, "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6IkFB"
                      "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUEiLCJ5IjoiQUFBQUFBQUFB"
                      "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBRSIsImNydiI6IlAtMjU2In19.eyJodG0"
                      "iOiJQT1NUIiwiaHR1IjoiaHR0cHM6Ly9oL3YxL3Rva2VuIiwiaWF0IjoxLCJqdGkiOiJ1In0");
}

static bool renew_without_memory(void *self)
{
    (void)self;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    enum err err = read_login(&reading, LOGIN);
    if (err == OK)
        err = read_renewal(&reading, SLICE(RENEWED));
    if (err == OK) {
        console_login_add(&reading.text, &reading.login);
        err = reading.text.failed;
    }
    if (err != OK)
        assert_int_equal(err, ERR_NO_MEMORY);
    return err == OK;
}

static bool prove_without_memory(void *self)
{
    struct buf text OWNED_BY(buf_done);
    const uint8_t point[32] = {0};
    const struct dpop_proof proof = {.x = point, .y = point, .url = SLICE("u"), .id = SLICE("i")};
    (void)self;
    buf_init(&text, 4096);
    dpop_add_signed_text(&text, &proof);
    return text.failed == OK;
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    assert_true(torture(renew_without_memory, NULL) > 0);
    assert_true(torture(prove_without_memory, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_named_by_the_sha256_of_the_session),
        cmocka_unit_test(a_login_has_keys_and_what_renews_them),
        cmocka_unit_test(a_renewed_login_keeps_the_rest_of_the_file),
        cmocka_unit_test(a_broken_renewal_changes_nothing),
        cmocka_unit_test(a_file_that_is_no_login_says_why),
        cmocka_unit_test(a_refusal_names_its_error),
        cmocka_unit_test(sign_in_has_a_host_in_each_partition),
        cmocka_unit_test(base64url_has_no_padding_and_other_letters),
        cmocka_unit_test(a_proof_names_key_request_time_and_itself),
        cmocka_unit_test(want_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
