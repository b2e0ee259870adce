/* The books: each call once, in exact sums. */
#include "unit/books_kit.h"

#include "app/books/focus.h"
#include "app/books/period.h"
#include "app/books/reprice.h"
#include "app/books/rows.h"
#include "app/books/view.h"
#include "base/instant.h"

#define COST                                                                                       \
    "{\"amount\":\"0.1\",\"currency\":\"USD\",\"prices\":\"p\",\"parts\":{\"input\":\"0.1\"}}"

/* ---- sums ---- */

static const struct tally_row *only_row(const struct book *book)
{
    assert_int_equal(book->tally.count, 1);
    return book->tally.rows[0];
}

static void sums_are_exact(void **state)
{
    (void)state;
    struct book book;
    struct buf line;
    kit_book(&book, "tenant");
    for (int i = 0; i < 90; i++) {
        char id[3];
        (void)snprintf(id, sizeof id, "%02d", i);
        kit_take(&book, &(struct kit_record){.id = id, .input = 3, .output = 1, .cost = COST});
    }
    buf_init(&line, 4096);
    rows_add_csv(&line, &book, only_row(&book));
    assert_buf(&line, "acme,90,90,0,0,270,90,0,0,0,0,9,USD\r\n");
    buf_done(&line);
    book_done(&book);
    assert_int_equal(memory_live(), 0);
}

static void a_record_that_comes_twice_counts_once(void **state)
{
    (void)state;
    struct book book;
    kit_book(&book, "tenant");
    for (int i = 0; i < 3; i++)
        kit_take(&book, &(struct kit_record){.input = 5});
    assert_int_equal(only_row(&book)->sums.calls, 1);
    assert_int_equal(book.doubles, 2);
    book_done(&book);
}

#define REPLACES_01 ",\"replaces\":\"019aab1e-5001-7000-8000-000000000001\""

static void a_replaced_record_is_left_out_whichever_comes_first(void **state)
{
    (void)state;
    for (int is_first = 0; is_first < 2; is_first++) {
        struct book book;
        const struct kit_record lost = {.id = "01", .input = 7, .is_lost = true, .cost = COST};
        kit_book(&book, "tenant");
        if (!is_first)
            kit_take(&book, &lost);
        kit_take(&book, &(struct kit_record){.id = "02", .input = 5, .more = REPLACES_01});
        if (is_first)
            kit_take(&book, &lost);
        const struct sums *sums = &only_row(&book)->sums;
        assert_int_equal(sums->calls, 1);
        assert_int_equal(sums->counts[COUNT_INPUT], 5);
        assert_int_equal(sums->amount.low, 0);
        assert_int_equal(sums->estimated, 0);
        assert_int_equal(book.replaced_count, 1);
        assert_int_equal(book.counted, 1);
        book_done(&book);
    }
    assert_int_equal(memory_live(), 0);
}

static void a_replacement_outside_of_the_window_still_replaces(void **state)
{
    (void)state;
    struct book book;
    kit_book(&book, "tenant");
    assert_true(instant_from_rfc3339(SLICE("2026-12-01T00:00:00Z"), &book.plan.until_ms));
    kit_take(&book, &(struct kit_record){.id = "01", .input = 7, .is_lost = true});
    kit_take(&book, &(struct kit_record){
                        .id = "02", .time = "2026-12-01T00:00:00.000Z", .more = REPLACES_01});
    assert_int_equal(book.counted, 0);
    assert_int_equal(book.outside, 1);
    book_done(&book);
}

static void calls_without_a_cost_are_unpriced_never_free(void **state)
{
    (void)state;
    struct book book;
    struct buf line;
    kit_book(&book, "tenant");
    kit_take(&book, &(struct kit_record){.id = "01"});
    buf_init(&line, 4096);
    rows_add_csv(&line, &book, only_row(&book));
    assert_buf(&line, "acme,1,1,0,1,0,0,0,0,0,0,,\r\n");
    buf_reset(&line);
    rows_add_json(&line, &book, only_row(&book));
    assert_null(strstr(buf_text(&line), "cost"));
    buf_done(&line);
    book_done(&book);
}

static void costs_of_another_currency_are_not_added(void **state)
{
    (void)state;
    struct book book;
    kit_book(&book, "tenant");
    kit_take(&book, &(struct kit_record){.id = "01", .cost = COST});
    kit_take(&book,
             &(struct kit_record){.id = "02", .cost = "{\"amount\":\"5\",\"currency\":\"EUR\"}"});
    assert_int_equal(only_row(&book)->sums.amount.low, 100000000000);
    assert_int_equal(only_row(&book)->sums.unpriced, 1);
    assert_int_equal(book.in_other_currency, 1);
    book_done(&book);
}

static void skipped_records_are_counted_and_the_first_ones_named(void **state)
{
    (void)state;
    struct book book;
    kit_book(&book, "tenant");
    for (int i = 0; i < 5; i++) {
        const struct book_place place = {4, 100 + i, NULL};
        assert_int_equal(book_take(&book, &place, SLICE("x"), 0), OK);
    }
    assert_int_equal(book.skipped[SKIP_FOREIGN].count, 5);
    assert_int_equal(book.skipped[SKIP_FOREIGN].places[2].offset, 102);
    assert_int_equal(book.skipped[SKIP_FOREIGN].places[2].partition, 4);
    book_done(&book);
}

static void values_of_columns_do_not_run_into_each_other(void **state)
{
    (void)state;
    struct book book;
    struct buf lines;
    struct view view;
    kit_book(&book, "label:a,label:b");
    kit_take(&book, &(struct kit_record){.id = "01", .labels = "{\"a\":\"xy\",\"b\":\"\"}"});
    kit_take(&book, &(struct kit_record){.id = "02", .labels = "{\"a\":\"x\",\"b\":\"y,\\\"\"}"});
    kit_take(&book, &(struct kit_record){.id = "03"});
    buf_init(&lines, 4096);
    assert_int_equal(view_init(&view, &book, VIEW_BY_KEY), OK);
    for (size_t i = 0; i < view.count; i++)
        rows_add_csv(&lines, &book, view.rows[i]);
    assert_buf(&lines, ",,1,1,0,1,0,0,0,0,0,0,,\r\n"
                       "x,\"y,\"\"\",1,1,0,1,0,0,0,0,0,0,,\r\n"
                       "xy,,1,1,0,1,0,0,0,0,0,0,,\r\n");
    view_done(&view);
    buf_done(&lines);
    book_done(&book);
}

static void an_hour_a_day_and_a_month_are_of_the_calls_start_in_utc(void **state)
{
    (void)state;
    struct book book;
    struct buf line;
    kit_book(&book, "hour,day,month");
    kit_take(&book, &(struct kit_record){.time = "2028-02-29T23:59:59.999Z"});
    buf_init(&line, 4096);
    rows_add_json(&line, &book, only_row(&book));
    assert_non_null(strstr(buf_text(&line),
                           "{\"hour\":\"2028-02-29T23:00Z\",\"day\":\"2028-02-29\","
                           "\"month\":\"2028-02\","));
    buf_done(&line);
    book_done(&book);
}

static void unknown_and_doubled_columns_are_rejected(void **state)
{
    (void)state;
    static const char *const LISTS[] = {"",       "tenat",       "tenant,tenant",
                                        "label:", "tenant,,day", "a,b"};
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        struct columns columns = {.count = 0};
        char fault[COLUMNS_FAULT_BYTES] = "";
        assert_false(columns_add(&columns, slice_of_text(LISTS[i]), fault));
        assert_true(fault[0] != '\0');
    }
}

static void rows_have_a_limit(void **state)
{
    (void)state;
    struct tally tally;
    char key[16];
    size_t count = 0;
    tally_init(&tally, 65536, 1);
    for (;; count++) {
        (void)snprintf(key, sizeof key, "%zu", count);
        if (tally_row_of(&tally, slice_of_text(key)) == NULL)
            break;
    }
    assert_in_range(count, 100, 400);
    assert_non_null(tally_row_of(&tally, SLICE("0")));
    tally_done(&tally);
}

static void what_is_taken_off_leaves_what_was_there_before(void **state)
{
    (void)state;
    struct entry entry = {.amount = INT64_MAX, .counts = {5, 4, 3, 2, 1, 0}, .is_final = true};
    struct sums sums = {0}, taken = {0};
    for (int i = 0; i < 3; i++)
        sums_add(&sums, &entry, true);
    sums_add(&taken, &entry, true);
    assert_int_equal(sums.amount.high, 1);
    sums_take(&sums, &taken);
    sums_take(&sums, &taken);
    assert_memory_equal(&sums, &taken, sizeof sums);
}

#define PARTS_COST                                                                                 \
    "{\"amount\":\"0.00015\",\"currency\":\"USD\",\"parts\":{\"input\":\"0.00003\",\"output\":"    \
    "\"0.00012\"}}"

static void focus_has_a_row_for_each_class_of_tokens_and_no_cost_where_none_is_known(void **state)
{
    (void)state;
    struct book book;
    struct buf rows;
    kit_book(&book, FOCUS_COLUMNS);
    kit_take(
        &book,
        &(struct kit_record){
            .id = "01", .input = 10, .output = 8, .cost = PARTS_COST, .labels = "{\"a\":\"b\"}"});
    buf_init(&rows, 8192);
    focus_add(&rows, &book, only_row(&book), SLICE("1234"));
    assert_non_null(strstr(buf_text(&rows),
                           "0.00003,1234,1234,USD,2026-12-01T00:00:00.000Z,2026-11-01T00:00:00."
                           "000Z,Usage,,Input Tokens of m,Usage-Based,2026-11-23T00:00:00.000Z,"
                           "2026-11-22T00:00:00.000Z,10,Tokens,0.00003,0.000003,"));
    assert_non_null(strstr(buf_text(&rows), "\r\n0.00012,"));
    assert_non_null(strstr(buf_text(&rows), ",m/us-east-1/default/output,acme,acme,Tenant,"
                                            "\"{\"\"a\"\":\"\"b\"\"}\",false,default,0\r\n"));
    book_done(&book);
    kit_book(&book, FOCUS_COLUMNS);
    kit_take(&book, &(struct kit_record){.id = "01", .input = 10});
    buf_reset(&rows);
    focus_add(&rows, &book, only_row(&book), SLICE("1234"));
    assert_true(slice_starts(buf_slice(&rows), SLICE(",1234,")));
    buf_done(&rows);
    book_done(&book);
}

static void other_prices_give_other_costs_beside_the_recorded_ones(void **state)
{
    (void)state;
    struct price_row row = {.model = SLICE("m"),
                            .tier = SLICE(PRICE_TIER),
                            .from_ms = PRICE_ALWAYS,
                            .to_ms = PRICE_FOREVER,
                            .price = {2000000, 10000000, PRICE_NONE, PRICE_NONE, PRICE_NONE}};
    struct price_table table = {.rows = &row, .count = 1, .currency = "USD", .hash = 1};
    struct reprice reprice;
    struct book book;
    struct buf line;
    price_table_sort(&table);
    reprice_init(&reprice, &table);
    kit_book(&book, "tenant");
    book.plan.price = reprice_entry;
    book.plan.pricer = &reprice;
    kit_take(&book, &(struct kit_record){.id = "01", .input = 10, .output = 8, .cost = COST});
    kit_take(&book,
             &(struct kit_record){.id = "02", .input = 10, .time = "2026-11-23T00:00:00.000Z"});
    buf_init(&line, 4096);
    rows_add_csv(&line, &book, only_row(&book));
    assert_buf(&line, "acme,2,2,0,0,20,8,0,0,0,0,0.00012,USD,0.1\r\n");
    row.model = SLICE("other");
    reprice.prices = &(struct price_table){.rows = &row, .count = 1, .currency = "USD", .hash = 2};
    kit_take(&book, &(struct kit_record){.id = "03"});
    assert_int_equal(only_row(&book)->sums.unpriced, 1);
    assert_int_equal(reprice.no_row, 1);
    buf_done(&line);
    book_done(&book);
}

/* What a record without a cost gets by a table with one row: {input: 2, output: 10}. */
static int64_t repriced(const char *model, const char *tier, const char *more)
{
    struct price_row row = {.model = slice_of_text(model),
                            .tier = slice_of_text(tier),
                            .from_ms = PRICE_ALWAYS,
                            .to_ms = PRICE_FOREVER,
                            .price = {2000000, 10000000, PRICE_NONE, PRICE_NONE, PRICE_NONE}};
    struct price_table table = {.rows = &row, .count = 1, .currency = "USD", .hash = 1};
    struct reprice reprice;
    struct entry entry;
    struct arena arena;
    const char *why;
    price_table_sort(&table);
    reprice_init(&reprice, &table);
    arena_init(&arena, 65536);
    struct kit_record record = {.input = 3, .more = more};
    assert_int_equal(entry_read(&arena, kit_value(&record), &entry, &why), ENTRY_READ);
    reprice_entry(&reprice, &entry);
    arena_done(&arena);
    return entry.has_cost ? entry.amount : -1;
}

static void other_prices_apply_as_the_worker_applies_them(void **state)
{
    (void)state;
    assert_int_equal(repriced("m", "default", ""), 6000000);
    assert_int_equal(repriced("m", "flex", ""), -1);
    assert_int_equal(repriced("m", "flex", ",\"service_tier\":\"flex\""), 6000000);
    /* where the service named no tier, the one that was asked for */
    assert_int_equal(repriced("m", "flex", ",\"service_tier_requested\":\"flex\""), 6000000);
    assert_int_equal(
        repriced("m", "flex", ",\"service_tier\":\"default\",\"service_tier_requested\":\"flex\""),
        -1);
    assert_int_equal(repriced("n.lite", "default", ",\"base_model\":\"us.n.lite\""), 6000000);
    assert_int_equal(repriced("n.lite", "default", ""), -1);
}

/* ---- ids ---- */

static struct entry_id id_of(int64_t ms, uint32_t number)
{
    struct entry_id id = {{0}};
    for (size_t i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * (int)i));
    id.bytes[6] = 0x70;
    id.bytes[8] = 0x80;
    memcpy(id.bytes + 12, &number, sizeof number);
    return id;
}

static bool adds(struct known *known, int64_t ms, uint32_t number, int64_t now_ms)
{
    bool is_new = false;
    struct entry_id id = id_of(ms, number);
    assert_int_equal(known_add(known, &id, now_ms, &is_new), OK);
    return is_new;
}

static void ids_are_known_in_any_order(void **state)
{
    (void)state;
    struct known known;
    known_init(&known, KNOWN_BYTES_MAX, 7);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++)
            assert_int_equal(adds(&known, 1000000 + (int64_t)(i * 7919 % 5000) * 977, i, 0),
                             round == 0);
    assert_int_equal(known.lost, 0);
    known_done(&known);
    assert_int_equal(memory_live(), 0);
}

static void ids_over_the_limit_are_forgotten_the_oldest_first_and_young_ones_counted(void **state)
{
    (void)state;
    struct known known;
    int64_t day_ms = KNOWN_SPAN_MS;
    known_init(&known, 16384, 7);
    for (uint32_t i = 0; i < 100; i++) /* two days old, when memory ends */
        assert_true(adds(&known, 1000, i, 2 * day_ms));
    for (uint32_t i = 0; i < 1500; i++)
        assert_true(adds(&known, 2 * day_ms + i * 10, i, 2 * day_ms));
    assert_true(known.held <= 16384);
    assert_false(adds(&known, 2 * day_ms + 1499 * 10, 1499, 2 * day_ms)); /* the last is known */
    assert_true(adds(&known, 1000, 1, 2 * day_ms));                       /* the first is not */
    assert_in_range(known.lost, 1, 1500);
    known_done(&known);
}

/* ---- times ---- */

static int64_t at(const char *text)
{
    int64_t ms = -1;
    assert_true(instant_from_rfc3339(slice_of_text(text), &ms));
    return ms;
}

static void months_have_28_to_31_days(void **state)
{
    (void)state;
    static const struct {
        const char *month, *since, *until;
    } CASES[] = {
        {"2026-02", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
        {"2028-02", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
        {"2026-04", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"},
        {"2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t since = 0, until = 0;
        assert_true(period_read_month(slice_of_text(CASES[i].month), &since, &until));
        assert_int_equal(since, at(CASES[i].since));
        assert_int_equal(until, at(CASES[i].until));
        period_of_month(until - 1, &since, &until);
        assert_int_equal(since, at(CASES[i].since));
    }
}

static void times_are_instants_days_months_and_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text, *at;
    } CASES[] = {
        {"2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z"},
        {"2026-11-22", "2026-11-22T00:00:00Z"},
        {"2026-11", "2026-11-01T00:00:00Z"},
        {"36h", "2026-11-28T12:00:00Z"},
        {"30d", "2026-10-31T00:00:00Z"},
        {"2026-02-29", NULL},
        {"2026-13", NULL},
        {"yesterday", NULL},
        {"", NULL},
        {"90000d", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t ms = 0;
        bool is_time =
            period_read_time(slice_of_text(CASES[i].text), at("2026-11-30T00:00:00Z"), &ms);
        assert_int_equal(is_time, CASES[i].at != NULL);
        if (is_time)
            assert_int_equal(ms, at(CASES[i].at));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(a_record_that_comes_twice_counts_once),
        cmocka_unit_test(a_replaced_record_is_left_out_whichever_comes_first),
        cmocka_unit_test(a_replacement_outside_of_the_window_still_replaces),
        cmocka_unit_test(calls_without_a_cost_are_unpriced_never_free),
        cmocka_unit_test(costs_of_another_currency_are_not_added),
        cmocka_unit_test(skipped_records_are_counted_and_the_first_ones_named),
        cmocka_unit_test(values_of_columns_do_not_run_into_each_other),
        cmocka_unit_test(an_hour_a_day_and_a_month_are_of_the_calls_start_in_utc),
        cmocka_unit_test(unknown_and_doubled_columns_are_rejected),
        cmocka_unit_test(rows_have_a_limit),
        cmocka_unit_test(what_is_taken_off_leaves_what_was_there_before),
        cmocka_unit_test(focus_has_a_row_for_each_class_of_tokens_and_no_cost_where_none_is_known),
        cmocka_unit_test(other_prices_give_other_costs_beside_the_recorded_ones),
        cmocka_unit_test(other_prices_apply_as_the_worker_applies_them),
        cmocka_unit_test(ids_are_known_in_any_order),
        cmocka_unit_test(ids_over_the_limit_are_forgotten_the_oldest_first_and_young_ones_counted),
        cmocka_unit_test(months_have_28_to_31_days),
        cmocka_unit_test(times_are_instants_days_months_and_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
