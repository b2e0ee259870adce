#include "sim/quota.h"

#include "base/glob.h"

#define MINUTE_MS 60000.0

void quotas_init(struct quotas *quotas, const struct sim_config *config)
{
    quotas->config = config;
    quotas->count = 0;
}

static const struct sim_quota *quota_of(const struct sim_config *config, struct slice model)
{
    for (size_t i = 0; i < config->quota_count; i++) {
        struct slice glob = config->quotas[i].model;
        if (glob.len == 0 || glob_match(glob, model, false))
            return &config->quotas[i];
    }
    return NULL;
}

static double full(int64_t a_minute, const struct sim_quota *quota)
{
    double size = (double)a_minute * (double)quota->burst_ms / MINUTE_MS;
    return size < 1 ? 1 : size; /* so that a request can pass */
}

static struct quota_bucket *bucket_of(struct quotas *quotas, const struct sim_quota *quota,
                                      struct slice model, int64_t now_ms)
{
    uint64_t hash = slice_hash(model, 0);
    for (size_t i = 0; i < quotas->count; i++)
        if (quotas->buckets[i].model_hash == hash)
            return &quotas->buckets[i];
    if (quotas->count == QUOTA_BUCKETS_MAX)
        return &quotas->buckets[QUOTA_BUCKETS_MAX - 1];
    struct quota_bucket *bucket = &quotas->buckets[quotas->count++];
    *bucket = (struct quota_bucket){hash, quota, full(quota->requests, quota),
                                    full(quota->tokens, quota), now_ms};
    return bucket;
}

static double filled(double level, int64_t a_minute, int64_t passed_ms,
                     const struct sim_quota *quota)
{
    double more = level + (double)a_minute * (double)passed_ms / MINUTE_MS;
    double most = full(a_minute, quota);
    return more < most ? more : most;
}

bool quota_take(struct quotas *quotas, struct slice model, int64_t tokens, int64_t now_ms,
                struct quota_bucket **ret_bucket)
{
    *ret_bucket = NULL;
    const struct sim_quota *quota = quota_of(quotas->config, model);
    if (quota == NULL)
        return true;
    struct quota_bucket *bucket = bucket_of(quotas, quota, model, now_ms);
    int64_t passed_ms = now_ms - bucket->filled_ms;
    bucket->filled_ms = now_ms;
    bucket->requests = filled(bucket->requests, quota->requests, passed_ms, quota);
    bucket->tokens = filled(bucket->tokens, quota->tokens, passed_ms, quota);
    bool enough = (quota->requests == 0 || bucket->requests >= 1) &&
                  (quota->tokens == 0 || bucket->tokens >= (double)tokens);
    if (!enough)
        return false;
    bucket->requests -= 1;
    bucket->tokens -= (double)tokens;
    *ret_bucket = bucket;
    return true;
}

void quota_give_back(struct quota_bucket *bucket, int64_t tokens)
{
    bucket->tokens += (double)tokens;
}
