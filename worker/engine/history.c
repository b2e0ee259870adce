#include "engine/history.h"

#include <string.h>

#include "base/utf8.h"
#include "engine/attempt.h"
#include "engine/call.h"

#define MINUTE_MS   60000
#define TALLY_CALLS 512 /* then the older half of the durations counts half */

/* Upper ends of the buckets of durations. */
static const int64_t DURATIONS_MS[] = {50,    100,   200,    300,    500,    750,      1000,  1500,
                                       2000,  3000,  5000,   7500,   10000,  15000,    20000, 30000,
                                       45000, 60000, 120000, 300000, 600000, INT64_MAX};

_Static_assert(COUNT_OF(DURATIONS_MS) == TALLY_BUCKETS, "a count for each bucket");

static struct minute *present(struct engine *engine)
{
    return &engine->history.minutes[engine->history.number % HISTORY_MINUTES];
}

static void minute_begin(struct engine *engine, uint64_t number)
{
    engine->history.number = number;
    *present(engine) = (struct minute){.start_wall_ms = (int64_t)number * MINUTE_MS};
    memset(engine->history.errors, 0, sizeof engine->history.errors);
}

static uint64_t number_now(const struct engine *engine)
{
    return engine->wall_ms < 0 ? 0 : (uint64_t)engine->wall_ms / MINUTE_MS;
}

void history_init(struct engine *engine)
{
    minute_begin(engine, number_now(engine));
    engine->history.second = engine->now_ms / 1000;
}

/* ---- the clock ---- */

static void seconds_turn(struct engine *engine)
{
    struct history *history = &engine->history;
    int64_t second = engine->now_ms / 1000;
    for (int i = 0; history->second < second && i < HISTORY_SECONDS; i++)
        history->seconds[++history->second % HISTORY_SECONDS] = 0;
    history->second = second;
}

bool history_is_minute_over(const struct engine *engine)
{
    return number_now(engine) > engine->history.number;
}

void history_turn(struct engine *engine)
{
    struct history *history = &engine->history;
    uint64_t number = number_now(engine);
    seconds_turn(engine);
    if (number <= history->number)
        return;
    if (number - history->number > HISTORY_MINUTES) {
        memset(history->minutes, 0, sizeof history->minutes);
        history->number = number - 1;
    }
    while (history->number < number)
        minute_begin(engine, history->number + 1);
}

/* ---- counting ---- */

void history_taken(struct engine *engine)
{
    present(engine)->taken++;
}

void history_committed(struct engine *engine, const struct job *job)
{
    struct history *history = &engine->history;
    if (job->why.err == OK)
        present(engine)->answered++;
    else
        present(engine)->failed++;
    history->errors[job->why.err]++;
    seconds_turn(engine);
    history->seconds[history->second % HISTORY_SECONDS]++;
}

static void tally_duration_add(struct tally *tally, int64_t duration_ms)
{
    size_t bucket = 0;
    while (duration_ms > DURATIONS_MS[bucket])
        bucket++;
    tally->durations[bucket]++;
    if (++tally->duration_count < TALLY_CALLS)
        return;
    tally->duration_count = 0;
    for (size_t i = 0; i < TALLY_BUCKETS; i++) {
        tally->durations[i] /= 2;
        tally->duration_count += tally->durations[i];
    }
}

static void tally_tokens_add(const struct engine *engine, struct tally *tally, uint64_t tokens)
{
    uint64_t number = engine->history.number;
    if (tally->number != number) {
        tally->tokens_before = tally->number + 1 == number ? tally->tokens : 0;
        tally->tokens = 0;
        tally->number = number;
    }
    tally->tokens += tokens;
}

const struct tally *history_tally(const struct engine *engine, const struct target *target)
{
    for (size_t i = 0; i < HISTORY_TALLIES; i++) {
        const struct tally *tally = &engine->history.tallies[i];
        if (tally->used_ms > 0 && tally->hash == target->hash)
            return tally;
    }
    return NULL;
}

/* The target's tally; a new one takes the place of the one that was used least lately. */
static struct tally *tally_of(struct engine *engine, const struct target *target)
{
    struct tally *oldest = &engine->history.tallies[0];
    for (size_t i = 0; i < HISTORY_TALLIES; i++) {
        struct tally *tally = &engine->history.tallies[i];
        if (tally->used_ms > 0 && tally->hash == target->hash)
            return tally;
        if (tally->used_ms < oldest->used_ms)
            oldest = tally;
    }
    *oldest = (struct tally){.hash = target->hash};
    slice_write(utf8_clip(target->model, sizeof oldest->model - 1), oldest->model,
                sizeof oldest->model);
    slice_write(utf8_clip(target->region, sizeof oldest->region - 1), oldest->region,
                sizeof oldest->region);
    return oldest;
}

void history_call(struct engine *engine, const struct job *job, const struct verdict *verdict)
{
    struct minute *minute = present(engine);
    struct tally *tally = tally_of(engine, job->target);
    bool is_throttled = err_remedy(verdict->why.err) == DO_PACE;
    minute->calls++;
    minute->throttled += is_throttled;
    tally->used_ms = engine->now_ms > 0 ? engine->now_ms : 1;
    tally->calls++;
    tally->throttled += is_throttled;
    if (verdict->why.err == OK)
        tally_duration_add(tally, attempt_last(job)->duration_ms);
    if (!verdict->is_billable)
        return;
    uint64_t input = verdict->counts.input_tokens > 0 ? (uint64_t)verdict->counts.input_tokens : 0;
    uint64_t output =
        verdict->counts.output_tokens > 0 ? (uint64_t)verdict->counts.output_tokens : 0;
    minute->input_tokens += input;
    minute->output_tokens += output;
    tally_tokens_add(engine, tally, input + output);
}

/* ---- reading ---- */

const struct minute *history_minute(const struct engine *engine, uint32_t age)
{
    uint64_t number = engine->history.number;
    return &engine->history.minutes[(number + HISTORY_MINUTES - age) % HISTORY_MINUTES];
}

uint32_t history_rate(const struct engine *engine)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < HISTORY_SECONDS; i++)
        sum += engine->history.seconds[i];
    return sum * 10 / HISTORY_SECONDS;
}

uint64_t tally_tokens(const struct engine *engine, const struct tally *tally)
{
    uint64_t number = engine->history.number;
    if (tally->number == number)
        return tally->tokens > tally->tokens_before ? tally->tokens : tally->tokens_before;
    return tally->number + 1 == number ? tally->tokens : 0;
}

int64_t tally_duration(const struct tally *tally, uint32_t percent)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < TALLY_BUCKETS; i++) {
        if (tally->durations[i] == 0)
            continue;
        uint64_t wanted = ((uint64_t)tally->duration_count * percent + 99) / 100;
        int64_t low = i == 0 ? 0 : DURATIONS_MS[i - 1];
        int64_t high = i + 1 == TALLY_BUCKETS ? low : DURATIONS_MS[i];
        if (seen + tally->durations[i] >= wanted)
            return low + (high - low) * (int64_t)(wanted - seen) / tally->durations[i];
        seen += tally->durations[i];
    }
    return -1;
}
