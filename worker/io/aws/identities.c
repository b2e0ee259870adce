#include "io/aws/identities.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/instant.h"
#include "base/memory.h"
#include "io/loop/clock.h"
#include "policy/renewal.h"

#define LOG_MS 60000

struct kept {
    struct searcher *searcher;
    int64_t due_ms;     /* of the next search; INT64_MAX = none until keys are refused */
    int64_t wanted_ms;  /* of the earliest search after a refusal */
    int64_t log_due_ms; /* of the next line about a failed renewal */
    bool is_wanted;
    uint32_t failures;
    /* Written by the loop's thread under the mutex, read by it without: */
    struct keys keys; /* an empty source: there are none */
    uint64_t version;
    char reason[SEARCH_REASON_MAX]; /* why there are none, or why the last search failed */
};

struct identities {
    struct identities_config config;
    struct engine *engine;
    uint32_t engine_count;
    struct kept *list;
    struct random random;
    bool is_cancelled;
    uv_mutex_t mutex;
    bool has_mutex;
};

static bool has_keys(const struct kept *kept)
{
    return kept->keys.source[0] != '\0';
}

static int64_t left_ms_of(const struct kept *kept)
{
    int64_t end_ms = kept->keys.credentials.expires_wall_ms;
    return !has_keys(kept) ? 0 : end_ms == INT64_MAX ? INT64_MAX : end_ms - clock_wall_ms();
}

static uint32_t number_of(const struct identities *identities, const struct kept *kept)
{
    return (uint32_t)(kept - identities->list);
}

/* ---- what others get ---- */

static void tell_engine(struct identities *identities, const struct kept *kept)
{
    uint32_t number = number_of(identities, kept);
    if (identities->engine == NULL || number >= identities->engine_count)
        return;
    engine_credentials(identities->engine, number, has_keys(kept) ? &kept->keys.credentials : NULL,
                       has_keys(kept) ? SLICE_NULL : slice_of_text(kept->reason));
}

bool identities_keys(struct identities *identities, uint32_t identity, struct keys *ret_keys,
                     uint64_t *ret_version, char ret_reason[SEARCH_REASON_MAX])
{
    CHECK(identity < identities->config.count);
    uv_mutex_lock(&identities->mutex);
    const struct kept *kept = &identities->list[identity];
    const struct credentials *own = &kept->keys.credentials;
    *ret_version = kept->version;
    bool has_some = has_keys(kept) && own->expires_wall_ms > clock_wall_ms();
    const struct keys_parts parts = {
        .access_key_id = own->access_key_id,
        .secret_access_key = own->secret_access_key,
        .session_token = own->session_token,
        .bearer_token = own->bearer_token,
        .expires_wall_ms = own->expires_wall_ms,
    };
    if (has_some)
        has_some = keys_set(ret_keys, &parts, NULL) == OK;
    (void)snprintf(ret_keys->source, sizeof ret_keys->source, "%s",
                   has_some ? kept->keys.source : "");
    memcpy(ret_reason, kept->reason, sizeof kept->reason);
    uv_mutex_unlock(&identities->mutex);
    return has_some;
}

/* ---- taking ---- */

static void log_not_renewed(struct identities *identities, struct kept *kept, int64_t now_ms)
{
    struct buf end;
    if (now_ms < kept->log_due_ms)
        return;
    kept->log_due_ms = now_ms + LOG_MS;
    buf_init(&end, 64);
    instant_add_rfc3339(&end, kept->keys.credentials.expires_wall_ms);
    const struct log_field fields[] = {
        FIELD_TEXT("source", slice_of_text(kept->keys.source)),
        FIELD_TEXT("reason", slice_of_text(kept->reason)),
        FIELD_TEXT("end", buf_slice(&end)),
    };
    log_sink_add(identities->config.sink, LOG_CREDENTIALS_NOT_RENEWED, fields, COUNT_OF(fields));
    buf_done(&end);
}

static void take_keys(struct identities *identities, struct kept *kept,
                      struct searcher_result *result)
{
    bool is_news = !keys_equal(&kept->keys, &result->keys) || !has_keys(kept);
    const struct log_field field = FIELD_TEXT("source", slice_of_text(result->keys.source));
    if (is_news)
        log_sink_add(identities->config.sink, LOG_CREDENTIALS_TAKEN, &field, 1);
    uv_mutex_lock(&identities->mutex);
    keys_move(&result->keys, &kept->keys);
    kept->version += is_news ? 1 : 0;
    kept->reason[0] = '\0';
    uv_mutex_unlock(&identities->mutex);
    kept->failures = 0;
}

static void take_failure(struct identities *identities, struct kept *kept,
                         const struct searcher_result *result, int64_t now_ms)
{
    uv_mutex_lock(&identities->mutex);
    memcpy(kept->reason, result->reason, sizeof kept->reason);
    if (kept->reason[0] == '\0')
        (void)snprintf(kept->reason, sizeof kept->reason, "%s", err_words(result->err));
    uv_mutex_unlock(&identities->mutex);
    if (kept->failures < UINT32_MAX)
        kept->failures++;
    if (has_keys(kept) && left_ms_of(kept) != INT64_MAX)
        log_not_renewed(identities, kept, now_ms);
}

/* Keys without an end that a look at the files no longer finds stay: they may still be valid, and
 * the service says so if they are not. */
static void take_result(struct identities *identities, struct kept *kept,
                        struct searcher_result *result, int64_t now_ms)
{
    if (result->err == OK)
        take_keys(identities, kept, result);
    else
        take_failure(identities, kept, result, now_ms);
    const struct renewal renewal = {
        .left_ms = left_ms_of(kept), .is_costly = result->is_costly, .failures = kept->failures};
    int64_t pause_ms = renewal_pause_ms(&renewal, &identities->random);
    kept->due_ms = pause_ms == INT64_MAX ? INT64_MAX : now_ms + pause_ms;
    kept->wanted_ms = now_ms + (result->is_costly ? RENEWAL_REFUSED_MS : RENEWAL_REFUSED_MS / 10);
    tell_engine(identities, kept);
}

/* Gives up keys that have ended. */
static void end_keys(struct identities *identities, struct kept *kept)
{
    if (!has_keys(kept) || left_ms_of(kept) > 0)
        return;
    uv_mutex_lock(&identities->mutex);
    char source[KEYS_SOURCE_MAX], reason[SEARCH_REASON_MAX];
    (void)snprintf(source, sizeof source, "%s", kept->keys.source);
    (void)snprintf(reason, sizeof reason, "%s", kept->reason);
    keys_done(&kept->keys);
    kept->version++;
    (void)snprintf(kept->reason, sizeof kept->reason, "the keys from %s have expired%s%.1500s",
                   source, reason[0] != '\0' ? ", and they cannot be renewed: " : "", reason);
    uv_mutex_unlock(&identities->mutex);
    tell_engine(identities, kept);
}

/* ---- the step ---- */

void identities_refresh(struct identities *identities, uint32_t identity)
{
    CHECK(identity < identities->config.count);
    identities->list[identity].is_wanted = true;
}

static int64_t due_of(const struct kept *kept)
{
    return kept->is_wanted && kept->wanted_ms < kept->due_ms ? kept->wanted_ms : kept->due_ms;
}

static void begin_if_due(struct identities *identities, struct kept *kept, int64_t now_ms)
{
    if (searcher_is_busy(kept->searcher) || identities->is_cancelled || now_ms < due_of(kept))
        return;
    kept->is_wanted = false;
    searcher_begin(kept->searcher);
}

/* In monotonic time; the wall clock may jump, so an end that is far is looked at again soon. */
static int64_t end_of(const struct kept *kept, int64_t now_ms)
{
    int64_t left_ms = left_ms_of(kept);
    if (!has_keys(kept) || left_ms == INT64_MAX)
        return INT64_MAX;
    return now_ms + (left_ms < LOG_MS ? left_ms : LOG_MS);
}

static int64_t keep(struct identities *identities, struct kept *kept, int64_t now_ms)
{
    struct searcher_result result = {.err = OK};
    keys_init(&result.keys);
    int64_t due_ms = searcher_step(kept->searcher, now_ms);
    if (searcher_take(kept->searcher, &result))
        take_result(identities, kept, &result, now_ms);
    keys_done(&result.keys);
    end_keys(identities, kept);
    begin_if_due(identities, kept, now_ms);
    if (!searcher_is_busy(kept->searcher) && due_of(kept) < due_ms)
        due_ms = due_of(kept);
    int64_t end_ms = end_of(kept, now_ms);
    return end_ms < due_ms ? end_ms : due_ms;
}

int64_t identities_step(struct identities *identities, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    for (uint32_t i = 0; i < identities->config.count && !identities->is_cancelled; i++) {
        int64_t own_ms = keep(identities, &identities->list[i], now_ms);
        due_ms = own_ms < due_ms ? own_ms : due_ms;
    }
    return due_ms;
}

/* ---- birth and end ---- */

static bool start(struct identities *identities)
{
    const struct identities_config *config = &identities->config;
    identities->list = memory_new((config->count + (size_t)1) * sizeof *identities->list);
    if (identities->list == NULL || uv_mutex_init(&identities->mutex) != 0)
        return false;
    identities->has_mutex = true;
    for (uint32_t i = 0; i < config->count; i++) {
        struct kept *kept = &identities->list[i];
        const struct searcher_config own = {.http = config->http,
                                            .sink = config->sink,
                                            .wake = config->wake,
                                            .identity = &config->list[i]};
        keys_init(&kept->keys);
        kept->due_ms = INT64_MIN;
        if ((kept->searcher = searcher_new(&own)) == NULL)
            return false;
    }
    return true;
}

struct identities *identities_new(const struct identities_config *config)
{
    struct identities *identities = memory_new(sizeof *identities);
    if (identities == NULL)
        return NULL;
    identities->config = *config;
    random_init(&identities->random, config->seed);
    if (start(identities))
        return identities;
    identities_free(identities);
    return NULL;
}

void identities_attach(struct identities *identities, struct engine *engine, uint32_t count)
{
    identities->engine = engine;
    identities->engine_count = count;
}

void identities_cancel(struct identities *identities)
{
    identities->is_cancelled = true;
    for (uint32_t i = 0; i < identities->config.count; i++)
        searcher_cancel(identities->list[i].searcher);
}

void identities_free(struct identities *identities)
{
    if (identities == NULL)
        return;
    for (uint32_t i = 0; identities->list != NULL && i < identities->config.count; i++) {
        searcher_free(identities->list[i].searcher);
        keys_done(&identities->list[i].keys);
    }
    if (identities->has_mutex)
        uv_mutex_destroy(&identities->mutex);
    memory_free(identities->list);
    memory_free(identities);
}
