#include "wire/chat/schema_text.h"

#include "base/attr.h"
#include "base/check.h"

#define INDENT 2 /* of json.dumps(indent=2) */

/* What stands at a place of a schema. */
enum place { PLACE_VALUE, PLACE_SCHEMA, PLACE_SCHEMAS /* a map or a list of them */ };

/* Where a schema holds other schemas. */
static const struct {
    const char *name;
    enum place place;
    enum json_kind kind;
    bool is_closed, is_strict; /* that change goes into them */
} keywords[] = {
    {"properties", PLACE_SCHEMAS, JSON_OBJECT, true, true},
    {"items", PLACE_SCHEMA, JSON_OBJECT, true, true},
    {"$defs", PLACE_SCHEMAS, JSON_OBJECT, true, true},
    {"definitions", PLACE_SCHEMAS, JSON_OBJECT, true, true},
    {"anyOf", PLACE_SCHEMAS, JSON_ARRAY, true, true},
    {"allOf", PLACE_SCHEMAS, JSON_ARRAY, true, true},
    {"oneOf", PLACE_SCHEMAS, JSON_ARRAY, true, false},
};

struct writer {
    struct buf *text;
    struct arena *scratch;
    const struct schema_form *form;
    size_t depth;
};

/* --- layout --- */

static void open(struct writer *writer, char bracket)
{
    buf_add_byte(writer->text, bracket);
    writer->depth++;
}

static void break_line(struct writer *writer)
{
    buf_add_byte(writer->text, '\n');
    for (size_t i = 0; i < INDENT * writer->depth; i++)
        buf_add_byte(writer->text, ' ');
}

static void begin_item(struct writer *writer, bool is_first)
{
    if (!is_first)
        buf_add_byte(writer->text, ',');
    if (writer->form->layout == SCHEMA_INDENTED)
        break_line(writer);
    else if (!is_first && writer->form->layout == SCHEMA_SPACED)
        buf_add_byte(writer->text, ' ');
}

static void close(struct writer *writer, char bracket, bool is_empty)
{
    CHECK(writer->depth > 0);
    writer->depth--;
    if (writer->form->layout == SCHEMA_INDENTED && !is_empty)
        break_line(writer);
    buf_add_byte(writer->text, bracket);
}

static void add_name(struct writer *writer, struct slice name, bool is_first)
{
    begin_item(writer, is_first);
    json_add_string(writer->text, name);
    buf_add_text(writer->text, writer->form->layout == SCHEMA_COMPACT ? ":" : ": ");
}

static void add_scalar(struct writer *writer, const struct json *node)
{
    struct slice text;
    bool is_escaped =
        node->kind == JSON_STRING && slice_find(node->source, '\\') < node->source.len;
    if (writer->form->layout == SCHEMA_COMPACT || !is_escaped)
        buf_add(writer->text, node->source);
    else if (json_string(writer->scratch, node, &text))
        json_add_string(writer->text, text);
    else
        writer->text->failed = ERR_NO_MEMORY;
}

/* --- what a change does to one schema --- */

static bool requires_all(const struct writer *writer, const struct json *schema)
{
    const struct json *properties = json_member(schema, "properties");
    return writer->form->change == SCHEMA_STRICT && json_is(properties, JSON_OBJECT) &&
           properties->count > 0;
}

static bool is_closed(const struct writer *writer, const struct json *schema)
{
    const struct json *properties = json_member(schema, "properties");
    if (writer->form->change == SCHEMA_CLOSED)
        return json_equal_text(json_member(schema, "type"), "object");
    return writer->form->change == SCHEMA_STRICT &&
           (requires_all(writer, schema) || json_member(schema, "required") != NULL ||
            json_member(schema, "additionalProperties") != NULL ||
            (properties != NULL && properties->count == 0));
}

static enum place place_of(const struct writer *writer, const struct json *schema,
                           const struct json *member)
{
    bool is_strict = writer->form->change == SCHEMA_STRICT;
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (!slice_equal_text(member->name, keywords[i].name))
            continue;
        bool goes_in = is_strict ? keywords[i].is_strict : keywords[i].is_closed;
        bool is_apart = i == 0 && writer->form->change == SCHEMA_CLOSED &&
                        !is_closed(writer, schema); /* the properties of what has no type */
        return goes_in && !is_apart && member->kind == keywords[i].kind ? keywords[i].place
                                                                        : PLACE_VALUE;
    }
    return PLACE_VALUE;
}

static bool is_left_out(const struct writer *writer, struct slice name)
{
    return writer->depth == 1 &&
           slice_is_one_of(name, writer->form->without, writer->form->without_count);
}

/* --- the walk: as deep as JSON nests (JSON_DEPTH_MAX) --- */

static void add_value(struct writer *writer, const struct json *node, enum place place);

/* The names of all properties. */
static void add_required(struct writer *writer, const struct json *schema)
{
    const struct json *properties = json_member(schema, "properties");
    open(writer, '[');
    for (const struct json *member = properties->first; member != NULL; member = member->next) {
        begin_item(writer, member == properties->first);
        json_add_string(writer->text, member->name);
    }
    close(writer, ']', false);
}

static void add_schema(struct writer *writer, const struct json *schema)
{
    bool wants_required = requires_all(writer, schema), wants_end = is_closed(writer, schema);
    size_t count = 0;
    open(writer, '{');
    for (const struct json *member = schema->first; member != NULL; member = member->next) {
        bool is_required = slice_equal_text(member->name, "required");
        bool is_end = slice_equal_text(member->name, "additionalProperties");
        if (is_left_out(writer, member->name))
            continue;
        add_name(writer, member->name, count++ == 0);
        if (is_required && wants_required)
            add_required(writer, schema);
        else if (is_end && wants_end)
            buf_add_text(writer->text, "false");
        else
            add_value(writer, member, place_of(writer, schema, member));
    }
    if (wants_required && json_member(schema, "required") == NULL) {
        add_name(writer, SLICE("required"), count++ == 0);
        add_required(writer, schema);
    }
    if (wants_end && json_member(schema, "additionalProperties") == NULL) {
        add_name(writer, SLICE("additionalProperties"), count++ == 0);
        buf_add_text(writer->text, "false");
    }
    close(writer, '}', count == 0);
}

static void add_items(struct writer *writer, const struct json *node, enum place place)
{
    bool is_object = node->kind == JSON_OBJECT;
    open(writer, is_object ? '{' : '[');
    for (const struct json *item = node->first; item != NULL; item = item->next) {
        if (is_object)
            add_name(writer, item->name, item == node->first);
        else
            begin_item(writer, item == node->first);
        add_value(writer, item, place == PLACE_SCHEMAS ? PLACE_SCHEMA : PLACE_VALUE);
    }
    close(writer, is_object ? '}' : ']', node->count == 0);
}

static void add_value(struct writer *writer, const struct json *node, enum place place)
{
    if (node->kind != JSON_OBJECT && node->kind != JSON_ARRAY)
        add_scalar(writer, node);
    else if (place == PLACE_SCHEMA && node->kind == JSON_OBJECT)
        add_schema(writer, node);
    else if (place == PLACE_VALUE && writer->form->layout == SCHEMA_COMPACT)
        buf_add(writer->text, node->source);
    else
        add_items(writer, node, place);
}

void schema_write(struct buf *text, const struct json *schema, const struct schema_form *form,
                  struct arena *scratch)
{
    struct writer writer = {.text = text, .scratch = scratch, .form = form};
    add_schema(&writer, schema);
}
