/* A simulator on real sockets, and a plain client that notes what it receives. */
#ifndef IO_SIM_KIT_H
#define IO_SIM_KIT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "sim/sim.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/http.h"

#define ANSWER_BYTES_MAX (8 * 1024 * 1024)
#define PATIENCE_MS      120000 /* limits a wait */
#define MODEL_PATH       "/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse"

struct stand {
    struct sim_config *config;
    struct sim *sim;
    char ledger[64];
};

/* The settings may be changed between stand_prepare and stand_start. */
static void stand_prepare(struct stand *stand, bool signs)
{
    int file;
    stand->config = sim_config_new();
    assert_non_null(stand->config);
    (void)snprintf(stand->ledger, sizeof stand->ledger, "/tmp/bedrock-sim-test-XXXXXX");
    file = mkstemp(stand->ledger);
    assert_true(file >= 0);
    (void)close(file);
    stand->config->auth_required = signs;
    stand->config->ledger_path = slice_of_text(stand->ledger);
}

static void stand_start(struct stand *stand)
{
    stand->sim = sim_new(stand->config);
    assert_non_null(stand->sim);
    assert_int_equal(sim_start(stand->sim), OK);
    assert_true(sim_port(stand->sim) > 0);
}

static void stand_up(struct stand *stand, bool signs)
{
    stand_prepare(stand, signs);
    stand_start(stand);
}

static void stand_down(struct stand *stand)
{
    sim_free(stand->sim);
    sim_config_free(stand->config);
    (void)unlink(stand->ledger);
}

/* The ledger's text; call after sim_stop. */
static const char *stand_ledger(const struct stand *stand)
{
    static char text[1 << 20];
    FILE *file = fopen(stand->ledger, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static int dial(const struct stand *stand)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)sim_port(stand->sim)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *path, const char *headers, const char *body)
{
    char text[8192];
    int len = snprintf(text, sizeof text,
                       "POST %s HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\n%s"
                       "Content-Length: %zu\r\n\r\n%s",
                       path, headers, strlen(body), body);
    assert_true(len > 0 && (size_t)len < sizeof text);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
}

static void say_prompt(int fd, bool stream, const char *prompt)
{
    char body[2048];
    (void)snprintf(body, sizeof body,
                   "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"%s\"}]}]}", prompt);
    say(fd, stream ? MODEL_PATH "-stream" : MODEL_PATH, "", body);
}

/* How the connection was when the answer ended. */
enum ending { ENDED_WHOLE, ENDED_CLOSED, ENDED_RESET, ENDED_LATE };

struct heard {
    struct buf bytes; /* head and body as they came */
    struct slice head;
    struct buf body; /* without chunk sizes */
    int status;      /* 0 = no head came */
    enum ending ending;
};

static void heard_done(struct heard *heard)
{
    buf_done(&heard->bytes);
    buf_done(&heard->body);
}

/* Takes the chunks apart that are there; true at the last one. */
static bool unchunk(struct slice text, struct buf *ret_body)
{
    buf_reset(ret_body);
    for (;;) {
        size_t line = slice_find(text, '\n');
        if (line == text.len)
            return false;
        size_t len = strtoul(text.ptr, NULL, 16);
        buf_add(ret_body, slice_sub(text, line + 1, len));
        if (len == 0)
            return text.len >= line + 3;
        text = slice_sub(text, line + 1 + len + 2, text.len);
    }
}

static bool is_whole(struct heard *heard)
{
    struct slice all = buf_slice(&heard->bytes);
    const char *end = all.len > 0 ? memmem(all.ptr, all.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL)
        return false;
    size_t head_len = (size_t)(end - all.ptr) + 4;
    int64_t length = -1;
    heard->head = slice_sub(all, 0, head_len);
    heard->status = (int)strtol(all.ptr + 9, NULL, 10);
    struct slice rest = slice_sub(all, head_len, all.len);
    if (!slice_to_int64(http_header(heard->head, "content-length"), &length))
        return unchunk(rest, &heard->body);
    buf_reset(&heard->body);
    buf_add(&heard->body, slice_sub(rest, 0, (size_t)length));
    return rest.len >= (size_t)length;
}

static void hear(int fd, size_t most, struct heard *ret_heard)
{
    static char room[65536];
    memset(ret_heard, 0, sizeof *ret_heard);
    buf_init(&ret_heard->bytes, ANSWER_BYTES_MAX);
    buf_init(&ret_heard->body, ANSWER_BYTES_MAX);
    ret_heard->ending = ENDED_WHOLE;
    while (!is_whole(ret_heard)) {
        ssize_t got = recv(fd, room, sizeof room, 0);
        if (got <= 0) {
            ret_heard->ending = got == 0              ? ENDED_CLOSED
                                : errno == ECONNRESET ? ENDED_RESET
                                                      : ENDED_LATE;
            return;
        }
        buf_add(&ret_heard->bytes, slice_of(room, (size_t)got));
        assert_int_equal(ret_heard->bytes.failed, OK);
        if (ret_heard->bytes.len > most) {
            ret_heard->ending = ENDED_LATE;
            return;
        }
    }
}

UNUSED static void ask(const struct stand *stand, bool stream, const char *prompt,
                       struct heard *ret_heard)
{
    int fd = dial(stand);
    say_prompt(fd, stream, prompt);
    hear(fd, ANSWER_BYTES_MAX / 2, ret_heard);
    (void)close(fd);
}

/* Counts the whole frames in a body; *ret_err is the reader's result at its end. */
static size_t count_frames(const struct heard *heard, bool *ret_between, enum err *ret_err)
{
    struct event_reader reader;
    struct event event;
    size_t count = 0;
    event_reader_init(&reader, 1 << 20);
    assert_int_equal(event_reader_hear(&reader, buf_slice(&heard->body)), OK);
    while ((*ret_err = event_reader_next(&reader, &event)) == OK)
        count++;
    *ret_between = event_reader_is_between(&reader);
    event_reader_done(&reader);
    return count;
}

/* Waits until `begun` calls have reached the simulator and `open` of them have not ended: up to
 * two minutes for each next one. */
UNUSED static void await_calls(const struct stand *stand, int64_t begun, int64_t open)
{
    struct timespec pause = {.tv_nsec = 10000000};
    struct sim_stats stats;
    int64_t seen = 0;
    for (long waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 10) {
        sim_stats(stand->sim, &stats);
        if (stats.calls == begun && stats.open == open)
            return;
        if (stats.calls > seen)
            waited_ms = 0;
        seen = stats.calls;
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("%lld calls begun, %lld open", (long long)stats.calls, (long long)stats.open);
}

#endif
