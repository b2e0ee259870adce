/* Quotas: what the operator knows of an account's limits, a list of rows. */
#include "app/settings/parts.h"

#include <string.h>

#include "yaml/mistake.h"

#define AMOUNT_MAX   1000000000000 /* tokens or requests */
#define BURNDOWN_MAX 100
#define PERCENT      100
#define DIGITS_MAX   3 /* behind the point of a percentage */
#define MODEL        "a map such as {model: \"us.anthropic.*\", tokens_per_minute: 2000000}"

#define MEMBER(member, member_kind, low_value, high_value)                                         \
    {                                                                                              \
        .name = #member, .kind = QUOTA_##member_kind, .low = (low_value), .high = (high_value),    \
        .value_at = offsetof(struct quota_row, member)                                             \
    }
static const struct quota_member MEMBERS[] = {
    MEMBER(model, GLOB, 0, 0),
    MEMBER(region, REGION, 0, 0),
    MEMBER(tokens_per_minute, AMOUNT, 0, AMOUNT_MAX),
    MEMBER(requests_per_minute, AMOUNT, 0, AMOUNT_MAX),
    MEMBER(tokens_per_day, AMOUNT, 0, AMOUNT_MAX),
    MEMBER(burndown, AMOUNT, 1, BURNDOWN_MAX),
    MEMBER(share, PART, 0, 0),
    {.name = "burst",
     .kind = QUOTA_BURST,
     .low = 0,
     .high = QUOTA_BURST_MS_MAX,
     .value_at = offsetof(struct quota_row, burst_ms)},
};

const struct quota_member *settings_quota_members(size_t *ret_count)
{
    *ret_count = COUNT_OF(MEMBERS);
    return MEMBERS;
}

static void take_text(struct settings_reader *reader, enum quota_member_kind kind,
                      const struct document_node *node, struct slice path, struct slice *ret_text)
{
    enum setting_form form = kind == QUOTA_GLOB ? FORM_GLOB : FORM_REGION;
    struct slice text = SLICE_NULL;
    if (!settings_take_text(reader, node, path, &text))
        return;
    const char *fault =
        text.len == 0 ? "is empty; give it a value, or remove it" : settings_form_fault(form, text);
    if (fault != NULL)
        problems_add(reader->problems, node->place, path, "%s", fault);
    else
        *ret_text = text;
}

static void add_limits(struct settings_reader *reader, const struct quota_member *member,
                       const struct document_node *node, struct slice path)
{
    struct buf limits OWNED_BY(buf_done);
    enum setting_kind kind = member->kind == QUOTA_BURST ? SETTING_SPAN : SETTING_COUNT;
    buf_init(&limits, 128);
    settings_add_amount(&limits, kind, member->low);
    buf_add_text(&limits, " to ");
    settings_add_amount(&limits, kind, member->high);
    mistake_add_limits(reader->problems, node, path, buf_text(&limits));
}

static void take_amount(struct settings_reader *reader, const struct quota_member *member,
                        const struct document_node *node, struct slice path, int64_t *ret_amount)
{
    struct slice text = SLICE_NULL;
    int64_t amount = 0;
    bool is_burst = member->kind == QUOTA_BURST;
    if (!settings_take_text(reader, node, path, &text))
        return;
    text = slice_trim(text);
    bool is_one = is_burst ? units_read_span(text, &amount)
                           : slice_to_int64(text, &amount) && !settings_is_octal(text);
    if (!is_one && is_burst)
        mistake_add_span(reader->problems, node, path);
    else if (!is_one)
        mistake_add_value(reader->problems, node, path, "a whole number");
    else if (amount < member->low || amount > member->high)
        add_limits(reader, member, node, path);
    else
        *ret_amount = amount;
}

/* Reads `50%` or `12.5%`. */
static bool read_part(struct slice text, double *ret_part)
{
    int64_t whole = 0, behind = 0;
    double scale = 1;
    if (!slice_ends(text, SLICE("%")))
        return false;
    struct slice number = slice_trim(slice_sub(text, 0, text.len - 1));
    size_t point = slice_find(number, '.');
    struct slice digits = slice_sub(number, point + 1, number.len);
    if (number.len == 0 || number.ptr[0] == '-' ||
        !slice_to_int64(slice_sub(number, 0, point), &whole))
        return false;
    if (point < number.len && (digits.len > DIGITS_MAX || digits.len == 0 || digits.ptr[0] == '-' ||
                               !slice_to_int64(digits, &behind)))
        return false;
    for (size_t i = 0; point < number.len && i < digits.len; i++)
        scale *= 10;
    *ret_part = ((double)whole + (double)behind / scale) / PERCENT;
    return true;
}

static void take_part(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, double *ret_part)
{
    struct slice text = SLICE_NULL;
    double part = 0;
    if (!settings_take_text(reader, node, path, &text))
        return;
    if (!read_part(slice_trim(text), &part))
        mistake_add_value(reader->problems, node, path, "a percentage such as 50% or 12.5%");
    else if (part <= 0 || part > 1)
        mistake_add_limits(reader->problems, node, path, "above 0% and at most 100%");
    else
        *ret_part = part;
}

static void take_member(struct settings_reader *reader, const struct quota_member *member,
                        const struct document_node *node, struct slice path,
                        struct quota_row *ret_row)
{
    void *value = (char *)ret_row + member->value_at;
    if (member->kind == QUOTA_GLOB || member->kind == QUOTA_REGION)
        take_text(reader, member->kind, node, path, value);
    else if (member->kind == QUOTA_PART)
        take_part(reader, node, path, value);
    else
        take_amount(reader, member, node, path, value);
}

static const struct document_node *find(const struct document_node *map, const char *name)
{
    for (const struct document_node *item = map->first; item != NULL; item = item->next) {
        if (slice_equal_text(item->key, name))
            return item;
    }
    return NULL;
}

/* Adds problems for members that say nothing without others. */
static void check_row(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, const struct quota_row *row)
{
    const struct document_node *day = find(node, "tokens_per_day");
    const struct document_node *share = find(node, "share"), *burst = find(node, "burst");
    const struct document_node *idle = share != NULL ? share : burst;
    if (row->model.ptr == NULL)
        problems_add(reader->problems, node->place, path,
                     "has no model; add the id of the model or inference profile that is called, "
                     "with * for any text");
    else if (row->tokens_per_minute > 0 || row->requests_per_minute > 0)
        return;
    else if (row->tokens_per_day > 0)
        problems_add(reader->problems, day->place, path,
                     "has tokens_per_day and no quota of a minute; add tokens_per_minute or "
                     "requests_per_minute");
    else if (idle != NULL)
        problems_add(reader->problems, idle->place, path,
                     "has %s and no quota; add tokens_per_minute or requests_per_minute",
                     share != NULL ? "share" : "burst");
}

static const struct setting_members FOUND = {
    MEMBERS, COUNT_OF(MEMBERS), sizeof MEMBERS[0],
    "a quota has model, region, tokens_per_minute, "
    "requests_per_minute, tokens_per_day, burndown, share and burst"};

static void take_row(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, struct quota_row *ret_row)
{
    *ret_row = (struct quota_row){.share = 1, .burst_ms = QUOTA_BURST_MS};
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, node, path, MODEL);
        return;
    }
    size_t before = problems_found(reader->problems);
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below;
        const struct quota_member *member =
            settings_find_member(reader, node, item, &FOUND, path, &below);
        if (member != NULL)
            take_member(reader, member, item, below, ret_row);
    }
    if (problems_found(reader->problems) == before)
        check_row(reader, node, path, ret_row);
}

/* Adds a problem if an earlier row fits all that this one fits. */
static void check_hidden(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const struct setting_quotas *quotas, size_t index)
{
    const struct quota_row *row = &quotas->rows.list[index];
    for (size_t i = 0; i < index && row->model.ptr != NULL; i++) {
        if (quotas->rows.list[i].model.ptr == NULL || !quota_row_hides(&quotas->rows.list[i], row))
            continue;
        problems_add(reader->problems, node->place, path,
                     "is never used: the row at line %u fits all that it fits, and the first row "
                     "that fits counts; remove one, or put this one first",
                     (unsigned)quotas->places[i].line);
        return;
    }
}

void settings_take_quotas(struct settings_reader *reader, const struct document_node *node,
                          struct setting_quotas *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct quota_row *list = NULL;
    struct place *places = NULL;
    if (node->count <= SETTING_QUOTAS_MAX) {
        list = arena_new_array(arena, node->count, sizeof *list);
        places = arena_new_array(arena, node->count, sizeof *places);
    }
    if (list == NULL || places == NULL) {
        problems_add(reader->problems, node->place, SLICE("quotas"),
                     "is too long; it may have %d rows", SETTING_QUOTAS_MAX);
        return;
    }
    struct setting_quotas quotas = {.rows = {list, 0}, .places = places};
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        size_t index = quotas.rows.count++;
        places[index] = item->place;
        take_row(reader, item, SLICE("quotas"), &list[index]);
        check_hidden(reader, item, SLICE("quotas"), &quotas, index);
    }
    *ret_value = quotas;
}
