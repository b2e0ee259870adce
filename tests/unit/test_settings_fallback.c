/* Fallbacks of aliases in the settings: their order, and what is rejected. */
#include "unit/unit.h"

#include "unit/settings_kit.h"

#define MODELS(aliases) "models: {aliases: {" aliases "}}\n"

/* The names of an alias's fallbacks, each with a space behind it. */
static void assert_fallbacks(const struct reading *reading, size_t at, const char *names)
{
    const struct setting_aliases *aliases = &reading->settings.models_aliases;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 4096);
    for (size_t i = 0; i < aliases->list[at].fallback_count; i++)
        buf_addf(&text, "%.*s ", SLICE_ARG(aliases->list[aliases->list[at].fallbacks[i]].name));
    assert_buf(&text, names);
}

static void an_alias_names_others_of_any_place(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        MODELS("a: {id: m.a, fallback: [b, c], fallback_after: 2s}, b: {id: m.b}, c: {id: m.c}"));
    assert_good(reading);
    assert_fallbacks(reading, 0, "b c ");
    assert_int_equal(reading->settings.models_aliases.list[0].fallback_after_ms, 2000);
    assert_int_equal(reading->settings.models_aliases.list[1].fallback_after_ms, 10000);
    end(reading);
}

static void the_fallbacks_of_a_fallback_follow_it_once(void **state)
{
    (void)state;
    struct reading *reading =
        read_text(MODELS("a: {id: m.a, fallback: [b, c]}, c: {id: m.c, fallback: [d]}, d: {id: "
                         "m.d}, b: {id: m.b, fallback: [d]}"));
    assert_good(reading);
    assert_fallbacks(reading, 0, "b d c ");
    assert_fallbacks(reading, 1, "d ");
    assert_fallbacks(reading, 2, "");
    end(reading);
}

static void a_name_that_is_no_alias_is_rejected_at_its_place(void **state)
{
    (void)state;
    assert_problems(MODELS("claude: {id: m.a, fallback: [niva]}, nova: {id: m.b}"),
                    "w.yaml:1:49: models.aliases.claude.fallback: niva is no alias; did you mean "
                    "nova?\n");
    assert_problems(MODELS("claude: {id: m.a, fallback: [us.amazon.nova-lite-v1:0]}"),
                    "w.yaml:1:49: models.aliases.claude.fallback: us.amazon.nova-lite-v1:0 is no "
                    "alias; write one of models.aliases\n");
}

static void an_alias_does_not_fall_back_to_itself(void **state)
{
    (void)state;
    assert_problems(MODELS("a: {id: m.a, fallback: [a]}"),
                    "w.yaml:1:44: models.aliases.a.fallback: a is the alias itself; remove it\n");
    assert_problems(MODELS("a: {id: m.a, fallback: [b, b]}, b: {id: m.b}"),
                    "w.yaml:1:47: models.aliases.a.fallback: b is there twice; keep one of them\n");
}

static void a_loop_is_rejected_once_with_its_way(void **state)
{
    (void)state;
    assert_problems(MODELS("x: {id: m.x, fallback: [a]}, a: {id: m.a, fallback: [b]}, b: {id: m.b, "
                           "fallback: [c]}, c: {id: m.c, fallback: [d, a]}, d: {id: m.d}"),
                    "w.yaml:1:134: models.aliases.c.fallback: a leads back to itself (a, b, c, a); "
                    "remove one of them\n");
}

static void two_ways_to_one_alias_are_no_loop(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        MODELS("a: {id: m.a, fallback: [b, c]}, b: {id: m.b, fallback: [d]}, c: {id: m.c, "
               "fallback: [d]}, d: {id: m.d}"));
    assert_good(reading);
    assert_fallbacks(reading, 0, "b d c ");
    end(reading);
}

static void fallback_after_has_limits_and_needs_fallbacks(void **state)
{
    (void)state;
    assert_problem(MODELS("a: {id: m.a, fallback: [b], fallback_after: 10}, b: {id: m.b}"),
                   "models.aliases.a.fallback_after: ");
    assert_problem(MODELS("a: {id: m.a, fallback: [b], fallback_after: 1ms}, b: {id: m.b}"),
                   "100ms to 1d");
    assert_problem(MODELS("a: {id: m.a, fallback: [b], fallback_after: 2d}, b: {id: m.b}"),
                   "100ms to 1d");
    assert_problem(MODELS("a: {id: m.a, fallback_after: 2s}"),
                   "models.aliases.a.fallback_after: has no effect without fallback; set that too");
    assert_problem(MODELS("a: {id: m.a, fallback: b}, b: {id: m.b}"),
                   "write a list of aliases such as [haiku, nova]");
    assert_problem(MODELS("a: {id: m.a, fallback: [[b]]}, b: {id: m.b}"),
                   "models.aliases.a.fallback: ");
}

static void more_fallbacks_than_a_request_may_have_are_rejected(void **state)
{
    (void)state;
    char text[4096];
    int len = snprintf(text, sizeof text, "models:\n  aliases:\n");
    for (int i = 0; i < 17; i++)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        i < 16 ? "    a%d: {id: m.a, fallback: [a%d]}\n" : "    a%d: {id: m.a}\n",
                        i, i + 1);
    assert_problems(text, "w.yaml:3:30: models.aliases.a0.fallback: leads to more than 15 aliases, "
                          "theirs included; remove some\n");
}

static void an_empty_list_is_none(void **state)
{
    (void)state;
    struct reading *reading = read_text(MODELS("a: {id: m.a, fallback: []}"));
    assert_good(reading);
    assert_fallbacks(reading, 0, "");
    end(reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alias_names_others_of_any_place),
        cmocka_unit_test(the_fallbacks_of_a_fallback_follow_it_once),
        cmocka_unit_test(a_name_that_is_no_alias_is_rejected_at_its_place),
        cmocka_unit_test(an_alias_does_not_fall_back_to_itself),
        cmocka_unit_test(a_loop_is_rejected_once_with_its_way),
        cmocka_unit_test(two_ways_to_one_alias_are_no_loop),
        cmocka_unit_test(fallback_after_has_limits_and_needs_fallbacks),
        cmocka_unit_test(more_fallbacks_than_a_request_may_have_are_rejected),
        cmocka_unit_test(an_empty_list_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
