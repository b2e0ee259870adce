#include "engine/budget_records.h"

#include <string.h>

#include "base/check.h"
#include "engine/budget_sums.h"
#include "engine/log.h"
#include "engine/spenders.h"

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
    int64_t amount = spender_amount(&spender->rules, counts, cost);
    amount = amount < 0 ? 0 : amount;
    budget_change(&spender->budget, job->spends, amount, job->spends_since_ms);
    job->spender = NULL;
    spender_check_soon(budgets, spender);
    struct entry_id id;
    CHECK(entry_id_read(uuid_slice(call), &id));
    if (link_alone(&budgets->free_pending)) { /* so many were not read yet: counts it twice later */
        budget_change(&spender->budget, amount, 0, job->spends_since_ms);
        budget_add(&spender->budget, &spender->rules, engine->wall_ms, amount);
        spender->users--;
        return;
    }
    struct pending *pending = LINK_OWNER(budgets->free_pending.next, struct pending, link);
    link_out(&pending->link);
    pending->id = id;
    pending->spender = spender;
    pending->amount = amount;
    pending->since_ms = job->spends_since_ms;
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
        budget_seen(&pending->spender->budget, pending->amount, pending->since_ms);
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
        spender_count_entry(lost->spender, lost->partition, lost->at_ms, -lost->amount);
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

static void take_entry(struct engine *engine, int32_t partition, const struct entry *entry,
                       const struct budget_rules *rules)
{
    struct budgets *budgets = engine->budgets;
    struct spender *spender = spender_find_or_make(engine, entry->tenant, rules);
    int64_t amount = entry_amount(rules, entry);
    spender_count_entry(spender, partition, entry->started_ms, amount);
    budget_note_call(&spender->budget, amount);
    if (entry->is_lost)
        spender_keep_lost(budgets, &(struct lost_record){entry->id, spender, entry->started_ms,
                                                         amount, partition});
    if (entry->has_replaces)
        take_back(budgets, &entry->replaces);
    spender_log_soft(engine, spender);
    spender_check_soon(budgets, spender);
}

void engine_usage_read(struct engine *engine, int32_t partition, int64_t offset, struct slice value)
{
    struct budgets *budgets = engine->budgets;
    struct entry entry;
    const char *why;
    if (budgets == NULL)
        return;
    budgets->records++;
    budget_sums_note(engine, partition, offset);
    arena_reset(&budgets->arena);
    if (value.len == 0 || entry_read(&budgets->arena, value, &entry, &why) != ENTRY_READ)
        return;
    const struct budget_rules *rules =
        spender_rules(&engine->terms.all[engine->terms.now].tenants, entry.tenant);
    if (rules != NULL)
        take_entry(engine, partition, &entry, rules);
    end_pending(budgets, &entry.id);
}

void engine_usage_caught_up(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL)
        return;
    budgets->is_caught_up = true;
    budgets->check_ms = engine->now_ms;
    budget_sums_begin(engine);
    ENGINE_LOG(engine, LOG_BUDGETS_READ, FIELD_INT("tenants", (int64_t)budgets->spender_count),
               FIELD_INT("records", budgets->records), FIELD_INT("sums", budgets->sums));
}
