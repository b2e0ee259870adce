#include "sim/answers/parts.h"

#include "wire/formats/json.h"

void reply_add_text(struct reply_out *out, const struct plan *plan)
{
    json_add_string(out->at, plan->text);
    if (out->at->failed == OK)
        buf_cut(out->at, out->at->len - 1); /* the filler follows inside the quotes */
    out->at = out->tail;
    buf_add_byte(out->at, '"');
}

struct slice reply_reason(const struct plan *plan)
{
    const struct family_reasons *reasons = &plan->family->reasons;
    const struct {
        const char *from, *to;
    } rows[] = {{"end_turn", reasons->end_turn},
                {"max_tokens", reasons->max_tokens},
                {"stop_sequence", reasons->stop_sequence},
                {"tool_use", reasons->tool_use},
                {"guardrail_intervened", reasons->end_turn}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].to != NULL && slice_equal_text(plan->stop_reason, rows[i].from))
            return slice_of_text(rows[i].to);
    /* Claude's and Nova's answers in InvokeModel know nothing of a guardrail. */
    if (slice_equal_text(plan->stop_reason, "guardrail_intervened"))
        return SLICE("end_turn");
    return plan->stop_reason;
}

struct slice reply_input(const struct plan_block *block)
{
    return block->is_cut || block->text.len == 0 ? SLICE("{}") : block->text;
}

bool reply_has(const struct plan *plan, enum plan_kind kind)
{
    for (size_t i = 0; i < plan_block_count(plan); i++)
        if (plan_block_at(plan, i).kind == kind)
            return true;
    return false;
}

static void add_assessment(struct buf *buf, const struct plan *plan, bool intervened)
{
    buf_add_byte(buf, '{');
    if (intervened)
        buf_add_text(buf, "\"topicPolicy\":{\"topics\":[{\"name\":\"simulated\",\"type\":\"DENY\","
                          "\"action\":\"BLOCKED\",\"detected\":true}]},");
    buf_addf(buf,
             "\"invocationMetrics\":{\"guardrailProcessingLatency\":5,\"usage\":{"
             "\"topicPolicyUnits\":1,\"contentPolicyUnits\":1,\"wordPolicyUnits\":1,"
             "\"sensitiveInformationPolicyUnits\":1,\"sensitiveInformationPolicyFreeUnits\":0,"
             "\"contextualGroundingPolicyUnits\":0},\"guardrailCoverage\":{\"textCharacters\":{"
             "\"guarded\":%zu,\"total\":%zu}}}}",
             plan->text.len, plan->text.len);
}

/* {"ID": assessment}, or a list of it */
static void add_assessments(struct buf *buf, const struct plan *plan, const char *name,
                            bool intervened, bool is_list)
{
    json_add_name(buf, name);
    buf_add_byte(buf, '{');
    json_add_string(buf, plan->guardrail.id);
    buf_add_text(buf, is_list ? ":[" : ":");
    add_assessment(buf, plan, intervened);
    buf_add_text(buf, is_list ? "]}" : "}");
}

/* Converse and InvokeModel name the parts of a trace differently. */
void reply_add_trace(struct buf *buf, const struct plan *plan, bool is_converse)
{
    bool is_input = plan->verdict == VERDICT_INPUT;
    buf_add_text(buf, "{\"guardrail\":{");
    add_assessments(buf, plan, is_converse ? "inputAssessment" : "input", is_input, false);
    if (!is_input && is_converse)
        add_assessments(buf, plan, "outputAssessments", plan->verdict == VERDICT_OUTPUT, true);
    if (!is_input && !is_converse) {
        buf_add_text(buf, ",\"outputs\":[{");
        json_add_string(buf, plan->guardrail.id);
        buf_add_byte(buf, ':');
        add_assessment(buf, plan, plan->verdict == VERDICT_OUTPUT);
        buf_add_text(buf, "}]");
    }
    if (is_converse)
        json_add_text_member(buf, "actionReason",
                             plan->verdict > VERDICT_PASSED ? SLICE("Guardrail blocked.")
                                                            : SLICE("No action."));
    buf_add_text(buf, "}}");
}

void reply_add_verdict(struct buf *buf, const struct plan *plan, bool is_last)
{
    if (plan->verdict == VERDICT_NONE)
        return;
    if (is_last && plan->guardrail.trace) {
        json_add_name(buf, "amazon-bedrock-trace");
        reply_add_trace(buf, plan, false);
    }
    json_add_text_member(buf, "amazon-bedrock-guardrailAction",
                         plan->verdict > VERDICT_PASSED ? SLICE("INTERVENED") : SLICE("NONE"));
}

void reply_add_counts(struct buf *buf, const struct plan *plan, int64_t latency_ms)
{
    if (plan->fault == FAULT_NO_METADATA)
        return;
    json_add_name(buf, "amazon-bedrock-invocationMetrics");
    buf_add_byte(buf, '{');
    json_add_int_member(buf, "inputTokenCount", plan->input_tokens);
    json_add_int_member(buf, "outputTokenCount", plan->output_tokens);
    json_add_int_member(buf, "invocationLatency", latency_ms);
    json_add_int_member(buf, "firstByteLatency", latency_ms / 2);
    if (plan->caches) {
        json_add_int_member(buf, "cacheReadInputTokenCount", plan->cache_read);
        json_add_int_member(buf, "cacheWriteInputTokenCount", plan->cache_write);
    }
    buf_add_byte(buf, '}');
}

void reply_end_chunk(struct buf *payload, const struct plan *plan, const struct reply_step *step,
                     bool is_last)
{
    if (is_last)
        reply_add_counts(payload, plan, step->latency_ms);
    reply_add_verdict(payload, plan, is_last);
    buf_add_byte(payload, '}');
}
