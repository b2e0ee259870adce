#include "wire/chat/tool_fields.h"

#include "wire/chat/cache_control.h"
#include "wire/chat/name_index.h"
#include "wire/chat/tool_choice.h"
#include "wire/chat/tool_schema.h"
#include "wire/formats/path.h"

#define NO_PARAMETERS SLICE("{\"type\":\"object\",\"properties\":{}}")

/* One tool on its way, or the object in its one member `inside`. */
struct spec {
    struct reader *reader;
    const char *field; /* its list */
    size_t index;
    const char *inside; /* NULL = the tool itself */
    struct tool *tool;
};

/* Paths are long: they are written for mistakes only. */
static struct path path_of(const struct spec *spec)
{
    struct path path = path_element(spec->field, spec->index);
    return spec->inside == NULL ? path : path_member(path.text, slice_of_text(spec->inside));
}

static struct spec inside(const struct spec *spec, const char *member)
{
    struct spec inner = *spec;
    inner.inside = member;
    return inner;
}

static enum err refuse(const struct spec *spec, const char *member, const char *words)
{
    struct path path = path_member(path_of(spec).text, slice_of_text(member));
    return why_set(&spec->reader->why, ERR_INVALID, path.text, "%s", words);
}

static bool is_given(const struct json *node)
{
    return node != NULL && node->kind != JSON_NULL;
}

/* --- what the forms share --- */

static enum err read_name(const struct spec *spec, const struct json *name, const char *member)
{
    if (name == NULL)
        return refuse(spec, member, "missing");
    if (!reader_is_full_string(name))
        return refuse(spec, member, "must be a string that is not empty");
    spec->tool->name = name->source;
    return OK;
}

/* An empty one is none: Bedrock refuses it. */
static enum err read_description(const struct spec *spec, const struct json *description)
{
    if (is_given(description) && description->kind != JSON_STRING)
        return refuse(spec, "description", "must be a string");
    if (reader_is_full_string(description))
        spec->tool->description = description->source;
    return OK;
}

static enum err keep_schema(const struct spec *spec, const struct json *schema)
{
    spec->tool->schema_given = schema->source;
    enum err err = tool_schema_slim(spec->reader->arena, schema, &spec->tool->schema);
    return err == OK ? OK : reader_no_memory(spec->reader);
}

static enum err read_schema(const struct spec *spec, const struct json *schema, const char *member)
{
    if (is_given(schema) && schema->kind != JSON_OBJECT)
        return refuse(spec, member, "must be an object");
    if (is_given(schema))
        return keep_schema(spec, schema);
    spec->tool->schema = spec->tool->schema_given = NO_PARAMETERS;
    return OK;
}

static enum err read_strict(const struct spec *spec, const struct json *strict)
{
    if (!is_given(strict))
        return OK;
    if (strict->kind != JSON_TRUE && strict->kind != JSON_FALSE)
        return refuse(spec, "strict", "must be true or false");
    spec->tool->strict = strict->source;
    return OK;
}

static enum err check_members(const struct spec *spec, const struct json *node,
                              const char *const *members, size_t count)
{
    const struct json *type = json_member(node, "type");
    for (const struct json *member = node->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, members, count))
            return reader_unknown_member(spec->reader, path_of(spec).text, member->name, members,
                                         count);
    if (type != NULL && !json_equal_text(type, "function"))
        return refuse(spec, "type", "must be function");
    return OK;
}

/* --- the forms --- */

/* {"name", "description", "parameters", "strict"}; a type may stand beside, as in OpenAI's
 * Responses API. */
static enum err read_function(const struct spec *spec, const struct json *node)
{
    static const char *const members[] = {"name", "description", "parameters", "strict", "type"};
    enum err err = check_members(spec, node, members, COUNT_OF(members));
    if (err == OK)
        err = read_name(spec, json_member(node, "name"), "name");
    if (err == OK)
        err = read_description(spec, json_member(node, "description"));
    if (err == OK)
        err = read_schema(spec, json_member(node, "parameters"), "parameters");
    return err == OK ? read_strict(spec, json_member(node, "strict")) : err;
}

/* {"type": "function", "function": {…}} */
static enum err read_openai(const struct spec *spec, const struct json *node)
{
    static const char *const members[] = {"type", "function"};
    const struct json *function = json_member(node, "function");
    enum err err = check_members(spec, node, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (!json_is(function, JSON_OBJECT))
        return refuse(spec, "function", "must be an object");
    struct spec inner = inside(spec, "function");
    if (json_member(function, "type") != NULL)
        return refuse(&inner, "type", "stands beside function, not in it");
    return read_function(&inner, function);
}

/* Its other members are Anthropic's own, and go nowhere but to its models. */
static enum err read_anthropic(const struct spec *spec, const struct json *node)
{
    const struct json *cache = json_member(node, "cache_control");
    spec->tool->anthropic = node->source;
    if (is_given(cache)) {
        struct path path = path_member(path_of(spec).text, SLICE("cache_control"));
        enum err err = cache_control_read(spec->reader, path.text, cache, &spec->tool->cache);
        if (err != OK)
            return err;
    }
    enum err err = read_name(spec, json_member(node, "name"), "name");
    if (err == OK)
        err = read_description(spec, json_member(node, "description"));
    return err == OK ? read_schema(spec, json_member(node, "input_schema"), "input_schema") : err;
}

/* A JSON Schema: its title is the name, its description the tool's. */
static enum err read_titled(const struct spec *spec, const struct json *node)
{
    static const char *const taken[] = {"title", "description"};
    const struct json *properties = json_member(node, "properties");
    struct buf rest OWNED_BY(buf_done);
    struct slice text;
    const struct json *schema;
    buf_init(&rest, 6 * node->source.len);
    enum err err = read_name(spec, json_member(node, "title"), "title");
    if (err == OK)
        err = read_description(spec, json_member(node, "description"));
    if (err != OK || !is_given(properties))
        return err != OK ? err : read_schema(spec, NULL, "properties");
    if (properties->kind != JSON_OBJECT)
        return refuse(spec, "properties", "must be an object");
    buf_add_byte(&rest, '{');
    for (const struct json *member = node->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, taken, COUNT_OF(taken)))
            json_add_copy(&rest, member);
    buf_add_byte(&rest, '}');
    if (rest.failed != OK || !arena_copy(spec->reader->arena, buf_slice(&rest), &text) ||
        json_parse(spec->reader->scratch, text, &schema, NULL) != OK)
        return reader_no_memory(spec->reader);
    return keep_schema(spec, schema);
}

/* Converse's own form, byte for byte, but for a description that Bedrock wants and that is not
 * there. What of it can be read is for other APIs. */
static enum err read_tool_spec(const struct spec *spec, const struct json *node)
{
    const struct json *body = node->first;
    const struct json *schema = json_member(json_member(body, "inputSchema"), "json");
    if (body->kind != JSON_OBJECT)
        return refuse(spec, "toolSpec", "must be an object");
    struct spec inner = inside(spec, "toolSpec");
    enum err err = read_name(&inner, json_member(body, "name"), "name");
    if (err == OK)
        err = read_description(&inner, json_member(body, "description"));
    if (err == OK)
        err = read_strict(&inner, json_member(body, "strict"));
    if (err != OK)
        return err;
    if (json_is(schema, JSON_OBJECT))
        spec->tool->schema = spec->tool->schema_given = schema->source;
    spec->tool->converse = node->source;
    if (spec->tool->description.ptr != NULL)
        return OK;
    struct buf filled OWNED_BY(buf_done);
    buf_init(&filled, 6 * node->source.len + sizeof "{\"toolSpec\":{\"description\":}}");
    buf_add_text(&filled, "{\"toolSpec\":{");
    for (const struct json *member = body->first; member != NULL; member = member->next)
        if (!slice_equal_text(member->name, "description"))
            json_add_copy(&filled, member);
    json_add_member(&filled, "description", spec->tool->name);
    buf_add_text(&filled, "}}");
    if (filled.failed != OK ||
        !arena_copy(spec->reader->arena, buf_slice(&filled), &spec->tool->converse))
        return reader_no_memory(spec->reader);
    return OK;
}

static enum err read_cache_point(const struct spec *spec, const struct json *node)
{
    if (node->first->kind != JSON_OBJECT)
        return refuse(spec, "cachePoint", "must be an object");
    spec->tool->kind = TOOL_CACHE_POINT;
    spec->tool->converse = node->source;
    return OK;
}

static enum err read_system_tool(const struct spec *spec, const struct json *node)
{
    struct spec inner = inside(spec, "systemTool");
    spec->tool->kind = TOOL_SYSTEM;
    spec->tool->converse = node->source;
    if (node->first->kind != JSON_OBJECT)
        return refuse(spec, "systemTool", "must be an object");
    return read_name(&inner, json_member(node->first, "name"), "name");
}

/* Tools that Bedrock runs itself: AWS, "Amazon Nova system tools". */
static const struct {
    const char *name, *json, *converse;
} system_tools[] = {
#define SYSTEM_TOOL(name)                                                                          \
    {                                                                                              \
        name, "\"" name "\"", "{\"systemTool\":{\"name\":\"" name "\"}}"                           \
    }
    SYSTEM_TOOL("nova_grounding"),
    SYSTEM_TOOL("nova_code_interpreter"),
#undef SYSTEM_TOOL
};

static enum err read_named_tool(const struct spec *spec, const struct json *node)
{
    for (size_t i = 0; i < COUNT_OF(system_tools); i++) {
        if (!json_equal_text(node, system_tools[i].name))
            continue;
        spec->tool->kind = TOOL_SYSTEM;
        spec->tool->name = slice_of_text(system_tools[i].json);
        spec->tool->converse = slice_of_text(system_tools[i].converse);
        return OK;
    }
    return why_set(&spec->reader->why, ERR_INVALID, path_of(spec).text,
                   "no such tool of Bedrock's: nova_grounding or nova_code_interpreter; all others "
                   "are objects");
}

/* --- the list --- */

/* A form is known by a member; the first one in this order. */
static const struct {
    const char *member;
    bool is_only; /* nothing may stand beside */
    enum err (*read)(const struct spec *spec, const struct json *node);
} forms[] = {
    {"toolSpec", true, read_tool_spec},     {"cachePoint", true, read_cache_point},
    {"systemTool", true, read_system_tool}, {"input_schema", false, read_anthropic},
    {"function", false, read_openai},       {"name", false, read_function},
    {"title", false, read_titled},
};

static enum err read_tool(const struct spec *spec, const struct json *node)
{
    if (node->kind == JSON_STRING)
        return read_named_tool(spec, node);
    if (node->kind != JSON_OBJECT)
        return why_set(&spec->reader->why, ERR_INVALID, path_of(spec).text,
                       "a tool must be an object, or the name of one that Bedrock runs");
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (json_member(node, forms[i].member) == NULL)
            continue;
        if (forms[i].is_only && node->count > 1)
            return refuse(spec, forms[i].member, "must be the only member of its tool");
        return forms[i].read(spec, node);
    }
    return why_set(&spec->reader->why, ERR_INVALID, path_of(spec).text,
                   "must be {\"type\": \"function\", \"function\": …}, {\"name\", \"description\", "
                   "\"input_schema\"}, a JSON Schema with a title, {\"toolSpec\": …} or "
                   "{\"cachePoint\": …}");
}

/* Those that Bedrock runs stand behind the others. */
static void put_system_last(struct tool *tools, struct tool *spare, size_t count)
{
    size_t kept = 0, moved = 0;
    for (size_t i = 0; i < count; i++) {
        if (tools[i].kind == TOOL_SYSTEM)
            spare[moved++] = tools[i];
        else
            tools[kept++] = tools[i];
    }
    for (size_t i = 0; i < moved; i++)
        tools[kept + i] = spare[i];
}

/* Each name once: Bedrock could not tell which one the model calls. */
static enum err check_names(struct reader *reader, const char *field, const struct tool *tools,
                            size_t count)
{
    struct name_index *names = NULL;
    struct slice name;
    for (size_t i = 0, first; i < count; i++) {
        if (tools[i].name.ptr == NULL)
            continue;
        if (!tool_name(reader, tools[i].name, &name) ||
            !name_index_add(reader->scratch, &names, name, i, &first))
            return reader_no_memory(reader);
        if (first != i)
            return why_set(&reader->why, ERR_INVALID, path_element(field, i).text,
                           "has the name of %s[%zu]; a name may stand once", field, first);
    }
    return OK;
}

static enum err keep(struct reader *reader, struct tool *tools, struct tool *spare, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reader->request->text_bytes += tools[i].description.len + tools[i].schema.len;
    put_system_last(tools, spare, count);
    reader->request->tools = tools;
    reader->request->tool_count = count;
    return OK;
}

enum err request_read_tools(struct reader *reader, const struct request_field *field,
                            const struct json *value)
{
    size_t index = 0, wrong = 0;
    bool goes_on = true;
    if (value->kind != JSON_ARRAY)
        return why_set(&reader->why, ERR_INVALID, field->name, "must be an array of tools");
    if (value->count > TOOLS_MAX)
        return why_set(&reader->why, ERR_INVALID, field->name, "has more than %d tools", TOOLS_MAX);
    struct tool *tools = arena_new_array(reader->arena, value->count, sizeof *tools);
    struct tool *spare = arena_new_array(reader->scratch, value->count, sizeof *spare);
    if (tools == NULL || spare == NULL)
        return reader_no_memory(reader);
    for (const struct json *node = value->first; goes_on && node != NULL; node = node->next) {
        struct spec spec = {reader, field->name, index, NULL, &tools[index]};
        index++;
        enum err err = read_tool(&spec, node);
        wrong += err != OK;
        goes_on = reader_note(reader, err);
    }
    if (wrong > 0)
        return OK;
    enum err err = check_names(reader, field->name, tools, value->count);
    return err == OK ? keep(reader, tools, spare, value->count) : err;
}
