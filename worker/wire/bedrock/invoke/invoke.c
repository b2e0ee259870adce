#include "wire/bedrock/invoke/invoke.h"

#include "wire/bedrock/fault.h"
#include "wire/bedrock/invoke/parts.h"
#include "wire/bedrock/sigv4.h"
#include "wire/formats/base64.h"

/* --- the API --- */

static void add_path(const struct dialect *dialect, struct slice model, bool stream,
                     struct buf *ret_path)
{
    (void)dialect;
    buf_add_text(ret_path, "/model/");
    sigv4_add_label(ret_path, model);
    buf_add_text(ret_path, stream ? "/invoke-with-response-stream" : "/invoke");
}

/* A chunk is {"bytes": base64 of the family's JSON, …}. */
static enum err unwrap(const struct dialect *dialect, const struct event *frame,
                       struct buf *payload, struct event *ret_event, struct why *ret_why)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    struct slice text = SLICE_NULL;
    size_t offset = 0;
    (void)dialect;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(frame->payload.len));
    if (!slice_equal_text(frame->type, "chunk"))
        return OK;
    enum err err = json_parse_loosely(&scratch, frame->payload, &root, NULL);
    const struct json *bytes = err == OK ? json_member(root, "bytes") : NULL;
    if (err == ERR_NO_MEMORY ||
        (bytes != NULL && bytes->kind == JSON_STRING && !json_string(&scratch, bytes, &text)))
        return message_failed(ret_why, ERR_NO_MEMORY);
    if (text.ptr == NULL)
        return why_set(ret_why, ERR_BROKEN_STREAM, NULL, "a chunk without bytes");
    err = base64_add_decoded(payload, text, &offset);
    if (err == ERR_FORMAT && offset == text.len)
        return why_set(ret_why, ERR_BROKEN_STREAM, NULL,
                       "a chunk's bytes are not base64: they end too early");
    if (err == ERR_FORMAT)
        return why_set(ret_why, ERR_BROKEN_STREAM, NULL,
                       "a chunk's bytes are not base64: character %zu of %zu is wrong", offset + 1,
                       text.len);
    if (err != OK)
        return message_failed(ret_why, err);
    ret_event->payload = buf_slice(payload);
    return OK;
}

const struct api api_invoke = {
    .name = {.api = "invoke",
             .provider = "bedrock",
             .stop_reason = "stop_reason",
             .sends_refused = true},
    .content_type = "application/json",
    .stream_type = "application/vnd.amazon.eventstream",
    .add_path = add_path,
    .add_headers = invoke_add_headers,
    .unwrap = unwrap,
};

/* --- the families --- */

static const struct invoke_row rows[] = {
#define FAMILY(id, name_, provider_, models_, form, stop_key_, takes_)                             \
    {                                                                                              \
        .family =                                                                                  \
            {                                                                                      \
                .name = (name_),                                                                   \
                .can_stream = true,                                                                \
                .serves = invoke_serves,                                                           \
                .forms = invoke_forms,                                                             \
                .check = invoke_check,                                                             \
                .trial_body = "[]",                                                                \
                .encode = invoke_encode,                                                           \
                .max_tokens = invoke_max_tokens,                                                   \
                .decode = invoke_decode,                                                           \
                .stream_start = invoke_stream_start,                                               \
                .stream_step = invoke_stream_step,                                                 \
                .stream_end = invoke_stream_end,                                                   \
                .stream_heard = invoke_stream_heard,                                               \
                .stream_done = invoke_stream_done,                                                 \
            },                                                                                     \
        .provider = (provider_),                                                                   \
        .models = (models_),                                                                       \
        .shape = &shape_##form,                                                                    \
        .stop_key = (stop_key_),                                                                   \
        .takes = (takes_),                                                                         \
    },
#include "wire/bedrock/invoke/families.def"
#undef FAMILY
};

const struct dialect invoke_dialects[] = {
#define FAMILY(id, name, provider, models, shape, stop_key, takes)                                 \
    {&api_invoke, &rows[INVOKE_##id].family},
#include "wire/bedrock/invoke/families.def"
#undef FAMILY
};
