#include "policy/tenants.h"

#include "base/glob.h"

const struct tenant_row *tenant_find(const struct tenant_table *table, struct slice tenant)
{
    for (size_t i = 0; i < table->count && !slice_equal_text(tenant, "default"); i++)
        if (glob_match(table->rows[i].name, tenant, false))
            return &table->rows[i];
    return &table->others;
}

uint32_t tenant_weight(const struct tenant_table *table, struct slice tenant)
{
    uint32_t weight = tenant_find(table, tenant)->weight;
    if (weight == 0)
        weight = table->others.weight;
    return weight == 0 ? TENANT_WEIGHT_DEFAULT : weight;
}

enum budget_per tenant_longest_span(const struct tenant_table *table)
{
    enum budget_per longest = table->others.budget.per;
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].budget.per > longest)
            longest = table->rows[i].budget.per;
    return longest;
}

static uint64_t row_hash(const struct tenant_row *row, uint64_t seed)
{
    const struct budget_rules *rules = &row->budget;
    const char kind[] = {(char)('0' + rules->per), rules->is_money ? 'm' : 't',
                         row->is_unlimited ? 'u' : 'l'};
    seed = slice_hash(row->name, seed);
    seed = slice_hash(slice_of(kind, sizeof kind), seed);
    return slice_hash(slice_of_text(rules->currency), seed);
}

uint64_t tenant_budgets_hash(const struct tenant_table *table)
{
    uint64_t hash = row_hash(&table->others, table->count);
    for (size_t i = 0; i < table->count; i++)
        hash = row_hash(&table->rows[i], hash);
    return hash;
}

static bool has_topic(const struct tenant_row *row, struct slice topic)
{
    for (size_t i = 0; i < row->topic_count; i++)
        if (glob_match(row->topics[i], topic, false))
            return true;
    return false;
}

bool tenant_may(const struct tenant_table *table, struct slice tenant, struct slice topic)
{
    const struct tenant_row *row = tenant_find(table, tenant);
    if (row == &table->others && table->is_closed)
        return false;
    return row->topic_count == 0 || has_topic(row, topic);
}

struct slice tenant_of_topic(const struct tenant_table *table, struct slice topic)
{
    for (size_t i = 0; i < table->count; i++) {
        struct slice name = table->rows[i].name;
        bool is_name = slice_find(name, '*') == name.len && slice_find(name, '?') == name.len;
        if (is_name && has_topic(&table->rows[i], topic))
            return name;
    }
    return SLICE_NULL;
}
