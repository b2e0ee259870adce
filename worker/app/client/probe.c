#include "app/client/probe.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/instant.h"
#include "io/loop/clock.h"
#include "io/http/once.h"
#include "policy/clock_skew.h"
#include "wire/bedrock/dialects.h"
#include "wire/bedrock/fault.h"
#include "wire/formats/http.h"
#include "wire/bedrock/invocation.h"

#define PIECE_BYTES_MAX  ((size_t)64 * 1024)
#define ANSWER_BYTES_MAX ((size_t)1024 * 1024)
#define COUNTED_BODY                                                                               \
    "{\"input\":{\"converse\":{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hello."   \
    "\"}]}]}}}"

/* A call and its answer; the buffers serve one call after the other. */
struct trial {
    struct buf url, headers;
    struct http_once_answer answer;
};

static void trial_init(struct trial *trial)
{
    buf_init(&trial->url, PIECE_BYTES_MAX);
    buf_init(&trial->headers, PIECE_BYTES_MAX);
    buf_init(&trial->answer.head, HTTP_HEAD_BYTES_MAX);
    buf_init(&trial->answer.body, ANSWER_BYTES_MAX);
}

static void trial_reset(struct trial *trial)
{
    buf_reset(&trial->url);
    buf_reset(&trial->headers);
    buf_reset(&trial->answer.head);
    buf_reset(&trial->answer.body);
}

static void trial_done(struct trial *trial)
{
    buf_done(&trial->url);
    buf_done(&trial->headers);
    buf_done(&trial->answer.head);
    buf_done(&trial->answer.body);
}

/* Writes the meaning of the answer to `probe`. */
static void judge(const struct invocation *invocation, const struct http_once_answer *answer,
                  struct probe *probe)
{
    struct slice body = buf_slice(&answer->body);
    probe->is_answered = true;
    probe->status = answer->status;
    if (answer->status != 200) {
        (void)fault_of_answer(answer->status, buf_slice(&answer->head), body, &probe->why);
        return;
    }
    struct arena arena OWNED_BY(arena_done);
    struct answer said;
    arena_init(&arena, DIALECT_SCRATCH_BYTES(ANSWER_BYTES_MAX));
    struct request request = {.count_tokens = invocation->request->count_tokens};
    struct heard heard = {answer->status, buf_slice(&answer->head), &request, body};
    if (dialect_decode(invocation->dialect, &arena, &heard, &said, &probe->why) == OK)
        why_clear(&probe->why);
}

static void trial_make(struct trial *trial, const struct assembly *assembly,
                       const struct credentials *credentials, const struct invocation *invocation,
                       struct probe *probe)
{
    struct sigv4_key key = {0};
    trial_reset(trial);
    probe->is_answered = false;
    enum err err = invocation_add(&trial->url, &trial->headers, invocation, credentials, &key);
    if (err != OK) {
        (void)why_set(&probe->why, err, NULL, "the call cannot be made: %s", err_words(err));
        return;
    }
    struct http_request request = {
        .url = buf_slice(&trial->url),
        .headers = buf_slice(&trial->headers),
        .body = invocation->body,
    };
    int64_t begun_ms = clock_monotonic_ms();
    err = http_once(&assembly->io.http, &request, PROBE_TIMEOUT_MS, &trial->answer);
    probe->took_ms = clock_monotonic_ms() - begun_ms;
    if (err != OK)
        (void)why_set(&probe->why, err, NULL, "%s", trial->answer.reason);
    else
        judge(invocation, &trial->answer, probe);
}

/* How far the service's clock is ahead, if that may be why it rejected the call; otherwise 0. */
static int64_t clock_offset_ms(const struct probe *probe, struct slice head)
{
    struct clock_skew skew = {0};
    int64_t date_ms;
    struct slice date = http_header(head, "date");
    bool is_refused = probe->why.err == ERR_SIGNATURE || probe->why.err == ERR_CREDENTIALS_OLD;
    bool is_bedrock = http_header(head, "x-amzn-requestid").ptr != NULL;
    if (probe->is_answered && is_refused && is_bedrock && date.ptr != NULL &&
        instant_from_http_date(date, &date_ms))
        (void)clock_skew_hear(&skew, clock_wall_ms(), date_ms);
    return clock_skew_offset_ms(&skew);
}

static bool find_endpoint(const struct assembly *assembly, struct slice region, struct buf *url,
                          struct endpoint *ret_endpoint)
{
    const struct engine_config *engine = &assembly->engine;
    enum err err =
        endpoint_choose_url(url, engine->endpoint_url, region, engine->fips, engine->dual_stack);
    return err == OK && endpoint_read(buf_slice(url), ret_endpoint) == OK;
}

/* Sends the call, and again with the service's time if this clock is off. */
static void call(const struct assembly *assembly, const struct credentials *credentials,
                 struct invocation *invocation, struct probe *probe)
{
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    trial_make(&trial, assembly, credentials, invocation, probe);
    probe->clock_offset_ms = clock_offset_ms(probe, buf_slice(&trial.answer.head));
    if (probe->clock_offset_ms == 0)
        return;
    invocation->wall_ms = clock_wall_ms() + probe->clock_offset_ms;
    trial_make(&trial, assembly, credentials, invocation, probe);
}

static void try_call(const struct assembly *assembly, const struct credentials *credentials,
                     const struct request *asked, bool counts, struct probe *ret_probe)
{
    struct request request = *asked;
    struct slice region = asked->region;
    struct buf url OWNED_BY(buf_done);
    struct endpoint endpoint;
    *ret_probe = (struct probe){0};
    buf_init(&url, sizeof ret_probe->url - 1);
    if (region.len == 0)
        region = assembly->engine.region;
    bool is_known = find_endpoint(assembly, region, &url, &endpoint);
    (void)snprintf(ret_probe->url, sizeof ret_probe->url, "%s", buf_text(&url));
    if (!is_known) {
        (void)why_set(&ret_probe->why, ERR_INVALID, NULL, "no URL for the region %.*s",
                      SLICE_ARG(region));
        return;
    }
    request.traits = traits_of(request.model, request.base_model, request.provider);
    dialect_choose(&request);
    request.count_tokens = counts;
    const struct dialect *dialect = dialect_for(NULL, &request);
    struct invocation invocation = {
        .endpoint = &endpoint,
        .dialect = dialect,
        .request = &request,
        .model = request.model,
        .body = counts ? SLICE(COUNTED_BODY) : slice_of_text(dialect->family->trial_body),
        .region = region,
        .user_agent = assembly->engine.user_agent,
        .wall_ms = clock_wall_ms(),
    };
    call(assembly, credentials, &invocation, ret_probe);
}

void probe_model(const struct assembly *assembly, const struct credentials *credentials,
                 const struct request *asked, struct probe *ret_probe)
{
    try_call(assembly, credentials, asked, false, ret_probe);
}

void probe_count(const struct assembly *assembly, const struct credentials *credentials,
                 const struct request *asked, struct probe *ret_probe)
{
    try_call(assembly, credentials, asked, true, ret_probe);
}
