#include "wire/outputs/sums.h"

#include <stdio.h>

#include "base/instant.h"
#include "base/money.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"

#define TYPE_STEM     "bedrock.chat.budgets."
#define TYPE_VERSION  "v1"
#define TYPE_RESERVED "bedrock.chat.reservations.v1"
#define RULES_LEN     16 /* hexadecimal digits */
#define FRAME_BYTES   1024
#define ROW_BYTES     160

/* ---- writing ---- */

static void add_amount(struct buf *body, const struct sums_amount *spent)
{
    if (spent->currency.ptr == NULL) {
        json_add_int_member(body, "tokens", spent->value);
        return;
    }
    json_add_name(body, "amount");
    buf_add_byte(body, '"');
    money_add_amount(body, spent->value);
    buf_add_byte(body, '"');
    json_add_text_member(body, "currency", spent->currency);
}

static void add_rows(struct buf *body, const char *name, const struct sums_row *rows, size_t count,
                     bool has_since)
{
    json_add_name(body, name);
    buf_add_byte(body, '[');
    for (size_t i = 0; i < count; i++) {
        json_add_comma(body);
        buf_add_byte(body, '{');
        json_add_text_member(body, "tenant", rows[i].tenant);
        if (has_since)
            output_add_instant_member(body, "since", rows[i].since_ms);
        add_amount(body, &rows[i].spent);
        buf_add_byte(body, '}');
    }
    buf_add_byte(body, ']');
}

static void add_rules(struct buf *body, uint64_t rules)
{
    char text[RULES_LEN + 1];
    (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)rules);
    json_add_text_member(body, "rules", slice_of_text(text));
}

static void add_lost(struct buf *body, const struct sums *sums)
{
    json_add_name(body, "lost");
    buf_add_byte(body, '[');
    for (size_t i = 0; i < sums->lost_count; i++) {
        struct uuid id;
        entry_id_write(&sums->lost[i].id, &id);
        json_add_comma(body);
        buf_add_byte(body, '{');
        json_add_text_member(body, "id", uuid_slice(&id));
        json_add_text_member(body, "tenant", sums->lost[i].tenant);
        output_add_instant_member(body, "at", sums->lost[i].at_ms);
        add_amount(body, &sums->lost[i].spent);
        buf_add_byte(body, '}');
    }
    buf_add_byte(body, ']');
}

static void add_data(struct buf *body, const struct sums *sums)
{
    json_add_name(body, "data");
    buf_add_byte(body, '{');
    json_add_text_member(body, "topic", sums->usage_topic);
    json_add_int_member(body, "partition", sums->partition);
    json_add_int_member(body, "offset", sums->offset);
    add_rules(body, sums->rules);
    add_rows(body, "spent", sums->rows, sums->row_count, true);
    add_lost(body, sums);
    buf_add_byte(body, '}');
}

static void add_reserved(struct buf *body, const struct reserved *reserved)
{
    json_add_name(body, "data");
    buf_add_byte(body, '{');
    json_add_text_member(body, "topic", reserved->usage_topic);
    json_add_text_member(body, "worker", reserved->worker);
    json_add_int_member(body, "number", reserved->number);
    add_rules(body, reserved->rules);
    add_rows(body, "reserved", reserved->rows, reserved->row_count, false);
    buf_add_byte(body, '}');
}

/* A CloudEvent in structured mode, up to its data. */
static void add_head(struct buf *body, const struct output_context *context, const char *type,
                     struct slice subject, int64_t number, int64_t wall_ms)
{
    char id[SUMS_KEY_MAX + 24];
    (void)snprintf(id, sizeof id, "%.*s@%lld", SLICE_ARG(subject), (long long)number);
    buf_add_byte(body, '{');
    json_add_text_member(body, "specversion", SLICE("1.0"));
    json_add_text_member(body, "id", slice_of_text(id));
    json_add_text_member(body, "source", context->source);
    json_add_text_member(body, "type", slice_of_text(type));
    json_add_text_member(body, "subject", subject);
    output_add_instant_member(body, "time", wall_ms);
    json_add_text_member(body, "datacontenttype", SLICE("application/json"));
}

static enum err end(struct draft *draft, struct slice key, struct output **ret_output)
{
    buf_add_byte(draft->body, '}');
    draft_value_ends(draft);
    draft_header(draft, "content-type", SLICE("application/cloudevents+json; charset=UTF-8"));
    struct draft_address address = {
        .topic = draft->context->budgets_topic, .partition = -1, .key = key};
    return draft_end(draft, &address, ret_output);
}

enum err output_sums(const struct output_context *context, const struct sums *sums,
                     struct output **ret_output)
{
    struct output_context limited = *context;
    limited.output_bytes_max = SUMS_BYTES_MAX;
    char key[SUMS_KEY_MAX];
    (void)snprintf(key, sizeof key, "%.*s-%d", SLICE_ARG(sums->usage_topic), (int)sums->partition);
    struct draft draft;
    enum err err = draft_begin(&draft, &limited, OUTPUT_SUMS,
                               FRAME_BYTES + (sums->row_count + sums->lost_count) * ROW_BYTES);
    if (err != OK)
        return err;
    add_head(draft.body, context, TYPE_STEM TYPE_VERSION, slice_of_text(key), sums->offset,
             sums->wall_ms);
    add_data(draft.body, sums);
    return end(&draft, slice_of_text(key), ret_output);
}

enum err output_reserved(const struct output_context *context, const struct reserved *reserved,
                         struct slice key, struct output **ret_output)
{
    struct output_context limited = *context;
    limited.output_bytes_max = SUMS_BYTES_MAX;
    struct draft draft;
    enum err err =
        draft_begin(&draft, &limited, OUTPUT_SUMS, FRAME_BYTES + reserved->row_count * ROW_BYTES);
    if (err != OK)
        return err;
    add_head(draft.body, context, TYPE_RESERVED, reserved->worker, reserved->number,
             reserved->wall_ms);
    add_reserved(draft.body, reserved);
    return end(&draft, key.len > 0 ? key : reserved->worker, ret_output);
}

/* ---- reading ---- */

static bool read_text(struct arena *arena, const struct json *object, const char *name,
                      struct slice *ret_text)
{
    return json_string(arena, json_member(object, name), ret_text) && ret_text->len > 0;
}

static bool read_instant(struct arena *arena, const struct json *object, const char *name,
                         int64_t *ret_ms)
{
    struct slice text;
    return read_text(arena, object, name, &text) && instant_from_rfc3339(text, ret_ms);
}

static bool read_whole(const struct json *object, const char *name, int64_t *ret_value)
{
    return json_int64(json_member(object, name), ret_value) && *ret_value >= 0;
}

static bool read_amount(struct arena *arena, const struct json *object, struct sums_amount *ret)
{
    struct slice text;
    *ret = (struct sums_amount){.currency = SLICE_NULL};
    if (json_member(object, "amount") == NULL)
        return read_whole(object, "tokens", &ret->value);
    return read_text(arena, object, "amount", &text) && money_read_amount(text, &ret->value) &&
           read_text(arena, object, "currency", &ret->currency) &&
           ret->currency.len == MONEY_CURRENCY_LEN;
}

/* An array's elements, zeroed; NULL: it is none, or there is no memory. */
static void *new_elements(struct arena *arena, const struct json *array, size_t size)
{
    return json_is(array, JSON_ARRAY) ? arena_new_array(arena, array->count, size) : NULL;
}

static bool read_rows(struct arena *arena, const struct json *array, bool has_since,
                      const struct sums_row **ret_rows, size_t *ret_count)
{
    struct sums_row *rows = new_elements(arena, array, sizeof *rows), *row = rows;
    if (rows == NULL)
        return false;
    for (const struct json *item = array->first; item != NULL; item = item->next, row++)
        if (!read_text(arena, item, "tenant", &row->tenant) ||
            (has_since && !read_instant(arena, item, "since", &row->since_ms)) ||
            !read_amount(arena, item, &row->spent))
            return false;
    *ret_rows = rows;
    *ret_count = array->count;
    return true;
}

static bool read_lost(struct arena *arena, const struct json *array, struct sums *sums)
{
    struct sums_lost *lost = new_elements(arena, array, sizeof *lost), *one = lost;
    struct slice id;
    if (lost == NULL)
        return false;
    for (const struct json *item = array->first; item != NULL; item = item->next, one++)
        if (!read_text(arena, item, "id", &id) || !entry_id_read(id, &one->id) ||
            !read_text(arena, item, "tenant", &one->tenant) ||
            !read_instant(arena, item, "at", &one->at_ms) || !read_amount(arena, item, &one->spent))
            return false;
    sums->lost = lost;
    sums->lost_count = array->count;
    return true;
}

static bool read_rules(struct arena *arena, const struct json *data, uint64_t *ret_rules)
{
    struct slice text;
    *ret_rules = 0;
    if (!read_text(arena, data, "rules", &text) || text.len != RULES_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f'))
            return false;
        *ret_rules = *ret_rules << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

/* NULL, or the member that is wrong. */
static const char *read_data(struct arena *arena, const struct json *root, struct sums *sums)
{
    const struct json *data = json_member(root, "data");
    int64_t partition = 0;
    if (!read_instant(arena, root, "time", &sums->wall_ms))
        return "its time is damaged";
    if (!read_text(arena, data, "topic", &sums->usage_topic) ||
        !read_whole(data, "partition", &partition) || partition > INT32_MAX)
        return "topic or partition is damaged";
    sums->partition = (int32_t)partition;
    if (!read_whole(data, "offset", &sums->offset))
        return "its offset is damaged";
    if (!read_rules(arena, data, &sums->rules))
        return "rules is damaged";
    if (!read_rows(arena, json_member(data, "spent"), true, &sums->rows, &sums->row_count))
        return "spent is damaged";
    if (!read_lost(arena, json_member(data, "lost"), sums))
        return "lost is damaged";
    return NULL;
}

enum sums_verdict sums_read(struct arena *arena, struct slice value, struct sums *ret_sums,
                            const char **ret_why)
{
    const struct json *root = NULL;
    struct slice type;
    *ret_sums = (struct sums){.offset = 0};
    *ret_why = "it is no record of sums";
    if (json_parse(arena, value, &root, NULL) != OK || !read_text(arena, root, "type", &type) ||
        !slice_starts(type, SLICE(TYPE_STEM)))
        return SUMS_FOREIGN;
    *ret_why = "its version is another one";
    if (!slice_equal_text(type, TYPE_STEM TYPE_VERSION))
        return SUMS_VERSION;
    *ret_why = read_data(arena, root, ret_sums);
    return *ret_why == NULL ? SUMS_READ : SUMS_DAMAGED;
}

bool reserved_read(struct arena *arena, struct slice value, struct reserved *ret_reserved)
{
    const struct json *root = NULL;
    *ret_reserved = (struct reserved){.number = 0};
    if (json_parse(arena, value, &root, NULL) != OK ||
        !json_equal_text(json_member(root, "type"), TYPE_RESERVED))
        return false;
    const struct json *data = json_member(root, "data");
    struct entry_id id;
    return read_instant(arena, root, "time", &ret_reserved->wall_ms) &&
           read_text(arena, data, "topic", &ret_reserved->usage_topic) &&
           read_text(arena, data, "worker", &ret_reserved->worker) &&
           entry_id_read(ret_reserved->worker, &id) &&
           read_whole(data, "number", &ret_reserved->number) &&
           read_rules(arena, data, &ret_reserved->rules) &&
           read_rows(arena, json_member(data, "reserved"), false, &ret_reserved->rows,
                     &ret_reserved->row_count);
}
