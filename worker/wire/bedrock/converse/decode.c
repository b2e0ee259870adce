#include "wire/bedrock/converse/parts.h"

/* LangChain's form of a block is longer than Converse's, and tool inputs come twice. */
#define DECODE_GROWTH_MAX  8
#define DECODE_FRAME_BYTES 1024

/* --- blocks --- */

static void add_raw(struct converse_answer *texts, const struct json *block)
{
    json_add_comma(&texts->content);
    buf_add(&texts->content, block->source);
}

static void open_block(struct converse_answer *texts, const char *type)
{
    json_add_comma(&texts->content);
    buf_add_byte(&texts->content, '{');
    json_add_text_member(&texts->content, "type", slice_of_text(type));
}

/* The members of `object` that LangChain's form has no other name for, as they came. */
static void add_others(struct buf *content, const struct json *object, const char *const *except,
                       size_t count)
{
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, except, count))
            json_add_copy(content, member);
}

static bool add_text(struct converse_answer *texts, const struct json *text)
{
    if (text->kind != JSON_STRING)
        return false;
    open_block(texts, "text");
    json_add_member(&texts->content, "text", text->source);
    buf_add_byte(&texts->content, '}');
    return true;
}

static void add_call(struct converse_answer *texts, const struct json *use)
{
    const struct json *input = json_member(use, "input");
    struct slice name = json_member(use, "name")->source;
    struct slice id = json_member(use, "toolUseId")->source;
    if (input == NULL || input->kind == JSON_OBJECT) {
        converse_add_tool_call(texts, true, name, input == NULL ? SLICE("{}") : input->source, id);
        return;
    }
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, texts->content.limit);
    json_add_string(&text, input->source);
    if (text.failed != OK)
        texts->content.failed = text.failed;
    else
        converse_add_tool_call(texts, false, name, buf_slice(&text), id);
}

/* Tools that Bedrock runs itself say so in `type`; they are no calls for the client. */
static bool add_tool_use(struct converse_answer *texts, const struct json *use)
{
    static const char *const renamed[] = {"toolUseId", "name", "input", "type", "id"};
    const struct json *name = json_member(use, "name"), *id = json_member(use, "toolUseId");
    const struct json *input = json_member(use, "input"), *type = json_member(use, "type");
    if (!json_is(name, JSON_STRING) || !json_is(id, JSON_STRING) || json_member(use, "id") != NULL)
        return false;
    bool is_call = !json_is(type, JSON_STRING) || json_equal_text(type, "tool_use");
    json_add_comma(&texts->content);
    buf_add_byte(&texts->content, '{');
    json_add_member(&texts->content, "type", is_call ? SLICE("\"tool_use\"") : type->source);
    json_add_member(&texts->content, "name", name->source);
    json_add_member(&texts->content, "input", input == NULL ? SLICE("{}") : input->source);
    json_add_member(&texts->content, "id", id->source);
    add_others(&texts->content, use, renamed, COUNT_OF(renamed));
    buf_add_byte(&texts->content, '}');
    if (is_call)
        add_call(texts, use);
    return true;
}

static bool add_reasoning(struct converse_answer *texts, const struct json *reasoning)
{
    const struct json *text = json_member(reasoning, "reasoningText");
    const struct json *redacted = json_member(reasoning, "redactedContent");
    if (!json_is(reasoning, JSON_OBJECT) || reasoning->count != 1)
        return false;
    if (!json_is(text, JSON_OBJECT) && !json_is(redacted, JSON_STRING))
        return false;
    open_block(texts, "reasoning_content");
    json_add_name(&texts->content, "reasoning_content");
    buf_add_byte(&texts->content, '{');
    if (text != NULL)
        add_others(&texts->content, text, NULL, 0);
    else
        json_add_member(&texts->content, "redacted_content", redacted->source);
    buf_add_text(&texts->content, "}}");
    return true;
}

/* Nothing but texts. */
static bool are_texts(const struct json *content)
{
    if (!json_is(content, JSON_ARRAY) || content->count == 0)
        return false;
    for (const struct json *part = content->first; part != NULL; part = part->next)
        if (!json_is(part, JSON_OBJECT) || part->count != 1 ||
            !json_is(json_member(part, "text"), JSON_STRING))
            return false;
    return true;
}

/* A text with its citations; of several texts, the last one has them. */
static bool add_cited(struct converse_answer *texts, const struct json *cited)
{
    const struct json *content = json_member(cited, "content"),
                      *citations = json_member(cited, "citations");
    if (!are_texts(content) || cited->count != (citations == NULL ? 1 : 2) ||
        (citations != NULL && citations->kind != JSON_ARRAY))
        return false;
    for (const struct json *part = content->first; part != NULL; part = part->next) {
        open_block(texts, "text");
        json_add_member(&texts->content, "text", json_member(part, "text")->source);
        if (part->next == NULL && citations != NULL)
            json_add_member(&texts->content, "citations", citations->source);
        buf_add_byte(&texts->content, '}');
    }
    return true;
}

/* false: it has no form of LangChain's. */
static bool add_known(struct converse_answer *texts, const struct json *member)
{
    enum block_kind kind = block_kind_of(member->name);
    if (kind == BLOCK_TEXT)
        return add_text(texts, member);
    if (kind == BLOCK_TOOL_USE)
        return add_tool_use(texts, member);
    if (kind == BLOCK_REASONING)
        return add_reasoning(texts, member);
    return kind == BLOCK_CITED && add_cited(texts, member);
}

static void add_block(struct converse_answer *texts, const struct json *block)
{
    const struct json *only = converse_only_member(block);
    if (only == NULL || !add_known(texts, only))
        add_raw(texts, block);
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
    size_t bytes = 0;
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

/* A string for exactly one text, else an array of blocks. */
static void add_content(struct converse_answer *texts, const struct json *blocks)
{
    const struct json *only = blocks->count == 1 ? blocks->first : NULL;
    const struct json *text = json_member(only, "text");
    if (only != NULL && only->count == 1 && json_is(text, JSON_STRING)) {
        buf_add(&texts->content, text->source);
        return;
    }
    buf_add_byte(&texts->content, '[');
    for (const struct json *block = blocks->first; block != NULL; block = block->next)
        add_block(texts, block);
    buf_add_byte(&texts->content, ']');
}

static enum err decode_content(struct arena *arena, const struct json *blocks, size_t limit,
                               struct answer *answer)
{
    struct converse_answer texts OWNED_BY(converse_answer_done);
    converse_answer_init(&texts, limit);
    add_content(&texts, blocks);
    return converse_answer_keep(&texts, arena, answer);
}

static enum err decode_metadata(struct arena *arena, const struct json *root, size_t limit,
                                struct answer *answer)
{
    struct buf metadata OWNED_BY(buf_done);
    buf_init(&metadata, limit);
    enum err err = converse_add_metadata(&metadata, root, NULL);
    return err == OK ? converse_keep(arena, &metadata, &answer->metadata) : err;
}

static enum err decode_root(struct arena *arena, const struct json *root, struct answer *answer,
                            struct why *ret_why)
{
    const struct json *message = json_member(json_member(root, "output"), "message");
    const struct json *blocks = json_member(message, "content");
    const struct json *tier = json_member(json_member(root, "serviceTier"), "type");
    if (!json_is(blocks, JSON_ARRAY))
        return why_set(ret_why, ERR_BAD_ANSWER, NULL, "the answer has no output.message.content");
    size_t limit = root->source.len * DECODE_GROWTH_MAX + DECODE_FRAME_BYTES;
    enum err err = decode_content(arena, blocks, limit, answer);
    if (err == OK)
        err = decode_metadata(arena, root, limit, answer);
    if (err == OK)
        err = converse_keep_string(arena, json_member(root, "stopReason"), &answer->stop_reason);
    if (err == OK)
        err = converse_keep_string(arena, tier, &answer->service_tier);
    if (err == OK)
        err = converse_usage(arena, json_member(root, "usage"), &answer->usage);
    answer->text_bytes = count_text(blocks);
    converse_reasoning_tokens(json_member(root, "additionalModelResponseFields"), &answer->usage);
    return err == OK ? OK : converse_failed(ret_why, err);
}

enum err converse_decode(const struct dialect *dialect, struct arena *arena,
                         const struct heard *heard, struct answer *ret_answer, struct why *ret_why)
{
    struct slice body = heard->body;
    struct arena scratch OWNED_BY(arena_done);
    struct answer answer = {.content = SLICE_NULL};
    struct json_fault fault;
    const struct json *root = NULL;
    (void)dialect;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(body.len));
    why_clear(ret_why);
    converse_no_usage(&answer.usage);
    enum err err = json_parse_loosely(&scratch, body, &root, &fault);
    if (err == ERR_FORMAT && slice_starts(slice_trim(body), SLICE("<")))
        return why_set(ret_why, ERR_BAD_ANSWER, NULL,
                       "status 200 with a body that is not Bedrock's: a proxy's page?");
    if (err == ERR_FORMAT)
        return why_set(ret_why, ERR_BAD_ANSWER, NULL,
                       "the answer is invalid JSON at line %zu, column %zu: %s", fault.line,
                       fault.column, fault.words);
    if (err != OK)
        return converse_failed(ret_why, err);
    err = decode_root(arena, root, &answer, ret_why);
    if (err == OK)
        *ret_answer = answer;
    return err;
}
