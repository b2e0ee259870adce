#include "engine/route.h"

#include "engine/call.h"
#include "engine/job_pool.h"
#include "engine/line.h"
#include "engine/moved.h"
#include "engine/notices.h"
#include "engine/outlook.h"
#include "engine/pacing.h"
#include "engine/spending.h"
#include "engine/target.h"
#include "engine/terms.h"
#include "engine/way.h"
#include "wire/chat/model.h"
#include "wire/chat/substitute.h"

#define BACK_PART 2 /* of fallback_after: the expected wait with which a request goes back */

static bool may_move(const struct job *job)
{
    return way_places(job) > 1 && job->kept == NULL && job->call == NULL && !job->is_shelved;
}

/* ---- whether it is called there ---- */

static struct target *target_at(struct engine *engine, const struct job *job, uint32_t at)
{
    const struct model_alias *alias = way_alias(job, at);
    const struct request *own = way_own(job);
    if (at == way_place(job))
        return job->target;
    struct slice region = at == 0 ? own->region : model_region_of(alias);
    return target_find(engine, alias->id, region, alias->identity);
}

/* Why the job is not to be called there; `ahead` = the requests before it. */
static enum move obstacle(struct engine *engine, const struct job *job, uint32_t at, uint64_t ahead)
{
    const struct model_alias *alias = way_alias(job, at);
    const struct target *target = target_at(engine, job, at);
    int64_t after_ms = way_own(job)->alias->fallback_after_ms;
    if (at < way_place(job))
        after_ms /= BACK_PART;
    if (way_is_unfit(job, at))
        return MOVE_REJECTED;
    if (target == NULL)
        return outlook_of_identity(&engine->identities[alias->identity]);
    enum move why = outlook_of(engine, target);
    if (why == MOVE_NONE && outlook_wait_ms(engine, target, ahead) > after_ms)
        why = MOVE_WAIT;
    return why;
}

/* Whether the job is to find out there if calls are answered again. */
static bool is_probe(struct engine *engine, const struct job *job, uint32_t at, enum move why,
                     uint64_t ahead)
{
    const struct target *target = target_at(engine, job, at);
    bool is_avoided = why == MOVE_OUTAGE || why == MOVE_DAY || why == MOVE_CREDENTIALS;
    return is_avoided && target != NULL && ahead == 0 && outlook_is_probe_due(engine, target);
}

/* Where it is to be called, and why it goes there. */
struct choice {
    uint32_t at;
    enum move why;
};

/* Where it is called; where it stands, if that is nowhere. `ahead` is in its present target. */
static struct choice choose(struct engine *engine, const struct job *job, uint64_t ahead)
{
    uint32_t present = way_place(job), count = way_places(job);
    struct choice stay = {.at = way_is_unfit(job, present) ? 0 : present, .why = MOVE_REJECTED};
    enum move why = MOVE_NONE; /* it does not stay */
    for (uint32_t at = 0; at < count; at++) {
        struct target *target = target_at(engine, job, at);
        uint64_t before = at == present    ? ahead
                          : target == NULL ? 0
                                           : line_ahead(engine, target, job);
        enum move found = obstacle(engine, job, at, before);
        if (at == present)
            why = found;
        if (is_probe(engine, job, at, found, before))
            return (struct choice){at, MOVE_PROBE};
        if (found == MOVE_NONE)
            return (struct choice){at, at < present && why != MOVE_REJECTED ? MOVE_BACK : why};
    }
    return stay;
}

/* ---- the move ---- */

/* The request, read for the other alias, with the target where it is called. */
struct reading {
    struct request request;
    struct arena arena;
    struct target *target;
};

/* False: the fallback cannot take it, which is noted. */
static bool read_for(struct engine *engine, struct job *job, uint32_t at, struct reading *ret)
{
    const struct model_alias *alias = way_alias(job, at);
    struct request_source source = {&job->record, &job->terms->catalog, alias};
    struct way *way = job->way;
    struct why why;
    why_clear(&why);
    enum err err = OK;
    arena_init(&ret->arena, JOB_ARENA_LIMIT(job->record.value.len + job->record.key.len));
    if (at == 0)
        ret->request = way->own;
    else
        err = substitute_read(&ret->arena, &source, &way->own, &ret->request, &why);
    if (err == OK) {
        err = target_get(engine, ret->request.model, ret->request.region, ret->request.identity,
                         &ret->target);
        why.err = err;
    }
    if (err == OK)
        return true;
    if (at > 0) /* else there is no memory */
        way_note_unfit(job, at, &why);
    arena_done(&ret->arena);
    return false;
}

static void go_to(struct engine *engine, struct job *job, struct choice choice,
                  struct reading *reading)
{
    struct way *way = job->way;
    arena_done(&way->arena);
    way->arena = reading->arena;
    way->at = choice.at;
    way->moved = choice.why;
    way->moved_ms = engine->now_ms;
    job->request = reading->request;
    if (job->calls > 0) /* the rests of a target do not count for it */
        job->rested_ms +=
            pacing_rested_ms(engine, reading->target) - pacing_rested_ms(engine, job->target);
    target_release(engine, job->target);
    job->target = reading->target;
    job_charge(engine, job);
    spending_measure(engine, job);
    notice_unsent(engine, job);
}

/* Whether a job that came here lately goes back too soon. */
static bool is_hasty(const struct engine *engine, const struct job *job, struct choice choice)
{
    return choice.why == MOVE_BACK && engine->now_ms - job->way->moved_ms < ROUTE_STAY_MS;
}

/* Reads the request for the place where it is to be called; false: it stays. */
static bool find_way(struct engine *engine, struct job *job, uint64_t ahead,
                     struct choice *ret_choice, struct reading *ret_reading)
{
    for (uint32_t tries = way_places(job); tries > 0; tries--) {
        *ret_choice = choose(engine, job, ahead);
        if (ret_choice->at == way_place(job) || is_hasty(engine, job, *ret_choice) ||
            way_begin(job) == NULL)
            return false;
        if (read_for(engine, job, ret_choice->at, ret_reading))
            return true;
    }
    return false;
}

/* The target of what the request names. */
static enum err find_first(struct engine *engine, struct job *job)
{
    enum err err = target_get(engine, job->request.model, job->request.region,
                              job->request.identity, &job->target);
    if (err == OK) {
        spending_measure(engine, job);
        notice_unsent(engine, job);
        return OK;
    }
    return why_set(&job->why, err, "model", "%s",
                   err == ERR_INVALID ? "no AWS region is known for this model: set bedrock.region "
                                        "or AWS_REGION"
                                      : err_words(err));
}

enum err route_choose(struct engine *engine, struct job *job, bool at_front)
{
    struct choice choice;
    struct reading reading;
    enum err err = job->target == NULL ? find_first(engine, job) : OK;
    if (err != OK || !may_move(job) ||
        !find_way(engine, job, at_front ? 0 : line_ahead(engine, job->target, job), &choice,
                  &reading))
        return err;
    moved_note(engine, job->target, reading.target, choice.why);
    go_to(engine, job, choice, &reading);
    return OK;
}

bool route_leads_away(struct engine *engine, const struct job *job)
{
    return may_move(job) && choose(engine, job, 0).at != way_place(job);
}

/* ---- requests that wait ---- */

/* False: it stays. */
static bool move_waiting(struct engine *engine, struct job *job, uint64_t ahead)
{
    struct choice choice;
    struct reading reading;
    struct target *from = job->target;
    if (!may_move(job) || !find_way(engine, job, ahead, &choice, &reading))
        return false;
    moved_note(engine, from, reading.target, choice.why);
    target_dequeue(engine, from, job);
    go_to(engine, job, choice, &reading);
    target_enqueue(engine, job->target, job, job->calls > 0);
    return true;
}

/* The caller holds the target. */
static void look_at(struct engine *engine, struct target *target)
{
    uint64_t ahead = 0;
    struct fair_walk walk;
    fair_walk_begin(&target->line, &walk);
    for (struct job *job; (job = line_walk_next(&walk)) != NULL;)
        ahead += !move_waiting(engine, job, ahead);
}

static void look(struct engine *engine)
{
    struct target *next = targets_next(engine, NULL);
    for (struct target *target; (target = next) != NULL;) {
        if (target->waiting == 0) {
            next = targets_next(engine, target);
            continue;
        }
        target_hold(engine, target);
        look_at(engine, target);
        next = targets_next(engine, target);
        target_release(engine, target);
    }
}

void route_turn(struct engine *engine, int64_t *ret_next_ms)
{
    int64_t *look_ms = &engine->moved.look_ms;
    if (!terms_have_fallbacks(engine) || engine->is_stopping)
        return;
    if (engine->now_ms >= *look_ms) {
        *look_ms = engine->now_ms + ROUTE_LOOK_MS;
        look(engine);
        moved_log(engine);
    }
    if (targets_next_ready(engine, NULL) != NULL && *look_ms < *ret_next_ms)
        *ret_next_ms = *look_ms;
}

/* ---- a fallback rejects ---- */

bool route_is_rejected(struct job *job, const struct verdict *verdict)
{
    enum err err = verdict->why.err;
    uint32_t at = way_place(job);
    if (at == 0 || (err != ERR_REJECTED && err != ERR_ACCESS_DENIED && err != ERR_MODEL_NOT_FOUND))
        return false;
    struct why why;
    why_clear(&why);
    why.err = err;
    way_note_unfit(job, at, &why);
    return true;
}
