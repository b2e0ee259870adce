#include "io/aws/watch.h"

#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/aws/alone.h"
#include "io/aws/chain.h"

#define AGAIN_MS         10000
#define AGAIN_MISSING_MS 2000
#define AGAIN_WANTED_MS  1000 /* shortest time between two loads */

struct credentials_watch {
    uv_loop_t *loop;
    uv_work_t work;
    const char *profile;
    struct http_config http;
    struct engine *engine;
    bool is_busy, is_ready, is_closing;
    bool is_wanted; /* at wanted_ms, before due_ms */
    int64_t due_ms, wanted_ms;
    struct keys now; /* those that the engine has */
    /* While busy, for the thread pool only: */
    struct keys found;
    enum err err;
    char reason[SEARCH_REASON_MAX];
};

struct credentials_watch *credentials_watch_new(struct uv_loop_s *loop, const char *profile)
{
    struct credentials_watch *watch = memory_new(sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->loop = loop;
    watch->work.data = watch;
    watch->profile = profile;
    keys_init(&watch->now);
    keys_init(&watch->found);
    return watch;
}

void credentials_watch_attach(struct credentials_watch *watch, struct engine *engine)
{
    watch->engine = engine;
}

/* Loads the credentials, in a thread of the pool. */
static void chain_load(uv_work_t *work)
{
    struct credentials_watch *watch = work->data;
    struct aws_environment *environment = memory_new(sizeof *environment);
    watch->err = ERR_NO_MEMORY;
    watch->reason[0] = '\0';
    if (environment == NULL)
        return;
    watch->err =
        aws_environment_load(environment, aws_lookup_process, NULL, watch->profile, watch->reason);
    if (watch->err == OK) {
        struct search search;
        struct search_ports ports;
        alone_ports(&watch->http, &ports);
        search_init(&search, environment, &ports);
        watch->err = chain_find(&search, &watch->found);
        memcpy(watch->reason, search.reason, sizeof watch->reason);
    }
    aws_environment_done(environment);
    memory_free(environment);
}

static void on_loaded(uv_work_t *work, int status)
{
    (void)status;
    struct credentials_watch *watch = work->data;
    watch->is_busy = false;
    watch->is_ready = true;
}

/* Passes the result to the engine. When loading fails, the engine keeps credentials that it has:
 * they may still be valid, and Bedrock rejects them if not. An engine without any gets the reason
 * each time. */
static void result_pass_on(struct credentials_watch *watch)
{
    if (watch->err == OK)
        keys_move(&watch->found, &watch->now);
    if (watch->now.source[0] != '\0')
        engine_credentials(watch->engine, &watch->now.credentials, SLICE_NULL);
    else
        engine_credentials(watch->engine, NULL, slice_of_text(watch->reason));
    keys_done(&watch->found);
}

void credentials_watch_refresh(struct credentials_watch *watch)
{
    watch->is_wanted = true;
}

void credentials_watch_step(struct credentials_watch *watch, int64_t now_ms)
{
    if (watch->is_ready) {
        watch->is_ready = false;
        result_pass_on(watch);
        watch->due_ms = now_ms + (watch->now.source[0] != '\0' ? AGAIN_MS : AGAIN_MISSING_MS);
    }
    bool is_due = now_ms >= watch->due_ms || (watch->is_wanted && now_ms >= watch->wanted_ms);
    if (watch->is_busy || watch->is_closing || !is_due)
        return;
    watch->is_wanted = false;
    watch->wanted_ms = now_ms + AGAIN_WANTED_MS;
    watch->is_busy = uv_queue_work(watch->loop, &watch->work, chain_load, on_loaded) == 0;
}

void credentials_watch_close(struct credentials_watch *watch)
{
    watch->is_closing = true;
}

bool credentials_watch_is_closed(const struct credentials_watch *watch)
{
    return !watch->is_busy;
}

void credentials_watch_free(struct credentials_watch *watch)
{
    if (watch == NULL)
        return;
    CHECK(!watch->is_busy);
    keys_done(&watch->now);
    keys_done(&watch->found);
    memory_free(watch);
}
