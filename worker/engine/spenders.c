#include "engine/spenders.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "engine/log.h"

#define SWEEP_MIN 1000

const struct budget_rules *spender_rules(const struct tenant_table *table, struct slice tenant)
{
    const struct tenant_row *row = tenant_find(table, tenant);
    if (row->is_unlimited)
        return NULL;
    const struct budget_rules *rules =
        row->budget.per == BUDGET_NONE ? &table->others.budget : &row->budget;
    return rules->per == BUDGET_NONE ? NULL : rules;
}

int64_t spender_amount(const struct budget_rules *rules, const struct usage_counts *counts,
                       const struct output_cost *cost)
{
    if (rules->is_money)
        return cost != NULL && cost->cost.is_known &&
                       strcmp(cost->cost.currency, rules->currency) == 0
                   ? cost->cost.amount
                   : -1;
    return counts->input_tokens + counts->output_tokens;
}

struct sums_amount spender_said(const struct budget_rules *rules, int64_t amount)
{
    return (struct sums_amount){amount,
                                rules->is_money ? slice_of_text(rules->currency) : SLICE_NULL};
}

const struct budget_rules *spender_rules_for(const struct engine *engine, struct slice tenant,
                                             const struct sums_amount *amount)
{
    const struct budget_rules *rules =
        spender_rules(&engine->terms.all[engine->terms.now].tenants, tenant);
    bool is_money = amount->currency.ptr != NULL;
    if (rules == NULL || rules->is_money != is_money ||
        (is_money && !slice_equal_text(amount->currency, rules->currency)))
        return NULL;
    return rules;
}

/* ---- portions ---- */

static void forget_portions(struct spender *spender)
{
    while (spender->portions != NULL) {
        struct portion *portion = spender->portions;
        spender->portions = portion->next;
        memory_free(portion);
    }
}

struct portion *spender_portion(struct spender *spender, int32_t partition)
{
    struct portion *portion = spender->portions;
    while (portion != NULL && portion->partition != partition)
        portion = portion->next;
    return portion;
}

static struct portion *find_or_make_portion(struct spender *spender, int32_t partition)
{
    struct portion *portion = spender_portion(spender, partition);
    if (portion != NULL)
        return portion;
    portion = memory_new(sizeof *portion);
    CHECK(portion != NULL);
    portion->partition = partition;
    portion->next = spender->portions;
    spender->portions = portion;
    return portion;
}

void spender_count_entry(struct spender *spender, int32_t partition, int64_t at_ms, int64_t amount)
{
    budget_add(&spender->budget, &spender->rules, at_ms, amount);
    budget_add(&find_or_make_portion(spender, partition)->budget, &spender->rules, at_ms, amount);
}

/* ---- tenants ---- */

struct spender *spender_find(const struct budgets *budgets, struct slice tenant, uint64_t hash)
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

void spender_free(struct budgets *budgets, struct spender *spender)
{
    link_out(&spender->link_hash);
    link_out(&spender->link_held);
    link_out(&spender->link_check);
    forget_portions(spender);
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
    if (budgets->spender_count < budgets->sweep_at + SWEEP_MIN)
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
    budgets->sweep_at = 2 * budgets->spender_count;
}

/* It has another unit now. */
static void forget_spent(struct spender *spender)
{
    memset(spender->budget.spans, 0, sizeof spender->budget.spans);
    forget_portions(spender);
}

struct spender *spender_find_or_make(struct engine *engine, struct slice tenant,
                                     const struct budget_rules *rules)
{
    struct budgets *budgets = engine->budgets;
    uint64_t hash = slice_hash(tenant, engine->hash_seed);
    struct spender *spender = spender_find(budgets, tenant, hash);
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
        forget_spent(spender);
    spender->rules = *rules;
    return spender;
}

void spender_check_soon(struct budgets *budgets, struct spender *spender)
{
    if (!link_alone(&spender->held) && link_alone(&spender->link_check))
        list_add_last(&budgets->check, &spender->link_check);
}

void spender_keep_lost(struct budgets *budgets, const struct lost_record *lost)
{
    budgets->lost[budgets->lost_next] = *lost;
    budgets->lost_next = (budgets->lost_next + 1) % LOST_MAX;
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

bool spender_is_over_soft(const struct engine *engine, const struct spender *spender)
{
    return spender->rules.soft > 0 && budget_spent_at(&spender->budget, &spender->rules,
                                                      engine->wall_ms) > spender->rules.soft;
}

/* Once in a span each. */
void spender_log_soft(struct engine *engine, struct spender *spender)
{
    int64_t start_ms = budget_start_ms(spender->rules.per, engine->wall_ms);
    if (!engine->budgets->is_caught_up || spender->soft_start_ms == start_ms ||
        !spender_is_over_soft(engine, spender))
        return;
    spender->soft_start_ms = start_ms;
    log_state(engine, spender, LOG_BUDGET_SOFT);
}

void spender_log_spent(struct engine *engine, struct spender *spender)
{
    int64_t start_ms = budget_start_ms(spender->rules.per, engine->wall_ms);
    if (spender->spent_start_ms == start_ms)
        return;
    spender->spent_start_ms = start_ms;
    log_state(engine, spender, spender->rules.rejects ? LOG_BUDGET_REJECTS : LOG_BUDGET_HOLDS);
}
