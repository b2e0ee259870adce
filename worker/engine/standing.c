#include "engine/standing.h"

#include "engine/call.h"
#include "engine/dispatch.h"
#include "engine/history.h"
#include "engine/shelf.h"
#include "engine/slots.h"
#include "engine/target.h"

bool standing_is_waiting(enum wait wait)
{
    return wait != WAIT_NOTHING && wait != WAIT_ANSWER && wait != WAIT_COMMIT;
}

static void count(struct engine *engine, const struct job *job, struct standing *standing)
{
    enum wait wait = wait_of(engine, job);
    int64_t age_ms = engine->now_ms - job->received_ms;
    int64_t step_ms = engine->now_ms - job->step_ms;
    standing->held++;
    standing->counts[wait]++;
    if (age_ms > standing->oldest_ms)
        standing->oldest_ms = age_ms;
    if (step_ms > standing->oldest_of_ms[wait])
        standing->oldest_of_ms[wait] = step_ms;
}

static void count_all(struct engine *engine, const struct partition *partition,
                      struct standing *standing)
{
    for (struct link *link = partition->jobs.next; link != &partition->jobs; link = link->next)
        count(engine, LINK_OWNER(link, struct job, link_partition), standing);
}

static void find_most(const struct engine *engine, struct standing *standing)
{
    for (enum wait wait = 0; wait < WAIT_COUNT; wait++)
        if (standing_is_waiting(wait) && standing->counts[wait] > standing->counts[standing->most])
            standing->most = wait;
    if (wait_whose(standing->most) != WAIT_OF_TARGET)
        return;
    for (const struct target *target = NULL; (target = targets_next(engine, target)) != NULL;)
        if (standing->target == NULL || target->holders > standing->target->holders)
            standing->target = target;
}

void standing_read(struct engine *engine, struct standing *ret_standing)
{
    uint32_t cursor = 0;
    *ret_standing = (struct standing){.most = WAIT_NOTHING};
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        count_all(engine, partition, ret_standing);
    for (struct partition *place = NULL; (place = shelf_next(engine, place)) != NULL;)
        count_all(engine, place, ret_standing);
    ret_standing->counts[WAIT_NOTHING] = 0; /* a job in its first step, within one event */
    find_most(engine, ret_standing);
}

void standing_add_headline(const struct engine *engine, const struct standing *standing,
                           struct buf *ret_text)
{
    uint32_t partitions = slots_used(engine);
    uint32_t rate = history_rate(engine);
    buf_addf(ret_text, "This worker: %u partition%s, %u of %u calls open, %u.%u answers a second; ",
             partitions, partitions == 1 ? "" : "s", calls_open(engine),
             engine->config.max_in_flight, rate / 10, rate % 10);
    if (engine->is_stopping)
        buf_addf(ret_text, "it stops, with %u requests held.", standing->held);
    else if (standing->most == WAIT_NOTHING)
        buf_add_text(ret_text, "no request waits.");
    else
        buf_addf(ret_text, "%u request%s wait%s for %s", standing->counts[standing->most],
                 standing->counts[standing->most] == 1 ? "" : "s",
                 standing->counts[standing->most] == 1 ? "s" : "", wait_text(standing->most));
    if (engine->is_stopping || standing->most == WAIT_NOTHING)
        return;
    if (standing->target != NULL)
        buf_addf(ret_text, " (%.*s)", SLICE_ARG(standing->target->model));
    buf_add_byte(ret_text, '.');
}
