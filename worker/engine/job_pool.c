#include "engine/job_pool.h"

#include "base/check.h"
#include "engine/budgets.h"
#include "base/memory.h"
#include "engine/current.h"
#include "engine/hold.h"
#include "engine/result.h"
#include "engine/way.h"
#include "engine/target.h"
#include "engine/terms.h"

#define JOB_ARENA_BESIDE 1536 /* bytes of a job's first block beyond the size of its request */

enum err jobs_init(struct engine *engine)
{
    uint32_t count = engine->config.max_held;
    link_init(&engine->jobs.free);
    engine->jobs.all = memory_new(count * sizeof(struct job));
    if (engine->jobs.all == NULL)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        struct job *job = &engine->jobs.all[i];
        job->index = i;
        link_init(&job->link);
        link_init(&job->turn.link);
        link_init(&job->link_partition);
        link_init(&job->lane_waiters);
        link_init(&job->lane_link);
        link_init(&job->reply_link);
        timer_init(&job->due);
        result_init(&job->result, job);
        list_add_last(&engine->jobs.free, &job->link);
    }
    return OK;
}

void jobs_done(struct engine *engine)
{
    for (uint32_t i = 0; engine->jobs.all != NULL && i < engine->config.max_held; i++) {
        struct job *job = &engine->jobs.all[i];
        if (job->step != JOB_FREE)
            result_free(engine, &job->result);
        way_free(job);
        arena_done(&job->arena);
    }
    memory_free(engine->jobs.all);
}

static const struct {
    uint32_t from;
} STEPS[JOB_STEP_COUNT] = {
#define FROM(step)       (1U << JOB_##step)
#define STEP(name, from) [JOB_##name] = {from},
#include "engine/job_steps.def"
#undef STEP
#undef FROM
};

void job_go(const struct engine *engine, struct job *job, enum job_step next)
{
    current_set_job(job);
    CHECK(STEPS[next].from & (1U << job->step));
    job->step = next;
    job->step_ms = engine->now_ms;
}

/* The body of a call that counts tokens may hold the request as base64. */
static uint64_t bytes_of(const struct job *job)
{
    uint64_t bytes = job->arena.held + job->result.bytes + way_bytes(job);
    return job->request.count_tokens ? bytes + job->record.value.len : bytes;
}

void job_charge(struct engine *engine, struct job *job)
{
    uint64_t now = job->step == JOB_FREE ? 0 : bytes_of(job);
    hold_bytes(engine, job->partition, job->charged, now);
    job->charged = now;
}

void job_move(struct engine *engine, struct job *job, struct partition *to)
{
    uint64_t charged = job->charged;
    hold_bytes(engine, job->partition, charged, 0);
    hold_count(engine, job->partition, -1);
    if (job->call != NULL)
        job->partition->calling--;
    link_out(&job->link_partition);
    job->partition = to;
    hold_count(engine, to, 1);
    hold_bytes(engine, to, 0, charged);
    if (job->call != NULL)
        to->calling++;
}

bool jobs_are_free(const struct engine *engine)
{
    return !link_alone(&engine->jobs.free);
}

struct job *job_next_free(struct engine *engine)
{
    struct link *link = list_first(&engine->jobs.free);
    CHECK(link != NULL);
    return LINK_OWNER(link, struct job, link);
}

const struct job *job_at(const struct engine *engine, uint32_t index)
{
    CHECK(index < engine->config.max_held);
    return &engine->jobs.all[index];
}

void job_start(struct engine *engine, struct job *job, struct partition *partition,
               const struct record *record)
{
    link_out(&job->link);
    uint32_t index = job->index;
    struct arena arena = job->arena;
    *job = (struct job){
        .index = index,
        .arena = arena,
        .terms = terms_take(engine),
        .partition = partition,
        .offset = record->offset,
        .received_ms = engine->now_ms,
        .received_wall_ms = engine->wall_ms,
    };
    link_init(&job->link);
    link_init(&job->turn.link);
    link_init(&job->link_partition);
    link_init(&job->lane_waiters);
    link_init(&job->lane_link);
    link_init(&job->reply_link);
    timer_init(&job->due);
    result_init(&job->result, job);
    job->result.offset = record->offset;
    job->result.timestamp_ms = result_timestamp(record);
    job->attempts = &job->first_attempt;
    job->attempt_room = 1;
    /* Headers over the limit are kept too, for the dead letter. */
    job->arena.limit =
        JOB_ARENA_LIMIT(record->value.len + record->key.len) + headers_copy_bytes(record->headers);
    CHECK(arena_reserve(&job->arena, record->value.len + JOB_ARENA_BESIDE));
    list_add_last(&partition->jobs, &job->link_partition);
    hold_count(engine, partition, 1);
    uuid_new(&job->invocation, engine->wall_ms, &engine->random);
    job_go(engine, job, JOB_TAKEN);
}

void job_free(struct engine *engine, struct job *job)
{
    CHECK(job->call == NULL && !job->is_leading && link_alone(&job->lane_waiters));
    timers_stop(&engine->timers, &job->due);
    budgets_give_up(engine, job);
    link_out(&job->link);
    link_out(&job->link_partition);
    link_out(&job->reply_link);
    if (job->target != NULL)
        target_release(engine, job->target);
    job->target = NULL;
    way_free(job);
    result_free(engine, &job->result);
    terms_return(job->terms);
    job->terms = NULL;
    job_go(engine, job, JOB_FREE);
    job_charge(engine, job);
    hold_count(engine, job->partition, -1);
    arena_rewind(&job->arena, JOB_ARENA_KEPT_MAX);
    list_add_first(&engine->jobs.free, &job->link);
}
