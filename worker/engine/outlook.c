#include "engine/outlook.h"

#include "engine/call.h"
#include "engine/day_quota.h"
#include "engine/pacing.h"
#include "engine/refusal.h"

#define WAIT_MAX_MS 86400000 /* the longest that is told apart */

/* ---- outages ---- */

static void note_failed(const struct engine *engine, struct target *target)
{
    if (target->failed_calls == 0)
        target->failed_since_ms = engine->now_ms;
    target->failed_calls += target->failed_calls < UINT32_MAX;
    target->failed_ms = engine->now_ms;
}

/* A refusal is an answer, too: the target works. */
void outlook_note(const struct engine *engine, struct target *target, const struct verdict *verdict)
{
    enum remedy remedy = err_remedy(verdict->why.err);
    if (remedy == DO_RETRY || remedy == DO_BACK_OFF)
        note_failed(engine, target);
    else if (verdict->status != 0)
        target->failed_calls = 0;
}

static bool is_out(const struct engine *engine, const struct target *target)
{
    return target->failed_calls >= OUTLOOK_OUTAGE_CALLS &&
           engine->now_ms - target->failed_since_ms >= OUTLOOK_OUTAGE_MS;
}

/* ---- the target ---- */

/* Before the first look for credentials has ended, there may be some soon. */
enum move outlook_of_identity(const struct identity *identity)
{
    bool is_looking = identity->version == 0;
    return identity->has_credentials || is_looking ? MOVE_NONE : MOVE_CREDENTIALS;
}

enum move outlook_of(const struct engine *engine, const struct target *target)
{
    if (is_out(engine, target))
        return MOVE_OUTAGE;
    if (target->quota.is_day_spent || day_quota_is_spent(engine, target))
        return MOVE_DAY;
    if (refusal_is_known(target))
        return MOVE_CREDENTIALS;
    return outlook_of_identity(target->identity);
}

bool outlook_is_probe_due(const struct engine *engine, const struct target *target)
{
    int64_t again_ms;
    /* Calls that began before the last bad news may last for hours. */
    int64_t news_ms =
        target->failed_ms > target->refused_ms ? target->failed_ms : target->refused_ms;
    bool is_idle = target->marked == 0 && (target->calling == 0 || target->begun_ms <= news_ms);
    bool is_fresh =
        target->failed_calls > 0 && engine->now_ms - target->failed_ms < OUTLOOK_PROBE_MS;
    return is_idle && !is_fresh && target->identity->has_credentials &&
           !pacing_rests(engine, target) && !day_quota_is_spent(engine, target) &&
           !refusal_stops(engine, target, &again_ms);
}

/* ---- the wait ---- */

/* A quota of which nothing is known: the rate doubles each second until a refusal. */
static int64_t start_wait_ms(const struct quota *quota, double calls)
{
    double rate = quota_rate(quota, QUOTA_REQUESTS);
    int64_t ms = 0;
    for (; calls > rate && ms < WAIT_MAX_MS; ms += 1000) {
        calls -= rate;
        rate *= 2;
    }
    return ms;
}

int64_t outlook_wait_ms(const struct engine *engine, const struct target *target, uint64_t ahead)
{
    const struct quota *quota = &target->quota;
    const struct quota_rules *rules = &quota->rules;
    bool is_known = rules->requests_per_minute > 0 || rules->tokens_per_minute > 0;
    if (!quota->is_starting || is_known)
        return quota_wait_ms(quota, ahead, engine->now_ms);
    return quota_wait_ms(quota, 0, engine->now_ms) + start_wait_ms(quota, (double)ahead);
}
