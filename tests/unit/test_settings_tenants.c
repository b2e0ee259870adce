/* The map tenants of the settings: what it says, and its mistakes with their places. */
#include "unit/settings_kit.h"

static uint32_t weight_of(const struct reading *reading, const char *tenant)
{
    return tenant_weight(&reading->settings.tenants.table, slice_of_text(tenant));
}

static void a_tenant_has_the_weight_of_the_first_row_that_fits(void **state)
{
    (void)state;
    struct reading *reading = read_text("tenants:\n"
                                        "  default: {weight: 2}\n"
                                        "  team-search: {weight: 7}\n"
                                        "  team-*: {weight: \"${CALLS}\"}\n"
                                        "  '*-batch': {weight: 1}\n"
                                        "  d*: {weight: 9}\n");
    assert_good(reading);
    assert_int_equal(weight_of(reading, "team-search"), 7);
    assert_int_equal(weight_of(reading, "team-batch"), 12);
    assert_int_equal(weight_of(reading, "night-batch"), 1);
    assert_int_equal(weight_of(reading, "Team-search"), 2); /* case counts */
    assert_int_equal(weight_of(reading, "deploy"), 9);
    assert_int_equal(weight_of(reading, "default"), 2); /* whatever globs would fit it */
    end(reading);
}

static void without_rows_all_weigh_one(void **state)
{
    (void)state;
    struct reading *reading = read_text("tenants: {}\n");
    assert_good(reading);
    assert_int_equal(weight_of(reading, "anyone"), 1);
    end(reading);
}

/* As many as a request may use for its tenant: 128 of four bytes. */
static void a_name_may_have_128_strange_characters(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 4096);
    buf_add_text(&text, "tenants:\n  \"#: {} 'x' ");
    for (int i = 0; i < 116; i++)
        buf_add_text(&text, "\xf0\x9f\xa6\x95");
    buf_add_text(&text, "\": {weight: 3}\n");
    struct reading *reading = read_text(buf_text(&text));
    assert_good(reading);
    assert_int_equal(weight_of(reading, buf_text(&text) + strlen("tenants:\n  \"")), 1);
    assert_int_equal(
        tenant_weight(&reading->settings.tenants.table, reading->settings.tenants.table.rows->name),
        3);
    end(reading);
    assert_problem("tenants: {\"a\\tb\": {weight: 2}}\n",
                   "w.yaml:1:11: tenants.a?b: is no tenant's name; use 1 to 128");
    buf_reset(&text);
    buf_add_text(&text, "tenants:\n  ");
    for (int i = 0; i < 129; i++)
        buf_add_byte(&text, 'x');
    buf_add_text(&text, ": {weight: 3}\n");
    assert_problem(buf_text(&text), "is no tenant's name; use 1 to 128 characters");
}

static void a_row_that_an_earlier_one_hides_is_a_mistake(void **state)
{
    (void)state;
    assert_problems(
        "tenants:\n"
        "  team-*: {weight: 2}\n"
        "  team-a: {weight: 3}\n",
        "w.yaml:3:3: tenants.team-a: is never used: team-* at line 2 fits all that it "
        "fits, and the first row that fits counts; remove one, or put this one first\n");
    assert_problem("tenants:\n"
                   "  \"a?*\": {weight: 2}\n"
                   "  b*: {weight: 3}\n"
                   "  ab*: {weight: 3}\n",
                   "w.yaml:4:3: tenants.ab*: is never used: a?* at line 2");
    assert_problem("tenants: {a: {weight: 2}, a: {weight: 3}}\n",
                   "w.yaml:1:27: tenants.a: is there twice; keep one of them");
}

static void a_glob_for_all_is_the_row_default(void **state)
{
    (void)state;
    assert_problems("tenants: {'*': {weight: 2}}\n",
                    "w.yaml:1:11: tenants.*: fits every tenant; write the row of all others as "
                    "default\n");
    assert_problem("tenants: {'**': {weight: 2}}\n", "fits every tenant");
    assert_problem("tenants: {default: {weight: 1}, default: {weight: 2}}\n", "is there twice");
}

static void a_weight_has_limits(void **state)
{
    (void)state;
    assert_problems("tenants: {a: {weight: 0}}\n",
                    "w.yaml:1:23: tenants.a.weight: '0' is outside of its limits; write 1 to "
                    "1000\n");
    assert_problem("tenants: {a: {weight: 1001}}\n", "is outside of its limits; write 1 to 1000");
    assert_problem("tenants: {default: {weight: -1}}\n", "w.yaml:1:29: tenants.default.weight: ");
    assert_problem("tenants: {a: {weight: 1.5}}\n", "'1.5' is not a whole number");
    assert_problem("tenants: {a: {weight: 010}}\n", "'010' is not a whole number");
    assert_problem("tenants: {a: {weight: [1]}}\n", "w.yaml:1:23: tenants.a.weight: is a list");
}

static void other_forms_are_mistakes(void **state)
{
    (void)state;
    assert_problem("tenants: [a]\n", "w.yaml:1:10: tenants: is a list; write a map such as {acme");
    assert_problem("tenants: {a: 2}\n", "tenants.a: is a text; write a map such as {weight: 2, "
                                        "budget: {amount: \"50\", currency: USD, per: day}}");
    assert_problem("tenants: {a: }\n",
                   "w.yaml:1:14: tenants.a: has no value; write a map such as {w");
    assert_problem("tenants: {a: {}}\n", "w.yaml:1:14: tenants.a: says nothing; write {weight: 2}");
    assert_problems("tenants: {a: {wieght: 2}}\n",
                    "w.yaml:1:15: tenants.a.wieght: unknown; did you mean weight?\n");
    assert_problem("tenants: {a: {colour: red}}\n",
                   "unknown; a tenant has weight, budget and topics");
    assert_problem("tenants: {a: {weight: 1, weight: 2}}\n", "is there twice");
}

static void the_number_of_rows_has_a_limit(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    buf_add_text(&text, "tenants:\n");
    for (int i = 0; i <= TENANT_ROWS_MAX; i++)
        buf_addf(&text, "  t%d: {weight: 2}\n", i);
    assert_problem(buf_text(&text), "w.yaml:2:3: tenants: is too long; it may have 1000 rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_has_the_weight_of_the_first_row_that_fits),
        cmocka_unit_test(without_rows_all_weigh_one),
        cmocka_unit_test(a_name_may_have_128_strange_characters),
        cmocka_unit_test(a_row_that_an_earlier_one_hides_is_a_mistake),
        cmocka_unit_test(a_glob_for_all_is_the_row_default),
        cmocka_unit_test(a_weight_has_limits),
        cmocka_unit_test(other_forms_are_mistakes),
        cmocka_unit_test(the_number_of_rows_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
