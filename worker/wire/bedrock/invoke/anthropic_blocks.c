#include "wire/bedrock/invoke/anthropic.h"

#include "base/utf8.h"
#include "wire/formats/base64.h"

/* --- one block: open until its cache_control is known --- */

static void open_block(struct buf *buf, const char *type)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "type", slice_of_text(type));
}

static void add_text(struct buf *buf, struct slice text)
{
    open_block(buf, "text");
    json_add_text_member(buf, "text", text);
}

static void add_source(struct buf *buf, const char *type, struct slice kind, struct slice format)
{
    json_add_name(buf, "source");
    open_block(buf, type);
    json_add_name(buf, "media_type");
    buf_add_byte(buf, '"');
    buf_add(buf, kind);
    buf_add(buf, format);
    buf_add_byte(buf, '"');
    json_add_name(buf, "data");
}

/* Base64 has nothing to escape. */
static void add_bytes(struct buf *buf, struct slice bytes)
{
    buf_add_byte(buf, '"');
    buf_add(buf, bytes);
    buf_add_text(buf, "\"}");
}

static void add_image(struct buf *buf, const struct block *block)
{
    open_block(buf, "image");
    add_source(buf, "base64", SLICE("image/"), block->media.format);
    add_bytes(buf, block->media.bytes);
}

/* Formats of plain text: Claude takes them decoded, and calls each text/plain. */
static bool is_plain(struct slice format)
{
    static const char *const formats[] = {"txt", "md", "csv", "html"};
    return slice_is_one_of(format, formats, COUNT_OF(formats));
}

/* False: the bytes are no text. */
static bool add_plain(struct buf *buf, struct slice bytes)
{
    struct buf text OWNED_BY(buf_done);
    size_t offset;
    buf_init(&text, bytes.len);
    enum err err = base64_add_decoded(&text, bytes, &offset);
    if (err == ERR_NO_MEMORY && buf->failed == OK)
        buf->failed = err;
    if (err != OK || utf8_valid_len(buf_slice(&text)) < text.len)
        return false;
    add_source(buf, "text", SLICE("text/"), SLICE("plain"));
    json_add_string(buf, buf_slice(&text));
    buf_add_byte(buf, '}');
    return true;
}

static void add_document(struct buf *buf, const struct block *block)
{
    open_block(buf, "document");
    if (!is_plain(block->media.format) || !add_plain(buf, block->media.bytes)) {
        add_source(buf, "base64", SLICE("application/"), block->media.format);
        add_bytes(buf, block->media.bytes);
    }
    json_add_text_member(buf, "title", block->media.name);
    json_add_text_member(buf, "context", block->text);
    block_add_cites(buf, block);
}

static void add_use(struct buf *buf, const struct block *block)
{
    open_block(buf, "tool_use");
    json_add_member(buf, "name", block->use.name);
    json_add_member(buf, "input", block->use.input);
    json_add_member(buf, "id", block->use.id);
}

static void add_reasoning(struct buf *buf, const struct block *block)
{
    if (block->reasoning.redacted.ptr != NULL) {
        open_block(buf, "redacted_thinking");
        json_add_member(buf, "data", block->reasoning.redacted);
        return;
    }
    open_block(buf, "thinking");
    json_add_text_member(buf, "thinking", block->text);
    json_add_member(buf, "signature", block->reasoning.signature);
}

/* Converse's form of what a search found, whose texts have no type. */
static void add_found(struct buf *buf, const struct json *found)
{
    static const char *const names[] = {"source", "title", "citations"};
    const struct json *content = json_member(found, "content");
    open_block(buf, "search_result");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (json_member(found, names[i]) != NULL)
            json_add_copy(buf, json_member(found, names[i]));
    json_add_name(buf, "content");
    buf_add_byte(buf, '[');
    for (const struct json *text = json_is(content, JSON_ARRAY) ? content->first : NULL;
         text != NULL; text = text->next) {
        json_add_comma(buf);
        open_block(buf, "text");
        if (json_member(text, "text") != NULL)
            json_add_copy(buf, json_member(text, "text"));
        buf_add_byte(buf, '}');
    }
    buf_add_byte(buf, ']');
}

static void add_search_result(struct buf *buf, struct slice json)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(json.len));
    enum err err = json_parse(&scratch, json, &root, NULL);
    if (err != OK && buf->failed == OK)
        buf->failed = err;
    add_found(buf, json_member(root, "searchResult"));
}

/* As it came, but for its closing brace. */
static void add_raw(struct buf *buf, struct slice json)
{
    buf_add(buf, slice_trim(slice_sub(json, 0, json.len - 1)));
}

static void add_simple(struct buf *buf, const struct block *block)
{
    if (block->kind == BLOCK_IMAGE)
        add_image(buf, block);
    else if (block->kind == BLOCK_DOCUMENT)
        add_document(buf, block);
    else if (block->kind == BLOCK_TOOL_USE)
        add_use(buf, block);
    else if (block->kind == BLOCK_REASONING)
        add_reasoning(buf, block);
    else if (block->kind == BLOCK_JSON)
        add_text(buf, block->json);
    else if (block->kind == BLOCK_SEARCH_RESULT)
        add_search_result(buf, block->json);
    else if (block->kind == BLOCK_RAW)
        add_raw(buf, block->json);
    else
        add_text(buf, block->text);
}

static void add_result(struct buf *buf, const struct block *block)
{
    const struct block *parts = block->result.parts;
    size_t count = block->result.count;
    open_block(buf, "tool_result");
    json_add_name(buf, "content");
    if (count == 1 && parts->kind == BLOCK_TEXT && parts->is_string) {
        json_add_string(buf, parts->text);
    } else {
        buf_add_byte(buf, '[');
        for (size_t i = 0; i < count; i++) {
            json_add_comma(buf);
            add_simple(buf, &parts[i]);
            json_add_member(buf, "cache_control", parts[i].cache);
            buf_add_byte(buf, '}');
        }
        buf_add_byte(buf, ']');
    }
    json_add_member(buf, "tool_use_id", block->result.id);
    if (block->result.status == RESULT_ERROR)
        json_add_bool_member(buf, "is_error", true);
}

static void add_block(struct buf *buf, const struct block *block)
{
    if (block->kind == BLOCK_TOOL_RESULT)
        add_result(buf, block);
    else
        add_simple(buf, block);
}

/* --- caching --- */

/* Converse's cache point as the cache_control of the block before it. */
static void add_point(struct buf *buf, struct slice point)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(point.len));
    enum err err = json_parse(&scratch, point, &root, NULL);
    const struct json *ttl = json_member(json_member(root, "cachePoint"), "ttl");
    if (err != OK && buf->failed == OK)
        buf->failed = err;
    json_add_name(buf, "cache_control");
    open_block(buf, "ephemeral");
    if (json_is(ttl, JSON_STRING))
        json_add_member(buf, "ttl", ttl->source);
    buf_add_byte(buf, '}');
}

/* --- their order --- */

/* Thinking first; a user's tool results and documents before what it says, a model's calls behind.
 * As LangChain has it: the API wants results first. */
static int rank_of(const struct block *block, enum role role)
{
    bool is_said =
        block->kind == BLOCK_TEXT || block->kind == BLOCK_CITED || block->kind == BLOCK_IMAGE;
    if (block->kind == BLOCK_REASONING || role == ROLE_SYSTEM)
        return 0;
    return is_said == (role != ROLE_USER) ? 1 : 2;
}

#define RANKS 3

struct content {
    struct buf *buf;
    const struct block *blocks;
    size_t count;
    enum role role;
};

/* Adds a block with its cache_control: `cache`, else that of the point behind it, else its own. */
static void add_at(const struct content *content, size_t i, struct slice cache)
{
    const struct block *block = &content->blocks[i];
    bool has_point = i + 1 < content->count && block[1].kind == BLOCK_CACHE_POINT;
    json_add_comma(content->buf);
    add_block(content->buf, block);
    if (cache.ptr == NULL && has_point)
        add_point(content->buf, block[1].json);
    else
        json_add_member(content->buf, "cache_control", cache.ptr != NULL ? cache : block->cache);
    buf_add_byte(content->buf, '}');
}

/* The index of the last block in the order of ranks; the count where there is none. */
static size_t find_last(const struct content *content)
{
    size_t last = content->count;
    int highest = -1;
    for (size_t i = 0; i < content->count; i++) {
        int rank = rank_of(&content->blocks[i], content->role);
        if (content->blocks[i].kind != BLOCK_CACHE_POINT && rank >= highest) {
            highest = rank;
            last = i;
        }
    }
    return last;
}

void anthropic_add_content(struct buf *buf, const struct block *blocks, size_t count,
                           enum role role, struct slice cache)
{
    const struct content content = {buf, blocks, count, role};
    size_t last = find_last(&content);
    buf_add_byte(buf, '[');
    for (int rank = 0; rank < RANKS; rank++)
        for (size_t i = 0; i < count; i++)
            if (blocks[i].kind != BLOCK_CACHE_POINT && rank_of(&blocks[i], role) == rank)
                add_at(&content, i, i == last ? cache : SLICE_NULL);
    if (last == count) {
        add_text(buf, SLICE("."));
        buf_add_byte(buf, '}');
    }
    buf_add_byte(buf, ']');
}

/* --- tools --- */

/* The vendor's own members stay; a description must say something. */
static void add_own_tool(struct buf *buf, const struct tool *tool)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(tool->anthropic.len));
    enum err err = json_parse(&scratch, tool->anthropic, &root, NULL);
    if (err != OK) {
        buf->failed = buf->failed != OK ? buf->failed : err;
        return;
    }
    for (const struct json *member = root->first; member != NULL; member = member->next)
        if (!slice_equal_text(member->name, "description") &&
            !slice_equal_text(member->name, "cache_control"))
            json_add_copy(buf, member);
    json_add_member(buf, "description",
                    tool->description.ptr != NULL ? tool->description : tool->name);
}

static void add_tool(struct buf *buf, const struct tool *tool)
{
    json_add_comma(buf);
    buf_add_byte(buf, '{');
    if (tool->anthropic.ptr != NULL) {
        add_own_tool(buf, tool);
        return;
    }
    json_add_member(buf, "name", tool->name);
    json_add_member(buf, "description",
                    tool->description.ptr != NULL ? tool->description : tool->name);
    json_add_member(buf, "input_schema", tool->schema_given);
}

static void add_list(struct buf *buf, const struct tool *tools, size_t count)
{
    buf_add_byte(buf, '[');
    for (size_t i = 0; i < count; i++) {
        if (tools[i].kind != TOOL_FUNCTION)
            continue;
        add_tool(buf, &tools[i]);
        if (i + 1 < count && tools[i + 1].kind == TOOL_CACHE_POINT)
            add_point(buf, tools[i + 1].converse);
        else
            json_add_member(buf, "cache_control", tools[i].cache);
        buf_add_byte(buf, '}');
    }
    buf_add_byte(buf, ']');
}

static void add_choice(struct buf *buf, const struct tool_choice *choice)
{
    static const char *const types[] = {
        [TOOL_CHOICE_AUTO] = "auto",
        [TOOL_CHOICE_ANY] = "any",
        [TOOL_CHOICE_TOOL] = "tool",
        [TOOL_CHOICE_NONE] = "none",
    };
    json_add_name(buf, "tool_choice");
    open_block(buf, types[choice->kind]);
    json_add_member(buf, "name", choice->name);
    buf_add_byte(buf, '}');
}

void anthropic_add_tools(struct invoke_body *body)
{
    const struct request *request = body->request;
    if (request->tool_count > 0 && body_needs(body, "tools")) {
        json_add_name(body->buf, "tools");
        add_list(body->buf, request->tools, request->tool_count);
    }
    if (request->tool_choice.kind != TOOL_CHOICE_ABSENT && body_needs(body, "tool_choice"))
        add_choice(body->buf, &request->tool_choice);
}
