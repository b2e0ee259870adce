#include "app/books/reconcile.h"

#include <stdio.h>
#include <string.h>

#include "app/books/period.h"
#include "app/books/sort.h"
#include "base/memory.h"

#define NAME_BYTES    80
#define KEY_BYTES_MAX 4096
#define MILLIONTHS    1000000
#define MICRO_DIGITS  6
#define DAY_BYTES     10
#define MICRO_MAX     INT64_C(100000000000000000) /* of a row: sums stay within 64 bits */

enum bill_column { START, TYPE, AMOUNT, UNIT, COST, KIND, REGION, PRODUCT, CURRENCY };

/* Letters and digits of the headings, in small letters: those of both versions are equal then. */
static const struct {
    const char *name, *shown;
    bool is_needed;
} COLUMNS[BILL_COLUMNS] = {
    [START] = {"lineitemusagestartdate", "lineItem/UsageStartDate", true},
    [TYPE] = {"lineitemusagetype", "lineItem/UsageType", true},
    [AMOUNT] = {"lineitemusageamount", "lineItem/UsageAmount", true},
    [UNIT] = {"pricingunit", "pricing/unit", false},
    [COST] = {"lineitemunblendedcost", "lineItem/UnblendedCost", false},
    [KIND] = {"lineitemlineitemtype", "lineItem/LineItemType", false},
    [REGION] = {"productregioncode", "product/regionCode", false},
    [PRODUCT] = {"productproductname", "product/ProductName", false},
    [CURRENCY] = {"lineitemcurrencycode", "lineItem/CurrencyCode", false},
};

void reconcile_init(struct reconcile *reconcile, int64_t since_ms, int64_t until_ms, uint64_t seed)
{
    *reconcile = (struct reconcile){.since_ms = since_ms,
                                    .until_ms = until_ms,
                                    .first_day_ms = INT64_MAX,
                                    .last_day_ms = INT64_MIN};
    tally_init(&reconcile->lines, RECONCILE_BYTES_MAX, seed);
    buf_init(&reconcile->key, KEY_BYTES_MAX);
}

void reconcile_done(struct reconcile *reconcile)
{
    tally_done(&reconcile->lines);
    buf_done(&reconcile->key);
}

/* ---- lines ---- */

/* Where words of a model stand behind the other parts of a key. */
static void begin_key(struct buf *key, const struct reconcile_line *line)
{
    buf_reset(key);
    buf_addf(key, "%.*s\n%.*s\n%.*s\n%d\n%d\n", SLICE_ARG(line->day), SLICE_ARG(line->region),
             SLICE_ARG(line->tier), line->is_global, (int)line->class);
}

static bool keep(struct arena *arena, struct slice *text)
{
    return arena_copy(arena, *text, text);
}

/* The line of the key that was made; `made` is what it is without sums. NULL: too many. */
static struct reconcile_line *line_of(struct reconcile *reconcile,
                                      const struct reconcile_line *made)
{
    struct arena *arena = &reconcile->lines.arena;
    struct tally_row *row = reconcile->key.failed == OK
                                ? tally_row_of(&reconcile->lines, buf_slice(&reconcile->key))
                                : NULL;
    if (row == NULL)
        return NULL;
    if (row->more == NULL) {
        struct reconcile_line *line = arena_new(arena, sizeof *line);
        if (line == NULL)
            return NULL;
        *line = *made;
        line->has_cost = true;
        if (!keep(arena, &line->day) || !keep(arena, &line->region) || !keep(arena, &line->tier) ||
            !keep(arena, &line->model) || !keep(arena, &line->usage_type))
            return NULL;
        row->more = line;
    }
    struct reconcile_line *line = row->more;
    if ((line->model.ptr == NULL && made->model.ptr != NULL &&
         !arena_copy(arena, made->model, &line->model)) ||
        (line->usage_type.ptr == NULL && made->usage_type.ptr != NULL &&
         !arena_copy(arena, made->usage_type, &line->usage_type)))
        return NULL;
    return line;
}

/* ---- the report ---- */

static enum err reject(struct reconcile *reconcile, const char *what, struct slice value)
{
    (void)snprintf(reconcile->fault, sizeof reconcile->fault, "%s: '%.*s'", what,
                   value.len > NAME_BYTES ? NAME_BYTES : (int)value.len,
                   value.len > 0 ? value.ptr : "");
    for (char *at = reconcile->fault; *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            *at = '?';
    return ERR_FORMAT;
}

static enum err reject_fields(struct reconcile *reconcile, const struct csv *csv)
{
    (void)snprintf(reconcile->fault, sizeof reconcile->fault,
                   "the row has %zu fields, and the heading %zu; is the file cut?", csv->count,
                   reconcile->fields);
    return ERR_FORMAT;
}

/* Letters and digits of a heading, small. */
static void add_plain(struct buf *buf, struct slice heading)
{
    for (size_t i = 0; i < heading.len; i++) {
        char byte = heading.ptr[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte + ('a' - 'A'));
        if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
            buf_add_byte(buf, byte);
    }
}

static enum err take_heading(struct reconcile *reconcile, const struct csv *csv)
{
    for (size_t i = 0; i < BILL_COLUMNS; i++)
        reconcile->places[i] = SIZE_MAX;
    for (size_t field = 0; field < csv->count; field++) {
        buf_reset(&reconcile->key);
        add_plain(&reconcile->key, csv_field(csv, field));
        for (size_t i = 0; i < BILL_COLUMNS; i++)
            if (slice_equal_text(buf_slice(&reconcile->key), COLUMNS[i].name))
                reconcile->places[i] = field;
    }
    reconcile->fields = csv->count;
    for (size_t i = 0; i < BILL_COLUMNS; i++)
        if (COLUMNS[i].is_needed && reconcile->places[i] == SIZE_MAX)
            return reject(reconcile, "the heading of a Cost and Usage Report must have the column",
                          slice_of_text(COLUMNS[i].shown));
    return OK;
}

static struct slice value_of(const struct reconcile *reconcile, const struct csv *csv,
                             enum bill_column column)
{
    size_t place = reconcile->places[column];
    return place == SIZE_MAX ? SLICE("") : csv_field(csv, place);
}

/* By how many digits the amounts of a unit are smaller than tokens: 3 for `1K tokens`. Where there
 * is no unit, AWS's own models are counted in thousands, those of its Marketplace in millions. */
static int shift_of(struct slice unit, struct slice type)
{
    int shift = 0;
    for (size_t i = 0; i < unit.len; i++) {
        char byte = unit.ptr[i];
        bool is_behind_digit = i > 0 && unit.ptr[i - 1] >= '0' && unit.ptr[i - 1] <= '9';
        if (is_behind_digit && (byte == 'K' || byte == 'k'))
            return 3;
        if (is_behind_digit && (byte == 'M' || byte == 'm'))
            return 6;
    }
    if (unit.len == 0 || slice_equal_nocase(unit, SLICE("Units")))
        shift = slice_starts(type, SLICE("MP:")) ? 6 : 3;
    return shift;
}

/* Drops what is behind `decimals` decimals. */
static struct slice cut_decimals(struct slice number, size_t decimals)
{
    size_t point = slice_find(number, '.');
    if (slice_find(number, 'e') < number.len || slice_find(number, 'E') < number.len)
        return number;
    return slice_sub(number, 0, point + 1 + decimals);
}

static bool read_cost(struct slice text, int64_t *ret_cost)
{
    *ret_cost = 0;
    return text.len == 0 ||
           money_read_number(cut_decimals(text, MONEY_AMOUNT_DECIMALS), 0, ret_cost);
}

static bool is_usage(struct slice kind)
{
    return kind.len == 0 || slice_ends(kind, SLICE("Usage"));
}

/* Marketplace's usage types do not name the model; its product does, before a bracket. */
static struct slice model_of(const struct usage_type *type, struct slice product)
{
    if (type->model.len > 0)
        return type->model;
    return slice_trim(slice_sub(product, 0, slice_find(product, '(')));
}

static enum err add_row(struct reconcile *reconcile, const struct csv *csv,
                        const struct usage_type *type, struct slice day)
{
    struct slice written = value_of(reconcile, csv, TYPE),
                 region = value_of(reconcile, csv, REGION);
    struct slice amount = value_of(reconcile, csv, AMOUNT);
    int shift = shift_of(value_of(reconcile, csv, UNIT), written);
    int64_t millionths = 0, cost = 0;
    if (!money_read_number(cut_decimals(amount, (size_t)shift + MICRO_DIGITS), shift - MICRO_DIGITS,
                           &millionths) ||
        millionths > MICRO_MAX)
        return reject(reconcile, "lineItem/UsageAmount is no amount of tokens", amount);
    if (!read_cost(value_of(reconcile, csv, COST), &cost))
        return reject(reconcile, "lineItem/UnblendedCost is no cost",
                      value_of(reconcile, csv, COST));
    const struct reconcile_line made = {.day = day,
                                        .region = region.len > 0 ? region : type->region,
                                        .tier = type->tier,
                                        .usage_type = written,
                                        .is_global = type->is_global,
                                        .class = type->class};
    begin_key(&reconcile->key, &made);
    usage_type_add_words(&reconcile->key, model_of(type, value_of(reconcile, csv, PRODUCT)));
    struct reconcile_line *line = line_of(reconcile, &made);
    if (line == NULL)
        return ERR_TOO_LARGE;
    line->aws_millionths += millionths % MILLIONTHS;
    line->aws_tokens += millionths / MILLIONTHS + line->aws_millionths / MILLIONTHS;
    line->aws_millionths %= MILLIONTHS;
    money_sum_add(&line->aws_cost, cost);
    return OK;
}

enum err reconcile_take_row(struct reconcile *reconcile, const struct csv *csv)
{
    struct usage_type type;
    int64_t day_ms = 0;
    if (reconcile->fields == 0)
        return take_heading(reconcile, csv);
    if (csv->count != reconcile->fields)
        return reject_fields(reconcile, csv);
    reconcile->rows++;
    if (!usage_type_read(value_of(reconcile, csv, TYPE), &type) ||
        !is_usage(value_of(reconcile, csv, KIND))) {
        reconcile->other_rows++;
        return OK;
    }
    struct slice start = value_of(reconcile, csv, START), day = slice_sub(start, 0, DAY_BYTES);
    if (day.len != DAY_BYTES || !period_read_time(day, 0, &day_ms))
        return reject(reconcile, "lineItem/UsageStartDate is no day such as 2026-11-22", start);
    reconcile->token_rows++;
    if (day_ms < reconcile->since_ms || day_ms >= reconcile->until_ms)
        return OK;
    reconcile->first_day_ms = day_ms < reconcile->first_day_ms ? day_ms : reconcile->first_day_ms;
    reconcile->last_day_ms = day_ms > reconcile->last_day_ms ? day_ms : reconcile->last_day_ms;
    return add_row(reconcile, csv, &type, day);
}

/* ---- the books ---- */

static int64_t tokens_of(const struct sums *sums, enum usage_class class)
{
    const int64_t *counts = sums->counts;
    switch (class) {
    case CLASS_INPUT:
        return counts[COUNT_INPUT] - counts[COUNT_CACHE_READ] - counts[COUNT_CACHE_WRITE];
    case CLASS_OUTPUT:
        return counts[COUNT_OUTPUT];
    case CLASS_CACHE_READ:
        return counts[COUNT_CACHE_READ];
    case CLASS_CACHE_WRITE:
        return counts[COUNT_CACHE_WRITE] - counts[COUNT_CACHE_WRITE_1H];
    case CLASS_CACHE_WRITE_1H:
        return counts[COUNT_CACHE_WRITE_1H];
    case USAGE_CLASSES:
        break;
    }
    return 0;
}

/* The records tell the cost of all cache writes together. */
static const struct money_sum *cost_of(const struct sums *sums, enum usage_class class)
{
    static const struct money_sum NOTHING = {0, 0};
    static const enum entry_part PARTS[] = {
        [CLASS_INPUT] = PART_INPUT,
        [CLASS_OUTPUT] = PART_OUTPUT,
        [CLASS_CACHE_READ] = PART_CACHE_READ,
        [CLASS_CACHE_WRITE] = PART_CACHE_WRITE,
        [CLASS_CACHE_WRITE_1H] = PART_CACHE_WRITE,
    };
    bool is_second = class == CLASS_CACHE_WRITE_1H &&
                     sums->counts[COUNT_CACHE_WRITE] > sums->counts[COUNT_CACHE_WRITE_1H];
    return is_second ? &NOTHING : &sums->part[PARTS[class]];
}

enum err reconcile_take_sums(struct reconcile *reconcile, const struct tally_row *row)
{
    struct slice key = row->key;
    struct reconcile_line made = {.day = columns_next_value(&key)};
    made.model = columns_next_value(&key);
    made.region = columns_next_value(&key);
    made.tier = columns_next_value(&key);
    if (made.tier.len == 0)
        made.tier = SLICE("default");
    made.is_global = slice_starts(made.model, SLICE("global."));
    for (int class = 0; class < USAGE_CLASSES; class ++) {
        made.class = (enum usage_class) class;
        int64_t tokens = tokens_of(&row->sums, made.class);
        if (tokens == 0)
            continue;
        begin_key(&reconcile->key, &made);
        usage_type_add_model_words(&reconcile->key, made.model);
        struct reconcile_line *line = line_of(reconcile, &made);
        if (line == NULL)
            return ERR_TOO_LARGE;
        line->tokens += tokens;
        money_sum_add_sum(&line->cost, cost_of(&row->sums, made.class));
        line->has_cost = line->has_cost && row->sums.unpriced == 0;
    }
    return OK;
}

/* ---- both ---- */

int64_t reconcile_aws_tokens(const struct reconcile_line *line)
{
    return line->aws_tokens + (line->aws_millionths >= MILLIONTHS / 2);
}

static int compare(const void *first, const void *second)
{
    const struct reconcile_line *a = first, *b = second;
    int order = slice_compare(a->day, b->day);
    if (order == 0)
        order = slice_compare(a->model.ptr != NULL ? a->model : a->usage_type,
                              b->model.ptr != NULL ? b->model : b->usage_type);
    if (order == 0)
        order = slice_compare(a->region, b->region);
    if (order == 0)
        order = slice_compare(a->tier, b->tier);
    return order != 0 ? order : (int)a->class - (int)b->class;
}

const struct reconcile_line **reconcile_lines(const struct reconcile *reconcile, size_t *ret_count)
{
    size_t count = reconcile->lines.count;
    const struct reconcile_line **lines = memory_new((count + 1) * sizeof(struct reconcile_line *));
    *ret_count = count;
    if (lines == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        lines[i] = reconcile->lines.rows[i]->more;
    sort_pointers((const void **)lines, count, compare);
    return lines;
}
