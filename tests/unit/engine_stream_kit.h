/* An engine driven by a test that hears answers as event streams. */
#ifndef UNIT_ENGINE_STREAM_KIT_H
#define UNIT_ENGINE_STREAM_KIT_H

#include "unit/engine_kit.h"

#include "wire/bedrock/eventstream.h"

static inline void hear_head(struct kit *kit, int64_t offset)
{
    engine_call_head(kit->engine, kit_call(kit, offset)->ref, 200,
                     SLICE("HTTP/1.1 200 x\r\ncontent-type: "
                           "application/vnd.amazon.eventstream\r\n\r\n"));
}

static inline void hear(struct kit *kit, int64_t offset, const char *type, const char *payload)
{
    bool is_exception = strstr(type, "Exception") != NULL;
    struct event_header headers[] = {
        {":message-type", is_exception ? SLICE("exception") : SLICE("event")},
        {is_exception ? ":exception-type" : ":event-type", slice_of_text(type)},
        {":content-type", SLICE("application/json")},
    };
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, 1 << 16);
    event_add(&buf, headers, COUNT_OF(headers), slice_of_text(payload));
    struct kit_call *call = kit_call(kit, offset);
    engine_call_body(kit->engine, call->ref, buf_slice(&buf));
}

static inline void hear_text(struct kit *kit, int64_t offset, const char *text)
{
    char payload[256];
    (void)snprintf(payload, sizeof payload, "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"%s\"}}",
                   text);
    hear(kit, offset, "contentBlockDelta", payload);
}

static inline void hear_end(struct kit *kit, int64_t offset)
{
    hear(kit, offset, "contentBlockStop", "{\"contentBlockIndex\":0}");
    hear(kit, offset, "messageStop", "{\"stopReason\":\"end_turn\"}");
    hear(kit, offset, "metadata",
         "{\"usage\":{\"inputTokens\":7,\"outputTokens\":3,\"totalTokens\":10},"
         "\"metrics\":{\"latencyMs\":5}}");
}

static inline void cut_stream(struct kit *kit, int64_t offset)
{
    hear_head(kit, offset);
    hear(kit, offset, "messageStart", "{\"role\":\"assistant\"}");
    hear_text(kit, offset, "once upon a time");
    kit_call_ends(kit, kit_call(kit, offset), OK, true);
}

#endif
