/* Documents with keys (wire/aws/metadata.c), and what all such documents share
 * (wire/aws/document.c). */
#include "unit/unit.h"

#include "base/memory.h"
#include "unit/torture.h"
#include "wire/aws/metadata.h"

#define GOOD                                                                                       \
    "\"AccessKeyId\":\"ASIAX\",\"SecretAccessKey\":\"s/+=\",\"Token\":\"t\\u002f1\","              \
    "\"Expiration\":\"2026-11-30T05:00:00Z\""
#define END_MS INT64_C(1796014800000)

struct reading {
    struct arena arena;
    struct key_answer found;
    struct document_fault fault;
    enum err err;
};

static void reading_done(struct reading *reading)
{
    arena_wipe(&reading->arena);
}

static void reading_of(struct reading *ret_reading, struct slice text)
{
    arena_init(&ret_reading->arena, DOCUMENT_ARENA_BYTES);
    ret_reading->fault.words[0] = '\0';
    ret_reading->err =
        metadata_read(&ret_reading->arena, text, &ret_reading->found, &ret_reading->fault);
}

static void a_document_has_keys_and_their_end(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "{" GOOD "}",
        "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"LastUpdated\":\"x\"," GOOD "}",
        " {\"RoleArn\":null,\"AccountId\":1," GOOD ",\"More\":[{}]}\r\n",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct reading reading OWNED_BY(reading_done);
        reading_of(&reading, slice_of_text(TEXTS[i]));
        assert_int_equal(reading.err, OK);
        assert_slice(reading.found.access_key_id, "ASIAX");
        assert_slice(reading.found.secret_access_key, "s/+=");
        assert_slice(reading.found.session_token, "t/1");
        assert_int_equal(reading.found.expires_wall_ms, END_MS);
    }
}

static void a_document_without_keys_says_why_without_data(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } ROWS[] = {
        {"", "it is not valid JSON at line 1, column 1"},
        {"<html>canary</html>", "it is not valid JSON at line 1, column 1"},
        {"[]", "it is not a JSON object"},
        {"\"canary\"", "it is not a JSON object"},
        {"{\"AccessKeyId\":\"canary\"", "it is not valid JSON at line 1, column 24"},
        {"{}", "AccessKeyId is missing or no text"},
        {"{\"AccessKeyId\":7}", "AccessKeyId is missing or no text"},
        {"{\"AccessKeyId\":\"\"}", "AccessKeyId is missing or no text"},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"canary\"}", "Token is missing"},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\"}",
         "Expiration is missing"},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"c\",\"Expiration\":"
         "\"canary\"}",
         "Expiration is no RFC 3339 date and time"},
        {"{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"canary\"}",
         "its Code is AssumeRoleUnauthorizedAccess"},
        {"{\"Code\":\"<b>\"," GOOD "}", "its Code is "},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":[]}",
         "the session token is no text"},
        {"{\"Code\":[]," GOOD "}", "its Code is not a text"},
        {"{" GOOD "," GOOD "}", "it is not valid JSON at line 1, column 118"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct reading reading OWNED_BY(reading_done);
        reading_of(&reading, slice_of_text(ROWS[i].text));
        assert_int_equal(reading.err, ERR_FORMAT);
        assert_string_equal(reading.fault.words, ROWS[i].words);
    }
}

static void each_cut_document_is_refused(void **state)
{
    (void)state;
    struct slice whole = SLICE("{" GOOD "}");
    for (size_t len = 0; len < whole.len; len++) {
        struct reading reading OWNED_BY(reading_done);
        reading_of(&reading, slice_sub(whole, 0, len));
        assert_int_equal(reading.err, ERR_FORMAT);
    }
}

static void an_instant_may_end_with_utc(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_one;
    } ROWS[] = {
        {"{\"at\":\"2026-11-30T05:00:00Z\"}", true},
        {"{\"at\":\"2026-11-30T05:00:00UTC\"}", true},
        {"{\"at\":\"2026-11-30T06:00:00.000+01:00\"}", true},
        {"{\"at\":\"UTC\"}", false},
        {"{\"at\":\"2026-11-30T05:00:00 UTC\"}", false},
        {"{\"at\":\"2026-11-30T05:00:00ZUTC\"}", false},
        {"{\"at\":\"2026-11-30T05:00:00.0000000000000000000000000000000000000000UTC\"}", false},
        {"{\"at\":1796014800}", false},
        {"{}", false},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct reading reading OWNED_BY(reading_done);
        const struct json *root;
        int64_t at_ms = 0;
        arena_init(&reading.arena, DOCUMENT_ARENA_BYTES);
        assert_int_equal(
            document_parse(&reading.arena, slice_of_text(ROWS[i].text), &root, &reading.fault), OK);
        enum err err = document_read_instant(&reading.arena, root, "at", &at_ms, &reading.fault);
        assert_int_equal(err, ROWS[i].is_one ? OK : ERR_FORMAT);
        if (ROWS[i].is_one)
            assert_int_equal(at_ms, END_MS);
    }
}

static void seconds_are_a_whole_number_in_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t end_ms; /* -1 = none */
    } ROWS[] = {
        {"{\"in\":900}", 901000}, {"{\"in\":9e2}", 901000},
        {"{\"in\":1}", 2000},     {"{\"in\":0}", -1},
        {"{\"in\":-1}", -1},      {"{\"in\":0.5}", -1},
        {"{\"in\":1e300}", -1},   {"{\"in\":9223372036854775807}", -1},
        {"{\"in\":\"900\"}", -1}, {"{}", -1},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct reading reading OWNED_BY(reading_done);
        const struct json *root;
        int64_t end_ms = -1;
        arena_init(&reading.arena, DOCUMENT_ARENA_BYTES);
        assert_int_equal(
            document_parse(&reading.arena, slice_of_text(ROWS[i].text), &root, &reading.fault), OK);
        enum err err = document_read_seconds(root, "in", 1000, &end_ms, &reading.fault);
        assert_int_equal(err, ROWS[i].end_ms >= 0 ? OK : ERR_FORMAT);
        assert_int_equal(end_ms, ROWS[i].end_ms);
    }
}

static void an_instant_is_written_without_decimals(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 64);
    document_add_instant(&text, END_MS + 999);
    assert_buf(&text, "2026-11-30T05:00:00Z");
}

static void a_code_can_be_logged(void **state)
{
    (void)state;
    char many[100];
    memset(many, 'x', sizeof many);
    assert_slice(document_code(SLICE("TOKEN_EXPIRED")), "TOKEN_EXPIRED");
    assert_slice(document_code(SLICE("a-1.b\nERROR canary")), "a-1.b");
    assert_int_equal(document_code(SLICE("\x1b[31m")).len, 0);
    assert_int_equal(document_code(slice_of(many, sizeof many)).len, 64);
}

static bool read_without_memory(void *self)
{
    (void)self;
    struct reading reading OWNED_BY(reading_done);
    reading_of(&reading, SLICE("{" GOOD "}"));
    if (reading.err != OK)
        assert_int_equal(reading.err, ERR_NO_MEMORY);
    return reading.err == OK;
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    assert_true(torture(read_without_memory, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_has_keys_and_their_end),
        cmocka_unit_test(a_document_without_keys_says_why_without_data),
        cmocka_unit_test(each_cut_document_is_refused),
        cmocka_unit_test(an_instant_may_end_with_utc),
        cmocka_unit_test(seconds_are_a_whole_number_in_reason),
        cmocka_unit_test(an_instant_is_written_without_decimals),
        cmocka_unit_test(a_code_can_be_logged),
        cmocka_unit_test(want_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
