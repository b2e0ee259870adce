/* Quotas as Bedrock keeps them: a token bucket of requests and one of tokens for each model. At the
 * start of a call its input and its max_tokens are reserved; at its end what it did not use is
 * given back. A refused call takes nothing. */
#ifndef SIM_QUOTA_H
#define SIM_QUOTA_H

#include "base/attr.h"
#include "sim/settings.h"

#define QUOTA_BUCKETS_MAX        256  /* models; more of them share the last one */
#define QUOTA_MAX_TOKENS_DEFAULT 4096 /* reserved when a request leaves maxTokens out */

struct quota_bucket {
    uint64_t model_hash;
    const struct sim_quota *quota;
    double requests, tokens; /* in the bucket now */
    int64_t filled_ms;       /* when that was so */
};

struct quotas {
    const struct sim_config *config;
    struct quota_bucket buckets[QUOTA_BUCKETS_MAX];
    size_t count;
};

void quotas_init(struct quotas *quotas, const struct sim_config *config);
/* true: taken, and *ret_bucket (NULL = no quota) is to be given back to; false: throttle it. */
MUST_CHECK bool quota_take(struct quotas *quotas, struct slice model, int64_t tokens,
                           int64_t now_ms, struct quota_bucket **ret_bucket);
/* What was reserved and not used; less than zero when more was used. */
void quota_give_back(struct quota_bucket *bucket, int64_t tokens);

#endif
