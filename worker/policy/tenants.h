/* What the settings say of tenants: rows of names or globs, of which the first that matches counts;
 * a tenant that no row matches has the default's, and so has the one that is called default. Pure;
 * borrows its rows. */
#ifndef POLICY_TENANTS_H
#define POLICY_TENANTS_H

#include "base/slice.h"
#include "policy/budget.h"

#define TENANT_ROWS_MAX       1000
#define TENANT_WEIGHT_DEFAULT 1
#define TENANT_WEIGHT_MAX     1000

struct tenant_row {
    struct slice name; /* a glob */
    uint32_t weight; /* 1 to TENANT_WEIGHT_MAX; 0 = that of the others, or TENANT_WEIGHT_DEFAULT */
    struct budget_rules budget; /* of each tenant that has the row; none = that of the others */
    bool is_unlimited;          /* it has no budget, whatever the others have */
    const struct slice *topics; /* globs of request topics that may bill it; none = all */
    size_t topic_count;
};

/* A zeroed table has no rows. */
struct tenant_table {
    const struct tenant_row *rows;
    size_t count;
    struct tenant_row others; /* of tenants without a row; its name counts for nothing */
    bool is_closed;           /* tenants without a row are rejected */
};

/* The tenant's row. Takes a step for each row before it. */
const struct tenant_row *tenant_find(const struct tenant_table *table, struct slice tenant);
/* The weight of its requests among those of other tenants. */
uint32_t tenant_weight(const struct tenant_table *table, struct slice tenant);

/* The longest span of all budgets; BUDGET_NONE: there is none. */
enum budget_per tenant_longest_span(const struct tenant_table *table);
/* A number for what the rows say of who has a budget, in which unit and for which span: sums that
 * were made under another one mean something else. Limits do not change it. */
uint64_t tenant_budgets_hash(const struct tenant_table *table);
/* Whether requests of this topic may bill the tenant. */
bool tenant_may(const struct tenant_table *table, struct slice tenant, struct slice topic);
/* The tenant that the requests of a topic bill that name none: the first row without wildcards in
 * its name whose topics the topic fits. Null = none. */
struct slice tenant_of_topic(const struct tenant_table *table, struct slice topic);

#endif
