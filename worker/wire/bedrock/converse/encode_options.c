/* The members of a Converse body that say how Bedrock serves it: guardrail, latency, tier, form of
 * the output. */
#include "wire/bedrock/converse/parts.h"

/* Only ConverseStream has a stream's processing mode. */
static void add_guardrail(struct buf *body, const struct request *request)
{
    const struct guardrail *guardrail = &request->guardrail;
    if (guardrail->identifier.ptr == NULL)
        return;
    json_add_name(body, "guardrailConfig");
    buf_add_byte(body, '{');
    json_add_text_member(body, "guardrailIdentifier", guardrail->identifier);
    json_add_text_member(body, "guardrailVersion", guardrail->version);
    json_add_text_member(body, "trace", guardrail->trace);
    if (request->stream)
        json_add_text_member(body, "streamProcessingMode", guardrail->stream_mode);
    buf_add_byte(body, '}');
}

/* `"name":{"member":"text"}`; nothing for the null slice. */
static void add_wrapped(struct buf *body, const char *name, const char *member, struct slice text)
{
    if (text.ptr == NULL)
        return;
    json_add_name(body, name);
    buf_add_byte(body, '{');
    json_add_text_member(body, member, text);
    buf_add_byte(body, '}');
}

void converse_add_options(struct buf *body, const struct request *request)
{
    add_guardrail(body, request);
    add_wrapped(body, "performanceConfig", "latency", request->performance_latency);
    add_wrapped(body, "serviceTier", "type", request->service_tier);
    json_add_member(body, "outputConfig", request->output_config);
}
