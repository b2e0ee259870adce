#include "unit/unit.h"

#include <stdio.h>

#include "base/random.h"
#include "unit/torture.h"
#include "wire/chat/template.h"

struct fill {
    struct arena arena;
    struct template_use use;
    struct buf text;
    struct why why;
};

static void fill_init(struct fill *fill, const char *variables)
{
    *fill = (struct fill){.use = {.variables = NULL}};
    arena_init(&fill->arena, 1 << 20);
    buf_init(&fill->text, 1 << 20);
    if (variables != NULL)
        assert_int_equal(
            json_parse(&fill->arena, slice_of_text(variables), &fill->use.variables, NULL), OK);
}

static void fill_done(struct fill *fill)
{
    buf_done(&fill->text);
    arena_done(&fill->arena);
}

static enum err fill_run(struct fill *fill, const char *text)
{
    return template_fill(&fill->arena, slice_of_text(text), &fill->use, "prompt.template",
                         &fill->text, &fill->why);
}

static void assert_filled(const char *text, const char *variables, const char *filled)
{
    struct fill fill;
    fill_init(&fill, variables);
    assert_int_equal(fill_run(&fill, text), OK);
    assert_buf(&fill.text, filled);
    fill_done(&fill);
}

static void assert_fault(const char *text, const char *variables, enum err err, const char *words)
{
    struct fill fill;
    fill_init(&fill, variables);
    assert_int_equal(fill_run(&fill, text), err);
    assert_int_equal(fill.why.err, err);
    assert_non_null(strstr(fill.why.message, words));
    fill_done(&fill);
}

static void variables_are_replaced_by_their_values(void **state)
{
    (void)state;
    assert_filled("{a} to {b_2}", "{\"a\":\"English\",\"b_2\":\"German\"}", "English to German");
    assert_filled("{x}{x}", "{\"x\":\"ab\"}", "abab");
    assert_filled("no variable", NULL, "no variable");
    assert_filled("", NULL, "");
    assert_filled("{gr\xc3\xb6\xc3\x9f"
                  "e}",
                  "{\"gr\xc3\xb6\xc3\x9f"
                  "e\":\"1\"}",
                  "1");
}

static void doubled_braces_become_literal_braces(void **state)
{
    (void)state;
    assert_filled("{{\"a\": {n}}}", "{\"n\":1}", "{\"a\": 1}");
    assert_filled("{{{{}}}}", NULL, "{{}}");
    assert_filled("{{x}}", NULL, "{x}");
}

static void braces_in_values_are_not_filled_again(void **state)
{
    (void)state;
    assert_filled("{a}", "{\"a\":\"{b} {{\"}", "{b} {{");
}

static void scalars_are_inserted_as_their_source_text(void **state)
{
    (void)state;
    assert_filled("{a} {b} {c} {d}", "{\"a\":1.50,\"b\":true,\"c\":false,\"d\":-1e3}",
                  "1.50 true false -1e3");
    assert_filled("{a}", "{\"a\":\"\\u00e9\\n\\\"\"}", "\xc3\xa9\n\"");
}

static void values_that_are_not_scalars_are_rejected(void **state)
{
    (void)state;
    struct fill fill;
    assert_fault("{a}", "{\"a\":null}", ERR_INVALID, "string");
    assert_fault("{a}", "{\"a\":[1]}", ERR_INVALID, "string");
    fill_init(&fill, "{\"a\":{}}");
    assert_int_equal(fill_run(&fill, "{a}"), ERR_INVALID);
    assert_string_equal(fill.why.field, "prompt.variables.a");
    fill_done(&fill);
}

static void a_missing_variable_is_named(void **state)
{
    (void)state;
    assert_fault("{input}", "{\"inptu\":\"x\"}", ERR_TEMPLATE_VARIABLES, "\"input\"");
    assert_fault("{input}", NULL, ERR_TEMPLATE_VARIABLES, "\"input\"");
}

static void unused_variables_are_named(void **state)
{
    (void)state;
    struct fill fill;
    fill_init(&fill, "{\"a\":\"1\",\"typo\":\"2\",\"also\":null}");
    assert_int_equal(fill_run(&fill, "{a}"), OK);
    assert_int_equal(template_all_used(&fill.use, &fill.why), ERR_TEMPLATE_VARIABLES);
    assert_non_null(strstr(fill.why.message, "typo, also"));
    assert_string_equal(fill.why.field, "prompt.variables");
    fill_done(&fill);
}

static void a_variable_that_any_template_uses_counts_as_used(void **state)
{
    (void)state;
    struct fill fill;
    fill_init(&fill, "{\"a\":\"1\",\"b\":\"2\"}");
    assert_int_equal(fill_run(&fill, "{a}"), OK);
    assert_int_equal(fill_run(&fill, "{b}"), OK);
    assert_int_equal(template_all_used(&fill.use, &fill.why), OK);
    fill_done(&fill);
    fill_init(&fill, NULL);
    assert_int_equal(template_all_used(&fill.use, &fill.why), OK);
    fill_done(&fill);
}

static void assert_broken(const char *text, size_t column)
{
    size_t seen = 0;
    const char *words = NULL;
    char byte[32];
    assert_int_equal(template_check(slice_of_text(text), &seen, &words), ERR_INVALID);
    assert_int_equal(seen, column);
    assert_non_null(words);
    snprintf(byte, sizeof byte, "byte %zu:", column);
    assert_fault(text, "{\"a\":1}", ERR_INVALID, byte);
}

static void invalid_templates_are_rejected_with_their_byte(void **state)
{
    (void)state;
    assert_broken("a}", 2);
    assert_broken("{a", 1);
    assert_broken("{", 1);
    assert_broken("}", 1);
    assert_broken("{{{", 3);
    assert_broken("}}}", 3);
    assert_broken("ab{}", 3);
    assert_broken("{0}", 1);
    assert_broken("{a.b}", 1);
    assert_broken("{a[0]}", 1);
    assert_broken("{a!r}", 1);
    assert_broken("{a:>10}", 1);
    assert_broken("{ a }", 1);
    assert_broken("{\"a\": 1}", 1);
    assert_broken("{a{a}}", 1);
}

static void valid_templates_pass_the_check(void **state)
{
    (void)state;
    size_t column = 0;
    const char *words = NULL;
    assert_int_equal(template_check(SLICE("{a} {{b}} {_c1} {1st}"), &column, &words), OK);
    assert_int_equal(template_check(SLICE(""), &column, &words), OK);
}

static void a_filled_text_stops_at_its_limit(void **state)
{
    (void)state;
    struct fill fill;
    fill_init(&fill, "{\"a\":\"0123456789\"}");
    fill.text.limit = 25;
    assert_int_equal(fill_run(&fill, "{a}{a}"), OK);
    assert_int_equal(fill_run(&fill, "{a}"), ERR_REQUEST_TOO_LARGE);
    fill_done(&fill);
}

static void a_template_with_too_many_pieces_is_rejected(void **state)
{
    (void)state;
    struct fill fill;
    fill_init(&fill, "{\"a\":\"\"}");
    buf_reset(&fill.text);
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < TEMPLATE_PIECES_MAX; i++)
        buf_add_text(&text, "{a}");
    assert_int_equal(fill_run(&fill, buf_text(&text)), OK);
    buf_add_text(&text, "{a}");
    assert_int_equal(fill_run(&fill, buf_text(&text)), ERR_INVALID);
    fill_done(&fill);
}

/* Any text with doubled braces is filled to the original, and the check agrees with the filling. */
static void any_text_with_doubled_braces_is_filled_unchanged(void **state)
{
    (void)state;
    static const char letters[] = "ab{}x _{}1.";
    struct random random;
    random_init(&random, 1);
    for (int round = 0; round < 5000; round++) {
        char plain[24], doubled[48];
        size_t len = random_below(&random, sizeof plain), wide = 0;
        for (size_t i = 0; i < len; i++) {
            plain[i] = letters[random_below(&random, sizeof letters - 1)];
            doubled[wide++] = plain[i];
            if (plain[i] == '{' || plain[i] == '}')
                doubled[wide++] = plain[i];
        }
        struct fill fill;
        size_t column;
        const char *words;
        fill_init(&fill, "{\"ab\":1,\"x\":2,\"a\":3}");
        assert_int_equal(template_fill(&fill.arena, slice_of(doubled, wide), &fill.use, "t",
                                       &fill.text, &fill.why),
                         OK);
        assert_int_equal(fill.text.len, len);
        assert_memory_equal(buf_text(&fill.text), plain, len);
        bool is_good = template_check(slice_of(plain, len), &column, &words) == OK;
        enum err err =
            template_fill(&fill.arena, slice_of(plain, len), &fill.use, "t", &fill.text, &fill.why);
        assert_true(is_good ? err == OK || err == ERR_TEMPLATE_VARIABLES : err != OK);
        fill_done(&fill);
    }
}

static bool fill_once(void *self)
{
    (void)self;
    struct fill fill = {.use = {.variables = NULL}};
    arena_init(&fill.arena, 1 << 20);
    buf_init(&fill.text, 1 << 20);
    enum err err =
        json_parse(&fill.arena, SLICE("{\"a\":\"x\\ny\",\"b\":7}"), &fill.use.variables, NULL);
    if (err == OK)
        err = fill_run(&fill, "{a}, {b} and {a}");
    if (err == OK)
        assert_buf(&fill.text, "x\ny, 7 and x\ny");
    else
        assert_int_equal(err, ERR_NO_MEMORY);
    fill_done(&fill);
    return err == OK;
}

static void filling_survives_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(fill_once, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_replaced_by_their_values),
        cmocka_unit_test(doubled_braces_become_literal_braces),
        cmocka_unit_test(braces_in_values_are_not_filled_again),
        cmocka_unit_test(scalars_are_inserted_as_their_source_text),
        cmocka_unit_test(values_that_are_not_scalars_are_rejected),
        cmocka_unit_test(a_missing_variable_is_named),
        cmocka_unit_test(unused_variables_are_named),
        cmocka_unit_test(a_variable_that_any_template_uses_counts_as_used),
        cmocka_unit_test(invalid_templates_are_rejected_with_their_byte),
        cmocka_unit_test(valid_templates_pass_the_check),
        cmocka_unit_test(a_filled_text_stops_at_its_limit),
        cmocka_unit_test(a_template_with_too_many_pieces_is_rejected),
        cmocka_unit_test(any_text_with_doubled_braces_is_filled_unchanged),
        cmocka_unit_test(filling_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
