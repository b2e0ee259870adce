#include "wire/bedrock/converse/forms.h"
#include "wire/bedrock/converse/parts.h"
#include "wire/bedrock/converse/thinking.h"

/* LangChain's form of a block is longer than Converse's, and tool inputs come twice. */
#define DECODE_GROWTH_MAX  20
#define DECODE_FRAME_BYTES 1024

/* --- blocks --- */

/* Arguments that are no object make an invalid call. */
static void add_call(struct message_texts *texts, const struct json *use)
{
    const struct json *input = json_member(use, "input");
    struct slice name = json_member(use, "name")->source;
    struct slice id = json_member(use, "toolUseId")->source;
    if (input == NULL || input->kind == JSON_OBJECT) {
        message_add_call(texts, true, name, input == NULL ? SLICE("{}") : input->source, id);
        return;
    }
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, texts->content.limit);
    json_add_string(&text, input->source);
    if (text.failed != OK)
        texts->content.failed = text.failed;
    else
        message_add_call(texts, false, name, buf_slice(&text), id);
}

static void add_block(struct message_texts *texts, struct form_list *list, const struct json *block)
{
    const struct json *only = converse_only_member(block);
    if (!form_add(list, block))
        form_add_raw(list, block);
    else if (form_is_call(only))
        add_call(texts, only);
}

/* --- the bytes that are estimated from --- */

static size_t cited_bytes(const struct json *cited)
{
    const struct json *content = json_member(cited, "content");
    size_t bytes = 0;
    if (json_is(content, JSON_ARRAY))
        for (const struct json *part = content->first; part != NULL; part = part->next)
            bytes += converse_text_bytes(json_member(part, "text"));
    return bytes;
}

static size_t count_text(const struct json *blocks)
{
    size_t bytes = converse_text_bytes(blocks);
    if (!json_is(blocks, JSON_ARRAY))
        return bytes;
    for (const struct json *block = blocks->first; block != NULL; block = block->next) {
        const struct json *reasoning = json_member(block, "reasoningContent");
        const struct json *input = json_member(json_member(block, "toolUse"), "input");
        bytes += converse_text_bytes(json_member(block, "text"));
        bytes += converse_text_bytes(json_member(json_member(reasoning, "reasoningText"), "text"));
        bytes += json_is(input, JSON_OBJECT) ? input->source.len : converse_text_bytes(input);
        bytes += cited_bytes(json_member(block, "citationsContent"));
    }
    return bytes;
}

/* --- the answer --- */

/* What content is read with. */
struct reading {
    const struct heard *heard;
    struct arena *arena;   /* of the answer */
    struct arena *scratch; /* of the body's values */
    size_t limit;          /* bytes of the answer's content */
};

static bool has_inline_reasoning(const struct reading *reading)
{
    return reading->heard->request != NULL &&
           traits_has(&reading->heard->request->traits, TRAIT_INLINE_REASONING);
}

/* What an answer holds in place of blocks. */
static void add_odd_content(const struct json *content, struct buf *json)
{
    struct form_list list = {.json = json};
    if (json_is(content, JSON_STRING)) {
        buf_add(json, content->source);
        return;
    }
    buf_add_byte(json, '[');
    if (content != NULL && content->kind != JSON_NULL)
        form_add_raw(&list, content);
    buf_add_byte(json, ']');
}

/* A string for exactly one text, else an array of blocks. */
static enum err add_blocks(const struct reading *reading, const struct json *blocks,
                           struct message_texts *texts)
{
    struct form_list list = {.json = &texts->content};
    bool is_split = has_inline_reasoning(reading);
    buf_add_byte(&texts->content, '[');
    for (const struct json *block = blocks->first; block != NULL; block = block->next) {
        bool is_text = block->count == 1 && json_is(json_member(block, "text"), JSON_STRING);
        if (!is_split || !is_text)
            add_block(texts, &list, block);
        else if (!thinking_add(&list, reading->scratch, block->first))
            return ERR_NO_MEMORY;
    }
    buf_add_byte(&texts->content, ']');
    if (list.count == 1 && list.text_to > 0 && texts->content.failed == OK) {
        buf_cut(&texts->content, list.text_to);
        buf_drop_front(&texts->content, list.text_from);
    }
    return OK;
}

static enum err decode_content(const struct reading *reading, const struct json *blocks,
                               struct answer *answer)
{
    struct message_texts texts OWNED_BY(message_done);
    enum err err = OK;
    message_init(&texts, reading->limit);
    if (json_is(blocks, JSON_ARRAY))
        err = add_blocks(reading, blocks, &texts);
    else
        add_odd_content(blocks, &texts.content);
    return err == OK ? message_keep(&texts, reading->arena, answer) : err;
}

static enum err decode_metadata(const struct reading *reading, const struct json *root,
                                struct answer *answer)
{
    struct buf metadata OWNED_BY(buf_done);
    buf_init(&metadata, reading->limit);
    enum err err = converse_add_metadata(&metadata, root, NULL);
    return err == OK ? message_keep_buf(reading->arena, &metadata, &answer->metadata) : err;
}

static enum err decode_root(const struct reading *reading, const struct json *root,
                            struct answer *answer, struct why *ret_why)
{
    const struct json *message = json_member(json_member(root, "output"), "message");
    const struct json *blocks = json_member(message, "content");
    const struct json *tier = json_member(json_member(root, "serviceTier"), "type");
    const struct json *usage = json_member(root, "usage");
    /* With counts it is Bedrock's and was billed, whatever it holds. */
    if (!json_is(blocks, JSON_ARRAY) && message_count(usage, "outputTokens") == ANSWER_COUNT_ABSENT)
        return why_set(ret_why, ERR_BAD_ANSWER, NULL, "the answer has no output.message.content");
    enum err err = decode_content(reading, blocks, answer);
    if (err == OK)
        err = decode_metadata(reading, root, answer);
    if (err == OK)
        err = message_keep_string(reading->arena, json_member(root, "stopReason"),
                                  &answer->stop_reason);
    if (err == OK)
        err = message_keep_string(reading->arena, tier, &answer->service_tier);
    if (err == OK)
        err = converse_usage(reading->arena, usage, &answer->usage);
    answer->text_bytes = count_text(blocks);
    converse_reasoning_tokens(json_member(root, "additionalModelResponseFields"), &answer->usage);
    return err == OK ? OK : message_failed(ret_why, err);
}

enum err converse_read(const struct converse_whole *whole, const struct json *root,
                       struct answer *ret_answer, struct why *ret_why)
{
    struct reading reading = {.heard = whole->heard,
                              .arena = whole->arena,
                              .scratch = whole->scratch,
                              .limit = root->source.len * DECODE_GROWTH_MAX + DECODE_FRAME_BYTES};
    return decode_root(&reading, root, ret_answer, ret_why);
}

static enum err not_json(struct slice body, const struct json_fault *fault, struct why *ret_why)
{
    if (slice_starts(slice_trim(body), SLICE("<")))
        return why_set(ret_why, ERR_BAD_ANSWER, NULL,
                       "status 200 with a body that is not Bedrock's: a proxy's page?");
    return why_set(ret_why, ERR_BAD_ANSWER, NULL,
                   "the answer is invalid JSON at line %zu, column %zu: %s", fault->line,
                   fault->column, fault->words);
}

enum err converse_decode(const struct dialect *dialect, struct arena *arena,
                         const struct heard *heard, struct answer *ret_answer, struct why *ret_why)
{
    struct arena scratch OWNED_BY(arena_done);
    struct answer answer = {.content = SLICE_NULL};
    struct json_fault fault;
    const struct json *root = NULL;
    (void)dialect;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(heard->body.len));
    why_clear(ret_why);
    message_no_usage(&answer.usage);
    enum err err = json_parse_loosely(&scratch, heard->body, &root, &fault);
    if (err == ERR_FORMAT)
        return not_json(heard->body, &fault, ret_why);
    if (err != OK)
        return message_failed(ret_why, err);
    const struct converse_whole whole = {heard, arena, &scratch};
    err = converse_read(&whole, root, &answer, ret_why);
    if (err == OK)
        *ret_answer = answer;
    return err;
}
