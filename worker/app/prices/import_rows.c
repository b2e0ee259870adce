#include "app/prices/import_rows.h"

#include "base/instant.h"

struct price_row *import_row(struct import *import, const struct price_row *key)
{
    for (size_t i = 0; i < import->count; i++)
        if (price_same_key(&import->rows[i], key))
            return &import->rows[i];
    if (import->count == PRICE_ROWS_MAX)
        return NULL;
    struct price_row *row = &import->rows[import->count++];
    *row = *key;
    row->from_ms = PRICE_ALWAYS;
    row->to_ms = PRICE_FOREVER;
    for (size_t i = 0; i < PRICE_CLASSES; i++)
        row->price[i] = PRICE_NONE;
    return row;
}

void import_price(struct import *import, struct price_row *row, enum price_class class,
                  struct slice number, int shift, struct slice place)
{
    int64_t price;
    if (!money_read_number(number, shift, &price) || price > MONEY_PRICE_MAX)
        buf_addf(import->notes, "%.*s: %s %.*s is left out: it has no exact price for a token\n",
                 SLICE_ARG(place), price_class_name(class), SLICE_ARG(number));
    else if (row->price[class] != PRICE_NONE && row->price[class] != price)
        buf_addf(import->notes, "%.*s: %s %.*s is left out: another price came before\n",
                 SLICE_ARG(place), price_class_name(class), SLICE_ARG(number));
    else
        row->price[class] = price;
}

/* ---- writing ---- */

static void add_moment(struct buf *buf, const char *name, int64_t ms)
{
    buf_addf(buf, ", %s: ", name);
    instant_add_rfc3339(buf, ms);
}

void price_row_add(struct buf *buf, const struct price_row *row)
{
    buf_addf(buf, "{model: \"%.*s\"", SLICE_ARG(row->model));
    if (row->region.ptr != NULL)
        buf_addf(buf, ", region: %.*s", SLICE_ARG(row->region));
    if (!slice_equal_text(row->tier, PRICE_TIER))
        buf_addf(buf, ", tier: %.*s", SLICE_ARG(row->tier));
    if (row->context_over > 0)
        buf_addf(buf, ", context_over: %lld", (long long)row->context_over);
    if (row->from_ms != PRICE_ALWAYS)
        add_moment(buf, "from", row->from_ms);
    if (row->to_ms != PRICE_FOREVER)
        add_moment(buf, "to", row->to_ms);
    for (size_t i = 0; i < PRICE_CLASSES; i++) {
        if (row->price[i] == PRICE_NONE)
            continue;
        buf_addf(buf, ", %s: ", price_class_name((enum price_class)i));
        money_add_price(buf, row->price[i]);
    }
    buf_add_byte(buf, '}');
}
