/* A search for AWS keys without a network: its ports give scripted answers, its clock moves only by
 * pauses and time-outs, its variables are a table, and its home is a folder of the test. */
#ifndef IO_SEARCH_KIT_H
#define IO_SEARCH_KIT_H

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/aws/chain.h"

#define KIT_WALL_MS       INT64_C(1796014800000) /* 2026-11-30T05:00:00Z */
#define KIT_VARIABLES_MAX 16
#define KIT_ANSWERS_MAX   16
#define KIT_REQUESTS_MAX  64
#define KIT_TEXT_MAX      4096

struct kit_request {
    enum http_method method;
    char url[KIT_TEXT_MAX], headers[KIT_TEXT_MAX], body[KIT_TEXT_MAX];
    bool is_direct;
    int64_t timeout_ms;
};

struct kit_answer {
    enum err err; /* not OK: there is no answer; ERR_TIMEOUT costs the request's time */
    int status;
    const char *body;
};

struct kit {
    struct {
        const char *name, *value;
    } variables[KIT_VARIABLES_MAX];
    size_t variable_count;
    struct kit_answer answers[KIT_ANSWERS_MAX]; /* in turn; the last one again and again */
    size_t answer_count;
    struct kit_request requests[KIT_REQUESTS_MAX];
    size_t request_count;
    int64_t wall_ms;
    bool is_cancelled; /* at the next pause */
    char home[64], notes[KIT_TEXT_MAX];
    struct aws_environment environment;
    struct search_ports ports;
    struct search search;
    struct keys keys;
};

static const char *kit_lookup(void *self, const char *name)
{
    struct kit *kit = self;
    if (strcmp(name, "HOME") == 0)
        return kit->home;
    for (size_t i = 0; i < kit->variable_count; i++) {
        if (strcmp(kit->variables[i].name, name) == 0)
            return kit->variables[i].value;
    }
    return NULL;
}

static enum err kit_http(void *self, const struct search_request *request,
                         struct search_answer *ret_answer)
{
    struct kit *kit = self;
    assert_true(kit->request_count < KIT_REQUESTS_MAX);
    assert_true(kit->answer_count > 0);
    size_t next =
        kit->request_count < kit->answer_count ? kit->request_count : kit->answer_count - 1;
    struct kit_request *seen = &kit->requests[kit->request_count++];
    seen->method = request->method;
    slice_write(request->url, seen->url, sizeof seen->url);
    slice_write(request->headers, seen->headers, sizeof seen->headers);
    slice_write(request->body, seen->body, sizeof seen->body);
    assert_int_equal(request->url.ptr[request->url.len], '\0');
    seen->is_direct = request->is_direct;
    seen->timeout_ms = request->timeout_ms;
    const struct kit_answer *answer = &kit->answers[next];
    if (answer->err == ERR_TIMEOUT)
        kit->wall_ms += request->timeout_ms;
    if (answer->err != OK) {
        (void)snprintf(ret_answer->reason, sizeof ret_answer->reason, "scripted");
        return answer->err;
    }
    ret_answer->status = answer->status;
    buf_add_text(&ret_answer->head, "HTTP/1.1 200 x\r\n\r\n");
    buf_add_text(&ret_answer->body, answer->body);
    return ret_answer->body.failed;
}

static int64_t kit_wall_ms(void *self)
{
    return ((struct kit *)self)->wall_ms;
}

static bool kit_pause(void *self, int64_t ms)
{
    struct kit *kit = self;
    kit->wall_ms += ms;
    return !kit->is_cancelled;
}

static int kit_cancel_fd(void *self)
{
    (void)self;
    return -1;
}

static void kit_note(void *self, const char *who, struct slice text)
{
    struct kit *kit = self;
    (void)snprintf(kit->notes, sizeof kit->notes, "%s: %.*s", who, SLICE_ARG(text));
}

/* Makes an empty kit with a new home. */
static inline struct kit *kit_new(void)
{
    struct kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    kit->wall_ms = KIT_WALL_MS;
    (void)snprintf(kit->home, sizeof kit->home, "/tmp/bedrock-search-XXXXXX");
    assert_non_null(mkdtemp(kit->home));
    kit->ports = (struct search_ports){.self = kit,
                                       .http = kit_http,
                                       .wall_ms = kit_wall_ms,
                                       .pause = kit_pause,
                                       .cancel_fd = kit_cancel_fd,
                                       .note = kit_note};
    keys_init(&kit->keys);
    return kit;
}

static inline void kit_set(struct kit *kit, const char *name, const char *value)
{
    for (size_t i = 0; i < kit->variable_count; i++) {
        if (strcmp(kit->variables[i].name, name) == 0) {
            kit->variables[i].value = value;
            return;
        }
    }
    assert_true(kit->variable_count < KIT_VARIABLES_MAX);
    kit->variables[kit->variable_count].name = name;
    kit->variables[kit->variable_count++].value = value;
}

/* Gives the next request this answer; the last one is given again and again. */
static inline void kit_answer(struct kit *kit, int status, const char *body)
{
    assert_true(kit->answer_count < KIT_ANSWERS_MAX);
    kit->answers[kit->answer_count++] = (struct kit_answer){OK, status, body};
}

static inline void kit_fail(struct kit *kit, enum err err)
{
    assert_true(kit->answer_count < KIT_ANSWERS_MAX);
    kit->answers[kit->answer_count++] = (struct kit_answer){err, 0, ""};
}

/* The path of a file below the home. */
static inline const char *kit_path(const struct kit *kit, const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", kit->home, name);
    return path;
}

/* Writes a file below the home, with its folders. */
static inline void kit_write(struct kit *kit, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s", kit_path(kit, name));
    for (char *at = path + strlen(kit->home) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Reads a file below the home. */
static inline const char *kit_read(struct kit *kit, const char *name)
{
    static char text[KIT_TEXT_MAX];
    FILE *file = fopen(kit_path(kit, name), "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

/* Runs the provider in the environment as it is now, from the first answer on. */
static inline enum err kit_find(struct kit *kit, provider *find)
{
    char reason[AWS_REASON_MAX];
    kit->request_count = 0;
    keys_done(&kit->keys);
    enum err err = aws_environment_load(&kit->environment, kit_lookup, kit, "", reason);
    if (err == OK) {
        search_init(&kit->search, &kit->environment, &kit->ports);
        err = find(&kit->search, &kit->keys);
    }
    aws_environment_done(&kit->environment);
    return err;
}

/* The provider finds this key id. */
static inline void kit_must_find(struct kit *kit, provider *find, const char *id)
{
    enum err err = kit_find(kit, find);
    if (err != OK)
        fail_msg("%s: %s", err_name(err), kit->search.reason);
    assert_slice(kit->keys.credentials.access_key_id, id);
}

/* The provider refuses with a reason that has this part and no canary. */
static inline void kit_must_refuse(struct kit *kit, provider *find, enum err err, const char *part)
{
    assert_int_equal(kit_find(kit, find), err);
    if (strstr(kit->search.reason, part) == NULL)
        fail_msg("`%s` is not in: %s", part, kit->search.reason);
    assert_null(strstr(kit->search.reason, "canary"));
    assert_null(strstr(kit->notes, "canary"));
    assert_int_equal(kit->keys.source[0], '\0');
}

static inline void kit_free(struct kit *kit)
{
    char command[128];
    keys_done(&kit->keys);
    (void)snprintf(command, sizeof command, "rm -rf %s", kit->home);
    assert_int_equal(system(command), 0);
    free(kit);
}

#endif
