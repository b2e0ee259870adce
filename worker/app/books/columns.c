#include "app/books/columns.h"

#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "base/suggest.h"

#define LABEL_PREFIX  "label:"
#define INSTANT_BYTES 24
#define MONTH_BYTES   7  /* 2026-11 */
#define DAY_BYTES     10 /* 2026-11-22 */
#define HOUR_BYTES    13 /* 2026-11-22T10, to which :00Z is added */

static const struct slice NAMES[] = {
#define COLUMN(id, name) [COLUMN_##id] = {name, sizeof(name) - 1},
#include "app/books/columns.def"
#undef COLUMN
};

#define NAME_COUNT (sizeof NAMES / sizeof NAMES[0])

static bool refuse_unknown(struct slice word, char *ret_fault)
{
    struct suggest suggest;
    suggest_init(&suggest, word);
    for (size_t i = 0; i < NAME_COUNT; i++)
        suggest_offer(&suggest, NAMES[i]);
    struct buf names;
    buf_init(&names, COLUMNS_FAULT_BYTES);
    for (size_t i = 0; i < NAME_COUNT; i++)
        buf_addf(&names, "%.*s, ", SLICE_ARG(NAMES[i]));
    if (suggest.nearest.ptr != NULL)
        (void)snprintf(ret_fault, COLUMNS_FAULT_BYTES,
                       "unknown column '%.40s' (did you mean %.*s?)", word.len > 0 ? word.ptr : "",
                       SLICE_ARG(suggest.nearest));
    else
        (void)snprintf(ret_fault, COLUMNS_FAULT_BYTES,
                       "unknown column '%.*s'; columns are %slabel:NAME",
                       word.len > 40 ? 40 : (int)word.len, word.ptr, buf_text(&names));
    buf_done(&names);
    return false;
}

static bool read_column(struct slice word, struct column *ret_column)
{
    struct slice prefix = SLICE(LABEL_PREFIX);
    *ret_column = (struct column){.kind = COLUMN_LABEL, .name = word};
    if (slice_starts(word, prefix)) {
        ret_column->label = slice_sub(word, prefix.len, SIZE_MAX);
        return ret_column->label.len > 0;
    }
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (slice_equal(word, NAMES[i])) {
            ret_column->kind = (enum column_kind)i;
            return true;
        }
    }
    return false;
}

static bool add_column(struct columns *columns, struct slice word, char *ret_fault)
{
    struct column column;
    if (!read_column(word, &column))
        return refuse_unknown(word, ret_fault);
    for (size_t i = 0; i < columns->count; i++) {
        if (slice_equal(columns->list[i].name, word)) {
            (void)snprintf(ret_fault, COLUMNS_FAULT_BYTES, "%.*s stands twice",
                           word.len > 80 ? 80 : (int)word.len, word.ptr);
            return false;
        }
    }
    if (columns->count == COLUMNS_MAX) {
        (void)snprintf(ret_fault, COLUMNS_FAULT_BYTES, "more than %d columns", COLUMNS_MAX);
        return false;
    }
    columns->list[columns->count++] = column;
    return true;
}

bool columns_add(struct columns *columns, struct slice text, char ret_fault[COLUMNS_FAULT_BYTES])
{
    for (;;) {
        size_t end = slice_find(text, ',');
        if (!add_column(columns, slice_trim(slice_sub(text, 0, end)), ret_fault))
            return false;
        if (end == text.len)
            return true;
        text = slice_sub(text, end + 1, SIZE_MAX);
    }
}

bool columns_begin_with_time(const struct columns *columns)
{
    enum column_kind kind = columns->list[0].kind;
    return columns->count > 0 &&
           (kind == COLUMN_DAY || kind == COLUMN_HOUR || kind == COLUMN_MONTH);
}

/* ---- keys ---- */

static void add_value(struct buf *key, struct slice value)
{
    uint32_t len = (uint32_t)value.len;
    buf_add(key, slice_of(&len, sizeof len));
    buf_add(key, value);
}

/* The beginning of an instant's text, and what completes it. */
static void add_time(struct buf *key, int64_t ms, size_t bytes, struct slice end)
{
    uint32_t len = (uint32_t)(bytes + end.len);
    buf_add(key, slice_of(&len, sizeof len));
    size_t begin = key->len;
    instant_add_rfc3339(key, ms);
    if (key->failed == OK)
        buf_cut(key, begin + bytes);
    buf_add(key, end);
}

static void add_column_value(const struct column *column, struct arena *arena,
                             const struct entry *entry, struct buf *key)
{
    switch (column->kind) {
    case COLUMN_TENANT:
        add_value(key, entry->tenant);
        break;
    case COLUMN_MODEL:
        add_value(key, entry->model);
        break;
    case COLUMN_REGION:
        add_value(key, entry->region);
        break;
    case COLUMN_MONTH:
        add_time(key, entry->started_ms, MONTH_BYTES, SLICE(""));
        break;
    case COLUMN_DAY:
        add_time(key, entry->started_ms, DAY_BYTES, SLICE(""));
        break;
    case COLUMN_HOUR:
        add_time(key, entry->started_ms, HOUR_BYTES, SLICE(":00Z"));
        break;
    case COLUMN_API:
        add_value(key, entry->api);
        break;
    case COLUMN_STOP_REASON:
        add_value(key, entry->stop_reason);
        break;
    case COLUMN_ESTIMATED:
        add_value(key, entry->is_estimated ? SLICE("true") : SLICE("false"));
        break;
    case COLUMN_SERVICE_TIER:
        add_value(key, entry->service_tier);
        break;
    case COLUMN_LABELS:
        add_value(key, entry->labels);
        break;
    case COLUMN_LABEL:
        add_value(key, entry_label(arena, entry->labels, column->label));
        break;
    }
}

void columns_add_key(const struct columns *columns, struct arena *arena, const struct entry *entry,
                     struct buf *key)
{
    for (size_t i = 0; i < columns->count; i++)
        add_column_value(&columns->list[i], arena, entry, key);
}

struct slice columns_next_value(struct slice *key)
{
    uint32_t len = 0;
    memcpy(&len, key->ptr, sizeof len);
    struct slice value = slice_sub(*key, sizeof len, len);
    *key = slice_sub(*key, sizeof len + len, SIZE_MAX);
    return value;
}
