#include "sim/promises.h"

#include <stdlib.h>
#include <string.h>

#include "engine/line.h"
#include "engine/spending.h"
#include "engine/target.h"

#define MINUTE_MS  60000
#define SOON_MS    120000 /* rests of half a minute, a debt of a minute, a probe each minute */
#define CALLS_MOST 2 /* that may begin beside: rounding, and one larger than all that is left */

void promises_done(struct promises *promises)
{
    for (int i = 0; i < PROMISES_MODELS; i++)
        free(promises->minutes[i].entries);
    memset(promises, 0, sizeof *promises);
}

static struct booked_minute *minute_of(struct promises *promises, uint64_t target)
{
    for (int i = 0; i < PROMISES_MODELS; i++) {
        struct booked_minute *minute = &promises->minutes[i];
        if (minute->target == target)
            return minute;
        if (minute->target != 0)
            continue;
        minute->target = target;
        minute->entries = calloc(PROMISES_ENTRIES, sizeof *minute->entries);
        if (minute->entries == NULL)
            abort();
        return minute;
    }
    return NULL;
}

static struct booked_entry *entry_at(struct booked_minute *minute, size_t place)
{
    return &minute->entries[(minute->first + place) % PROMISES_ENTRIES];
}

/* Forgets what is older than a minute, and the oldest where there is no room. */
static void forget(struct booked_minute *minute, int64_t now_ms)
{
    while (minute->count > 0 && (entry_at(minute, 0)->at_ms <= now_ms - MINUTE_MS ||
                                 minute->count == PROMISES_ENTRIES)) {
        minute->requests -= entry_at(minute, 0)->requests;
        minute->tokens -= entry_at(minute, 0)->tokens;
        minute->first = (minute->first + 1) % PROMISES_ENTRIES;
        minute->count--;
    }
}

static void book(struct booked_minute *minute, int64_t now_ms, struct booked_entry entry)
{
    forget(minute, now_ms);
    size_t place = minute->count++;
    for (; place > 0 && entry_at(minute, place - 1)->at_ms > entry.at_ms; place--)
        *entry_at(minute, place) = *entry_at(minute, place - 1);
    *entry_at(minute, place) = entry;
    minute->requests += entry.requests;
    minute->tokens += entry.tokens;
}

/* The largest share within the last minute, or up to two. */
static double largest_share(struct booked_minute *minute, int64_t now_ms, double share)
{
    for (; now_ms - minute->share_ms >= MINUTE_MS; minute->share_ms += MINUTE_MS) {
        if (now_ms - minute->share_ms >= 4 * MINUTE_MS)
            minute->share_ms = now_ms - MINUTE_MS;
        minute->share_before = minute->share;
        minute->share = 0;
    }
    minute->share = share > minute->share ? share : minute->share;
    return minute->share > minute->share_before ? minute->share : minute->share_before;
}

/* `a_minute`: what the settings give to this worker; `one`: what the call counts for. */
static bool is_within(struct promises *promises, const struct quota_row *row, double a_minute,
                      double booked, double one)
{
    double burst_s = row->burst_ms > 1000 ? (double)row->burst_ms / 1000 : 1;
    double most = a_minute * (1 + burst_s / 60) + CALLS_MOST * one;
    if (a_minute > 0 && booked / most > promises->fullest)
        promises->fullest = booked / most;
    return a_minute <= 0 || booked <= most;
}

/* By the settings and the looks, whatever the quota takes them for. */
static const char *check(struct promises *promises, const struct engine *engine,
                         struct booked_minute *minute, const struct job *job)
{
    const struct target *target = job->target;
    const struct quota_row *row =
        quota_row_find(&engine->config.quotas, target->model, target->region);
    if (row == NULL)
        return NULL;
    double share = row->share * largest_share(minute, engine->now_ms, engine->sharing.share);
    if (!is_within(promises, row, share * (double)row->requests_per_minute, minute->requests, 1))
        return "in no minute do calls begin beyond quota x share + burst, in requests";
    if (!is_within(promises, row, share * (double)row->tokens_per_minute, minute->tokens,
                   job->ticket.expected))
        return "in no minute do calls begin beyond quota x share + burst, in tokens";
    return NULL;
}

/* Its ticket is there when the turn has ended. Broken off meanwhile: it is not booked. */
static const char *call_began(struct promises *promises, const struct engine *engine,
                              struct call_ref ref)
{
    const struct call *call = &engine->calls.all[ref.index];
    const struct job *job = call->job;
    if (job == NULL || call->generation != ref.generation || !job->has_ticket)
        return NULL;
    struct booked_minute *minute = minute_of(promises, job->target->hash);
    if (minute == NULL)
        return NULL;
    promises->calls[ref.index].generation = ref.generation;
    promises->calls[ref.index].target = job->target->hash;
    promises->calls[ref.index].expected = job->ticket.expected;
    book(minute, engine->now_ms,
         (struct booked_entry){job->ticket.began_ms, 1, job->ticket.expected});
    return check(promises, engine, minute, job);
}

void promises_call_begins(struct promises *promises, struct call_ref call)
{
    if (promises->begun_count < PROMISES_CALLS)
        promises->begun[promises->begun_count++] = call;
}

void promises_call_ended(struct promises *promises, const struct engine *engine,
                         struct call_ref call, bool is_granted, double cost)
{
    if (promises->calls[call.index].generation != call.generation)
        return;
    struct booked_minute *minute = minute_of(promises, promises->calls[call.index].target);
    double less = promises->calls[call.index].expected - (is_granted ? cost : 0);
    promises->calls[call.index].generation = 0;
    book(minute, engine->now_ms, (struct booked_entry){engine->now_ms, is_granted ? 0 : -1, -less});
}

/* When the quota lets the next call of a target begin that has none open. */
static int64_t next_call_ms(const struct engine *engine, const struct target *target)
{
    struct quota quota = target->quota; /* to ask is an event for it */
    struct quota_cost cost = spending_cost(target, line_next(target));
    int64_t again_ms;
    bool may = quota_allows(&quota, &cost, engine->now_ms, &again_ms);
    return may ? engine->now_ms : again_ms;
}

/* A full bucket may be waited for, or one request or token: a worker has hardly any of a quota
 * until its next look shows that it has work. */
static int64_t soon_ms(const struct target *target)
{
    const struct quota *quota = &target->quota;
    int64_t soon_ms = SOON_MS + (int64_t)(1000 * quota->rules.burst_s);
    for (int kind = 0; kind < QUOTA_KINDS; kind++) {
        double rate = quota_rate(quota, (enum quota_kind)kind);
        if (rate > 0 && rate < QUOTA_NO_LIMIT)
            soon_ms += (int64_t)(2000 / rate);
    }
    return soon_ms;
}

const char *promises_turn_ended(struct promises *promises, const struct engine *engine)
{
    for (; promises->begun_count > 0; promises->begun_count--) {
        const char *broken =
            call_began(promises, engine, promises->begun[promises->begun_count - 1]);
        if (broken != NULL)
            return broken;
    }
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;) {
        struct booked_minute *minute = minute_of(promises, target->hash);
        if (minute != NULL)
            (void)largest_share(minute, engine->now_ms, engine->sharing.share);
        if (target->waiting == 0 || target->calling > 0 || target->marked > 0)
            continue;
        int64_t next_ms = next_call_ms(engine, target);
        if (next_ms == INT64_MAX)
            return "no request waits for ever: no event lets this target's next call begin";
        if (next_ms - engine->now_ms > promises->longest_ms)
            promises->longest_ms = next_ms - engine->now_ms;
        if (next_ms - engine->now_ms > soon_ms(target))
            return "no request waits for ever: a target's next call begins soon";
    }
    return NULL;
}
