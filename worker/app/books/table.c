#include "app/books/table.h"

#include <string.h>

#include "app/books/measures.h"
#include "base/utf8.h"

#define GAP           2 /* blanks between columns */
#define KEY_MAX       40
#define KEY_MIN       6
#define KEY_WANTED    14
#define BAR_MIN       8
#define BAR_MAX       24
#define NUMBER_BYTES  64
#define VALUE_BYTES   4096
#define MONEY_PLACES  6       /* decimals that are shown */
#define MILLIONTH     1000000 /* in units of money */
#define BOLD          "\033[1m"
#define PLAIN         "\033[0m"
#define ROWS_MEASURED 10000 /* whose texts decide widths */

struct layout {
    const struct view *view;
    const struct table_look *look;
    size_t shown; /* rows */
    size_t keys[COLUMNS_MAX];
    size_t measures[MEASURES_MAX]; /* 0 = left out */
    size_t cost, recorded, bar;    /* 0 = none */
    bool left_out;
    double most; /* of a row, for the bars */
};

/* ---- texts ---- */

/* Writes digits with separators: 1234567 → 1,234,567. */
static void add_grouped(struct buf *buf, struct slice digits)
{
    for (size_t i = 0; i < digits.len; i++) {
        if (i > 0 && (digits.len - i) % 3 == 0)
            buf_add_byte(buf, ',');
        buf_add_byte(buf, digits.ptr[i]);
    }
}

static void add_count(struct buf *buf, int64_t count)
{
    struct buf digits;
    buf_init(&digits, NUMBER_BYTES);
    buf_add_int(&digits, count);
    add_grouped(buf, buf_slice(&digits));
    buf_done(&digits);
}

/* Money, rounded half up to millionths: what is behind them is cut off its digits. */
static void add_money(struct buf *buf, const struct money_sum *sum)
{
    struct money_sum rounded = *sum;
    money_sum_add(&rounded, MILLIONTH / 2);
    struct buf text;
    buf_init(&text, NUMBER_BYTES);
    money_add_sum(&text, &rounded);
    struct slice digits = buf_slice(&text);
    size_t point = slice_find(digits, '.');
    add_grouped(buf, slice_sub(digits, 0, point));
    buf_add_byte(buf, '.');
    for (size_t i = 0; i < MONEY_PLACES; i++)
        buf_add_byte(buf, point + 1 + i < digits.len ? digits.ptr[point + 1 + i] : '0');
    buf_done(&text);
}

static bool is_control(struct slice text, size_t at)
{
    unsigned char byte = (unsigned char)text.ptr[at];
    bool is_c1 = byte == 0xc2 && at + 1 < text.len && (unsigned char)text.ptr[at + 1] < 0xa0;
    return byte < 0x20 || byte == 0x7f || is_c1;
}

/* A value as a terminal may show it; an empty one is `-`. */
static void add_shown(struct buf *buf, struct slice value)
{
    if (value.len == 0)
        buf_add_byte(buf, '-');
    for (size_t i = 0; i < value.len; i++)
        buf_add_byte(buf, is_control(value, i) ? '?' : value.ptr[i]);
}

static void pad(struct buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add_byte(buf, ' ');
}

/* Appends a text in a column of this width, clipped with an ellipsis. */
static void add_left(struct buf *buf, struct slice text, size_t width)
{
    size_t count = utf8_count(text);
    if (count <= width) {
        buf_add(buf, text);
        pad(buf, width - count);
        return;
    }
    while (utf8_count(text) > width - 1)
        text = utf8_clip(text, text.len - 1);
    buf_add(buf, text);
    buf_add_text(buf, "…");
}

static void add_right(struct buf *buf, struct slice text, size_t width)
{
    pad(buf, GAP + (width > text.len ? width - text.len : 0));
    buf_add(buf, text);
}

/* ---- widths ---- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void measure_keys(struct layout *layout)
{
    const struct columns *columns = &layout->view->book->plan.columns;
    for (size_t i = 0; i < columns->count; i++)
        layout->keys[i] = larger(utf8_count(columns->list[i].name), i == 0 ? strlen("total") : 0);
    for (size_t row = 0; row < layout->shown && row < ROWS_MEASURED; row++) {
        struct slice key = layout->view->rows[row]->key;
        for (size_t i = 0; i < columns->count; i++) {
            size_t width = larger(utf8_count(columns_next_value(&key)), 1);
            layout->keys[i] = larger(layout->keys[i], width > KEY_MAX ? KEY_MAX : width);
        }
    }
}

static size_t count_width(int64_t count)
{
    struct buf text;
    buf_init(&text, NUMBER_BYTES);
    add_count(&text, count);
    size_t width = text.len;
    buf_done(&text);
    return width;
}

static size_t total_width(const struct layout *layout)
{
    size_t width = layout->bar > 0 ? GAP + layout->bar : 0;
    for (size_t i = 0; i < layout->view->book->plan.columns.count; i++)
        width += layout->keys[i] + (i > 0 ? GAP : 0);
    for (size_t i = 0; i < MEASURES_MAX; i++)
        width += layout->measures[i] > 0 ? GAP + layout->measures[i] : 0;
    width += layout->recorded > 0 ? GAP + layout->recorded : 0;
    return width + (layout->cost > 0 ? GAP + layout->cost : 0);
}

/* Shows what is always shown, and of the rest what the window has room for. */
static void choose_measures(struct layout *layout)
{
    size_t count = 0;
    const struct measure *list = measures(&count);
    for (int round = SHOW_ALWAYS; round <= SHOW_RARELY; round++) {
        for (size_t i = 0; i < count; i++) {
            int64_t total = measure_of(&list[i], &layout->view->total);
            if ((int)list[i].show != round || (round != SHOW_ALWAYS && total == 0))
                continue;
            layout->measures[i] = larger(strlen(list[i].heading), count_width(total));
            if (round == SHOW_ALWAYS || total_width(layout) <= layout->look->columns)
                continue;
            layout->measures[i] = 0;
            layout->left_out = true;
        }
    }
}

/* Narrows the widest key until the line fits. False: all are as narrow as `least`. */
static bool narrow_keys(struct layout *layout, size_t least)
{
    size_t count = layout->view->book->plan.columns.count;
    while (total_width(layout) > layout->look->columns) {
        size_t widest = 0;
        for (size_t i = 1; i < count; i++)
            widest = layout->keys[i] > layout->keys[widest] ? i : widest;
        if (layout->keys[widest] <= least)
            return false;
        layout->keys[widest]--;
    }
    return true;
}

/* Bars go before keys become unreadable. */
static void fit(struct layout *layout)
{
    size_t keys[COLUMNS_MAX];
    memcpy(keys, layout->keys, sizeof keys);
    if (narrow_keys(layout, KEY_WANTED))
        return;
    memcpy(layout->keys, keys, sizeof keys);
    layout->bar = 0;
    (void)narrow_keys(layout, KEY_MIN);
}

static double weight_of(const struct layout *layout, const struct sums *sums)
{
    if (layout->cost > 0)
        return (double)sums->amount.high * 18446744073709551616.0 + (double)sums->amount.low;
    return (double)sums->counts[COUNT_INPUT] + (double)sums->counts[COUNT_OUTPUT];
}

static void lay_out(struct layout *layout)
{
    const struct view *view = layout->view;
    struct buf text;
    buf_init(&text, NUMBER_BYTES);
    bool is_cut = layout->look->rows_max > 0 && view->count > layout->look->rows_max;
    layout->shown = is_cut ? layout->look->rows_max : view->count;
    layout->bar = BAR_MIN;
    add_money(&text, &view->total.amount);
    if (view_has_cost(&view->total))
        layout->cost = larger(strlen("cost USD"), text.len);
    buf_reset(&text);
    add_money(&text, &view->total.recorded);
    if (view->book->plan.price != NULL)
        layout->recorded = larger(strlen("recorded"), text.len);
    buf_done(&text);
    measure_keys(layout);
    choose_measures(layout);
    fit(layout);
    size_t width = total_width(layout);
    if (layout->bar > 0 && width < layout->look->columns)
        layout->bar += layout->look->columns - width;
    layout->bar = layout->bar > BAR_MAX ? BAR_MAX : layout->bar;
    for (size_t i = 0; i < layout->shown; i++) {
        double weight = weight_of(layout, &view->rows[i]->sums);
        layout->most = weight > layout->most ? weight : layout->most;
    }
}

/* ---- lines ---- */

static void add_bar(struct buf *buf, const struct layout *layout, const struct sums *sums)
{
    static const char *const EIGHTHS[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    double share = layout->most > 0 ? weight_of(layout, sums) / layout->most : 0;
    size_t eighths = (size_t)(share * 8 * (double)layout->bar + 0.5);
    pad(buf, eighths > 0 ? GAP : 0);
    for (size_t i = 0; i < eighths / 8; i++)
        buf_add_text(buf, layout->look->has_escapes ? "█" : "#");
    if (layout->look->has_escapes)
        buf_add_text(buf, EIGHTHS[eighths % 8]);
    else if (eighths > 0 && eighths < 8)
        buf_add_byte(buf, '#');
}

static void add_sums(struct buf *buf, const struct layout *layout, const struct sums *sums)
{
    size_t count = 0;
    const struct measure *list = measures(&count);
    struct buf text;
    buf_init(&text, NUMBER_BYTES);
    for (size_t i = 0; i < count; i++) {
        if (layout->measures[i] == 0)
            continue;
        buf_reset(&text);
        add_count(&text, measure_of(&list[i], sums));
        add_right(buf, buf_slice(&text), layout->measures[i]);
    }
    buf_reset(&text);
    if (view_has_cost(sums))
        add_money(&text, &sums->amount);
    else
        buf_add_byte(&text, '-');
    if (layout->cost > 0)
        add_right(buf, buf_slice(&text), layout->cost);
    buf_reset(&text);
    add_money(&text, &sums->recorded);
    if (layout->recorded > 0)
        add_right(buf, buf_slice(&text), layout->recorded);
    buf_done(&text);
}

static void add_row(struct buf *buf, const struct layout *layout, const struct tally_row *row)
{
    struct slice key = row->key;
    struct buf text;
    buf_init(&text, VALUE_BYTES);
    for (size_t i = 0; i < layout->view->book->plan.columns.count; i++) {
        buf_reset(&text);
        add_shown(&text, columns_next_value(&key));
        pad(buf, i > 0 ? GAP : 0);
        add_left(buf, buf_slice(&text), layout->keys[i]);
    }
    buf_done(&text);
    add_sums(buf, layout, &row->sums);
    add_bar(buf, layout, &row->sums);
    buf_add_byte(buf, '\n');
}

static size_t keys_width(const struct layout *layout)
{
    size_t width = 0, count = layout->view->book->plan.columns.count;
    for (size_t i = 0; i < count; i++)
        width += layout->keys[i] + (i > 0 ? GAP : 0);
    return width;
}

static void add_heading(struct buf *buf, const struct layout *layout)
{
    size_t count = 0;
    const struct measure *list = measures(&count);
    const struct columns *columns = &layout->view->book->plan.columns;
    struct buf cost;
    buf_init(&cost, NUMBER_BYTES);
    buf_addf(&cost, "cost %s", layout->view->book->currency);
    buf_add_text(buf, layout->look->has_escapes ? BOLD : "");
    for (size_t i = 0; i < columns->count; i++) {
        pad(buf, i > 0 ? GAP : 0);
        add_left(buf, columns->list[i].name, layout->keys[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (layout->measures[i] > 0)
            add_right(buf, slice_of_text(list[i].heading), layout->measures[i]);
    if (layout->cost > 0)
        add_right(buf, buf_slice(&cost), layout->cost);
    if (layout->recorded > 0)
        add_right(buf, SLICE("recorded"), layout->recorded);
    buf_done(&cost);
    buf_add_text(buf, layout->look->has_escapes ? PLAIN : "");
    buf_add_byte(buf, '\n');
}

/* Appends a line that has a text where the others have their keys. */
static void add_named(struct buf *buf, const struct layout *layout, const char *name,
                      const struct sums *sums)
{
    add_left(buf, slice_of_text(name), larger(keys_width(layout), strlen(name)));
    add_sums(buf, layout, sums);
}

static void add_others(struct buf *buf, const struct layout *layout)
{
    struct sums others = {0};
    struct buf name;
    if (layout->shown == layout->view->count)
        return;
    for (size_t i = layout->shown; i < layout->view->count; i++)
        sums_add_sums(&others, &layout->view->rows[i]->sums);
    buf_init(&name, NUMBER_BYTES);
    buf_addf(&name, "%zu more", layout->view->count - layout->shown);
    add_named(buf, layout, buf_text(&name), &others);
    buf_add_byte(buf, '\n');
    buf_done(&name);
}

void table_add(struct buf *buf, const struct view *view, const struct table_look *look)
{
    struct layout layout = {.view = view, .look = look};
    lay_out(&layout);
    add_heading(buf, &layout);
    for (size_t i = 0; i < layout.shown; i++)
        add_row(buf, &layout, view->rows[i]);
    add_others(buf, &layout);
    buf_add_text(buf, look->has_escapes ? BOLD : "");
    add_named(buf, &layout, "total", &view->total);
    buf_add_text(buf, look->has_escapes ? PLAIN : "");
    buf_add_byte(buf, '\n');
    if (layout.left_out)
        buf_add_text(buf, "(some columns have no room here; --format csv and json have all)\n");
}
