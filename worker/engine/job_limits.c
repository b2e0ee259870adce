#include "engine/job_limits.h"

#include "engine/pacing.h"

int64_t job_left_ms(const struct engine *engine, const struct job *job)
{
    if (job->request.expires_wall_ms == REQUEST_NO_LIMIT)
        return INT64_MAX;
    /* By the service's clock, as signatures are: this one's may be hours off. */
    const struct identity *identity =
        job->target != NULL ? job->target->identity : &engine->identities[0];
    return job->request.expires_wall_ms - engine->wall_ms - clock_skew_offset_ms(&identity->clock);
}

bool job_is_expired(struct engine *engine, struct job *job)
{
    if (job_left_ms(engine, job) > 0)
        return false;
    (void)why_set(&job->why, ERR_EXPIRED, NULL, "the time limit passed before the answer arrived");
    return true;
}

int64_t job_elapsed_ms(const struct engine *engine, const struct job *job)
{
    if (job->calls == 0)
        return 0;
    int64_t rested_ms = pacing_rested_ms(engine, job->target) - job->rested_ms;
    if (rested_ms > job->terms->retry.max_elapsed_ms)
        rested_ms = job->terms->retry.max_elapsed_ms;
    int64_t held_ms = job->held_ms;
    if (job->step == JOB_HELD)
        held_ms += engine->now_ms - job->held_since_ms;
    return engine->now_ms - job->attempts[0].started_ms - rested_ms - held_ms;
}

bool job_is_out_of_time(const struct engine *engine, const struct job *job)
{
    return job->calls > 0 && job_elapsed_ms(engine, job) > job->terms->retry.max_elapsed_ms;
}

void job_watch_limits(struct engine *engine, struct job *job)
{
    int64_t left = job_left_ms(engine, job);
    if (job->calls > 0) {
        int64_t tries_left = job->terms->retry.max_elapsed_ms - job_elapsed_ms(engine, job) + 1 +
                             pacing_rest_left_ms(engine, job->target);
        left = tries_left < left ? tries_left : left;
    }
    if (left < INT64_MAX - engine->now_ms)
        timers_set(&engine->timers, &job->due, engine->now_ms + (left > 0 ? left : 0));
}
