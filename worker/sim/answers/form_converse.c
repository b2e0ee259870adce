/* Answers of Converse and ConverseStream, and of nova in InvokeModel, which has the same members.
 */
#include "sim/answers/parts.h"
#include "wire/formats/json.h"

/* ---- what both have ---- */

/* What the simulated citation says. */
static void add_citation(struct buf *buf, const struct plan *plan)
{
    buf_addf(buf,
             "{\"title\":\"document\",\"source\":\"simulated\",\"sourceContent\":[{\"text\":"
             "\"a simulated source\"}],\"location\":{\"documentChar\":{\"documentIndex\":0,"
             "\"start\":0,\"end\":%zu}}}",
             plan->text.len);
}

static void add_reasoning(struct buf *buf, const struct plan_block *block)
{
    buf_add_text(buf, "{\"reasoningContent\":{");
    if (block->kind == PLAN_REDACTED) {
        json_add_text_member(buf, "redactedContent", block->text);
    } else {
        buf_add_text(buf, "\"reasoningText\":{");
        json_add_text_member(buf, "text", block->text);
        if (block->signature.len > 0 && !block->is_cut)
            json_add_text_member(buf, "signature", block->signature);
        buf_add_byte(buf, '}');
    }
    buf_add_text(buf, "}}");
}

static void add_tool_use(struct buf *buf, const struct plan_block *block)
{
    buf_add_text(buf, "{\"toolUse\":{");
    json_add_text_member(buf, "toolUseId", block->id);
    json_add_text_member(buf, "name", block->name);
    json_add_member(buf, "input", reply_input(block));
    buf_add_text(buf, "}}");
}

static void add_text(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at,
                 plan->cites ? "{\"citationsContent\":{\"content\":[{\"text\":" : "{\"text\":");
    reply_add_text(out, plan);
    if (plan->cites) {
        buf_add_text(out->at, "}],\"citations\":[");
        add_citation(out->at, plan);
        buf_add_text(out->at, "]}");
    }
    buf_add_byte(out->at, '}');
}

void reply_add_content(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at, "{\"message\":{\"content\":[");
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        if (i > 0)
            buf_add_byte(out->at, ',');
        if (block.kind == PLAN_TEXT)
            add_text(out, plan);
        else if (block.kind == PLAN_TOOL_USE)
            add_tool_use(out->at, &block);
        else
            add_reasoning(out->at, &block);
    }
    buf_add_text(out->at, "],\"role\":\"assistant\"}}");
}

static void add_detail(struct buf *buf, const char *ttl, int64_t tokens)
{
    if (tokens == 0)
        return;
    json_add_comma(buf);
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "inputTokens", tokens);
    json_add_text_member(buf, "ttl", slice_of_text(ttl));
    buf_add_byte(buf, '}');
}

static void add_usage(struct buf *buf, const struct plan *plan)
{
    json_add_name(buf, "usage");
    buf_add_byte(buf, '{');
    if (plan->cache_write > 0) {
        json_add_name(buf, "cacheDetails");
        buf_add_byte(buf, '[');
        add_detail(buf, "1h", plan->cache_long);
        add_detail(buf, "5m", plan->cache_write - plan->cache_long);
        buf_add_byte(buf, ']');
    }
    if (plan->caches) {
        json_add_int_member(buf, "cacheReadInputTokens", plan->cache_read);
        json_add_int_member(buf, "cacheWriteInputTokens", plan->cache_write);
    }
    json_add_int_member(buf, "inputTokens", plan->input_tokens);
    json_add_int_member(buf, "outputTokens", plan->output_tokens);
    json_add_int_member(buf, "totalTokens",
                        plan->input_tokens + plan->cache_read + plan->cache_write +
                            plan->output_tokens);
    buf_add_byte(buf, '}');
}

static void add_metrics(struct buf *buf, const struct plan *plan, int64_t latency_ms)
{
    json_add_name(buf, "metrics");
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "latencyMs",
                        plan->metrics_ms != SIM_UNSET ? plan->metrics_ms : latency_ms);
    buf_add_byte(buf, '}');
}

static int64_t thinking_tokens(const struct plan *plan)
{
    size_t bytes = 0;
    for (size_t i = 0; i < plan_block_count(plan); i++) {
        struct plan_block block = plan_block_at(plan, i);
        if (block.kind == PLAN_REASONING || block.kind == PLAN_REDACTED)
            bytes += block.text.len;
    }
    return (int64_t)(bytes + 3) / 4;
}

/* The members of the model's own answer that additionalModelResponseFieldPaths names. */
static void add_fields(struct buf *buf, const struct plan *plan)
{
    if (!plan->wants_stop && !plan->wants_details)
        return;
    json_add_name(buf, "additionalModelResponseFields");
    buf_add_byte(buf, '{');
    if (plan->wants_stop && plan->stop_sequence.ptr != NULL)
        json_add_text_member(buf, "stop_sequence", plan->stop_sequence);
    else if (plan->wants_stop)
        json_add_member(buf, "stop_sequence", SLICE("null"));
    if (plan->wants_details) {
        json_add_name(buf, "usage");
        buf_add_byte(buf, '{');
        json_add_int_member(buf, "input_tokens", plan->input_tokens);
        json_add_int_member(buf, "output_tokens", plan->output_tokens);
        buf_addf(buf, ",\"output_tokens_details\":{\"thinking_tokens\":%lld}}",
                 (long long)thinking_tokens(plan));
    }
    buf_add_byte(buf, '}');
}

/* How the call was served. */
static void add_service(struct buf *buf, const struct plan *plan)
{
    if (plan->verdict != VERDICT_NONE && plan->guardrail.trace) {
        json_add_name(buf, "trace");
        reply_add_trace(buf, plan, true);
    }
    if (plan->latency.len > 0) {
        json_add_name(buf, "performanceConfig");
        buf_add_byte(buf, '{');
        json_add_text_member(buf, "latency", plan->latency);
        buf_add_byte(buf, '}');
    }
    if (plan->tier.len > 0) {
        json_add_name(buf, "serviceTier");
        buf_add_byte(buf, '{');
        json_add_text_member(buf, "type", plan->tier);
        buf_add_byte(buf, '}');
    }
}

static void converse_whole(struct reply_out *out, const struct plan *plan)
{
    buf_add_byte(out->at, '{');
    add_fields(out->at, plan);
    add_metrics(out->at, plan, out->latency_ms);
    json_add_name(out->at, "output");
    reply_add_content(out, plan);
    json_add_text_member(out->at, "stopReason", plan->stop_reason);
    add_service(out->at, plan);
    add_usage(out->at, plan);
    buf_add_byte(out->at, '}');
}

/* ---- streams ---- */

static void add_index(struct buf *payload, const struct reply_step *step)
{
    buf_addf(payload, "{\"contentBlockIndex\":%zu", step->index);
}

static void add_delta(struct buf *payload, const struct reply_step *step)
{
    static const char *const BEGINS[] = {
        [PLAN_TEXT] = ",\"delta\":{\"text\":",
        [PLAN_REASONING] = ",\"delta\":{\"reasoningContent\":{\"text\":",
        [PLAN_REDACTED] = ",\"delta\":{\"reasoningContent\":{\"redactedContent\":",
        [PLAN_TOOL_USE] = ",\"delta\":{\"toolUse\":{\"input\":",
    };
    add_index(payload, step);
    buf_add_text(payload, BEGINS[step->block.kind]);
    json_add_string(payload, step->piece);
    buf_add_text(payload, step->block.kind == PLAN_TEXT ? "}" : "}}");
}

static void add_start(struct buf *payload, const struct reply_step *step)
{
    add_index(payload, step);
    buf_add_text(payload, ",\"start\":{\"toolUse\":{");
    json_add_text_member(payload, "name", step->block.name);
    json_add_text_member(payload, "toolUseId", step->block.id);
    buf_add_text(payload, "}}");
}

/* Writes the event's object without its closing brace. Only tool uses have a contentBlockStart. */
const char *reply_converse_payload(struct buf *payload, const struct plan *plan,
                                   const struct reply_step *step)
{
    switch (step->kind) {
    case STEP_START:
        buf_add_text(payload, "{\"role\":\"assistant\"");
        return "messageStart";
    case STEP_BLOCK_START:
        if (step->block.kind != PLAN_TOOL_USE)
            return NULL;
        add_start(payload, step);
        return "contentBlockStart";
    case STEP_DELTA:
        add_delta(payload, step);
        return "contentBlockDelta";
    case STEP_SIGN:
        add_index(payload, step);
        buf_add_text(payload, ",\"delta\":{\"reasoningContent\":{");
        json_add_text_member(payload, "signature", step->block.signature);
        buf_add_text(payload, "}}");
        return "contentBlockDelta";
    case STEP_CITE:
        add_index(payload, step);
        buf_add_text(payload, ",\"delta\":{\"citation\":");
        add_citation(payload, plan);
        buf_add_byte(payload, '}');
        return "contentBlockDelta";
    case STEP_BLOCK_STOP:
        add_index(payload, step);
        return "contentBlockStop";
    case STEP_STOP:
        buf_add_byte(payload, '{');
        add_fields(payload, plan);
        json_add_text_member(payload, "stopReason", plan->stop_reason);
        return "messageStop";
    case STEP_METADATA:
    default:
        buf_add_byte(payload, '{');
        add_metrics(payload, plan, step->latency_ms);
        add_service(payload, plan);
        add_usage(payload, plan);
        return "metadata";
    }
}

const struct reply_form FORM_CONVERSE = {converse_whole, reply_converse_payload, false};

/* ---- nova in InvokeModel ---- */

static void add_nova_usage(struct buf *buf, const struct plan *plan, bool is_whole)
{
    json_add_name(buf, "usage");
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "inputTokens", plan->input_tokens);
    json_add_int_member(buf, "outputTokens", plan->output_tokens);
    if (is_whole)
        json_add_int_member(buf, "totalTokens",
                            plan->input_tokens + plan->cache_read + plan->cache_write +
                                plan->output_tokens);
    if (plan->caches) {
        json_add_int_member(buf, "cacheReadInputTokenCount", plan->cache_read);
        json_add_int_member(buf, "cacheWriteInputTokenCount", plan->cache_write);
    }
    buf_add_byte(buf, '}');
}

static void nova_whole(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at, "{\"output\":");
    reply_add_content(out, plan);
    json_add_text_member(out->at, "stopReason", reply_reason(plan));
    add_nova_usage(out->at, plan, true);
    reply_add_verdict(out->at, plan, true);
    buf_add_byte(out->at, '}');
}

static void nova_event(struct buf *payload, const struct plan *plan, const struct reply_step *step,
                       const char *name)
{
    if (step->kind == STEP_STOP) {
        buf_add_byte(payload, '{');
        json_add_text_member(payload, "stopReason", reply_reason(plan));
    } else if (step->kind == STEP_METADATA) {
        buf_add_byte(payload, '{');
        add_nova_usage(payload, plan, false);
        buf_add_text(payload, ",\"metrics\":{},\"trace\":{}");
    } else if (name != NULL) {
        (void)reply_converse_payload(payload, plan, step);
    }
}

/* An event is a member; the counts stand beside the last one. */
static const char *nova_step(struct buf *payload, const struct plan *plan,
                             const struct reply_step *step)
{
    static const char *const NAMES[] = {
        [STEP_START] = "messageStart",     [STEP_DELTA] = "contentBlockDelta",
        [STEP_SIGN] = "contentBlockDelta", [STEP_BLOCK_STOP] = "contentBlockStop",
        [STEP_STOP] = "messageStop",       [STEP_METADATA] = "metadata",
    };
    const char *name = NAMES[step->kind];
    if (step->kind == STEP_BLOCK_START && step->block.kind == PLAN_TOOL_USE)
        name = "contentBlockStart";
    if (name == NULL || (step->kind == STEP_METADATA && plan->fault == FAULT_NO_METADATA))
        return NULL;
    buf_addf(payload, "{\"%s\":", name);
    nova_event(payload, plan, step, name);
    buf_add_byte(payload, '}');
    reply_end_chunk(payload, plan, step, step->kind == STEP_METADATA);
    return "chunk";
}

const struct reply_form FORM_NOVA = {nova_whole, nova_step, true};
