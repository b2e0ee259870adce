#include "engine/outcome.h"

#include <string.h>

#include "base/check.h"
#include "engine/attempt.h"
#include "engine/budget_records.h"
#include "engine/budgets.h"
#include "engine/chunks.h"
#include "engine/job_pool.h"
#include "engine/kept.h"
#include "engine/log.h"
#include "engine/pricing.h"
#include "engine/reply.h"
#include "engine/result.h"
#include "engine/size_limits.h"

#define LETTER_REJECTIONS_MAX 3 /* with the value, without it, without headers and key */

/* Keeps outputs that the broker has already, under at_least_once. */
static void drop_undelivered(struct engine *engine, struct result *result)
{
    for (struct link *link = result->outputs.next; link != &result->outputs;) {
        struct output *output = LINK_OWNER(link, struct output, link);
        link = link->next;
        if (!output->is_delivered)
            result_drop(engine, result, output);
    }
}

static struct response_facts response_facts_of(const struct engine *engine, const struct job *job)
{
    const struct attempt *last = attempt_last(job);
    int64_t waited_ms =
        last == NULL ? engine->now_ms - job->received_ms
                     : last->started_ms - job->received_ms - job->called_ms + last->duration_ms;
    int64_t queued_ms = job->received_wall_ms - job->record.timestamp_ms;
    if (job->record.timestamp_type == TIMESTAMP_NONE || queued_ms < 0)
        queued_ms = 0;
    return (struct response_facts){
        .record = &job->record,
        .request = &job->request,
        .attempts = job->attempts,
        .attempt_count = job->attempt_count,
        .received_wall_ms = job->received_wall_ms,
        .answered_wall_ms = engine->wall_ms,
        .queued_ms = queued_ms,
        .is_over_soft = budgets_is_soft(engine, job),
        .waited_ms = waited_ms < 0 ? 0 : waited_ms,
    };
}

static enum err add_usage(struct engine *engine, struct result *result, struct job *job,
                          const struct usage_facts *facts)
{
    struct output *output;
    if (facts->begun == NULL)
        budgets_bill(engine, job, &facts->attempt->call, &facts->counts, facts->cost);
    enum err err = output_usage(&engine->config.output, facts, &output);
    if (err == OK)
        result_add(engine, result, output);
    return err;
}

/* The same with the cost of the call. */
static enum err add_priced(struct engine *engine, struct result *result, struct job *job,
                           const struct usage_facts *facts)
{
    struct output_cost cost;
    struct usage_facts priced = *facts;
    int64_t at_ms = facts->begun != NULL ? facts->wall_ms : facts->attempt->started_wall_ms;
    priced.cost = pricing_cost(engine, job, facts->attempt, &facts->counts, at_ms, true, &cost);
    return add_usage(engine, result, job, &priced);
}

static struct usage_facts usage_facts_of(const struct engine *engine, const struct job *job)
{
    return (struct usage_facts){
        .record = &job->record,
        .request = &job->request,
        .attempt = attempt_last(job),
        .wall_ms = engine->wall_ms,
    };
}

void outcome_log_rejected(struct engine *engine, const struct partition *partition, int64_t offset,
                          const struct output *output, struct slice reason)
{
    ENGINE_LOG(engine, LOG_OUTPUT_REFUSED, FIELD_TEXT("topic", output->topic),
               FIELD_TEXT("request_topic", partition->topic),
               FIELD_INT("partition", partition->number), FIELD_INT("offset", offset),
               FIELD_TEXT("reason", reason));
}

/* Frees an output that its topic would reject for its size. */
static enum err fit(struct engine *engine, const struct job *job, enum err err,
                    struct output **output)
{
    if (err != OK || !size_limits_exceeded(engine, *output))
        return err;
    outcome_log_rejected(engine, job->partition, job->offset, *output,
                         SLICE("it rejected a record of this or a smaller size"));
    output_free(*output);
    *output = NULL;
    return ERR_TOO_LARGE;
}

bool outcome_answer(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    struct response_facts facts = response_facts_of(engine, job);
    struct output_cost cost;
    const struct attempt *attempt = attempt_last(job);
    facts.answer = &verdict->answer;
    if (verdict->is_billable)
        facts.cost = pricing_cost(engine, job, attempt, &verdict->counts, attempt->started_wall_ms,
                                  true, &cost);
    struct output *response;
    enum err err =
        fit(engine, job, output_response(&job->terms->output, &facts, &response), &response);
    if (err != OK) {
        (void)why_set(&job->why, err == ERR_TOO_LARGE ? ERR_RESPONSE_TOO_LARGE : err, NULL, "%s",
                      err_words(err));
        return false;
    }
    result_add(engine, &job->result, response);
    if (!verdict->is_billable)
        return true;
    struct usage_facts usage = usage_facts_of(engine, job);
    usage.answer = &verdict->answer;
    usage.counts = verdict->counts;
    usage.estimated_reason = verdict->estimated_reason;
    usage.final = true;
    usage.cost = facts.cost;
    CHECK(add_usage(engine, &job->result, job, &usage) == OK);
    job->result.has_usage = true;
    /* If the broker rejects the response, the usage goes out again as not final. */
    job->counts = verdict->counts;
    if (!arena_copy(&job->arena, verdict->counts.raw, &job->counts.raw))
        job->counts.raw = SLICE_NULL;
    return true;
}

/* The run of a later call may be under way: readers must learn that nothing follows in it. */
static void close_later_run(struct engine *engine, struct job *job)
{
    if (memcmp(&job->last_run, &job->kept->attempt.call, sizeof job->last_run) != 0)
        chunks_close(engine, job);
}

bool outcome_kept(struct engine *engine, struct job *job)
{
    struct response_facts facts = response_facts_of(engine, job);
    struct output_cost cost;
    facts.answer = &job->kept->answer;
    facts.answered = &job->kept->attempt;
    facts.cost = pricing_cost(engine, job, facts.answered, &facts.answer->usage,
                              facts.answered->started_wall_ms, false, &cost);
    struct output *response;
    if (fit(engine, job, output_response(&job->terms->output, &facts, &response), &response) != OK)
        return false;
    if (job->why.err == OK)
        (void)why_set(&job->why, ERR_BROKEN_STREAM, NULL, "%s", err_words(ERR_CANCELLED));
    close_later_run(engine, job);
    why_clear(&job->why);
    result_add(engine, &job->result, response);
    return true;
}

/* Removes what an answer repeats of its request. */
static void strip(struct job *job, enum stripped most)
{
    job->request.metadata = SLICE_NULL;
    job->record.headers.count = 0;
    if (most == STRIPPED_KEY)
        job->record.key = SLICE_NULL;
}

/* Each rejection costs a transaction, so the largest part goes first. */
static bool is_key_most(const struct job *job)
{
    size_t rest = job->record.value.len;
    for (size_t i = 0; i < job->record.headers.count; i++)
        rest += job->record.headers.list[i].value.len;
    return job->record.key.len > rest;
}

static void add_error_response(struct engine *engine, struct job *job)
{
    struct response_facts facts = response_facts_of(engine, job);
    facts.why = &job->why;
    struct output *response;
    enum err err = output_response(&job->terms->output, &facts, &response);
    for (enum stripped next = STRIPPED_ECHOES; err == ERR_TOO_LARGE && next <= STRIPPED_KEY;
         next++) {
        strip(job, next);
        err = output_response(&job->terms->output, &facts, &response);
    }
    CHECK(err == OK);
    result_add(engine, &job->result, response);
}

/* Adds a dead letter with less of the request after each rejection for size; in the end none. */
static void add_letter(struct engine *engine, struct job *job)
{
    struct output *letter = NULL;
    enum err err = ERR_TOO_LARGE;
    for (; err == ERR_TOO_LARGE && job->letter_rejections < LETTER_REJECTIONS_MAX;) {
        if (job->letter_rejections == LETTER_REJECTIONS_MAX - 1)
            strip(job, STRIPPED_KEY);
        err = fit(engine, job,
                  output_letter(&job->terms->output, &job->record, &job->why, (int)job->calls,
                                job->letter_rejections == 0, &letter),
                  &letter);
        if (err == ERR_TOO_LARGE)
            job->letter_rejections++;
    }
    CHECK(err == OK || err == ERR_TOO_LARGE);
    if (letter != NULL)
        result_add(engine, &job->result, letter);
}

void outcome_error(struct engine *engine, struct job *job)
{
    CHECK(job->why.err != OK);
    drop_undelivered(engine, &job->result);
    if (engine->config.send_dead_letters && !result_has(&job->result, OUTPUT_LETTER))
        add_letter(engine, job);
    if (engine->config.send_error_responses)
        add_error_response(engine, job);
}

/* Submits a result with only usage, for a ledger entry or (partition NULL) for none. */
static struct result *submit_usage(struct engine *engine, struct partition *partition,
                                   struct job *job, const struct usage_facts *facts)
{
    struct result *result = result_new();
    CHECK(add_priced(engine, result, job, facts) == OK);
    result->timestamp_ms = result_timestamp(facts->record);
    result_submit(engine, result, partition, job->offset);
    return result;
}

/* The usage of the job's last call, with what maps tell of that call. */
static struct result *submit_last_usage(struct engine *engine, struct job *job,
                                        const struct usage_facts *facts)
{
    bool is_gone = job->partition->is_gone;
    struct result *result = submit_usage(engine, is_gone ? NULL : job->partition, job, facts);
    result->has_usage = true;
    result->told = job->result.told;
    if (is_gone && result->told.begun > 0 && !result->told.is_booked)
        result_name_lost(engine, result, job->partition);
    return result;
}

void outcome_call_usage(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    struct usage_facts usage = usage_facts_of(engine, job);
    usage.answer = verdict->why.err == OK ? &verdict->answer : NULL;
    usage.counts = verdict->counts;
    usage.estimated_reason = verdict->estimated_reason;
    (void)submit_last_usage(engine, job, &usage);
}

void outcome_orphan(struct engine *engine, struct job *job)
{
    if (!job->result.has_usage)
        return;
    struct usage_facts usage = usage_facts_of(engine, job);
    usage.counts = job->counts;
    if (!job->counts.known)
        usage.estimated_reason = "no_counts";
    (void)submit_last_usage(engine, job, &usage);
}

void outcome_name_replaced(struct engine *engine, struct result *result)
{
    bool is_lost = result->partition == NULL || result->told.is_booked;
    if (result->told.begun == 0 || !is_lost)
        return;
    for (struct link *link = result->outputs.next; link != &result->outputs;) {
        struct output *output = LINK_OWNER(link, struct output, link), *copy;
        link = link->next;
        if (output->kind != OUTPUT_USAGE || output->is_replacing || output->is_delivered)
            continue;
        CHECK(output_usage_replacing(&engine->config.output, output, &result->told.id, &copy) ==
              OK);
        result_drop(engine, result, output);
        result_add(engine, result, copy);
    }
}

/* A dead owner's call that is settled: its entry in the ledger becomes one of those that died. */
static void settle_dead_owners(struct result *result)
{
    result->has_usage = true;
    result->is_dead_owners = true;
}

/* A call that counts tokens costs nothing: it leaves no record, but its owner died during it. */
static void settle_counting(struct engine *engine, struct job *job)
{
    struct result *result = result_new();
    result_submit(engine, result, job->partition, job->offset);
    settle_dead_owners(result);
}

/* When the map that the tenure began with was made: the call was under way then. */
static int64_t under_way_at(const struct engine *engine, const struct partition *partition)
{
    uint32_t second = partition->ledger.stamp.second;
    return second == 0 ? engine->wall_ms : (int64_t)second * 1000;
}

void outcome_dead_owners_call(struct engine *engine, struct job *job,
                              const struct ledger_taken *taken)
{
    if (job->request.count_tokens) {
        settle_counting(engine, job);
        return;
    }
    /* Settings that changed since may not know its model or may reject the request. */
    struct request request = job->request;
    if (request.model_requested.len == 0)
        request.model_requested = SLICE("unknown");
    if (request.model.len == 0)
        request.model = request.model_requested;
    /* Only the request is known; the call's own id is lost with its owner. */
    struct attempt attempt = {
        .number = 1,
        .model = request.model,
        .region = request.region.len > 0 ? request.region : engine->config.region,
        .api = &dialect_for(engine->config.dialects, &request)->api->name,
        .started_wall_ms = engine->wall_ms,
    };
    struct lost_call_name name = {
        .topic = job->partition->topic,
        .partition = job->partition->number,
        .offset = job->offset,
        .timestamp_ms = job->result.timestamp_ms,
        .begun = taken->begun,
    };
    output_lost_call_id(&engine->config.output, &name, &attempt.call);
    struct usage_facts usage = {
        .record = &job->record,
        .request = &request,
        .attempt = &attempt,
        .estimated_reason = "worker_lost",
        .begun = taken->was_marked ? "unknown" : "yes",
        .wall_ms = under_way_at(engine, job->partition),
    };
    int64_t input = (int64_t)((job->request.text_bytes + 3) / 4);
    usage.counts = (struct usage_counts){
        .input_tokens = input,
        .total_tokens = input,
        .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
        .reasoning_tokens = ANSWER_COUNT_ABSENT,
    };
    settle_dead_owners(submit_usage(engine, job->partition, job, &usage));
}

/* Makes the outputs for job->why. Usage stays, but not as that of a published answer. */
static void publish_error(struct engine *engine, struct job *job)
{
    outcome_error(engine, job);
    if (!job->result.has_usage || result_has(&job->result, OUTPUT_USAGE))
        return;
    struct usage_facts usage = usage_facts_of(engine, job);
    usage.counts = job->counts;
    if (!job->counts.known)
        usage.estimated_reason = "no_counts";
    CHECK(add_priced(engine, &job->result, job, &usage) == OK);
}

static void turn_into_error(struct engine *engine, struct job *job, enum err err, const char *text)
{
    (void)why_set(&job->why, err, NULL, "%s", text);
    publish_error(engine, job);
}

static void replace_letter(struct engine *engine, struct job *job, struct output *letter,
                           enum err err)
{
    bool was_without_value = letter->value.ptr == NULL && job->record.value.ptr != NULL;
    result_drop(engine, &job->result, letter);
    bool is_first = job->letter_rejections == 0;
    if (err != ERR_TOO_LARGE)
        job->letter_rejections = LETTER_REJECTIONS_MAX;
    else if (is_first && (was_without_value || is_key_most(job)))
        job->letter_rejections = LETTER_REJECTIONS_MAX - 1;
    else
        job->letter_rejections++;
    add_letter(engine, job);
}

/* The request's reply topic rejects the record: the error goes to the responses topic of the
 * settings. */
static void leave_reply_topic(struct engine *engine, struct job *job, enum err err)
{
    const char *text = err == ERR_NOT_FOUND ? "the reply topic or its partition does not exist"
                       : err == ERR_TOO_LARGE
                           ? "the reply topic rejects even an error of minimal size"
                       : err == ERR_INVALID
                           ? "the reply topic rejects the record (a compacted topic requires a key)"
                           : "the worker is not authorised for the reply topic";
    reply_log_rejected(engine, job, text);
    job->request.reply_topic = SLICE_NULL;
    job->request.reply_partition = -1;
    turn_into_error(engine, job, ERR_REPLY_REFUSED, text);
}

/* The broker rejects every form of the response: only dead letter and usage record it. */
static void give_up_response(struct engine *engine, struct job *job, struct output *response)
{
    result_drop(engine, &job->result, response);
    if (engine->config.send_dead_letters && !result_has(&job->result, OUTPUT_LETTER))
        add_letter(engine, job);
}

/* Each step makes a smaller record, or one for another topic. */
static void replace_response(struct engine *engine, struct job *job, struct output *response,
                             enum err err)
{
    bool is_size = err == ERR_TOO_LARGE;
    bool is_answer = job->why.err == OK;
    if (is_size && is_answer) {
        turn_into_error(engine, job, ERR_RESPONSE_TOO_LARGE,
                        "the broker rejects a response of this size");
    } else if (is_size && job->stripped == STRIPPED_NOTHING) {
        job->stripped = is_key_most(job) ? STRIPPED_KEY : STRIPPED_ECHOES;
        strip(job, job->stripped);
        publish_error(engine, job);
    } else if (job->request.reply_topic.ptr != NULL) {
        leave_reply_topic(engine, job, err);
    } else if (is_size && job->stripped == STRIPPED_ECHOES) {
        job->stripped = STRIPPED_KEY;
        strip(job, job->stripped);
        publish_error(engine, job);
    } else if (is_answer) {
        turn_into_error(engine, job, ERR_INTERNAL,
                        "the broker rejects the response (a compacted topic requires a key)");
    } else {
        give_up_response(engine, job, response);
    }
}

bool outcome_can_replace(const struct result *result, const struct output *output, enum err err)
{
    if (result->job == NULL || output->kind == OUTPUT_USAGE)
        return false;
    if (err == ERR_TOO_LARGE || err == ERR_INVALID)
        return true;
    return output->kind != OUTPUT_LETTER && result->job->request.reply_topic.ptr != NULL;
}

void outcome_replace(struct engine *engine, struct result *result, struct output *output,
                     enum err err)
{
    CHECK(outcome_can_replace(result, output, err));
    if (output->kind == OUTPUT_LETTER)
        replace_letter(engine, result->job, output, err);
    else
        replace_response(engine, result->job, output, err);
    job_charge(engine, result->job);
}
