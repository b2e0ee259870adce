#include "app/commands/check_bedrock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/client/caller.h"
#include "app/client/probe.h"
#include "app/client/refusal.h"
#include "base/memory.h"
#include "io/aws/alone.h"
#include "io/aws/chain.h"
#include "wire/formats/text.h"

#define MODELS_MAX       64 /* that are called */
#define SOME_MODEL       "amazon.nova-micro-v1:0"
#define REGION_WORDS_MAX 192

/* A model of the settings. */
struct candidate {
    struct slice setting; /* alias, or "default" */
    struct slice model, region, api;
    struct slice provider, base_model; /* null = not given */
    uint32_t identity;                 /* as whom it is called */
};

static bool is_listed(const struct candidate *candidates, size_t count,
                      const struct candidate *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(candidates[i].model, wanted->model) &&
            slice_equal(candidates[i].region, wanted->region) &&
            slice_equal(candidates[i].api, wanted->api) &&
            candidates[i].identity == wanted->identity)
            return true;
    return false;
}

static struct candidate candidate_of(const struct model_alias *alias)
{
    struct candidate candidate = {.setting = alias->name,
                                  .model = alias->id,
                                  .region = alias->region,
                                  .identity = alias->identity};
    if (!slice_equal_text(alias->api, "auto"))
        candidate.api = alias->api;
    if (alias->presets != NULL) {
        candidate.provider = alias->presets->provider;
        candidate.base_model = alias->presets->base_model;
    }
    return candidate;
}

static struct request request_of(const struct candidate *candidate)
{
    return (struct request){
        .model = candidate->model,
        .region = candidate->region,
        .api = candidate->api,
        .provider = candidate->provider,
        .base_model = candidate->base_model,
    };
}

/* Collects the models of the aliases, then models.default if it is an id: each once, at most
 * MODELS_MAX. */
static size_t list_candidates(const struct settings *settings,
                              struct candidate ret_candidates[MODELS_MAX])
{
    const struct setting_aliases *aliases = &settings->models_aliases;
    struct slice preset = settings->models_default;
    bool is_id = preset.len > 0;
    size_t count = 0;
    for (size_t i = 0; i < aliases->count; i++) {
        const struct model_alias *alias = &aliases->list[i];
        is_id = is_id && !slice_equal(alias->name, preset);
        struct candidate candidate = candidate_of(alias);
        if (count < MODELS_MAX - 1 && !is_listed(ret_candidates, count, &candidate))
            ret_candidates[count++] = candidate;
    }
    const struct candidate by_default = {.setting = SLICE("default"), .model = preset};
    if (is_id && !is_listed(ret_candidates, count, &by_default))
        ret_candidates[count++] = by_default;
    return count;
}

/* Does the answer look like Bedrock's, whose errors have types? */
static bool is_answered(const struct probe *probe)
{
    return probe->is_answered && (probe->why.err == OK || probe->why.type[0] != '\0');
}

static void report_endpoint(struct checking *checking, const struct probe *probe)
{
    char words[sizeof probe->url + sizeof probe->why.message + 128];
    if (!is_answered(probe))
        (void)snprintf(
            words, sizeof words,
            "%s: %s; check the region, the network, bedrock.endpoint_url, bedrock.proxy and "
            "bedrock.ca_bundle",
            probe->url, probe->why.message);
    else if (probe->clock_offset_ms == 0)
        (void)snprintf(words, sizeof words, "%s answers (%lld ms)", probe->url,
                       (long long)probe->took_ms);
    else
        (void)snprintf(words, sizeof words,
                       "%s answers; this machine's clock is %lld s %s, and the worker signs with "
                       "the service's time",
                       probe->url, llabs((long long)probe->clock_offset_ms / 1000),
                       probe->clock_offset_ms > 0 ? "behind" : "ahead");
    report_is(checking, is_answered(probe), "endpoint", words);
}

/* Whose answers about models are asked for. */
struct asking {
    const struct assembly *assembly;
    const struct credentials *credentials;
    bool has_token; /* the credentials are a bearer token */
};

/* What CountTokens says about a model whose empty request did not tell. Refusals count if they are
 * of this model: CountTokens is asked for the model of an inference profile, which the region need
 * not serve, and may need a right that calls do not. */
static enum refusal_kind count_candidate(const struct asking *asking,
                                         const struct candidate *candidate, struct probe *probe)
{
    const struct request request = request_of(candidate);
    struct probe count;
    struct slice name = traits_of(request.model, request.base_model, request.provider).name;
    probe_count(asking->assembly, asking->credentials, &request, &count);
    if (count.is_answered && count.why.err == OK)
        return REFUSAL_BY_MODEL;
    if (!count.is_answered || count.why.err != ERR_REJECTED ||
        !slice_equal(name, candidate->model) || refusal_of(&count.why).kind != REFUSAL_OF_MODEL)
        return REFUSAL_UNKNOWN;
    *probe = count;
    return REFUSAL_OF_MODEL;
}

/* Says that the region does not fit an inference profile; nothing where it does. */
static void describe_region(const struct asking *asking, const struct candidate *candidate,
                            char ret_words[REGION_WORDS_MAX])
{
    struct slice region = candidate->region;
    if (region.len == 0)
        region = asking->assembly->engine.region;
    const char *regions = refusal_regions(candidate->model, region);
    ret_words[0] = '\0';
    if (regions != NULL)
        (void)snprintf(ret_words, REGION_WORDS_MAX,
                       "; this profile is called from regions %s…, and the region is %.*s", regions,
                       SLICE_ARG(slice_sub(region, 0, TEXT_REGION_MAX)));
}

/* What is wrong with a model, or why it was not checked. */
static void report_trouble(struct checking *checking, const struct asking *asking,
                           const struct candidate *candidate, const struct probe *probe,
                           enum verdict verdict)
{
    char what[160], words[sizeof probe->why.message + 1024], where[REGION_WORDS_MAX];
    struct refusal refusal = refusal_of(&probe->why);
    describe_region(asking, candidate, where);
    bool is_token = asking->has_token && probe->why.err == ERR_ACCESS_DENIED;
    (void)snprintf(what, sizeof what, "models %.*s", SLICE_ARG(candidate->setting));
    (void)snprintf(words, sizeof words, "%.*s%s: %s%s%s; Bedrock answers %d %s: %s",
                   SLICE_ARG(candidate->model), verdict == VERDICT_WARN ? " was not checked" : "",
                   refusal.text,
                   is_token ? "; the token of AWS_BEARER_TOKEN_BEDROCK may be wrong or expired, or "
                              "need bedrock:CallWithBearerToken"
                            : "",
                   where, probe->status, probe->why.type, probe->why.message);
    report(checking, verdict, what, words);
}

/* `kind` of the answer to the free call; `is_counted`: CountTokens has answered. */
static void report_usable(struct checking *checking, const struct candidate *candidate,
                          const struct probe *probe, enum refusal_kind kind, bool is_counted)
{
    char what[160], words[sizeof probe->why.message + 768], other[WHY_TYPE_MAX + 64];
    const char *rest = other;
    (void)snprintf(what, sizeof what, "models %.*s", SLICE_ARG(candidate->setting));
    (void)snprintf(other, sizeof other, "the free test call gets %d %s", probe->status,
                   probe->why.type);
    if (kind == REFUSAL_BY_MODEL)
        rest = "the model rejects the free test call, as it should";
    else if (kind == REFUSAL_OF_PROBE && is_counted)
        rest = "the free test call is rejected, as it should be";
    else if (kind == REFUSAL_OF_PROBE)
        rest = "the free test call is rejected, as it should be (perhaps before Bedrock looks at "
               "the model: the first request tells)";
    (void)snprintf(words, sizeof words, "%.*s: the credentials are accepted; %s%s",
                   SLICE_ARG(candidate->model), is_counted ? "Bedrock counts tokens for it; " : "",
                   probe->why.err == OK ? "the test call succeeds" : rest);
    report(checking, VERDICT_OK, what, words);
}

/* Reports what the answer to the empty request says; where it cannot tell, CountTokens is asked. */
static void report_model(struct checking *checking, const struct asking *asking,
                         const struct candidate *candidate, struct probe *probe)
{
    enum refusal_kind kind = probe->why.err == OK ? REFUSAL_BY_MODEL : refusal_of(&probe->why).kind;
    enum refusal_kind counted = REFUSAL_UNKNOWN;
    bool is_open = kind != REFUSAL_BY_MODEL && kind != REFUSAL_OF_MODEL;
    if (is_open)
        counted = count_candidate(asking, candidate, probe);
    if (kind == REFUSAL_OF_MODEL || counted == REFUSAL_OF_MODEL)
        report_trouble(checking, asking, candidate, probe, VERDICT_FAIL);
    else if (is_open && kind != REFUSAL_OF_PROBE && counted == REFUSAL_UNKNOWN)
        report_trouble(checking, asking, candidate, probe, VERDICT_WARN);
    else
        report_usable(checking, candidate, probe, kind, counted == REFUSAL_BY_MODEL);
}

static struct asking asking_of(const struct assembly *assembly, const struct keys *keys)
{
    return (struct asking){assembly, &keys->credentials, keys->credentials.bearer_token.len > 0};
}

static bool is_about_credentials(enum err err)
{
    return err == ERR_SIGNATURE || err == ERR_CREDENTIALS_OLD || err == ERR_NO_CREDENTIALS;
}

/* Reports that no request was sent, because it could not be signed. */
static bool is_unsent(const struct probe *probe)
{
    return !probe->is_answered && probe->why.err == ERR_NO_CREDENTIALS;
}

/* Keys and what is said of them: those of the default identity, or of the first alias that has
 * them.
 */
struct identity_keys {
    struct keys keys;
    uint32_t number;
    struct slice alias; /* null = the default identity */
};

/* Reports about an identity: "credentials", or "credentials of NAME". */
static void report_about(struct checking *checking, enum verdict verdict, const char *what,
                         const struct identity_keys *own, const char *words)
{
    char label[192];
    (void)snprintf(label, sizeof label, "%s%s%.*s", what, own->alias.len > 0 ? " of " : "",
                   SLICE_ARG(own->alias));
    report(checking, verdict, label, words);
}

static void report_rejected(struct checking *checking, const struct identity_keys *own,
                            const struct why *why)
{
    const char *source = own->keys.source;
    char words[AWS_REASON_MAX + WHY_MESSAGE_MAX + 256];
    struct refusal refusal = refusal_of(why);
    const char *remedy = refusal.kind == REFUSAL_OF_KEYS ? refusal.text : "";
    if (why->err == ERR_NO_CREDENTIALS)
        (void)snprintf(words, sizeof words, "no signature can be made with those from %s", source);
    else
        (void)snprintf(words, sizeof words, "Bedrock rejects those from %s: %s: %s%s%s", source,
                       why->type, why->message, remedy[0] != '\0' ? "; " : "", remedy);
    report_about(checking, VERDICT_FAIL, "credentials", own, words);
}

/* Calls each model of an identity. The first model of a region shows whether its endpoint answers;
 * rejected credentials end the calls. */
static void try_models(struct checking *checking, const struct assembly *assembly,
                       const struct identity_keys *own, const struct candidate *candidates,
                       size_t count)
{
    bool is_there[MODELS_MAX] = {false};
    const struct asking asking = asking_of(assembly, &own->keys);
    char last_url[ENDPOINT_URL_MAX + 1] = "";
    for (size_t i = 0; i < count; i++) {
        struct probe probe;
        size_t first = 0;
        if (candidates[i].identity != own->number)
            continue;
        while (candidates[first].identity != own->number ||
               !slice_equal(candidates[first].region, candidates[i].region))
            first++;
        if (first < i && !is_there[first])
            continue;
        const struct request request = request_of(&candidates[i]);
        probe_model(assembly, &own->keys.credentials, &request, &probe);
        is_there[i] = is_answered(&probe);
        if (is_unsent(&probe)) {
            report_rejected(checking, own, &probe.why);
            return;
        }
        if (!is_there[i] || strcmp(probe.url, last_url) != 0)
            report_endpoint(checking, &probe);
        (void)snprintf(last_url, sizeof last_url, "%s", probe.url);
        if (is_about_credentials(probe.why.err)) {
            report_rejected(checking, own, &probe.why);
            return;
        }
        if (is_there[i])
            report_model(checking, &asking, &candidates[i], &probe);
    }
}

/* Calls a common model to see whether the endpoint answers, when the settings name no model or
 * there are no credentials. */
static void try_some_model(struct checking *checking, const struct assembly *assembly,
                           const struct identity_keys *own)
{
    const struct keys *keys = &own->keys;
    const struct credentials made_up = {.bearer_token = SLICE("none")};
    struct probe probe;
    const struct candidate some = {.setting = SLICE("(none in the settings)"),
                                   .model = SLICE(SOME_MODEL)};
    const struct request request = request_of(&some);
    const struct asking asking = asking_of(assembly, keys);
    probe_model(assembly, keys->source[0] != '\0' ? &keys->credentials : &made_up, &request,
                &probe);
    if (!is_unsent(&probe))
        report_endpoint(checking, &probe);
    else
        report_rejected(checking, own, &probe.why);
    if (keys->source[0] == '\0' || !is_answered(&probe))
        return;
    if (is_about_credentials(probe.why.err))
        report_rejected(checking, own, &probe.why);
    else if (probe.why.err == ERR_ACCESS_DENIED && keys->credentials.bearer_token.len > 0)
        report_model(checking, &asking, &some, &probe);
    else
        report_is(checking, true, "models", "the settings name none to try");
}

/* Where the keys come from, whose they are, and when they end. Not to know whose they are is no
 * failure: a network without STS is no reason not to run. */
static void report_keys(struct checking *checking, struct search *search,
                        const struct identity_keys *own)
{
    char words[CALLER_WORDS_MAX + KEYS_SOURCE_MAX + 256], caller[CALLER_WORDS_MAX], end[128];
    caller_describe_end(&own->keys.credentials, end, sizeof end);
    (void)snprintf(words, sizeof words, "from %s%s", own->keys.source, end);
    report_about(checking, VERDICT_OK, "credentials", own, words);
    if (own->keys.credentials.bearer_token.len > 0)
        return;
    bool is_known = caller_describe(search, &own->keys.credentials, caller);
    report_about(checking, is_known ? VERDICT_OK : VERDICT_WARN, "identity", own, caller);
}

/* Finds the keys of an identity in its environment, and reports them or why there are none. */
static bool find_keys_in(struct checking *checking, const struct assembly *assembly,
                         const struct aws_environment *environment, bool is_needed,
                         struct identity_keys *own)
{
    struct search_ports ports;
    struct search search;
    alone_ports(&assembly->io.http, &ports);
    search_init(&search, environment, &ports);
    if (chain_find_as(&search, &assembly->identities[own->number], &own->keys) == OK) {
        report_keys(checking, &search, own);
        return true;
    }
    char words[SEARCH_REASON_MAX + 32];
    (void)snprintf(words, sizeof words, "none that can be used: %s", search.reason);
    report_about(checking, is_needed ? VERDICT_FAIL : VERDICT_WARN, "credentials", own, words);
    return false;
}

/* Finds the keys of an identity. One that no model of the settings needs may have none. */
static bool find_keys(struct checking *checking, const struct assembly *assembly, bool is_needed,
                      struct identity_keys *own)
{
    char reason[AWS_REASON_MAX] = "out of memory";
    bool has_some = false;
    struct aws_environment *environment = memory_new(sizeof *environment);
    if (environment != NULL &&
        aws_environment_load(environment, aws_lookup_process, NULL,
                             assembly->identities[own->number].profile, reason) == OK)
        has_some = find_keys_in(checking, assembly, environment, is_needed, own);
    else
        report_about(checking, VERDICT_FAIL, "credentials", own, reason);
    if (environment != NULL)
        aws_environment_done(environment);
    memory_free(environment);
    return has_some;
}

/* The first model that is called as this identity; NULL = none. */
static const struct candidate *first_of(const struct candidate *candidates, size_t count,
                                        uint32_t identity)
{
    for (size_t i = 0; i < count; i++)
        if (candidates[i].identity == identity)
            return &candidates[i];
    return NULL;
}

static void check_identity(struct checking *checking, const struct assembly *assembly,
                           const struct candidate *candidates, size_t count, uint32_t number)
{
    const struct candidate *first = first_of(candidates, count, number);
    if (number > 0 && first == NULL)
        return;
    struct identity_keys own = {.number = number};
    keys_init(&own.keys);
    if (number > 0)
        own.alias = first->setting;
    bool has_some = find_keys(checking, assembly, first != NULL || count == 0, &own);
    if (has_some && first != NULL)
        try_models(checking, assembly, &own, candidates, count);
    else if (number == 0 && (count == 0 || !has_some))
        try_some_model(checking, assembly, &own);
    keys_done(&own.keys);
}

void check_bedrock(struct checking *checking, const struct assembly *assembly)
{
    struct candidate *candidates = memory_new(MODELS_MAX * sizeof *candidates);
    if (candidates == NULL) {
        report_is(checking, false, "models", "out of memory");
        return;
    }
    size_t count = list_candidates(checking->settings, candidates);
    size_t identities = checking->settings->models_aliases.identity_count;
    for (uint32_t number = 0; number <= identities; number++)
        check_identity(checking, assembly, candidates, count, number);
    if (count == MODELS_MAX)
        report_is(checking, true, "models", "the first 64 were tried, and no further ones");
    memory_free(candidates);
}
