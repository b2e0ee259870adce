#include "policy/price.h"

#include <string.h>

#include "base/attr.h"
#include "base/check.h"
#include "base/glob.h"

static const char *const class_names[] = {
#define CLASS(id, member) member,
#include "policy/price.def"
#undef CLASS
};

const char *price_class_name(enum price_class class)
{
    return class_names[class];
}

/* ---- the order in which rows win ---- */

static void measure(struct price_row *row)
{
    row->letters = row->length = row->stars = 0;
    for (size_t i = 0; i < row->model.len; i++) {
        char byte = row->model.ptr[i];
        row->letters += byte != '*' && byte != '?';
        row->length += byte != '*';
        row->stars += byte == '*' && (i == 0 || row->model.ptr[i - 1] != '*');
    }
}

static int by_number(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

/* A glob that lies within another has as many letters or more, is as long or longer, and has as
 * many stars or fewer; so this order contains that of `more specific`. The rest makes it total. */
static int by_rank(const struct price_row *a, const struct price_row *b)
{
    int order = by_number(b->letters, a->letters);
    order = order != 0 ? order : by_number(b->length, a->length);
    order = order != 0 ? order : by_number(a->stars, b->stars);
    order = order != 0 ? order : by_number(a->region.ptr == NULL, b->region.ptr == NULL);
    order = order != 0 ? order : by_number(b->context_over, a->context_over);
    order = order != 0 ? order : by_number(a->line, b->line);
    return order != 0 ? order : by_number(a->column, b->column);
}

/* Moves a row before those of its column that it wins over. */
static void sink(struct price_row *rows, size_t at, size_t gap)
{
    struct price_row row = rows[at];
    for (; at >= gap && by_rank(&row, &rows[at - gap]) < 0; at -= gap)
        rows[at] = rows[at - gap];
    rows[at] = row;
}

void price_table_sort(struct price_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        measure(&table->rows[i]);
    /* Shell's sort: some thousand rows once in a while */
    for (size_t gap = table->count / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < table->count; i++)
            sink(table->rows, i, gap);
}

/* ---- two rows ---- */

static bool same_text(struct slice a, struct slice b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && (a.ptr == NULL || slice_equal(a, b));
}

bool price_same_key(const struct price_row *a, const struct price_row *b)
{
    return a->context_over == b->context_over && slice_equal(a->tier, b->tier) &&
           same_text(a->region, b->region) && slice_equal(a->model, b->model);
}

static bool is_global(struct slice region)
{
    return slice_equal_text(region, PRICE_GLOBAL);
}

static bool regions_meet(struct slice a, struct slice b)
{
    if (a.ptr == NULL || b.ptr == NULL)
        return !is_global(a) && !is_global(b);
    return slice_equal(a, b);
}

static bool times_meet(const struct price_row *a, const struct price_row *b)
{
    return a->from_ms < b->to_ms && b->from_ms < a->to_ms;
}

enum price_clash price_clash_of(const struct price_row *a, const struct price_row *b)
{
    if (!slice_equal(a->tier, b->tier) || !regions_meet(a->region, b->region) ||
        !times_meet(a, b) || !glob_overlaps(a->model, b->model))
        return PRICE_NO_CLASH;
    bool is_within = glob_covers(b->model, a->model, false);
    bool is_around = glob_covers(a->model, b->model, false);
    if (!is_within && !is_around)
        return PRICE_AMBIGUOUS;
    bool is_told = is_within != is_around || a->context_over != b->context_over ||
                   !same_text(a->region, b->region);
    return is_told ? PRICE_NO_CLASH : PRICE_OVERLAP;
}

/* ---- which row applies ---- */

static bool is_for_region(const struct price_row *row, const struct price_query *query)
{
    if (row->region.ptr == NULL)
        return !query->is_global;
    if (is_global(row->region))
        return query->is_global;
    return !query->is_global && slice_equal(row->region, query->region);
}

bool price_row_is_for(const struct price_row *row, const struct price_query *query,
                      enum price_name *ret_name)
{
    if (!is_for_region(row, query))
        return false;
    for (unsigned name = PRICE_NAMES; name-- > 0;) {
        if (query->names[name].len > 0 && glob_match(row->model, query->names[name], false)) {
            *ret_name = (enum price_name)name;
            return true;
        }
    }
    return false;
}

bool price_row_applies(const struct price_row *row, const struct price_query *query)
{
    struct slice tier = query->tier.len > 0 ? query->tier : SLICE(PRICE_TIER);
    return slice_equal(row->tier, tier) &&
           (row->context_over == 0 || query->input_tokens > row->context_over) &&
           row->from_ms <= query->at_ms && query->at_ms < row->to_ms;
}

/* Without a memo: a pass over the table for each name. */
static const struct price_row *search(const struct price_table *table,
                                      const struct price_query *query)
{
    const struct price_row *found[PRICE_NAMES] = {NULL};
    for (size_t i = 0; i < table->count; i++) {
        const struct price_row *row = &table->rows[i];
        enum price_name name;
        if (price_row_is_for(row, query, &name) && found[name] == NULL &&
            price_row_applies(row, query))
            found[name] = row;
    }
    for (size_t i = 0; i < PRICE_NAMES; i++)
        if (found[i] != NULL)
            return found[i];
    return NULL;
}

/* ---- the memo ---- */

static struct slice part_of(const struct price_query *query, size_t i)
{
    return i < PRICE_NAMES ? query->names[i] : query->region;
}

static struct price_known *slot_of(struct price_memo *memo, const struct price_query *query)
{
    struct slice name = query->names[PRICE_AS_CALLED];
    size_t mixed = name.len + query->region.len;
    if (name.len > 0)
        mixed += 3U * (unsigned char)name.ptr[name.len / 2] + 5U * (unsigned char)name.ptr[0];
    if (query->region.len > 0)
        mixed += 7U * (unsigned char)query->region.ptr[query->region.len - 1];
    return &memo->slots[mixed % PRICE_MEMO_SLOTS];
}

static bool is_known(const struct price_known *known, const struct price_table *table,
                     const struct price_query *query)
{
    const char *text = known->text;
    if (known->table != table->hash || known->is_global != query->is_global)
        return false;
    for (size_t i = 0; i <= PRICE_NAMES; text += known->lens[i++]) {
        struct slice part = part_of(query, i);
        if (part.len != known->lens[i] || (part.len > 0 && memcmp(text, part.ptr, part.len) != 0))
            return false;
    }
    return true;
}

/* Copies the key. False: it is too long. */
static bool name_slot(struct price_known *known, const struct price_query *query)
{
    size_t len = 0;
    for (size_t i = 0; i <= PRICE_NAMES; i++) {
        struct slice part = part_of(query, i);
        if (part.len > sizeof known->text - len)
            return false;
        if (part.len > 0)
            memcpy(known->text + len, part.ptr, part.len);
        known->lens[i] = part.len;
        len += part.len;
    }
    known->is_global = query->is_global;
    return true;
}

/* Fills a slot with the rows for a model and region. False: they are too many, or the key is. */
static bool learn(struct price_known *known, const struct price_table *table,
                  const struct price_query *query)
{
    known->table = 0;
    known->count = 0;
    if (!name_slot(known, query) || table->count > UINT16_MAX)
        return false;
    for (enum price_name wanted = 0; wanted < PRICE_NAMES; wanted++) {
        for (size_t i = 0; i < table->count; i++) {
            enum price_name name;
            if (!price_row_is_for(&table->rows[i], query, &name) || name != wanted)
                continue;
            if (known->count == PRICE_MEMO_ROWS)
                return false;
            known->rows[known->count++] = (uint16_t)i;
        }
    }
    known->table = table->hash;
    return true;
}

const struct price_row *price_find(const struct price_table *table, struct price_memo *memo,
                                   const struct price_query *query)
{
    struct price_known *known = memo == NULL ? NULL : slot_of(memo, query);
    if (known == NULL || (!is_known(known, table, query) && !learn(known, table, query)))
        return search(table, query);
    for (size_t i = 0; i < known->count; i++)
        if (price_row_applies(&table->rows[known->rows[i]], query))
            return &table->rows[known->rows[i]];
    return NULL;
}

/* ---- cost ---- */

/* Adds tokens of one class. */
static enum price_lack add_class(const struct price_row *row, enum price_class class, int64_t count,
                                 int64_t *amount, enum price_class *ret_class)
{
    if (count == 0)
        return PRICE_LACKS_NOTHING;
    *ret_class = class;
    if (row->price[class] == PRICE_NONE)
        return PRICE_LACKS_CLASS;
    return money_add_times(amount, count, row->price[class]) ? PRICE_LACKS_NOTHING
                                                             : PRICE_LACKS_COUNTS;
}

static bool are_counts_sound(const struct price_counts *counts)
{
    int64_t cached;
    return counts->input >= 0 && counts->output >= 0 && counts->cache_read >= 0 &&
           counts->cache_write >= 0 && counts->cache_write_1h <= counts->cache_write &&
           !__builtin_add_overflow(counts->cache_read, counts->cache_write, &cached) &&
           cached <= counts->input;
}

static bool add_up(struct money_cost *cost)
{
    cost->amount = cost->input;
    return !__builtin_add_overflow(cost->amount, cost->output, &cost->amount) &&
           !__builtin_add_overflow(cost->amount, cost->cache_read, &cost->amount) &&
           !__builtin_add_overflow(cost->amount, cost->cache_write, &cost->amount);
}

enum price_lack price_cost(const struct price_table *table, const struct price_row *row,
                           const struct price_counts *counts, struct money_cost *ret_cost,
                           enum price_class *ret_class)
{
    *ret_cost = (struct money_cost){.is_known = false};
    if (row == NULL)
        return PRICE_LACKS_ROW;
    if (!are_counts_sound(counts))
        return PRICE_LACKS_COUNTS;
    int64_t hour = counts->cache_write_1h > 0 ? counts->cache_write_1h : 0;
    const struct {
        enum price_class class;
        int64_t count;
        int64_t *amount;
    } parts[] = {
        {PRICE_INPUT, counts->input - counts->cache_read - counts->cache_write, &ret_cost->input},
        {PRICE_OUTPUT, counts->output, &ret_cost->output},
        {PRICE_CACHE_READ, counts->cache_read, &ret_cost->cache_read},
        {PRICE_CACHE_WRITE_5M, counts->cache_write - hour, &ret_cost->cache_write},
        {PRICE_CACHE_WRITE_1H, hour, &ret_cost->cache_write},
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        enum price_lack lack =
            add_class(row, parts[i].class, parts[i].count, parts[i].amount, ret_class);
        if (lack != PRICE_LACKS_NOTHING)
            return lack;
    }
    if (!add_up(ret_cost))
        return PRICE_LACKS_COUNTS;
    memcpy(ret_cost->currency, table->currency, sizeof ret_cost->currency);
    memcpy(ret_cost->prices, table->version, sizeof ret_cost->prices);
    ret_cost->is_known = true;
    return PRICE_LACKS_NOTHING;
}
