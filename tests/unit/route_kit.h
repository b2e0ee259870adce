/* An engine with aliases that have fallbacks, for the tests of routes. */
#ifndef UNIT_ROUTE_KIT_H
#define UNIT_ROUTE_KIT_H

#include "unit/engine_kit.h"

#include "engine/job_limits.h"
#include "engine/job_pool.h"
#include "engine/target.h"
#include "engine/way.h"
#include "wire/bedrock/dialects.h"

#define CLAUDE "anthropic.claude-3-sonnet-20240229-v1:0"
#define NOVA   "amazon.nova-lite-v1:0"
#define TITAN  "amazon.titan-text-express-v1"
#define ASKS   ",\"model\":\"main\""

enum { MAIN, SPARE, TEXTS, ELSEWHERE, CHAIN };

static const uint32_t TO_SPARE[] = {SPARE}, TO_TEXTS[] = {TEXTS}, TO_ELSEWHERE[] = {ELSEWHERE},
                      TO_ALL[] = {TEXTS, SPARE};

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }
#define FALLBACK(list)                                                                             \
    .fallbacks = (list), .fallback_count = COUNT_OF(list), .fallback_after_ms = 10000
static const struct model_alias ALIASES[] = {
    [MAIN] = {.name = TEXT("main"),
              .id = TEXT(CLAUDE),
              .defaults[PARAMETER_TEMPERATURE] = TEXT("0.25"),
              FALLBACK(TO_SPARE)},
    [SPARE] = {.name = TEXT("spare"),
               .id = TEXT("anthropic.claude-3-haiku-20240307-v1:0"),
               .api = TEXT("invoke"),
               .region = TEXT("eu-west-1"),
               .defaults[PARAMETER_TEMPERATURE] = TEXT("0.75"),
               .defaults[PARAMETER_MAX_TOKENS] = TEXT("512")},
    [TEXTS] = {.name = TEXT("texts"), .id = TEXT(TITAN), .api = TEXT("invoke")},
    [ELSEWHERE] = {.name = TEXT("elsewhere"), .id = TEXT(NOVA), .identity = 1},
    [CHAIN] = {.name = TEXT("chain"), .id = TEXT(CLAUDE), FALLBACK(TO_ALL)},
};

static inline struct kit *kit_with(const struct model_alias *aliases, size_t count)
{
    struct engine_config config = kit_config();
    config.identity_count = 2;
    config.retry.max_attempts = 100;
    config.retry.max_elapsed_ms = 3600000;
    config.catalog.aliases = aliases;
    config.catalog.alias_count = count;
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    return kit_started(&config);
}

static inline struct kit *kit_with_elapsed(int64_t max_elapsed_ms)
{
    struct engine_config config = kit_config();
    config.identity_count = 2;
    config.retry.max_elapsed_ms = max_elapsed_ms;
    config.catalog.aliases = ALIASES;
    config.catalog.alias_count = COUNT_OF(ALIASES);
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    return kit_started(&config);
}

static inline struct kit *kit_routed(void)
{
    return kit_with(ALIASES, COUNT_OF(ALIASES));
}

static inline struct kit_call *last_call(struct kit *kit, int64_t offset)
{
    struct kit_call *call = kit_call(kit, offset);
    assert_ptr_equal(call, &kit->calls[call - kit->calls]);
    return call;
}

static inline bool calls_model(struct kit *kit, int64_t offset, const char *model)
{
    struct slice url = last_call(kit, offset)->request->url;
    char text[512];
    (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(url));
    return strstr(text, model) != NULL;
}

static inline void assert_calls(struct kit *kit, int64_t offset, const char *model)
{
    if (!calls_model(kit, offset, model))
        fail_msg("the call is %.*s", SLICE_ARG(last_call(kit, offset)->request->url));
}

static inline void answer_texts(struct kit *kit, int64_t offset)
{
    kit_answer_with(kit, offset, 200, "content-type: application/json\r\n",
                    "{\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"stop_reason\":\"end_"
                    "turn\",\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}");
}

/* Its next call begins. */
static inline void next_call(struct kit *kit, int64_t offset)
{
    size_t calls = kit->call_count;
    kit_turn(kit);
    for (int i = 0; i < 3000 && kit->call_count == calls; i++) {
        kit_wait(kit, 10);
        if (kit->has_batch)
            kit_commit(kit);
    }
    (void)kit_call(kit, offset);
}

/* The first choice fails until the request is called elsewhere. */
static inline void fail_until_moved(struct kit *kit, int64_t offset)
{
    for (int i = 0; i < 60 && calls_model(kit, offset, "sonnet"); i++) {
        kit_fail(kit, offset);
        next_call(kit, offset);
    }
    assert_false(calls_model(kit, offset, "sonnet"));
}

static inline void go_out(struct kit *kit, int64_t offset)
{
    kit_request(kit, 0, offset, NULL, ASKS);
    kit_turn(kit);
    fail_until_moved(kit, offset);
}

static const struct model_alias KEYLESS[] = {
    [MAIN] = {.name = TEXT("main"),
              .id = TEXT("anthropic.claude-3-sonnet-20240229-v1:0"),
              .identity = 1,
              FALLBACK(TO_SPARE)},
    [SPARE] = {.name = TEXT("spare"), .id = TEXT("anthropic.claude-3-haiku-20240307-v1:0")},
};

static inline void throttle_many(struct kit *kit, int64_t from, int64_t to, const char *headers)
{
    for (int64_t offset = from; offset < to; offset++)
        kit_request(kit, 0, offset, NULL, ASKS);
    kit_turn(kit);
    for (int64_t offset = from; offset < to; offset++)
        kit_answer_with(kit, offset, 429, headers, "{}");
}

#endif
