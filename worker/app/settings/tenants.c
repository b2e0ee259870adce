/* Tenants: rows by name or glob, in their order, and the row `default` for all others. */
#include "app/settings/parts.h"

#include "base/glob.h"
#include "base/utf8.h"
#include "wire/chat/request.h"
#include "wire/chat/values.h"
#include "yaml/mistake.h"

#define DEFAULT    SLICE("default")
#define ROW        "a map such as {weight: 2, budget: {amount: \"50\", currency: USD, per: day}}"
#define TOPICS     "a list of request topics such as [acme.requests]"
#define TOPICS_MAX 100

#define MEMBER(member, low_value, high_value)                                                      \
    {                                                                                              \
        .name = #member, .low = (low_value), .high = (high_value),                                 \
        .value_at = offsetof(struct tenant_row, member)                                            \
    }
static const struct tenant_member NUMBERS[] = {
    MEMBER(weight, 1, TENANT_WEIGHT_MAX),
};

const struct tenant_member *settings_tenant_members(size_t *ret_count)
{
    *ret_count = COUNT_OF(NUMBERS);
    return NUMBERS;
}

static void take_number(struct settings_reader *reader, const struct tenant_member *member,
                        const struct document_node *node, struct slice path,
                        struct tenant_row *ret_row)
{
    struct slice text = SLICE_NULL;
    int64_t amount;
    if (!settings_take_text(reader, node, path, &text))
        return;
    text = slice_trim(text);
    if (!slice_to_int64(text, &amount) || settings_is_octal(text)) {
        mistake_add_value(reader->problems, node, path, "a whole number");
    } else if (amount < member->low || amount > member->high) {
        struct buf limits OWNED_BY(buf_done);
        buf_init(&limits, 128);
        buf_addf(&limits, "%lld to %lld", (long long)member->low, (long long)member->high);
        mistake_add_limits(reader->problems, node, path, buf_text(&limits));
    } else {
        *(uint32_t *)(void *)((char *)ret_row + member->value_at) = (uint32_t)amount;
    }
}

/* A budget, or `none`. */
static void take_budget(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct tenant_row *ret_row)
{
    if (node->kind == DOCUMENT_TEXT && slice_equal_text(slice_trim(node->text), "none"))
        ret_row->is_unlimited = true;
    else
        settings_take_budget(reader, node, path, ret_row);
}

static void take_topics(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct tenant_row *ret_row)
{
    struct slice *list = NULL;
    size_t count = 0;
    if (node->kind == DOCUMENT_LIST && node->count > 0 && node->count <= TOPICS_MAX)
        list = arena_new_array(&reader->settings->arena, node->count, sizeof *list);
    if (list == NULL) {
        mistake_add_kind(reader->problems, node, path, TOPICS);
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        const char *fault = NULL;
        if (!settings_take_text(reader, item, path, &list[count]))
            continue;
        list[count] = slice_trim(list[count]);
        fault = list[count].len == 0 ? "is empty; give it a value, or remove it"
                                     : settings_form_fault(FORM_GLOB, list[count]);
        if (fault != NULL)
            problems_add(reader->problems, item->place, path, "%s", fault);
        else
            count++;
    }
    ret_row->topics = list;
    ret_row->topic_count = count;
}

static void take_weight(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct tenant_row *ret_row)
{
    take_number(reader, &NUMBERS[0], node, path, ret_row);
}

static const struct tenant_part {
    const char *name;
    void (*take)(struct settings_reader *reader, const struct document_node *node,
                 struct slice path, struct tenant_row *ret_row);
} PARTS[] = {{"weight", take_weight}, {"budget", take_budget}, {"topics", take_topics}};

static const struct setting_members FOUND = {PARTS, COUNT_OF(PARTS), sizeof PARTS[0],
                                             "a tenant has weight, budget and topics"};

static void take_row(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, struct tenant_row *ret_row)
{
    if (node->kind != DOCUMENT_MAP || document_is_null(node)) {
        mistake_add_kind(reader->problems, node, path, ROW);
        return;
    }
    if (node->first == NULL)
        problems_add(reader->problems, node->place, path,
                     "says nothing; write {weight: 2}, or remove it");
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below;
        const struct tenant_part *part =
            settings_find_member(reader, node, item, &FOUND, path, &below);
        if (part != NULL)
            part->take(reader, item, below, ret_row);
    }
}

static bool matches_all(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != '*')
            return false;
    return true;
}

/* False: it added a problem. */
static bool has_name(struct settings_reader *reader, const struct document_node *map,
                     const struct document_node *item, struct slice path)
{
    const char *fault = NULL;
    if (document_is_repeated(map, item))
        fault = "is there twice; keep one of them";
    else if (utf8_valid_len(item->key) < item->key.len ||
             !request_is_name(item->key, REQUEST_TENANT_MAX))
        fault = "is no tenant's name; use 1 to 128 characters without controls";
    else if (matches_all(item->key))
        fault = "fits every tenant; write the row of all others as default";
    if (fault != NULL)
        problems_add(reader->problems, item->key_place, path, "%s", fault);
    return fault == NULL;
}

/* Adds a problem if an earlier row fits all that this one fits. */
static void check_hidden(struct settings_reader *reader, const struct document_node *item,
                         struct slice path, const struct tenant_table *table,
                         const struct place *places)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!glob_covers(table->rows[i].name, item->key, false))
            continue;
        problems_add(reader->problems, item->key_place, path,
                     "is never used: %.*s at line %u fits all that it fits, and the first row that "
                     "fits counts; remove one, or put this one first",
                     SLICE_ARG(table->rows[i].name), (unsigned)places[i].line);
        return;
    }
}

void settings_take_tenants(struct settings_reader *reader, const struct document_node *node,
                           struct setting_tenants *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct tenant_row *rows = NULL;
    struct place *places = NULL;
    if (node->count <= TENANT_ROWS_MAX) {
        rows = arena_new_array(arena, node->count, sizeof *rows);
        places = arena_new_array(arena, node->count, sizeof *places);
    }
    if (rows == NULL || places == NULL) {
        problems_add(reader->problems, node->place, SLICE("tenants"),
                     "is too long; it may have %d rows, each with a glob such as team-*",
                     TENANT_ROWS_MAX);
        return;
    }
    struct tenant_table table = {.rows = rows};
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path = document_path(arena, SLICE("tenants"), item->key);
        if (!has_name(reader, node, item, path))
            continue;
        if (slice_equal(item->key, DEFAULT)) {
            take_row(reader, item, path, &table.others);
            continue;
        }
        check_hidden(reader, item, path, &table, places);
        rows[table.count].name = item->key;
        places[table.count] = item->key_place;
        take_row(reader, item, path, &rows[table.count++]);
    }
    *ret_value = (struct setting_tenants){table};
}
