#include "unit/unit.h"

#include <stdio.h>

#include "unit/torture.h"
#include "wire/aws/profiles.h"
#include "wire/aws/words.h"

static struct profiles profiles;
static struct profiles_fault fault;

static int setup(void **state)
{
    (void)state;
    profiles_init(&profiles);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    profiles_done(&profiles);
    assert_int_equal(memory_live(), 0);
    return 0;
}

static enum err read_again(enum profiles_file file, const char *text)
{
    profiles_done(&profiles);
    profiles_init(&profiles);
    return profiles_read(&profiles, file, slice_of_text(text), &fault);
}

static void config_is(const char *text)
{
    assert_int_equal(read_again(PROFILES_CONFIG, text), OK);
}

static void credentials_are(const char *text)
{
    assert_int_equal(read_again(PROFILES_CREDENTIALS, text), OK);
}

static void must_say(const char *profile, const char *name, const char *expected)
{
    struct profiles_value found;
    assert_true(profiles_find(&profiles, PROFILES_PROFILE, slice_of_text(profile), name, &found));
    assert_slice(found.value, expected);
}

static void must_say_nothing(const char *profile, const char *name)
{
    struct profiles_value found;
    assert_false(profiles_find(&profiles, PROFILES_PROFILE, slice_of_text(profile), name, &found));
}

static void must_break(const char *text, size_t line, const char *words)
{
    assert_int_equal(read_again(PROFILES_CONFIG, text), ERR_FORMAT);
    assert_int_equal(fault.line, line);
    assert_string_equal(fault.words, words);
    assert_false(profiles_have(&profiles, PROFILES_PROFILE, SLICE("a")));
}

static bool has(const char *profile)
{
    return profiles_have(&profiles, PROFILES_PROFILE, slice_of_text(profile));
}

static void a_property_belongs_to_its_section(void **state)
{
    (void)state;
    config_is("[profile a]\nx = 1\n[profile b]\nX=2\r\ny = b = c\nz: d:e\n\n[default]\nx = \n");
    must_say("a", "x", "1");
    must_say("b", "x", "2");
    must_say("b", "y", "b = c");
    must_say("b", "z", "d:e");
    must_say("default", "x", "");
    must_say_nothing("a", "y");
    must_say_nothing("c", "x");
    config_is("");
    must_say_nothing("a", "x");
    assert_false(has("default"));
}

static void the_two_files_name_their_sections_differently(void **state)
{
    (void)state;
    const char *text =
        "[a]\nx = 1\n[profile b]\nx = 2\n[ profile \t c ]\nx = 3\n[profiled]\nx = 4\n"
        "[ d ]\nx = 5\n";
    credentials_are(text);
    must_say("a", "x", "1");
    must_say("profile b", "x", "2");
    must_say("d", "x", "5");
    must_say_nothing("b", "x");
    config_is(text);
    must_say_nothing("a", "x");
    must_say("b", "x", "2");
    must_say("c", "x", "3");
    must_say_nothing("d", "x");
}

static void a_name_may_be_quoted_and_is_one_word(void **state)
{
    (void)state;
    config_is("[profile \"my own\"]\nx = 1\n[profile it\\'s]\nx = 2\n[profile two words]\nx = 3\n"
              "[profile 'open]\nx = 4\n[profile some-thing:long/the_one%only.foo@bar+!]\nx = 5\n"
              "[profile '']\nx = 6\n");
    must_say("my own", "x", "1");
    must_say("it's", "x", "2");
    must_say_nothing("two", "x");
    must_say_nothing("two words", "x");
    must_say_nothing("open", "x");
    must_say("some-thing:long/the_one%only.foo@bar+!", "x", "5");
    must_say("", "x", "6");
}

static void the_later_spelling_of_a_profile_replaces_the_earlier(void **state)
{
    (void)state;
    config_is("[default]\nx = 1\ny = 2\n[profile default]\nx = 3\n");
    must_say("default", "x", "3");
    must_say_nothing("default", "y");
    config_is("[profile default]\nx = 3\n[default]\nx = 1\n");
    must_say("default", "x", "1");
}

static void a_property_of_credentials_goes_before_the_one_of_config(void **state)
{
    (void)state;
    struct profiles_value found;
    config_is("[profile a]\nx = 1\ny = 2\n[sso-session a]\nx = 5\n[services s]\nb =\n  c = 6\n");
    assert_int_equal(profiles_read(&profiles, PROFILES_CREDENTIALS,
                                   SLICE("[a]\nx = 3\n[b]\nx = 4\n[sso-session a]\nx = 7\n"),
                                   &fault),
                     OK);
    must_say("a", "x", "3");
    must_say("a", "y", "2");
    must_say("b", "x", "4");
    assert_true(
        profiles_find_in(&profiles, PROFILES_CONFIG, PROFILES_PROFILE, SLICE("a"), "x", &found));
    assert_slice(found.value, "1");
    assert_int_equal(found.line, 2);
    assert_false(profiles_have_in(&profiles, PROFILES_CONFIG, PROFILES_PROFILE, SLICE("b")));
    assert_true(profiles_find(&profiles, PROFILES_SSO_SESSION, SLICE("a"), "x", &found));
    assert_slice(found.value, "5");
    assert_true(profiles_find_nested(&profiles, PROFILES_SERVICES, SLICE("s"), "b", "c", &found));
    assert_slice(found.value, "6");
    assert_false(profiles_have(&profiles, PROFILES_SERVICES, SLICE("a")));
}

static void the_section_default_in_capitals_holds_for_all(void **state)
{
    (void)state;
    config_is("[DEFAULT]\nx = 1\n[profile a]\ny = 2\n[profile b]\nx = 3\n[DEFAULT]\nz = 4\n");
    must_say("a", "x", "1");
    must_say("b", "x", "3");
    must_say("b", "z", "4");
    assert_false(has("DEFAULT"));
}

static void comments_are_ignored(void **state)
{
    (void)state;
    config_is("# x\n; y\n  # z\n[profile a] # z\nx = 1 # one\ny = a#b;c ; d\n  # between\nz =\t# "
              "nothing\n[profile b];\nx = 2\n[profile c]]\ncredential_process = a \"b # c\"\n");
    must_say("a", "x", "1");
    must_say("a", "y", "a#b;c");
    must_say("a", "z", "");
    must_say("b", "x", "2");
    must_say("c]", "credential_process", "a \"b # c\"");
}

static void a_second_of_its_name_is_an_error(void **state)
{
    (void)state;
    const char *section = "a second section of this name; put all of its properties in one";
    const char *property = "a second property of this name in the section; keep one of them";
    must_break("[profile a]\nx = 1\n[profile b]\n[profile a]\ny = 4\n", 4, section);
    must_break("[other]\n[other]\n", 2, section);
    must_break("[profile a]\nx = 1\nX = 2\n", 3, property);
    must_break("[DEFAULT]\nx = 1\n[profile a]\n[DEFAULT]\nx = 2\n", 5, property);
}

static void a_value_continues_on_deeper_lines(void **state)
{
    (void)state;
    config_is("[profile a]\nx = 1\n  two # not a comment\n\t \n\tthree\ny = 4\n"
              "[profile b]\n  x = 1\n  y = 2\n    more\n z = 3\n");
    must_say("a", "x", "1\ntwo # not a comment\nthree");
    must_say("a", "y", "4");
    must_say("b", "x", "1");
    must_say("b", "y", "2\nmore");
    must_say("b", "z", "3");
}

static void nested_properties_belong_to_their_parent(void **state)
{
    (void)state;
    struct profiles_value found;
    const char *text = "[services local]\ns3 =\n  endpoint_url = http://s3\n\n"
                       "bedrock_runtime = \n  endpoint_url = http://bedrock\n"
                       "  Region=\n  region = x\nlast = 1\n  endpoint_url = http://last\n";
    config_is(text);
#define NESTED(parent, name)                                                                       \
    profiles_find_nested(&profiles, PROFILES_SERVICES, SLICE("local"), parent, name, &found)
    assert_true(NESTED("bedrock_runtime", "endpoint_url"));
    assert_slice(found.value, "http://bedrock");
    assert_int_equal(found.line, 6);
    assert_true(NESTED("bedrock_runtime", "region"));
    assert_slice(found.value, "x");
    assert_true(NESTED("s3", "endpoint_url"));
    assert_slice(found.value, "http://s3");
    assert_false(NESTED("s3", "region"));
    assert_false(NESTED("last", "endpoint_url"));
    assert_false(NESTED("none", "endpoint_url"));
    must_break("[profile a]\nx =\n  y\n", 3, "expected a '=' in an indented property");
    must_break("[profile a]\nx =\n  = y\n", 3, "an indented property without a name");
}

static void invalid_lines_are_reported_with_their_number(void **state)
{
    (void)state;
    must_break("[profile a]\n\n[profile b\n", 3, "a section must end with ']'");
    must_break("[]\n", 1, "a section needs a name");
    must_break("x = 1\n", 1, "a property outside of a section");
    must_break("\xef\xbb\xbf[profile a]\n", 1, "a property outside of a section");
    must_break("[profile a]\nx\n", 2, "expected a '=' in a property");
    must_break("[profile a]\n = x\n", 2, "a property without a name");
    must_break("[profile a]\n  -continued\n", 2, "expected a '=' in a property");
    must_break("[profile a]\nx = 1\ny = \xff\nz = 1\n", 3, "a byte that is not UTF-8");
}

static void too_many_properties_are_an_error(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 4 * 1024 * 1024);
    buf_add_text(&text, "[profile a]\n");
    for (int i = 0; i < PROFILES_PROPERTIES_MAX; i++)
        buf_addf(&text, "a%d=\n", i);
    must_break(buf_text(&text), PROFILES_PROPERTIES_MAX, "the file has too many properties");
}

static void a_thousand_profiles_are_read(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    char name[32];
    buf_init(&text, 4 * 1024 * 1024);
    for (int i = 0; i < 1000; i++)
        buf_addf(&text,
                 "[profile p%d]\nrole_arn = arn:aws:iam::%012d:role/r\nsource_profile = p%d\n"
                 "region = eu-west-1\n",
                 i, i, i + 1);
    config_is(buf_text(&text));
    for (int i = 0; i < 1000; i++) {
        char next[32];
        (void)snprintf(name, sizeof name, "p%d", i);
        (void)snprintf(next, sizeof next, "p%d", i + 1);
        must_say(name, "source_profile", next);
    }
}

static bool reads(void *self)
{
    (void)self;
    struct profiles own;
    profiles_init(&own);
    enum err err = profiles_read(
        &own, PROFILES_CONFIG,
        SLICE("[DEFAULT]\nx=1\n[profile 'a b']\nX = 1\n  two\ny =\n  z = 1\n"), &fault);
    struct profiles_value found;
    if (err == OK) {
        assert_true(profiles_find(&own, PROFILES_PROFILE, SLICE("a b"), "x", &found));
        assert_slice(found.value, "1\ntwo");
    }
    assert_true(err == OK || err == ERR_NO_MEMORY);
    profiles_done(&own);
    return err == OK;
}

static void failed_allocations_shorten_no_value(void **state)
{
    (void)state;
    assert_true(torture(reads, NULL) > 1);
}

/* ---- words ---- */

static enum err split(struct arena *arena, const char *text, size_t max, struct buf *ret_words)
{
    struct slice words[8];
    size_t count = 0;
    enum err err = words_split(arena, slice_of_text(text), words, max, &count);
    buf_reset(ret_words);
    for (size_t i = 0; err == OK && i < count; i++) {
        assert_int_equal(words[i].ptr[words[i].len], '\0');
        buf_addf(ret_words, "<%.*s>", SLICE_ARG(words[i]));
    }
    return err;
}

static void words_are_split_as_a_shell_would(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct buf words OWNED_BY(buf_done);
    arena_init(&arena, 65536);
    buf_init(&words, 4096);
    static const struct {
        const char *text, *words;
    } CASES[] = {
        {"", ""},
        {"  a\tb\n", "<a><b>"},
        {"a 'b c' \"d e\"", "<a><b c><d e>"},
        {"a'b'c\"d\"", "<abcd>"},
        {"'' x \"\"", "<><x><>"},
        {"a\\ b \\\"c\\\"", "<a b><\"c\">"},
        {"\"a\\\"b\\\\c\\d\" 'e\\f'", "<a\"b\\c\\d><e\\f>"},
        {"$HOME # * ;", "<$HOME><#><*><;>"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_int_equal(split(&arena, CASES[i].text, 8, &words), OK);
        assert_buf(&words, CASES[i].words);
    }
    assert_int_equal(split(&arena, "a 'b", 8, &words), ERR_FORMAT);
    assert_int_equal(split(&arena, "a \"b\\\"", 8, &words), ERR_FORMAT);
    assert_int_equal(split(&arena, "a \\", 8, &words), ERR_FORMAT);
    assert_int_equal(split(&arena, "a b c", 2, &words), ERR_TOO_LARGE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_property_belongs_to_its_section),
        CASE(the_two_files_name_their_sections_differently),
        CASE(a_name_may_be_quoted_and_is_one_word),
        CASE(the_later_spelling_of_a_profile_replaces_the_earlier),
        CASE(a_property_of_credentials_goes_before_the_one_of_config),
        CASE(the_section_default_in_capitals_holds_for_all),
        CASE(comments_are_ignored),
        CASE(a_second_of_its_name_is_an_error),
        CASE(a_value_continues_on_deeper_lines),
        CASE(nested_properties_belong_to_their_parent),
        CASE(invalid_lines_are_reported_with_their_number),
        CASE(too_many_properties_are_an_error),
        CASE(a_thousand_profiles_are_read),
        CASE(failed_allocations_shorten_no_value),
        CASE(words_are_split_as_a_shell_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
