#include "engine/target.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/tell.h"

#define TARGET_ARENA_MAX (16 * 1024)
#define KEPT_BACK_PART   16     /* of the call slots */
#define SHARED_MEMORY_MS 600000 /* that there was more than one target */

static bool is_busy(const struct target *target)
{
    return target->waiting > 0 || target->calling > 0;
}

/* A target can use as many call slots as it has jobs, and as its pace allows. */
static struct share_party party_of(const struct target *target)
{
    uint64_t most = (uint64_t)target->calling + target->waiting;
    uint32_t calls_max = target->pace.calls_max;
    if (calls_max > 0 && calls_max < most)
        most = calls_max;
    return (struct share_party){.has = target->calling, .most = most};
}

/* Shares follow the number of busy targets; counted anew when that number has changed. */
static void count_shares(struct engine *engine)
{
    if (!engine->is_share_old)
        return;
    engine->is_share_old = false;
    share_restart(&engine->call_share, engine->busy_targets);
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next) {
        struct target *target = LINK_OWNER(link, struct target, link);
        if (is_busy(target))
            share_count_party(&engine->call_share, party_of(target));
    }
}

static void target_free(struct target *target)
{
    link_out(&target->link);
    link_out(&target->link_ready);
    arena_done(&target->arena);
    memory_free(target);
}

/* The only place where a target's jobs are counted; keeps count of the busy targets and of those
 * that have jobs waiting, too. */
static void set_counts(struct engine *engine, struct target *target, uint32_t waiting,
                       uint32_t calling)
{
    bool was_busy = is_busy(target);
    struct share_party before = party_of(target);
    target->waiting = waiting;
    target->calling = calling;
    bool busy = is_busy(target);
    if (busy != was_busy) {
        engine->busy_targets += busy ? 1U : -1U;
        engine->is_share_old = true;
    } else if (!engine->is_share_old) {
        share_change_party(&engine->call_share, before, party_of(target));
    }
    if (target->waiting == 0)
        link_out(&target->link_ready);
    else if (link_alone(&target->link_ready))
        list_add_last(&engine->ready, &target->link_ready);
}

static enum err set_endpoint(struct engine *engine, struct target *target)
{
    const struct engine_config *config = &engine->config;
    struct buf url OWNED_BY(buf_done);
    struct slice copy;
    buf_init(&url, ENDPOINT_URL_MAX);
    enum err err = endpoint_choose_url(&url, config->endpoint_url, target->region, config->fips,
                                       config->dual_stack);
    if (err != OK)
        return err;
    if (!arena_copy(&target->arena, buf_slice(&url), &copy))
        return ERR_NO_MEMORY;
    return endpoint_read(copy, &target->endpoint);
}

static enum err target_new(struct engine *engine, struct slice model, struct slice region,
                           uint64_t hash, struct target **ret_target)
{
    struct target *target = memory_new(sizeof *target);
    if (target == NULL)
        return ERR_NO_MEMORY;
    arena_init(&target->arena, TARGET_ARENA_MAX);
    link_init(&target->link);
    link_init(&target->link_ready);
    link_init(&target->queue);
    target->identity = &engine->identity;
    target->hash = hash;
    enum err err = ERR_NO_MEMORY;
    if (arena_copy(&target->arena, model, &target->model) &&
        arena_copy(&target->arena, region, &target->region))
        err = set_endpoint(engine, target);
    if (err != OK) {
        target_free(target);
        return err == ERR_NO_MEMORY ? err : ERR_INVALID;
    }
    list_add_last(&engine->targets, &target->link);
    *ret_target = target;
    return OK;
}

/* Slow or failing targets that nobody has asked for since their rest was over. */
static void forget_unused(struct engine *engine)
{
    for (struct link *link = engine->targets.next; link != &engine->targets;) {
        struct target *target = LINK_OWNER(link, struct target, link);
        link = link->next;
        if (target->holders == 0 && target->pace.rest_until_ms < engine->now_ms)
            target_free(target);
    }
}

static struct target *find(struct engine *engine, struct slice model, struct slice region,
                           uint64_t hash)
{
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next) {
        struct target *target = LINK_OWNER(link, struct target, link);
        if (target->hash == hash && slice_equal(target->model, model) &&
            slice_equal(target->region, region))
            return target;
    }
    return NULL;
}

enum err target_get(struct engine *engine, struct slice model, struct slice region,
                    struct target **ret_target)
{
    if (region.len == 0)
        region = engine->config.region;
    uint64_t hash = slice_hash(model, engine->hash_seed) ^ slice_hash(region, ~engine->hash_seed);
    struct target *target = find(engine, model, region, hash);
    if (target == NULL) {
        forget_unused(engine);
        enum err err = target_new(engine, model, region, hash, &target);
        if (err != OK)
            return err;
    }
    target->holders++;
    *ret_target = target;
    return OK;
}

void target_release(struct engine *engine, struct target *target)
{
    (void)engine;
    CHECK(target->holders > 0);
    if (--target->holders > 0 || target->pace.calls_max > 0 || target->pace.streak > 0)
        return;
    CHECK(!is_busy(target));
    target_free(target);
}

void target_enqueue(struct engine *engine, struct target *target, struct job *job, bool at_front)
{
    if (at_front)
        list_add_first(&target->queue, &job->link);
    else
        list_add_last(&target->queue, &job->link);
    set_counts(engine, target, target->waiting + 1, target->calling);
}

void target_dequeue(struct engine *engine, struct target *target, struct job *job)
{
    CHECK(target->waiting > 0);
    link_out(&job->link);
    set_counts(engine, target, target->waiting - 1, target->calling);
}

void target_calls(struct engine *engine, struct target *target, int change)
{
    set_counts(engine, target, target->waiting, target->calling + (uint32_t)change);
}

/* The last call slots are for targets that have few: one that becomes busy need not wait until a
 * slow call of another one ends. Where one target is alone for long, all are its own. */
static bool has_slot(struct engine *engine, const struct target *target)
{
    if (engine->targets.next != engine->targets.prev)
        engine->shared_until_ms = engine->now_ms + SHARED_MEMORY_MS;
    if (engine->now_ms >= engine->shared_until_ms)
        return true;
    uint32_t kept_back = engine->config.max_in_flight / KEPT_BACK_PART;
    return engine->free_call_count > kept_back || target->calling < kept_back;
}

static bool has_share(const struct engine *engine, const struct target *target)
{
    return share_room_party(&engine->call_share, party_of(target)) > 0;
}

static void tell_share(struct engine *engine, struct target *target)
{
    if (!tell_now(engine, &target->share_told_ms))
        return;
    const struct target *holder = target;
    for (struct link *link = engine->targets.next; link != &engine->targets; link = link->next) {
        const struct target *other = LINK_OWNER(link, struct target, link);
        holder = other->calling > holder->calling ? other : holder;
    }
    ENGINE_LOG(engine, LOG_TARGET_SHARE_FULL, FIELD_TEXT("target", target->model),
               FIELD_INT("calling", target->calling), FIELD_INT("waiting", target->waiting),
               FIELD_TEXT("holder", holder->model), FIELD_INT("held", holder->calling));
}

struct job *target_next_job(struct engine *engine, int64_t *ret_again_ms)
{
    if (engine->free_call_count == 0)
        return NULL;
    count_shares(engine);
    for (struct link *link = engine->ready.next; link != &engine->ready; link = link->next) {
        struct target *target = LINK_OWNER(link, struct target, link_ready);
        int64_t again_ms;
        if (!target->identity->has_credentials)
            continue;
        if (!pace_allows(&target->pace, target->calling, engine->now_ms, &again_ms)) {
            if (again_ms < *ret_again_ms)
                *ret_again_ms = again_ms;
            continue;
        }
        if (!has_slot(engine, target) || !has_share(engine, target)) {
            tell_share(engine, target);
            continue;
        }
        link_out(&target->link_ready);
        list_add_last(&engine->ready, &target->link_ready);
        return LINK_OWNER(list_first(&target->queue), struct job, link);
    }
    return NULL;
}

/* true: it rests (anew), for *ret_delay_ms. */
static bool rest(struct engine *engine, struct target *target, int64_t retry_after_ms,
                 int64_t *ret_delay_ms)
{
    engine->is_share_old = true; /* a pace is part of what is claimed */
    return pace_refused(&target->pace, &engine->config.retry, engine->now_ms, retry_after_ms,
                        &engine->random, ret_delay_ms);
}

void target_refused(struct engine *engine, struct target *target, int64_t retry_after_ms)
{
    int64_t delay_ms;
    if (!rest(engine, target, retry_after_ms, &delay_ms) ||
        !tell_now(engine, &target->slow_told_ms))
        return;
    target->told = TARGET_SLOW;
    ENGINE_LOG(engine, LOG_TARGET_THROTTLED, FIELD_TEXT("target", target->model),
               FIELD_INT("streak", target->pace.streak), FIELD_INT("delay_ms", delay_ms),
               FIELD_INT("waiting", target->holders));
}

void target_failed(struct engine *engine, struct target *target, const char *words)
{
    int64_t delay_ms;
    if (!rest(engine, target, -1, &delay_ms) || target->told == TARGET_DOWN ||
        !tell_now(engine, &target->down_told_ms))
        return;
    target->told = TARGET_DOWN;
    ENGINE_LOG(engine, LOG_TARGET_FAILING, FIELD_TEXT("target", target->model),
               FIELD_TEXT("reason", slice_of_text(words)), FIELD_INT("streak", target->pace.streak),
               FIELD_INT("delay_ms", delay_ms), FIELD_INT("waiting", target->holders));
}

void target_answered(struct engine *engine, struct target *target)
{
    int64_t slowed_at_ms = target->pace.slowed_at_ms;
    engine->is_share_old = engine->is_share_old || target->pace.calls_max > 0;
    bool is_whole = pace_answered(&target->pace, engine->config.max_in_flight);
    if (target->told == TARGET_SOUND || (target->told == TARGET_SLOW && !is_whole))
        return;
    target->told = TARGET_SOUND;
    ENGINE_LOG(engine, LOG_TARGET_RECOVERED, FIELD_TEXT("target", target->model),
               FIELD_INT("slowed_ms", engine->now_ms - slowed_at_ms));
}

void targets_free(struct engine *engine)
{
    while (!link_alone(&engine->targets))
        target_free(LINK_OWNER(engine->targets.next, struct target, link));
}
