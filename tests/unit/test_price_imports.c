#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/prices/imports.h"
#include "app/prices/showing.h"

struct importing {
    struct arena arena;
    struct import import;
    struct buf notes, unnamed, rows;
    enum err err;
};

static const struct import_name NAMES[] = {
    {{"Claude4.6Sonnet", 15}, {"anthropic.claude-sonnet-4-6*", 28}},
    {{"Claude Sonnet 4.6 (Amazon Bedrock Edition)", 42}, {"anthropic.claude-sonnet-4-6*", 28}},
};

static struct importing *import_text(const char *text, size_t name_count)
{
    struct importing *importing = calloc(1, sizeof *importing);
    struct json_fault fault;
    assert_non_null(importing);
    arena_init(&importing->arena, (size_t)64 << 20);
    buf_init(&importing->notes, IMPORT_NOTES_MAX);
    buf_init(&importing->unnamed, IMPORT_NOTES_MAX);
    buf_init(&importing->rows, 1 << 20);
    importing->import = (struct import){.arena = &importing->arena,
                                        .names = NAMES,
                                        .name_count = name_count,
                                        .notes = &importing->notes,
                                        .unnamed = &importing->unnamed};
    importing->err = import_read(&importing->import, slice_of_text(text), &fault);
    for (size_t i = 0; importing->err == OK && i < importing->import.count; i++) {
        price_row_add(&importing->rows, &importing->import.rows[i]);
        buf_add_byte(&importing->rows, '\n');
    }
    return importing;
}

static void end(struct importing *importing)
{
    arena_done(&importing->arena);
    buf_done(&importing->notes);
    buf_done(&importing->unnamed);
    buf_done(&importing->rows);
    free(importing);
}

static char *read_fixture(const char *name)
{
    char path[512];
    char *text = calloc(1, 1 << 16);
    (void)snprintf(path, sizeof path, TESTS_DIR "/fuzz/corpus/price_imports/%s", name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    (void)fclose(file);
    return text;
}

static void litellms_map_is_read_by_its_digits(void **state)
{
    (void)state;
    char *text = read_fixture("litellm");
    struct importing *importing = import_text(text, 0);
    assert_int_equal(importing->err, OK);
    assert_buf(
        &importing->rows,
        "{model: \"us.x.one-v1:0\", input: 3.3, output: 16.5, cache_read: 0.33, "
        "cache_write_5m: 4.125, cache_write_1h: 6.6}\n"
        "{model: \"us.x.one-v1:0\", context_over: 200000, input: 6.6, cache_write_1h: 13.2}\n"
        "{model: \"us.x.one-v1:0\", tier: batch, output: 8.25}\n"
        "{model: \"us.x.one-v1:0\", tier: flex, input: 1.65}\n"
        "{model: \"us.x.one-v1:0\", tier: priority, input: 5}\n"
        "{model: \"x.one-v1:0\", region: global, input: 3, output: 15}\n"
        "{model: \"x.one-v1:0\", region: eu-west-1, input: 4}\n"
        "{model: \"us.x.two\", input: 5}\n"
        "{model: \"x.noise\", output: 10}\n");
    assert_buf(&importing->notes,
               "x.free is left out: the map has 0 for both of its prices\n"
               "x.noise: input 3.0000000000000004e-06 is left out: it has no exact price for a "
               "token\n");
    end(importing);
    free(text);
}

static void an_offer_gives_rows_for_the_names_that_have_a_model(void **state)
{
    (void)state;
    char *text = read_fixture("offer");
    struct importing *importing = import_text(text, 2);
    assert_int_equal(importing->err, OK);
    assert_true(importing->import.is_offer);
    assert_buf(&importing->rows,
               "{model: \"anthropic.claude-sonnet-4-6*\", region: us-east-1, input: 3.3, "
               "output: 16.5, cache_read: 0.33, cache_write_5m: 4.125, cache_write_1h: 6.6}\n"
               "{model: \"anthropic.claude-sonnet-4-6*\", region: us-east-1, tier: batch, "
               "input: 1.65}\n"
               "{model: \"anthropic.claude-sonnet-4-6*\", region: global, input: 3}\n"
               "{model: \"anthropic.claude-sonnet-4-6*\", region: global, context_over: 200000, "
               "input: 6}\n");
    assert_buf(&importing->unnamed, "#   Llama 3.1: use1-llama-input-tokens, input 0.22\n");
    assert_buf(&importing->notes,
               "use1-odd-input-tokens is left out: its unit is not a number of tokens\n");
    end(importing);
    free(text);
}

static void two_prices_for_one_row_keep_the_first_with_a_note(void **state)
{
    (void)state;
    struct importing *importing = import_text(
        "{\"x.a\": {\"litellm_provider\": \"bedrock\", \"input_cost_per_token\": 1e-06},"
        "\"bedrock/us-east-1/x.a\": {\"litellm_provider\": \"bedrock\", \"input_cost_per_token\": "
        "2e-06},"
        "\"bedrock/us-east-1/us.x.a\": {\"litellm_provider\": \"bedrock\", "
        "\"input_cost_per_token\": -1e-06}}",
        0);
    assert_int_equal(importing->err, OK);
    assert_buf(&importing->rows, "{model: \"x.a\", input: 1}\n"
                                 "{model: \"x.a\", region: us-east-1, input: 2}\n"
                                 "{model: \"us.x.a\", region: us-east-1}\n");
    assert_buf(&importing->notes,
               "us.x.a: input -1e-06 is left out: it has no exact price for a token\n");
    struct price_row *row = &importing->import.rows[0];
    import_price(&importing->import, row, PRICE_INPUT, SLICE("1.0e-6"), 0, SLICE("again"));
    import_price(&importing->import, row, PRICE_INPUT, SLICE("2e-6"), 0, SLICE("again"));
    assert_int_equal(row->price[PRICE_INPUT], 1000000);
    assert_non_null(strstr(buf_text(&importing->notes), "again: input 2e-6 is left out: another"));
    end(importing);
}

static void what_is_no_list_of_prices_is_rejected(void **state)
{
    (void)state;
    static const char *const NONE[] = {"",
                                       "[]",
                                       "3",
                                       "{}",
                                       "{\"a\": 3}",
                                       "{\"a\": {}}",
                                       "{\"products\": [], \"terms\": {}}",
                                       "{\"products\": {}, \"terms\": {}}"};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        struct importing *importing = import_text(NONE[i], 0);
        assert_int_equal(importing->err, ERR_FORMAT);
        end(importing);
    }
}

static void show_names_the_row_that_applies_and_why_others_do_not(void **state)
{
    (void)state;
    struct price_row rows[] = {
        {.model = SLICE("x.a"),
         .tier = SLICE("default"),
         .from_ms = PRICE_ALWAYS,
         .to_ms = 86400000,
         .price = {1, 2, -1, -1, -1},
         .line = 4},
        {.model = SLICE("x.a"),
         .tier = SLICE("default"),
         .from_ms = 86400000,
         .to_ms = PRICE_FOREVER,
         .price = {3000000, 2, -1, -1, -1},
         .line = 5},
        {.model = SLICE("x.a"),
         .tier = SLICE("flex"),
         .from_ms = PRICE_ALWAYS,
         .to_ms = PRICE_FOREVER,
         .price = {1, 2, -1, -1, -1},
         .line = 6},
        {.model = SLICE("x.a"),
         .region = SLICE("global"),
         .tier = SLICE("default"),
         .from_ms = PRICE_ALWAYS,
         .to_ms = PRICE_FOREVER,
         .price = {1, 2, -1, -1, -1},
         .line = 7},
        {.model = SLICE("x.*"),
         .tier = SLICE("default"),
         .from_ms = PRICE_ALWAYS,
         .to_ms = PRICE_FOREVER,
         .price = {1, 2, -1, -1, -1},
         .line = 8},
        {.model = SLICE("y.*"),
         .tier = SLICE("default"),
         .from_ms = PRICE_ALWAYS,
         .to_ms = PRICE_FOREVER,
         .price = {1, 2, -1, -1, -1},
         .line = 9},
    };
    struct price_table table = {
        .rows = rows, .count = 6, .currency = "USD", .version = "v", .hash = 1};
    struct price_query query = {.names = {SLICE("us.x.a"), SLICE("us.x.a"), SLICE("x.a")},
                                .region = SLICE("us-east-1"),
                                .at_ms = 86400000};
    struct buf page OWNED_BY(buf_done);
    price_table_sort(&table);
    buf_init(&page, 1 << 16);
    assert_true(price_show(&page, &table, "p.yaml", &query));
    assert_buf(&page,
               "call      us.x.a, which is also x.a\n"
               "          in us-east-1, tier default, 0 input tokens, begun at "
               "1970-01-02T00:00:00.000Z\n"
               "prices    p.yaml, version v, in USD for a million tokens\n"
               "applies   line 5: {model: \"x.a\", from: 1970-01-02T00:00:00.000Z, input: 3, "
               "output: 0.000002}\n"
               "not       line 7: {model: \"x.a\", region: global, input: 0.000001, output: "
               "0.000002}\n          because the call is not by a global profile\n"
               "not       line 4: {model: \"x.a\", to: 1970-01-02T00:00:00.000Z, input: 0.000001, "
               "output: 0.000002}\n          because it ended at 1970-01-02T00:00:00.000Z\n"
               "not       line 6: {model: \"x.a\", tier: flex, input: 0.000001, output: 0.000002}\n"
               "          because the call's tier is default\n"
               "not       line 8: {model: \"x.*\", input: 0.000001, output: 0.000002}\n"
               "          because it is less specific than the one that applies\n");
    buf_reset(&page);
    query.tier = SLICE("priority");
    assert_false(price_show(&page, &table, "p.yaml", &query));
    assert_non_null(strstr(buf_text(&page), "applies   no row: such a call has no cost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(litellms_map_is_read_by_its_digits),
        cmocka_unit_test(an_offer_gives_rows_for_the_names_that_have_a_model),
        cmocka_unit_test(two_prices_for_one_row_keep_the_first_with_a_note),
        cmocka_unit_test(what_is_no_list_of_prices_is_rejected),
        cmocka_unit_test(show_names_the_row_that_applies_and_why_others_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
