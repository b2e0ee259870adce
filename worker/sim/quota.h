/* Quotas like Bedrock's (User Guide, "How tokens are counted"): two token buckets per model, one of
 * requests and one of tokens. The start of a call takes its input and max_tokens from the bucket;
 * its end returns what it did not use. A rejected call takes nothing. */
#ifndef SIM_QUOTA_H
#define SIM_QUOTA_H

#include "base/attr.h"
#include "sim/settings.h"

#define QUOTA_BUCKETS_MAX        256  /* models; further ones share the last bucket */
#define QUOTA_MAX_TOKENS_DEFAULT 4096 /* taken when a request has no maxTokens */

/* Both buckets of a model. */
struct quota_bucket {
    uint64_t model_hash;
    const struct sim_quota *quota;
    double requests, tokens; /* left at filled_ms */
    int64_t filled_ms;
};

struct quotas {
    const struct sim_config *config;
    struct quota_bucket buckets[QUOTA_BUCKETS_MAX];
    size_t count;
};

/* Makes full buckets; `config` is borrowed. */
void quotas_init(struct quotas *quotas, const struct sim_config *config);
/* Takes a request and `tokens` from the model's buckets. True: *ret_bucket is for quota_give_back;
 * NULL = the model has no quota. False: the call must be throttled. */
MUST_CHECK bool quota_take(struct quotas *quotas, struct slice model, int64_t tokens,
                           int64_t now_ms, struct quota_bucket **ret_bucket);
/* Returns unused tokens; a negative number when the call used more than it took. */
void quota_give_back(struct quota_bucket *bucket, int64_t tokens);

#endif
