#include "policy/quota_row.h"

#include "base/glob.h"

static bool fits(const struct quota_row *row, struct slice model, struct slice region)
{
    return (row->region.len == 0 || slice_equal(row->region, region)) &&
           glob_match(row->model, model, true);
}

const struct quota_row *quota_row_find(const struct quota_rows *rows, struct slice model,
                                       struct slice region)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (fits(&rows->list[i], model, region))
            return &rows->list[i];
    }
    return NULL;
}

bool quota_row_hides(const struct quota_row *row, const struct quota_row *later)
{
    return (row->region.len == 0 || slice_equal(row->region, later->region)) &&
           glob_covers(row->model, later->model, true);
}

struct quota_rules quota_row_rules(const struct quota_row *row, double burndown,
                                   double start_per_second)
{
    struct quota_rules rules = {.burndown = burndown,
                                .burst_s = (double)QUOTA_BURST_MS / 1000,
                                .start_per_second = start_per_second};
    if (row == NULL)
        return rules;
    rules.requests_per_minute = (double)row->requests_per_minute * row->share;
    rules.tokens_per_minute = (double)row->tokens_per_minute * row->share;
    rules.burst_s = (double)row->burst_ms / 1000;
    if (row->burndown > 0)
        rules.burndown = (double)row->burndown;
    return rules;
}
