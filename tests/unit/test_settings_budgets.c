/* Budgets in the settings: what they say, and their mistakes with their places. */
#include "unit/settings_kit.h"

static const struct budget_rules *budget_of(const struct reading *reading, const char *tenant)
{
    return &tenant_find(&reading->settings.tenants.table, slice_of_text(tenant))->budget;
}

static void a_budget_is_tokens_or_money_in_a_span(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        "tenants:\n"
        "  default: {budget: {tokens: 5000, per: minute}}\n"
        "  acme: {budget: {tokens: 1000, per: month, soft: 80%, hard: reject}, topics: [acme.*]}\n"
        "  inner: {budget: none}\n"
        "tenants_only: true\n");
    assert_good(reading);
    const struct budget_rules *acme = budget_of(reading, "acme");
    assert_int_equal(acme->per, BUDGET_MONTH);
    assert_int_equal(acme->limit, 1000);
    assert_int_equal(acme->soft, 800);
    assert_true(acme->rejects && !acme->is_money);
    assert_int_equal(budget_of(reading, "others")->per, BUDGET_MINUTE);
    assert_false(budget_of(reading, "others")->rejects);
    assert_true(tenant_find(&reading->settings.tenants.table, SLICE("inner"))->is_unlimited);
    assert_true(tenant_may(&reading->settings.tenants.table, SLICE("acme"), SLICE("acme.eu")));
    assert_false(tenant_may(&reading->settings.tenants.table, SLICE("acme"), SLICE("other")));
    assert_true(reading->settings.tenants_only);
    end(reading);
}

static void mistakes_of_budgets_have_their_places(void **state)
{
    (void)state;
    assert_problem("tenants: {a: {budget: {tokens: 5}}}\n",
                   "tenants.a.budget: needs per: minute, hour, day or month");
    assert_problem("tenants: {a: {budget: {per: day}}}\n",
                   "w.yaml:1:23: tenants.a.budget: needs either amount (with currency) or tokens");
    assert_problem("tenants: {a: {budget: {amount: \"5\", tokens: 5, per: day}}}\n",
                   "needs either amount (with currency) or tokens");
    assert_problem("tenants: {a: {budget: {amount: \"5\", per: day}}}\n",
                   "needs the currency of its amount");
    assert_problem("tenants: {a: {budget: {tokens: -5, per: day}}}\n",
                   "tenants.a.budget.tokens: '-5' is not a number of tokens above 0");
    assert_problem("tenants: {a: {budget: {amount: \"1e3\", currency: USD, per: day}}}\n",
                   "tenants.a.budget.amount");
    assert_problem("tenants: {a: {budget: {amount: \"5\", currency: dollars, per: day}}}\n",
                   "a currency's code such as USD");
    assert_problem("tenants: {a: {budget: {tokens: 5, per: week}}}\n", "tenants.a.budget.per");
    assert_problem("tenants: {a: {budget: {tokens: 5, per: day, soft: 120%}}}\n",
                   "a percentage of the limit, 1% to 99%");
    assert_problem("tenants: {a: {budget: {tokens: 5, per: day, hrad: hold}}}\n", "hard");
    assert_problem("tenants: {a: {topics: x}}\n", "a list of request topics");
}

static void a_budget_in_money_needs_prices_in_its_currency(void **state)
{
    (void)state;
    assert_problem("tenants: {a: {budget: {amount: \"5\", currency: EUR, per: day}}}\n",
                   "w.yaml:1:10: tenants: has a budget in EUR, and prices.file names no price "
                   "file; set it, or give the budget in tokens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_is_tokens_or_money_in_a_span),
        cmocka_unit_test(mistakes_of_budgets_have_their_places),
        cmocka_unit_test(a_budget_in_money_needs_prices_in_its_currency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
