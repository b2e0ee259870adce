#include "sim/plan.h"

#include "base/glob.h"
#include "base/utf8.h"

#define ECHO_BYTES_MAX    240 /* of the prompt in an answer without a script */
#define ANSWER_ROOM       2048
#define MEDIA_FORMAT_MAX  40
#define BYTES_PER_TOKEN   4
#define HUGE_BYTES        20000000 /* of `huge` without `bytes` */
#define ENDLESS_BYTES     ((size_t)1 << 60)
#define AFTER_FRAMES_MOST 6
#define SLOW_GAP_MS       50
#define ENDLESS_GAP_MS    10
#define WRONG_DATE_MS     3600000
#define SKEWED_CLOCK_MS   600000

enum err planner_init(struct planner *planner, const struct sim_config *config)
{
    *planner = (struct planner){.config = config};
    random_init(&planner->early, (uint64_t)config->seed);
    enum err err = seen_init(&planner->seen);
    return err == OK ? caches_init(&planner->caches) : err;
}

void planner_done(struct planner *planner)
{
    seen_done(&planner->seen);
    caches_done(&planner->caches);
}

static bool matches_call(const struct sim_match *match, struct slice model,
                         enum operation operation)
{
    return (match->operation == OPERATION_ANY || match->operation == operation) &&
           (match->model.len == 0 || glob_match(match->model, model, false));
}

static bool has_part(struct slice text, struct slice part)
{
    return part.len == 0 || text_find(text, part, 0) < text.len;
}

static bool matches(const struct sim_match *match, const struct plan_facts *facts)
{
    return matches_call(match, facts->model, facts->operation) &&
           has_part(facts->conversation->system, match->system) &&
           has_part(facts->conversation->prompt, match->prompt);
}

/* Counts a call that the rule matches, and decides by `nth`, `every`, `times` and `rate` whether
 * the rule changes it. */
static bool rule_treats(struct planner *planner, size_t index, struct random *random)
{
    const struct sim_rule *rule = &planner->config->rules[index];
    int64_t number = ++planner->rule_calls[index];
    if (rule->nth != SIM_UNSET && number != rule->nth)
        return false;
    if (rule->every != SIM_UNSET && number % rule->every != 0)
        return false;
    if (rule->times != SIM_UNSET && planner->rule_hits[index] >= rule->times)
        return false;
    if (rule->rate < 1 && chance_draw(random) >= rule->rate)
        return false;
    planner->rule_hits[index]++;
    return true;
}

/* Does the rule match by what is known before the body is read? */
static bool knows_no_body(const struct sim_rule *rule)
{
    return rule->match.prompt.len == 0 && rule->match.system.len == 0;
}

static bool is_early_rule(const struct sim_rule *rule)
{
    return rule->effect.fault == FAULT_RESET_EARLY && knows_no_body(rule);
}

enum fault plan_early(struct planner *planner, struct slice model, enum operation operation)
{
    const struct sim_config *config = planner->config;
    for (size_t i = 0; i < config->rule_count; i++) {
        const struct sim_rule *rule = &config->rules[i];
        if (is_early_rule(rule) && matches_call(&rule->match, model, operation) &&
            rule_treats(planner, i, &planner->early))
            return FAULT_RESET_EARLY;
    }
    double rate = config->fault_rates[FAULT_RESET_EARLY];
    return rate > 0 && chance_draw(&planner->early) < rate ? FAULT_RESET_EARLY : FAULT_NONE;
}

static bool is_status(int64_t fault)
{
    return fault != SIM_UNSET && FAULTS[fault].kind == FAULT_KIND_STATUS;
}

enum fault plan_refusal(struct planner *planner, struct slice model, enum operation operation)
{
    const struct sim_config *config = planner->config;
    for (size_t i = 0; i < config->rule_count; i++) {
        const struct sim_rule *rule = &config->rules[i];
        if (is_status(rule->effect.fault) && knows_no_body(rule) &&
            matches_call(&rule->match, model, operation) &&
            rule_treats(planner, i, &planner->early))
            return (enum fault)rule->effect.fault;
    }
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        double rate = config->fault_rates[fault];
        if (rate > 0 && is_status(fault) && chance_draw(&planner->early) < rate)
            return (enum fault)fault;
    }
    return FAULT_NONE;
}

static void apply_effect(struct plan *plan, const struct sim_effect *effect, bool is_stream,
                         int64_t *bytes)
{
    if (effect->fault != SIM_UNSET && fault_fits((enum fault)effect->fault, is_stream)) {
        plan->fault = (enum fault)effect->fault;
        /* An error comes at once, unless the same source sets a latency. */
        if (FAULTS[plan->fault].kind == FAULT_KIND_STATUS)
            plan->latency_ms = 0;
    }
    if (effect->latency.kind != DELAY_UNSET)
        plan->latency_ms = delay_draw(&effect->latency, &plan->random);
    if (effect->gap.kind != DELAY_UNSET)
        plan->gap = effect->gap;
    if (effect->bytes != SIM_UNSET)
        *bytes = effect->bytes;
    if (effect->after != SIM_UNSET)
        plan->after = effect->after;
    if (effect->skew_ms != 0)
        plan->skew_ms = effect->skew_ms;
    if (effect->retry_after_ms != SIM_UNSET)
        plan->retry_after_ms = effect->retry_after_ms;
}

/* Draws at most one of the faults with a rate. Each draws a separate number, so that a new rate
 * does not change the faults before it. */
static void draw_fault(struct planner *planner, struct plan *plan, bool is_stream)
{
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        double rate = planner->config->fault_rates[fault];
        if (rate <= 0 || fault == FAULT_RESET_EARLY || !fault_fits((enum fault)fault, is_stream))
            continue;
        if (chance_draw(&plan->random) >= rate || plan->fault != FAULT_NONE)
            continue;
        struct sim_effect effect;
        int64_t bytes = 0;
        sim_effect_clear(&effect);
        effect.fault = fault;
        apply_effect(plan, &effect, is_stream, &bytes);
    }
}

/* Copies the prompt without its [[…]] marks. */
static void add_echo(struct buf *buf, struct slice prompt)
{
    size_t start = buf->len;
    for (size_t at = 0; at < prompt.len && buf->len - start < ECHO_BYTES_MAX;) {
        size_t open = text_find(prompt, SLICE("[["), at);
        size_t close = text_find(prompt, SLICE("]]"), open);
        if (close == prompt.len)
            open = prompt.len;
        buf_add(buf,
                utf8_clip(slice_sub(prompt, at, open - at), ECHO_BYTES_MAX - (buf->len - start)));
        at = open == prompt.len ? open : close + 2;
    }
}

/* Names the media of the last turn, such as [image png, 68 bytes]. */
static void add_media(struct buf *buf, const struct conversation *conversation)
{
    for (size_t i = 0; i < conversation->media_count; i++) {
        const struct asked_media *media = &conversation->media[i];
        buf_addf(buf, " [%s %.*s, ", media->kind,
                 SLICE_ARG(utf8_clip(media->format, MEDIA_FORMAT_MAX)));
        if (media->bytes > 0)
            buf_addf(buf, "%zu bytes]", media->bytes);
        else
            buf_add_text(buf, "in S3]");
    }
}

static enum err make_text(const struct plan_facts *facts, struct arena *arena, struct plan *plan)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, ANSWER_ROOM);
    buf_add_text(&text, "Answer to");
    if (facts->tag.len > 0) {
        buf_add_byte(&text, ' ');
        buf_add(&text, facts->tag);
    }
    buf_add_text(&text, ": ");
    add_echo(&text, facts->conversation->prompt);
    add_media(&text, facts->conversation);
    if (text.failed != OK || !arena_copy(arena, slice_trim(buf_slice(&text)), &plan->text))
        return ERR_NO_MEMORY;
    return OK;
}

static const struct sim_answer *answer_find(const struct sim_config *config,
                                            const struct plan_facts *facts)
{
    for (size_t i = 0; i < config->answer_count; i++)
        if (matches(&config->answers[i].match, facts))
            return &config->answers[i];
    return NULL;
}

/* Extends or cuts the answer's text to `bytes`. */
static void set_bytes(struct plan *plan, size_t bytes)
{
    plan->text = utf8_clip(plan->text, bytes);
    plan->fill_bytes = bytes - plan->text.len;
    plan->pieces = NULL;
}

/* Ends the text before the earliest stop text. */
static enum err cut_at(struct plan *plan, struct slice whole, const struct json *stop,
                       struct arena *arena)
{
    struct slice part;
    if (!json_is(stop, JSON_STRING))
        return OK;
    if (!json_string(arena, stop, &part))
        return ERR_NO_MEMORY;
    size_t at = text_find(whole, part, 0);
    if (at >= whole.len || at > plan->text.len)
        return OK;
    set_bytes(plan, at);
    plan->stop_reason = SLICE("stop_sequence");
    return arena_copy(arena, part, &plan->stop_sequence) ? OK : ERR_NO_MEMORY;
}

static enum err cut_at_stop(struct plan *plan, const struct json *stop, struct arena *arena)
{
    struct slice whole = plan->text;
    enum err err = cut_at(plan, whole, stop, arena);
    for (const struct json *item = json_is(stop, JSON_ARRAY) ? stop->first : NULL;
         err == OK && item != NULL; item = item->next)
        err = cut_at(plan, whole, item, arena);
    return err;
}

static int64_t tokens_of(size_t bytes)
{
    return (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
}

/* Applies the size and the stop sequences. */
static enum err finish_text(struct plan *plan, const struct plan_facts *facts, struct arena *arena,
                            int64_t bytes)
{
    size_t scripted_len = plan->text.len;
    if (plan->fault == FAULT_HUGE && bytes == SIM_UNSET)
        bytes = HUGE_BYTES;
    if (bytes != SIM_UNSET && !plan->is_structured)
        set_bytes(plan, (size_t)bytes);
    enum err err = cut_at_stop(plan, facts->conversation->stop, arena);
    if (plan->text.len + plan->fill_bytes != scripted_len)
        plan->output_tokens = SIM_UNSET;
    return err;
}

/* Cuts the parts of the answer to `most` bytes in all; what follows is left out. */
static void cut_blocks(struct plan *plan, size_t most)
{
    size_t count = plan_block_count(plan);
    for (size_t i = 0; i < count; i++) {
        struct plan_block block = plan_block_at(plan, i);
        size_t bytes = plan_block_bytes(plan, &block);
        if (bytes <= most) {
            most -= bytes;
            continue;
        }
        if (block.kind == PLAN_TEXT)
            set_bytes(plan, most);
        else
            plan->blocks[i].text = utf8_clip(block.text, most);
        plan->blocks[i].is_cut = true;
        plan->block_count = plan->block_count > 0 ? i + 1 : 0;
        return;
    }
}

/* Applies maxTokens and the counts. */
static void finish_counts(struct plan *plan, const struct plan_facts *facts)
{
    const struct conversation *conversation = facts->conversation;
    bool is_stopped = plan->verdict == VERDICT_INPUT; /* before the model saw it */
    size_t total = plan_bytes(plan);
    if (plan->output_tokens == SIM_UNSET)
        plan->output_tokens = is_stopped ? 0 : tokens_of(total);
    if (plan->input_tokens == SIM_UNSET)
        plan->input_tokens = is_stopped ? 0 : tokens_of(conversation->input_bytes);
    if (conversation->max_tokens >= 0 && plan->output_tokens > conversation->max_tokens) {
        size_t most = (size_t)conversation->max_tokens * BYTES_PER_TOKEN;
        cut_blocks(plan, most < total ? most : total);
        plan->output_tokens = conversation->max_tokens;
        plan->stop_reason = SLICE("max_tokens");
    }
    if (plan->fault == FAULT_ENDLESS_BODY)
        plan->fill_bytes = ENDLESS_BYTES;
}

/* Divides the input's tokens: from the cache, into the cache, beside it. */
static void finish_cache(struct planner *planner, const struct plan_facts *facts, struct plan *plan)
{
    plan->caches = facts->family->caches && facts->conversation->mark_count > 0;
    if (!plan->caches || FAULTS[plan->fault].kind == FAULT_KIND_STATUS ||
        facts->operation == OPERATION_COUNT_TOKENS || plan->verdict == VERDICT_INPUT)
        return;
    struct cache_use use =
        caches_use(&planner->caches, facts->model, facts->conversation, facts->now_ms);
    int64_t all = plan->input_tokens;
    plan->cache_read = tokens_of(use.read) < all ? tokens_of(use.read) : all;
    plan->cache_write = tokens_of(use.written);
    if (plan->cache_write > all - plan->cache_read)
        plan->cache_write = all - plan->cache_read;
    plan->cache_long = tokens_of(use.written_long);
    if (plan->cache_long > plan->cache_write)
        plan->cache_long = plan->cache_write;
    plan->input_tokens = all - plan->cache_read - plan->cache_write;
}

/* Sets what the fault needs and no source has set. */
static void finish_fault(struct plan *plan, const struct delay *default_gap)
{
    if (plan->after == SIM_UNSET)
        plan->after = 1 + (int64_t)random_below(&plan->random, AFTER_FRAMES_MOST);
    if (plan->gap.kind == DELAY_UNSET) {
        plan->gap = *default_gap;
        if (plan->fault == FAULT_SLOW)
            plan->gap = (struct delay){.kind = DELAY_FIXED, .from_ms = SLOW_GAP_MS};
        if (plan->fault == FAULT_ENDLESS_BODY)
            plan->gap = (struct delay){.kind = DELAY_FIXED, .from_ms = ENDLESS_GAP_MS};
    }
    if (plan->skew_ms == 0 && plan->fault == FAULT_WRONG_DATE)
        plan->skew_ms = WRONG_DATE_MS;
    if (plan->skew_ms == 0 && plan->fault == FAULT_SKEWED_CLOCK)
        plan->skew_ms = SKEWED_CLOCK_MS;
}

static enum err choose_answer(const struct plan_facts *facts, const struct sim_answer *answer,
                              struct arena *arena, struct plan *plan)
{
    if (answer == NULL)
        return make_text(facts, arena, plan);
    bool is_stream = OPERATIONS[facts->operation].streams;
    plan->text = answer->text;
    plan->pieces = answer->pieces.count > 0 ? &answer->pieces : NULL;
    plan->input_tokens = answer->input_tokens;
    plan->output_tokens = answer->output_tokens;
    plan->metrics_ms = is_stream ? answer->stream_latency_ms : answer->latency_ms;
    if (answer->stop_reason.len > 0)
        plan->stop_reason = answer->stop_reason;
    return OK;
}

/* Applies the prompt's directive, the last source. */
static void apply_directive(const struct plan_facts *facts, const struct directive *directive,
                            struct plan *plan, int64_t *bytes)
{
    if (directive->text.ptr != NULL) {
        plan->text = directive->text;
        plan->pieces = NULL;
        plan->output_tokens = SIM_UNSET;
    }
    if (directive->stop_reason.ptr != NULL)
        plan->stop_reason = directive->stop_reason;
    apply_effect(plan, &directive->effect, OPERATIONS[facts->operation].streams, bytes);
}

static void apply_rules(struct planner *planner, const struct plan_facts *facts, struct plan *plan,
                        int64_t *bytes)
{
    const struct sim_config *config = planner->config;
    bool is_stream = OPERATIONS[facts->operation].streams;
    for (size_t i = 0; i < config->rule_count; i++) {
        const struct sim_rule *rule = &config->rules[i];
        if (!is_early_rule(rule) && matches(&rule->match, facts) &&
            rule_treats(planner, i, &plan->random))
            apply_effect(plan, &rule->effect, is_stream, bytes);
    }
    draw_fault(planner, plan, is_stream);
}

static void plan_start(struct planner *planner, const struct plan_facts *facts, uint64_t *ret_nth,
                       struct plan *ret_plan)
{
    const struct sim_config *config = planner->config;
    uint64_t kind = slice_hash(facts->model, (uint64_t)facts->operation);
    uint64_t hash = slice_hash(facts->conversation->all, kind);
    *ret_nth = seen_again(&planner->seen, hash);
    *ret_plan = (struct plan){.gap = {.kind = DELAY_UNSET},
                              .padding_rate = config->padding_rate,
                              .after = SIM_UNSET,
                              .retry_after_ms = SIM_UNSET,
                              .input_tokens = SIM_UNSET,
                              .output_tokens = SIM_UNSET,
                              .metrics_ms = SIM_UNSET,
                              .stop_reason = SLICE("end_turn"),
                              .family = facts->family,
                              .is_invoke = operation_is_invoke(facts->operation),
                              .guardrail = facts->conversation->guardrail,
                              .tier = facts->conversation->tier,
                              .latency = facts->conversation->latency,
                              .wants_stop = facts->conversation->wants_stop,
                              .wants_details = facts->conversation->wants_details};
    random_init(&ret_plan->random,
                (uint64_t)config->seed ^ hash ^ (*ret_nth * UINT64_C(0x9e3779b97f4a7c15)));
    ret_plan->latency_ms = delay_draw(&config->latency, &ret_plan->random);
}

/* Copies what lies in the body's arena, which ends before the call does. */
static enum err plan_keep(struct plan *plan, struct arena *arena, struct plan *ret_plan)
{
    struct slice *const texts[] = {
        &plan->text,         &plan->stop_reason,       &plan->tier,         &plan->latency,
        &plan->guardrail.id, &plan->guardrail.version, &plan->stop_sequence};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!arena_copy(arena, *texts[i], texts[i]))
            return ERR_NO_MEMORY;
    *ret_plan = *plan;
    return OK;
}

enum err plan_make(struct planner *planner, const struct plan_facts *facts, struct arena *arena,
                   struct plan *ret_plan, char ret_text[DIRECTIVE_TEXT_MAX])
{
    const struct sim_config *config = planner->config;
    struct directive directive;
    struct plan plan;
    int64_t bytes = SIM_UNSET;
    uint64_t nth;
    directive_clear(&directive);
    plan_start(planner, facts, &nth, &plan);
    const struct sim_answer *answer = answer_find(config, facts);
    enum err err = choose_answer(facts, answer, arena, &plan);
    if (err == OK && config->directives)
        err = directive_find(facts->conversation->prompt, nth, &directive, ret_text);
    if (err != OK)
        return err;
    if (plan.output_tokens == SIM_UNSET) /* without a script */
        bytes = config->answer_bytes;
    apply_rules(planner, facts, &plan, &bytes);
    if (config->directives)
        apply_directive(facts, &directive, &plan, &bytes);
    err = plan_blocks(facts, &directive, answer, arena, &plan, ret_text);
    if (err == OK)
        err = finish_text(&plan, facts, arena, bytes);
    if (err != OK)
        return err;
    finish_counts(&plan, facts);
    finish_fault(&plan, &config->gap);
    if (directive.input_tokens != SIM_UNSET)
        plan.input_tokens = directive.input_tokens;
    if (directive.output_tokens != SIM_UNSET)
        plan.output_tokens = directive.output_tokens;
    finish_cache(planner, facts, &plan);
    return plan_keep(&plan, arena, ret_plan);
}
