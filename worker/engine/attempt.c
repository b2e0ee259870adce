#include "engine/attempt.h"

#include "base/check.h"
#include "engine/identity.h"
#include "wire/bedrock/dialects.h"

/* Makes room for one more attempt; false: the job has ATTEMPTS_MAX, or there is no memory. */
static bool make_room(struct job *job)
{
    if (job->attempt_count < job->attempt_room)
        return true;
    uint32_t room = job->attempt_room * 2;
    room = room > ATTEMPTS_MAX ? ATTEMPTS_MAX : room;
    struct attempt *attempts = NULL;
    if (room > job->attempt_room)
        attempts = arena_new_array(&job->arena, room, sizeof *attempts);
    if (attempts == NULL)
        return false;
    for (size_t i = 0; i < job->attempt_count; i++)
        attempts[i] = job->attempts[i];
    job->attempts = attempts;
    job->attempt_room = room;
    return true;
}

/* As target_get takes it; the job may outlive its hold of this target. */
static struct slice region_of(const struct engine *engine, const struct job *job)
{
    return job->request.region.len > 0 ? job->request.region : engine->config.region;
}

struct attempt *attempt_begin(struct engine *engine, struct job *job)
{
    const struct dialect *dialect = dialect_for(engine->config.dialects, &job->request);
    engine->has_replaced_attempt = !make_room(job);
    if (!engine->has_replaced_attempt)
        job->attempt_count++;
    struct attempt *attempt = attempt_last(job);
    CHECK(attempt != NULL);
    if (engine->has_replaced_attempt)
        engine->replaced_attempt = *attempt;
    *attempt = (struct attempt){
        .number = (int)++job->calls,
        .model = job->request.model,
        .region = region_of(engine, job),
        .api = &dialect->api->name,
        .started_wall_ms = engine->wall_ms,
        .first_token_ms = -1,
        .dialect = dialect,
        .started_ms = engine->now_ms,
    };
    identity_stamp(job->target->identity, attempt);
    uuid_new(&attempt->call, engine->wall_ms, &engine->random);
    return attempt;
}

void attempt_undo(struct engine *engine, struct job *job)
{
    CHECK(job->attempt_count > 0);
    job->calls--;
    if (engine->has_replaced_attempt)
        *attempt_last(job) = engine->replaced_attempt;
    else
        job->attempt_count--;
}

struct attempt *attempt_last(const struct job *job)
{
    return job->attempt_count == 0 ? NULL : &job->attempts[job->attempt_count - 1];
}

void attempt_head(struct attempt *attempt, int status, struct slice head)
{
    attempt->status = status;
    struct slice id = http_header(head, "x-amzn-requestid");
    if (id.ptr != NULL)
        why_copy(attempt->bedrock_request_id, sizeof attempt->bedrock_request_id, id);
    attempt_tier(attempt, http_header(head, "x-amzn-bedrock-service-tier"));
}

void attempt_tier(struct attempt *attempt, struct slice tier)
{
    if (tier.ptr != NULL && tier.len < sizeof attempt->service_tier)
        why_copy(attempt->service_tier, sizeof attempt->service_tier, tier);
}

void attempt_end(struct engine *engine, struct job *job, const struct why *why)
{
    struct attempt *attempt = attempt_last(job);
    CHECK(attempt != NULL);
    attempt->duration_ms = engine->now_ms - attempt->started_ms;
    if (why->err != OK)
        why_copy(attempt->error, sizeof attempt->error,
                 slice_of_text(why->type[0] != '\0' ? why->type : err_code(why->err)));
    job->called_ms += attempt->duration_ms;
}
