/* The endpoint of a container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI on 169.254.170.2 (Amazon ECS
 * Developer Guide, "Task IAM role"), or AWS_CONTAINER_CREDENTIALS_FULL_URI (EKS Pod Identity and
 * others; "AWS SDKs and Tools Reference Guide", "Container credential provider"). The token is read
 * for each request, because EKS replaces its file. */
#include <stdio.h>
#include <string.h>

#include "io/aws/asking.h"
#include "wire/aws/metadata.h"

#define ECS_HOST         "http://169.254.170.2"
#define ATTEMPTS         2
#define PAUSE_MS         1000
#define TIMEOUT_MS       5000
#define TOKEN_MAX        ((size_t)64 * 1024)
#define HEADERS_MAX      (TOKEN_MAX + 256)
#define TOKEN_VARIABLE   "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_VARIABLE_2 "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define FULL_VARIABLE    "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define PATH_VARIABLE    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"

/* Writes the URL and its parts. The path may be a secret: texts name the host only. */
static enum err choose_url(struct search *search, struct buf *ret_url, struct endpoint *ret_parts)
{
    const char *path = aws_variable(search->environment, PATH_VARIABLE);
    const char *full = aws_variable(search->environment, FULL_VARIABLE);
    if (path == NULL && full == NULL)
        return search_lacks(search, PATH_VARIABLE " and " FULL_VARIABLE " are not set");
    if (path != NULL && path[0] != '/')
        return search_fail(search, PATH_VARIABLE " does not begin with a slash; correct it");
    if (path != NULL)
        buf_add_text(ret_url, ECS_HOST);
    buf_add_text(ret_url, path != NULL ? path : full);
    const char *name = path != NULL ? PATH_VARIABLE : FULL_VARIABLE;
    if (ret_url->failed == ERR_NO_MEMORY)
        return ERR_NO_MEMORY;
    if (ret_url->failed != OK || !asking_read_url(buf_slice(ret_url), ret_parts))
        return search_fail(search, "%s is not a URL that can be used; correct it", name);
    if (slice_equal_text(ret_parts->scheme, "http") && !asking_is_local(ret_parts->host))
        return search_fail(search,
                           "%s names the host %.*s, to which the worker sends no token without "
                           "TLS; use https, or an address of the container's host",
                           name, SLICE_ARG(ret_parts->host));
    return OK;
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

/* Appends the header with the token, if there is one. */
static enum err add_token(struct search *search, struct buf *headers)
{
    const char *path = aws_variable(search->environment, TOKEN_VARIABLE_2);
    const char *token = aws_variable(search->environment, TOKEN_VARIABLE);
    if (path == NULL && token == NULL)
        return OK;
    char reason[AWS_REASON_MAX];
    struct search_answer file; /* its buf is wiped */
    search_answer_init(&file);
    enum err err = OK;
    if (path != NULL)
        err = search_read_file(search, slice_of_text(path), TOKEN_MAX, &file.body, reason);
    else
        buf_add_text(&file.body, token);
    const char *name = path != NULL ? TOKEN_VARIABLE_2 : TOKEN_VARIABLE;
    if (err != OK)
        err = search_fail_with(search, err, name, reason);
    else if (has_control(buf_slice(&file.body)) || file.body.len == 0)
        err = search_fail(search,
                          "the token of %s is empty or holds a line end or a control character, "
                          "which no header may have; write the token only",
                          name);
    if (err == OK) {
        buf_add_text(headers, "Authorization: ");
        buf_add(headers, buf_slice(&file.body));
        buf_add_text(headers, "\r\n");
        err = headers->failed;
    }
    search_answer_done(&file);
    return err;
}

static enum err read_answer(struct search *search, const struct endpoint *endpoint,
                            const struct search_answer *answer, struct keys *ret_keys)
{
    struct slice host = endpoint->host;
    if (answer->status == 401 || answer->status == 403)
        return search_fail(search,
                           "the container's endpoint %.*s answers %d; check " TOKEN_VARIABLE_2
                           " or " TOKEN_VARIABLE,
                           SLICE_ARG(host), answer->status);
    if (answer->status != 200)
        return search_fail(search,
                           "the container's endpoint %.*s answers %d; check that the task or pod "
                           "has a role",
                           SLICE_ARG(host), answer->status);
    struct arena arena;
    struct key_answer found;
    struct document_fault fault;
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    enum err err = metadata_read(&arena, buf_slice(&answer->body), &found, &fault);
    if (err == ERR_FORMAT)
        err = search_fail(search,
                          "the answer of the container's endpoint %.*s has no keys: %s; check "
                          "that the task or pod has a role",
                          SLICE_ARG(host), fault.words);
    else if (err == OK)
        err = asking_take(search, ret_keys, &found, "the container's role");
    arena_wipe(&arena);
    return err;
}

static enum err fail_unanswered(struct search *search, const struct endpoint *endpoint,
                                enum err err, const struct search_answer *answer)
{
    char who[300];
    (void)snprintf(who, sizeof who, "the container's endpoint %.*s", SLICE_ARG(endpoint->host));
    return asking_fail(search, err, who, answer,
                       "check the agent of ECS or EKS that serves this address");
}

static enum err ask(struct search *search, struct buf *url, const struct endpoint *endpoint,
                    struct keys *ret_keys)
{
    struct search_answer answer, headers; /* an answer's buf, because it is wiped */
    search_answer_init(&answer);
    search_answer_init(&headers);
    bool has_room = buf_reserve(&headers.body, HEADERS_MAX) != NULL; /* it never moves */
    buf_add_text(&headers.body, "Accept: application/json\r\n");
    enum err err = has_room ? add_token(search, &headers.body) : ERR_NO_MEMORY;
    const struct search_request request = {
        .method = HTTP_GET,
        .url = slice_of(buf_text(url), url->len),
        .headers = buf_slice(&headers.body),
        .is_direct = true,
        .timeout_ms = TIMEOUT_MS,
    };
    if (err == OK) {
        err = asking_send(search, &request, ATTEMPTS, PAUSE_MS, &answer);
        if (err != OK)
            err = fail_unanswered(search, endpoint, err, &answer);
        else
            err = read_answer(search, endpoint, &answer, ret_keys);
    }
    search_answer_done(&headers);
    search_answer_done(&answer);
    return err;
}

enum err provider_container(struct search *search, struct keys *ret_keys)
{
    struct buf url OWNED_BY(buf_done);
    struct endpoint endpoint;
    buf_init(&url, ASKING_URL_MAX);
    enum err err = choose_url(search, &url, &endpoint);
    return err == OK ? ask(search, &url, &endpoint, ret_keys) : err;
}
