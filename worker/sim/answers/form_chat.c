/* Answers in the form of OpenAI's chat completions: gpt-oss, qwen, jamba, writer and others. What
 * they think stands in the text, between <reasoning> marks. */
#include "sim/answers/parts.h"
#include "wire/formats/json.h"

#define TEXT_BYTES_MAX ((size_t)4 * 1024 * 1024)

static void add_calls(struct buf *buf, const struct plan *plan)
{
    json_add_name(buf, "tool_calls");
    buf_add_byte(buf, '[');
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        if (block.kind != PLAN_TOOL_USE)
            continue;
        json_add_comma(buf);
        buf_add_byte(buf, '{');
        json_add_text_member(buf, "id", block.id);
        buf_add_text(buf, ",\"type\":\"function\",\"function\":{");
        json_add_text_member(buf, "name", block.name);
        json_add_text_member(buf, "arguments", block.text);
        buf_add_text(buf, "}}");
    }
    buf_add_byte(buf, ']');
}

/* The reasoning, if any, and the text in one string. */
static void add_content(struct reply_out *out, const struct plan *plan)
{
    struct buf text OWNED_BY(buf_done);
    struct plan whole = *plan;
    buf_init(&text, TEXT_BYTES_MAX);
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        if (block.kind != PLAN_REASONING)
            continue;
        buf_add_text(&text, "<reasoning>");
        buf_add(&text, block.text);
        buf_add_text(&text, "</reasoning>");
    }
    if (text.len > 0) {
        buf_add(&text, plan->text);
        whole.text = buf_slice(&text);
    }
    reply_add_text(out, &whole);
}

static void chat_whole(struct reply_out *out, const struct plan *plan)
{
    bool calls = reply_has(plan, PLAN_TOOL_USE);
    buf_add_text(out->at, "{\"id\":\"chatcmpl-simulated\",\"object\":\"chat.completion\","
                          "\"created\":1764000000,\"model\":\"simulated\",\"choices\":[{"
                          "\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    if (reply_has(plan, PLAN_TEXT) || !calls)
        add_content(out, plan);
    else
        buf_add_text(out->at, "null");
    if (calls)
        add_calls(out->at, plan);
    buf_add_byte(out->at, '}');
    json_add_text_member(out->at, "finish_reason", reply_reason(plan));
    buf_addf(out->at,
             "}],\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,"
             "\"total_tokens\":%lld}",
             (long long)plan->input_tokens, (long long)plan->output_tokens,
             (long long)(plan->input_tokens + plan->output_tokens));
    reply_add_verdict(out->at, plan, true);
    buf_add_byte(out->at, '}');
}

/* ---- streams ---- */

/* The call's number among the calls. */
static size_t call_index(const struct plan *plan, const struct plan_block *call)
{
    size_t index = 0;
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        if (block.kind == PLAN_TOOL_USE && slice_equal(block.id, call->id))
            break;
        index += block.kind == PLAN_TOOL_USE ? 1 : 0;
    }
    return index;
}

static void add_call_delta(struct buf *delta, const struct plan *plan,
                           const struct reply_step *step)
{
    buf_addf(delta, "\"tool_calls\":[{\"index\":%zu", call_index(plan, &step->block));
    if (step->kind == STEP_BLOCK_START) {
        json_add_text_member(delta, "id", step->block.id);
        buf_add_text(delta, ",\"type\":\"function\"");
    }
    buf_add_text(delta, ",\"function\":{");
    if (step->kind == STEP_BLOCK_START)
        json_add_text_member(delta, "name", step->block.name);
    json_add_text_member(delta, "arguments",
                         step->kind == STEP_BLOCK_START ? SLICE("") : step->piece);
    buf_add_text(delta, "}}]");
}

/* The text that a step adds; null: none. */
static struct slice text_of(const struct reply_step *step)
{
    bool thinks = step->block.kind == PLAN_REASONING;
    if (step->kind == STEP_BLOCK_START && thinks)
        return SLICE("<reasoning>");
    if (step->kind == STEP_BLOCK_STOP && thinks)
        return SLICE("</reasoning>");
    if (step->kind == STEP_DELTA && (thinks || step->block.kind == PLAN_TEXT))
        return step->piece;
    return SLICE_NULL;
}

/* Writes the members of the delta; false: there is no chunk here. */
static bool add_delta(struct buf *payload, const struct plan *plan, const struct reply_step *step)
{
    bool is_call = step->block.kind == PLAN_TOOL_USE;
    struct slice text = text_of(step);
    if (step->kind == STEP_START)
        buf_add_text(payload, "\"role\":\"assistant\",\"content\":\"\"");
    else if (is_call &&
             (step->kind == STEP_BLOCK_START || (step->kind == STEP_DELTA && step->piece.len > 0)))
        add_call_delta(payload, plan, step);
    else if (text.ptr != NULL)
        json_add_text_member(payload, "content", text);
    else
        return step->kind == STEP_STOP;
    return true;
}

static const char *chat_step(struct buf *payload, const struct plan *plan,
                             const struct reply_step *step)
{
    bool is_last = step->kind == STEP_STOP;
    buf_add_text(payload, "{\"choices\":[{\"delta\":{");
    if (!add_delta(payload, plan, step)) {
        buf_reset(payload);
        return NULL;
    }
    buf_add_byte(payload, '}');
    if (is_last)
        json_add_text_member(payload, "finish_reason", reply_reason(plan));
    else
        json_add_member(payload, "finish_reason", SLICE("null"));
    buf_add_text(payload, ",\"index\":0}],\"created\":1764000000,\"id\":\"chatcmpl-simulated\","
                          "\"model\":\"simulated\",\"object\":\"chat.completion.chunk\"");
    reply_end_chunk(payload, plan, step, is_last);
    return "chunk";
}

/* Writer says at the end that it is the end. */
static const char *writer_step(struct buf *payload, const struct plan *plan,
                               const struct reply_step *step)
{
    if (step->kind != STEP_METADATA)
        return chat_step(payload, plan, step);
    buf_add_text(payload, "\"[DONE]\"");
    return "chunk";
}

const struct reply_form FORM_CHAT = {chat_whole, chat_step, false};
const struct reply_form FORM_WRITER = {chat_whole, writer_step, false};
