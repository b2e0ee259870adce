/* Durations, sizes, variables and likeness, as people write them in settings. */
#include "unit/unit.h"

#include "yaml/units.h"

static const char *get_variable(void *self, const char *name)
{
    (void)self;
    if (strcmp(name, "A") == 0)
        return "alpha";
    if (strcmp(name, "A_FILE") == 0 || strcmp(name, "SECRET_FILE") == 0)
        return "good";
    if (strcmp(name, "BROKEN_FILE") == 0)
        return "bad";
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static enum err add_file(void *self, const char *file, struct buf *buf)
{
    (void)self;
    if (strcmp(file, "good") != 0)
        return ERR_IO;
    buf_add_text(buf, "content");
    return OK;
}

static const struct environment ENVIRONMENT = {get_variable, NULL, NULL};

static void assert_expands(const char *text, const char *expanded)
{
    struct buf buf OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&buf, 1000);
    assert_int_equal(units_add_expanded(&buf, slice_of_text(text), &ENVIRONMENT, name), OK);
    assert_buf(&buf, expanded);
}

static void assert_refused(const char *text, enum err err, const char *variable)
{
    struct buf buf OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&buf, 1000);
    assert_int_equal(units_add_expanded(&buf, slice_of_text(text), &ENVIRONMENT, name), err);
    if (variable != NULL)
        assert_string_equal(name, variable);
}

static void variables_are_replaced_by_their_values(void **state)
{
    (void)state;
    assert_expands("", "");
    assert_expands("plain", "plain");
    assert_expands("${A}", "alpha");
    assert_expands("x${A}y${A}", "xalphayalpha");
    assert_expands("${A:-b}", "alpha");
    assert_expands("${NONE:-b:-c}", "b:-c");
    assert_expands("${NONE:-}", "");
    assert_expands("${EMPTY}", "");
    assert_expands("${EMPTY:-b}", "b");
}

static void assert_with_files(const char *text, enum err err, const char *expanded)
{
    static const struct environment FILES = {get_variable, add_file, NULL};
    struct buf buf OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&buf, 1000);
    assert_int_equal(units_add_expanded(&buf, slice_of_text(text), &FILES, name), err);
    if (err == OK)
        assert_buf(&buf, expanded);
}

static void a_variable_may_be_the_content_of_a_file(void **state)
{
    (void)state;
    assert_with_files("x${SECRET}y", OK, "xcontenty");
    assert_with_files("${SECRET:-other}", OK, "content");
    assert_with_files("${SECRET_FILE}", OK, "good");
    assert_with_files("${BROKEN}", ERR_IO, NULL);
    assert_with_files("${A}", ERR_INVALID, NULL);
    assert_with_files("${NONE:-b}", OK, "b");
    assert_with_files("${NONE}", ERR_NOT_FOUND, NULL);
    assert_refused("${SECRET}", ERR_NOT_FOUND, "SECRET"); /* without files */
}

static void dollars_without_a_variable_stay(void **state)
{
    (void)state;
    assert_expands("$", "$");
    assert_expands("a$b", "a$b");
    assert_expands("$$", "$");
    assert_expands("$${A}", "${A}");
    assert_expands("$$$$", "$$");
    assert_expands("$$${A}", "$alpha");
}

static void a_malformed_variable_is_rejected(void **state)
{
    (void)state;
    assert_refused("${NONE}", ERR_NOT_FOUND, "NONE");
    assert_refused("${A", ERR_FORMAT, NULL);
    assert_refused("${}", ERR_FORMAT, NULL);
    assert_refused("${1A}", ERR_FORMAT, NULL);
    assert_refused("${A B}", ERR_FORMAT, NULL);
    assert_refused("${A-b}", ERR_FORMAT, NULL);
    assert_refused("${A:b}", ERR_FORMAT, NULL);
}

static void a_value_over_the_limit_is_rejected(void **state)
{
    (void)state;
    struct buf buf OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&buf, 4);
    assert_int_equal(units_add_expanded(&buf, SLICE("${A}"), &ENVIRONMENT, name), ERR_TOO_LARGE);
}

static void assert_span(const char *text, int64_t ms)
{
    int64_t seen = -1;
    assert_true(units_read_span(slice_of_text(text), &seen));
    assert_int_equal(seen, ms);
}

static void durations_have_units(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"",
                                        "5",
                                        "s",
                                        "1.s",
                                        ".5s",
                                        "1..5s",
                                        "1.5",
                                        "-1s",
                                        "1S",
                                        "1 s",
                                        "1s1h",
                                        "1h1h",
                                        "1y",
                                        "0x1s",
                                        "1h ",
                                        "+1s",
                                        "00",
                                        "99999999999999999999ms",
                                        "9223372036854775807s"};
    assert_span("0", 0);
    assert_span("0s", 0);
    assert_span("200ms", 200);
    assert_span("5m", 300000);
    assert_span("1h", 3600000);
    assert_span("2d", 172800000);
    assert_span("1h30m5s7ms", 5405007);
    assert_span("1.5s", 1500);
    assert_span("0.25h", 900000);
    assert_span("1.5m0.5s", 90500);
    assert_span("0.0019s", 1);
    assert_span("0.5ms", 0);
    assert_span("0.9999999999999999999999d", 86399999);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        int64_t untouched = 42;
        if (units_read_span(slice_of_text(WRONG[i]), &untouched))
            fail_msg("'%s' was taken", WRONG[i]);
        assert_int_equal(untouched, 42);
    }
}

static void assert_size(const char *text, int64_t bytes)
{
    int64_t seen = -1;
    assert_true(units_read_size(slice_of_text(text), &seen));
    assert_int_equal(seen, bytes);
}

static void sizes_are_binary_or_decimal_by_their_unit(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "", "MiB", "1 MiB", "1mib", "1M", "1.5MiB", "-1", "1TiB", "9223372036854775807GiB"};
    assert_size("0", 0);
    assert_size("512", 512);
    assert_size("512B", 512);
    assert_size("1kB", 1000);
    assert_size("1KB", 1000);
    assert_size("1KiB", 1024);
    assert_size("64MiB", 67108864);
    assert_size("1MB", 1000000);
    assert_size("2GiB", 2147483648);
    assert_size("3GB", 3000000000);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        int64_t untouched = 42;
        if (units_read_size(slice_of_text(WRONG[i]), &untouched))
            fail_msg("'%s' was taken", WRONG[i]);
    }
}

static void assert_meant(const char *text, const char *span, const char *size)
{
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 100);
    assert_int_equal(units_add_meant_span(&buf, slice_of_text(text)), span[0] != '\0');
    assert_buf(&buf, span);
    buf_reset(&buf);
    assert_int_equal(units_add_meant_size(&buf, slice_of_text(text)), size[0] != '\0');
    assert_buf(&buf, size);
}

static void a_unit_is_suggested_by_the_first_letters_of_its_word(void **state)
{
    (void)state;
    assert_meant("5 Min", "5m", "");
    assert_meant("5 secs", "", "");
    assert_meant("7 seconds", "7s", "");
    assert_meant("30S", "30s", "");
    assert_meant("2 hour", "2h", "");
    assert_meant("20 msec", "20ms", "");
    assert_meant("20milli", "20ms", "");
    assert_meant("3 d", "3d", "");
    assert_meant("64M", "64m", "64MiB");
    assert_meant("64 mb", "", "64MB");
    assert_meant("8k", "", "8KiB");
    assert_meant("8 byte", "", "8B");
    assert_meant("8", "", "");
    assert_meant("", "", "");
    assert_meant("MiB", "", "");
    assert_meant("1.5GiB", "", "");
    assert_meant("9 lives", "", "");
}

/* A printed amount is read back as the same amount. */
static void printed_amounts_are_read_back(void **state)
{
    (void)state;
    static const int64_t AMOUNTS[] = {0,     1,     999,   1000,    1024,
                                      60000, 90000, 65536, 1 << 30, 86400000};
    for (size_t i = 0; i < COUNT_OF(AMOUNTS); i++) {
        struct buf buf OWNED_BY(buf_done);
        int64_t seen = -1;
        buf_init(&buf, 100);
        units_add_span(&buf, AMOUNTS[i]);
        assert_true(units_read_span(buf_slice(&buf), &seen));
        assert_int_equal(seen, AMOUNTS[i]);
        buf_reset(&buf);
        units_add_size(&buf, AMOUNTS[i]);
        assert_true(units_read_size(buf_slice(&buf), &seen));
        assert_int_equal(seen, AMOUNTS[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_replaced_by_their_values),
        cmocka_unit_test(a_variable_may_be_the_content_of_a_file),
        cmocka_unit_test(dollars_without_a_variable_stay),
        cmocka_unit_test(a_malformed_variable_is_rejected),
        cmocka_unit_test(a_value_over_the_limit_is_rejected),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_are_binary_or_decimal_by_their_unit),
        cmocka_unit_test(a_unit_is_suggested_by_the_first_letters_of_its_word),
        cmocka_unit_test(printed_amounts_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
