/* Any bytes as the value of a request: read, or rejected with a message; a request that is read
 * gives a JSON body that begins with a user's turn. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/bedrock/dialects.h"
#include "wire/chat/request.h"
#include "wire/formats/text.h"

#define ARENA_LIMIT ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One alias and one template; the requests point into it. */
struct settings {
    struct template_message messages[2];
    struct template_named template;
    struct model_alias alias;
    struct catalog catalog;
};

static void make_settings(struct settings *settings)
{
    static const struct request presets = {
        .additional_fields = {"{\"p\":1,\"top_k\":2}", 17},
        .service_tier = {"flex", 4},
    };
    *settings = (struct settings){
        .messages = {{.role = SLICE("system"), .text = SLICE("To {a}.")},
                     {.role = SLICE("human"), .text = SLICE("{b}")}},
        .alias = {.name = SLICE("m"),
                  .id = SLICE("a.b"),
                  .defaults[PARAMETER_TEMPERATURE] = SLICE("0.5"),
                  .defaults[PARAMETER_TOP_K] = SLICE("3"),
                  .defaults[PARAMETER_STOP] = SLICE("[]"),
                  .presets = &presets,
                  .has_drop = true,
                  .drop = 1U << PARAMETER_TOP_P},
    };
    settings->template =
        (struct template_named){.name = SLICE("t"), .messages = settings->messages, .count = 2};
    size_t api_count;
    const struct api_name *const *apis = dialect_apis(&api_count);
    settings->catalog = (struct catalog){.choose = dialect_choose,
                                         .check = dialect_check,
                                         .apis = apis,
                                         .api_count = api_count,
                                         .default_model = SLICE("m"),
                                         .aliases = &settings->alias,
                                         .alias_count = 1,
                                         .templates = &settings->template,
                                         .template_count = 1};
}

static void check_refusal(enum err err, const struct why *why)
{
    CHECK(why->err == err);
    CHECK(err == ERR_MALFORMED || err == ERR_INVALID || err == ERR_UNSUPPORTED_FIELD ||
          err == ERR_UNKNOWN_MODEL || err == ERR_UNKNOWN_TEMPLATE ||
          err == ERR_TEMPLATE_VARIABLES || err == ERR_REPLY_REFUSED ||
          err == ERR_REQUEST_TOO_LARGE);
    CHECK(why->message[0] != '\0');
    CHECK(utf8_valid_len(slice_of_text(why->message)) == slice_of_text(why->message).len);
    struct slice others = slice_of_text(why->others);
    CHECK(others.len < WHY_OTHERS_MAX && utf8_valid_len(others) == others.len);
    CHECK(utf8_valid_len(slice_of_text(why->field)) == slice_of_text(why->field).len);
}

static void free_text(struct call_headers *headers)
{
    buf_done(&headers->text);
}

static void check_headers(const struct dialect *dialect, const struct request *request)
{
    struct call_headers headers OWNED_BY(free_text) = {.count = 0};
    enum err err = dialect_add_headers(dialect, request, request->stream, &headers);
    CHECK(err == OK || err == ERR_TOO_LARGE);
    for (size_t i = 0; err == OK && i < headers.count; i++)
        CHECK(!text_has_control(headers.list[i].value));
}

/* A body of InvokeModel is an object without a member twice, whatever the request's own fields
 * are. */
static void check_invoke_body(const struct dialect *dialect, const struct request *request)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf body OWNED_BY(buf_done);
    const struct json *root = NULL;
    struct json_fault fault;
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&body, ARENA_LIMIT);
    CHECK(dialect_encode(dialect, request, &body) == OK);
    enum err err = json_parse(&arena, buf_slice(&body), &root, &fault);
    CHECK(err == OK ? root->kind == JSON_OBJECT
                    : slice_equal_text(slice_of_text(fault.words), "nested too deeply"));
}

static void check_body(const struct request *request)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf body OWNED_BY(buf_done);
    const struct json *root = NULL;
    struct json_fault fault;
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&body, ARENA_LIMIT);
    CHECK(dialect_encode(&dialect_converse, request, &body) == OK);
    enum err err = json_parse(&arena, buf_slice(&body), &root, &fault);
    /* A value may sit as deep in the body as the reader allows, or one level deeper. */
    if (err != OK) {
        CHECK(slice_equal_text(slice_of_text(fault.words), "nested too deeply"));
        return;
    }
    if (request->count_tokens)
        root = json_member(json_member(root, "input"), "converse");
    const struct json *turns = json_member(root, "messages");
    CHECK(json_is(turns, JSON_ARRAY) && turns->count == request->turn_count);
    CHECK(json_equal_text(json_member(turns->first, "role"), "user"));
    for (const struct json *turn = turns->first; turn != NULL; turn = turn->next) {
        const struct json *content = json_member(turn, "content");
        CHECK(json_is(content, JSON_ARRAY) && content->count > 0);
        CHECK(turn->next == NULL || !slice_equal(json_member(turn, "role")->source,
                                                 json_member(turn->next, "role")->source));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = memory_live();
    const struct record record = {.topic = SLICE("q"),
                                  .offset = 7,
                                  .timestamp_type = TIMESTAMP_CREATE,
                                  .value = slice_of(data, size)};
    struct arena arena;
    struct settings settings;
    struct request request;
    struct why why;
    make_settings(&settings);
    arena_init(&arena, ARENA_LIMIT);
    CHECK(request_from_headers(&arena, &record, &request, &why) == OK);
    enum err err = request_read(&arena, &record, &settings.catalog, &request, &why);
    CHECK(request.id.len > 0 && utf8_count(request.id) <= REQUEST_ID_MAX);
    CHECK(request.tenant.len > 0);
    const struct dialect *dialect = dialect_for(NULL, &request);
    if (err == OK)
        check_headers(dialect, &request);
    if (err == OK && dialect != &dialect_converse)
        check_invoke_body(dialect, &request);
    else if (err == OK)
        check_body(&request);
    else
        check_refusal(err, &why);
    arena_done(&arena);
    CHECK(memory_live() == live);
    return 0;
}
