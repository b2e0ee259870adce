/* Common mistakes in YAML, and the remedy that the settings reader shows. */
#include "unit/settings_kit.h"

static void the_remedy_for_an_unquoted_colon_or_brace_shows_the_quotes(void **state)
{
    (void)state;
    assert_problems(
        "templates:\n  t:\n    - [system, You are: a helper]\n    - [human, {input}]\n",
        "w.yaml:3:16: templates.t: is a map, because it holds ': ' without quotes; write a "
        "text in quotes: \"You are: a helper\"\n"
        "w.yaml:4:15: templates.t: is a map, because it begins with {; write a text in "
        "quotes: \"{input}\"\n");
    assert_problems(
        "templates:\n  t:\n    - - human\n      - Größe: \"5\" it's\n",
        "w.yaml:4:20: invalid YAML: expected `name: value`; mind the indentation, or put "
        "in quotes what begins with { [ or a quote, to its end\n");
    assert_problem("templates:\n  t:\n    - - human\n      - Größe: it's \"5\" # five\n",
                   "write a text in quotes: 'Größe: it''s \"5\"'\n");
    assert_problem(
        "templates:\n  t:\n    - - human\n      - a: b\n        c: d\n",
        "w.yaml:4:9: templates.t: is a map, because it holds ': ' without quotes; write a "
        "text in quotes: \"…\"\n");
    assert_problem("topics: {usage: {prefix}}\n", "write a text in quotes: \"{prefix}\"\n");
    assert_problem("topics: {usage: [a]}\n",
                   "is a list; write a text, in quotes if it begins with [\n");
}

/* libyaml counts characters, also those of several bytes. */
static void the_quoted_form_repeats_the_file_exactly(void **state)
{
    (void)state;
    assert_problem("\xef\xbb\xbf# ü\r\ntopics:\r\n  usage: {a,  b}\r\n  chunks: c\r\n",
                   "w.yaml:3:10: topics.usage: is a map, because it begins with {; write a text in "
                   "quotes: \"{a,  b}\"\n");
    assert_problem("templates: {g: [[human, ü], [human, € and ü: 1]]}\n",
                   "quotes: \"€ and ü: 1\"\n");
}

static void possible_secrets_are_not_shown(void **state)
{
    (void)state;
    assert_problems("kafka: {client: {sasl.password: {canary}}}\n",
                    "w.yaml:1:33: kafka.client.sasl.password: is a map, because it begins with {; "
                    "write a text in quotes: \"…\"\n");
    assert_problem("bedrock: {proxy: {canary}}\n", "write a text in quotes: \"…\"\n");
}

static void the_remedy_for_a_wrong_message_shows_a_pair(void **state)
{
    (void)state;
    assert_problems(
        "templates: {t: [[human, be kind, please]]}\n",
        "w.yaml:1:17: templates.t: is a list of 3; write a role and a text such as [human, "
        "\"Hello {name}\"], a text with commas in quotes\n");
    assert_problems("templates:\n  t:\n    - human: Hello\n",
                    "w.yaml:3:7: templates.t: is a map; write a role and a text such as [human, "
                    "\"Hello {name}\"]\n");
}

static void the_remedy_for_an_amount_without_a_unit_shows_one(void **state)
{
    (void)state;
    assert_problems(
        "delivery: {commit_interval: 10, drain_timeout: 5 Min, batch_size: 64M}\n",
        "w.yaml:1:29: delivery.commit_interval: '10' has no unit; write 10s, or another "
        "unit of ms, s, m, h and d\n"
        "w.yaml:1:48: delivery.drain_timeout: '5 Min' is not a duration; did you mean 5m?\n"
        "w.yaml:1:67: delivery.batch_size: '64M' is not a size; did you mean 64MiB?\n");
    assert_problem("delivery: {commit_interval: -1}\n", "'-1' is not a duration such as");
}

static void the_remedy_for_yes_and_off_is_true_and_false(void **state)
{
    (void)state;
    assert_problems(
        "delivery: {dead_letters: Yes, error_responses: off}\n"
        "bedrock: {fips: TRUE, dual_stack: perhaps}\n",
        "w.yaml:1:26: delivery.dead_letters: 'Yes' is not true or false; write true\n"
        "w.yaml:1:48: delivery.error_responses: 'off' is not true or false; write false\n"
        "w.yaml:2:17: bedrock.fips: 'TRUE' is not true or false; write true\n"
        "w.yaml:2:35: bedrock.dual_stack: 'perhaps' is not true or false\n");
}

/* Settings before the fault are not checked: YAML may have read them otherwise than they were
 * meant. */
static void invalid_yaml_is_the_only_problem_reported_with_its_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *problems;
    } CASES[] = {
        {"kafka:\n  group_id: my: group\n",
         "w.yaml:2:15: invalid YAML: ': ' within a text; put the text in quotes: name: \"You are: "
         "a helper\"\n"},
        {"kafka:\n  group_id: a b\n    instance: c\n",
         "w.yaml:3:13: invalid YAML: a name within the value above; align it with the names it "
         "belongs to, or end the line above with a colon\n"},
        {"topics:\n  requests: [${TOPIC}]\n",
         "w.yaml:2:15: invalid YAML: expected ',' or ']'; put in quotes what holds { } [ ] , or ': "
         "': \"${NAME}\", or close the list; it begins at line 2, column 13\n"},
        {"kafka: {group_idd: x\n\n",
         "w.yaml:3:1: invalid YAML: expected ',' or '}'; put in quotes what holds { } [ ] , or ': "
         "': \"${NAME}\", or close the map; it begins at line 1, column 8\n"},
        {"topics:\n  usage: {prefix}.usage\n",
         "w.yaml:2:18: invalid YAML: expected `name: value`; mind the indentation, or put in "
         "quotes what begins with { [ or a quote, to its end\n"},
        {"topics:\n  requests:\n    - \"a\".b\n",
         "w.yaml:3:10: invalid YAML: expected `- value`; mind the indentation, or put in quotes "
         "what begins with { [ or a quote, to its end\n"},
        {"topics: {echo_headers: [*]}\n",
         "w.yaml:1:25: invalid YAML: an anchor or an alias begins here; put a text that begins "
         "with & or * in quotes\n"},
        {"kafka:\n  group_id: \"abc\n\ntopics:\n",
         "w.yaml:2:13: invalid YAML: this quote is not closed; close it\n"},
        {"kafka:\n  group_id: a\n  instance\ntopics:\n",
         "w.yaml:3:3: invalid YAML: expected `name: value`; write a colon and a blank\n"},
        {"kafka: {group_id: @x}\n",
         "w.yaml:1:19: invalid YAML: no text can begin with this character; put it in quotes\n"},
        {"kafka: {group_id: \"a\\qb\"}\n",
         "w.yaml:1:21: invalid YAML: a backslash in \"…\" begins an escape; write \\\\, or use "
         "single quotes\n"},
        {"topics:\n  requests: - a\n",
         "w.yaml:2:13: invalid YAML: a list item begins here; write it on the next line, "
         "indented\n"},
        {"kafka:\n\tgroup_id: a\n",
         "w.yaml:2:1: invalid YAML: a tab indents this line; use spaces\n"},
        {"%TAG x\n", "w.yaml:1:6: invalid YAML: while scanning a tag directive, "
                     "did not find expected '!'; mind indentation, colons and quotes\n"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_problems(CASES[i].text, CASES[i].problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_remedy_for_an_unquoted_colon_or_brace_shows_the_quotes),
        cmocka_unit_test(the_quoted_form_repeats_the_file_exactly),
        cmocka_unit_test(possible_secrets_are_not_shown),
        cmocka_unit_test(the_remedy_for_a_wrong_message_shows_a_pair),
        cmocka_unit_test(the_remedy_for_an_amount_without_a_unit_shows_one),
        cmocka_unit_test(the_remedy_for_yes_and_off_is_true_and_false),
        cmocka_unit_test(invalid_yaml_is_the_only_problem_reported_with_its_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
