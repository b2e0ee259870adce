/* What the worker reports about an older librdkafka. */
#include "unit/unit.h"

#include <stdio.h>

#include "io/kafka/library.h"

#define VERSION(major, minor, patch) ((major) << 24 | (minor) << 16 | (patch) << 8 | 0xff)

/* The `needed` of all rows that hold, with a blank behind each. */
static const char *needed(int version, const char *mechanism)
{
    static char text[256];
    size_t cursor = 0, len = 0;
    const struct kafka_lack *lack;
    text[0] = '\0';
    while ((lack = kafka_library_lack(version, slice_of_text(mechanism), &cursor)) != NULL) {
        assert_true(lack->consequence[0] != '\0');
        len += (size_t)snprintf(text + len, sizeof text - len, "%s ", lack->needed_text);
    }
    return text;
}

static void an_older_librdkafka_lacks_the_fixes_of_newer_ones(void **state)
{
    (void)state;
    assert_string_equal(needed(VERSION(2, 0, 2), ""), "2.3.0 2.3.0 2.3.0 2.3.0 2.4.0 2.6.1 ");
    assert_string_equal(needed(VERSION(2, 3, 0), ""), "2.4.0 2.6.1 ");
    assert_string_equal(needed(VERSION(2, 6, 0), ""), "2.6.1 ");
    assert_string_equal(needed(VERSION(2, 6, 1), ""), "");
    assert_string_equal(needed(VERSION(2, 8, 0), ""), "");
    assert_string_equal(needed(VERSION(3, 0, 0), "GSSAPI"), "");
}

static void sasl_rows_apply_only_to_their_mechanism(void **state)
{
    (void)state;
    assert_string_equal(needed(VERSION(2, 0, 2), "SCRAM-SHA-512"),
                        "2.3.0 2.3.0 2.3.0 2.3.0 2.4.0 2.6.1 2.6.1 ");
    assert_string_equal(needed(VERSION(2, 8, 0), "SCRAM-SHA-512"), "");
    assert_string_equal(needed(VERSION(2, 8, 0), "GSSAPI"), "2.11.0 ");
    assert_string_equal(needed(VERSION(2, 8, 0), "PLAIN"), "");
}

static void assert_mechanism(const char *security, const char *mechanism, const char *expected)
{
    const struct kafka_property client[] = {
        {SLICE("security.protocol"), slice_of_text(security)},
        {SLICE("sasl.mechanism"), slice_of_text(mechanism)},
    };
    const struct slice topics[] = {SLICE("requests")};
    const struct kafka_config config = {.bootstrap_servers = SLICE("127.0.0.1:1"),
                                        .group_id = SLICE("g"),
                                        .topics = topics,
                                        .topic_count = 1,
                                        .client = {client, COUNT_OF(client)}};
    char name[KAFKA_MECHANISM_MAX];
    assert_slice(kafka_library_mechanism(&config, name), expected);
}

static void the_mechanism_comes_from_the_client_properties(void **state)
{
    (void)state;
    assert_mechanism("SASL_SSL", "SCRAM-SHA-512", "SCRAM-SHA-512");
    assert_mechanism("sasl_plaintext", "GSSAPI", "GSSAPI");
    assert_mechanism("ssl", "SCRAM-SHA-512", "");
}

static void the_linked_library_is_new_enough_for_the_worker(void **state)
{
    (void)state;
    assert_true(kafka_library_version() >= VERSION(2, 0, 2));
    assert_non_null(strchr(kafka_library_version_text(), '.'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_older_librdkafka_lacks_the_fixes_of_newer_ones),
        cmocka_unit_test(sasl_rows_apply_only_to_their_mechanism),
        cmocka_unit_test(the_mechanism_comes_from_the_client_properties),
        cmocka_unit_test(the_linked_library_is_new_enough_for_the_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
