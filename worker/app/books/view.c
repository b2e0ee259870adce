#include "app/books/view.h"

#include <string.h>

#include "base/memory.h"

typedef int compare_rows(const struct tally_row *a, const struct tally_row *b);

static int compare_keys(const struct tally_row *a, const struct tally_row *b)
{
    struct slice left = a->key, right = b->key;
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

static int compare_costs(const struct tally_row *a, const struct tally_row *b)
{
    int order = compare_numbers(b->sums.amount.high, a->sums.amount.high);
    if (order == 0)
        order = compare_numbers(b->sums.amount.low, a->sums.amount.low);
    if (order == 0)
        order = compare_numbers(tokens_of(b), tokens_of(a));
    return order == 0 ? compare_keys(a, b) : order;
}

/* ---- heap sort: in place, without recursion, n log n whatever the order ---- */

static void sift_down(const struct tally_row **rows, size_t at, size_t count, compare_rows *compare)
{
    const struct tally_row *sunk = rows[at];
    size_t child = 2 * at + 1;
    for (; child < count; child = 2 * at + 1) {
        if (child + 1 < count && compare(rows[child + 1], rows[child]) > 0)
            child++;
        if (compare(rows[child], sunk) <= 0)
            break;
        rows[at] = rows[child];
        at = child;
    }
    rows[at] = sunk;
}

static void sort(const struct tally_row **rows, size_t count, compare_rows *compare)
{
    for (size_t i = count / 2; i > 0; i--)
        sift_down(rows, i - 1, count, compare);
    for (size_t end = count; end > 1; end--) {
        const struct tally_row *last = rows[end - 1];
        rows[end - 1] = rows[0];
        rows[0] = last;
        sift_down(rows, 0, end - 1, compare);
    }
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
    sort(view->rows, view->count, is_by_key ? compare_keys : compare_costs);
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
