#include "engine/target.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/call.h"
#include "engine/line.h"
#include "engine/log.h"
#include "engine/outlook.h"
#include "engine/pacing.h"
#include "engine/refusal.h"

#define TARGET_ARENA_MAX (16 * 1024)
#define KEPT_BACK_PART   16 /* of the call slots */
#define SPARE_LOOKS      8
#define SPARE_MAX        256    /* targets that are remembered though they do not rest … */
#define SPARE_MS         600000 /* … for so long */
#define SHARED_MEMORY_MS 600000 /* how long shares apply after several targets were busy */

static bool is_busy(const struct target *target)
{
    return target->waiting > 0 || target->marked > 0 || target->calling > 0;
}

/* A target claims as many call slots as it has jobs; while its pace holds it, those that it has. It
 * may mark as many jobs ahead as its calls ended since the last cut; those take no slot yet. */
static struct share_party party_of(const struct engine *engine, const struct target *target)
{
    uint32_t ended = target->ended_in == engine->calls.cuts ? target->ended : 0;
    uint64_t has =
        (uint64_t)target->calling + (target->marked > ended ? target->marked - ended : 0);
    uint64_t most = (uint64_t)target->calling + target->marked;
    return (struct share_party){.has = has,
                                .most = most + (target->is_paced ? 0 : target->waiting)};
}

void targets_init(struct engine *engine)
{
    link_init(&engine->targets.all);
    link_init(&engine->targets.ready);
    link_init(&engine->targets.spare);
    for (size_t i = 0; i < TARGET_BUCKETS; i++)
        link_init(&engine->targets.buckets[i]);
    engine->targets.shared_until_ms = engine->now_ms;
    share_init(&engine->targets.share, engine->config.max_in_flight);
}

/* The shares follow the number of busy targets and their paces. */
static void count_shares(struct engine *engine)
{
    struct targets *targets = &engine->targets;
    if (!targets->is_share_old)
        return;
    targets->is_share_old = false;
    share_restart(&targets->share, targets->busy);
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        if (is_busy(target))
            share_count_party(&targets->share, party_of(engine, target));
}

static bool are_several(const struct engine *engine)
{
    return engine->targets.all.next != engine->targets.all.prev;
}

static void target_free(struct engine *engine, struct target *target)
{
    if (are_several(engine))
        engine->targets.shared_until_ms = engine->now_ms + SHARED_MEMORY_MS;
    link_out(&target->link);
    link_out(&target->link_hash);
    link_out(&target->link_spare);
    link_out(&target->link_ready);
    arena_done(&target->arena);
    memory_free(target);
}

/* The only function that counts a target's jobs; also counts the busy targets and lists the ready
 * ones. */
static void set_counts(struct engine *engine, struct target *target, uint32_t waiting,
                       uint32_t marked, uint32_t calling)
{
    bool was_busy = is_busy(target);
    struct share_party before = party_of(engine, target);
    target->waiting = waiting;
    target->marked = marked;
    target->calling = calling;
    bool busy = is_busy(target);
    if (busy != was_busy) {
        engine->targets.busy += busy ? 1U : -1U;
        engine->targets.is_share_old = true;
    } else if (!engine->targets.is_share_old) {
        share_change_party(&engine->targets.share, before, party_of(engine, target));
    }
    if (target->waiting == 0)
        link_out(&target->link_ready);
    else if (link_alone(&target->link_ready))
        list_add_last(&engine->targets.ready, &target->link_ready);
}

static struct link *bucket_of(struct engine *engine, uint64_t hash)
{
    return &engine->targets.buckets[hash & (TARGET_BUCKETS - 1)];
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
                           struct identity *identity, uint64_t hash, struct target **ret_target)
{
    struct target *target = memory_new(sizeof *target);
    if (target == NULL)
        return ERR_NO_MEMORY;
    arena_init(&target->arena, TARGET_ARENA_MAX);
    link_init(&target->link);
    link_init(&target->link_hash);
    link_init(&target->link_spare);
    link_init(&target->link_ready);
    target->identity = identity;
    target->hash = hash;
    enum err err = ERR_NO_MEMORY;
    if (arena_copy(&target->arena, model, &target->model) &&
        arena_copy(&target->arena, region, &target->region))
        err = set_endpoint(engine, target);
    if (err != OK) {
        target_free(engine, target);
        return err == ERR_NO_MEMORY ? err : ERR_INVALID;
    }
    pacing_init(engine, target);
    list_add_last(&engine->targets.all, &target->link);
    list_add_last(bucket_of(engine, hash), &target->link_hash);
    *ret_target = target;
    return OK;
}

static bool is_forgettable(const struct engine *engine, struct target *target)
{
    bool is_old = engine->now_ms - target->spare_ms >= SPARE_MS;
    return !pacing_must_be_kept(engine, target) &&
           (is_old || engine->targets.spare_count > SPARE_MAX);
}

/* Frees targets without jobs that do not rest, the oldest and those over the limit. Each new target
 * looks at a few, so their number stays bounded by SPARE_MAX and those that rest. */
static void forget_spare(struct engine *engine)
{
    struct link *spare = &engine->targets.spare, *link;
    for (int look = 0; look < SPARE_LOOKS && (link = list_first(spare)) != NULL; look++) {
        struct target *target = LINK_OWNER(link, struct target, link_spare);
        link_out(link);
        if (is_forgettable(engine, target)) {
            engine->targets.spare_count--;
            target_free(engine, target);
        } else {
            list_add_last(spare, link);
        }
    }
}

static struct target *find(struct engine *engine, struct slice model, struct slice region,
                           const struct identity *identity, uint64_t hash)
{
    const struct link *bucket = bucket_of(engine, hash);
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct target *target = LINK_OWNER(link, struct target, link_hash);
        if (target->hash == hash && slice_equal(target->model, model) &&
            slice_equal(target->region, region) && target->identity == identity)
            return target;
    }
    return NULL;
}

static uint64_t hash_of(const struct engine *engine, struct slice model, struct slice region,
                        uint32_t identity_number)
{
    return slice_hash(model, engine->hash_seed + identity_number) ^
           slice_hash(region, ~engine->hash_seed);
}

struct target *target_find(struct engine *engine, struct slice model, struct slice region,
                           uint32_t identity_number)
{
    if (region.len == 0)
        region = engine->config.region;
    return find(engine, model, region, &engine->identities[identity_number],
                hash_of(engine, model, region, identity_number));
}

void target_hold(struct engine *engine, struct target *target)
{
    engine->targets.spare_count -= !link_alone(&target->link_spare);
    link_out(&target->link_spare);
    target->holders++;
}

enum err target_get(struct engine *engine, struct slice model, struct slice region,
                    uint32_t identity_number, struct target **ret_target)
{
    CHECK(identity_number < engine->config.identity_count);
    struct identity *identity = &engine->identities[identity_number];
    if (region.len == 0)
        region = engine->config.region;
    struct target *target = target_find(engine, model, region, identity_number);
    if (target == NULL) {
        forget_spare(engine);
        enum err err = target_new(engine, model, region, identity,
                                  hash_of(engine, model, region, identity_number), &target);
        if (err != OK)
            return err;
    }
    target_hold(engine, target);
    *ret_target = target;
    return OK;
}

void target_release(struct engine *engine, struct target *target)
{
    CHECK(target->holders > 0);
    if (--target->holders > 0)
        return;
    CHECK(!is_busy(target));
    if (!pacing_is_worth_keeping(target) && !refusal_is_known(target)) {
        target_free(engine, target);
        return;
    }
    target->spare_ms = engine->now_ms;
    engine->targets.spare_count++;
    list_add_last(&engine->targets.spare, &target->link_spare);
}

void targets_reload(struct engine *engine)
{
    for (struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        pacing_reload(engine, target);
}

void target_enqueue(struct engine *engine, struct target *target, struct job *job, bool at_front)
{
    line_add(engine, target, job, at_front);
    set_counts(engine, target, target->waiting + 1, target->marked, target->calling);
}

void target_dequeue(struct engine *engine, struct target *target, struct job *job)
{
    CHECK(target->waiting > 0);
    line_remove(engine, target, job);
    set_counts(engine, target, target->waiting - 1, target->marked, target->calling);
}

void target_take(struct engine *engine, struct target *target, struct job *job)
{
    line_take(engine, target, job);
    set_counts(engine, target, target->waiting - 1, target->marked, target->calling);
}

void target_mark(struct engine *engine, struct target *target, int change)
{
    CHECK(change > 0 || target->marked > 0);
    set_counts(engine, target, target->waiting, target->marked + (uint32_t)change, target->calling);
}

/* ---- shares of the call slots ---- */

/* Keeps the last call slots for targets with few calls, so one that becomes busy does not wait for
 * a slow call of another. A target that has long been the only one may use all slots. */
static bool has_slot(const struct engine *engine, const struct target *target)
{
    if (!are_several(engine) && engine->now_ms >= engine->targets.shared_until_ms)
        return true;
    uint32_t kept_back = engine->config.max_in_flight / KEPT_BACK_PART;
    return calls_room(engine) > kept_back || target->calling + target->marked < kept_back;
}

bool target_has_share(struct engine *engine, const struct target *target)
{
    count_shares(engine);
    return has_slot(engine, target) &&
           share_room_party(&engine->targets.share, party_of(engine, target)) > 0;
}

void target_log_share(struct engine *engine, struct target *target)
{
    if (!log_is_due(engine, &target->share_log_due_ms))
        return;
    const struct target *holder = target, *other = NULL;
    while ((other = targets_next(engine, other)) != NULL)
        holder = other->calling > holder->calling ? other : holder;
    ENGINE_LOG(engine, LOG_TARGET_SHARE_FULL, FIELD_TEXT("target", target->model),
               FIELD_INT("calling", target->calling), FIELD_INT("waiting", target->waiting),
               FIELD_TEXT("holder", holder->model), FIELD_INT("held", holder->calling));
}

/* ---- its calls ---- */

/* While the pace holds a target, it claims no further slots. */
static void set_paced(struct engine *engine, struct target *target, bool is_paced)
{
    if (target->is_paced == is_paced)
        return;
    struct share_party before = party_of(engine, target);
    target->is_paced = is_paced;
    engine->targets.has_freed_share = engine->targets.has_freed_share || is_paced;
    if (!engine->targets.is_share_old && is_busy(target))
        share_change_party(&engine->targets.share, before, party_of(engine, target));
}

bool target_has_pace(struct engine *engine, struct target *target, int64_t *ret_again_ms)
{
    bool may = pacing_allows(engine, target, line_next(target), ret_again_ms);
    set_paced(engine, target, !may);
    return may;
}

void target_begin_call(struct engine *engine, struct job *job)
{
    struct target *target = job->target;
    bool was_marked = job->step == JOB_MARKED;
    CHECK(was_marked ? target->marked > 0 : target->waiting > 0);
    if (!was_marked) {
        pacing_admit(engine, job);
        line_take(engine, target, job);
    }
    set_counts(engine, target, target->waiting - !was_marked, target->marked - was_marked,
               target->calling + 1);
    target->begun_ms = engine->now_ms;
    refusal_call_begins(engine, target);
}

void targets_count_again(struct engine *engine)
{
    engine->targets.is_share_old = true;
}

/* One more job may be marked ahead. */
static void note_ended(struct engine *engine, struct target *target)
{
    if (!engine->config.write_ahead)
        return;
    if (target->ended_in != engine->calls.cuts)
        target->ended = 0;
    target->ended_in = engine->calls.cuts;
    target->ended++;
    engine->targets.is_share_old = engine->targets.is_share_old || target->marked > 0;
}

void target_end_call(struct engine *engine, struct job *job, const struct verdict *verdict)
{
    struct target *target = job->target;
    pacing_end_call(engine, job, verdict);
    outlook_note(engine, target, verdict);
    if (verdict->is_billable)
        line_bill(job);
    note_ended(engine, target);
    set_counts(engine, target, target->waiting, target->marked, target->calling - 1);
    if (pacing_rests(engine, target))
        set_paced(engine, target, true);
}

/* ---- turns ---- */

struct target *targets_next(const struct engine *engine, const struct target *target)
{
    const struct link *link = target == NULL ? &engine->targets.all : &target->link;
    return link->next == &engine->targets.all ? NULL : LINK_OWNER(link->next, struct target, link);
}

struct target *targets_next_ready(const struct engine *engine, const struct target *target)
{
    const struct link *link = target == NULL ? &engine->targets.ready : &target->link_ready;
    return link->next == &engine->targets.ready ? NULL
                                                : LINK_OWNER(link->next, struct target, link_ready);
}

struct job *target_take_turn(struct engine *engine, struct target *target)
{
    link_out(&target->link_ready);
    list_add_last(&engine->targets.ready, &target->link_ready);
    return line_next(target);
}

void targets_free(struct engine *engine)
{
    for (struct target *target; (target = targets_next(engine, NULL)) != NULL;)
        target_free(engine, target);
}
