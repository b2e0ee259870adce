#include "io/aws/watch.h"

#include <string.h>
#include <uv.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/aws/credentials.h"

#define AGAIN_MS         10000
#define AGAIN_MISSING_MS 2000
#define AGAIN_WANTED_MS  1000 /* between two beginnings, however much they are wanted */

struct credentials_watch {
    uv_loop_t *loop;
    uv_work_t work;
    const char *profile;
    struct engine *engine;
    bool is_busy, is_ready, is_closing;
    bool is_wanted; /* now, and not at due_ms */
    int64_t due_ms, wanted_ms;
    struct credentials_store now; /* what the engine has */
    /* the worker thread's while busy */
    struct credentials_store found;
    enum err err;
    char words[AWS_WORDS_MAX];
};

struct credentials_watch *credentials_watch_new(struct uv_loop_s *loop, const char *profile)
{
    struct credentials_watch *watch = memory_new(sizeof *watch);
    if (watch == NULL)
        return NULL;
    watch->loop = loop;
    watch->work.data = watch;
    watch->profile = profile;
    credentials_init(&watch->now);
    credentials_init(&watch->found);
    return watch;
}

void credentials_watch_attach(struct credentials_watch *watch, struct engine *engine)
{
    watch->engine = engine;
}

/* In a worker thread. */
static void chain_ask(uv_work_t *work)
{
    struct credentials_watch *watch = work->data;
    struct aws_environment *environment = memory_new(sizeof *environment);
    watch->err = ERR_NO_MEMORY;
    watch->words[0] = '\0';
    if (environment == NULL)
        return;
    watch->err =
        aws_environment_load(environment, aws_lookup_process, NULL, watch->profile, watch->words);
    if (watch->err == OK) {
        watch->err = credentials_load(&watch->found, environment);
        memcpy(watch->words, watch->found.words, sizeof watch->words);
    }
    aws_environment_done(environment);
    memory_free(environment);
}

static void chain_answered(uv_work_t *work, int status)
{
    (void)status;
    struct credentials_watch *watch = work->data;
    watch->is_busy = false;
    watch->is_ready = true;
}

/* A chain that fails after it had worked leaves the engine what it has: it may still serve, and
 * Bedrock says if not. Without any, it hears again and again why. */
static void found_hand_over(struct credentials_watch *watch)
{
    if (watch->err == OK) {
        struct credentials_store old = watch->now;
        watch->now = watch->found;
        watch->found = old;
    }
    if (watch->now.source != NULL)
        engine_credentials(watch->engine, &watch->now.credentials, SLICE_NULL);
    else
        engine_credentials(watch->engine, NULL, slice_of_text(watch->words));
    credentials_done(&watch->found);
    credentials_init(&watch->found);
}

void credentials_watch_refresh(struct credentials_watch *watch)
{
    watch->is_wanted = true;
}

void credentials_watch_step(struct credentials_watch *watch, int64_t now_ms)
{
    if (watch->is_ready) {
        watch->is_ready = false;
        found_hand_over(watch);
        watch->due_ms = now_ms + (watch->now.source != NULL ? AGAIN_MS : AGAIN_MISSING_MS);
    }
    bool is_due = now_ms >= watch->due_ms || (watch->is_wanted && now_ms >= watch->wanted_ms);
    if (watch->is_busy || watch->is_closing || !is_due)
        return;
    watch->is_wanted = false;
    watch->wanted_ms = now_ms + AGAIN_WANTED_MS;
    watch->is_busy = uv_queue_work(watch->loop, &watch->work, chain_ask, chain_answered) == 0;
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
    credentials_done(&watch->now);
    credentials_done(&watch->found);
    memory_free(watch);
}
