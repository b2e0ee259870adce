/* Prints the settings table as a JSON Schema (2020-12) for editors. The schema accepts every file
 * that the reader accepts, and rejects files whose form is wrong. Only the reader finds the other
 * mistakes. */
#include "app/settings/parts.h"

#include "wire/chat/presets.h"
#include "wire/formats/json.h"

/* A number or boolean of YAML is a text where the setting is a text: an instance may be called 0.
 */
#define TEXT_TYPES       "string|number|boolean"
#define GROUP_TYPES      "object|null"
#define VARIABLE_PATTERN "[$][{][A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?[}]"
#define SPAN_PATTERN     "^([0-9]+([.][0-9]+)?(d|h|m|s|ms))+$"
#define SIZE_PATTERN     "^[0-9]+(B|kB|KB|MB|GB|KiB|MiB|GiB)?$"
#define PART_PATTERN     "^ *[0-9]+([.][0-9]{1,3})? *% *$|" VARIABLE_PATTERN
#define ROLES            "system|human|user|ai|assistant"

/* Begins an object or an array, as the member `name` of an object or, if NULL, an item of an array.
 */
static void begin(struct buf *buf, const char *name, char bracket)
{
    if (name != NULL)
        json_add_name(buf, name);
    else
        json_add_comma(buf);
    buf_add_byte(buf, bracket);
}

static void end(struct buf *buf, const char *brackets)
{
    buf_add_text(buf, brackets);
}

/* Adds an array of strings, from `a|b`. */
static void add_choices(struct buf *buf, const char *name, const char *words)
{
    struct slice rest = slice_of_text(words);
    begin(buf, name, '[');
    while (rest.len > 0) {
        size_t len = slice_find(rest, '|');
        json_add_comma(buf);
        json_add_string(buf, slice_sub(rest, 0, len));
        rest = slice_sub(rest, len + 1, rest.len);
    }
    end(buf, "]");
}

/* Adds one type, or several from `a|b`. */
static void add_type(struct buf *buf, const char *types)
{
    struct slice all = slice_of_text(types);
    if (slice_find(all, '|') == all.len)
        json_add_text_member(buf, "type", all);
    else
        add_choices(buf, "type", types);
}

static void add_text(struct buf *buf, bool is_needed)
{
    add_type(buf, TEXT_TYPES);
    if (is_needed)
        json_add_int_member(buf, "minLength", 1);
}

static void add_texts(struct buf *buf, bool is_needed, bool are_needed)
{
    add_type(buf, "array");
    begin(buf, "items", '{');
    add_text(buf, are_needed);
    end(buf, "}");
    if (is_needed)
        json_add_int_member(buf, "minItems", 1);
}

/* Adds a string with this pattern, as one of several forms. */
static void add_pattern(struct buf *buf, const char *pattern)
{
    begin(buf, NULL, '{');
    add_type(buf, "string");
    json_add_text_member(buf, "pattern", slice_of_text(pattern));
    end(buf, "}");
}

static void add_range(struct buf *buf, int64_t low, int64_t high)
{
    begin(buf, NULL, '{');
    add_type(buf, "integer");
    json_add_int_member(buf, "minimum", low);
    json_add_int_member(buf, "maximum", high);
    end(buf, "}");
}

/* Adds the forms of a value that is not a text, or of an environment variable in its place. */
static void add_forms(struct buf *buf, const struct setting_row *row)
{
    begin(buf, "anyOf", '[');
    if (row->kind == SETTING_FLAG) {
        begin(buf, NULL, '{');
        add_type(buf, "boolean");
        end(buf, "}");
    } else if (row->kind == SETTING_CHOICE) {
        begin(buf, NULL, '{');
        add_choices(buf, "enum", row->choices);
        end(buf, "}");
    } else if (row->kind == SETTING_SPAN) {
        add_pattern(buf, SPAN_PATTERN);
        if (row->low == 0)
            add_range(buf, 0, 0);
    } else {
        add_range(buf, row->low, row->high);
    }
    if (row->kind == SETTING_SIZE)
        add_pattern(buf, SIZE_PATTERN);
    add_pattern(buf, VARIABLE_PATTERN);
    end(buf, "]");
}

/* Begins a map whose only valid members are those that follow. */
static void begin_map(struct buf *buf, const char *types)
{
    add_type(buf, types);
    json_add_bool_member(buf, "additionalProperties", false);
    begin(buf, "properties", '{');
}

/* Adds the properties of presets to those of defaults. */
static void add_presets(struct buf *buf)
{
    size_t count = 0;
    const struct preset_row *rows = preset_rows(&count);
    for (size_t i = 0; i < count; i++) {
        begin(buf, rows[i].name, '{');
        if (rows[i].form == PRESET_TEXT)
            add_text(buf, false);
        else if (rows[i].form == PRESET_TEXTS)
            add_texts(buf, true, false);
        else
            add_type(buf, "object");
        end(buf, "}");
    }
}

static void add_defaults(struct buf *buf)
{
    static const char *const TYPES[] = {
        [PARAMETER_NUMBER] = "number|string", /* a text: an environment variable */
        [PARAMETER_WHOLE] = "integer|string",
    };
    begin_map(buf, "object");
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++) {
        begin(buf, parameter_rows[i].name, '{');
        if (parameter_rows[i].form == PARAMETER_TEXTS)
            add_texts(buf, false, false);
        else
            add_type(buf, TYPES[parameter_rows[i].form]);
        end(buf, "}");
    }
    add_presets(buf);
    end(buf, "}");
}

static void add_drop(struct buf *buf)
{
    struct buf names OWNED_BY(buf_done);
    buf_init(&names, 1024);
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        buf_addf(&names, "%s%s", i == 0 ? "" : "|", parameter_rows[i].name);
    add_type(buf, "array");
    begin(buf, "items", '{');
    begin(buf, "anyOf", '[');
    begin(buf, NULL, '{');
    add_choices(buf, "enum", buf_text(&names));
    end(buf, "}");
    add_pattern(buf, VARIABLE_PATTERN);
    end(buf, "]}");
}

static void add_tags(struct buf *buf)
{
    add_type(buf, "object");
    json_add_int_member(buf, "maxProperties", STS_TAGS_MAX);
    begin(buf, "additionalProperties", '{');
    add_text(buf, false);
    end(buf, "}");
}

static void add_identity(struct buf *buf)
{
    size_t count = 0;
    const struct identity_member *rows = settings_identity_members(&count);
    begin_map(buf, "object");
    for (size_t i = 0; i < count; i++) {
        begin(buf, rows[i].name, '{');
        if (rows[i].kind == IDENTITY_TAGS)
            add_tags(buf);
        else
            add_text(buf, false);
        end(buf, "}");
    }
    end(buf, "}");
}

static void add_fallback(struct buf *buf)
{
    add_texts(buf, false, true);
    json_add_int_member(buf, "maxItems", MODEL_FALLBACKS_MAX);
}

static void add_member(struct buf *buf, enum alias_kind kind)
{
    static const struct setting_row SPAN = {.kind = SETTING_SPAN, .low = FALLBACK_AFTER_MS_MIN};
    struct buf apis OWNED_BY(buf_done);
    buf_init(&apis, APIS_BYTES_MAX);
    switch (kind) {
    case ALIAS_TEXT:
    case ALIAS_MODEL:
        add_text(buf, kind == ALIAS_MODEL);
        return;
    case ALIAS_API:
        settings_add_apis(&apis);
        add_choices(buf, "enum", buf_text(&apis));
        return;
    case ALIAS_DEFAULTS:
        add_defaults(buf);
        return;
    case ALIAS_DROP:
        add_drop(buf);
        return;
    case ALIAS_IDENTITY:
        add_identity(buf);
        return;
    case ALIAS_FALLBACK:
        add_fallback(buf);
        return;
    case ALIAS_SPAN:
        add_forms(buf, &SPAN);
        return;
    }
}

static void add_aliases(struct buf *buf)
{
    size_t count = 0;
    const struct alias_member *rows = settings_alias_members(&count);
    add_type(buf, "object");
    begin(buf, "additionalProperties", '{');
    begin_map(buf, "object");
    for (size_t i = 0; i < count; i++) {
        begin(buf, rows[i].name, '{');
        add_member(buf, rows[i].kind);
        end(buf, "}");
    }
    end(buf, "}");
    add_choices(buf, "required", "id");
    end(buf, "}");
}

/* Adds the schema of a list of pairs of a role and a text. */
static void add_templates(struct buf *buf)
{
    add_type(buf, "object");
    begin(buf, "additionalProperties", '{');
    add_type(buf, "array");
    json_add_int_member(buf, "minItems", 1);
    begin(buf, "items", '{');
    add_type(buf, "array");
    begin(buf, "prefixItems", '[');
    begin(buf, NULL, '{');
    add_choices(buf, "enum", ROLES);
    end(buf, "}");
    begin(buf, NULL, '{');
    add_text(buf, false);
    end(buf, "}]");
    json_add_int_member(buf, "minItems", 2);
    json_add_int_member(buf, "maxItems", 2);
    end(buf, "}}");
}

static void add_quota_member(struct buf *buf, const struct quota_member *member)
{
    switch (member->kind) {
    case QUOTA_GLOB:
    case QUOTA_REGION:
        add_text(buf, true);
        return;
    case QUOTA_PART:
        add_type(buf, "string");
        json_add_text_member(buf, "pattern", slice_of_text(PART_PATTERN));
        return;
    case QUOTA_AMOUNT:
    case QUOTA_BURST:
        break;
    }
    struct setting_row row = {.kind = member->kind == QUOTA_BURST ? SETTING_SPAN : SETTING_COUNT,
                              .low = member->low,
                              .high = member->high};
    add_forms(buf, &row);
}

static void add_quotas(struct buf *buf)
{
    size_t count = 0;
    const struct quota_member *rows = settings_quota_members(&count);
    add_type(buf, "array");
    json_add_int_member(buf, "maxItems", SETTING_QUOTAS_MAX);
    begin(buf, "items", '{');
    begin_map(buf, "object");
    for (size_t i = 0; i < count; i++) {
        begin(buf, rows[i].name, '{');
        add_quota_member(buf, &rows[i]);
        end(buf, "}");
    }
    end(buf, "}");
    add_choices(buf, "required", "model");
    end(buf, "}");
}

static void add_tenants(struct buf *buf)
{
    size_t count = 0;
    const struct tenant_member *rows = settings_tenant_members(&count);
    add_type(buf, "object");
    json_add_int_member(buf, "maxProperties", TENANT_ROWS_MAX);
    begin(buf, "additionalProperties", '{');
    begin_map(buf, "object");
    for (size_t i = 0; i < count; i++) {
        struct setting_row row = {.kind = SETTING_COUNT, .low = rows[i].low, .high = rows[i].high};
        begin(buf, rows[i].name, '{');
        add_forms(buf, &row);
        end(buf, "}");
    }
    begin(buf, "budget", '{');
    settings_add_budget_schema(buf);
    end(buf, "}");
    begin(buf, "topics", '{');
    add_type(buf, "array");
    begin(buf, "items", '{');
    add_type(buf, "string");
    end(buf, "}");
    end(buf, "}");
    end(buf, "}");
    json_add_int_member(buf, "minProperties", 1);
    end(buf, "}");
}

static void add_properties(struct buf *buf)
{
    add_type(buf, "object");
    begin(buf, "additionalProperties", '{');
    add_text(buf, false);
    end(buf, "}");
}

static void add_kind(struct buf *buf, const struct setting_row *row)
{
    switch (row->kind) {
    case SETTING_TEXT:
    case SETTING_PRICES:
        add_text(buf, row->is_needed);
        return;
    case SETTING_LIST:
        add_texts(buf, row->is_needed, true);
        return;
    case SETTING_FLAG:
    case SETTING_COUNT:
    case SETTING_SPAN:
    case SETTING_SIZE:
    case SETTING_CHOICE:
        add_forms(buf, row);
        return;
    case SETTING_PROPERTIES:
        add_properties(buf);
        return;
    case SETTING_TAGS:
        add_tags(buf);
        return;
    case SETTING_ALIASES:
        add_aliases(buf);
        return;
    case SETTING_TEMPLATES:
        add_templates(buf);
        return;
    case SETTING_QUOTAS:
        add_quotas(buf);
        return;
    case SETTING_TENANTS:
        add_tenants(buf);
        return;
    }
}

/* The number of leading groups that two paths share. */
static size_t shared_parts(struct slice before, struct slice path)
{
    size_t parts = 0;
    for (size_t i = 0; i < path.len && i < before.len && path.ptr[i] == before.ptr[i]; i++)
        parts += path.ptr[i] == '.';
    return parts;
}

/* Begins a member, on a new line, that has the name of the path's part with this index. */
static void begin_part(struct buf *buf, struct slice path, size_t index)
{
    while (index-- > 0)
        path = slice_sub(path, slice_find(path, '.') + 1, path.len);
    json_add_comma(buf);
    buf_add_byte(buf, '\n');
    json_add_string(buf, slice_sub(path, 0, slice_find(path, '.')));
    buf_add_text(buf, ":{");
}

static void add_row(struct buf *buf, const struct setting_row *row)
{
    struct slice path = slice_of_text(row->path), text = slice_of_text(row->default_text);
    bool is_json = row->kind == SETTING_FLAG || row->kind == SETTING_COUNT ||
                   slice_starts(text, SLICE("[")) || slice_starts(text, SLICE("{"));
    begin_part(buf, path, settings_depth(path));
    json_add_text_member(buf, "description", slice_of_text(row->description));
    if (is_json)
        json_add_member(buf, "default", text);
    else
        json_add_text_member(buf, "default", slice_equal_text(text, "''") ? SLICE("") : text);
    add_kind(buf, row);
    end(buf, "}");
}

void settings_add_schema(struct buf *buf)
{
    size_t count = 0, depth = 0;
    const struct setting_row *rows = settings_rows(&count);
    struct slice before = SLICE("");
    begin(buf, NULL, '{');
    json_add_text_member(buf, "$schema", SLICE("https://json-schema.org/draft/2020-12/schema"));
    json_add_text_member(buf, "title", SLICE("Settings of bedrock-worker " BEDROCK_VERSION));
    begin_map(buf, GROUP_TYPES);
    for (size_t i = 0; i < count; i++) {
        struct slice path = slice_of_text(rows[i].path);
        for (size_t kept = shared_parts(before, path); depth > kept; depth--)
            end(buf, "}}");
        for (; depth < settings_depth(path); depth++) {
            begin_part(buf, path, depth);
            begin_map(buf, GROUP_TYPES);
        }
        add_row(buf, &rows[i]);
        before = path;
    }
    for (; depth > 0; depth--)
        end(buf, "}}");
    end(buf, "}}\n");
}
