/* Any bytes as a price file: a table or problems with words; of a table, rows that are found have
 * exact, consistent costs, with a memo and without one. */
#include <stdint.h>
#include <stdlib.h>

#include "app/prices/price_file.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Asks for a call of the row's own model. */
static void ask(const struct price_table *table, const struct price_row *row,
                struct price_memo *memo)
{
    const struct price_query query = {
        .names = {row->model, row->model, row->model},
        .region = row->region,
        .is_global = slice_equal_text(row->region, PRICE_GLOBAL),
        .tier = row->tier,
        .input_tokens = row->context_over + 1,
        .at_ms = row->from_ms,
    };
    const struct price_row *found = price_find(table, NULL, &query);
    CHECK(found != NULL && price_find(table, memo, &query) == found);
    CHECK(price_find(table, memo, &query) == found);
    const struct price_counts counts = {
        .input = 1000, .output = 7, .cache_read = 100, .cache_write = 50, .cache_write_1h = 20};
    struct money_cost cost;
    enum price_class class = PRICE_INPUT;
    if (price_cost(table, found, &counts, &cost, &class) == PRICE_LACKS_NOTHING)
        CHECK(cost.amount == cost.input + cost.output + cost.cache_read + cost.cache_write);
    else
        CHECK(!cost.is_known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct problems problems;
    static struct price_memo memo;
    struct arena arena;
    struct price_table table;
    arena_init(&arena, PRICE_FILE_ARENA_BYTES);
    problems_init(&problems);
    memo = (struct price_memo){0};
    if (!price_file_read(&arena, slice_of(data, size), "p.yaml", &problems, &table)) {
        CHECK(problems_found(&problems) > 0 && problems.list[0].text[0] != '\0');
    } else {
        CHECK(problems_found(&problems) == 0 && table.hash != 0);
        for (size_t i = 0; i < table.count && i < 50; i++)
            ask(&table, &table.rows[i], &memo);
    }
    arena_done(&arena);
    return 0;
}
