#include "engine/pacing.h"

#include "base/check.h"
#include "engine/call.h"
#include "engine/day_quota.h"
#include "engine/log.h"
#include "engine/spending.h"

#define CALM_MS 60000 /* neither refused nor held back for so long: the target has recovered */

void pacing_init(const struct engine *engine, struct target *target)
{
    struct quota_rules rules = spending_rules(engine, target);
    quota_init(&target->quota, &rules, engine->now_ms);
    day_quota_set(engine, target);
    pacing_share(engine, target);
}

void pacing_share(const struct engine *engine, struct target *target)
{
    const struct lag_share *sharing = &engine->sharing;
    quota_set_share(&target->quota, sharing->share, sharing->part, engine->now_ms);
}

void pacing_reload(const struct engine *engine, struct target *target)
{
    struct quota_rules rules = spending_rules(engine, target);
    quota_set_rules(&target->quota, &rules, engine->now_ms);
    day_quota_set(engine, target);
}

/* ---- before a call ---- */

static void note_held(const struct engine *engine, struct target *target, bool is_held)
{
    if (is_held)
        target->held_ms = engine->now_ms;
}

bool pacing_allows(const struct engine *engine, struct target *target, const struct job *job,
                   int64_t *ret_again_ms)
{
    struct quota_cost cost = spending_cost(target, job);
    bool may = day_quota_allows(engine, target, &cost, ret_again_ms) &&
               quota_allows(&target->quota, &cost, engine->now_ms, ret_again_ms);
    note_held(engine, target, !may);
    return may;
}

/* Says that one request may use up a minute's quota. */
static void log_large(const struct engine *engine, const struct job *job,
                      const struct quota_cost *cost)
{
    struct target *target = job->target;
    double quota = target->quota.rules.tokens_per_minute * target->quota.share;
    if (quota <= 0 || cost->input + cost->max_output <= quota ||
        !log_is_due(engine, &target->size_log_due_ms))
        return;
    ENGINE_LOG(engine, LOG_REQUEST_OVER_QUOTA, REQUEST_FIELDS(job),
               FIELD_TEXT("target", target->model), FIELD_INT("input", (int64_t)cost->input),
               FIELD_INT("max_tokens", (int64_t)cost->max_output),
               FIELD_INT("quota", (int64_t)quota));
}

static bool admit(const struct engine *engine, struct job *job, int64_t *ret_again_ms)
{
    struct target *target = job->target;
    struct quota_cost cost = spending_cost(target, job);
    CHECK(!job->has_ticket);
    job->has_ticket =
        day_quota_allows(engine, target, &cost, ret_again_ms) &&
        quota_admit(&target->quota, &cost, engine->now_ms, &job->ticket, ret_again_ms);
    if (job->has_ticket)
        log_large(engine, job, &cost);
    return job->has_ticket;
}

void pacing_admit(const struct engine *engine, struct job *job)
{
    int64_t again_ms;
    CHECK(admit(engine, job, &again_ms));
}

void pacing_give_up(const struct engine *engine, struct job *job)
{
    if (!job->has_ticket)
        return;
    struct quota_outcome outcome = {.said = QUOTA_UNCALLED, .cost = 0, .retry_after_ms = -1};
    job->has_ticket = false;
    (void)quota_settle(&job->target->quota, &job->ticket, &outcome, engine->now_ms);
}

bool pacing_confirm(const struct engine *engine, struct job *job, int64_t *ret_again_ms)
{
    if (job->has_ticket && job->ticket.generation == job->target->quota.generation)
        return true;
    pacing_give_up(engine, job);
    bool may = admit(engine, job, ret_again_ms);
    note_held(engine, job->target, !may);
    return may;
}

/* ---- the end of a call ---- */

/* Tells requests apart, for failures of one. */
static uint64_t request_number(const struct job *job)
{
    uint64_t partition =
        (uint64_t)job->partition->topic_hash << 32 ^ (uint32_t)job->partition->number;
    return slice_hash(job->partition->topic, partition) ^ (uint64_t)job->offset;
}

/* What a verdict says about the target. */
static enum quota_said said_of(struct target *target, const struct job *job,
                               const struct verdict *verdict)
{
    switch (err_remedy(verdict->why.err)) {
    case DO_PACE:
        return QUOTA_REFUSED;
    case DO_BACK_OFF:
    case DO_RETRY:
        return outage_failure(&target->outage, request_number(job)) ? QUOTA_DOWN : QUOTA_SILENT;
    case DO_REFRESH:
        return QUOTA_SILENT;
    case DO_NOTHING:
    case DO_RETRY_ONCE:
    case DO_REJECT:
    case DO_STOP:
        break;
    }
    if (verdict->status == 0)
        return QUOTA_SILENT;
    outage_answer(&target->outage);
    return QUOTA_ANSWERED;
}

/* ---- what is said of it ---- */

static int64_t a_minute(double per_second)
{
    return per_second >= QUOTA_NO_LIMIT ? -1 : (int64_t)(per_second * 60 + 0.5);
}

struct pacing_figures pacing_figures(const struct engine *engine, const struct target *target)
{
    const struct quota *quota = &target->quota;
    return (struct pacing_figures){
        .requests_a_minute = a_minute(quota_rate(quota, QUOTA_REQUESTS)),
        .tokens_a_minute = a_minute(quota_rate(quota, QUOTA_TOKENS)),
        .measured_a_minute = a_minute(quota->limits[QUOTA_REQUESTS].base),
        .wait_ms = quota_wait_ms(quota, target->waiting, engine->now_ms),
    };
}

const char *pacing_state(const struct target *target)
{
    static const char *const STATES[] = {[TARGET_SOUND] = "sound",
                                         [TARGET_SLOW] = "slow",
                                         [TARGET_DOWN] = "down",
                                         [TARGET_SPENT] = "spent"};
    return STATES[target->logged];
}

static void set_state(const struct engine *engine, struct target *target, enum target_state state)
{
    if (target->logged == TARGET_SOUND)
        target->slowed_at_ms = engine->now_ms;
    target->logged = state;
}

static void log_throttled(struct engine *engine, struct target *target, int64_t rest_ms)
{
    if (target->logged == TARGET_SPENT)
        return;
    set_state(engine, target, TARGET_SLOW);
    if (!log_is_due(engine, &target->slow_log_due_ms))
        return;
    struct pacing_figures figures = pacing_figures(engine, target);
    double calls = quota_calls(&target->quota);
    int64_t rate = a_minute(calls < QUOTA_NO_LIMIT ? calls : target->quota.used);
    bool is_measured = figures.measured_a_minute > 0;
    ENGINE_LOG(engine, LOG_TARGET_THROTTLED, FIELD_TEXT("target", target->model),
               FIELD_INT("rate", rate),
               FIELD_INT("measured", is_measured ? figures.measured_a_minute : rate),
               FIELD_INT("share", (int64_t)(target->quota.share * 100)),
               FIELD_INT("waiting", target->holders), FIELD_INT("wait_ms", figures.wait_ms),
               FIELD_INT("delay_ms", rest_ms));
}

static void log_spent(struct engine *engine, struct target *target)
{
    set_state(engine, target, TARGET_SPENT);
    ENGINE_LOG(engine, LOG_TARGET_DAY_SPENT, FIELD_TEXT("target", target->model),
               FIELD_INT("waiting", target->holders));
}

static void log_failing(struct engine *engine, struct target *target, const struct verdict *verdict,
                        int64_t rest_ms)
{
    if (target->logged == TARGET_DOWN || !log_is_due(engine, &target->down_log_due_ms))
        return;
    set_state(engine, target, TARGET_DOWN);
    struct buf reason OWNED_BY(buf_done);
    buf_init(&reason, WHY_MESSAGE_MAX);
    verdict_add_failure(verdict, &reason);
    ENGINE_LOG(engine, LOG_TARGET_FAILING, FIELD_TEXT("target", target->model),
               FIELD_TEXT("reason", buf_slice(&reason)),
               FIELD_INT("streak", target->outage.failures), FIELD_INT("delay_ms", rest_ms),
               FIELD_INT("waiting", target->holders));
}

static bool is_calm(const struct engine *engine, const struct target *target)
{
    return engine->now_ms - target->held_ms >= CALM_MS &&
           engine->now_ms - target->refused_ms >= CALM_MS;
}

static void log_recovered(struct engine *engine, struct target *target)
{
    if (target->logged == TARGET_SOUND ||
        (target->logged == TARGET_SLOW && !is_calm(engine, target)))
        return;
    target->logged = TARGET_SOUND;
    ENGINE_LOG(engine, LOG_TARGET_RECOVERED, FIELD_TEXT("target", target->model),
               FIELD_INT("slowed_ms", engine->now_ms - target->slowed_at_ms));
}

/* ---- rests ---- */

static void note_rest(const struct engine *engine, struct target *target, int64_t rest_ms)
{
    int64_t end_ms = engine->now_ms + rest_ms;
    int64_t from_ms =
        target->rest_until_ms > engine->now_ms ? target->rest_until_ms : engine->now_ms;
    target->refused_ms = engine->now_ms;
    if (end_ms <= from_ms)
        return;
    target->rested_ms += end_ms - from_ms;
    target->rest_until_ms = end_ms;
}

int64_t pacing_rest_left_ms(const struct engine *engine, const struct target *target)
{
    int64_t left_ms = target->rest_until_ms - engine->now_ms;
    return left_ms > 0 ? left_ms : 0;
}

int64_t pacing_rested_ms(const struct engine *engine, const struct target *target)
{
    return target->rested_ms - pacing_rest_left_ms(engine, target);
}

void pacing_end_call(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    struct target *target = job->target;
    struct quota_outcome outcome = {.said = said_of(target, job, verdict),
                                    .cost = spending_of(job, verdict),
                                    .retry_after_ms = verdict->retry_after_ms};
    CHECK(job->has_ticket);
    job->has_ticket = false;
    spending_learn(job, verdict);
    day_quota_spend(engine, target, outcome.cost);
    struct quota_news news = quota_settle(&target->quota, &job->ticket, &outcome, engine->now_ms);
    if (outcome.said == QUOTA_REFUSED && news.rests) {
        note_rest(engine, target, news.rest_ms);
        if (news.is_day_spent)
            log_spent(engine, target);
        else
            log_throttled(engine, target, news.rest_ms);
    } else if (news.rests) {
        log_failing(engine, target, verdict, news.rest_ms);
    } else if (outcome.said == QUOTA_ANSWERED) {
        log_recovered(engine, target);
    }
}

bool pacing_rests(const struct engine *engine, const struct target *target)
{
    return target->quota.rest_until_ms > engine->now_ms;
}

bool pacing_is_down(const struct target *target)
{
    return outage_is_on(&target->outage);
}

bool pacing_must_be_kept(const struct engine *engine, struct target *target)
{
    return pacing_rests(engine, target) || day_quota_is_used(engine, target);
}

bool pacing_is_worth_keeping(const struct target *target)
{
    const struct quota *quota = &target->quota;
    double rate = quota_rate(quota, QUOTA_REQUESTS);
    bool has_started = rate < QUOTA_NO_LIMIT && rate > quota->rules.start_per_second;
    bool is_known = quota->rules.requests_per_minute > 0 || quota->rules.tokens_per_minute > 0;
    return target->outage.failures > 0 || target->refused_ms != 0 || has_started || is_known;
}
