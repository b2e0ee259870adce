/* Answers of Claude in InvokeModel (Anthropic's Messages API). */
#include "sim/answers/parts.h"
#include "wire/formats/json.h"

#define MESSAGE                                                                                    \
    "\"id\":\"msg_bdrk_01simulated\",\"type\":\"message\",\"role\":\"assistant\","                 \
    "\"model\":\"simulated-claude\""

static void add_usage(struct buf *buf, const struct plan *plan, int64_t output_tokens)
{
    json_add_name(buf, "usage");
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "input_tokens", plan->input_tokens);
    if (plan->caches) {
        json_add_int_member(buf, "cache_creation_input_tokens", plan->cache_write);
        json_add_int_member(buf, "cache_read_input_tokens", plan->cache_read);
        buf_addf(buf,
                 ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":%lld,"
                 "\"ephemeral_1h_input_tokens\":%lld}",
                 (long long)(plan->cache_write - plan->cache_long), (long long)plan->cache_long);
    }
    json_add_int_member(buf, "output_tokens", output_tokens);
    buf_add_byte(buf, '}');
}

static void add_end(struct buf *buf, const struct plan *plan)
{
    json_add_text_member(buf, "stop_reason", reply_reason(plan));
    if (plan->stop_sequence.ptr != NULL)
        json_add_text_member(buf, "stop_sequence", plan->stop_sequence);
    else
        json_add_member(buf, "stop_sequence", SLICE("null"));
}

static void add_citation(struct buf *buf, const struct plan *plan)
{
    buf_addf(buf,
             "{\"type\":\"char_location\",\"cited_text\":\"a simulated source\","
             "\"document_index\":0,\"document_title\":\"document\",\"start_char_index\":0,"
             "\"end_char_index\":%zu}",
             plan->text.len);
}

static void add_thinking(struct buf *buf, const struct plan_block *block)
{
    bool is_redacted = block->kind == PLAN_REDACTED;
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "type", is_redacted ? SLICE("redacted_thinking") : SLICE("thinking"));
    json_add_text_member(buf, is_redacted ? "data" : "thinking", block->text);
    if (!is_redacted)
        json_add_text_member(buf, "signature", block->is_cut ? SLICE("") : block->signature);
    buf_add_byte(buf, '}');
}

static void add_tool_use(struct buf *buf, const struct plan_block *block, struct slice input)
{
    buf_add_byte(buf, '{');
    json_add_text_member(buf, "type", SLICE("tool_use"));
    json_add_text_member(buf, "id", block->id);
    json_add_text_member(buf, "name", block->name);
    json_add_member(buf, "input", input);
    buf_add_byte(buf, '}');
}

static void add_text(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at, "{\"type\":\"text\",\"text\":");
    reply_add_text(out, plan);
    if (plan->cites) {
        buf_add_text(out->at, ",\"citations\":[");
        add_citation(out->at, plan);
        buf_add_byte(out->at, ']');
    }
    buf_add_byte(out->at, '}');
}

static void anthropic_whole(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at, "{" MESSAGE ",\"content\":[");
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        if (i > 0)
            buf_add_byte(out->at, ',');
        if (block.kind == PLAN_TEXT)
            add_text(out, plan);
        else if (block.kind == PLAN_TOOL_USE)
            add_tool_use(out->at, &block, reply_input(&block));
        else
            add_thinking(out->at, &block);
    }
    buf_add_byte(out->at, ']');
    add_end(out->at, plan);
    add_usage(out->at, plan, plan->output_tokens);
    reply_add_verdict(out->at, plan, true);
    buf_add_byte(out->at, '}');
}

/* ---- streams ---- */

static void add_block_start(struct buf *payload, const struct plan *plan,
                            const struct reply_step *step)
{
    struct plan_block empty = step->block;
    empty.text = empty.signature = SLICE("");
    buf_addf(payload,
             "{\"type\":\"content_block_start\",\"index\":%zu,\"content_block\":", step->index);
    if (step->block.kind == PLAN_TEXT)
        buf_add_text(payload, plan->cites ? "{\"citations\":[],\"type\":\"text\",\"text\":\"\"}"
                                          : "{\"type\":\"text\",\"text\":\"\"}");
    else if (step->block.kind == PLAN_TOOL_USE)
        add_tool_use(payload, &step->block, SLICE("{}"));
    else
        add_thinking(payload, step->block.kind == PLAN_REDACTED ? &step->block : &empty);
}

static void begin_delta(struct buf *payload, const struct reply_step *step)
{
    buf_addf(payload, "{\"type\":\"content_block_delta\",\"index\":%zu,\"delta\":{", step->index);
}

static void add_delta(struct buf *payload, const struct reply_step *step)
{
    static const struct {
        struct slice type;
        const char *member;
    } ROWS[] = {
        [PLAN_TEXT] = {{"text_delta", 10}, "text"},
        [PLAN_REASONING] = {{"thinking_delta", 14}, "thinking"},
        [PLAN_REDACTED] = {{"", 0}, ""},
        [PLAN_TOOL_USE] = {{"input_json_delta", 16}, "partial_json"},
    };
    begin_delta(payload, step);
    json_add_text_member(payload, "type", ROWS[step->block.kind].type);
    json_add_text_member(payload, ROWS[step->block.kind].member, step->piece);
    buf_add_byte(payload, '}');
}

static void add_message_start(struct buf *payload, const struct plan *plan)
{
    buf_add_text(payload, "{\"type\":\"message_start\",\"message\":{" MESSAGE ",\"content\":[],"
                          "\"stop_reason\":null,\"stop_sequence\":null");
    add_usage(payload, plan, 1);
    buf_add_byte(payload, '}');
}

/* Writes the chunk's object without its closing brace; false: there is none. */
static bool add_payload(struct buf *payload, const struct plan *plan, const struct reply_step *step)
{
    switch (step->kind) {
    case STEP_START:
        add_message_start(payload, plan);
        return true;
    case STEP_BLOCK_START:
        add_block_start(payload, plan, step);
        return true;
    case STEP_DELTA:
        if (step->block.kind == PLAN_REDACTED) /* it stands in the block's start */
            return false;
        add_delta(payload, step);
        return true;
    case STEP_SIGN:
        begin_delta(payload, step);
        buf_add_text(payload, "\"type\":\"signature_delta\"");
        json_add_text_member(payload, "signature", step->block.signature);
        buf_add_byte(payload, '}');
        return true;
    case STEP_CITE:
        begin_delta(payload, step);
        buf_add_text(payload, "\"type\":\"citations_delta\",\"citation\":");
        add_citation(payload, plan);
        buf_add_byte(payload, '}');
        return true;
    case STEP_BLOCK_STOP:
        buf_addf(payload, "{\"type\":\"content_block_stop\",\"index\":%zu", step->index);
        return true;
    case STEP_STOP:
        buf_add_text(payload, "{\"type\":\"message_delta\",\"delta\":{");
        add_end(payload, plan);
        buf_addf(payload, "},\"usage\":{\"output_tokens\":%lld}", (long long)plan->output_tokens);
        return true;
    case STEP_METADATA:
    default:
        if (plan->fault == FAULT_NO_METADATA)
            return false;
        buf_add_text(payload, "{\"type\":\"message_stop\"");
        return true;
    }
}

static const char *anthropic_step(struct buf *payload, const struct plan *plan,
                                  const struct reply_step *step)
{
    if (!add_payload(payload, plan, step))
        return NULL;
    reply_end_chunk(payload, plan, step, step->kind == STEP_METADATA);
    return "chunk";
}

const struct reply_form FORM_ANTHROPIC = {anthropic_whole, anthropic_step, false};
