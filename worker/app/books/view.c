#include "app/books/view.h"

#include <string.h>

#include "app/books/sort.h"
#include "base/memory.h"

static int compare_keys(const void *a, const void *b)
{
    const struct tally_row *first = a, *second = b;
    struct slice left = first->key, right = second->key;
    int order = 0;
    while (order == 0 && left.len > 0 && right.len > 0)
        order = slice_compare(columns_next_value(&left), columns_next_value(&right));
    return order;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static uint64_t tokens_of(const struct tally_row *row)
{
    return (uint64_t)(row->sums.counts[COUNT_INPUT] + row->sums.counts[COUNT_OUTPUT]);
}

static int compare_costs(const void *first, const void *second)
{
    const struct tally_row *a = first, *b = second;
    int order = compare_numbers(b->sums.amount.high, a->sums.amount.high);
    if (order == 0)
        order = compare_numbers(b->sums.amount.low, a->sums.amount.low);
    if (order == 0)
        order = compare_numbers(tokens_of(b), tokens_of(a));
    return order == 0 ? compare_keys(a, b) : order;
}

enum err view_init(struct view *view, const struct book *book, enum view_order order)
{
    const struct tally *tally = &book->tally;
    *view = (struct view){.book = book};
    view->rows = memory_new((tally->count + 1) * sizeof(struct tally_row *));
    if (view->rows == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->rows[i]->sums.calls == 0)
            continue;
        view->rows[view->count++] = tally->rows[i];
        sums_add_sums(&view->total, &tally->rows[i]->sums);
    }
    bool is_by_key = order == VIEW_BY_KEY || columns_begin_with_time(&book->plan.columns);
    sort_pointers((const void **)view->rows, view->count, is_by_key ? compare_keys : compare_costs);
    return OK;
}

void view_done(struct view *view)
{
    memory_free(view->rows);
    *view = (struct view){.count = 0};
}

bool view_has_cost(const struct sums *sums)
{
    return sums->calls > sums->unpriced;
}
