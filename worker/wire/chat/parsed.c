#include "wire/chat/parsed.h"

#include "wire/formats/json_partial.h"
#include "wire/formats/json_schema.h"
#include "wire/formats/text.h"

#define FENCE          "```"
#define FENCE_LANGUAGE "json"
#define ERROR_MAX      (JSON_SCHEMA_TEXT_MAX + 256)

struct parsing {
    struct arena *arena;   /* of what is kept */
    struct arena *scratch; /* of the nodes */
    const struct structured_output *structured;
    struct answer *answer;
    const struct json *value; /* NULL: none was found */
};

static void fail(struct parsing *parsing, const char *words)
{
    bool is_cut = slice_equal_text(parsing->answer->stop_reason, "max_tokens");
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, ERROR_MAX);
    buf_addf(&text, "%s%s", words, is_cut ? "; the answer was cut at max_tokens" : "");
    parsing->answer->is_invalid = true;
    if (!arena_copy(parsing->arena, buf_slice(&text), &parsing->answer->parsing_error))
        parsing->answer->parsing_error = SLICE("the answer is too large to be parsed");
}

/* The nodes of a text; NULL for one that is no JSON. */
static const struct json *nodes_of(struct parsing *parsing, struct slice text)
{
    const struct json *root = NULL;
    return json_parse_loosely(parsing->scratch, text, &root, NULL) == OK ? root : NULL;
}

/* --- a call of the tool --- */

static const struct json *find_call(struct parsing *parsing, struct slice calls, struct slice name)
{
    const struct json *list = calls.ptr == NULL ? NULL : nodes_of(parsing, calls);
    struct slice called;
    for (const struct json *call = list == NULL ? NULL : list->first; call != NULL;
         call = call->next)
        if (json_string(parsing->scratch, json_member(call, "name"), &called) &&
            slice_equal(called, name))
            return call;
    return NULL;
}

static bool is_kind(const struct json *node, const struct json *type)
{
    return (json_equal_text(type, "array") && json_is(node, JSON_ARRAY)) ||
           (json_equal_text(type, "object") && json_is(node, JSON_OBJECT));
}

/* What a text stands for where the schema wants an array or object: JSON of that kind, or such JSON
 * in an object under the argument's own name. Else the text itself. */
static struct slice unwrap(struct parsing *parsing, const struct json *argument,
                           const struct json *properties)
{
    const struct json *type = json_member(json_member_of(properties, argument->name), "type");
    struct slice text;
    if (argument->kind != JSON_STRING ||
        !(json_equal_text(type, "array") || json_equal_text(type, "object")) ||
        !json_string(parsing->scratch, argument, &text))
        return argument->source;
    const struct json *said = nodes_of(parsing, text);
    const struct json *inner = json_member_of(said, argument->name);
    if (is_kind(said, type))
        return said->source;
    return is_kind(inner, type) ? inner->source : argument->source;
}

static const struct json *repair(struct parsing *parsing, const struct json *arguments)
{
    const struct json *schema = nodes_of(parsing, parsing->structured->schema);
    const struct json *properties = json_member(schema, "properties");
    bool is_changed = false;
    struct slice copy;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 2 + 8 * arguments->source.len);
    buf_add_byte(&text, '{');
    for (const struct json *each = arguments->first; each != NULL; each = each->next) {
        struct slice value = unwrap(parsing, each, properties);
        is_changed = is_changed || value.ptr != each->source.ptr;
        json_add_comma(&text);
        json_add_string(&text, each->name);
        buf_add_byte(&text, ':');
        buf_add(&text, value);
    }
    buf_add_byte(&text, '}');
    if (!is_changed || text.failed != OK || !arena_copy(parsing->scratch, buf_slice(&text), &copy))
        return arguments;
    const struct json *repaired = nodes_of(parsing, copy);
    return repaired == NULL ? arguments : repaired;
}

/* Arguments that are no JSON, as far as they are: a stream may have been cut. */
static const struct json *mend(struct parsing *parsing, const struct json *call)
{
    const struct json *arguments = NULL;
    struct slice text;
    if (json_string(parsing->scratch, json_member(call, "args"), &text) &&
        json_parse_partial(parsing->scratch, text, &arguments) == OK &&
        json_is(arguments, JSON_OBJECT))
        return arguments;
    return NULL;
}

static void read_call(struct parsing *parsing)
{
    const struct structured_output *structured = parsing->structured;
    const struct json *name_node = nodes_of(parsing, structured->name);
    const struct json *call = NULL, *arguments = NULL;
    struct slice name;
    if (json_string(parsing->scratch, name_node, &name)) {
        call = find_call(parsing, parsing->answer->tool_calls, name);
        arguments = json_member(call, "args");
        if (call == NULL) {
            call = find_call(parsing, parsing->answer->invalid_tool_calls, name);
            arguments = call == NULL ? NULL : mend(parsing, call);
        }
    }
    if (json_is(arguments, JSON_OBJECT))
        parsing->value = repair(parsing, arguments);
    else if (call != NULL)
        fail(parsing, "the arguments of the tool call are no JSON object");
    else if (structured->must_call)
        fail(parsing, "the model did not call the tool; while it thinks, it cannot be forced");
    else if (structured->validate)
        fail(parsing, "the model did not call the tool");
}

/* --- a text --- */

/* The texts of the content, one behind the other. */
static bool join_texts(struct parsing *parsing, struct buf *ret_text)
{
    const struct json *content = nodes_of(parsing, parsing->answer->content);
    bool is_list = json_is(content, JSON_ARRAY);
    if (content == NULL)
        return true;
    for (const struct json *block = is_list ? content->first : content; block != NULL;
         block = is_list ? block->next : NULL) {
        const struct json *type = json_member(block, "type");
        const struct json *said = block->kind == JSON_STRING ? block : json_member(block, "text");
        struct slice text;
        if ((type == NULL || json_equal_text(type, "text")) &&
            json_string(parsing->scratch, said, &text))
            buf_add(ret_text, text);
    }
    return ret_text->failed == OK;
}

static bool is_stripped(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t' || byte == '`';
}

static enum err parse_stripped(struct parsing *parsing, struct slice text)
{
    while (text.len > 0 && is_stripped(text.ptr[0]))
        text = slice_sub(text, 1, SIZE_MAX);
    while (text.len > 0 && is_stripped(text.ptr[text.len - 1]))
        text.len--;
    return json_parse_partial(parsing->scratch, text, &parsing->value);
}

/* Behind the first fence and its language; the null slice if there is none. */
static struct slice behind_fence(struct slice text)
{
    for (; text.len > 0; text = slice_sub(text, 1, SIZE_MAX)) {
        if (!slice_starts(text, SLICE(FENCE)))
            continue;
        text = slice_sub(text, sizeof FENCE - 1, SIZE_MAX);
        if (slice_starts(text, SLICE(FENCE_LANGUAGE)))
            text = slice_sub(text, sizeof FENCE_LANGUAGE - 1, SIZE_MAX);
        return text;
    }
    return SLICE_NULL;
}

static void read_text(struct parsing *parsing)
{
    struct buf joined OWNED_BY(buf_done);
    struct slice text;
    buf_init(&joined, parsing->answer->content.len);
    if (!join_texts(parsing, &joined) ||
        !arena_copy(parsing->scratch, joined.len == 0 ? SLICE("") : buf_slice(&joined), &text)) {
        fail(parsing, "the answer is too large to be parsed");
        return;
    }
    enum err err = parse_stripped(parsing, text);
    text = behind_fence(text);
    if (err == ERR_FORMAT && text.ptr != NULL)
        err = parse_stripped(parsing, text);
    if (err == OK)
        return;
    parsing->value = NULL;
    fail(parsing, err == ERR_NO_MEMORY ? "the answer is too large to be parsed"
                                       : "the text of the answer is no JSON");
}

/* --- the value --- */

static void validate(struct parsing *parsing)
{
    const struct json *schema = nodes_of(parsing, parsing->structured->schema);
    struct buf faults OWNED_BY(buf_done);
    buf_init(&faults, ERROR_MAX);
    buf_add_text(&faults, "the value is not valid for the schema:");
    size_t len = faults.len;
    enum err err = ERR_TOO_LARGE;
    if (schema != NULL)
        err = json_schema_validate(parsing->scratch, schema, parsing->value, &faults);
    if (err != OK)
        fail(parsing, "the value is too large to be checked against the schema");
    else if (faults.len > len)
        fail(parsing, buf_text(&faults));
}

/* Without the blanks and line ends between its parts: records are lines for many readers. */
static bool keep_value(struct parsing *parsing)
{
    struct slice source = parsing->value->source;
    bool is_text = false;
    size_t len = 0;
    char *copy = arena_new(parsing->arena, source.len + 1);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < source.len; i++) {
        char byte = source.ptr[i];
        bool is_blank = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
        if (is_text && byte == '\\')
            copy[len++] = source.ptr[i++];
        else if (byte == '"')
            is_text = !is_text;
        else if (is_blank && !is_text)
            continue;
        copy[len++] = source.ptr[i];
    }
    parsing->answer->parsed = slice_of(copy, len);
    return true;
}

/* A model that calls the request's own tools answers later. */
static bool calls_tools(const struct parsing *parsing)
{
    return parsing->structured->method != STRUCTURED_FUNCTION_CALLING &&
           parsing->answer->tool_calls.len > 2;
}

void parsed_read(struct arena *arena, size_t scratch_max, const struct request *request,
                 struct answer *answer)
{
    struct arena scratch OWNED_BY(arena_done);
    struct parsing parsing = {
        .arena = arena, .scratch = &scratch, .structured = &request->structured, .answer = answer};
    arena_init(&scratch, scratch_max);
    if (parsing.structured->method == STRUCTURED_NONE || request->count_tokens ||
        calls_tools(&parsing))
        return;
    if (parsing.structured->method == STRUCTURED_FUNCTION_CALLING)
        read_call(&parsing);
    else
        read_text(&parsing);
    if (parsing.value == NULL)
        return;
    if (parsing.structured->validate)
        validate(&parsing);
    if (!keep_value(&parsing))
        fail(&parsing, "the answer is too large to be parsed");
}
