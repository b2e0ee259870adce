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
