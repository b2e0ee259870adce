#include "io/aws/alone.h"

#include <stdio.h>
#include <time.h>

#include "io/http/once.h"
#include "io/loop/clock.h"

static enum err alone_http(void *self, const struct search_request *request,
                           struct search_answer *ret_answer)
{
    const struct http_request sent = {.url = request->url,
                                      .headers = request->headers,
                                      .body = request->body,
                                      .method = request->method,
                                      .is_direct = request->is_direct};
    struct http_once_answer answer = {.head = ret_answer->head, .body = ret_answer->body};
    enum err err = http_once(self, &sent, request->timeout_ms, &answer);
    bool is_too_large = answer.head.failed == ERR_TOO_LARGE || answer.body.failed == ERR_TOO_LARGE;
    ret_answer->status = answer.status;
    ret_answer->head = answer.head;
    ret_answer->body = answer.body;
    (void)snprintf(ret_answer->reason, sizeof ret_answer->reason, "%s",
                   is_too_large ? "the answer is too large" : answer.reason);
    return is_too_large ? ERR_TOO_LARGE : err;
}

static int64_t alone_wall_ms(void *self)
{
    (void)self;
    return clock_wall_ms();
}

static bool alone_pause(void *self, int64_t ms)
{
    (void)self;
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
    return true;
}

static int alone_cancel_fd(void *self)
{
    (void)self;
    return -1;
}

static void alone_note(void *self, const char *who, struct slice text)
{
    (void)self;
    (void)who;
    (void)text;
}

void alone_ports(const struct http_config *config, struct search_ports *ret_ports)
{
    *ret_ports = (struct search_ports){
        .self = (void *)(uintptr_t)config,
        .http = alone_http,
        .wall_ms = alone_wall_ms,
        .pause = alone_pause,
        .cancel_fd = alone_cancel_fd,
        .note = alone_note,
    };
}

static enum err quick_http(void *self, const struct search_request *request,
                           struct search_answer *ret_answer)
{
    (void)self;
    (void)request;
    (void)snprintf(ret_answer->reason, sizeof ret_answer->reason, "it must not wait");
    return ERR_CANCELLED;
}

static bool quick_pause(void *self, int64_t ms)
{
    (void)self;
    (void)ms;
    return false;
}

void quick_ports(struct search_ports *ret_ports)
{
    alone_ports(NULL, ret_ports);
    ret_ports->http = quick_http;
    ret_ports->pause = quick_pause;
}
