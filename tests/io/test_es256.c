/* Signatures of ES256 (io/aws/es256.c). tests/identity checks them with other code. */
#include "unit/unit.h"

#include "io/aws/es256.h"

#define SEC1                                                                                       \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MHcCAQEEIAAAAAAAAAAAEjRWeJCrze8SNFZ4kKvN7xI0VniQq83voAoGCCqGSM49\n"                           \
    "AwEHoUQDQgAEcNoCzyOJM488bjKBVHt5l/ZLeJVc0MznCQTwJlkzXa2vw96gkOu6\n"                           \
    "Sd+a4YJAuf9SNLVeTTvyRVkB9PQrdF6zRA==\n"                                                       \
    "-----END EC PRIVATE KEY-----\n"
#define WITHOUT_POINT                                                                              \
    "-----BEGIN EC PRIVATE KEY-----\r\n"                                                           \
    "MDECAQEEIAAAAAAAAAAAEjRWeJCrze8SNFZ4kKvN7xI0VniQq83voAoGCCqGSM49\r\n"                         \
    "AwEH\r\n"                                                                                     \
    "-----END EC PRIVATE KEY-----"
#define PKCS8                                                                                      \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAASNFZ4\n"                           \
    "kKvN7xI0VniQq83vEjRWeJCrze+hRANCAARw2gLPI4kzjzxuMoFUe3mX9kt4lVzQ\n"                           \
    "zOcJBPAmWTNdra/D3qCQ67pJ35rhgkC5/1I0tV5NO/JFWQH09Ct0XrNE\n"                                   \
    "-----END PRIVATE KEY-----\n"
#define P384                                                                                       \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                             \
    "MIGkAgEBBDB8917rR6vWb+wGdtGH+Tol+RuHY8jUxuhYidTDGqdMltNoNUTgu4tz\n"                           \
    "IQZ5s2fQEA+gBwYFK4EEACKhZANiAAR1iiluOhvFTJQGLY9VEQ/U06lY53veOYBs\n"                           \
    "nO6y3t7pcvzKjUXd/Llg1TwDWQuunWfkeCNWjPmwGCvwOg/O8ALEEKUKBYO91wUi\n"                           \
    "6DT6GHctvkiqfwEHVbOc4tB7s7pREp8=\n"                                                           \
    "-----END EC PRIVATE KEY-----\n"

static void a_key_is_read_with_its_point_in_each_form(void **state)
{
    (void)state;
    static const uint8_t X[] = {0x70, 0xda, 0x02, 0xcf}, Y[] = {0xaf, 0xc3, 0xde, 0xa0};
    static const char *const TEXTS[] = {SEC1, WITHOUT_POINT, PKCS8};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct es256_key key OWNED_BY(es256_key_done);
        assert_int_equal(es256_key_read(&key, slice_of_text(TEXTS[i])), OK);
        assert_memory_equal(key.x, X, sizeof X);
        assert_memory_equal(key.y, Y, sizeof Y);
        assert_int_equal(key.x[31], 0xad);
        assert_int_equal(key.y[31], 0x44);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",
        "-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n",
        P384,
        "-----BEGIN\nAAAA\n-----END",
        "not base64!",
    };
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        struct es256_key key OWNED_BY(es256_key_done);
        assert_int_equal(es256_key_read(&key, slice_of_text(TEXTS[i])), ERR_FORMAT);
        assert_null(key.handle);
    }
    struct slice whole = SLICE(SEC1);
    for (size_t len = 0; len < whole.len - 34; len++) {
        struct es256_key key OWNED_BY(es256_key_done);
        assert_int_not_equal(es256_key_read(&key, slice_sub(whole, 0, len)), ERR_NO_MEMORY);
    }
}

static void a_text_over_the_limit_is_refused(void **state)
{
    (void)state;
    static char text[ES256_PEM_BYTES_MAX + 1];
    struct es256_key key OWNED_BY(es256_key_done);
    memset(text, 'A', sizeof text);
    assert_int_equal(es256_key_read(&key, slice_of(text, sizeof text)), ERR_TOO_LARGE);
}

static void each_signature_is_another_one(void **state)
{
    (void)state;
    uint8_t one[ES256_SIGNATURE], other[ES256_SIGNATURE];
    struct es256_key key OWNED_BY(es256_key_done);
    assert_int_equal(es256_key_read(&key, SLICE(SEC1)), OK);
    assert_int_equal(es256_sign(&key, SLICE("a.b"), one), OK);
    assert_int_equal(es256_sign(&key, SLICE("a.b"), other), OK);
    assert_memory_not_equal(one, other, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_read_with_its_point_in_each_form),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(a_text_over_the_limit_is_refused),
        cmocka_unit_test(each_signature_is_another_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
