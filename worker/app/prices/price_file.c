#include "app/prices/price_file.h"

#include <string.h>

#include "base/attr.h"
#include "base/glob.h"
#include "base/instant.h"
#include "base/suggest.h"
#include "wire/formats/hash.h"
#include "wire/formats/text.h"
#include "yaml/mistake.h"

#define MODEL_WORDS   "a model id, or a glob such as anthropic.claude-3-haiku-*"
#define REGION_WORDS  "a region such as us-east-1, or global for calls by a global profile"
#define DATE_WORDS    "a date such as 2026-08-06, which is midnight UTC, or 2026-08-06T12:00:00Z"
#define CONTEXT_WORDS "a number of tokens from 1 to 1000000000"
#define CONTEXT_MAX   1000000000
#define DATE_LEN      10 /* of 2026-08-06 */
#define HASH_SHOWN    6  /* bytes of a version's hash */

struct reading {
    struct arena *arena;
    struct problems *problems;
    struct price_table *table;
};

/* A row being read, and where its parts stand. */
struct row_reading {
    struct reading *reading;
    struct price_row *row;
    const struct document_node *node;
    struct slice path; /* prices[3] */
};

static const char *const tiers[] = {"default", "flex", "priority", "reserved", "batch"};

const char *const *price_file_tiers(size_t *ret_count)
{
    *ret_count = COUNT_OF(tiers);
    return tiers;
}

uint64_t price_file_hash(struct slice text)
{
    uint8_t digest[SHA256_LEN];
    uint64_t hash = 0;
    hash_sha256(text, digest);
    memcpy(&hash, digest, sizeof hash);
    return hash == 0 ? 1 : hash;
}

/* ---- members of a row ---- */

static bool take_text(const struct row_reading *at, const struct document_node *node,
                      struct slice path, struct slice *ret_text)
{
    if (node->kind != DOCUMENT_TEXT || document_is_null(node)) {
        mistake_add_no_text(at->reading->problems, node, path, false);
        return false;
    }
    *ret_text = node->text;
    return true;
}

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return text.len > 0 && text.len <= GLOB_COMPARED_MAX;
}

static void take_model(const struct row_reading *at, const struct document_node *node,
                       struct slice path)
{
    struct slice text;
    if (!take_text(at, node, path, &text))
        return;
    if (!is_printable(text))
        mistake_add_value(at->reading->problems, node, path, MODEL_WORDS);
    else
        at->row->model = text;
}

static void take_region(const struct row_reading *at, const struct document_node *node,
                        struct slice path)
{
    struct slice text;
    if (!take_text(at, node, path, &text))
        return;
    if (!slice_equal_text(text, PRICE_GLOBAL) && !text_is_region(text))
        mistake_add_value(at->reading->problems, node, path, REGION_WORDS);
    else
        at->row->region = text;
}

static void take_tier(const struct row_reading *at, const struct document_node *node,
                      struct slice path)
{
    struct slice text;
    if (!take_text(at, node, path, &text))
        return;
    if (!slice_is_one_of(text, tiers, COUNT_OF(tiers)))
        mistake_add_value(at->reading->problems, node, path,
                          "one of default, flex, priority, reserved, batch");
    else
        at->row->tier = text;
}

static void take_context(const struct row_reading *at, const struct document_node *node,
                         struct slice path)
{
    struct slice text;
    int64_t tokens = 0;
    if (!take_text(at, node, path, &text))
        return;
    if (!slice_to_int64(text, &tokens) || tokens < 1 || tokens > CONTEXT_MAX)
        mistake_add_value(at->reading->problems, node, path, CONTEXT_WORDS);
    else
        at->row->context_over = tokens;
}

/* Reads a date or an instant. */
static bool read_moment(struct slice text, int64_t *ret_ms)
{
    char whole[] = "2026-08-06T00:00:00Z";
    if (text.len != DATE_LEN)
        return instant_from_rfc3339(text, ret_ms);
    memcpy(whole, text.ptr, DATE_LEN);
    return instant_from_rfc3339(slice_of_text(whole), ret_ms);
}

static void take_moment(const struct row_reading *at, const struct document_node *node,
                        struct slice path, int64_t *ret_ms)
{
    struct slice text;
    if (take_text(at, node, path, &text) && !read_moment(text, ret_ms))
        mistake_add_value(at->reading->problems, node, path, DATE_WORDS);
}

static void take_price(const struct row_reading *at, const struct document_node *node,
                       struct slice path, enum price_class class)
{
    struct slice text;
    if (!take_text(at, node, path, &text))
        return;
    const char *fault = money_price_fault(text, &at->row->price[class]);
    if (fault != NULL)
        problems_add(at->reading->problems, node->place, path, "%s", fault);
}

static void take_from(const struct row_reading *at, const struct document_node *node,
                      struct slice path)
{
    take_moment(at, node, path, &at->row->from_ms);
}

static void take_to(const struct row_reading *at, const struct document_node *node,
                    struct slice path)
{
    take_moment(at, node, path, &at->row->to_ms);
}

typedef void take_member(const struct row_reading *at, const struct document_node *node,
                         struct slice path);

static const struct member {
    const char *name;
    take_member *take; /* NULL: the price of `class` */
    enum price_class class;
} members[] = {
    {"model", take_model, 0},          {"region", take_region, 0}, {"tier", take_tier, 0},
    {"context_over", take_context, 0}, {"from", take_from, 0},     {"to", take_to, 0},
#define CLASS(id, member) {member, NULL, PRICE_##id},
#include "policy/price.def"
#undef CLASS
};

static void reject_unknown(const struct row_reading *at, const struct document_node *node,
                           struct slice path)
{
    struct suggest suggest;
    suggest_init(&suggest, node->key);
    for (size_t i = 0; i < COUNT_OF(members); i++)
        suggest_offer(&suggest, slice_of_text(members[i].name));
    if (suggest.nearest.ptr != NULL)
        problems_add(at->reading->problems, node->key_place, path, "unknown; did you mean %.*s?",
                     SLICE_ARG(suggest.nearest));
    else
        problems_add(at->reading->problems, node->key_place, path,
                     "unknown; a row has model, region, tier, context_over, from, to, input, "
                     "output, cache_read, cache_write_5m and cache_write_1h");
}

static void take_row_member(const struct row_reading *at, const struct document_node *node)
{
    struct slice path = document_path(at->reading->arena, at->path, node->key);
    if (document_is_repeated(at->node, node)) {
        problems_add(at->reading->problems, node->key_place, path,
                     "is there twice; keep one of them");
        return;
    }
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!slice_equal_text(node->key, members[i].name))
            continue;
        if (members[i].take != NULL)
            members[i].take(at, node, path);
        else
            take_price(at, node, path, members[i].class);
        return;
    }
    reject_unknown(at, node, path);
}

/* ---- rows ---- */

static struct slice row_path(const struct reading *reading, size_t number)
{
    struct buf text OWNED_BY(buf_done);
    struct slice path;
    buf_init(&text, 32);
    buf_addf(&text, "prices[%zu]", number);
    return arena_copy(reading->arena, buf_slice(&text), &path) ? path : SLICE("prices");
}

static void take_row(struct reading *reading, const struct document_node *node, size_t number,
                     struct price_row *row)
{
    struct row_reading at = {reading, row, node, row_path(reading, number)};
    *row = (struct price_row){
        .tier = SLICE(PRICE_TIER),
        .from_ms = PRICE_ALWAYS,
        .to_ms = PRICE_FOREVER,
        .line = node->place.line,
        .column = node->place.column,
    };
    for (size_t i = 0; i < PRICE_CLASSES; i++)
        row->price[i] = PRICE_NONE;
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reading->problems, node, at.path,
                         "a row such as {model: anthropic.claude-3-haiku-*, input: 0.25}");
        return;
    }
    size_t before = problems_found(reading->problems);
    for (const struct document_node *item = node->first; item != NULL; item = item->next)
        take_row_member(&at, item);
    if (row->model.ptr == NULL && problems_found(reading->problems) == before)
        problems_add(reading->problems, node->place, at.path, "has no model; write " MODEL_WORDS);
    if (row->from_ms >= row->to_ms)
        problems_add(reading->problems, node->place, at.path,
                     "ends before it begins; `to` is not within, so it must be after `from`");
    if (problems_found(reading->problems) > before)
        row->model = SLICE_NULL; /* it is not compared with others */
}

static void take_rows(struct reading *reading, const struct document_node *node)
{
    struct price_table *table = reading->table;
    if (node->kind != DOCUMENT_LIST) {
        mistake_add_kind(reading->problems, node, SLICE("prices"), "a list of rows");
        return;
    }
    if (node->count > PRICE_ROWS_MAX) {
        problems_add(reading->problems, node->place, SLICE("prices"),
                     "has more than %d rows; keep those of your models and regions",
                     PRICE_ROWS_MAX);
        return;
    }
    table->rows = arena_new_array(reading->arena, node->count, sizeof *table->rows);
    if (table->rows == NULL) {
        problems_add(reading->problems, node->place, SLICE("prices"), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        take_row(reading, item, table->count, &table->rows[table->count]);
        table->count++;
    }
}

/* ---- rows against each other ---- */

static void report_clash(const struct reading *reading, const char *file, size_t later,
                         const struct price_row *other, enum price_clash clash)
{
    const struct price_row *row = &reading->table->rows[later];
    struct place place = {file, row->line, row->column};
    struct slice path = row_path(reading, later);
    if (clash == PRICE_OVERLAP)
        problems_add(reading->problems, place, path,
                     "overlaps the row in line %u: the same models, region, tier and context_over "
                     "at one time; let that one end with `to` where this one begins with `from`",
                     other->line);
    else
        problems_add(reading->problems, place, path,
                     "may match the same model as `%.*s` in line %u, and neither is more specific; "
                     "narrow one of them",
                     SLICE_ARG(other->model), other->line);
}

/* A row without mistakes has a model. */
static bool is_right(const struct price_row *row)
{
    return row->model.ptr != NULL;
}

/* Reports that no row follows where this one ends, though a later one of its key comes. */
static void check_gap(const struct reading *reading, const char *file, size_t index)
{
    const struct price_table *table = reading->table;
    const struct price_row *row = &table->rows[index], *next = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct price_row *other = &table->rows[i];
        if (i != index && is_right(other) && other->from_ms >= row->to_ms &&
            price_same_key(row, other) && (next == NULL || other->from_ms < next->from_ms))
            next = other;
    }
    if (next == NULL || next->from_ms == row->to_ms)
        return;
    struct buf ends OWNED_BY(buf_done);
    buf_init(&ends, 64);
    instant_add_rfc3339(&ends, row->to_ms);
    problems_add(reading->problems, (struct place){file, next->line, next->column},
                 row_path(reading, (size_t)(next - table->rows)),
                 "leaves a gap: the row in line %u ends at %s; begin with `from` there", row->line,
                 buf_text(&ends));
}

static void check_rows(const struct reading *reading, const char *file)
{
    const struct price_table *table = reading->table;
    for (size_t i = 0; i < table->count; i++) {
        enum price_clash clash = PRICE_NO_CLASH;
        for (size_t k = 0; k < i && clash == PRICE_NO_CLASH && is_right(&table->rows[i]); k++) {
            if (is_right(&table->rows[k]))
                clash = price_clash_of(&table->rows[k], &table->rows[i]);
            if (clash != PRICE_NO_CLASH)
                report_clash(reading, file, i, &table->rows[k], clash);
        }
        if (table->rows[i].to_ms != PRICE_FOREVER && is_right(&table->rows[i]))
            check_gap(reading, file, i);
    }
}

/* ---- the file ---- */

static void take_currency(const struct reading *reading, const struct document_node *node)
{
    if (node->kind != DOCUMENT_TEXT || !money_is_currency(node->text))
        mistake_add_value(reading->problems, node, SLICE("currency"),
                          "a code of ISO 4217 such as USD");
    else
        slice_write(node->text, reading->table->currency, sizeof reading->table->currency);
}

static void take_date(const struct reading *reading, const struct document_node *node,
                      struct slice *ret_date)
{
    int64_t ms;
    if (node->kind != DOCUMENT_TEXT || node->text.len != DATE_LEN || !read_moment(node->text, &ms))
        mistake_add_value(reading->problems, node, SLICE("date"),
                          "the date of the prices, such as 2026-08-06");
    else
        *ret_date = node->text;
}

static void take_root(struct reading *reading, const struct document_node *root,
                      struct slice *ret_date)
{
    struct problems *problems = reading->problems;
    bool has_date = false, has_currency = false, has_rows = false;
    for (const struct document_node *node = root->first; node != NULL; node = node->next) {
        if (document_is_repeated(root, node)) {
            problems_add(problems, node->key_place, node->key, "is there twice; keep one of them");
        } else if (slice_equal_text(node->key, "date")) {
            has_date = true;
            take_date(reading, node, ret_date);
        } else if (slice_equal_text(node->key, "currency")) {
            has_currency = true;
            take_currency(reading, node);
        } else if (slice_equal_text(node->key, "prices")) {
            has_rows = true;
            take_rows(reading, node);
        } else {
            problems_add(problems, node->key_place, node->key,
                         "unknown; a price file has date, currency and prices");
        }
    }
    const struct {
        bool is_there;
        const char *name, *words;
    } needed[] = {{has_date, "date", "2026-08-06"},
                  {has_currency, "currency", "USD"},
                  {has_rows, "prices", "a list of rows"}};
    for (size_t i = 0; i < COUNT_OF(needed); i++)
        if (!needed[i].is_there)
            problems_add(problems, root->place, slice_of_text(needed[i].name),
                         "is missing; write `%s: %s`", needed[i].name, needed[i].words);
}

static void name_version(struct price_table *table, struct slice date, struct slice text)
{
    uint8_t digest[SHA256_LEN];
    struct buf version OWNED_BY(buf_done);
    hash_sha256(text, digest);
    buf_init(&version, sizeof table->version);
    buf_add(&version, date);
    buf_add_byte(&version, '-');
    hash_add_hex(&version, digest, HASH_SHOWN);
    slice_write(buf_slice(&version), table->version, sizeof table->version);
    table->hash = price_file_hash(text);
}

bool price_file_read(struct arena *arena, struct slice text, const char *file,
                     struct problems *problems, struct price_table *ret_table)
{
    struct reading reading = {arena, problems, ret_table};
    struct document_node *root = NULL;
    struct slice copy, date = SLICE("");
    size_t before = problems_found(problems);
    *ret_table = (struct price_table){0};
    if (!arena_copy(arena, text, &copy)) {
        problems_add(problems, (struct place){file, 0, 0}, SLICE(""), "is too large; shorten it");
        return false;
    }
    document_read(arena, copy, file, problems, &root);
    if (problems_found(problems) > before)
        return false;
    if (root == NULL || root->kind != DOCUMENT_MAP) {
        problems_add(problems, (struct place){file, 1, 1}, SLICE(""),
                     "is not a price file; write date, currency and prices");
        return false;
    }
    take_root(&reading, root, &date);
    check_rows(&reading, file);
    name_version(ret_table, date, text);
    price_table_sort(ret_table);
    return problems_found(problems) == before;
}
