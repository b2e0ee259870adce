/* The list quotas of the settings: what it says, and its mistakes with their places. */
#include "unit/settings_kit.h"

static void a_row_says_what_is_known(void **state)
{
    (void)state;
    struct reading *reading = read_text("quotas:\n"
                                        "  - model: us.anthropic.claude-sonnet-4-*\n"
                                        "    region: us-east-1\n"
                                        "    tokens_per_minute: 2000000\n"
                                        "    requests_per_minute: ${CALLS}\n"
                                        "    tokens_per_day: 1000000000\n"
                                        "    burndown: 3\n"
                                        "    share: 12.5%\n"
                                        "    burst: 1m\n"
                                        "  - {model: '*', requests_per_minute: 60}\n");
    assert_good(reading);
    const struct quota_rows *rows = &reading->settings.quotas.rows;
    assert_int_equal(rows->count, 2);
    const struct quota_row *row = &rows->list[0];
    assert_slice(row->model, "us.anthropic.claude-sonnet-4-*");
    assert_slice(row->region, "us-east-1");
    assert_int_equal(row->tokens_per_minute, 2000000);
    assert_int_equal(row->requests_per_minute, 12);
    assert_int_equal(row->tokens_per_day, 1000000000);
    assert_int_equal(row->burndown, 3);
    assert_int_equal(row->burst_ms, 60000);
    assert_true(row->share == 0.125);
    row = &rows->list[1];
    assert_null(row->region.ptr);
    assert_int_equal(row->tokens_per_minute, 0);
    assert_int_equal(row->burndown, 0);
    assert_int_equal(row->burst_ms, 50000);
    assert_true(row->share == 1);
    end(reading);
}

static void a_row_may_say_that_a_quota_is_not_known(void **state)
{
    (void)state;
    struct reading *reading = read_text("quotas:\n"
                                        "  - {model: us.amazon.nova-*, burndown: 2}\n"
                                        "  - {model: us.*, tokens_per_minute: 1000}\n");
    assert_good(reading);
    assert_int_equal(reading->settings.quotas.rows.count, 2);
    end(reading);
}

static void a_row_that_an_earlier_one_hides_is_a_mistake(void **state)
{
    (void)state;
    assert_problems("quotas:\n"
                    "  - {model: us.*, tokens_per_minute: 1}\n"
                    "  - {model: us.anthropic.*, region: us-east-1, tokens_per_minute: 2}\n",
                    "w.yaml:3:5: quotas: is never used: the row at line 2 fits all that it fits, "
                    "and the first row that fits counts; remove one, or put this one first\n");
    assert_problem("quotas:\n"
                   "  - {model: a.b, region: us-east-1, tokens_per_minute: 1}\n"
                   "  - {model: a.b, region: us-west-2, tokens_per_minute: 1}\n"
                   "  - {model: A.B, region: us-west-2, tokens_per_minute: 1}\n",
                   "w.yaml:4:5: quotas: is never used: the row at line 3 ");
}

static void amounts_have_limits(void **state)
{
    (void)state;
    assert_problems("quotas: [{model: a.b, tokens_per_minute: -1}]\n",
                    "w.yaml:1:42: quotas.tokens_per_minute: '-1' is outside of its limits; write 0 "
                    "to 1000000000000\n");
    assert_problem("quotas: [{model: a.b, requests_per_minute: 1.5}]\n",
                   "w.yaml:1:44: quotas.requests_per_minute: '1.5' is not a whole number");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, burndown: 0}]\n",
                   "w.yaml:1:55: quotas.burndown: '0' is outside of its limits; write 1 to 100");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, burst: 61m}]\n",
                   "w.yaml:1:52: quotas.burst: '61m' is outside of its limits; write 0 to 1h");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, burst: 50}]\n",
                   "quotas.burst: '50' has no unit; write 50s");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 9999999999999}]\n", "is outside of");
}

static void a_share_is_a_percentage_of_all(void **state)
{
    (void)state;
    assert_problems(
        "quotas: [{model: a.b, tokens_per_minute: 1, share: 101%}]\n",
        "w.yaml:1:52: quotas.share: '101%' is outside of its limits; write above 0% and "
        "at most 100%\n");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, share: 0%}]\n",
                   "quotas.share: '0%' is outside of its limits");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, share: -5%}]\n",
                   "quotas.share: '-5%' is not a percentage such as 50% or 12.5%");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, share: 0.5}]\n",
                   "quotas.share: '0.5' is not a percentage");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, share: '%'}]\n", "not a percent");
    assert_problem("quotas: [{model: a.b, tokens_per_minute: 1, share: 1.2345%}]\n",
                   "not a percent");
}

static void what_says_nothing_is_a_mistake(void **state)
{
    (void)state;
    assert_problems("quotas: [{model: a.b, tokens_per_day: 1000}]\n",
                    "w.yaml:1:39: quotas: has tokens_per_day and no quota of a minute; add "
                    "tokens_per_minute or requests_per_minute\n");
    assert_problem("quotas: [{model: a.b, share: 50%}]\n",
                   "w.yaml:1:30: quotas: has share and no quota; add tokens_per_minute or "
                   "requests_per_minute");
    assert_problem("quotas: [{model: a.b, burst: 1s}]\n", "has burst and no quota");
    assert_problem("quotas: [{tokens_per_minute: 1}]\n", "w.yaml:1:10: quotas: has no model; add");
}

static void other_forms_are_mistakes(void **state)
{
    (void)state;
    assert_problem("quotas: {model: a.b}\n", "quotas: is a map; write a list such as [{model: ");
    assert_problem("quotas: [a.b]\n", "w.yaml:1:10: quotas: is a text; write a map such as {");
    assert_problem("quotas: [{model: ''}]\n", "quotas.model: is empty; give it a value");
    assert_problem("quotas: [{model: 'a b'}]\n", "quotas.model: is not a pattern");
    assert_problem("quotas: [{model: a.b, region: mars}]\n", "quotas.region: is not an AWS region");
    assert_problems("quotas: [{model: a.b, tokens_per_minut: 1}]\n",
                    "w.yaml:1:23: quotas.tokens_per_minut: unknown; did you mean "
                    "tokens_per_minute?\n");
    assert_problem("quotas: [{model: a.b, colour: red}]\n",
                   "quotas.colour: unknown; a quota has model, region, tokens_per_minute, ");
    assert_problem("quotas: [{model: a.b, model: a.c}]\n", "is there twice");
}

static void an_alias_is_no_model_of_a_quota(void **state)
{
    (void)state;
    assert_problems("models: {aliases: {claude: {id: us.anthropic.c}}}\n"
                    "quotas: [{model: claude, tokens_per_minute: 1}]\n",
                    "w.yaml:2:10: quotas: claude is an alias; a quota is of the id that is called, "
                    "us.anthropic.c\n");
}

static void the_number_of_rows_has_a_limit(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    buf_add_text(&text, "quotas:\n");
    for (int i = 0; i <= SETTING_QUOTAS_MAX; i++)
        buf_addf(&text, "- {model: m%d, tokens_per_minute: 1}\n", i);
    assert_problem(buf_text(&text), "w.yaml:2:1: quotas: is too long; it may have 200 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_what_is_known),
        cmocka_unit_test(a_row_may_say_that_a_quota_is_not_known),
        cmocka_unit_test(a_row_that_an_earlier_one_hides_is_a_mistake),
        cmocka_unit_test(amounts_have_limits),
        cmocka_unit_test(a_share_is_a_percentage_of_all),
        cmocka_unit_test(what_says_nothing_is_a_mistake),
        cmocka_unit_test(other_forms_are_mistakes),
        cmocka_unit_test(an_alias_is_no_model_of_a_quota),
        cmocka_unit_test(the_number_of_rows_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
