/* What the settings say of quotas: rows, each for the models whose id matches a glob, in one region
 * or in all. The first row that fits a target counts; a target without a row has an unknown quota,
 * which policy/quota.h measures. Pure; borrows the texts of the settings. */
#ifndef POLICY_QUOTA_ROW_H
#define POLICY_QUOTA_ROW_H

#include "base/slice.h"
#include "policy/quota.h"

#define QUOTA_BURST_MS     50000 /* where a row names none */
#define QUOTA_BURST_MS_MAX 3600000

struct quota_row {
    struct slice model;          /* glob on the id that is called; case is ignored */
    struct slice region;         /* null = all */
    int64_t requests_per_minute; /* of the account; 0 = none is known */
    int64_t tokens_per_minute;   /* likewise */
    int64_t tokens_per_day;      /* likewise */
    int64_t burndown;            /* 0 = that of the model's family */
    double share;                /* of the account's quota for this group; 0 < share <= 1 */
    int64_t burst_ms;            /* of the quota that may be saved up while idle */
};

struct quota_rows {
    const struct quota_row *list;
    size_t count;
};

/* The first row for this model in this region; NULL = there is none. */
const struct quota_row *quota_row_find(const struct quota_rows *rows, struct slice model,
                                       struct slice region);
/* Does `row` fit every target that `later` fits? */
bool quota_row_hides(const struct quota_row *row, const struct quota_row *later);
/* What the row (NULL = none) says for policy/quota.h. `burndown` is the family's, for rows that
 * name none; `start_per_second` is for quotas that are not known. */
struct quota_rules quota_row_rules(const struct quota_row *row, double burndown,
                                   double start_per_second);

#endif
