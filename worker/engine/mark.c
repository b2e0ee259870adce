#include "engine/mark.h"

#include "base/check.h"
#include "engine/call.h"
#include "engine/job_pool.h"
#include "engine/pacing.h"
#include "engine/target.h"

void marks_init(struct engine *engine)
{
    link_init(&engine->marks.untold);
    link_init(&engine->marks.ready);
}

void mark_set(struct engine *engine, struct job *job)
{
    struct ledger *ledger = &job->partition->ledger;
    job_go(engine, job, JOB_MARKED);
    pacing_admit(engine, job);
    ledger_mark(ledger, job->offset);
    calls_mark(engine, 1);
    target_mark(engine, job->target, 1);
    list_add_last(ledger_may_begin(ledger, job->offset) ? &engine->marks.ready
                                                        : &engine->marks.untold,
                  &job->link);
}

void mark_use(struct engine *engine, struct job *job)
{
    CHECK(job->step == JOB_MARKED);
    link_out(&job->link);
    calls_mark(engine, -1);
}

void mark_leave(struct engine *engine, struct job *job)
{
    mark_use(engine, job);
    pacing_give_up(engine, job);
    target_mark(engine, job->target, -1);
    ledger_unmark(&job->partition->ledger, job->offset);
}

void marks_told(struct engine *engine, struct partition *partition, uint64_t batch)
{
    ledger_told(&partition->ledger, (uint32_t)batch);
    engine->marks.has_news = true;
}

void marks_cut(struct engine *engine)
{
    if (!engine->config.write_ahead)
        return;
    calls_cut(engine);
    targets_count_again(engine);
}

/* Moves jobs whose mark is committed by now to the ready ones, in their order. */
static void take_news(struct engine *engine)
{
    struct marked_jobs *marks = &engine->marks;
    if (!marks->has_news)
        return;
    marks->has_news = false;
    for (struct link *link = marks->untold.next, *next; link != &marks->untold; link = next) {
        struct job *job = LINK_OWNER(link, struct job, link);
        next = link->next;
        if (!ledger_may_begin(&job->partition->ledger, job->offset))
            continue;
        link_out(link);
        list_add_last(&marks->ready, link);
    }
}

bool marks_are_ready(struct engine *engine)
{
    take_news(engine);
    return calls_free(engine) > 0 && !link_alone(&engine->marks.ready);
}

struct job *marks_next_ready(struct engine *engine)
{
    while (marks_are_ready(engine)) {
        struct link *link = engine->marks.ready.next; /* there is one */
        struct job *job = LINK_OWNER(link, struct job, link);
        if (ledger_may_begin(&job->partition->ledger, job->offset))
            return job;
        link_out(link); /* a cut took the mark back */
        list_add_last(&engine->marks.untold, link);
    }
    return NULL;
}
