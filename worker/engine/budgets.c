#include "engine/budgets.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/pricing.h"
#include "engine/reservations.h"
#include "engine/spenders.h"
#include "engine/spending.h"

#define ARENA_BYTES ((size_t)16 * 1024 * 1024) /* of one record: sums of many tenants */
#define CHECK_EVERY 250                        /* ms between two looks at all that wait */

int64_t budgets_since_ms(const struct engine_config *config, int64_t wall_ms)
{
    enum budget_per longest = tenant_longest_span(&config->tenants);
    return longest == BUDGET_NONE ? -1 : budget_start_ms(longest, wall_ms);
}

/* ---- birth and end ---- */

void budgets_init(struct engine *engine)
{
    if (budgets_since_ms(&engine->config, engine->wall_ms) < 0)
        return;
    struct budgets *budgets = memory_new(sizeof *budgets);
    CHECK(budgets != NULL);
    budgets->pool = memory_new(PENDING_MAX * sizeof *budgets->pool);
    budgets->lost = memory_new(LOST_MAX * sizeof *budgets->lost);
    CHECK(budgets->pool != NULL && budgets->lost != NULL);
    for (size_t i = 0; i < BUCKETS; i++) {
        link_init(&budgets->spenders[i]);
        link_init(&budgets->pending[i]);
    }
    link_init(&budgets->held);
    link_init(&budgets->check);
    link_init(&budgets->free_pending);
    for (size_t i = 0; i < PENDING_MAX; i++) {
        link_init(&budgets->pool[i].link);
        list_add_last(&budgets->free_pending, &budgets->pool[i].link);
    }
    budgets->rules = tenant_budgets_hash(&engine->config.tenants);
    budgets->telling.behind_ms = -1;
    reservations_init(engine, budgets);
    arena_init(&budgets->arena, ARENA_BYTES);
    engine->budgets = budgets;
}

void budgets_free(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL)
        return;
    reservations_free(budgets);
    for (size_t i = 0; i < BUCKETS; i++)
        while (!link_alone(&budgets->spenders[i]))
            spender_free(budgets, LINK_OWNER(budgets->spenders[i].next, struct spender, link_hash));
    arena_done(&budgets->arena);
    memory_free(budgets->logs);
    memory_free(budgets->lost);
    memory_free(budgets->pool);
    memory_free(budgets);
    engine->budgets = NULL;
}

bool budgets_is_soft(const struct engine *engine, const struct job *job)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL)
        return false;
    struct slice tenant = job->request.tenant;
    const struct spender *spender =
        spender_find(budgets, tenant, slice_hash(tenant, engine->hash_seed));
    return spender != NULL && spender_is_over_soft(engine, spender);
}

/* ---- before a call ---- */

/* What the group has spent is known, and this worker's share of the rest. */
bool budgets_are_read(const struct engine *engine)
{
    return engine->budgets != NULL && engine->budgets->is_caught_up &&
           engine->sharing.workers > 0 && reservations_are_shared(engine);
}

/* Tokens that a call may count: the input, and as much output as the model usually gives. */
static struct usage_counts expected_counts(const struct job *job)
{
    const struct quota *quota = &job->target->quota;
    struct quota_cost cost = spending_cost(job->target, job);
    double usual = quota->extra > 0 ? quota->extra / quota->rules.burndown : cost.max_output;
    double output = usual < cost.max_output ? usual : cost.max_output;
    return (struct usage_counts){.input_tokens = (int64_t)cost.input + 1,
                                 .output_tokens = (int64_t)output + 1};
}

/* -1: the call has no price. */
static int64_t expected_amount(struct engine *engine, const struct job *job,
                               const struct budget_rules *rules)
{
    struct usage_counts counts = expected_counts(job);
    struct output_cost cost;
    const struct attempt attempt = {.model = job->target->model, .region = job->target->region};
    if (!rules->is_money)
        return spender_amount(rules, &counts, NULL);
    return spender_amount(
        rules, &counts, pricing_cost(engine, job, &attempt, &counts, engine->wall_ms, true, &cost));
}

/* Workers that have joined since the last look at the group show by what they tell. */
static struct budget_group group_of(const struct engine *engine)
{
    uint32_t workers = engine->sharing.workers > 0 ? engine->sharing.workers : 1;
    uint32_t heard = engine->budgets->peer_count + 1;
    double share = engine->sharing.share;
    if (heard > workers) {
        share = share < 1.0 / heard ? share : 1.0 / heard;
        workers = heard;
    }
    return (struct budget_group){
        .share = share, .workers = workers, .known_ms = engine->budgets->known_ms};
}

static bool reserve(struct engine *engine, struct spender *spender, struct job *job,
                    int64_t expected)
{
    struct budget_group group = group_of(engine);
    if (!budget_allows(&spender->budget, &spender->rules, expected, &group, engine->wall_ms))
        return false;
    /* Nothing is reserved in the millisecond in which the others were told. */
    bool was_told = engine->now_ms <= engine->budgets->telling.behind_ms;
    job->spends_since_ms = was_told ? engine->budgets->telling.behind_ms + 1 : engine->now_ms;
    budget_reserve(&spender->budget, expected, job->spends_since_ms);
    spender->users++;
    job->spender = spender;
    job->spends = expected;
    return true;
}

/* Whether a call that may not be reserved has to wait for more than the news of other workers;
 * logs it then. */
static bool is_over(struct engine *engine, struct spender *spender, int64_t expected)
{
    struct budget_group group = group_of(engine);
    bool is_over =
        budget_is_over(&spender->budget, &spender->rules, expected, &group, engine->wall_ms);
    if (is_over)
        spender_log_spent(engine, spender);
    return is_over;
}

static enum budget_answer reject_unpriced(struct job *job)
{
    (void)why_set(&job->why, ERR_BUDGET_SPENT, NULL,
                  "the tenant has a budget in money, and the price file has no price for %.*s",
                  SLICE_ARG(job->target->model));
    return BUDGET_SPENT;
}

static enum budget_answer reject_spent(const struct engine *engine, const struct spender *spender,
                                       struct job *job)
{
    struct buf opens OWNED_BY(buf_done);
    buf_init(&opens, 64);
    instant_add_rfc3339(&opens, budget_end_ms(spender->rules.per, engine->wall_ms));
    (void)why_set(&job->why, ERR_BUDGET_SPENT, NULL, "the tenant's budget is spent until %s",
                  buf_text(&opens));
    return BUDGET_SPENT;
}

enum budget_answer budgets_admit(struct engine *engine, struct job *job)
{
    struct budgets *budgets = engine->budgets;
    const struct budget_rules *rules =
        budgets != NULL ? spender_rules(&job->terms->tenants, job->request.tenant) : NULL;
    if (rules == NULL || job->request.count_tokens || job->spender != NULL)
        return BUDGET_OPEN;
    struct spender *spender = spender_find_or_make(engine, job->request.tenant, rules);
    if (!budgets_are_read(engine))
        return BUDGET_HELD;
    int64_t expected = expected_amount(engine, job, rules);
    if (expected < 0)
        return reject_unpriced(job);
    if (link_alone(&spender->held) && reserve(engine, spender, job, expected))
        return BUDGET_OPEN;
    return is_over(engine, spender, expected) && rules->rejects ? reject_spent(engine, spender, job)
                                                                : BUDGET_HELD;
}

void budgets_give_up(struct engine *engine, struct job *job)
{
    if (job->spender == NULL)
        return;
    budget_change(&job->spender->budget, job->spends, 0, job->spends_since_ms);
    job->spender->users--;
    spender_check_soon(engine->budgets, job->spender);
    job->spender = NULL;
}

/* ---- held requests ---- */

void budgets_hold(struct engine *engine, struct job *job)
{
    const struct budget_rules *rules = spender_rules(&job->terms->tenants, job->request.tenant);
    CHECK(rules != NULL);
    struct spender *spender = spender_find_or_make(engine, job->request.tenant, rules);
    list_add_last(&spender->held, &job->link);
    if (link_alone(&spender->link_held))
        list_add_last(&engine->budgets->held, &spender->link_held);
    job->held_since_ms = engine->now_ms;
}

void budgets_leave(struct engine *engine, struct job *job)
{
    struct slice tenant = job->request.tenant;
    struct spender *spender =
        spender_find(engine->budgets, tenant, slice_hash(tenant, engine->hash_seed));
    CHECK(spender != NULL);
    link_out(&job->link);
    job->held_ms += engine->now_ms - job->held_since_ms;
    if (link_alone(&spender->held)) {
        link_out(&spender->link_held);
        link_out(&spender->link_check);
    }
}

static void check_all(struct engine *engine, struct budgets *budgets)
{
    if (engine->now_ms < budgets->check_ms)
        return;
    budgets->check_ms = engine->now_ms + CHECK_EVERY;
    for (struct link *link = budgets->held.next; link != &budgets->held; link = link->next)
        spender_check_soon(budgets, LINK_OWNER(link, struct spender, link_held));
}

static struct job *first_open(struct engine *engine, struct spender *spender)
{
    struct job *job = LINK_OWNER(spender->held.next, struct job, link);
    int64_t expected = expected_amount(engine, job, &spender->rules);
    /* Without a price any more it is rejected when it is its turn; likewise what has waited for the
     * usage to be read, where the budget rejects. */
    if (expected < 0 || reserve(engine, spender, job, expected))
        return job;
    return is_over(engine, spender, expected) && spender->rules.rejects ? job : NULL;
}

struct job *budgets_next_open(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (!budgets_are_read(engine))
        return NULL;
    check_all(engine, budgets);
    while (!link_alone(&budgets->check)) {
        struct spender *spender = LINK_OWNER(budgets->check.next, struct spender, link_check);
        struct job *job = first_open(engine, spender);
        if (job != NULL)
            return job;
        link_out(&spender->link_check);
    }
    return NULL;
}

int64_t budgets_open_wall_ms(const struct engine *engine, const struct job *job)
{
    const struct budget_rules *rules = spender_rules(&job->terms->tenants, job->request.tenant);
    return rules == NULL ? engine->wall_ms : budget_end_ms(rules->per, engine->wall_ms);
}
