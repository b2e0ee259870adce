#include "unit/unit.h"

#include "unit/torture.h"
#include "wire/bedrock/profile.h"

static struct profile_fault fault;

static enum err ask(const char *text, struct profile_question question, struct buf *ret_value)
{
    buf_init(ret_value, 4096);
    buf_add_text(ret_value, "<");
    enum err err = profile_ask(slice_of_text(text), &question, ret_value, &fault);
    if (err != OK)
        assert_buf(ret_value, "<");
    return err;
}

static struct profile_question in_config(const char *profile, const char *name)
{
    return (struct profile_question){
        .file = PROFILE_CONFIG,
        .section = SECTION_PROFILE,
        .section_name = slice_of_text(profile),
        .name = slice_of_text(name),
    };
}

static struct profile_question in_credentials(const char *profile, const char *name)
{
    struct profile_question question = in_config(profile, name);
    question.file = PROFILE_CREDENTIALS;
    return question;
}

static void must_say(const char *text, struct profile_question question, const char *expected)
{
    struct buf value OWNED_BY(buf_done);
    assert_int_equal(ask(text, question, &value), OK);
    assert_memory_equal(value.ptr, "<", 1);
    assert_string_equal(buf_text(&value) + 1, expected);
}

static void must_say_nothing(const char *text, struct profile_question question)
{
    struct buf value OWNED_BY(buf_done);
    assert_int_equal(ask(text, question, &value), ERR_NOT_FOUND);
}

static void must_break(const char *text, size_t line, const char *words)
{
    struct buf value OWNED_BY(buf_done);
    assert_int_equal(ask(text, in_config("a", "x"), &value), ERR_FORMAT);
    assert_int_equal(fault.line, line);
    assert_string_equal(fault.words, words);
}

static void a_property_belongs_to_its_section(void **state)
{
    (void)state;
    const char *text = "[profile a]\nx = 1\n[profile b]\nx=2\r\ny = b = c\n\n[default]\nx = \n";
    must_say(text, in_config("a", "x"), "1");
    must_say(text, in_config("b", "X"), "2");
    must_say(text, in_config("b", "y"), "b = c");
    must_say(text, in_config("default", "x"), "");
    must_say_nothing(text, in_config("a", "y"));
    must_say_nothing(text, in_config("c", "x"));
    must_say_nothing("", in_config("a", "x"));
}

static void the_two_files_name_their_sections_differently(void **state)
{
    (void)state;
    const char *text =
        "[a]\nx = 1\n[profile b]\nx = 2\n[ profile \t c ]\nx = 3\n[profiled]\nx = 4\n";
    must_say(text, in_credentials("a", "x"), "1");
    must_say_nothing(text, in_credentials("b", "x"));
    must_say_nothing(text, in_config("a", "x"));
    must_say(text, in_config("b", "x"), "2");
    must_say(text, in_config("c", "x"), "3");
    must_say_nothing(text, in_config("d", "x"));
}

static void the_prefixed_default_wins(void **state)
{
    (void)state;
    const char *first = "[profile default]\nx = 1\n[default]\nx = 2\ny = 3\n";
    const char *last = "[default]\nx = 2\ny = 3\n[profile default]\nx = 1\n";
    must_say(first, in_config("default", "x"), "1");
    must_say(last, in_config("default", "x"), "1");
    must_say_nothing(first, in_config("default", "y"));
    must_say_nothing(last, in_config("default", "y"));
    must_say(first, in_credentials("default", "y"), "3");
}

static void comments_are_ignored(void **state)
{
    (void)state;
    const char *text = "# x\n; y\n[profile a] # z\nx = 1 # one\ny = a#b;c ; d\nz =\t# "
                       "nothing\n[profile b];\nx = 2\n";
    must_say(text, in_config("a", "x"), "1");
    must_say(text, in_config("a", "y"), "a#b;c");
    must_say(text, in_config("a", "z"), "");
    must_say(text, in_config("b", "x"), "2");
}

static void the_last_of_several_values_counts(void **state)
{
    (void)state;
    must_say("[profile a]\nx = 1\nX = 2\n[profile b]\nx = 3\n[profile a]\nx = 4\n",
             in_config("a", "x"), "4");
}

static void a_value_continues_on_indented_lines(void **state)
{
    (void)state;
    const char *text = "[profile a]\nx = 1\n  two # not a comment\n\t \n\tthree\ny = 4\n";
    must_say(text, in_config("a", "x"), "1\ntwo # not a comment\nthree");
    must_say(text, in_config("a", "y"), "4");
}

static void indented_properties_belong_to_their_parent(void **state)
{
    (void)state;
    const char *text =
        "[services s]\ns3 =\n  endpoint_url = http://s3\nbedrock_runtime =\n  other = 1\n"
        "  Endpoint_Url = http://b\n[profile a]\nbedrock_runtime =\n endpoint_url = no\n";
    struct profile_question question = {
        .file = PROFILE_CONFIG,
        .section = SECTION_SERVICES,
        .section_name = SLICE("s"),
        .parent = SLICE("bedrock_runtime"),
        .name = SLICE("endpoint_url"),
    };
    must_say(text, question, "http://b");
    question.parent = SLICE("s3");
    must_say(text, question, "http://s3");
    question.parent = SLICE("sts");
    must_say_nothing(text, question);
    question.parent = SLICE_NULL;
    must_say_nothing(text, question);
    question.name = SLICE("s3");
    must_say(text, question, "\nendpoint_url = http://s3");
}

static void an_existing_section_is_found_without_a_property(void **state)
{
    (void)state;
    must_say("[profile a]\nx = 1\n", in_config("a", NULL), "");
    must_say_nothing("[profile b]\na = 1\n", in_config("a", NULL));
}

static void invalid_names_are_skipped(void **state)
{
    (void)state;
    must_say_nothing("[profile a b]\nx = 1\n", in_config("a b", "x"));
    must_say_nothing("[profile a!]\nx = 1\n", in_config("a!", "x"));
    must_say_nothing("[profile a]\nx y = 1\n going on\n", in_config("a", "x y"));
    must_say("[profile a]\nx y = 1\n going on\nz = 2", in_config("a", "z"), "2");
    must_say("[profile a:/.%@+-_9]\nx = 1", in_config("a:/.%@+-_9", "x"), "1");
}

static void invalid_lines_are_reported_with_their_number(void **state)
{
    (void)state;
    must_break("x = 1", 1, "a property outside of a section");
    must_break(" x = 1", 1, "an indented line outside of a section");
    must_break("[profile a", 1, "a section must end with ']'");
    must_break("[profile a] x", 1, "a section must end with ']'");
    must_break("[profile a]\n\nx: 1", 3, "expected a '=' in a property");
    must_break("[profile a]\n= 1", 2, "a property without a name");
    must_break("[profile a]\n x", 2, "an indented line without a property before it");
    must_break("[profile a]\nx = 1\n[profile a]\n y", 4,
               "an indented line without a property before it");
    must_break("[profile a]\ns =\n y", 3, "expected a '=' in an indented property");
    must_break("[profile a]\ns =\n = y", 3, "an indented property without a name");
    must_break("[profile zzz]\nx = 1\n[", 3, "a section must end with ']'");
}

static void a_value_over_the_limit_fails_as_too_large(void **state)
{
    (void)state;
    struct profile_question question = in_config("a", "x");
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 4);
    assert_int_equal(profile_ask(SLICE("[profile a]\nx = 12345\n"), &question, &value, &fault),
                     ERR_TOO_LARGE);
}

static bool asks(void *self)
{
    (void)self;
    struct buf value;
    struct profile_question question = in_config("a", "x");
    buf_init(&value, 4096);
    enum err err = profile_ask(SLICE("[profile a]\nx = 1\n 2\n"), &question, &value, &fault);
    bool passed = err == OK && slice_equal(buf_slice(&value), SLICE("1\n2"));
    assert_true(passed || err == ERR_NO_MEMORY);
    buf_done(&value);
    return passed;
}

static void failed_allocations_shorten_no_value(void **state)
{
    (void)state;
    assert_true(torture(asks, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_property_belongs_to_its_section),
        cmocka_unit_test(the_two_files_name_their_sections_differently),
        cmocka_unit_test(the_prefixed_default_wins),
        cmocka_unit_test(comments_are_ignored),
        cmocka_unit_test(the_last_of_several_values_counts),
        cmocka_unit_test(a_value_continues_on_indented_lines),
        cmocka_unit_test(indented_properties_belong_to_their_parent),
        cmocka_unit_test(an_existing_section_is_found_without_a_property),
        cmocka_unit_test(invalid_names_are_skipped),
        cmocka_unit_test(invalid_lines_are_reported_with_their_number),
        cmocka_unit_test(a_value_over_the_limit_fails_as_too_large),
        cmocka_unit_test(failed_allocations_shorten_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
