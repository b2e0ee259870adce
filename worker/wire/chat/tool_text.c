#include "wire/chat/tool_text.h"

#include "wire/formats/json.h"
#include "wire/formats/json_spaced.h"
#include "wire/formats/text.h"

#define NODE_BYTES 4096 /* more than one string's node takes */

bool tool_text_replaces(const struct block *block)
{
    return block->kind == BLOCK_TOOL_USE || block->kind == BLOCK_TOOL_RESULT;
}

/* The value of a JSON string. */
static void add_string(struct buf *text, struct slice json)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *node;
    struct slice value;
    arena_init(&arena, NODE_BYTES + 2 * json.len);
    if (slice_find(json, '\\') == json.len)
        buf_add(text, slice_sub(json, 1, json.len - 2));
    else if (json_parse(&arena, json, &node, NULL) == OK && json_string(&arena, node, &value))
        buf_add(text, value);
    else if (text->failed == OK)
        text->failed = ERR_NO_MEMORY;
}

/* What Python takes for false: it has nothing to show. */
static bool is_nothing(struct slice input)
{
    static const char *const nothing[] = {"\"\"", "null", "false", "0", "0.0"};
    struct slice inside = slice_trim(slice_sub(input, 1, input.len - 1));
    if (input.len > 1 && (input.ptr[0] == '{' || input.ptr[0] == '['))
        return inside.len == 1;
    return input.len == 0 || slice_is_one_of(input, nothing, COUNT_OF(nothing));
}

static void add_use(struct buf *text, const struct block *block)
{
    buf_add_text(text, "[Called ");
    if (block->use.name.ptr != NULL)
        add_string(text, block->use.name);
    else
        buf_add_text(text, "function");
    if (!is_nothing(block->use.input)) {
        buf_add_text(text, " with parameters: ");
        json_add_spaced(text, block->use.input);
    }
    buf_add_byte(text, ']');
}

static void add_result(struct buf *text, const struct block *block)
{
    size_t begin = text->len;
    buf_add_text(text, "[Tool output: ");
    size_t from = text->len;
    for (size_t i = 0; i < block->result.count; i++) {
        const struct block *part = &block->result.parts[i];
        if (part->kind == BLOCK_TEXT)
            buf_add(text, part->text);
        else if (part->kind == BLOCK_JSON)
            json_add_spaced(text, part->json);
    }
    if (text->failed != OK)
        return;
    if (text_is_blank(slice_sub(buf_slice(text), from, SIZE_MAX)))
        buf_cut(text, begin);
    else
        buf_add_byte(text, ']');
}

void tool_text_add(struct buf *text, const struct block *block)
{
    if (block->kind == BLOCK_TOOL_USE)
        add_use(text, block);
    else
        add_result(text, block);
}
