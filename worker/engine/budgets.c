#include "engine/budgets.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/log.h"
#include "engine/pricing.h"
#include "engine/spending.h"
#include "wire/outputs/entry.h"

#define BUCKETS     4096 /* a power of two */
#define PENDING_MAX 65536
#define LOST_MAX    4096 /* records of lost calls that may be replaced yet */
#define SWEEP_MIN   1000
#define ARENA_BYTES ((size_t)4 * 1024 * 1024)
#define CHECK_EVERY 1000 /* ms between two looks at all that wait */

/* A tenant with a budget. */
struct spender {
    struct link link_hash;
    struct link link_held;  /* in budgets.held, while requests wait */
    struct link link_check; /* in budgets.check, while some of them may go on */
    struct link held;       /* jobs by link */
    uint32_t users;         /* reservations and pending records */
    struct budget budget;
    struct budget_rules rules; /* as the last request or record found them */
    uint64_t hash;
    int64_t soft_start_ms, spent_start_ms; /* of the spans for which that was logged; -1 = none */
    size_t name_len;
    char name[];
};

/* A call whose record was made and has not been read. */
struct pending {
    struct link link;   /* in the bucket of its id, or free */
    struct entry_id id; /* of the record */
    struct spender *spender;
    int64_t amount;
};

/* A record that another one may replace. */
struct lost_record {
    struct entry_id id;
    struct spender *spender;
    int64_t at_ms, amount;
};

struct budgets {
    struct link spenders[BUCKETS], pending[BUCKETS];
    struct link held, check, free_pending;
    struct pending *pool;
    struct lost_record *lost; /* a ring */
    size_t lost_next, spender_count, sweep_at;
    bool is_caught_up;
    int64_t check_ms;
    struct arena arena; /* of one record */
};

/* ---- the settings ---- */

static const struct budget_rules *rules_of(const struct tenant_table *table, struct slice tenant)
{
    const struct tenant_row *row = tenant_find(table, tenant);
    if (row->is_unlimited)
        return NULL;
    const struct budget_rules *rules =
        row->budget.per == BUDGET_NONE ? &table->others.budget : &row->budget;
    return rules->per == BUDGET_NONE ? NULL : rules;
}

int64_t budgets_since_ms(const struct engine_config *config, int64_t wall_ms)
{
    enum budget_per longest = tenant_longest_span(&config->tenants);
    return longest == BUDGET_NONE ? -1 : budget_start_ms(longest, wall_ms);
}

/* ---- tenants ---- */

static struct spender *find(const struct budgets *budgets, struct slice tenant, uint64_t hash)
{
    const struct link *bucket = &budgets->spenders[hash & (BUCKETS - 1)];
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct spender *spender = LINK_OWNER(link, struct spender, link_hash);
        if (spender->hash == hash &&
            slice_equal(slice_of(spender->name, spender->name_len), tenant))
            return spender;
    }
    return NULL;
}

static void spender_free(struct budgets *budgets, struct spender *spender)
{
    link_out(&spender->link_hash);
    link_out(&spender->link_held);
    link_out(&spender->link_check);
    budgets->spender_count--;
    memory_free(spender);
}

static bool is_forgettable(const struct engine *engine, const struct spender *spender)
{
    return link_alone(&spender->held) && spender->users == 0 &&
           budget_is_idle(&spender->budget, &spender->rules, engine->wall_ms);
}

/* Forgets the idle ones, each time their number has doubled. */
static void sweep(struct engine *engine, struct budgets *budgets)
{
    if (budgets->spender_count < budgets->sweep_at)
        return;
    for (size_t i = 0; i < LOST_MAX; i++) /* they name tenants */
        budgets->lost[i] = (struct lost_record){.spender = NULL};
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct link *link = budgets->spenders[i].next; link != &budgets->spenders[i];) {
            struct spender *spender = LINK_OWNER(link, struct spender, link_hash);
            link = link->next;
            if (is_forgettable(engine, spender))
                spender_free(budgets, spender);
        }
    budgets->sweep_at = 2 * budgets->spender_count + SWEEP_MIN;
}

static struct spender *find_or_make(struct engine *engine, struct slice tenant,
                                    const struct budget_rules *rules)
{
    struct budgets *budgets = engine->budgets;
    uint64_t hash = slice_hash(tenant, engine->hash_seed);
    struct spender *spender = find(budgets, tenant, hash);
    if (spender == NULL) {
        sweep(engine, budgets);
        spender = memory_new(sizeof *spender + tenant.len + 1);
        CHECK(spender != NULL);
        link_init(&spender->link_held);
        link_init(&spender->link_check);
        link_init(&spender->held);
        link_init(&spender->link_hash);
        list_add_last(&budgets->spenders[hash & (BUCKETS - 1)], &spender->link_hash);
        spender->hash = hash;
        spender->soft_start_ms = spender->spent_start_ms = -1;
        spender->name_len = tenant.len;
        memcpy(spender->name, tenant.ptr, tenant.len);
        budgets->spender_count++;
    }
    if (spender->rules.per != rules->per || spender->rules.is_money != rules->is_money)
        memset(spender->budget.spans, 0, sizeof spender->budget.spans); /* another unit */
    spender->rules = *rules;
    return spender;
}

/* Its held requests may go on. */
static void check_soon(struct budgets *budgets, struct spender *spender)
{
    if (!link_alone(&spender->held) && link_alone(&spender->link_check))
        list_add_last(&budgets->check, &spender->link_check);
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
    budgets->sweep_at = SWEEP_MIN;
    arena_init(&budgets->arena, ARENA_BYTES);
    engine->budgets = budgets;
}

void budgets_free(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (!link_alone(&budgets->spenders[i]))
            spender_free(budgets, LINK_OWNER(budgets->spenders[i].next, struct spender, link_hash));
    arena_done(&budgets->arena);
    memory_free(budgets->lost);
    memory_free(budgets->pool);
    memory_free(budgets);
    engine->budgets = NULL;
}

/* ---- what is said of a budget ---- */

static void add_amount(struct buf *text, const struct budget_rules *rules, int64_t amount)
{
    if (rules->is_money)
        money_add_amount(text, amount);
    else
        buf_addf(text, "%lld tokens", (long long)amount);
}

static void log_state(struct engine *engine, const struct spender *spender, enum log_event event)
{
    struct buf spent OWNED_BY(buf_done), limit OWNED_BY(buf_done), opens OWNED_BY(buf_done);
    buf_init(&spent, 64);
    buf_init(&limit, 64);
    buf_init(&opens, 64);
    add_amount(&spent, &spender->rules,
               budget_spent_at(&spender->budget, &spender->rules, engine->wall_ms));
    add_amount(&limit, &spender->rules, spender->rules.limit);
    instant_add_rfc3339(&opens, budget_end_ms(spender->rules.per, engine->wall_ms));
    ENGINE_LOG(engine, event, FIELD_TEXT("tenant", slice_of(spender->name, spender->name_len)),
               FIELD_TEXT("spent", buf_slice(&spent)), FIELD_TEXT("limit", buf_slice(&limit)),
               FIELD_TEXT("opens_at", buf_slice(&opens)));
}

static bool is_over_soft(const struct engine *engine, const struct spender *spender)
{
    return spender->rules.soft > 0 && budget_spent_at(&spender->budget, &spender->rules,
                                                      engine->wall_ms) > spender->rules.soft;
}

/* Once in a span each. */
static void log_soft(struct engine *engine, struct spender *spender)
{
    int64_t start_ms = budget_start_ms(spender->rules.per, engine->wall_ms);
    if (!engine->budgets->is_caught_up || spender->soft_start_ms == start_ms ||
        !is_over_soft(engine, spender))
        return;
    spender->soft_start_ms = start_ms;
    log_state(engine, spender, LOG_BUDGET_SOFT);
}

static void log_spent(struct engine *engine, struct spender *spender)
{
    int64_t start_ms = budget_start_ms(spender->rules.per, engine->wall_ms);
    if (spender->spent_start_ms == start_ms)
        return;
    spender->spent_start_ms = start_ms;
    log_state(engine, spender, spender->rules.rejects ? LOG_BUDGET_REJECTS : LOG_BUDGET_HOLDS);
}

bool budgets_is_soft(const struct engine *engine, const struct job *job)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL)
        return false;
    struct slice tenant = job->request.tenant;
    const struct spender *spender = find(budgets, tenant, slice_hash(tenant, engine->hash_seed));
    return spender != NULL && is_over_soft(engine, spender);
}

/* ---- before a call ---- */

/* What the group has spent is known, and this worker's share of the rest. */
bool budgets_are_read(const struct engine *engine)
{
    return engine->budgets != NULL && engine->budgets->is_caught_up && engine->sharing.workers > 0;
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

static int64_t amount_of(const struct budget_rules *rules, const struct usage_counts *counts,
                         const struct output_cost *cost)
{
    if (rules->is_money)
        return cost != NULL && cost->cost.is_known &&
                       strcmp(cost->cost.currency, rules->currency) == 0
                   ? cost->cost.amount
                   : -1;
    return counts->input_tokens + counts->output_tokens;
}

/* -1: the call has no price. */
static int64_t expected_amount(struct engine *engine, const struct job *job,
                               const struct budget_rules *rules)
{
    struct usage_counts counts = expected_counts(job);
    struct output_cost cost;
    const struct attempt attempt = {.model = job->target->model, .region = job->target->region};
    if (!rules->is_money)
        return amount_of(rules, &counts, NULL);
    return amount_of(rules, &counts,
                     pricing_cost(engine, job, &attempt, &counts, engine->wall_ms, true, &cost));
}

/* The number of workers, as their partitions show. */
static uint32_t workers_of(const struct engine *engine)
{
    return engine->sharing.workers > 0 ? engine->sharing.workers : 1;
}

static bool reserve(struct engine *engine, struct spender *spender, struct job *job,
                    int64_t expected)
{
    if (!budget_allows(&spender->budget, &spender->rules, expected, engine->sharing.share,
                       workers_of(engine), engine->wall_ms))
        return false;
    budget_reserve(&spender->budget, expected);
    spender->users++;
    job->spender = spender;
    job->spends = expected;
    return true;
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
        budgets != NULL ? rules_of(&job->terms->tenants, job->request.tenant) : NULL;
    if (rules == NULL || job->request.count_tokens || job->spender != NULL)
        return BUDGET_OPEN;
    struct spender *spender = find_or_make(engine, job->request.tenant, rules);
    if (!budgets_are_read(engine))
        return BUDGET_HELD;
    int64_t expected = expected_amount(engine, job, rules);
    if (expected < 0)
        return reject_unpriced(job);
    if (link_alone(&spender->held) && reserve(engine, spender, job, expected))
        return BUDGET_OPEN;
    log_spent(engine, spender);
    return rules->rejects ? reject_spent(engine, spender, job) : BUDGET_HELD;
}

void budgets_give_up(struct engine *engine, struct job *job)
{
    if (job->spender == NULL)
        return;
    budget_change(&job->spender->budget, job->spends, 0);
    job->spender->users--;
    check_soon(engine->budgets, job->spender);
    job->spender = NULL;
}

/* ---- held requests ---- */

void budgets_hold(struct engine *engine, struct job *job)
{
    const struct budget_rules *rules = rules_of(&job->terms->tenants, job->request.tenant);
    CHECK(rules != NULL);
    struct spender *spender = find_or_make(engine, job->request.tenant, rules);
    list_add_last(&spender->held, &job->link);
    if (link_alone(&spender->link_held))
        list_add_last(&engine->budgets->held, &spender->link_held);
    job->held_since_ms = engine->now_ms;
}

void budgets_leave(struct engine *engine, struct job *job)
{
    struct slice tenant = job->request.tenant;
    struct spender *spender = find(engine->budgets, tenant, slice_hash(tenant, engine->hash_seed));
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
        check_soon(budgets, LINK_OWNER(link, struct spender, link_held));
}

static struct job *first_open(struct engine *engine, struct spender *spender)
{
    struct job *job = LINK_OWNER(spender->held.next, struct job, link);
    int64_t expected = expected_amount(engine, job, &spender->rules);
    /* Without a price any more it is rejected when it is its turn. */
    return expected < 0 || reserve(engine, spender, job, expected) ? job : NULL;
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
    const struct budget_rules *rules = rules_of(&job->terms->tenants, job->request.tenant);
    return rules == NULL ? engine->wall_ms : budget_end_ms(rules->per, engine->wall_ms);
}

/* ---- records ---- */

static struct link *pending_bucket(struct budgets *budgets, const struct entry_id *id)
{
    uint64_t number;
    memcpy(&number, id->bytes + 8, sizeof number); /* random bits of a UUIDv7 */
    return &budgets->pending[number & (BUCKETS - 1)];
}

void budgets_bill(struct engine *engine, struct job *job, const struct uuid *call,
                  const struct usage_counts *counts, const struct output_cost *cost)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL || job->spender == NULL)
        return;
    struct spender *spender = job->spender;
    int64_t amount = amount_of(&spender->rules, counts, cost);
    amount = amount < 0 ? 0 : amount;
    budget_change(&spender->budget, job->spends, amount);
    job->spender = NULL;
    check_soon(budgets, spender);
    struct entry_id id;
    CHECK(entry_id_read(uuid_slice(call), &id));
    if (link_alone(&budgets->free_pending)) { /* so many were not read yet: counts it twice later */
        budget_change(&spender->budget, amount, 0);
        budget_add(&spender->budget, &spender->rules, engine->wall_ms, amount);
        spender->users--;
        return;
    }
    struct pending *pending = LINK_OWNER(budgets->free_pending.next, struct pending, link);
    link_out(&pending->link);
    pending->id = id;
    pending->spender = spender;
    pending->amount = amount;
    list_add_last(pending_bucket(budgets, &id), &pending->link);
}

/* The record of one of this worker's calls has been read. */
static void end_pending(struct budgets *budgets, const struct entry_id *id)
{
    struct link *bucket = pending_bucket(budgets, id);
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct pending *pending = LINK_OWNER(link, struct pending, link);
        if (memcmp(&pending->id, id, sizeof *id) != 0)
            continue;
        budget_change(&pending->spender->budget, pending->amount, 0);
        pending->spender->users--;
        link_out(link);
        list_add_last(&budgets->free_pending, link);
        return;
    }
}

static void take_back(struct budgets *budgets, const struct entry_id *id)
{
    for (size_t i = 0; i < LOST_MAX; i++) {
        struct lost_record *lost = &budgets->lost[i];
        if (lost->spender == NULL || memcmp(&lost->id, id, sizeof *id) != 0)
            continue;
        budget_add(&lost->spender->budget, &lost->spender->rules, lost->at_ms, -lost->amount);
        lost->spender = NULL;
        return;
    }
}

static int64_t entry_amount(const struct budget_rules *rules, const struct entry *entry)
{
    if (rules->is_money)
        return entry->has_cost && slice_equal_text(entry->currency, rules->currency) ? entry->amount
                                                                                     : 0;
    return entry->counts[COUNT_INPUT] + entry->counts[COUNT_OUTPUT];
}

static void take_entry(struct engine *engine, const struct entry *entry,
                       const struct budget_rules *rules)
{
    struct budgets *budgets = engine->budgets;
    struct spender *spender = find_or_make(engine, entry->tenant, rules);
    int64_t amount = entry_amount(rules, entry);
    budget_add(&spender->budget, rules, entry->started_ms, amount);
    if (entry->is_lost) {
        budgets->lost[budgets->lost_next] =
            (struct lost_record){entry->id, spender, entry->started_ms, amount};
        budgets->lost_next = (budgets->lost_next + 1) % LOST_MAX;
    }
    if (entry->has_replaces)
        take_back(budgets, &entry->replaces);
    log_soft(engine, spender);
    check_soon(budgets, spender);
}

void engine_usage_read(struct engine *engine, struct slice value)
{
    struct budgets *budgets = engine->budgets;
    struct entry entry;
    const char *why;
    if (budgets == NULL)
        return;
    arena_reset(&budgets->arena);
    if (value.len == 0 || entry_read(&budgets->arena, value, &entry, &why) != ENTRY_READ)
        return;
    const struct budget_rules *rules =
        rules_of(&engine->terms.all[engine->terms.now].tenants, entry.tenant);
    if (rules == NULL)
        return;
    take_entry(engine, &entry, rules);
    end_pending(budgets, &entry.id);
}

void engine_usage_caught_up(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL)
        return;
    budgets->is_caught_up = true;
    budgets->check_ms = engine->now_ms;
    ENGINE_LOG(engine, LOG_BUDGETS_READ, FIELD_INT("tenants", (int64_t)budgets->spender_count));
}
