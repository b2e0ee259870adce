#include "wire/bedrock/converse/parts.h"

#include "base/check.h"
#include "wire/chat/tool_text.h"
#include "wire/formats/json.h"

/* --- the request --- */

static void add_text(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"text\":");
    json_add_string(body, block->text);
    buf_add_byte(body, '}');
}

static void add_cited(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"citationsContent\":{\"content\":[");
    add_text(body, block);
    buf_add_text(body, "],\"citations\":");
    buf_add(body, block->json);
    buf_add_text(body, "}}");
}

static void add_guard(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"guardContent\":{\"text\":");
    add_text(body, block);
    buf_add_text(body, "}}");
}

static void add_use(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"toolUse\":{");
    json_add_member(body, "toolUseId", block->use.id);
    json_add_member(body, "name", block->use.name);
    json_add_member(body, "input", block->use.input);
    buf_add_text(body, "}}");
}

static void add_json(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"json\":");
    buf_add(body, block->json);
    buf_add_byte(body, '}');
}

static void add_reasoning(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"reasoningContent\":{");
    if (block->reasoning.redacted.ptr != NULL) {
        json_add_member(body, "redactedContent", block->reasoning.redacted);
    } else {
        buf_add_text(body, "\"reasoningText\":{");
        json_add_text_member(body, "text", block->text);
        json_add_member(body, "signature", block->reasoning.signature);
        buf_add_byte(body, '}');
    }
    buf_add_text(body, "}}");
}

static void add_parts(struct buf *body, const struct block *blocks, size_t count);

static void add_result(struct buf *body, const struct block *block)
{
    buf_add_text(body, "{\"toolResult\":{");
    json_add_member(body, "toolUseId", block->result.id);
    json_add_name(body, "content");
    add_parts(body, block->result.parts, block->result.count);
    if (block->result.status != RESULT_STATUS_NONE)
        json_add_text_member(body, "status",
                             block->result.status == RESULT_ERROR ? SLICE("error")
                                                                  : SLICE("success"));
    buf_add_text(body, "}}");
}

/* Of the kinds that come in other forms than Converse's. */
static void (*const writers[BLOCK_RAW])(struct buf *body, const struct block *block) = {
    [BLOCK_TEXT] = add_text,
    [BLOCK_CITED] = add_cited,
    [BLOCK_GUARD] = add_guard,
    [BLOCK_IMAGE] = converse_add_media,
    [BLOCK_DOCUMENT] = converse_add_media,
    [BLOCK_VIDEO] = converse_add_media,
    [BLOCK_AUDIO] = converse_add_media,
    [BLOCK_TOOL_USE] = add_use,
    [BLOCK_TOOL_RESULT] = add_result,
    [BLOCK_REASONING] = add_reasoning,
    [BLOCK_JSON] = add_json,
};

static void add_block(struct buf *body, const struct block *block)
{
    if (block->is_converse) {
        buf_add(body, block->json);
        return;
    }
    CHECK(block->kind < BLOCK_RAW && writers[block->kind] != NULL);
    writers[block->kind](body, block);
}

static void add_parts(struct buf *body, const struct block *blocks, size_t count)
{
    buf_add_byte(body, '[');
    for (size_t i = 0; i < count; i++) {
        json_add_comma(body);
        add_block(body, &blocks[i]);
    }
    buf_add_byte(body, ']');
}

/* Of a request without tools: a call or result as a text, unless there is nothing to say. */
static void add_as_text(struct buf *body, const struct block *block)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, body->limit);
    tool_text_add(&text, block);
    if (text.failed != OK && body->failed == OK)
        body->failed = text.failed;
    if (text.len > 0) {
        struct block said = {.kind = BLOCK_TEXT, .text = buf_slice(&text)};
        json_add_comma(body);
        add_text(body, &said);
    }
}

/* What stands around the blocks of a turn, or of system. */
struct frame {
    const struct request *request;
    bool has_texts;  /* in place of calls and results */
    bool is_guarded; /* its texts are for the guardrail, and there must be one */
    bool has_point;  /* of cache_control, at its end */
};

/* Returns whether it is for the guardrail. */
static bool add_framed(struct buf *body, const struct frame *frame, const struct block *block)
{
    bool is_guarded = frame->is_guarded && block->kind == BLOCK_TEXT;
    if (frame->has_texts && tool_text_replaces(block)) {
        add_as_text(body, block);
    } else {
        json_add_comma(body);
        if (is_guarded)
            add_guard(body, block);
        else
            add_block(body, block);
    }
    if (block->cache.ptr != NULL) {
        json_add_comma(body);
        converse_add_point(body, frame->request, block->cache);
    }
    return is_guarded;
}

static void add_blocks(struct buf *body, const struct frame *frame, const struct block *blocks,
                       size_t count)
{
    static const struct block filler = {.kind = BLOCK_TEXT, .text = {"[tool_result]", 13}};
    static const struct block blank = {.kind = BLOCK_TEXT, .text = {".", 1}};
    bool has_guarded = false;
    buf_add_byte(body, '[');
    size_t begin = body->len;
    for (size_t i = 0; i < count; i++)
        has_guarded = add_framed(body, frame, &blocks[i]) || has_guarded;
    if (body->len == begin)
        add_block(body, &blank); /* Bedrock refuses a turn of nothing */
    if (frame->is_guarded && !has_guarded)
        (void)add_framed(body, frame, &filler);
    if (frame->has_point) {
        json_add_comma(body);
        converse_add_point(body, frame->request, frame->request->cache_control);
    }
    buf_add_byte(body, ']');
}

/* The user's last turn, which is all that the guardrail is to see if the request wants that. */
static const struct turn *guarded_turn(const struct request *request)
{
    const struct turn *turn = request->turns + request->turn_count;
    if (!request->guardrail.last_turn_only)
        return NULL;
    while (turn > request->turns)
        if ((--turn)->role == ROLE_USER)
            return turn;
    return NULL;
}

static void add_messages(struct buf *body, const struct request *request,
                         const struct converse_points *points)
{
    const struct turn *guarded = guarded_turn(request);
    bool has_texts = !converse_has_tools(request);
    json_add_name(body, "messages");
    buf_add_byte(body, '[');
    for (size_t i = 0; i < request->turn_count; i++) {
        const struct turn *turn = &request->turns[i];
        size_t left = request->turn_count - i;
        struct frame frame = {
            .request = request,
            .has_texts = has_texts,
            .is_guarded = turn == guarded,
            .has_point = (left == 1 && points->last) || (left == 2 && points->before_last),
        };
        if (i > 0)
            buf_add_byte(body, ',');
        buf_add_byte(body, '{');
        json_add_text_member(body, "role",
                             turn->role == ROLE_USER ? SLICE("user") : SLICE("assistant"));
        json_add_name(body, "content");
        add_blocks(body, &frame, turn->blocks, turn->count);
        buf_add_byte(body, '}');
    }
    buf_add_byte(body, ']');
}

static void add_system(struct buf *body, const struct request *request,
                       const struct converse_points *points)
{
    struct frame frame = {.request = request, .has_point = points->system};
    if (request->system_count == 0)
        return;
    json_add_name(body, "system");
    add_blocks(body, &frame, request->system, request->system_count);
}

/* Whether a parameter is given that Converse has a place for, or one that it leaves to the model.
 */
static bool has_parameter(const struct request *request, bool is_placed)
{
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if ((parameter_rows[i].converse != NULL) == is_placed && request->parameters[i].ptr != NULL)
            return true;
    return false;
}

static void add_inference(struct buf *body, const struct request *request)
{
    if (!has_parameter(request, true))
        return;
    json_add_name(body, "inferenceConfig");
    buf_add_byte(body, '{');
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if (parameter_rows[i].converse != NULL)
            json_add_member(body, parameter_rows[i].converse, request->parameters[i]);
    buf_add_byte(body, '}');
}

/* The model's own fields, as they were written unless a parameter joins them. */
static void add_additional(struct buf *body, const struct request *request)
{
    struct slice fields = request->additional_fields;
    if (!has_parameter(request, false)) {
        json_add_member(body, "additionalModelRequestFields", fields);
        return;
    }
    json_add_name(body, "additionalModelRequestFields");
    if (fields.ptr == NULL)
        fields = SLICE("{}");
    /* All of the object but its closing brace. */
    buf_add(body, slice_trim(slice_sub(fields, 0, fields.len - 1)));
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if (parameter_rows[i].converse == NULL)
            json_add_member(body, parameter_rows[i].name, request->parameters[i]);
    buf_add_byte(body, '}');
}

void converse_add_conversation(struct buf *body, const struct request *request)
{
    struct converse_points points = converse_points_of(request);
    add_messages(body, request, &points);
    add_system(body, request, &points);
    converse_add_tools(body, request, &points);
}

void converse_add_counted(const struct dialect *dialect, const struct request *request,
                          struct buf *ret_body)
{
    (void)dialect;
    buf_add_text(ret_body, "\"converse\":{");
    converse_add_conversation(ret_body, request);
    add_additional(ret_body, request);
    buf_add_byte(ret_body, '}');
}

enum err converse_encode(const struct dialect *dialect, const struct request *request,
                         struct buf *ret_body)
{
    struct converse_points points = converse_points_of(request);
    (void)dialect;
    buf_add_byte(ret_body, '{');
    add_messages(ret_body, request, &points);
    add_system(ret_body, request, &points);
    add_inference(ret_body, request);
    converse_add_tools(ret_body, request, &points);
    add_additional(ret_body, request);
    json_add_member(ret_body, "additionalModelResponseFieldPaths", request->response_field_paths);
    json_add_member(ret_body, "requestMetadata", request->request_metadata);
    converse_add_options(ret_body, request);
    buf_add_byte(ret_body, '}');
    return ret_body->failed;
}
