#include "unit/unit.h"

#include "base/glob.h"
#include "base/random.h"
#include "policy/price.h"

#define DAY     INT64_C(86400000)
#define MILLION INT64_C(1000000)

static struct price_row row_of(const char *model, int64_t input)
{
    return (struct price_row){
        .model = slice_of_text(model),
        .tier = SLICE("default"),
        .from_ms = PRICE_ALWAYS,
        .to_ms = PRICE_FOREVER,
        .price = {input, 5 * input, PRICE_NONE, PRICE_NONE, PRICE_NONE},
    };
}

static struct price_table table_of(struct price_row *rows, size_t count)
{
    struct price_table table = {.rows = rows,
                                .count = count,
                                .currency = "USD",
                                .version = "2026-08-06-0123456789ab",
                                .hash = 7};
    for (size_t i = 0; i < count; i++)
        rows[i].line = (uint32_t)i + 1;
    price_table_sort(&table);
    return table;
}

static struct price_query query_of(const char *called, const char *plain)
{
    return (struct price_query){
        .names = {slice_of_text(called), slice_of_text(called), slice_of_text(plain)},
        .region = SLICE("us-east-1"),
        .is_global = strncmp(called, "global.", 7) == 0,
        .input_tokens = 1000,
        .at_ms = 100 * DAY,
    };
}

/* The input price of the row that applies, with and without a memo; -1 = none. */
static int64_t input_price(const struct price_table *table, const struct price_query *query)
{
    static struct price_memo memo;
    memo = (struct price_memo){0};
    const struct price_row *row = price_find(table, NULL, query);
    for (int i = 0; i < 2; i++)
        assert_ptr_equal(price_find(table, &memo, query), row);
    return row == NULL ? -1 : row->price[PRICE_INPUT];
}

static void the_more_specific_model_wins(void **state)
{
    (void)state;
    struct price_row rows[] = {row_of("*", 1), row_of("anthropic.*", 2),
                               row_of("anthropic.claude-*", 3),
                               row_of("anthropic.claude-3-haiku", 4)};
    struct price_table table = table_of(rows, 4);
    struct price_query query = query_of("anthropic.claude-3-haiku", "anthropic.claude-3-haiku");
    assert_int_equal(input_price(&table, &query), 4);
    query = query_of("anthropic.claude-4", "anthropic.claude-4");
    assert_int_equal(input_price(&table, &query), 3);
    query = query_of("anthropic.other", "anthropic.other");
    assert_int_equal(input_price(&table, &query), 2);
    query = query_of("meta.llama", "meta.llama");
    assert_int_equal(input_price(&table, &query), 1);
}

static void a_model_matches_with_and_without_its_profile_and_the_profile_wins(void **state)
{
    (void)state;
    struct price_row rows[] = {row_of("anthropic.claude-sonnet-4-5", 30),
                               row_of("us.anthropic.*", 33)};
    struct price_table table = table_of(rows, 2);
    struct price_query query =
        query_of("eu.anthropic.claude-sonnet-4-5", "anthropic.claude-sonnet-4-5");
    assert_int_equal(input_price(&table, &query), 30);
    query = query_of("us.anthropic.claude-sonnet-4-5", "anthropic.claude-sonnet-4-5");
    assert_int_equal(input_price(&table, &query), 33);
    query = query_of("us.meta.llama", "meta.llama");
    assert_int_equal(input_price(&table, &query), -1);
}

static void a_region_that_is_named_wins_and_global_is_no_other_region(void **state)
{
    (void)state;
    struct price_row rows[] = {row_of("a.b", 1), row_of("a.b", 2), row_of("a.b", 3)};
    rows[1].region = SLICE("us-east-1");
    rows[2].region = SLICE("global");
    struct price_table table = table_of(rows, 3);
    struct price_query query = query_of("a.b", "a.b");
    assert_int_equal(input_price(&table, &query), 2);
    query.region = SLICE("eu-west-1");
    assert_int_equal(input_price(&table, &query), 1);
    query = query_of("global.a.b", "a.b");
    assert_int_equal(input_price(&table, &query), 3);
    struct price_row only[] = {row_of("a.b", 1)};
    table = table_of(only, 1);
    assert_int_equal(input_price(&table, &query), -1);
}

static void a_tier_without_a_row_has_no_price(void **state)
{
    (void)state;
    struct price_row rows[] = {row_of("a.b", 10), row_of("a.b", 5)};
    rows[1].tier = SLICE("flex");
    struct price_table table = table_of(rows, 2);
    struct price_query query = query_of("a.b", "a.b");
    assert_int_equal(input_price(&table, &query), 10);
    query.tier = SLICE("default");
    assert_int_equal(input_price(&table, &query), 10);
    query.tier = SLICE("flex");
    assert_int_equal(input_price(&table, &query), 5);
    query.tier = SLICE("priority");
    assert_int_equal(input_price(&table, &query), -1);
}

static void more_input_than_context_over_takes_that_row(void **state)
{
    (void)state;
    struct price_row rows[] = {row_of("a.b", 3), row_of("a.b", 6), row_of("a.b", 9)};
    rows[1].context_over = 200000;
    rows[2].context_over = 500000;
    struct price_table table = table_of(rows, 3);
    struct price_query query = query_of("a.b", "a.b");
    query.input_tokens = 200000;
    assert_int_equal(input_price(&table, &query), 3);
    query.input_tokens = 200001;
    assert_int_equal(input_price(&table, &query), 6);
    query.input_tokens = 500000;
    assert_int_equal(input_price(&table, &query), 6);
    query.input_tokens = 500001;
    assert_int_equal(input_price(&table, &query), 9);
}

static void a_price_holds_from_its_first_moment_to_before_its_last(void **state)
{
    (void)state;
    struct price_row rows[] = {row_of("a.b", 1), row_of("a.b", 2), row_of("a.b", 3)};
    rows[0].to_ms = 100 * DAY;
    rows[1].from_ms = 100 * DAY;
    rows[1].to_ms = 200 * DAY;
    rows[2].from_ms = 200 * DAY;
    rows[2].to_ms = 300 * DAY;
    struct price_table table = table_of(rows, 3);
    struct price_query query = query_of("a.b", "a.b");
    const struct {
        int64_t at_ms, price;
    } cases[] = {{0, 1},         {100 * DAY - 1, 1}, {100 * DAY, 2}, {200 * DAY - 1, 2},
                 {200 * DAY, 3}, {300 * DAY - 1, 3}, {300 * DAY, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        query.at_ms = cases[i].at_ms;
        assert_int_equal(input_price(&table, &query), cases[i].price);
    }
}

static void two_rows_clash_unless_one_is_more_specific(void **state)
{
    (void)state;
    struct price_row a = row_of("anthropic.*", 1), b = row_of("*sonnet*", 1);
    assert_int_equal(price_clash_of(&a, &b), PRICE_AMBIGUOUS);
    b.context_over = 7; /* a model that both match would take either */
    assert_int_equal(price_clash_of(&a, &b), PRICE_AMBIGUOUS);
    b.tier = SLICE("flex");
    assert_int_equal(price_clash_of(&a, &b), PRICE_NO_CLASH);
    b = row_of("anthropic.*", 2);
    assert_int_equal(price_clash_of(&a, &b), PRICE_OVERLAP);
    a.to_ms = b.from_ms = 50 * DAY;
    assert_int_equal(price_clash_of(&a, &b), PRICE_NO_CLASH);
    b.from_ms--;
    assert_int_equal(price_clash_of(&a, &b), PRICE_OVERLAP);
    b.region = SLICE("us-east-1");
    assert_int_equal(price_clash_of(&a, &b), PRICE_NO_CLASH);
    a.region = SLICE("us-east-1");
    assert_int_equal(price_clash_of(&a, &b), PRICE_OVERLAP);
    a.region = SLICE("global");
    assert_int_equal(price_clash_of(&a, &b), PRICE_NO_CLASH);
    a = row_of("anthropic.**", 1);
    b = row_of("anthropic.*", 1);
    assert_int_equal(price_clash_of(&a, &b), PRICE_OVERLAP);
    b = row_of("anthropic.claude", 1);
    assert_int_equal(price_clash_of(&a, &b), PRICE_NO_CLASH);
}

/* Whether `a` must win over `b` by what the room's header says, of rows that apply by one name. */
static bool must_win(const struct price_row *a, const struct price_row *b)
{
    bool is_within = glob_covers(b->model, a->model, false),
         is_around = glob_covers(a->model, b->model, false);
    if (is_within != is_around)
        return is_within;
    if ((a->region.ptr == NULL) != (b->region.ptr == NULL))
        return a->region.ptr != NULL;
    return a->context_over > b->context_over;
}

static struct price_row random_row(struct random *random, char room[8])
{
    static const char SIGNS[] = "aab*?";
    size_t len = 1 + random_next(random) % 4;
    for (size_t i = 0; i < len; i++)
        room[i] = SIGNS[random_next(random) % 5];
    struct price_row row = row_of("", (int64_t)(random_next(random) % 1000));
    row.model = slice_of(room, len);
    if (random_next(random) % 3 == 0)
        row.region = SLICE("us-east-1");
    row.context_over = (int64_t)(random_next(random) % 3) * 500;
    if (random_next(random) % 3 == 0)
        row.to_ms = 100 * DAY;
    else if (random_next(random) % 2 == 0)
        row.from_ms = 100 * DAY;
    return row;
}

static void of_rows_without_clashes_the_one_that_the_rules_name_applies(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 42);
    size_t found = 0;
    for (int round = 0; round < 3000; round++) {
        struct price_row rows[12];
        char models[12][8];
        size_t count = 0;
        for (int i = 0; i < 12; i++) {
            rows[count] = random_row(&random, models[count]);
            bool clashes = false;
            for (size_t k = 0; k < count; k++)
                clashes = clashes || price_clash_of(&rows[k], &rows[count]) != PRICE_NO_CLASH;
            count += !clashes;
        }
        struct price_table table = table_of(rows, count);
        char called[4] = {0};
        for (int i = 0; i < 3; i++)
            called[i] = "ab"[random_next(&random) % 2];
        struct price_query query = query_of(called, called);
        query.input_tokens = (int64_t)(random_next(&random) % 1500);
        query.at_ms += random_next(&random) % 2 == 0 ? 0 : -1;
        const struct price_row *best = price_find(&table, NULL, &query);
        (void)input_price(&table, &query);
        for (size_t i = 0; i < count; i++) {
            enum price_name name;
            if (&rows[i] == best || !price_row_is_for(&rows[i], &query, &name) ||
                !price_row_applies(&rows[i], &query))
                continue;
            assert_non_null(best);
            assert_true(must_win(best, &rows[i]));
            found++;
        }
    }
    assert_true(found > 500);
}

static void a_memo_forgets_with_the_table_and_takes_no_name_that_is_too_long(void **state)
{
    (void)state;
    static struct price_memo memo;
    memo = (struct price_memo){0};
    struct price_row first[] = {row_of("a.b", 1)},
                     second[] = {row_of("another.model", 5), row_of("a.*", 2)};
    struct price_table table = table_of(first, 1), other = table_of(second, 2);
    struct price_query query = query_of("a.b", "a.b");
    other.hash = 8;
    assert_int_equal(price_find(&table, &memo, &query)->price[PRICE_INPUT], 1);
    assert_int_equal(price_find(&other, &memo, &query)->price[PRICE_INPUT], 2);
    assert_int_equal(price_find(&table, &memo, &query)->price[PRICE_INPUT], 1);
    char name[500];
    memset(name, 'q', sizeof name);
    memcpy(name, "a.", 2);
    query.names[0] = query.names[1] = query.names[2] = slice_of(name, sizeof name);
    assert_null(price_find(&table, &memo, &query));
    assert_int_equal(price_find(&other, &memo, &query)->price[PRICE_INPUT], 2);
}

static void more_rows_for_a_model_than_the_memo_holds_are_found_too(void **state)
{
    (void)state;
    static struct price_memo memo;
    memo = (struct price_memo){0};
    static struct price_row rows[100];
    for (int i = 0; i < 100; i++) {
        rows[i] = row_of("a.b", i);
        rows[i].from_ms = i * DAY;
        rows[i].to_ms = (i + 1) * DAY;
    }
    struct price_table table = table_of(rows, 100);
    struct price_query query = query_of("a.b", "a.b");
    for (int i = 0; i < 100; i++) {
        query.at_ms = i * DAY;
        assert_int_equal(price_find(&table, &memo, &query)->price[PRICE_INPUT], i);
    }
}

/* ---- cost ---- */

static const struct price_row PRICED = {
    .tier = {"default", 7},
    .price = {3 * MILLION, 15 * MILLION, 300000, 3750000, 6 * MILLION},
};
static const struct price_table TABLE = {.currency = "USD", .version = "2026-08-06-0123456789ab"};

static void a_cost_has_exact_parts(void **state)
{
    (void)state;
    struct price_counts counts = {
        .input = 1000, .output = 21, .cache_read = 600, .cache_write = 300, .cache_write_1h = 100};
    struct money_cost cost;
    enum price_class class;
    assert_int_equal(price_cost(&TABLE, &PRICED, &counts, &cost, &class), PRICE_LACKS_NOTHING);
    assert_true(cost.is_known);
    assert_int_equal(cost.input, 100 * 3 * MILLION);
    assert_int_equal(cost.output, 21 * 15 * MILLION);
    assert_int_equal(cost.cache_read, 600 * 300000);
    assert_int_equal(cost.cache_write, INT64_C(200) * 3750000 + 100 * 6 * MILLION);
    assert_int_equal(cost.amount, cost.input + cost.output + cost.cache_read + cost.cache_write);
    assert_string_equal(cost.currency, "USD");
    assert_string_equal(cost.prices, "2026-08-06-0123456789ab");
}

static void cache_writes_of_unknown_life_are_those_of_five_minutes(void **state)
{
    (void)state;
    struct price_counts counts = {.input = 300, .cache_write = 300, .cache_write_1h = -1};
    struct money_cost cost;
    enum price_class class;
    assert_int_equal(price_cost(&TABLE, &PRICED, &counts, &cost, &class), PRICE_LACKS_NOTHING);
    assert_int_equal(cost.cache_write, INT64_C(300) * 3750000);
}

static void a_class_that_was_used_must_have_a_price_and_others_need_none(void **state)
{
    (void)state;
    struct price_row row = PRICED;
    struct price_counts counts = {.input = 1000, .output = 21, .cache_read = 600};
    struct money_cost cost;
    enum price_class class = PRICE_INPUT;
    row.price[PRICE_CACHE_WRITE_5M] = PRICE_NONE;
    assert_int_equal(price_cost(&TABLE, &row, &counts, &cost, &class), PRICE_LACKS_NOTHING);
    row.price[PRICE_CACHE_READ] = PRICE_NONE;
    assert_int_equal(price_cost(&TABLE, &row, &counts, &cost, &class), PRICE_LACKS_CLASS);
    assert_int_equal(class, PRICE_CACHE_READ);
    assert_false(cost.is_known);
    row.price[PRICE_CACHE_READ] = 0;
    assert_int_equal(price_cost(&TABLE, &row, &counts, &cost, &class), PRICE_LACKS_NOTHING);
    assert_int_equal(cost.cache_read, 0);
    assert_int_equal(price_cost(&TABLE, NULL, &counts, &cost, &class), PRICE_LACKS_ROW);
    assert_false(cost.is_known);
}

static void counts_that_contradict_each_other_or_exceed_64_bits_have_no_cost(void **state)
{
    (void)state;
    static const struct price_counts CASES[] = {
        {.input = 10, .cache_read = 6, .cache_write = 5},
        {.input = 10, .cache_write = 5, .cache_write_1h = 6},
        {.input = -1},
        {.input = 1, .output = -1},
        {.input = 1, .cache_read = -1},
        {.input = 1, .cache_write = -1},
        {.input = INT64_MAX},
        {.input = 0, .output = INT64_MAX / (15 * MILLION) + 1},
        {.input = INT64_MAX, .cache_read = INT64_MAX, .cache_write = INT64_MAX},
        {.input = INT64_C(2000000000000), .output = 400000000000},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct money_cost cost = {.is_known = true};
        enum price_class class;
        assert_int_equal(price_cost(&TABLE, &PRICED, &CASES[i], &cost, &class), PRICE_LACKS_COUNTS);
        assert_false(cost.is_known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_more_specific_model_wins),
        cmocka_unit_test(a_model_matches_with_and_without_its_profile_and_the_profile_wins),
        cmocka_unit_test(a_region_that_is_named_wins_and_global_is_no_other_region),
        cmocka_unit_test(a_tier_without_a_row_has_no_price),
        cmocka_unit_test(more_input_than_context_over_takes_that_row),
        cmocka_unit_test(a_price_holds_from_its_first_moment_to_before_its_last),
        cmocka_unit_test(two_rows_clash_unless_one_is_more_specific),
        cmocka_unit_test(of_rows_without_clashes_the_one_that_the_rules_name_applies),
        cmocka_unit_test(a_memo_forgets_with_the_table_and_takes_no_name_that_is_too_long),
        cmocka_unit_test(more_rows_for_a_model_than_the_memo_holds_are_found_too),
        cmocka_unit_test(a_cost_has_exact_parts),
        cmocka_unit_test(cache_writes_of_unknown_life_are_those_of_five_minutes),
        cmocka_unit_test(a_class_that_was_used_must_have_a_price_and_others_need_none),
        cmocka_unit_test(counts_that_contradict_each_other_or_exceed_64_bits_have_no_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
