#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/prices/price_file.h"

#define HEAD "date: 2026-08-06\ncurrency: USD\n"
#define ROWS HEAD "prices:\n"

struct reading {
    struct arena arena;
    struct problems problems;
    struct price_table table;
    struct buf text;
    bool is_good;
};

static struct reading *read_text(const char *text)
{
    struct reading *reading = calloc(1, sizeof *reading);
    assert_non_null(reading);
    arena_init(&reading->arena, PRICE_FILE_ARENA_BYTES);
    problems_init(&reading->problems);
    reading->is_good = price_file_read(&reading->arena, slice_of_text(text), "p.yaml",
                                       &reading->problems, &reading->table);
    problems_sort(&reading->problems);
    buf_init(&reading->text, PROBLEMS_BYTES_MAX);
    problems_add_text(&reading->problems, &reading->text);
    return reading;
}

static void end(struct reading *reading)
{
    arena_done(&reading->arena);
    buf_done(&reading->text);
    free(reading);
}

/* The file is rejected with exactly this text. */
static void assert_problems(const char *text, const char *words)
{
    struct reading *reading = read_text(text);
    assert_false(reading->is_good);
    assert_string_equal(buf_text(&reading->text), words);
    end(reading);
}

/* The file is rejected, and the text contains `part`. */
static void assert_problem(const char *text, const char *part)
{
    struct reading *reading = read_text(text);
    assert_false(reading->is_good);
    if (strstr(buf_text(&reading->text), part) == NULL)
        fail_msg("the problems are: %s", buf_text(&reading->text));
    end(reading);
}

static void assert_good(struct reading *reading)
{
    assert_string_equal(buf_text(&reading->text), "");
    assert_true(reading->is_good);
}

static void a_file_becomes_a_table(void **state)
{
    (void)state;
    struct reading *reading = read_text(
        ROWS "  - {model: \"a.*\", input: 3, output: 15}\n"
             "  - model: a.b\n    region: us-east-1\n    tier: flex\n"
             "    context_over: 200000\n    from: 2026-01-01\n"
             "    to: 2026-07-01T12:00:00+02:00\n    input: 0.000001\n"
             "    cache_read: \"0.3\"\n    cache_write_5m: 3.75\n    cache_write_1h: 0\n");
    assert_good(reading);
    assert_int_equal(reading->table.count, 2);
    assert_string_equal(reading->table.currency, "USD");
    const struct price_row *row = &reading->table.rows[0];
    assert_slice(row->model, "a.b");
    assert_slice(row->region, "us-east-1");
    assert_slice(row->tier, "flex");
    assert_int_equal(row->context_over, 200000);
    assert_int_equal(row->from_ms, INT64_C(1767225600000));
    assert_int_equal(row->to_ms, INT64_C(1782900000000));
    assert_int_equal(row->price[PRICE_INPUT], 1);
    assert_int_equal(row->price[PRICE_OUTPUT], PRICE_NONE);
    assert_int_equal(row->price[PRICE_CACHE_READ], 300000);
    assert_int_equal(row->price[PRICE_CACHE_WRITE_5M], 3750000);
    assert_int_equal(row->price[PRICE_CACHE_WRITE_1H], 0);
    assert_int_equal(row->line, 5);
    row = &reading->table.rows[1];
    assert_slice(row->model, "a.*");
    assert_null(row->region.ptr);
    assert_slice(row->tier, "default");
    assert_int_equal(row->from_ms, PRICE_ALWAYS);
    assert_int_equal(row->to_ms, PRICE_FOREVER);
    end(reading);
}

static void the_version_is_the_date_and_a_hash_of_the_bytes(void **state)
{
    (void)state;
    struct reading *one = read_text(HEAD "prices: []\n"), *same = read_text(HEAD "prices: []\n"),
                   *other = read_text(HEAD "prices: [] \n");
    assert_good(one);
    /* printf 'date: 2026-08-06\ncurrency: USD\nprices: []\n' | sha256sum */
    assert_string_equal(one->table.version, "2026-08-06-c6b7a61e9c8f");
    assert_string_equal(one->table.version, same->table.version);
    assert_int_equal(one->table.hash, same->table.hash);
    assert_string_not_equal(one->table.version, other->table.version);
    assert_true(one->table.hash != other->table.hash);
    end(one);
    end(same);
    end(other);
}

static void every_mistake_has_its_place(void **state)
{
    (void)state;
    assert_problems(
        "date: 2026-13-06\ncurrency: USDD\nprices:\n"
        "  - {model: a.b, input: 3.1234567, output: -3}\n"
        "  - {model: a.c, input: 1e3}\n"
        "  - {model: c.d, from: 2026-02-01, to: 2026-01-01}\n"
        "  - {model: e.f, from: 2026-02-30, inptu: 3}\n"
        "  - {model: e.f, tier: fast, region: mars, context_over: 0}\n"
        "  - {input: 3}\n"
        "  - 3\n"
        "  - {model: a b}\n"
        "  - {model: g.h, input: 3, input: 4}\n"
        "rows: 3\n",
        "p.yaml:1:7: date: '2026-13-06' is not the date of the prices, such as 2026-08-06\n"
        "p.yaml:2:11: currency: 'USDD' is not a code of ISO 4217 such as USD\n"
        "p.yaml:4:25: prices[0].input: has more than 6 decimals; a price for a million tokens has "
        "at most 6\n"
        "p.yaml:4:44: prices[0].output: is negative; a price is 0 or more\n"
        "p.yaml:5:25: prices[1].input: has an exponent; write the price for a million tokens in "
        "digits, such as 0.0375\n"
        "p.yaml:6:5: prices[2]: ends before it begins; `to` is not within, so it must be after "
        "`from`\n"
        "p.yaml:7:24: prices[3].from: '2026-02-30' is not a date such as 2026-08-06, which is "
        "midnight UTC, or 2026-08-06T12:00:00Z\n"
        "p.yaml:7:36: prices[3].inptu: unknown; did you mean input?\n"
        "p.yaml:8:24: prices[4].tier: 'fast' is not one of default, flex, priority, reserved, "
        "batch\n"
        "p.yaml:8:38: prices[4].region: 'mars' is not a region such as us-east-1, or global for "
        "calls by a global profile\n"
        "p.yaml:8:58: prices[4].context_over: '0' is not a number of tokens from 1 to 1000000000\n"
        "p.yaml:9:5: prices[5]: has no model; write a model id, or a glob such as "
        "anthropic.claude-3-haiku-*\n"
        "p.yaml:10:5: prices[6]: is a text; write a row such as {model: anthropic.claude-3-haiku-*,"
        " input: 0.25}\n"
        "p.yaml:11:13: prices[7].model: 'a b' is not a model id, or a glob such as "
        "anthropic.claude-3-haiku-*\n"
        "p.yaml:12:28: prices[8].input: is there twice; keep one of them\n"
        "p.yaml:13:1: rows: unknown; a price file has date, currency and prices\n");
}

static void rows_that_overlap_leave_a_gap_or_are_equally_specific_are_mistakes(void **state)
{
    (void)state;
    assert_problems(
        ROWS "  - {model: a.b, input: 3}\n"
             "  - {model: a.b, from: 2026-01-01, input: 1}\n"
             "  - {model: e.f, to: 2026-01-01}\n"
             "  - {model: e.f, from: 2026-02-01, to: 2026-03-01}\n"
             "  - {model: \"anthropic.*\", input: 3}\n"
             "  - {model: \"*sonnet*\", input: 3}\n"
             "  - {model: a.b, input: -1}\n",
        "p.yaml:5:5: prices[1]: overlaps the row in line 4: the same models, region, tier and "
        "context_over at one time; let that one end with `to` where this one begins with `from`\n"
        "p.yaml:7:5: prices[3]: leaves a gap: the row in line 6 ends at 2026-01-01T00:00:00.000Z; "
        "begin with `from` there\n"
        "p.yaml:9:5: prices[5]: may match the same model as `anthropic.*` in line 8, and neither "
        "is more specific; narrow one of them\n"
        "p.yaml:10:25: prices[6].input: is negative; a price is 0 or more\n");
}

static void rows_that_follow_each_other_without_a_gap_are_right(void **state)
{
    (void)state;
    struct reading *reading = read_text(ROWS "  - {model: a.b, from: 2026-02-01, input: 1}\n"
                                             "  - {model: a.b, to: 2026-01-01, input: 3}\n"
                                             "  - {model: a.b, from: 2026-01-01, to: 2026-02-01}\n"
                                             "  - {model: a.b, tier: flex, from: 2026-06-01}\n"
                                             "  - {model: a.b, region: global, input: 2}\n"
                                             "  - {model: a.b, context_over: 7, input: 2}\n"
                                             "  - {model: \"a.*\", input: 3}\n");
    assert_good(reading);
    end(reading);
}

static void what_is_no_price_file_is_rejected(void **state)
{
    (void)state;
    assert_problem("", "p.yaml:1:1: is not a price file; write date, currency and prices");
    assert_problem("[]", "is not a price file");
    assert_problem("a: &x 1\n", "p.yaml:1:");
    assert_problem("prices: []\n", "date: is missing; write `date: 2026-08-06`");
    assert_problem("prices: []\n", "currency: is missing; write `currency: USD`");
    assert_problem(HEAD, "prices: is missing");
    assert_problem(HEAD "prices: {}\n", "prices: is a map; write a list of rows");
    assert_problem(HEAD "currency: EUR\nprices: []\n", "currency: is there twice");
    assert_problem(HEAD "prices: [{model: a.b, input: }]\n", "prices[0].input: has no value");
    assert_problem(HEAD "prices: [{model: a.b, input: [3]}]\n", "prices[0].input: is a list");
    assert_problem(HEAD "prices: [{model: a.b, input: 3 USD}]\n",
                   "prices[0].input: is not a price");
}

static void a_file_with_too_many_rows_is_rejected(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1 << 20);
    buf_add_text(&text, ROWS);
    for (int i = 0; i <= PRICE_ROWS_MAX; i++)
        buf_addf(&text, "  - {model: m%d}\n", i);
    assert_problem(buf_text(&text), "p.yaml:4:3: prices: has more than 5000 rows");
}

/* The shipped file is right, and its header's example finds a row. */
static void the_shipped_file_is_right(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done);
    FILE *file = fopen(SOURCE_DIR "/config/prices.yaml", "r");
    assert_non_null(file);
    buf_init(&text, 1 << 20);
    for (size_t got = 1; got > 0; text.len += got) {
        char *at = buf_reserve(&text, 4096);
        assert_non_null(at);
        got = fread(at, 1, 4096, file);
    }
    (void)fclose(file);
    struct reading *reading = read_text(buf_text(&text));
    assert_good(reading);
    const struct price_query query = {
        .names = {SLICE("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                  SLICE("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                  SLICE("anthropic.claude-sonnet-4-5-20250929-v1:0")},
        .region = SLICE("us-east-1"),
    };
    const struct price_row *row = price_find(&reading->table, NULL, &query);
    assert_non_null(row);
    assert_int_equal(row->price[PRICE_INPUT], 3300000);
    assert_int_equal(row->price[PRICE_OUTPUT], 16500000);
    end(reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_a_table),
        cmocka_unit_test(the_version_is_the_date_and_a_hash_of_the_bytes),
        cmocka_unit_test(every_mistake_has_its_place),
        cmocka_unit_test(rows_that_overlap_leave_a_gap_or_are_equally_specific_are_mistakes),
        cmocka_unit_test(rows_that_follow_each_other_without_a_gap_are_right),
        cmocka_unit_test(what_is_no_price_file_is_rejected),
        cmocka_unit_test(a_file_with_too_many_rows_is_rejected),
        cmocka_unit_test(the_shipped_file_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
