/* Rows of quotas: which one counts, and what it says for the pace. */
#include "unit/unit.h"

#include "policy/quota_row.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }

static const struct quota_row LIST[] = {
    {.model = TEXT("us.anthropic.claude-sonnet-4-*"),
     .region = TEXT("us-east-1"),
     .tokens_per_minute = 2000,
     .share = 0.5,
     .burst_ms = 30000,
     .burndown = 3},
    {.model = TEXT("*anthropic*"), .requests_per_minute = 60, .share = 1, .burst_ms = 0},
};
static const struct quota_rows ROWS = {LIST, 2};

static const struct quota_row *find(const char *model, const char *region)
{
    return quota_row_find(&ROWS, slice_of_text(model), slice_of_text(region));
}

static void the_first_row_that_fits_counts(void **state)
{
    (void)state;
    assert_ptr_equal(find("us.anthropic.claude-sonnet-4-5", "us-east-1"), &LIST[0]);
    assert_ptr_equal(find("US.Anthropic.claude-sonnet-4-5", "us-east-1"), &LIST[0]);
    assert_ptr_equal(find("us.anthropic.claude-sonnet-4-5", "us-west-2"), &LIST[1]);
    assert_ptr_equal(find("anthropic.claude-3", "eu-west-1"), &LIST[1]);
    assert_null(find("amazon.nova-lite-v1:0", "us-east-1"));
}

static void a_row_says_the_groups_share_of_the_account(void **state)
{
    (void)state;
    struct quota_rules rules = quota_row_rules(&LIST[0], 5, 2);
    assert_true(rules.tokens_per_minute == 1000);
    assert_true(rules.requests_per_minute == 0);
    assert_true(rules.burndown == 3);
    assert_true(rules.burst_s == 30);
    assert_true(quota_row_rules(&LIST[1], 5, 2).burndown == 5);
    assert_true(quota_row_rules(&LIST[1], 5, 2).burst_s == 0);
}

static void without_a_row_nothing_is_known(void **state)
{
    (void)state;
    struct quota_rules rules = quota_row_rules(NULL, 5, 2);
    assert_true(rules.tokens_per_minute == 0 && rules.requests_per_minute == 0);
    assert_true(rules.burndown == 5 && rules.start_per_second == 2 && rules.burst_s == 50);
}

static bool hides(const char *model, const char *region, const char *later,
                  const char *later_region)
{
    struct quota_row a = {.model = slice_of_text(model), .region = slice_of_text(region)};
    struct quota_row b = {.model = slice_of_text(later), .region = slice_of_text(later_region)};
    return quota_row_hides(&a, &b);
}

static void a_row_hides_those_that_fit_no_more(void **state)
{
    (void)state;
    assert_true(hides("*", NULL, "us.*", NULL));
    assert_true(hides("us.*", NULL, "us.*", "us-east-1"));
    assert_true(hides("us.*", "us-east-1", "us.a", "us-east-1"));
    assert_false(hides("us.*", "us-east-1", "us.*", NULL));
    assert_false(hides("us.*", "us-east-1", "us.*", "us-west-2"));
    assert_false(hides("us.a*", NULL, "us.*", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_row_that_fits_counts),
        cmocka_unit_test(a_row_says_the_groups_share_of_the_account),
        cmocka_unit_test(without_a_row_nothing_is_known),
        cmocka_unit_test(a_row_hides_those_that_fit_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
