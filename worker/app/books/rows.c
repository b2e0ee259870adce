#include "app/books/rows.h"

#include <string.h>

#include "app/books/measures.h"
#include "wire/formats/json.h"

static const char *const PARTS[] = {
    [PART_INPUT] = "input",
    [PART_OUTPUT] = "output",
    [PART_CACHE_READ] = "cache_read",
    [PART_CACHE_WRITE] = "cache_write",
};

/* ---- CSV ---- */

void rows_add_csv_field(struct buf *buf, struct slice text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.len && !is_quoted; i++)
        is_quoted = strchr(",\"\r\n", text.ptr[i]) != NULL;
    if (!is_quoted) {
        buf_add(buf, text);
        return;
    }
    buf_add_byte(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_add_byte(buf, '"');
        buf_add_byte(buf, text.ptr[i]);
    }
    buf_add_byte(buf, '"');
}

void rows_add_csv_heading(struct buf *buf, const struct columns *columns, bool has_recorded)
{
    size_t count = 0;
    const struct measure *list = measures(&count);
    for (size_t i = 0; i < columns->count; i++) {
        rows_add_csv_field(buf, columns->list[i].name);
        buf_add_byte(buf, ',');
    }
    for (size_t i = 0; i < count; i++)
        buf_addf(buf, "%s,", list[i].name);
    buf_add_text(buf, has_recorded ? "cost,currency,recorded_cost\r\n" : "cost,currency\r\n");
}

void rows_add_csv(struct buf *buf, const struct book *book, const struct tally_row *row)
{
    size_t count = 0;
    const struct measure *list = measures(&count);
    struct slice key = row->key;
    for (size_t i = 0; i < book->plan.columns.count; i++) {
        rows_add_csv_field(buf, columns_next_value(&key));
        buf_add_byte(buf, ',');
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_int(buf, measure_of(&list[i], &row->sums));
        buf_add_byte(buf, ',');
    }
    if (view_has_cost(&row->sums)) {
        money_add_sum(buf, &row->sums.amount);
        buf_addf(buf, ",%s", book->currency);
    } else
        buf_add_byte(buf, ',');
    if (book->plan.price != NULL) {
        buf_add_byte(buf, ',');
        money_add_sum(buf, &row->sums.recorded);
    }
    buf_add_text(buf, "\r\n");
}

/* ---- JSON ---- */

static void add_column(struct buf *buf, const struct column *column, struct slice value)
{
    if (value.len == 0)
        return; /* absent, as in the records */
    json_add_comma(buf);
    json_add_string(buf, column->name);
    buf_add_byte(buf, ':');
    if (column->kind == COLUMN_LABELS ||
        column->kind == COLUMN_ESTIMATED) /* JSON already: an object, a truth */
        buf_add(buf, value);
    else
        json_add_string(buf, value);
}

static void add_money(struct buf *buf, const char *name, const struct money_sum *sum)
{
    json_add_name(buf, name);
    buf_add_byte(buf, '"');
    money_add_sum(buf, sum);
    buf_add_byte(buf, '"');
}

static void add_cost(struct buf *buf, const struct book *book, const struct sums *sums)
{
    json_add_name(buf, "cost");
    buf_add_byte(buf, '{');
    add_money(buf, "amount", &sums->amount);
    json_add_text_member(buf, "currency", slice_of_text(book->currency));
    json_add_name(buf, "parts");
    buf_add_byte(buf, '{');
    for (size_t i = 0; i < ENTRY_PARTS; i++)
        add_money(buf, PARTS[i], &sums->part[i]);
    buf_add_text(buf, "}}");
}

void rows_add_json(struct buf *buf, const struct book *book, const struct tally_row *row)
{
    size_t count = 0;
    const struct measure *list = measures(&count);
    const struct columns *columns = &book->plan.columns;
    struct slice key = row->key;
    buf_add_byte(buf, '{');
    for (size_t i = 0; i < columns->count; i++)
        add_column(buf, &columns->list[i], columns_next_value(&key));
    for (size_t i = 0; i < count; i++)
        json_add_int_member(buf, list[i].name, measure_of(&list[i], &row->sums));
    if (view_has_cost(&row->sums))
        add_cost(buf, book, &row->sums);
    if (book->plan.price != NULL)
        add_money(buf, "recorded_cost", &row->sums.recorded);
    buf_add_text(buf, "}\n");
}
