#include "engine/refusal.h"

#include "engine/call.h"
#include "engine/identity.h"
#include "engine/log.h"

bool refusal_is_known(const struct target *target)
{
    return target->refused_version != 0 && target->refused_version == target->identity->version;
}

/* Has the service looked at the signature and found it right? */
static bool is_acceptance(const struct verdict *verdict)
{
    return verdict->status == 200 || verdict->why.err == ERR_REJECTED ||
           verdict->why.err == ERR_ACCESS_DENIED || verdict->why.err == ERR_MODEL_NOT_FOUND;
}

static void accept(struct engine *engine, struct target *target, const struct attempt *attempt)
{
    if (attempt->credentials_version != target->identity->version)
        return;
    if (refusal_is_known(target))
        ENGINE_LOG(engine, LOG_CREDENTIALS_ACCEPTED, FIELD_TEXT("target", target->model));
    target->proven_version = target->identity->version;
    target->refused_version = 0;
}

/* A signature that is wrong with keys that have proven right is the request's own matter, or that
 * of something on the way which changes it. */
static bool is_refusal(const struct job *job, const struct verdict *verdict)
{
    const struct target *target = job->target;
    if (identity_has_changed(target->identity, job->call->attempt))
        return false;
    return verdict->why.err == ERR_CREDENTIALS_OLD ||
           (verdict->why.err == ERR_SIGNATURE &&
            target->proven_version != target->identity->version);
}

static void refuse(struct engine *engine, struct target *target, const struct verdict *verdict)
{
    struct identity *identity = target->identity;
    target->refused_version = identity->version;
    target->probe_due_ms = engine->now_ms + REFUSAL_PROBE_MS;
    identity_refresh(engine, identity);
    if (!log_is_due(engine, &identity->refused_log_due_ms))
        return;
    struct buf reason OWNED_BY(buf_done);
    buf_init(&reason, WHY_MESSAGE_MAX + WHY_TYPE_MAX);
    verdict_add_failure(verdict, &reason);
    ENGINE_LOG(engine, LOG_CREDENTIALS_REFUSED, FIELD_TEXT("reason", buf_slice(&reason)),
               FIELD_TEXT("target", target->model));
}

bool refusal_hear(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    if (is_acceptance(verdict))
        accept(engine, job->target, job->call->attempt);
    if (!is_refusal(job, verdict))
        return false;
    refuse(engine, job->target, verdict);
    return true;
}

void refusal_call_begins(const struct engine *engine, struct target *target)
{
    if (refusal_is_known(target))
        target->probe_due_ms = engine->now_ms + REFUSAL_PROBE_MS;
}

bool refusal_stops(const struct engine *engine, const struct target *target, int64_t *ret_again_ms)
{
    if (!refusal_is_known(target) || engine->now_ms >= target->probe_due_ms)
        return false;
    *ret_again_ms = target->probe_due_ms;
    return true;
}
