#include "io/aws/searcher.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/aws/file.h"
#include "io/loop/clock.h"

enum request_step { REQUEST_NONE, REQUEST_QUEUED, REQUEST_SENT, REQUEST_ENDED };

struct searcher {
    struct searcher_config config;
    struct exchange_channel *channel;
    struct call_ref ref;
    struct http_request sent;
    int64_t deadline_ms; /* of the request that was sent */
    int cancel_fd;
    uv_thread_t thread;
    bool has_thread, is_busy;
    uv_mutex_t mutex;
    uv_cond_t changed;
    bool has_mutex;
    /* Under the mutex: */
    bool is_asked;     /* for a search, by the loop */
    bool is_done;      /* the search has ended, and the loop has not taken its result */
    bool is_cancelled; /* for good */
    enum request_step step;
    const struct search_request *request; /* the thread's, until REQUEST_ENDED */
    struct search_answer *answer;
    enum err request_err;
    struct searcher_result result;
};

/* ---- the ports, called by the thread ---- */

static enum err port_http(void *self, const struct search_request *request,
                          struct search_answer *ret_answer)
{
    struct searcher *searcher = self;
    uv_mutex_lock(&searcher->mutex);
    searcher->request = request;
    searcher->answer = ret_answer;
    searcher->request_err = ERR_CANCELLED;
    searcher->step = searcher->is_cancelled ? REQUEST_ENDED : REQUEST_QUEUED;
    searcher->config.wake.wake(searcher->config.wake.self);
    while (searcher->step != REQUEST_ENDED)
        uv_cond_wait(&searcher->changed, &searcher->mutex);
    enum err err = searcher->request_err;
    searcher->step = REQUEST_NONE;
    searcher->request = NULL;
    searcher->answer = NULL;
    uv_mutex_unlock(&searcher->mutex);
    return err;
}

static int64_t port_wall_ms(void *self)
{
    (void)self;
    return clock_wall_ms();
}

static bool port_pause(void *self, int64_t ms)
{
    struct searcher *searcher = self;
    int64_t until_ms = clock_monotonic_ms() + ms;
    uv_mutex_lock(&searcher->mutex);
    for (int64_t left_ms = ms; left_ms > 0 && !searcher->is_cancelled;
         left_ms = until_ms - clock_monotonic_ms())
        (void)uv_cond_timedwait(&searcher->changed, &searcher->mutex,
                                (uint64_t)left_ms * UINT64_C(1000000));
    bool goes_on = !searcher->is_cancelled;
    uv_mutex_unlock(&searcher->mutex);
    return goes_on;
}

static int port_cancel_fd(void *self)
{
    return ((struct searcher *)self)->cancel_fd;
}

static void port_note(void *self, const char *who, struct slice text)
{
    const struct searcher *searcher = self;
    const struct log_field fields[] = {FIELD_TEXT("provider", slice_of_text(who)),
                                       FIELD_TEXT("text", text)};
    log_sink_add(searcher->config.sink, LOG_PROVIDER_NOTE, fields, COUNT_OF(fields));
}

/* ---- the thread ---- */

static void search(struct searcher *searcher, struct searcher_result *result)
{
    const struct search_ports ports = {
        .self = searcher,
        .http = port_http,
        .wall_ms = port_wall_ms,
        .pause = port_pause,
        .cancel_fd = port_cancel_fd,
        .note = port_note,
    };
    result->err = chain_search(searcher->config.identity, &ports, &result->keys, &result->is_costly,
                               result->reason);
}

static void run(void *self)
{
    struct searcher *searcher = self;
    uv_mutex_lock(&searcher->mutex);
    for (;;) {
        while (!searcher->is_asked && !searcher->is_cancelled)
            uv_cond_wait(&searcher->changed, &searcher->mutex);
        if (searcher->is_cancelled)
            break;
        searcher->is_asked = false;
        uv_mutex_unlock(&searcher->mutex);
        search(searcher, &searcher->result);
        uv_mutex_lock(&searcher->mutex);
        searcher->is_done = true;
        searcher->config.wake.wake(searcher->config.wake.self);
    }
    uv_mutex_unlock(&searcher->mutex);
}

/* ---- the channel's events, in the loop's thread ---- */

static void end_request(struct searcher *searcher, enum err err, struct slice reason)
{
    uv_mutex_lock(&searcher->mutex);
    if (searcher->step == REQUEST_QUEUED || searcher->step == REQUEST_SENT) {
        searcher->request_err = err;
        slice_write(reason, searcher->answer->reason, sizeof searcher->answer->reason);
        searcher->step = REQUEST_ENDED;
        uv_cond_broadcast(&searcher->changed);
    }
    uv_mutex_unlock(&searcher->mutex);
    searcher->deadline_ms = INT64_MAX;
}

static void break_off(struct searcher *searcher, enum err err, struct slice reason)
{
    (void)http_cancel(searcher->channel, searcher->ref);
    end_request(searcher, err, reason);
}

/* The thread waits while its request is sent, so its answer belongs to the loop. */
static void on_head(void *self, struct call_ref ref, int status, struct slice head)
{
    struct searcher *searcher = self;
    (void)ref;
    searcher->answer->status = status;
    buf_add(&searcher->answer->head, head);
}

static void on_body(void *self, struct call_ref ref, struct slice bytes)
{
    struct searcher *searcher = self;
    (void)ref;
    buf_add(&searcher->answer->body, bytes);
    if (searcher->answer->body.failed == ERR_TOO_LARGE)
        break_off(searcher, ERR_TOO_LARGE, SLICE("the answer is too large"));
}

static void on_ended(void *self, struct call_ref ref, const struct call_end *end)
{
    struct searcher *searcher = self;
    (void)ref;
    enum err err = end->err;
    if (err == OK && (searcher->answer->head.failed != OK || searcher->answer->body.failed != OK))
        err = ERR_NO_MEMORY;
    end_request(searcher, err, end->words);
}

/* ---- the loop's side ---- */

static void send_request(struct searcher *searcher, const struct search_request *request,
                         int64_t now_ms)
{
    searcher->sent = (struct http_request){
        .url = request->url,
        .headers = request->headers,
        .body = request->body,
        .method = request->method,
        .is_direct = request->is_direct,
    };
    searcher->ref.generation++;
    searcher->deadline_ms = now_ms + request->timeout_ms;
    http_start(searcher->channel, searcher->ref, &searcher->sent);
}

/* The request that is to be sent; NULL = none. */
static const struct search_request *take_request(struct searcher *searcher)
{
    const struct search_request *request = NULL;
    uv_mutex_lock(&searcher->mutex);
    if (searcher->step == REQUEST_QUEUED) {
        request = searcher->request;
        searcher->step = REQUEST_SENT;
    }
    uv_mutex_unlock(&searcher->mutex);
    return request;
}

int64_t searcher_step(struct searcher *searcher, int64_t now_ms)
{
    const struct search_request *request = take_request(searcher);
    if (request != NULL)
        send_request(searcher, request, now_ms);
    if (now_ms >= searcher->deadline_ms)
        break_off(searcher, ERR_TIMEOUT, SLICE("no answer in time"));
    return searcher->deadline_ms;
}

void searcher_begin(struct searcher *searcher)
{
    CHECK(!searcher->is_busy);
    uv_mutex_lock(&searcher->mutex);
    searcher->is_busy = !searcher->is_cancelled;
    searcher->is_asked = true;
    uv_cond_broadcast(&searcher->changed);
    uv_mutex_unlock(&searcher->mutex);
}

bool searcher_is_busy(const struct searcher *searcher)
{
    return searcher->is_busy;
}

bool searcher_take(struct searcher *searcher, struct searcher_result *ret_result)
{
    uv_mutex_lock(&searcher->mutex);
    bool is_done = searcher->is_done;
    if (is_done) {
        struct searcher_result *result = &searcher->result;
        keys_move(&result->keys, &ret_result->keys);
        ret_result->err = result->err;
        ret_result->is_costly = result->is_costly;
        memcpy(ret_result->reason, result->reason, sizeof ret_result->reason);
        searcher->is_done = false;
        searcher->is_busy = false;
    }
    uv_mutex_unlock(&searcher->mutex);
    return is_done;
}

void searcher_cancel(struct searcher *searcher)
{
    uv_mutex_lock(&searcher->mutex);
    bool was_sent = searcher->step == REQUEST_SENT;
    searcher->is_cancelled = true;
    uv_cond_broadcast(&searcher->changed);
    uv_mutex_unlock(&searcher->mutex);
    uint64_t one = 1;
    ssize_t written = write(searcher->cancel_fd, &one, sizeof one);
    (void)written;
    if (was_sent)
        (void)http_cancel(searcher->channel, searcher->ref);
    end_request(searcher, ERR_CANCELLED, SLICE("the worker stops"));
}

/* ---- birth and end ---- */

static bool start(struct searcher *searcher)
{
    struct exchange_hearer hearer = {
        .self = searcher, .head = on_head, .body = on_body, .ended = on_ended};
    searcher->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    searcher->channel = http_channel_open(searcher->config.http, &hearer, 1);
    if (searcher->cancel_fd < 0 || searcher->channel == NULL ||
        uv_mutex_init(&searcher->mutex) != 0)
        return false;
    if (uv_cond_init(&searcher->changed) != 0) {
        uv_mutex_destroy(&searcher->mutex);
        return false;
    }
    searcher->has_mutex = true;
    searcher->has_thread = uv_thread_create(&searcher->thread, run, searcher) == 0;
    return searcher->has_thread;
}

struct searcher *searcher_new(const struct searcher_config *config)
{
    struct searcher *searcher = memory_new(sizeof *searcher);
    if (searcher == NULL)
        return NULL;
    searcher->config = *config;
    searcher->cancel_fd = -1;
    searcher->deadline_ms = INT64_MAX;
    keys_init(&searcher->result.keys);
    if (start(searcher))
        return searcher;
    searcher_free(searcher);
    return NULL;
}

void searcher_free(struct searcher *searcher)
{
    if (searcher == NULL)
        return;
    if (searcher->has_thread) {
        searcher_cancel(searcher);
        CHECK(uv_thread_join(&searcher->thread) == 0);
    }
    if (searcher->has_mutex) {
        uv_cond_destroy(&searcher->changed);
        uv_mutex_destroy(&searcher->mutex);
    }
    if (searcher->cancel_fd >= 0)
        (void)close(searcher->cancel_fd);
    keys_done(&searcher->result.keys);
    memory_free(searcher);
}
