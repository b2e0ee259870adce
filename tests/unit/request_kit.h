/* Reading a request in a test: a record around the value, a catalog with one alias and one
 * template, and the result. Needs unit.h included before. */
#ifndef UNIT_REQUEST_KIT_H
#define UNIT_REQUEST_KIT_H

#include "base/buf.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/bedrock/dialects.h"
#include "wire/chat/request.h"

#define KIT_ARENA_LIMIT ((size_t)64 << 20)
#define KIT_TIME_MS     INT64_C(1800000000000)

struct request_kit {
    struct arena arena;
    struct record record;
    struct catalog catalog;
    struct model_alias aliases[2];
    struct template_named template;
    struct template_message template_messages[2];
    struct request request;
    struct why why;
    enum err err;
};

static inline void request_kit_init(struct request_kit *kit)
{
    *kit = (struct request_kit){
        .record = {.topic = SLICE("bedrock.requests"),
                   .partition = 3,
                   .offset = 42,
                   .timestamp_ms = KIT_TIME_MS,
                   .timestamp_type = TIMESTAMP_CREATE},
        .aliases = {{.name = SLICE("claude"),
                     .id = SLICE("anthropic.claude-3-sonnet-20240229-v1:0"),
                     .region = SLICE("eu-west-1"),
                     .defaults[PARAMETER_TEMPERATURE] = SLICE("0.25"),
                     .defaults[PARAMETER_MAX_TOKENS] = SLICE("512"),
                     .defaults[PARAMETER_TOP_K] = SLICE("7"),
                     .defaults[PARAMETER_STOP] = SLICE("[\"END\"]")},
                    {.name = SLICE("plain"), .id = SLICE("amazon.nova-lite-v1:0")}},
        .template_messages = {{.role = SLICE("system"),
                               .text = SLICE("You are a helpful assistant that translates "
                                             "{input_language} to {output_language}.")},
                              {.role = SLICE("human"), .text = SLICE("{input}")}},
    };
    arena_init(&kit->arena, KIT_ARENA_LIMIT);
    kit->template = (struct template_named){
        .name = SLICE("translate"), .messages = kit->template_messages, .count = 2};
    size_t api_count;
    const struct api_name *const *apis = dialect_apis(&api_count);
    kit->catalog = (struct catalog){.choose = dialect_choose,
                                    .check = dialect_check,
                                    .apis = apis,
                                    .api_count = api_count,
                                    .default_model = SLICE("plain"),
                                    .aliases = kit->aliases,
                                    .alias_count = 2,
                                    .templates = &kit->template,
                                    .template_count = 1};
}

static inline void request_kit_done(struct request_kit *kit)
{
    arena_done(&kit->arena);
}

static inline enum err request_kit_read(struct request_kit *kit, struct slice value)
{
    kit->record.value = value;
    enum err err = request_from_headers(&kit->arena, &kit->record, &kit->request, &kit->why);
    kit->err = request_read(&kit->arena, &kit->record, &kit->catalog, &kit->request, &kit->why);
    assert_true(err == OK || kit->err == err); /* the first one is reported */
    return kit->err;
}

/* The value is a valid request; `body` is sent to Converse for it. */
static inline void assert_body(const char *value, const char *body)
{
    struct request_kit kit;
    struct buf sent OWNED_BY(buf_done);
    request_kit_init(&kit);
    buf_init(&sent, 1 << 20);
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s (%s)", err_name(kit.err), kit.why.message, kit.why.field);
    assert_int_equal(dialect_encode(&dialect_converse, &kit.request, &sent), OK);
    assert_buf(&sent, body);
    request_kit_done(&kit);
}

/* Only messages, with a model that has no defaults. */
#define assert_messages(messages, body) assert_body("{\"messages\":" messages "}", body)

static inline void assert_refused(const char *value, enum err err, const char *field)
{
    struct request_kit kit;
    request_kit_init(&kit);
    enum err seen = request_kit_read(&kit, slice_of_text(value));
    if (seen != err || strcmp(kit.why.field, field) != 0)
        fail_msg("%s\n  gave %s at '%s' (%s)\n  not %s at '%s'", value, err_name(seen),
                 kit.why.field, kit.why.message, err_name(err), field);
    assert_int_equal(kit.why.err, err);
    request_kit_done(&kit);
}

#define SAID  "\"messages\":[[\"human\",\"Hi\"]]"
#define ASKED "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]}"

#endif
