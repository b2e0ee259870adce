#include "wire/chat/structured_sent.h"

#include "wire/chat/blocks.h"
#include "wire/chat/schema_text.h"
#include "wire/chat/structured.h"
#include "wire/chat/tool_schema.h"

#define FIELD_NAME     "structured_output"
#define PREFILL        "```json"
#define PREFILL_STOP   "\"```\""
#define DEFAULT_TOOL   "extract"       /* @langchain/aws */
#define DEFAULT_SCHEMA "output_schema" /* ChatBedrockConverse */

/* A copy in the request's arena. */
static enum err keep(struct reader *reader, const struct buf *text, struct slice *ret_copy)
{
    struct arena *arena = reader->arena;
    if (text->failed == ERR_TOO_LARGE ||
        (text->failed == OK && text->len >= arena->limit - arena->held))
        return why_set(&reader->why, ERR_REQUEST_TOO_LARGE, FIELD_NAME ".schema",
                       "is too large for a request of this size");
    if (text->failed != OK || !arena_copy(arena, buf_slice(text), ret_copy))
        return reader_no_memory(reader);
    return OK;
}

static enum err keep_schema(struct reader *reader, const struct schema_form *form,
                            struct slice *ret_text)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, REQUEST_TEXT_MAX);
    schema_write(&text, reader->schema, form, reader->scratch);
    return keep(reader, &text, ret_text);
}

/* Converse gets it as it gets those of tools. */
static enum err keep_tool_schema(struct reader *reader, const struct schema_form *form,
                                 struct tool *tool)
{
    const struct json *given;
    enum err err = keep_schema(reader, form, &tool->schema_given);
    if (err != OK)
        return err;
    if (json_parse(reader->scratch, tool->schema_given, &given, NULL) != OK ||
        tool_schema_slim(reader->arena, given, &tool->schema) != OK)
        return reader_no_memory(reader);
    return OK;
}

static bool is_said(const struct json *value)
{
    return json_is(value, JSON_STRING) && value->source.len > 2;
}

/* --- function_calling: the schema is the one tool --- */

/* Whether the model thinks about this request, so far as the request says. */
static bool is_thinking(const struct reader *reader)
{
    const struct request *request = reader->request;
    const struct json *given[] = {reader->additional_fields, reader->model_kwargs};
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        const struct json *thinking = json_member(given[i], "thinking");
        const struct json *effort = json_member(given[i], "reasoning_effort");
        if (thinking != NULL)
            return json_equal_text(json_member(thinking, "type"), "enabled") ||
                   json_equal_text(json_member(thinking, "type"), "adaptive");
        if (effort != NULL && traits_has(&request->traits, TRAIT_THINKS_BY_EFFORT))
            return !json_equal_text(effort, "none") && !json_equal_text(effort, "low") &&
                   !json_equal_text(effort, "medium");
    }
    return request->reasoning_effort.ptr != NULL &&
           !traits_has(&request->traits, TRAIT_THINKS_BY_EFFORT);
}

/* By the table of what models accept: the tool by its name, else any, else not forced. */
static void force(const struct reader *reader, struct request *request, struct slice name)
{
    const struct model_traits *traits = &request->traits;
    bool is_free = traits_has(traits, TRAIT_CHOICE_FREE_THINKING) && is_thinking(reader);
    struct tool_choice choice = {.kind = TOOL_CHOICE_ABSENT};
    if (!is_free && traits_has(traits, TRAIT_CHOICE_TOOL))
        choice = (struct tool_choice){.kind = TOOL_CHOICE_TOOL, .name = name};
    else if (!is_free && traits_has(traits, TRAIT_CHOICE_ANY))
        choice.kind = TOOL_CHOICE_ANY;
    request->tool_choice = choice;
    request->structured.must_call =
        choice.kind == TOOL_CHOICE_ABSENT && traits_has(traits, TRAIT_CHOICE_FREE_THINKING);
}

static enum err name_tool(struct reader *reader, struct slice *ret_name)
{
    const struct json *title = json_member(reader->schema, "title");
    *ret_name = reader->request->structured.name;
    if (ret_name->ptr != NULL)
        return OK;
    *ret_name = SLICE("\"" DEFAULT_TOOL "\"");
    if (!is_said(title))
        return OK;
    *ret_name = title->source;
    return structured_check_name(reader, title, FIELD_NAME ".schema.title",
                                 ", because it names the tool; or give " FIELD_NAME ".name");
}

/* The tool as Anthropic's API takes it. */
static enum err keep_anthropic(struct reader *reader, struct tool *tool)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, REQUEST_TEXT_MAX);
    buf_add_byte(&text, '{');
    json_add_member(&text, "name", tool->name);
    json_add_member(&text, "description", tool->description);
    json_add_member(&text, "input_schema", tool->schema_given);
    buf_add_byte(&text, '}');
    return keep(reader, &text, &tool->anthropic);
}

static enum err apply_function_calling(struct reader *reader)
{
    static const char *const named[] = {"title", "description"}; /* which become the tool's */
    struct request *request = reader->request;
    struct tool *tool = arena_new(reader->arena, sizeof *tool);
    const struct json *description = json_member(reader->schema, "description");
    bool is_strict = slice_equal_text(request->structured.strict, "true");
    struct schema_form form = {.change = is_strict ? SCHEMA_STRICT : SCHEMA_AS_IT_IS,
                               .without = named,
                               .without_count = COUNT_OF(named)};
    if (tool == NULL)
        return reader_no_memory(reader);
    enum err err = name_tool(reader, &tool->name);
    if (err == OK)
        err = keep_tool_schema(reader, &form, tool);
    if (err != OK)
        return err;
    tool->description = is_said(description) ? description->source : tool->name;
    tool->strict = request->structured.strict;
    request->structured.name = tool->name;
    request->tools = tool;
    request->tool_count = 1;
    force(reader, request, tool->name);
    return keep_anthropic(reader, tool);
}

/* --- json_schema: Bedrock keeps the answer to it --- */

/* Begins the object with the members of the output_config that the request or its alias gives. */
static enum err begin_config(struct reader *reader, struct buf *text)
{
    struct slice given = reader->request->output_config;
    const struct json *config = NULL;
    buf_add_byte(text, '{');
    if (given.ptr == NULL)
        return OK;
    if (json_parse(reader->scratch, given, &config, NULL) != OK)
        return reader_no_memory(reader);
    if (json_member(config, "textFormat") != NULL)
        return why_set(&reader->why, ERR_INVALID, FIELD_NAME,
                       "output_config has a textFormat, too: leave one of the two out");
    for (const struct json *member = config->first; member != NULL; member = member->next)
        json_add_copy(text, member);
    return OK;
}

static enum err apply_json_schema(struct reader *reader)
{
    static const struct schema_form form = {.change = SCHEMA_CLOSED, .layout = SCHEMA_SPACED};
    struct request *request = reader->request;
    const struct json *title = json_member(reader->schema, "title"),
                      *description = json_member(reader->schema, "description");
    struct buf schema OWNED_BY(buf_done);
    struct buf text OWNED_BY(buf_done);
    buf_init(&schema, REQUEST_TEXT_MAX);
    buf_init(&text, REQUEST_TEXT_MAX);
    if (request->structured.name.ptr == NULL)
        request->structured.name = is_said(title) ? title->source : SLICE("\"" DEFAULT_SCHEMA "\"");
    schema_write(&schema, reader->schema, &form, reader->scratch);
    if (schema.failed != OK)
        return keep(reader, &schema, &request->output_config);
    enum err err = begin_config(reader, &text);
    if (err != OK)
        return err;
    json_add_comma(&text);
    buf_add_text(&text, "\"textFormat\":{\"type\":\"json_schema\",\"structure\":{\"jsonSchema\":{");
    json_add_text_member(&text, "schema", buf_slice(&schema));
    json_add_member(&text, "name", request->structured.name);
    json_add_member(&text, "description",
                    is_said(description) ? description->source : request->structured.name);
    buf_add_text(&text, "}}}}");
    return keep(reader, &text, &request->output_config);
}

/* --- prompt_prefill: the model goes on with a JSON block --- */

/* The words of ChatBedrockConverse: models were tried with them. */
static const char instructions[] =
    "You MUST respond with a single JSON object matching the schema provided. For this schema "
    "you'll be provided with all the \"properties\" and their types, as well as the required "
    "properties.\n\n"
    "As an example, for the schema {\"properties\": {\"foo\": {\"title\": \"Foo\", "
    "\"description\": \"a list of strings\", \"type\": \"array\", \"items\": {\"type\": "
    "\"string\"}}}, \"required\": [\"foo\"]}\n"
    "the object {\"foo\": [\"bar\", \"baz\"]} is a well-formatted instance of the schema. The "
    "object {\"properties\": {\"foo\": [\"bar\", \"baz\"]}} is NOT well-formatted.\n\n"
    "Do not include any preamble, explanation, or text outside the JSON. Wrap the JSON in a "
    "```json ... ``` fenced code block.\n\n"
    "## Response Schema:\n";

/* The model's answer ends before the closing fence. */
static enum err apply_prompt_prefill(struct reader *reader)
{
    struct slice *stop = &reader->request->parameters[PARAMETER_STOP];
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, stop->len + sizeof PREFILL_STOP + 2);
    buf_add(&text, stop->ptr == NULL ? SLICE("[") : slice_trim(slice_sub(*stop, 0, stop->len - 1)));
    json_add_comma(&text);
    buf_add_text(&text, PREFILL_STOP "]");
    return keep(reader, &text, stop);
}

/* The system's text with the instructions behind it; `before` may be empty. */
static enum err add_instructions(struct reader *reader, struct slice before, struct slice *ret_text)
{
    static const char *const shortened[] = {"title", "type"};
    static const struct schema_form form = {
        .layout = SCHEMA_INDENTED, .without = shortened, .without_count = COUNT_OF(shortened)};
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, REQUEST_TEXT_MAX);
    buf_add(&text, before);
    buf_add_text(&text, before.len > 0 ? "\n\n" : "");
    buf_add_text(&text, instructions);
    schema_write(&text, reader->schema, &form, reader->scratch);
    buf_add_byte(&text, '\n');
    return keep(reader, &text, ret_text);
}

static bool is_prefill(const struct reader *reader)
{
    return reader->request->structured.method == STRUCTURED_PROMPT_PREFILL &&
           reader->schema != NULL;
}

/* A text of the schema's, in which braces are no variables. */
static enum err say(struct turns *turns, enum role role, struct slice text)
{
    struct template_use *use = turns->use;
    turns->use = NULL;
    enum err err = blocks_add_text(turns, role, TEXT_MESSAGE, text, FIELD_NAME);
    turns->use = use;
    return err;
}

enum err structured_instruct(struct turns *turns)
{
    struct reader *reader = turns->reader;
    struct block *last = NULL;
    struct slice text;
    if (!is_prefill(reader))
        return OK;
    /* The system's blocks so far, last one first, are those of the first message. */
    for (size_t i = 0; last == NULL && i < turns->system_count; i++) {
        struct block *block = turns->blocks + turns->room - turns->system_count + i;
        if (block->kind == BLOCK_TEXT)
            last = block;
    }
    enum err err = add_instructions(reader, last == NULL ? SLICE("") : last->text, &text);
    if (err == OK && last == NULL) {
        /* It stands before the first message: the second one still follows on that. */
        bool was_text = turns->was_text;
        enum role last_role = turns->last_role;
        err = say(turns, ROLE_SYSTEM, text);
        turns->was_text = was_text;
        turns->last_role = last_role;
    }
    if (err != OK || last == NULL)
        return err;
    reader->request->text_bytes += text.len - last->text.len;
    last->text = text;
    last->is_converse = last->is_blank = false;
    return OK;
}

enum err structured_prefill(struct turns *turns)
{
    return is_prefill(turns->reader) ? say(turns, ROLE_ASSISTANT, SLICE(PREFILL)) : OK;
}

/* --- the whole --- */

enum err structured_apply(struct reader *reader, bool has_tools)
{
    bool is_tool = reader->request->structured.method == STRUCTURED_FUNCTION_CALLING;
    bool is_config = reader->request->structured.method == STRUCTURED_JSON_SCHEMA;
    if (reader->schema == NULL)
        return OK;
    if (is_tool && has_tools)
        return why_set(&reader->why, ERR_INVALID, FIELD_NAME,
                       "function_calling makes the schema the only tool: leave tools and "
                       "tool_choice out, or take method json_schema");
    if (is_tool)
        return apply_function_calling(reader);
    return is_config ? apply_json_schema(reader) : apply_prompt_prefill(reader);
}
