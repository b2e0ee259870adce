#include "wire/bedrock/invoke/parts.h"

#include "wire/bedrock/invoke/tool_calls.h"
#include "wire/bedrock/invoke/places.h"
#include "wire/bedrock/invoke/prompt.h"
#include "wire/formats/json_spaced.h"

/*
 * Families that take OpenAI's chat completions: messages, tools, tool_choice. Each message of the
 * request is one of the body; what tools answered in it goes before it, a message for each result.
 * Source: OpenAI, "Chat Completions"; LangChain's convert_to_openai_messages.
 */

/* --- content --- */

static void add_block_text(struct buf *buf, const struct block *block)
{
    struct buf text OWNED_BY(buf_done);
    bool is_first = true;
    buf_init(&text, buf->limit);
    block_add_text(&text, block, &is_first);
    json_add_text_member(buf, "text", text.len > 0 ? buf_slice(&text) : SLICE(""));
    if (text.failed != OK)
        buf->failed = text.failed;
}

static void add_part(struct buf *buf, const struct block *block)
{
    json_add_comma(buf);
    buf_add_byte(buf, '{');
    if (block_is_text(block)) {
        json_add_text_member(buf, "type", SLICE("text"));
        add_block_text(buf, block);
    } else {
        json_add_text_member(buf, "type", SLICE("image_url"));
        json_add_name(buf, "image_url");
        buf_add_text(buf, "{\"url\":\"data:image/");
        buf_add(buf, block->media.format);
        buf_add_text(buf, ";base64,");
        buf_add(buf, block->media.bytes);
        buf_add_text(buf, "\"}");
    }
    buf_add_byte(buf, '}');
}

static bool has_images(const struct spoken *spoken)
{
    for (size_t i = 0; i < spoken->count; i++)
        if (spoken->blocks[i].kind == BLOCK_IMAGE)
            return true;
    return false;
}

/* Texts become a string, a line each; with images, all are parts of a list. */
static void add_content(struct buf *buf, const struct spoken *spoken)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, buf->limit);
    json_add_name(buf, "content");
    if (!has_images(spoken)) {
        spoken_add_text(&text, spoken);
        json_add_string(buf, text.len > 0 ? buf_slice(&text) : SLICE(""));
        if (text.failed != OK)
            buf->failed = text.failed;
        return;
    }
    buf_add_byte(buf, '[');
    for (size_t i = 0; i < spoken->count; i++)
        if (block_is_text(&spoken->blocks[i]) || spoken->blocks[i].kind == BLOCK_IMAGE)
            add_part(buf, &spoken->blocks[i]);
    buf_add_byte(buf, ']');
}

/* --- messages --- */

static void open_message(struct buf *buf, const char *role)
{
    json_add_comma(buf);
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "role", slice_of_text(role));
}

static bool has_kind(const struct spoken *spoken, enum block_kind kind)
{
    for (size_t i = 0; i < spoken->count; i++)
        if (spoken->blocks[i].kind == kind)
            return true;
    return false;
}

/* The arguments as a text, as LangChain prints them. */
static void add_arguments(struct buf *buf, const struct block *block)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, buf->limit);
    json_add_spaced(&text, block->use.input.ptr == NULL ? SLICE("{}") : block->use.input);
    json_add_text_member(buf, "arguments", buf_slice(&text));
    if (text.failed != OK)
        buf->failed = text.failed;
}

static void add_calls(struct buf *buf, const struct spoken *spoken)
{
    if (!has_kind(spoken, BLOCK_TOOL_USE))
        return;
    json_add_name(buf, "tool_calls");
    buf_add_byte(buf, '[');
    for (size_t i = 0; i < spoken->count; i++) {
        const struct block *block = &spoken->blocks[i];
        if (block->kind != BLOCK_TOOL_USE)
            continue;
        json_add_comma(buf);
        buf_add_byte(buf, '{');
        json_add_text_member(buf, "type", SLICE("function"));
        json_add_member(buf, "id", block->use.id);
        json_add_name(buf, "function");
        buf_add_byte(buf, '{');
        json_add_member(buf, "name", block->use.name);
        add_arguments(buf, block);
        buf_add_text(buf, "}}");
    }
    buf_add_byte(buf, ']');
}

static void add_results(struct buf *buf, const struct spoken *spoken)
{
    for (size_t i = 0; i < spoken->count; i++) {
        const struct block *block = &spoken->blocks[i];
        if (block->kind != BLOCK_TOOL_RESULT)
            continue;
        const struct spoken parts = {block->result.parts, block->result.count};
        open_message(buf, "tool");
        json_add_member(buf, "tool_call_id", block->result.id);
        add_content(buf, &parts);
        buf_add_byte(buf, '}');
    }
}

static bool has_content(const struct spoken *spoken)
{
    for (size_t i = 0; i < spoken->count; i++)
        if (block_is_text(&spoken->blocks[i]) || spoken->blocks[i].kind == BLOCK_IMAGE)
            return true;
    return false;
}

static void add_turn(struct buf *buf, const struct turn *turn)
{
    static const char *const names[] = {
        [ROLE_SYSTEM] = "system", [ROLE_USER] = "user", [ROLE_ASSISTANT] = "assistant"};
    struct spoken spoken;
    size_t at = 0;
    while (spoken_next(turn->blocks, turn->count, &at, &spoken)) {
        add_results(buf, &spoken);
        if (!has_content(&spoken) && has_kind(&spoken, BLOCK_TOOL_RESULT))
            continue;
        open_message(buf, names[turn->role]);
        add_content(buf, &spoken);
        add_calls(buf, &spoken);
        buf_add_byte(buf, '}');
    }
}

static void add_messages(struct invoke_body *body)
{
    const struct request *request = body->request;
    json_add_name(body->buf, "messages");
    buf_add_byte(body->buf, '[');
    for (size_t i = 0; i < request->turn_count; i++)
        add_turn(body->buf, &request->turns[i]);
    buf_add_byte(body->buf, ']');
}

/* --- tools --- */

static void add_tool(struct buf *buf, const struct tool *tool)
{
    json_add_comma(buf);
    buf_add_text(buf, "{\"type\":\"function\",\"function\":{");
    json_add_member(buf, "name", tool->name);
    json_add_member(buf, "description", tool->description);
    json_add_member(buf, "parameters",
                    tool->schema_given.ptr != NULL ? tool->schema_given : tool->schema);
    json_add_member(buf, "strict", tool->strict);
    buf_add_text(buf, "}}");
}

static void add_tools(struct invoke_body *body)
{
    const struct request *request = body->request;
    if (request->tool_count == 0 || !body_needs(body, "tools"))
        return;
    json_add_name(body->buf, "tools");
    buf_add_byte(body->buf, '[');
    for (size_t i = 0; i < request->tool_count; i++)
        if (request->tools[i].kind == TOOL_FUNCTION)
            add_tool(body->buf, &request->tools[i]);
    buf_add_byte(body->buf, ']');
}

static void add_tool_choice(struct invoke_body *body)
{
    static const char *const words[] = {
        [TOOL_CHOICE_AUTO] = "auto", [TOOL_CHOICE_ANY] = "required", [TOOL_CHOICE_NONE] = "none"};
    const struct tool_choice *choice = &body->request->tool_choice;
    if (choice->kind == TOOL_CHOICE_ABSENT || !body_needs(body, "tool_choice"))
        return;
    if (choice->kind != TOOL_CHOICE_TOOL) {
        json_add_text_member(body->buf, "tool_choice", slice_of_text(words[choice->kind]));
        return;
    }
    json_add_name(body->buf, "tool_choice");
    buf_add_text(body->buf, "{\"type\":\"function\",\"function\":{");
    json_add_member(body->buf, "name", choice->name);
    buf_add_text(body->buf, "}}");
}

static void write_chat(struct invoke_body *body)
{
    if (body_needs(body, "messages"))
        add_messages(body);
    add_tools(body);
    add_tool_choice(body);
    body_add_parameters(body);
}

#define CHAT_SHAPE(max_tokens)                                                                     \
    {                                                                                              \
        .write = write_chat, .read = places_read, .hear = places_hear, .keep = tool_calls_keep,    \
        .done = tool_calls_done, .is_free = true,                                                  \
        .names = {[PARAMETER_MAX_TOKENS] = (max_tokens),                                           \
                  [PARAMETER_TEMPERATURE] = "temperature",                                         \
                  [PARAMETER_TOP_P] = "top_p"},                                                    \
    }

const struct shape shape_openai = CHAT_SHAPE("max_completion_tokens");
const struct shape shape_chat = CHAT_SHAPE("max_tokens");
