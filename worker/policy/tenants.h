/* What the settings say of tenants: rows of names or globs, of which the first that matches counts;
 * a tenant that no row matches has the default's, and so has the one that is called default. Pure;
 * borrows its rows. */
#ifndef POLICY_TENANTS_H
#define POLICY_TENANTS_H

#include "base/slice.h"

#define TENANT_ROWS_MAX       1000
#define TENANT_WEIGHT_DEFAULT 1
#define TENANT_WEIGHT_MAX     1000

struct tenant_row {
    struct slice name; /* a glob */
    uint32_t weight; /* 1 to TENANT_WEIGHT_MAX; 0 = that of the others, or TENANT_WEIGHT_DEFAULT */
};

/* A zeroed table has no rows. */
struct tenant_table {
    const struct tenant_row *rows;
    size_t count;
    struct tenant_row others; /* of tenants without a row; its name counts for nothing */
};

/* The tenant's row. Takes a step for each row before it. */
const struct tenant_row *tenant_find(const struct tenant_table *table, struct slice tenant);
/* The weight of its requests among those of other tenants. */
uint32_t tenant_weight(const struct tenant_table *table, struct slice tenant);

#endif
