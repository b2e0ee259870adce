#include "sim/quota.h"

#include "base/glob.h"

#define MINUTE_MS 60000.0
#define DAY_MS    (24 * 3600 * 1000LL)

void quotas_init(struct quotas *quotas, const struct sim_config *config)
{
    quotas->config = config;
    quotas->count = 0;
    quotas->began_ms = 0;
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

/* The last step that has come for this model; 1 = none has. */
static double factor_of(const struct quotas *quotas, struct slice model, int64_t now_ms)
{
    const struct sim_config *config = quotas->config;
    double factor = 1;
    int64_t latest_ms = -1;
    for (size_t i = 0; i < config->quota_step_count; i++) {
        const struct sim_quota_step *step = &config->quota_steps[i];
        bool is_its = step->model.len == 0 || glob_match(step->model, model, false);
        if (!is_its || step->at_ms > now_ms - quotas->began_ms || step->at_ms < latest_ms)
            continue;
        latest_ms = step->at_ms;
        factor = step->factor;
    }
    return factor;
}

/* What competitors take of the quota now. */
static double competing(const struct quotas *quotas, struct slice model, int64_t now_ms)
{
    const struct sim_config *config = quotas->config;
    int64_t at_ms = now_ms - quotas->began_ms;
    double share = 0;
    for (size_t i = 0; i < config->competitor_count; i++) {
        const struct sim_competitor *other = &config->competitors[i];
        bool is_its = other->model.len == 0 || glob_match(other->model, model, false);
        if (is_its && at_ms >= other->from_ms && at_ms < other->to_ms)
            share += other->share;
    }
    return share < 1 ? share : 1;
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
    *bucket = (struct quota_bucket){.model_hash = hash,
                                    .quota = quota,
                                    .requests = full(quota->requests, quota),
                                    .tokens = full(quota->tokens, quota),
                                    .day = (double)quota->tokens_per_day,
                                    .filled_ms = now_ms,
                                    .window_ms = now_ms,
                                    .day_ms = now_ms};
    return bucket;
}

/* How a quota stands for its model at a time. */
struct standing {
    double factor;    /* of its size */
    double competing; /* part that others take */
};

static double filled(double level, int64_t a_minute, int64_t passed_ms,
                     const struct standing *standing, const struct sim_quota *quota)
{
    double rate = (double)a_minute * standing->factor * (1 - standing->competing);
    double more = level + rate * (double)passed_ms / MINUTE_MS;
    double most = full(a_minute, quota) * standing->factor;
    most = most < 1 ? 1 : most;
    return more < most ? more : most;
}

/* What is left in a window when others have taken their part of the time that passed. */
static double shared(double level, int64_t a_minute, int64_t passed_ms,
                     const struct standing *standing)
{
    double taken =
        (double)a_minute * standing->factor * standing->competing * (double)passed_ms / MINUTE_MS;
    return level <= 0 ? level : level > taken ? level - taken : 0;
}

/* A debt of the window before is one of the next. */
static double renewed(double level, int64_t a_minute, double factor, const struct sim_quota *quota)
{
    return full(a_minute, quota) * factor + (level < 0 ? level : 0);
}

static void fill_window(struct quota_bucket *bucket, const struct standing *standing,
                        int64_t passed_ms, int64_t now_ms)
{
    const struct sim_quota *quota = bucket->quota;
    if (now_ms - bucket->window_ms >= quota->burst_ms && quota->burst_ms > 0) {
        bucket->window_ms = now_ms - (now_ms - bucket->window_ms) % quota->burst_ms;
        passed_ms = now_ms - bucket->window_ms;
        bucket->requests = renewed(bucket->requests, quota->requests, standing->factor, quota);
        bucket->tokens =
            renewed(bucket->tokens, quota->tokens, standing->factor, quota) - bucket->reserved;
    }
    bucket->requests = shared(bucket->requests, quota->requests, passed_ms, standing);
    bucket->tokens = shared(bucket->tokens, quota->tokens, passed_ms, standing);
}

static void fill(struct quota_bucket *bucket, const struct standing *standing, int64_t now_ms)
{
    const struct sim_quota *quota = bucket->quota;
    int64_t passed_ms = now_ms - bucket->filled_ms;
    bucket->filled_ms = now_ms;
    for (; now_ms - bucket->day_ms >= DAY_MS; bucket->day_ms += DAY_MS)
        bucket->day = (double)quota->tokens_per_day + (bucket->day < 0 ? bucket->day : 0);
    if (quota->windows) {
        fill_window(bucket, standing, passed_ms, now_ms);
        return;
    }
    bucket->requests = filled(bucket->requests, quota->requests, passed_ms, standing, quota);
    bucket->tokens = filled(bucket->tokens, quota->tokens, passed_ms, standing, quota);
}

bool quota_take(struct quotas *quotas, struct slice model, int64_t tokens, int64_t now_ms,
                struct quota_bucket **ret_bucket)
{
    *ret_bucket = NULL;
    const struct sim_quota *quota = quota_of(quotas->config, model);
    if (quota == NULL)
        return true;
    if (quotas->began_ms == 0)
        quotas->began_ms = now_ms;
    struct quota_bucket *bucket = bucket_of(quotas, quota, model, now_ms);
    struct standing standing = {factor_of(quotas, model, now_ms), competing(quotas, model, now_ms)};
    fill(bucket, &standing, now_ms);
    bool enough = (quota->requests == 0 || bucket->requests >= 1) &&
                  (quota->tokens == 0 || bucket->tokens >= (double)tokens) &&
                  (quota->tokens_per_day == 0 || bucket->day >= (double)tokens);
    if (!enough)
        return false;
    bucket->requests -= 1;
    bucket->tokens -= (double)tokens;
    bucket->day -= (double)tokens;
    bucket->reserved += (double)tokens;
    *ret_bucket = bucket;
    return true;
}

void quota_end(struct quota_bucket *bucket, int64_t taken, const struct quota_usage *usage)
{
    double cost = (double)usage->input - (double)usage->cache_read +
                  (double)usage->output * (double)bucket->quota->burndown;
    bucket->reserved -= (double)taken;
    bucket->tokens += (double)taken - cost;
    bucket->day += (double)taken - cost;
}
