#include "engine/result.h"

#include "base/check.h"
#include "base/memory.h"

#define TOKENS_MAX ((int64_t)1 << 40) /* of one record, in sums */

/* ---- counters ---- */

/* Adds `by` (1, or -1 as unsigned) to every counter that counts this result. */
static void count(struct engine *engine, const struct result *result, uint32_t by)
{
    struct partition *partition = result->partition;
    if (result->place == RESULT_OPEN)
        return;
    bool is_batched = result->place == RESULT_BATCHED;
    if (is_batched)
        engine->results.batched_count += by;
    else
        engine->results.queued_count += by;
    if (is_batched && result->job != NULL)
        engine->results.batched_answers += by;
    if (partition == NULL)
        return;
    partition->results += by;
    if (is_batched)
        partition->batch_results += by;
}

static void go(struct engine *engine, struct result *result, enum result_place place,
               struct partition *partition)
{
    count(engine, result, -1U);
    result->place = place;
    result->partition = partition;
    count(engine, result, 1);
}

static void count_bytes(struct engine *engine, struct result *result, size_t before, size_t after)
{
    result->bytes = result->bytes - before + after;
    engine->results.bytes = engine->results.bytes - before + after;
}

/* Clipped, so that no sum of them wraps. */
static int64_t tokens_of(const struct output *output)
{
    const struct output_bill *bill = &output->bill;
    int64_t input = bill->input_tokens < TOKENS_MAX ? bill->input_tokens : TOKENS_MAX;
    int64_t output_tokens = bill->output_tokens < TOKENS_MAX ? bill->output_tokens : TOKENS_MAX;
    return (input > 0 ? input : 0) + (output_tokens > 0 ? output_tokens : 0);
}

/* ---- birth and death ---- */

void results_init(struct engine *engine)
{
    link_init(&engine->results.queued);
    link_init(&engine->results.batched);
}

void results_free(struct engine *engine)
{
    for (enum result_place place = RESULT_QUEUED; place <= RESULT_BATCHED; place++)
        for (struct result *result; (result = result_first(engine, place)) != NULL;)
            result_free(engine, result);
}

void result_init(struct result *result, struct job *job)
{
    *result = (struct result){.job = job};
    link_init(&result->link);
    link_init(&result->outputs);
}

struct result *result_new(void)
{
    struct result *result = memory_new(sizeof *result);
    CHECK(result != NULL);
    result_init(result, NULL);
    return result;
}

void result_free(struct engine *engine, struct result *result)
{
    struct job *job = result->job;
    go(engine, result, RESULT_OPEN, NULL);
    link_out(&result->link);
    while (!link_alone(&result->outputs))
        result_drop(engine, result, LINK_OWNER(result->outputs.next, struct output, link));
    if (job == NULL)
        memory_free(result);
    else
        result_init(result, job);
}

/* ---- outputs ---- */

void result_add(struct engine *engine, struct result *result, struct output *output)
{
    list_add_last(&result->outputs, &output->link);
    count_bytes(engine, result, 0, output->held_bytes);
    engine->results.tokens += tokens_of(output);
}

void result_drop(struct engine *engine, struct result *result, struct output *output)
{
    link_out(&output->link);
    count_bytes(engine, result, output->held_bytes, 0);
    engine->results.tokens -= tokens_of(output);
    output_free(output);
}

bool result_has(const struct result *result, enum output_kind kind)
{
    for (struct link *link = result->outputs.next; link != &result->outputs; link = link->next)
        if (LINK_OWNER(link, struct output, link)->kind == kind)
            return true;
    return false;
}

/* ---- moves ---- */

void result_submit(struct engine *engine, struct result *result, struct partition *partition,
                   int64_t offset)
{
    CHECK(result->place == RESULT_OPEN);
    result->offset = offset;
    if (partition != NULL) /* a cut takes the results of changed ledgers */
        ledger_change(&partition->ledger);
    go(engine, result, RESULT_QUEUED, partition);
    list_add_last(&engine->results.queued, &result->link);
}

void result_batch(struct engine *engine, struct result *result)
{
    CHECK(result->place == RESULT_QUEUED);
    go(engine, result, RESULT_BATCHED, result->partition);
    link_out(&result->link);
    list_add_last(&engine->results.batched, &result->link);
}

void result_return(struct engine *engine, struct result *result)
{
    CHECK(result->place == RESULT_BATCHED);
    go(engine, result, RESULT_QUEUED, result->partition);
    link_out(&result->link);
    list_add_first(&engine->results.queued, &result->link);
}

void result_withdraw(struct engine *engine, struct result *result)
{
    CHECK(result->job != NULL && result->place == RESULT_QUEUED);
    go(engine, result, RESULT_OPEN, NULL);
    link_out(&result->link);
}

void result_name_lost(struct engine *engine, struct result *result,
                      const struct partition *partition)
{
    struct lost_call_name name = {
        .topic = partition->topic,
        .partition = partition->number,
        .offset = result->offset,
        .timestamp_ms = result->timestamp_ms,
        .begun = result->told.begun,
    };
    output_lost_call_id(&engine->config.output, &name, &result->told.id);
}

void result_orphan(struct engine *engine, struct result *result)
{
    CHECK(result->job == NULL && result->place == RESULT_QUEUED);
    if (result->is_dead_owners) {
        result_free(engine, result);
        return;
    }
    if (result->told.begun > 0 && !result->told.is_booked)
        result_name_lost(engine, result, result->partition);
    go(engine, result, RESULT_QUEUED, NULL);
}

void results_orphan(struct engine *engine, const struct partition *partition)
{
    struct result *next;
    for (struct result *result = result_first(engine, RESULT_QUEUED); result != NULL;
         result = next) {
        next = result_next(engine, result);
        if (result->partition == partition)
            result_orphan(engine, result);
    }
}

/* ---- questions ---- */

static struct link *list_of(struct engine *engine, enum result_place place)
{
    CHECK(place != RESULT_OPEN);
    return place == RESULT_QUEUED ? &engine->results.queued : &engine->results.batched;
}

static struct result *at(const struct link *list, struct link *link)
{
    return link == list ? NULL : LINK_OWNER(link, struct result, link);
}

struct result *result_first(struct engine *engine, enum result_place place)
{
    struct link *list = list_of(engine, place);
    return at(list, list->next);
}

struct result *result_last(struct engine *engine, enum result_place place)
{
    struct link *list = list_of(engine, place);
    return at(list, list->prev);
}

struct result *result_next(struct engine *engine, const struct result *result)
{
    return at(list_of(engine, result->place), result->link.next);
}

uint32_t results_queued(const struct engine *engine)
{
    return engine->results.queued_count;
}

uint32_t results_batched(const struct engine *engine)
{
    return engine->results.batched_count;
}

uint32_t results_batched_answers(const struct engine *engine)
{
    return engine->results.batched_answers;
}

uint64_t results_bytes(const struct engine *engine)
{
    return engine->results.bytes;
}

int64_t results_tokens(const struct engine *engine)
{
    return engine->results.tokens;
}
