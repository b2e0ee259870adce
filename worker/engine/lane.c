#include "engine/lane.h"

#include "base/check.h"
#include "base/memory.h"

enum err lanes_init(struct engine *engine)
{
    link_init(&engine->lanes.woken);
    size_t count = 1;
    while (count < engine->config.max_held * (size_t)LANES_PER_JOB)
        count *= 2;
    engine->lanes.buckets = memory_new(count * sizeof(struct link));
    if (engine->lanes.buckets == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        link_init(&engine->lanes.buckets[i]);
    engine->lanes.mask = count - 1;
    return OK;
}

void lanes_done(struct engine *engine)
{
    memory_free(engine->lanes.buckets);
}

static bool has_lane(const struct engine *engine, const struct job *job)
{
    switch (engine->config.ordering) {
    case ORDERING_KEY:
        return job->record.key.ptr != NULL;
    case ORDERING_PARTITION:
        return true;
    case ORDERING_NONE:
        break;
    }
    return false;
}

static struct slice lane_key(const struct engine *engine, const struct job *job)
{
    return engine->config.ordering == ORDERING_KEY ? job->record.key : SLICE("");
}

static struct link *bucket_of(struct engine *engine, const struct job *job)
{
    return &engine->lanes.buckets[job->lane_hash & engine->lanes.mask];
}

static struct job *find_leader(struct engine *engine, const struct job *job)
{
    struct link *bucket = bucket_of(engine, job);
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct job *leader = LINK_OWNER(link, struct job, lane_link);
        if (leader->lane_hash == job->lane_hash && leader->partition == job->partition &&
            slice_equal(lane_key(engine, leader), lane_key(engine, job)))
            return leader;
    }
    return NULL;
}

static void lead(struct engine *engine, struct job *job)
{
    job->is_leading = true;
    list_add_last(bucket_of(engine, job), &job->lane_link);
}

bool lane_enter(struct engine *engine, struct job *job)
{
    CHECK(!job->is_leading && link_alone(&job->lane_waiters));
    if (!has_lane(engine, job))
        return true;
    job->lane_hash =
        slice_hash(lane_key(engine, job), engine->hash_seed + job->partition->tenure.slot);
    struct job *leader = find_leader(engine, job);
    if (leader != NULL) {
        list_add_last(&leader->lane_waiters, &job->link);
        return false;
    }
    lead(engine, job);
    return true;
}

static bool has_no_answer_yet(const struct job *job)
{
    return job->call == NULL && job->step != JOB_ANSWERED;
}

bool lane_waits(struct engine *engine, const struct job *job)
{
    if (job->is_leading)
        return false;
    const struct job *leader = find_leader(engine, job);
    CHECK(leader != NULL);
    if (has_no_answer_yet(leader))
        return true;
    for (struct link *link = leader->lane_waiters.next; link != &job->link; link = link->next)
        if (has_no_answer_yet(LINK_OWNER(link, struct job, link)))
            return true;
    return false;
}

void lane_leave(struct engine *engine, struct job *job)
{
    if (!job->is_leading)
        return;
    job->is_leading = false;
    link_out(&job->lane_link);
    struct link *first = list_first(&job->lane_waiters);
    if (first == NULL)
        return;
    struct job *next = LINK_OWNER(first, struct job, link);
    link_out(&next->link);
    list_move_all(&job->lane_waiters, &next->lane_waiters);
    lead(engine, next);
    list_add_last(&engine->lanes.woken, &next->link);
}

struct job *lane_take_woken(struct engine *engine)
{
    struct link *link = list_first(&engine->lanes.woken);
    if (link == NULL)
        return NULL;
    link_out(link);
    return LINK_OWNER(link, struct job, link);
}

bool lanes_are_woken(const struct engine *engine)
{
    return !link_alone(&engine->lanes.woken);
}
