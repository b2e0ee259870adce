/* The kit of the tests of io/http/client.c: a hostile server, a loop that turns as the worker's
 * does, and an engine that notes every event. */
#ifndef IO_HTTP_KIT_H
#define IO_HTTP_KIT_H

#include "unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "io/http/client.h"

#define KIT_CALLS_MAX    600
#define KIT_OTHER_CALLS  8 /* beside these, of another channel */
#define KIT_KEPT_BYTES   4096
#define KIT_SAID_BYTES   (1 << 20)
#define KIT_PATIENCE_MS  120000
#define KIT_TICK_MS      1000 /* the limit of one turn of the loop */
#define SERVER_ARGUMENTS 8

/* What a listener heard of one call. */
struct heard {
    uint32_t generation;
    int heads, ends;
    int late; /* events of another generation, before the head, or after the end */
    int status;
    struct buf head, body;
    size_t body_bytes; /* counts bytes that are not kept, too */
    enum err err;
    bool was_sent;
    char words[320];
};

struct listener {
    struct exchange_channel *channel;
    struct heard calls[KIT_CALLS_MAX];
    size_t cancel_at_bytes;                 /* cancel from inside the body event; 0 = never */
    const struct http_request *begin_again; /* from inside the ended event, same index */
    int ended;
};

/* A child process, controlled over its standard input and output. */
struct server {
    pid_t pid;
    int in, out;
    int port;
    struct buf said;
};

struct kit {
    uv_loop_t loop;
    uv_check_t turn;
    uv_timer_t tick;
    struct http_config config;
    struct http *http;
    struct exchange_channel *channel; /* heard by the listener */
    struct listener listener;
    struct server server;
    struct http_request requests[KIT_CALLS_MAX];
    char urls[KIT_CALLS_MAX][128];
};

/* ---- the server ---- */

extern char **environ;

static inline void server_hear(struct server *server, int patience_ms)
{
    struct pollfd ready = {.fd = server->out, .events = POLLIN};
    while (poll(&ready, 1, patience_ms) == 1) {
        char *room = buf_reserve(&server->said, 4096);
        assert_non_null(room);
        ssize_t len = read(server->out, room, 4096);
        if (len <= 0)
            return;
        server->said.len += (size_t)len;
        patience_ms = 0;
    }
}

/* Arguments end with NULL. */
static inline void server_start(struct server *server, const char *const *arguments)
{
    char *argv[SERVER_ARGUMENTS + 3] = {strdup("python3"),
                                        strdup(TESTS_DIR "/io/hostile_server.py")};
    for (size_t i = 0; arguments[i] != NULL; i++)
        argv[i + 2] = strdup(arguments[i]);
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in[0], 0), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], 1), 0);
    assert_int_equal(posix_spawnp(&server->pid, argv[0], &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(argv[i]);
    server->in = in[1];
    server->out = out[0];
    buf_init(&server->said, KIT_SAID_BYTES);
    server_hear(server, KIT_PATIENCE_MS);
    assert_int_equal(sscanf(buf_text(&server->said), "port %d", &server->port), 1);
}

static inline void server_stop(struct server *server)
{
    int status;
    (void)close(server->in);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    assert_true(WIFEXITED(status));
    (void)close(server->out);
    buf_done(&server->said);
}

/* How often it has reported that it has `done` (seen, closed) a request for this target. */
static inline int server_said(struct server *server, const char *done, const char *target)
{
    char line[160];
    int count = 0;
    (void)snprintf(line, sizeof line, "%s %s ", done, target);
    server_hear(server, 0);
    for (const char *at = buf_text(&server->said); (at = strstr(at, line)) != NULL; at++)
        count++;
    return count;
}

/* How often it has read the head of a request for this target. */
static inline int server_seen(struct server *server, const char *target)
{
    return server_said(server, "seen", target);
}

/* Waits until it has reported so `count` times. */
static inline void server_await(struct server *server, const char *done, const char *target,
                                int count)
{
    while (server_said(server, done, target) < count) {
        size_t len = server->said.len;
        server_hear(server, KIT_PATIENCE_MS);
        assert_true(server->said.len > len);
    }
}

/* Releases an answer that waits for a line on the server's standard input. */
static inline void server_go_on(struct server *server)
{
    assert_int_equal(write(server->in, "\n", 1), 1);
}

/* ---- the listener ---- */

static inline struct heard *heard_of(struct listener *listener, struct call_ref call)
{
    struct heard *heard = &listener->calls[call.index];
    if (call.generation != heard->generation || heard->ends > 0)
        heard->late++;
    return heard;
}

static inline void listener_head(void *self, struct call_ref call, int status, struct slice head)
{
    struct heard *heard = heard_of(self, call);
    heard->heads++;
    heard->status = status;
    buf_add(&heard->head, head);
}

static inline void listener_body(void *self, struct call_ref call, struct slice bytes)
{
    struct listener *listener = self;
    struct heard *heard = heard_of(listener, call);
    heard->late += heard->heads != 1;
    heard->body_bytes += bytes.len;
    buf_add(&heard->body, slice_sub(bytes, 0, KIT_KEPT_BYTES - heard->body.len));
    if (listener->cancel_at_bytes > 0 && heard->body_bytes >= listener->cancel_at_bytes)
        http_cancel(listener->channel, call);
}

static inline void listener_ended(void *self, struct call_ref call, const struct call_end *end)
{
    struct listener *listener = self;
    struct heard *heard = heard_of(listener, call);
    heard->ends++;
    heard->err = end->err;
    heard->was_sent = end->was_sent;
    (void)snprintf(heard->words, sizeof heard->words, "%.*s", SLICE_ARG(end->words));
    listener->ended++;
    if (listener->begin_again != NULL) {
        struct http_request request = *listener->begin_again;
        listener->begin_again = NULL;
        heard->ends = heard->heads = 0;
        heard->generation++;
        http_start(listener->channel, (struct call_ref){call.index, heard->generation}, &request);
    }
}

static inline struct exchange_channel *listener_open(struct listener *listener, struct http *http,
                                                     uint32_t exchanges_max)
{
    struct exchange_hearer hearer = {
        .self = listener, .head = listener_head, .body = listener_body, .ended = listener_ended};
    listener->channel = http_channel_open(http, &hearer, exchanges_max);
    assert_non_null(listener->channel);
    for (size_t i = 0; i < KIT_CALLS_MAX; i++) {
        buf_init(&listener->calls[i].head, HTTP_HEAD_BYTES_MAX);
        buf_init(&listener->calls[i].body, KIT_KEPT_BYTES);
    }
    return listener->channel;
}

static inline void listener_close(struct listener *listener)
{
    for (size_t i = 0; i < KIT_CALLS_MAX; i++) {
        buf_done(&listener->calls[i].head);
        buf_done(&listener->calls[i].body);
    }
}

/* ---- the loop ---- */

static inline void kit_on_turn(uv_check_t *check)
{
    struct kit *kit = check->data;
    http_step(kit->http);
    if (http_obey(kit->http))
        http_step(kit->http);
}

static inline void kit_on_tick(uv_timer_t *timer)
{
    (void)timer;
}

/* Limits that no call reaches; a test of one sets it in kit->config before kit_open. */
static inline void kit_init(struct kit *kit)
{
    memset(kit, 0, sizeof *kit);
    kit->config = (struct http_config){
        .connect_ms = KIT_PATIENCE_MS,
        .first_byte_ms = KIT_PATIENCE_MS,
        .idle_ms = KIT_PATIENCE_MS,
        .total_ms = 2 * KIT_PATIENCE_MS,
        .max_idle_age_ms = KIT_PATIENCE_MS,
        .max_in_flight = KIT_CALLS_MAX + KIT_OTHER_CALLS,
        .max_head_bytes = HTTP_HEAD_BYTES_MAX,
        .proxy = "",
    };
}

static inline void kit_open(struct kit *kit)
{
    assert_int_equal(uv_loop_init(&kit->loop), 0);
    assert_int_equal(uv_check_init(&kit->loop, &kit->turn), 0);
    assert_int_equal(uv_timer_init(&kit->loop, &kit->tick), 0);
    kit->turn.data = kit;
    assert_int_equal(uv_check_start(&kit->turn, kit_on_turn), 0);
    kit->http = http_new(&kit->loop, &kit->config);
    assert_non_null(kit->http);
    kit->channel = listener_open(&kit->listener, kit->http, KIT_CALLS_MAX);
}

static inline void kit_close(struct kit *kit)
{
    http_close(kit->http);
    uv_close((uv_handle_t *)(void *)&kit->turn, NULL);
    uv_close((uv_handle_t *)(void *)&kit->tick, NULL);
    assert_int_equal(uv_run(&kit->loop, UV_RUN_DEFAULT), 0);
    assert_true(http_is_closed(kit->http));
    http_free(kit->http);
    assert_int_equal(uv_loop_close(&kit->loop), 0);
    listener_close(&kit->listener);
}

static inline void kit_turn_once(struct kit *kit, uint64_t wait_ms)
{
    assert_int_equal(uv_timer_start(&kit->tick, kit_on_tick, wait_ms, 0), 0);
    (void)uv_run(&kit->loop, UV_RUN_ONCE);
}

/* Turns the loop for some time. */
static inline void kit_turn(struct kit *kit, uint64_t duration_ms)
{
    uint64_t end = uv_now(&kit->loop) + duration_ms;
    while (uv_now(&kit->loop) < end)
        kit_turn_once(kit, end - uv_now(&kit->loop));
}

/* Turns the loop until `fact` holds, or fails the test. */
#define kit_turn_until(kit, fact)                                                                  \
    do {                                                                                           \
        uint64_t until_ms = uv_now(&(kit)->loop) + KIT_PATIENCE_MS;                                \
        while (!(fact)) {                                                                          \
            if (uv_now(&(kit)->loop) >= until_ms)                                                  \
                fail_msg("did not happen within two minutes: %s", #fact);                          \
            kit_turn_once(kit, KIT_TICK_MS);                                                       \
        }                                                                                          \
    } while (0)

/* Turns the loop until a listener has heard of `count` ends. */
static inline void listener_await(struct listener *listener, struct kit *kit, int count)
{
    kit_turn_until(kit, listener->ended >= count);
}

static inline void kit_await(struct kit *kit, int count)
{
    listener_await(&kit->listener, kit, count);
}

static inline struct call_ref kit_start_url(struct kit *kit, uint32_t index, const char *url,
                                            struct slice body)
{
    struct heard *heard = &kit->listener.calls[index];
    buf_reset(&heard->head);
    buf_reset(&heard->body);
    heard->heads = heard->ends = heard->status = 0;
    heard->body_bytes = 0;
    struct call_ref call = {index, ++heard->generation};
    (void)snprintf(kit->urls[index], sizeof kit->urls[index], "%s", url);
    kit->requests[index] = (struct http_request){
        .url = slice_of_text(kit->urls[index]),
        .headers = SLICE("content-type: application/json\r\nX-Test: one\r\nX-Empty:\r\n"),
        .body = body,
    };
    http_start(kit->channel, call, &kit->requests[index]);
    return call;
}

static inline struct call_ref kit_start(struct kit *kit, uint32_t index, const char *path,
                                        struct slice body)
{
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", kit->server.port, path);
    return kit_start_url(kit, index, url, body);
}

/* One call from start to end. */
static inline struct heard *kit_call(struct kit *kit, const char *path)
{
    int count = kit->listener.ended;
    (void)kit_start(kit, 0, path, SLICE("{\"a\":1}"));
    kit_await(kit, count + 1);
    return &kit->listener.calls[0];
}

/* One call from start to end, and its error. */
static inline struct heard *kit_call_fails(struct kit *kit, const char *path, enum err err)
{
    kit_open(kit);
    struct heard *heard = kit_call(kit, path);
    if (heard->err != err)
        print_message("%s: %s (%s)\n", path, err_name(heard->err), heard->words);
    assert_int_equal(heard->err, err);
    assert_int_equal(heard->ends, 1);
    assert_int_equal(heard->late, 0);
    assert_true(heard->words[0] != '\0');
    kit_close(kit);
    return heard;
}

/* For the setup and teardown of a file of tests: a kit with a plain server, and nothing left. */
static inline int kit_begin(struct kit *kit)
{
    static const char *const NONE[] = {NULL};
    kit_init(kit);
    server_start(&kit->server, NONE);
    return 0;
}

static inline int kit_finish(struct kit *kit)
{
    server_stop(&kit->server);
    assert_int_equal(memory_live(), 0);
    return 0;
}

#endif
