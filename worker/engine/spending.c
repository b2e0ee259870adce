#include "engine/spending.h"

#include "engine/call.h"
#include "wire/chat/parameters.h"

#define BYTES_OF_TOKEN 4.0
#define MAX_OUTPUT_UNSET                                                                           \
    4096.0 /* tokens that a request without max_tokens may write, as a guess                       \
            */
#define BURST_S 50.0

struct quota_rules spending_rules(const struct engine *engine, const struct target *target)
{
    (void)target;
    return (struct quota_rules){
        .burndown = 1, .burst_s = BURST_S, .start_per_second = engine->config.start_per_second};
}

struct quota_cost spending_cost(const struct target *target, const struct job *job)
{
    (void)target;
    int64_t max_tokens;
    struct slice given = job->request.parameters[PARAMETER_MAX_TOKENS];
    bool is_given = given.ptr != NULL && slice_to_int64(given, &max_tokens) && max_tokens > 0;
    return (struct quota_cost){
        .input = (double)job->record.value.len / BYTES_OF_TOKEN,
        .max_output = job->request.count_tokens ? 0
                      : is_given                ? (double)max_tokens
                                                : MAX_OUTPUT_UNSET,
    };
}

static double counted(int64_t tokens)
{
    return tokens > 0 ? (double)tokens : 0;
}

double spending_of(const struct target *target, const struct verdict *verdict)
{
    if (!verdict->is_billable)
        return 0;
    const struct usage_counts *counts = &verdict->counts;
    return counted(counts->input_tokens) + counted(counts->cache_write_tokens) +
           counted(counts->output_tokens) * target->quota.rules.burndown;
}
