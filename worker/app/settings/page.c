/* The settings table as a page for people and as a JSON Schema for editors. */
#include "app/settings/parts.h"

#include <string.h>

#include "wire/bedrock/dialects.h"
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

/* Appends a piece of JSON that is written with ' for ". */
static void add_schema(struct buf *buf, const char *piece)
{
    for (; *piece != '\0'; piece++)
        buf_add_byte(buf, *piece == '\'' ? '"' : *piece);
}

static void add_bounds(struct buf *buf, int64_t low, int64_t high)
{
    json_add_int_member(buf, "minimum", low);
    json_add_int_member(buf, "maximum", high);
}

/* YAML's numbers and booleans are texts where a text is wanted: a replica may be called 0. */
#define TEXT_TYPE "'type':['string','number','boolean']"
/* In the place of a value. */
#define VARIABLE "{'type':'string','pattern':'[$][{][A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?[}]'}"

/* One parameter of an alias's defaults; a number may also come from the environment. */
static void add_parameter_schema(struct buf *buf, const struct parameter_row *row)
{
    static const char *const FORMS[] = {
        [PARAMETER_NUMBER] = "{'type':['number','string']}",
        [PARAMETER_WHOLE] = "{'type':['integer','string']}",
        [PARAMETER_TEXTS] = "{'type':'array','items':{" TEXT_TYPE "}}",
    };
    json_add_name(buf, row->name);
    add_schema(buf, FORMS[row->form]);
}

static void add_aliases_schema(struct buf *buf)
{
    size_t api_count;
    const struct api_name *const *apis = dialect_apis(&api_count);
    add_schema(buf, "'type':'object','additionalProperties':{'type':'object','required':['id'],"
                    "'additionalProperties':false,'properties':{'id':{" TEXT_TYPE ",'minLength':1},"
                    "'region':{" TEXT_TYPE "},"
                    "'defaults':{'type':'object','additionalProperties':false,'properties':{");
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        add_parameter_schema(buf, &parameter_rows[i]);
    add_schema(buf, "}},'api':{'enum':['auto'");
    for (size_t i = 0; i < api_count; i++) {
        json_add_comma(buf);
        json_add_string(buf, slice_of_text(apis[i]->api));
    }
    add_schema(buf, "]}}}");
}

static void add_amount_schema(struct buf *buf, const struct setting_row *row)
{
    add_schema(buf, "'anyOf':[");
    if (row->kind == SETTING_COUNT) {
        add_schema(buf, "{'type':'integer'");
        add_bounds(buf, row->low, row->high);
        add_schema(buf, "}");
    } else if (row->kind == SETTING_SPAN) {
        add_schema(buf, "{'type':'string','pattern':'^([0-9]+([.][0-9]+)?(d|h|m|s|ms))+$'}");
    } else {
        add_schema(buf, "{'type':'integer','minimum':0},"
                        "{'type':'string','pattern':'^[0-9]+(B|kB|KB|MB|GB|KiB|MiB|GiB)?$'}");
    }
    add_schema(buf, "," VARIABLE "]");
}

static void add_choice_schema(struct buf *buf, const struct setting_row *row)
{
    add_schema(buf, "'anyOf':[{'enum':['");
    settings_add_choices(buf, row, "\",\"");
    add_schema(buf, "']}," VARIABLE "]");
}

static void add_kind_schema(struct buf *buf, const struct setting_row *row)
{
    switch (row->kind) {
    case SETTING_TEXT:
        add_schema(buf, row->is_needed ? TEXT_TYPE ",'minLength':1" : TEXT_TYPE);
        return;
    case SETTING_LIST:
        add_schema(buf, "'type':'array','items':{" TEXT_TYPE ",'minLength':1}");
        add_schema(buf, row->is_needed ? ",'minItems':1" : "");
        return;
    case SETTING_FLAG:
        add_schema(buf, "'anyOf':[{'type':'boolean'}," VARIABLE "]");
        return;
    case SETTING_COUNT:
    case SETTING_SPAN:
    case SETTING_SIZE:
        add_amount_schema(buf, row);
        return;
    case SETTING_CHOICE:
        add_choice_schema(buf, row);
        return;
    case SETTING_PROPERTIES:
        add_schema(buf, "'type':'object','additionalProperties':{" TEXT_TYPE "}");
        return;
    case SETTING_ALIASES:
        add_aliases_schema(buf);
        return;
    case SETTING_TEMPLATES:
        add_schema(buf, "'type':'object','additionalProperties':{'type':'array','minItems':1,"
                        "'items':{'type':'array','prefixItems':[{'enum':['system','human','user',"
                        "'ai','assistant']},{" TEXT_TYPE "}],'minItems':2,'maxItems':2}}");
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
    buf_add_byte(buf, '\n');
    json_add_string(buf, part_of(path, settings_depth(path)));
    buf_add_text(buf, ":{");
    json_add_text_member(buf, "description", slice_of_text(row->words));
    struct slice text = slice_of_text(row->default_text);
    bool is_json = row->kind == SETTING_FLAG || row->kind == SETTING_COUNT ||
                   row->default_text[0] == '[' || row->default_text[0] == '{';
    json_add_name(buf, "default");
    if (is_json)
        buf_add(buf, text);
    else
        json_add_string(buf, slice_equal_text(text, "''") ? SLICE("") : text);
    buf_add_byte(buf, ',');
    add_kind_schema(buf, row);
    buf_add_byte(buf, '}');
}

/* Open: its members follow. */
#define GROUP_TYPE "'type':['object','null'],'additionalProperties':false,'properties':{"

void settings_add_schema(struct buf *buf)
{
    size_t count = 0, depth = 0;
    const struct setting_row *rows = settings_rows(&count);
    struct slice before = SLICE("");
    add_schema(buf, "{'$schema':'https://json-schema.org/draft/2020-12/schema',\n"
                    "'title':'Settings of bedrock-worker " BEDROCK_VERSION "',\n" GROUP_TYPE);
    for (size_t i = 0; i < count; i++) {
        struct slice path = slice_of_text(rows[i].path);
        for (size_t kept = shared_parts(before, path); depth > kept; depth--)
            buf_add_text(buf, "}}");
        for (; depth < settings_depth(path); depth++) {
            json_add_comma(buf);
            buf_add_byte(buf, '\n');
            json_add_string(buf, part_of(path, depth));
            add_schema(buf, ":{" GROUP_TYPE);
        }
        add_row_schema(buf, &rows[i]);
        before = path;
    }
    for (; depth > 0; depth--)
        buf_add_text(buf, "}}");
    buf_add_text(buf, "}}\n");
}
