/* The role of an EC2 instance. One search is a session of the metadata service: a token, with which
 * it asks for the role's name and then for its keys. Version 1, without tokens, is never asked: a
 * proxy that can be tricked into requests could give its keys away. All requests go there directly,
 * never through a proxy, and no redirect is followed. */
#include "io/aws/instance.h"

#include <stdio.h>
#include <string.h>

#include "io/aws/asking.h"
#include "wire/aws/metadata.h"
#include "wire/formats/text.h"

#define ENDPOINT_V4    "http://169.254.169.254"
#define ENDPOINT_V6    "http://[fd00:ec2::254]"
#define TOKEN_SECONDS  "21600"
#define TOKEN_MAX      4096
#define NAME_MAX_BYTES 128
#define ATTEMPTS       3 /* botocore: 1, for a person waits for it */
#define ATTEMPTS_MAX   5
#define PAUSE_MS       250
#define TIMEOUT_MS     1000
#define REQUEST_MAX_MS 5000 /* all attempts of one request: a search of three asks 20 s */
#define EXTENDED_MS                                                                                \
    (INT64_C(10) * 60 * 1000) /* the life of keys that the service has not renewed */
#define URL_VARIABLE  "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define MODE_VARIABLE "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
#define ROLES_PATH    "/latest/meta-data/iam/security-credentials/"

/* A session. */
struct session {
    struct search *search;
    struct buf base; /* the URL without a slash at its end */
    int attempts;
    int64_t timeout_ms;
    struct buf headers; /* the token's header: a secret */
};

/* ---- settings ---- */

/* A variable, or else a property of the environment's profile; null = neither. */
static struct slice choose(const struct search *search, const char *variable, const char *property)
{
    const char *value = aws_variable(search->environment, variable);
    if (value != NULL)
        return slice_of_text(value);
    return aws_property(search->environment, slice_of_text(search->environment->profile), property);
}

static int64_t choose_number(const struct search *search, const char *variable,
                             const char *property, int64_t otherwise)
{
    int64_t number;
    struct slice text = choose(search, variable, property);
    return text.ptr != NULL && slice_to_int64(text, &number) && number > 0 ? number : otherwise;
}

static enum err choose_base(struct session *session)
{
    struct search *search = session->search;
    struct slice url = choose(search, URL_VARIABLE, "ec2_metadata_service_endpoint");
    struct slice mode = choose(search, MODE_VARIABLE, "ec2_metadata_service_endpoint_mode");
    struct slice ipv6 = choose(search, "AWS_IMDS_USE_IPV6", "imds_use_ipv6");
    bool is_v6 = mode.ptr != NULL ? slice_equal_nocase(mode, SLICE("ipv6"))
                                  : slice_equal_nocase(ipv6, SLICE("true"));
    if (mode.ptr != NULL && !is_v6 && !slice_equal_nocase(mode, SLICE("ipv4")))
        return search_fail(search,
                           MODE_VARIABLE " or ec2_metadata_service_endpoint_mode is neither IPv4 "
                                         "nor IPv6; correct it");
    struct endpoint endpoint;
    if (url.ptr == NULL)
        url = is_v6 ? SLICE(ENDPOINT_V6) : SLICE(ENDPOINT_V4);
    if (endpoint_read(url, &endpoint) != OK)
        return search_fail(search, URL_VARIABLE " or ec2_metadata_service_endpoint is not a URL "
                                                "that can be used; correct it");
    while (slice_ends(url, SLICE("/")))
        url.len--;
    buf_add(&session->base, url);
    return session->base.failed;
}

/* Begins a session, without a token yet. */
static enum err session_init(struct session *session, struct search *search)
{
    *session = (struct session){.search = search};
    buf_init(&session->base, ENDPOINT_URL_MAX);
    buf_init(&session->headers, TOKEN_MAX + 64);
    if (buf_reserve(&session->headers, TOKEN_MAX + 64) == NULL) /* it never moves */
        return ERR_NO_MEMORY;
    const char *disabled = aws_variable(search->environment, "AWS_EC2_METADATA_DISABLED");
    if (disabled != NULL && slice_equal_nocase(slice_of_text(disabled), SLICE("true")))
        return search_lacks(search, "AWS_EC2_METADATA_DISABLED is true");
    int64_t attempts = choose_number(search, "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
                                     "metadata_service_num_attempts", ATTEMPTS);
    int64_t seconds = choose_number(search, "AWS_METADATA_SERVICE_TIMEOUT",
                                    "metadata_service_timeout", TIMEOUT_MS / 1000);
    session->attempts = attempts < ATTEMPTS_MAX ? (int)attempts : ATTEMPTS_MAX;
    int64_t most = REQUEST_MAX_MS / session->attempts;
    session->timeout_ms = seconds < most / 1000 ? seconds * 1000 : most;
    return choose_base(session);
}

static void session_done(struct session *session)
{
    struct search_answer headers = {.body = session->headers};
    search_answer_done(&headers); /* wipes */
    buf_done(&session->base);
}

/* ---- requests ---- */

/* Asks for a path: `base` without its failure and the path make the URL. */
static enum err ask(struct session *session, enum http_method method, const char *path,
                    const char *more, struct search_answer *ret_answer)
{
    struct buf url OWNED_BY(buf_done);
    buf_init(&url, ASKING_URL_MAX);
    buf_add(&url, buf_slice(&session->base));
    buf_add_text(&url, path);
    buf_add_text(&url, more);
    if (url.failed != OK)
        return url.failed;
    const struct search_request request = {
        .method = method,
        .url = slice_of(buf_text(&url), url.len),
        .headers = buf_slice(&session->headers),
        .is_direct = true,
        .timeout_ms = session->timeout_ms,
    };
    return asking_send(session->search, &request, session->attempts, PAUSE_MS, ret_answer);
}

/* Fails for an answer that is not what it should be. */
static enum err fail_at(struct session *session, const char *what, int status)
{
    return search_fail(session->search,
                       "the metadata service %.*s answers %d for %s; try again "
                       "later, or set AWS_EC2_METADATA_DISABLED=true",
                       SLICE_ARG(buf_slice(&session->base)), status, what);
}

static enum err fail_unanswered(struct session *session, enum err err,
                                const struct search_answer *answer)
{
    char who[300];
    (void)snprintf(who, sizeof who, "the metadata service %.*s",
                   SLICE_ARG(slice_sub(buf_slice(&session->base), 0, 256)));
    return asking_fail(session->search, err, who, answer,
                       "is there another server at this address?");
}

static enum err read_token(struct session *session, const struct search_answer *answer)
{
    struct slice token = buf_slice(&answer->body);
    bool is_token = token.len > 0 && token.len <= TOKEN_MAX;
    for (size_t i = 0; is_token && i < token.len; i++)
        is_token = token.ptr[i] > ' ' && token.ptr[i] <= '~';
    if (!is_token)
        return search_fail(session->search,
                           "the answer of the metadata service %.*s is not a token; is there "
                           "another server at this address?",
                           SLICE_ARG(buf_slice(&session->base)));
    buf_reset(&session->headers);
    buf_add_text(&session->headers, "x-aws-ec2-metadata-token: ");
    buf_add(&session->headers, token);
    buf_add_text(&session->headers, "\r\n");
    return session->headers.failed;
}

/* Gets the session's token. Without any answer there is no instance; a container on one whose hop
 * limit is 1 looks the same. */
static enum err session_open(struct session *session)
{
    struct search_answer answer;
    search_answer_init(&answer);
    buf_add_text(&session->headers, "x-aws-ec2-metadata-token-ttl-seconds: " TOKEN_SECONDS "\r\n");
    enum err err = ask(session, HTTP_PUT, "/latest/api/token", "", &answer);
    struct slice base = buf_slice(&session->base);
    if (err == ERR_CONNECTION || err == ERR_TIMEOUT)
        err = search_lacks(session->search,
                           "no metadata service answers at %.*s (on EC2, a container needs a hop "
                           "limit of 2)",
                           SLICE_ARG(base));
    else if (err != OK)
        err = fail_unanswered(session, err, &answer);
    else if (answer.status == 403 || answer.status == 404 || answer.status == 405)
        err = search_lacks(session->search,
                           "the metadata service %.*s has no version 2 (it answers %d)",
                           SLICE_ARG(base), answer.status);
    else if (answer.status != 200)
        err = fail_at(session, "a token", answer.status);
    else
        err = read_token(session, &answer);
    search_answer_done(&answer);
    return err;
}

/* Asks for a text with the session's token. ERR_NOT_FOUND: 404. */
static enum err session_get(struct session *session, const char *path, const char *more,
                            const char *what, struct search_answer *ret_answer)
{
    enum err err = ask(session, HTTP_GET, path, more, ret_answer);
    if (err != OK)
        return fail_unanswered(session, err, ret_answer);
    if (ret_answer->status == 404)
        return ERR_NOT_FOUND;
    return ret_answer->status == 200 ? OK : fail_at(session, what, ret_answer->status);
}

/* ---- the role ---- */

/* The name of an IAM role: letters, digits and `+=,.@_-`, at the begin of the first line. */
static bool read_name(struct slice text, char ret_name[NAME_MAX_BYTES + 1])
{
    struct slice name = slice_trim(slice_sub(text, 0, slice_find(text, '\n')));
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if (!is_letter && !(byte >= '0' && byte <= '9') &&
            slice_find(SLICE("+=,.@_-"), byte) == sizeof "+=,.@_-" - 1)
            return false;
    }
    slice_write(name, ret_name, NAME_MAX_BYTES + 1);
    return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

static enum err find_role(struct session *session, char ret_name[NAME_MAX_BYTES + 1])
{
    struct search_answer answer;
    search_answer_init(&answer);
    enum err err = session_get(session, ROLES_PATH, "", "the role", &answer);
    if (err == ERR_NOT_FOUND)
        err = search_lacks(session->search, "the instance has no role");
    else if (err == OK && !read_name(buf_slice(&answer.body), ret_name))
        err = search_fail(session->search,
                          "the metadata service %.*s names no role; give the instance a role",
                          SLICE_ARG(buf_slice(&session->base)));
    search_answer_done(&answer);
    return err;
}

/* Takes the keys. The service may be late to renew them: expired ones are used on, because they may
 * be valid for longer than they say ("AWS SDKs and Tools Reference Guide", "IMDS credential
 * provider": static stability). */
static enum err take(struct session *session, struct slice text, struct keys *ret_keys)
{
    struct arena arena;
    struct key_answer found;
    struct document_fault fault;
    arena_init(&arena, DOCUMENT_ARENA_BYTES);
    enum err err = metadata_read(&arena, text, &found, &fault);
    int64_t now_ms = search_wall_ms(session->search);
    if (err == OK && found.expires_wall_ms <= now_ms) {
        found.expires_wall_ms = now_ms + EXTENDED_MS;
        search_note(session->search, "instance",
                    SLICE("the metadata service has not renewed the keys; they are used on"));
    }
    if (err == ERR_FORMAT)
        err = search_fail(session->search,
                          "the metadata service %.*s gives no keys for the instance's role: %s; "
                          "check the role and its trust policy",
                          SLICE_ARG(buf_slice(&session->base)), fault.words);
    else if (err == OK)
        err = asking_take(session->search, ret_keys, &found, "the instance's role");
    arena_wipe(&arena);
    return err;
}

static enum err find_keys(struct session *session, struct keys *ret_keys)
{
    char name[NAME_MAX_BYTES + 1];
    enum err err = session_open(session);
    if (err == OK)
        err = find_role(session, name);
    if (err != OK)
        return err;
    struct search_answer answer;
    search_answer_init(&answer);
    err = session_get(session, ROLES_PATH, name, "the role's keys", &answer);
    if (err == ERR_NOT_FOUND)
        err = fail_at(session, "the role's keys", answer.status);
    if (err == OK)
        err = take(session, buf_slice(&answer.body), ret_keys);
    search_answer_done(&answer);
    return err;
}

enum err provider_instance(struct search *search, struct keys *ret_keys)
{
    struct session session;
    enum err err = session_init(&session, search);
    if (err == OK)
        err = find_keys(&session, ret_keys);
    session_done(&session);
    return err;
}

/* ---- the region ---- */

/* Appends the region: of `placement/region`, or else of the zone, whose last letter is cut. */
static enum err find_region(struct session *session, struct buf *ret_region)
{
    struct search_answer answer;
    search_answer_init(&answer);
    enum err err =
        session_get(session, "/latest/meta-data/placement/region", "", "the region", &answer);
    size_t cut = 0;
    if (err == ERR_NOT_FOUND) {
        search_answer_done(&answer);
        search_answer_init(&answer);
        cut = 1;
        err = session_get(session, "/latest/meta-data/placement/availability-zone/", "",
                          "the availability zone", &answer);
    }
    struct slice region = slice_trim(buf_slice(&answer.body));
    region = slice_sub(region, 0, region.len > cut ? region.len - cut : 0);
    if (err == OK && text_is_region(region))
        buf_add(ret_region, region);
    else if (err == OK || err == ERR_NOT_FOUND)
        err = search_lacks(session->search, "the metadata service names no region");
    search_answer_done(&answer);
    return err == OK ? ret_region->failed : err;
}

enum err instance_find_region(struct search *search, struct buf *ret_region)
{
    struct session session;
    enum err err = session_init(&session, search);
    if (err == OK)
        err = session_open(&session);
    if (err == OK)
        err = find_region(&session, ret_region);
    session_done(&session);
    return err;
}
