/* Quotas like Bedrock's (User Guide, "How tokens are counted"): of requests and of tokens a minute
 * and of tokens a day, per model. The start of a call takes its input and max_tokens; its end
 * returns what it did not use, where an output token counts for `burndown` and tokens read from a
 * cache for nothing. A call may use more than it took: then less than nothing is left. A rejected
 * call takes nothing. What Bedrock does not publish is a setting: how much a bucket holds (burst),
 * whether it fills all the time or is new with each window (windows; what open calls took is then
 * lacking in the next one), how quotas change (quota_steps), and who else uses them
 * (competitors). */
#ifndef SIM_QUOTA_H
#define SIM_QUOTA_H

#include "base/attr.h"
#include "sim/settings.h"

#define QUOTA_BUCKETS_MAX        256  /* models; further ones share the last bucket */
#define QUOTA_MAX_TOKENS_DEFAULT 4096 /* taken when a request has no maxTokens */

/* All quotas of a model. */
struct quota_bucket {
    uint64_t model_hash;
    const struct sim_quota *quota;
    double requests, tokens, day; /* left at filled_ms */
    double reserved;              /* tokens, of open calls */
    int64_t filled_ms;
    int64_t window_ms, day_ms; /* when the present window and the present day began */
};

struct quotas {
    const struct sim_config *config;
    struct quota_bucket buckets[QUOTA_BUCKETS_MAX];
    size_t count;
    int64_t began_ms; /* of the first call; 0 = there was none */
};

/* Tokens of a call that has ended. */
struct quota_usage {
    int64_t input, cache_read, output; /* the input with all that the cache gave and took */
};

/* Makes full buckets; `config` is borrowed. */
void quotas_init(struct quotas *quotas, const struct sim_config *config);
/* Takes a request and `tokens` from the model's quotas. True: *ret_bucket is for quota_end;
 * NULL = the model has no quota. False: the call must be throttled. */
MUST_CHECK bool quota_take(struct quotas *quotas, struct slice model, int64_t tokens,
                           int64_t now_ms, struct quota_bucket **ret_bucket);
/* Replaces the tokens that quota_take took by those that the call used. */
void quota_end(struct quota_bucket *bucket, int64_t taken, const struct quota_usage *usage);

#endif
