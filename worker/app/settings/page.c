/* The settings table as a page for people and as a JSON Schema for editors. */
#include "app/settings/parts.h"

#include <string.h>

#include "wire/formats/json.h"

#define PAGE_COLUMNS 100
#define DEPTH_MAX    8

static const char *const KIND_WORDS[] = {
    [SETTING_TEXT] = "text",           [SETTING_FLAG] = "true or false",
    [SETTING_COUNT] = "whole number",  [SETTING_SPAN] = "duration",
    [SETTING_SIZE] = "size",           [SETTING_CHOICE] = "one of",
    [SETTING_LIST] = "list of texts",  [SETTING_PROPERTIES] = "map of librdkafka properties",
    [SETTING_ALIASES] = "map by name", [SETTING_TEMPLATES] = "map by name",
};

/* Adds the words, broken at spaces; code between backticks is kept together. */
static void add_wrapped(struct buf *buf, const char *indent, const char *words)
{
    struct slice rest = slice_of_text(words);
    size_t column = 0;
    while (rest.len > 0) {
        size_t len = 0;
        bool in_code = false;
        while (len < rest.len && (in_code || rest.ptr[len] != ' ')) {
            in_code ^= rest.ptr[len] == '`';
            len++;
        }
        if (column > 0 && column + 1 + len > PAGE_COLUMNS) {
            buf_add_byte(buf, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_add_text(buf, indent);
            column = strlen(indent);
        } else {
            buf_add_byte(buf, ' ');
            column++;
        }
        buf_add(buf, slice_sub(rest, 0, len));
        column += len;
        rest = slice_sub(rest, len + 1, rest.len);
    }
    buf_add_byte(buf, '\n');
}

static void add_facts(struct buf *buf, const struct setting_row *row)
{
    buf_addf(buf, "    %s", KIND_WORDS[row->kind]);
    if (row->kind == SETTING_CHOICE) {
        buf_add_byte(buf, ' ');
        settings_add_choices(buf, row, ", ");
    }
    if (row->kind == SETTING_COUNT || row->kind == SETTING_SPAN || row->kind == SETTING_SIZE) {
        buf_add_text(buf, " from ");
        settings_add_amount(buf, row->kind, row->low);
        buf_add_text(buf, " to ");
        settings_add_amount(buf, row->kind, row->high);
    }
    buf_addf(buf, "; default %s\n", row->default_text);
}

static void add_group_of(struct buf *buf, const char *path)
{
    size_t count = 0;
    const struct setting_group *groups = settings_groups(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(groups[i].path, path) == 0) {
            buf_addf(buf, "\n%s\n", path);
            add_wrapped(buf, "  ", groups[i].words);
        }
    }
}

static struct slice first_part(const char *path)
{
    struct slice whole = slice_of_text(path);
    return slice_sub(whole, 0, slice_find(whole, '.'));
}

void settings_add_reference(struct buf *buf)
{
    size_t count = 0;
    const struct setting_row *rows = settings_rows(&count);
    struct slice group = SLICE_NULL;
    buf_add_text(buf, "SETTINGS OF bedrock-worker " BEDROCK_VERSION "\n\n");
    add_wrapped(
        buf, "  ",
        "A settings file is YAML. Every setting has a default that serves, so an empty file "
        "is a valid one. In values `${NAME}` and `${NAME:-default}` are replaced by the "
        "environment, and `$$` is a dollar. Durations have a unit (`200ms`, `30s`, `5m`, "
        "`1h`), sizes may have one (`64KiB`, `16MiB`, `1GB`). Unknown settings, wrong types "
        "and values outside of their limits are refused with file, line and column; "
        "`bedrock-worker check` tells all of them at once.");
    for (size_t i = 0; i < count; i++) {
        struct slice part = first_part(rows[i].path);
        if (!slice_equal(part, group)) {
            char name[64] = "";
            memcpy(name, part.ptr, part.len < sizeof name ? part.len : 0);
            add_group_of(buf, name);
            group = part;
        }
        buf_addf(buf, "\n  %s\n", rows[i].path);
        add_facts(buf, &rows[i]);
        add_wrapped(buf, "    ", rows[i].words);
    }
}

#define VARIABLE_PATTERN "\\\\$\\\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\\\}"

/* A value, or an environment variable in its place. */
static void add_or_variable(struct buf *buf, const char *schema)
{
    buf_addf(buf, "\"anyOf\":[%s,{\"type\":\"string\",\"pattern\":\"" VARIABLE_PATTERN "\"}]",
             schema);
}

static void add_choice_schema(struct buf *buf, const struct setting_row *row)
{
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, 1024);
    buf_add_text(&words, "{\"enum\":[\"");
    settings_add_choices(&words, row, "\",\"");
    buf_add_text(&words, "\"]}");
    add_or_variable(buf, buf_text(&words));
}

/* YAML's numbers and booleans are texts where a text is wanted: a replica may be called 0. */
#define TEXT_TYPE "\"type\":[\"string\",\"number\",\"boolean\"]"

static const char ALIAS_SCHEMA[] =
    "\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\",\"required\":[\"id\"],"
    "\"additionalProperties\":false,\"properties\":{\"id\":{" TEXT_TYPE ",\"minLength\":1},"
    "\"api\":{\"enum\":[\"auto\",\"converse\"]},\"region\":{" TEXT_TYPE "},"
    "\"defaults\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"temperature\":{\"type\":[\"number\",\"string\"]},\"top_p\":{\"type\":[\"number\",\"string\"]"
    "},"
    "\"top_k\":{\"type\":[\"integer\",\"string\"]},\"max_tokens\":{\"type\":[\"integer\","
    "\"string\"]},"
    "\"stop\":{\"type\":\"array\",\"items\":{" TEXT_TYPE "}}}}}}";
static const char TEMPLATES_SCHEMA[] =
    "\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\",\"minItems\":1,\"items\":{"
    "\"type\":\"array\",\"prefixItems\":[{\"enum\":[\"system\",\"human\",\"user\",\"ai\","
    "\"assistant\"]},"
    "{" TEXT_TYPE "}],\"minItems\":2,\"maxItems\":2}}";
static const char PROPERTIES_SCHEMA[] =
    "\"type\":\"object\",\"additionalProperties\":{" TEXT_TYPE "}";

static void add_kind_schema(struct buf *buf, const struct setting_row *row)
{
    struct buf part OWNED_BY(buf_done);
    buf_init(&part, 1024);
    switch (row->kind) {
    case SETTING_TEXT:
        buf_addf(buf, TEXT_TYPE "%s", row->is_needed ? ",\"minLength\":1" : "");
        return;
    case SETTING_LIST:
        buf_addf(buf, "\"type\":\"array\",\"items\":{" TEXT_TYPE ",\"minLength\":1}%s",
                 row->is_needed ? ",\"minItems\":1" : "");
        return;
    case SETTING_FLAG:
        add_or_variable(buf, "{\"type\":\"boolean\"}");
        return;
    case SETTING_COUNT:
        buf_addf(&part, "{\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld}",
                 (long long)row->low, (long long)row->high);
        add_or_variable(buf, buf_text(&part));
        return;
    case SETTING_SPAN:
        add_or_variable(buf, "{\"type\":\"string\",\"pattern\":\"^([0-9]+(d|h|m|s|ms))+$\"}");
        return;
    case SETTING_SIZE:
        add_or_variable(buf, "{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\","
                             "\"pattern\":\"^[0-9]+(B|kB|KB|MB|GB|KiB|MiB|GiB)?$\"}");
        return;
    case SETTING_CHOICE:
        add_choice_schema(buf, row);
        return;
    case SETTING_PROPERTIES:
        buf_add_text(buf, PROPERTIES_SCHEMA);
        return;
    case SETTING_ALIASES:
        buf_add_text(buf, ALIAS_SCHEMA);
        return;
    case SETTING_TEMPLATES:
        buf_add_text(buf, TEMPLATES_SCHEMA);
        return;
    }
}

/* How many leading parts two paths share, of the parts before the last one of `path`. */
static size_t shared_parts(struct slice before, struct slice path)
{
    size_t parts = 0;
    for (size_t i = 0; i < path.len && i < before.len && path.ptr[i] == before.ptr[i]; i++)
        parts += path.ptr[i] == '.';
    return parts;
}

/* The part of a path with this index. */
static struct slice part_of(struct slice path, size_t index)
{
    while (index-- > 0)
        path = slice_sub(path, slice_find(path, '.') + 1, path.len);
    return slice_sub(path, 0, slice_find(path, '.'));
}

static void add_row_schema(struct buf *buf, const struct setting_row *row)
{
    struct slice path = slice_of_text(row->path);
    json_add_comma(buf);
    buf_addf(buf, "\n\"%.*s\":{\"description\":", SLICE_ARG(part_of(path, settings_depth(path))));
    json_add_string(buf, slice_of_text(row->words));
    struct slice text = slice_of_text(row->default_text);
    bool is_json = row->kind == SETTING_FLAG || row->kind == SETTING_COUNT ||
                   row->default_text[0] == '[' || row->default_text[0] == '{';
    buf_add_text(buf, ",\"default\":");
    if (is_json)
        buf_add(buf, text);
    else
        json_add_string(buf, slice_equal_text(text, "''") ? SLICE("") : text);
    buf_add_byte(buf, ',');
    add_kind_schema(buf, row);
    buf_add_byte(buf, '}');
}

void settings_add_schema(struct buf *buf)
{
    size_t count = 0, depth = 0;
    const struct setting_row *rows = settings_rows(&count);
    struct slice before = SLICE("");
    buf_add_text(buf,
                 "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
                 "\"title\":\"Settings of bedrock-worker " BEDROCK_VERSION "\",\n"
                 "\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{");
    for (size_t i = 0; i < count; i++) {
        struct slice path = slice_of_text(rows[i].path);
        for (size_t kept = shared_parts(before, path); depth > kept; depth--)
            buf_add_text(buf, "}}");
        for (; depth < settings_depth(path); depth++) {
            json_add_comma(buf);
            buf_addf(buf,
                     "\n\"%.*s\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,"
                     "\"properties\":{",
                     SLICE_ARG(part_of(path, depth)));
        }
        add_row_schema(buf, &rows[i]);
        before = path;
    }
    for (; depth > 0; depth--)
        buf_add_text(buf, "}}");
    buf_add_text(buf, "}}\n");
}
