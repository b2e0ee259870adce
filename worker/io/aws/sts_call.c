#include "io/aws/sts_call.h"

#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "io/aws/asking.h"
#include "io/aws/file.h"
#include "wire/aws/sts.h"
#include "wire/bedrock/endpoint.h"
#include "wire/bedrock/sigv4.h"

#define TIMEOUT_MS    10000
#define TRIES         3
#define PAUSE_MS      500
#define SKEW_LEAST_MS 30000 /* a smaller difference is the network's */

struct call {
    struct search *search;
    const struct credentials *source;
    const char *what;
    char url[ENDPOINT_URL_MAX + 2];
    struct endpoint endpoint;
    struct slice form;
    int64_t skew_ms;
};

/* What STS's refusals mean. */
static const struct {
    const char *code, *remedy;
} REMEDIES[] = {
    {"AccessDenied", "allow sts:AssumeRole to these keys, and let the role's trust policy name "
                     "them and the external_id"},
    {"ExpiredToken", "renew the keys that it is assumed with"},
    {"ExpiredTokenException", "the web identity token is too old: let its file be renewed"},
    {"InvalidIdentityToken", "let the account's identity provider and the role's trust policy name "
                             "the token's issuer and audience"},
    {"IDPRejectedClaim", "let the token's file be renewed, and the role's trust policy fit it"},
    {"InvalidClientTokenId", "AWS does not know the keys that it is assumed with: set others"},
    {"SignatureDoesNotMatch", "the secret key does not belong to the access key, or the clock is "
                              "wrong"},
    {"RegionDisabledException", "activate STS in this region, or set AWS_REGION to another"},
    {"ValidationError", "mend the role's settings"},
};

static const char *remedy_of(const char *code)
{
    for (size_t i = 0; i < COUNT_OF(REMEDIES); i++) {
        if (strcmp(code, REMEDIES[i].code) == 0)
            return REMEDIES[i].remedy;
    }
    return "see the error codes of AWS STS";
}

/* Finds the service. */
static enum err find_url(struct call *call)
{
    struct search *search = call->search;
    const struct aws_environment *environment = search->environment;
    char source[AWS_SOURCE_MAX] = "";
    struct buf url OWNED_BY(buf_done);
    buf_init(&url, ENDPOINT_URL_MAX);
    enum err err = aws_endpoint(environment, "STS", "sts", call->url, source);
    if (err == ERR_NOT_FOUND && search->region[0] == '\0')
        return search_fail(
            search, "%s needs a region for AWS STS: set bedrock.region or AWS_REGION", call->what);
    if (err == ERR_NOT_FOUND) {
        (void)snprintf(source, sizeof source, "region %s", search->region);
        err = endpoint_add_service_url(&url, "sts", slice_of_text(search->region),
                                       environment->fips, environment->dual_stack);
        (void)snprintf(call->url, sizeof call->url, "%s", err == OK ? buf_text(&url) : "");
    }
    if (err == OK)
        err = endpoint_read(slice_of_text(call->url), &call->endpoint);
    if (err == ERR_NO_MEMORY)
        return err;
    if (err != OK)
        return search_fail(search, "%s: there is no URL of AWS STS in %s", call->what, source);
    if (call->endpoint.base_path.len == 0)
        call->endpoint.base_path = SLICE("/");
    return OK;
}

static enum err write_headers(const struct call *call, struct buf *headers)
{
    const struct sigv4_header type = {SLICE("content-type"), SLICE(STS_CONTENT_TYPE)};
    const struct sigv4_request signed_request = {
        .method = SLICE("POST"),
        .host = call->endpoint.host,
        .path = call->endpoint.base_path,
        .headers = &type,
        .header_count = 1,
        .body = call->form,
        .region =
            slice_of_text(call->search->region[0] != '\0' ? call->search->region : "us-east-1"),
        .service = SLICE("sts"),
        .wall_ms = search_wall_ms(call->search) + call->skew_ms,
    };
    struct sigv4_key key = {.scope = ""};
    buf_reset(headers);
    buf_add_text(headers, "Content-Type: " STS_CONTENT_TYPE
                          "\r\nUser-Agent: bedrock-worker/" BEDROCK_VERSION "\r\n");
    enum err err = OK;
    if (call->source != NULL)
        err = sigv4_add_headers(headers, &signed_request, call->source, &key);
    explicit_bzero(&key, sizeof key);
    return err == OK ? headers->failed : err;
}

static enum err send_once(const struct call *call, struct search_answer *ret_answer)
{
    struct buf headers;
    buf_init(&headers, HTTP_HEAD_BYTES_MAX);
    char *room = buf_reserve(&headers, HTTP_HEAD_BYTES_MAX / 2); /* no copy stays behind */
    enum err err = room == NULL ? ERR_NO_MEMORY : write_headers(call, &headers);
    const struct search_request request = {
        .method = HTTP_POST,
        .url = slice_of_text(call->url),
        .headers = buf_slice(&headers),
        .body = call->form,
        .timeout_ms = TIMEOUT_MS,
    };
    search_answer_done(ret_answer);
    search_answer_init(ret_answer);
    if (err == OK)
        err = search_http(call->search, &request, ret_answer);
    file_wipe(&headers);
    return err;
}

/* How far the service's clock is ahead of this machine's, by the Date of its answer. */
static int64_t skew_of(const struct search *search, const struct search_answer *answer)
{
    int64_t date_ms;
    struct slice date = http_header(buf_slice(&answer->head), "date");
    if (date.ptr == NULL || !instant_from_http_date(date, &date_ms))
        return 0;
    int64_t skew_ms = date_ms - search_wall_ms(search);
    return skew_ms > -SKEW_LEAST_MS && skew_ms < SKEW_LEAST_MS ? 0 : skew_ms;
}

/* A foreign text may repeat what it was sent. */
static bool repeats_secret(const struct call *call, const char *message)
{
    if (call->source == NULL)
        return true; /* the token lies in the form; only the code is shown */
    const struct slice secrets[] = {call->source->secret_access_key, call->source->session_token};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        if (secrets[i].len > 0 &&
            memmem(message, strlen(message), secrets[i].ptr, secrets[i].len) != NULL)
            return true;
    }
    return false;
}

static enum err refuse(const struct call *call, const struct search_answer *answer)
{
    struct sts_error error;
    sts_read_error(buf_slice(&answer->body), &error);
    if (error.code[0] == '\0')
        return search_fail(call->search,
                           "%s: %s answers with status %d, and not as AWS STS does; check the URL "
                           "and the proxy",
                           call->what, call->url, answer->status);
    bool is_hidden = error.message[0] == '\0' || repeats_secret(call, error.message);
    return search_fail(call->search, "%s: AWS STS rejects it: %s%s%s; %s", call->what, error.code,
                       is_hidden ? "" : ": ", is_hidden ? "" : error.message,
                       remedy_of(error.code));
}

static bool is_passing(enum err err, const struct search_answer *answer)
{
    struct sts_error error;
    if (err != OK)
        return err == ERR_CONNECTION || err == ERR_TIMEOUT || err == ERR_BROKEN_STREAM;
    if (answer->status >= 500 || answer->status == 429)
        return true;
    if (answer->status == 200)
        return false;
    sts_read_error(buf_slice(&answer->body), &error);
    return strcmp(error.code, "IDPCommunicationError") == 0 ||
           strcmp(error.code, "Throttling") == 0;
}

enum err sts_call(struct search *search, struct slice form, const struct credentials *source,
                  const char *what, struct search_answer *ret_answer, int64_t *ret_skew_ms)
{
    struct call call = {.search = search, .source = source, .what = what, .form = form};
    char asking[ENDPOINT_URL_MAX + STS_CALL_WHAT_MAX];
    enum err err = find_url(&call);
    *ret_skew_ms = 0;
    if (err != OK)
        return err;
    for (int i = 1;; i++) {
        err = send_once(&call, ret_answer);
        call.skew_ms = err == OK ? skew_of(search, ret_answer) : call.skew_ms;
        bool by_clock = err == OK && ret_answer->status == 403 && call.skew_ms != 0;
        bool again = by_clock || is_passing(err, ret_answer);
        if (!again || i == TRIES)
            break;
        if (!search->ports->pause(search->ports->self, by_clock ? 0 : PAUSE_MS * i))
            return ERR_CANCELLED;
    }
    *ret_skew_ms = call.skew_ms;
    (void)snprintf(asking, sizeof asking, "%s: %s", what, call.url);
    if (err != OK)
        return asking_fail(search, err, asking, ret_answer,
                           "check the network, the URL and the proxy");
    return ret_answer->status == 200 ? OK : refuse(&call, ret_answer);
}
