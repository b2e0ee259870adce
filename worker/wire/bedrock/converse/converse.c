#include "wire/bedrock/converse/converse.h"

#include "wire/bedrock/converse/parts.h"
#include "wire/bedrock/sigv4.h"

static void add_path(const struct dialect *dialect, struct slice model, bool stream,
                     struct buf *ret_path)
{
    (void)dialect;
    buf_add_text(ret_path, "/model/");
    sigv4_add_label(ret_path, model);
    buf_add_text(ret_path, stream ? "/converse-stream" : "/converse");
}

const struct api api_converse = {
    .name = {.api = "converse",
             .provider = "bedrock_converse",
             .stop_reason = "stopReason",
             .tells_base_model = true},
    .content_type = "application/json",
    .stream_type = "application/vnd.amazon.eventstream",
    .add_path = add_path,
};

static const struct family family_converse = {
    .name = "converse",
    .can_stream = true,
    .trial_body = "{\"messages\":[],\"inferenceConfig\":{\"maxTokens\":0}}",
    .encode = converse_encode,
    .add_counted = converse_add_counted,
    .decode = converse_decode,
    .stream_start = converse_stream_start,
    .stream_step = converse_stream_step,
    .stream_end = converse_stream_end,
    .stream_heard = converse_stream_heard,
    .stream_done = converse_stream_done,
};

const struct dialect dialect_converse = {&api_converse, &family_converse};
