#include "wire/bedrock/converse/items.h"
#include "wire/bedrock/converse/parts.h"
#include "wire/bedrock/invoke/parts.h"
#include "wire/bedrock/invoke/places.h"
#include "wire/bedrock/invoke/tool_calls.h"

/*
 * Amazon Nova: Converse's messages, tools and blocks in another body, Converse's answer, and
 * Converse's events as members of the chunks. Its streams cut a text into blocks of a few letters
 * each: texts that follow each other are one block of the message, with the index of the first.
 * Source: AWS, "Amazon Nova: complete request schema"; recorded streams.
 */

static void write_nova(struct invoke_body *body)
{
    body_add(body, "schemaVersion", SLICE("\"messages-v1\""));
    if (body_needs(body, "messages"))
        converse_add_conversation(body->buf, body->request);
    body_add_parameters(body);
}

static enum err read_usage(struct said *said, const struct json *usage)
{
    struct said_counts counts = said_no_counts();
    if (!json_is(usage, JSON_OBJECT))
        return OK;
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, said->limit);
    json_add_member(&raw, "usage", usage->source);
    if (raw.failed != OK)
        return message_failed(said->why, raw.failed);
    counts.input = message_count(usage, "inputTokens");
    counts.output = message_count(usage, "outputTokens");
    counts.cache_read = message_count(usage, "cacheReadInputTokenCount");
    counts.cache_write = message_count(usage, "cacheWriteInputTokenCount");
    counts.raw = buf_slice(&raw);
    return said_usage(said, &counts);
}

/* --- a whole answer --- */

static enum err read_answer(struct said *said, const struct json *root)
{
    const struct json *message = json_member(json_member(root, "output"), "message");
    const struct heard heard = {.status = 200, .request = said->request};
    const struct converse_whole whole = {&heard, said->arena, &said->scratch};
    struct answer answer = {.content = SLICE_NULL};
    if (!json_is(json_member(message, "content"), JSON_ARRAY))
        return places_read(said, root);
    enum err err = converse_read(&whole, root, &answer, said->why);
    if (err != OK)
        return err;
    said->answer.content = answer.content;
    said->answer.tool_calls = answer.tool_calls;
    said->answer.invalid_tool_calls = answer.invalid_tool_calls;
    said->answer.text_bytes = answer.text_bytes;
    err = said_stop(said, json_member(root, "stopReason"));
    return err == OK ? read_usage(said, json_member(root, "usage")) : err;
}

/* --- a stream --- */

struct nova {
    struct items items;
    bool is_text; /* the last piece was text, … */
    int64_t text; /* … of the block with this index */
};

static enum err nova_of(struct said *said, struct nova **ret_nova)
{
    struct nova *nova = said->own;
    if (nova == NULL) {
        nova = arena_new(said->arena, sizeof *nova);
        if (nova == NULL)
            return message_failed(said->why, ERR_NO_MEMORY);
        items_init(&nova->items, said->arena, said->limit);
        said->own = nova;
        said->is_list = true;
        buf_add_byte(&said->content, '[');
    }
    *ret_nova = nova;
    return OK;
}

/* The block that a piece belongs to. */
static int64_t index_of(struct nova *nova, const struct json *event, bool is_text)
{
    int64_t index;
    if (!json_int64(json_member(event, "contentBlockIndex"), &index) || index < 0)
        index = ITEMS_NO_INDEX;
    if (is_text && nova->is_text)
        index = nova->text;
    nova->is_text = is_text;
    nova->text = index;
    return index;
}

static enum err hear_block(struct said *said, struct nova *nova, const struct json *event,
                           bool is_start)
{
    const struct json *piece = json_member(event, is_start ? "start" : "delta");
    if (piece == NULL || piece->kind == JSON_NULL)
        return OK;
    struct block_event block = {
        .index = index_of(nova, event, json_is(json_member(piece, "text"), JSON_STRING)),
        .is_start = is_start,
        .said = piece,
    };
    enum err err = items_hear(&nova->items, &block, &said->content, &said->tool_calls);
    said->step.is_chunk = said->step.is_chunk || said->content.len > 1;
    said->answer.text_bytes = nova->items.text_bytes;
    return err == OK ? OK : message_failed(said->why, err);
}

static bool is_event(const struct json *chunk)
{
    static const char *const names[] = {"messageStart",      "contentBlockStart",
                                        "contentBlockDelta", "contentBlockStop",
                                        "messageStop",       "metadata"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (json_is(json_member(chunk, names[i]), JSON_OBJECT))
            return true;
    return false;
}

static enum err hear_event(struct said *said, const struct json *chunk)
{
    struct nova *nova;
    enum err err = nova_of(said, &nova);
    if (json_member(chunk, "messageStart") != NULL)
        said->step.is_chunk = true;
    if (err == OK)
        err = hear_block(said, nova, json_member(chunk, "contentBlockStart"), true);
    if (err == OK)
        err = hear_block(said, nova, json_member(chunk, "contentBlockDelta"), false);
    if (err == OK)
        err = said_stop(said, json_member(json_member(chunk, "messageStop"), "stopReason"));
    return err == OK ? read_usage(said, json_member(json_member(chunk, "metadata"), "usage")) : err;
}

/* A stream that began in another family's form goes on in it. */
static enum err hear_chunk(struct said *said, const struct json *chunk)
{
    if (!said->is_list && (said->begun || !is_event(chunk)))
        return places_hear(said, chunk);
    return hear_event(said, chunk);
}

/* --- the message --- */

static enum err keep(struct said *said, struct answer *ret_answer)
{
    struct nova *nova = said->own;
    if (said->is_list)
        return items_keep(&nova->items, ret_answer);
    return ret_answer->content.ptr != NULL ? OK : tool_calls_keep(said, ret_answer);
}

static void done(struct said *said)
{
    struct nova *nova = said->own;
    if (said->is_list)
        items_done(&nova->items);
    else
        tool_calls_done(said);
}

const struct shape shape_nova = {
    .write = write_nova,
    .read = read_answer,
    .hear = hear_chunk,
    .keep = keep,
    .done = done,
    .joins_messages = true,
    .names = {[PARAMETER_MAX_TOKENS] = "maxTokens",
              [PARAMETER_TEMPERATURE] = "temperature",
              [PARAMETER_TOP_P] = "topP",
              [PARAMETER_TOP_K] = "topK"},
    .config = "inferenceConfig",
};
