#include "engine/spending.h"

#include "engine/call.h"
#include "wire/bedrock/dialects.h"
#include "wire/chat/media_tokens.h"
#include "wire/chat/parameters.h"

static const struct quota_row *row_of(const struct engine *engine, const struct target *target)
{
    return quota_row_find(&engine->config.quotas, target->model, target->region);
}

struct quota_rules spending_rules(const struct engine *engine, struct target *target)
{
    struct model_traits traits = traits_of(target->model, SLICE_NULL, SLICE_NULL);
    target->max_output = traits_max_output(&traits);
    return quota_row_rules(row_of(engine, target), traits_burndown(&traits),
                           engine->config.start_per_second);
}

double spending_day(const struct engine *engine, const struct target *target)
{
    const struct quota_row *row = row_of(engine, target);
    return row == NULL ? 0 : (double)row->tokens_per_day * row->share;
}

/* The longest answer where the request sets no limit: the body's, or the model's. */
static void measure_unset(const struct engine *engine, struct job *job)
{
    const struct request *request = &job->request;
    uint32_t body = dialect_max_tokens(dialect_for(engine->config.dialects, request));
    uint32_t model =
        request->base_model.len > 0 ? traits_max_output(&request->traits) : job->target->max_output;
    job->size.is_guessed = body == 0;
    job->size.max_output = (double)(body != 0 ? body : model);
}

/* The id of an application inference profile says no model, but requests may. */
static void note_burndown(const struct engine *engine, struct job *job)
{
    struct quota_rules *rules = &job->target->quota.rules;
    double own = (double)traits_burndown(&job->request.traits);
    const struct quota_row *row = row_of(engine, job->target);
    if (own > rules->burndown && (row == NULL || row->burndown == 0))
        rules->burndown = own;
}

void spending_measure(const struct engine *engine, struct job *job)
{
    const struct request *request = &job->request;
    int64_t given = 0;
    struct slice text = request->parameters[PARAMETER_MAX_TOKENS];
    job->size = (struct token_size){.text_bytes = (double)request->text_bytes,
                                    .media = (double)media_tokens(request)};
    if (text.ptr != NULL && slice_to_int64(text, &given) && given > 0)
        job->size.max_output = (double)given;
    else
        measure_unset(engine, job);
    if (request->count_tokens)
        job->size.max_output = 0;
    if (request->base_model.len > 0)
        note_burndown(engine, job);
}

struct quota_cost spending_cost(const struct target *target, const struct job *job)
{
    return (struct quota_cost){.input = token_input(&target->tokens, &job->size),
                               .max_output = job->size.max_output};
}

/* The counts of an answer, whose input includes what was read from or written to a cache. */
static struct token_counts counts_of(const struct verdict *verdict)
{
    const struct usage_counts *counts = &verdict->counts;
    int64_t read = counts->cache_read_tokens > 0 ? counts->cache_read_tokens : 0;
    int64_t written = counts->cache_write_tokens > 0 ? counts->cache_write_tokens : 0;
    bool is_absurd = read > counts->input_tokens || written > counts->input_tokens - read;
    return (struct token_counts){
        .input = is_absurd ? counts->input_tokens : counts->input_tokens - read - written,
        .cache_read = is_absurd ? 0 : read,
        .cache_write = is_absurd ? 0 : written,
        .output = counts->output_tokens,
    };
}

double spending_of(const struct job *job, const struct verdict *verdict)
{
    if (!verdict->is_billable)
        return 0;
    struct token_counts counts = counts_of(verdict);
    return token_spent(&job->size, &counts, job->target->quota.rules.burndown);
}

void spending_learn(struct job *job, const struct verdict *verdict)
{
    struct token_counts counts = counts_of(verdict);
    if (verdict->is_billable && verdict->counts.known)
        token_learn(&job->target->tokens, &job->size, &counts);
}
