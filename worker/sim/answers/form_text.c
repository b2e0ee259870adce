/* Answers of the families whose answer is one text: titan, llama, mistral, deepseek and imported
 * models, cohere's command-r. A chunk has a piece of text, the last one why it ends and the counts.
 */
#include "sim/answers/parts.h"
#include "wire/formats/json.h"

/* Of a chunk: the text, and whether it is the last. A step without text has no chunk. */
static bool chunk_text(const struct reply_step *step, struct slice *ret_text, bool *ret_last)
{
    *ret_last = step->kind == STEP_STOP;
    *ret_text = step->kind == STEP_DELTA ? step->piece : SLICE("");
    return *ret_last || (step->kind == STEP_DELTA && step->block.kind == PLAN_TEXT);
}

static void end_whole(struct reply_out *out, const struct plan *plan)
{
    reply_add_verdict(out->at, plan, true);
    buf_add_byte(out->at, '}');
}

/* A member that only the last chunk has; the others say null. */
static void add_reason(struct buf *buf, const char *name, const struct plan *plan, bool is_last)
{
    if (is_last)
        json_add_text_member(buf, name, reply_reason(plan));
    else
        json_add_member(buf, name, SLICE("null"));
}

static void add_count(struct buf *buf, const char *name, int64_t count, bool is_there)
{
    if (is_there)
        json_add_int_member(buf, name, count);
    else
        json_add_member(buf, name, SLICE("null"));
}

/* ---- titan ---- */

static void titan_whole(struct reply_out *out, const struct plan *plan)
{
    buf_addf(out->at, "{\"inputTextTokenCount\":%lld,\"results\":[{\"tokenCount\":%lld",
             (long long)plan->input_tokens, (long long)plan->output_tokens);
    json_add_name(out->at, "outputText");
    reply_add_text(out, plan);
    json_add_text_member(out->at, "completionReason", reply_reason(plan));
    buf_add_text(out->at, "}]");
    end_whole(out, plan);
}

static const char *titan_step(struct buf *payload, const struct plan *plan,
                              const struct reply_step *step)
{
    struct slice text;
    bool is_last;
    if (!chunk_text(step, &text, &is_last))
        return NULL;
    buf_add_byte(payload, '{');
    json_add_text_member(payload, "outputText", text);
    json_add_int_member(payload, "index", 0);
    add_count(payload, "totalOutputTextTokenCount", plan->output_tokens, is_last);
    add_reason(payload, "completionReason", plan, is_last);
    add_count(payload, "inputTextTokenCount", plan->input_tokens, is_last || step->is_first);
    reply_end_chunk(payload, plan, step, is_last);
    return "chunk";
}

const struct reply_form FORM_TITAN = {titan_whole, titan_step, false};

/* ---- llama ---- */

static void llama_whole(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at, "{\"generation\":");
    reply_add_text(out, plan);
    json_add_int_member(out->at, "prompt_token_count", plan->input_tokens);
    json_add_int_member(out->at, "generation_token_count", plan->output_tokens);
    json_add_text_member(out->at, "stop_reason", reply_reason(plan));
    end_whole(out, plan);
}

/* The output's tokens so far, a quarter of its bytes; the last chunk has the count. */
static int64_t tokens_so_far(const struct plan *plan, const struct reply_step *step)
{
    int64_t tokens = (int64_t)(step->given + 3) / 4;
    bool is_last = step->kind == STEP_STOP || tokens > plan->output_tokens;
    return is_last ? plan->output_tokens : tokens;
}

static const char *llama_step(struct buf *payload, const struct plan *plan,
                              const struct reply_step *step)
{
    struct slice text;
    bool is_last;
    if (!chunk_text(step, &text, &is_last))
        return NULL;
    buf_add_byte(payload, '{');
    json_add_text_member(payload, "generation", text);
    add_count(payload, "prompt_token_count", plan->input_tokens, step->is_first);
    json_add_int_member(payload, "generation_token_count", tokens_so_far(plan, step));
    add_reason(payload, "stop_reason", plan, is_last);
    reply_end_chunk(payload, plan, step, is_last);
    return "chunk";
}

const struct reply_form FORM_LLAMA = {llama_whole, llama_step, false};

/* ---- mistral, deepseek, imported models: a list of one text ---- */

static void list_whole(struct reply_out *out, const struct plan *plan, const char *list)
{
    buf_addf(out->at, "{\"%s\":[{\"text\":", list);
    reply_add_text(out, plan);
    json_add_text_member(out->at, "stop_reason", reply_reason(plan));
    buf_add_text(out->at, "}]");
}

static const char *list_step(struct buf *payload, const struct plan *plan,
                             const struct reply_step *step, const char *list)
{
    struct slice text;
    bool is_last;
    if (!chunk_text(step, &text, &is_last))
        return NULL;
    buf_addf(payload, "{\"%s\":[{", list);
    json_add_text_member(payload, "text", text);
    add_reason(payload, "stop_reason", plan, is_last);
    buf_add_text(payload, "}]");
    reply_end_chunk(payload, plan, step, is_last);
    return "chunk";
}

static void mistral_whole(struct reply_out *out, const struct plan *plan)
{
    list_whole(out, plan, "outputs");
    end_whole(out, plan);
}

static const char *mistral_step(struct buf *payload, const struct plan *plan,
                                const struct reply_step *step)
{
    return list_step(payload, plan, step, "outputs");
}

const struct reply_form FORM_MISTRAL = {mistral_whole, mistral_step, false};

/* Imported models count in the body, too. */
static void completion_whole(struct reply_out *out, const struct plan *plan)
{
    list_whole(out, plan, "choices");
    if (plan->family->counts)
        buf_addf(out->at,
                 ",\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,"
                 "\"total_tokens\":%lld}",
                 (long long)plan->input_tokens, (long long)plan->output_tokens,
                 (long long)(plan->input_tokens + plan->output_tokens));
    end_whole(out, plan);
}

static const char *completion_step(struct buf *payload, const struct plan *plan,
                                   const struct reply_step *step)
{
    return list_step(payload, plan, step, "choices");
}

const struct reply_form FORM_COMPLETION = {completion_whole, completion_step, false};

/* ---- cohere command-r ---- */

static void command_whole(struct reply_out *out, const struct plan *plan)
{
    buf_add_text(out->at, "{\"response_id\":\"simulated\",\"text\":");
    reply_add_text(out, plan);
    buf_add_text(out->at, ",\"generation_id\":\"simulated\",\"chat_history\":[]");
    json_add_text_member(out->at, "finish_reason", reply_reason(plan));
    end_whole(out, plan);
}

static const char *command_step(struct buf *payload, const struct plan *plan,
                                const struct reply_step *step)
{
    struct slice text;
    bool is_last;
    if (!chunk_text(step, &text, &is_last))
        return NULL;
    buf_addf(payload, "{\"is_finished\":%s,\"event_type\":\"%s\"", is_last ? "true" : "false",
             is_last ? "stream-end" : "text-generation");
    if (is_last)
        json_add_text_member(payload, "finish_reason", reply_reason(plan));
    else
        json_add_text_member(payload, "text", text);
    reply_end_chunk(payload, plan, step, is_last);
    return "chunk";
}

const struct reply_form FORM_COMMAND = {command_whole, command_step, false};
