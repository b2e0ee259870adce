/* Logins of IAM Identity Center (wire/aws/sso.c). */
#include "unit/unit.h"

#include "base/memory.h"
#include "unit/torture.h"
#include "wire/aws/sso.h"

#define END_MS INT64_C(1796014800000) /* 2026-11-30T05:00:00Z */
#define SHORT  "{\"accessToken\":\"a\",\"expiresAt\":\"2026-11-30T05:00:00Z\"}"
#define LONG                                                                                       \
    "{\"startUrl\":\"https://x\",\"accessToken\":\"a\",\"expiresAt\":\"2026-11-30T05:00:00Z\","    \
    "\"clientId\":\"c\",\"clientSecret\":\"s\\\"\",\"refreshToken\":\"r\","                        \
    "\"registrationExpiresAt\":\"2026-12-30T05:00:00Z\",\"scopes\":[1.0]}"
#define RENEWED "{\"accessToken\":\"b\\u0041\",\"expiresIn\":3600,\"tokenType\":\"Bearer\"}"

struct reading {
    struct arena arena;
    struct sso_login login;
    struct key_answer found;
    struct document_fault fault;
    struct buf text;
};

static void reading_init(struct reading *reading)
{
    arena_init(&reading->arena, DOCUMENT_ARENA_BYTES);
    buf_init(&reading->text, 4096);
}

static void reading_done(struct reading *reading)
{
    arena_wipe(&reading->arena);
    buf_done(&reading->text);
}

static enum err read_login(struct reading *reading, const char *text)
{
    return sso_read_login(&reading->arena, slice_of_text(text), &reading->login, &reading->fault);
}

/* The digest is Python's. */
static void the_file_is_named_by_the_sha1_of_the_session(void **state)
{
    (void)state;
    struct buf name OWNED_BY(buf_done);
    buf_init(&name, 64);
    sso_add_file_name(&name, SLICE("my-sso"));
    assert_buf(&name, "0ad374308c5a4e22f723adf10145eafad7c4031c.json");
}

static void a_login_has_a_token_and_its_end(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, SHORT), OK);
    assert_slice(reading.login.access_token, "a");
    assert_int_equal(reading.login.expires_wall_ms, END_MS);
    assert_false(sso_is_renewable(&reading.login, 0));
}

static void a_login_is_renewed_while_its_registration_lives(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LONG), OK);
    int64_t end_ms = reading.login.registration_expires_wall_ms;
    assert_int_equal(end_ms, END_MS + INT64_C(30) * 24 * 3600 * 1000);
    assert_true(sso_is_renewable(&reading.login, end_ms - 1));
    assert_false(sso_is_renewable(&reading.login, end_ms));
    sso_add_renewal(&reading.text, &reading.login);
    assert_buf(&reading.text, "{\"clientId\":\"c\",\"clientSecret\":\"s\\\"\",\"grantType\":"
                              "\"refresh_token\",\"refreshToken\":\"r\"}");
}

static void a_renewed_login_keeps_the_rest_of_the_file(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LONG), OK);
    char answer[] = RENEWED;
    assert_int_equal(sso_read_renewal(&reading.arena, slice_of_text(answer), END_MS, &reading.login,
                                      &reading.fault),
                     OK);
    memset(answer, 0, sizeof answer); /* what was read are copies */
    assert_slice(reading.login.access_token, "bA");
    assert_slice(reading.login.refresh_token, "r");
    sso_add_login(&reading.text, &reading.login);
    assert_buf(&reading.text,
               "{\"startUrl\":\"https://x\",\"clientId\":\"c\",\"clientSecret\":\"s\\\"\","
               "\"registrationExpiresAt\":\"2026-12-30T05:00:00Z\",\"scopes\":[1.0],"
               "\"accessToken\":\"bA\",\"expiresAt\":\"2026-11-30T06:00:00Z\","
               "\"refreshToken\":\"r\"}");
}

static void a_renewal_may_bring_another_refresh_token(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LONG), OK);
    assert_int_equal(
        sso_read_renewal(&reading.arena,
                         SLICE("{\"accessToken\":\"b\",\"expiresIn\":1,\"refreshToken\":\"n\"}"),
                         END_MS, &reading.login, &reading.fault),
        OK);
    assert_slice(reading.login.refresh_token, "n");
}

static void a_broken_renewal_changes_nothing(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",
        "<html>",
        "[]",
        "{\"accessToken\":\"b\"}",
        "{\"accessToken\":\"b\",\"expiresIn\":-1}",
        "{\"accessToken\":\"b\",\"expiresIn\":1e300}",
        "{\"accessToken\":1,\"expiresIn\":1}",
    };
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(read_login(&reading, LONG), OK);
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_int_equal(sso_read_renewal(&reading.arena, slice_of_text(TEXTS[i]), END_MS,
                                          &reading.login, &reading.fault),
                         ERR_FORMAT);
        assert_slice(reading.login.access_token, "a");
        assert_int_equal(reading.login.expires_wall_ms, END_MS);
    }
}

static void a_file_that_is_no_login_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } ROWS[] = {
        {"", "it is not valid JSON at line 1, column 1"},
        {"{\"expiresAt\":\"2026-11-30T05:00:00Z\"}", "it has no accessToken"},
        {"{\"accessToken\":\"canary\"}", "it has no expiresAt"},
        {"{\"accessToken\":\"canary\",\"expiresAt\":\"soon\"}",
         "its expiresAt is not an RFC 3339 date and time"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct reading reading OWNED_BY(reading_done);
        reading_init(&reading);
        assert_int_equal(read_login(&reading, ROWS[i].text), ERR_FORMAT);
        assert_string_equal(reading.fault.words, ROWS[i].words);
    }
}

static void account_and_role_are_escaped_in_the_query(void **state)
{
    (void)state;
    struct buf path OWNED_BY(buf_done);
    buf_init(&path, 256);
    sso_add_keys_path(&path, SLICE("111122223333"), SLICE("a&b=c d\r\n"));
    assert_buf(&path, "/federation/credentials?role_name=a%26b%3Dc%20d%0D%0A&account_id="
                      "111122223333");
}

static void the_portal_gives_keys(void **state)
{
    (void)state;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    assert_int_equal(
        sso_read_keys(&reading.arena,
                      SLICE("{\"roleCredentials\":{\"accessKeyId\":\"i\",\"secretAccessKey\":\"s\","
                            "\"sessionToken\":\"t\",\"expiration\":1796014800000}}"),
                      &reading.found, &reading.fault),
        OK);
    assert_slice(reading.found.access_key_id, "i");
    assert_slice(reading.found.secret_access_key, "s");
    assert_slice(reading.found.session_token, "t");
    assert_int_equal(reading.found.expires_wall_ms, END_MS);
}

static void an_expiration_that_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const VALUES[] = {"\"x\"", "-1", "1e300", "9223372036854775807",
                                         "null",  "0.5"};
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        struct reading reading OWNED_BY(reading_done);
        reading_init(&reading);
        buf_addf(&reading.text,
                 "{\"roleCredentials\":{\"accessKeyId\":\"i\",\"secretAccessKey\":\"s\","
                 "\"sessionToken\":\"t\",\"expiration\":%s}}",
                 VALUES[i]);
        assert_int_equal(
            sso_read_keys(&reading.arena, buf_slice(&reading.text), &reading.found, &reading.fault),
            ERR_FORMAT);
        assert_string_equal(reading.fault.words,
                            "its expiration is not an instant in milliseconds");
    }
}

static bool renew_without_memory(void *self)
{
    (void)self;
    struct reading reading OWNED_BY(reading_done);
    reading_init(&reading);
    enum err err = read_login(&reading, LONG);
    if (err == OK)
        err = sso_read_renewal(&reading.arena, SLICE(RENEWED), END_MS, &reading.login,
                               &reading.fault);
    if (err == OK) {
        sso_add_login(&reading.text, &reading.login);
        err = reading.text.failed;
    }
    if (err != OK)
        assert_int_equal(err, ERR_NO_MEMORY);
    return err == OK;
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    assert_true(torture(renew_without_memory, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_named_by_the_sha1_of_the_session),
        cmocka_unit_test(a_login_has_a_token_and_its_end),
        cmocka_unit_test(a_login_is_renewed_while_its_registration_lives),
        cmocka_unit_test(a_renewed_login_keeps_the_rest_of_the_file),
        cmocka_unit_test(a_renewal_may_bring_another_refresh_token),
        cmocka_unit_test(a_broken_renewal_changes_nothing),
        cmocka_unit_test(a_file_that_is_no_login_says_why),
        cmocka_unit_test(account_and_role_are_escaped_in_the_query),
        cmocka_unit_test(the_portal_gives_keys),
        cmocka_unit_test(an_expiration_that_is_no_instant_is_refused),
        cmocka_unit_test(want_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
