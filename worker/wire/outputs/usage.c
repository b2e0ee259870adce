#include "wire/outputs/output.h"

#include <string.h>

#include "base/check.h"
#include "base/instant.h"
#include "wire/formats/hash.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"

#define USAGE_FRAME_BYTES    1600 /* beside the texts that are counted one by one */
#define USAGE_REPLACES_BYTES 256  /* the member `replaces`, and the headers */

/* The tier that served; and what was asked for, by which the cost is where the service said none.
 */
static void add_tiers(struct buf *body, const struct usage_facts *facts)
{
    struct slice tier = facts->answer == NULL ? SLICE_NULL : facts->answer->service_tier;
    json_add_text_member(body, "service_tier", tier);
    if (tier.ptr == NULL)
        output_add_foreign_member(body, "service_tier", facts->attempt->service_tier);
    json_add_text_member(body, "service_tier_requested", facts->request->service_tier);
}

/* Returns where the model's text ends. */
static size_t add_call(struct buf *body, const struct usage_facts *facts)
{
    const struct request *request = facts->request;
    const struct attempt *attempt = facts->attempt;
    json_add_text_member(body, "request_id", request->id);
    json_add_text_member(body, "call", uuid_slice(&attempt->call));
    json_add_int_member(body, "attempt", attempt->number);
    json_add_bool_member(body, "final", facts->final);
    json_add_bool_member(body, "estimated", facts->estimated_reason != NULL);
    if (facts->estimated_reason != NULL)
        json_add_text_member(body, "reason", slice_of_text(facts->estimated_reason));
    json_add_text_member(body, "tenant", request->tenant);
    json_add_member(body, "labels", request->labels.ptr != NULL ? request->labels : SLICE("{}"));
    json_add_text_member(body, "model", attempt->model);
    size_t model_end = body->len - 1;
    json_add_text_member(body, "model_requested", request->model_requested);
    if (request->base_model.len > 0 && slice_equal(attempt->model, request->model))
        json_add_text_member(body, "base_model", request->base_model);
    json_add_text_member(body, "region", attempt->region);
    json_add_text_member(body, "api", slice_of_text(attempt->api->api));
    json_add_bool_member(body, "stream", request->stream);
    add_tiers(body, facts);
    if (facts->answer != NULL)
        json_add_text_member(body, "stop_reason", facts->answer->stop_reason);
    output_add_foreign_member(body, "bedrock_request_id", attempt->bedrock_request_id);
    if (facts->begun != NULL) { /* when it began and ended is unknown */
        json_add_text_member(body, "begun", slice_of_text(facts->begun));
        return model_end;
    }
    output_add_instant_member(body, "started_at", attempt->started_wall_ms);
    json_add_int_member(body, "duration_ms", attempt->duration_ms);
    return model_end;
}

static void add_source(struct buf *body, const struct record *record)
{
    json_add_name(body, "source");
    buf_add_byte(body, '{');
    json_add_text_member(body, "topic", record->topic);
    json_add_int_member(body, "partition", record->partition);
    json_add_int_member(body, "offset", record->offset);
    if (record->timestamp_type != TIMESTAMP_NONE && record->timestamp_ms >= 0)
        output_add_instant_member(body, "timestamp", record->timestamp_ms);
    buf_add_byte(body, '}');
}

/* A CloudEvent in structured mode. Returns where the model's text ends. */
static size_t add_value(struct buf *body, const struct output_context *context,
                        const struct usage_facts *facts)
{
    buf_add_byte(body, '{');
    json_add_text_member(body, "specversion", SLICE("1.0"));
    json_add_text_member(body, "id", uuid_slice(&facts->attempt->call));
    json_add_text_member(body, "source", context->source);
    json_add_text_member(body, "type", SLICE("bedrock.chat.usage.v1"));
    json_add_text_member(body, "subject", facts->request->tenant);
    output_add_instant_member(body, "time", facts->wall_ms);
    json_add_text_member(body, "datacontenttype", SLICE("application/json"));
    json_add_name(body, "data");
    buf_add_byte(body, '{');
    size_t model_end = add_call(body, facts);
    output_add_usage(body, &facts->counts);
    output_add_cost(body, facts->cost);
    add_source(body, facts->record);
    buf_add(body, SLICE("}}"));
    return model_end;
}

static void set_bill(struct output *output, const struct usage_facts *facts, size_t model_end)
{
    size_t model_len = facts->attempt->model.len;
    const struct usage_counts *counts = &facts->counts;
    output->bill = (struct output_bill){
        .model = slice_sub(output->value, model_end - model_len, model_len),
        .reason = facts->estimated_reason,
        .input_tokens = counts->input_tokens,
        .output_tokens = counts->output_tokens,
        .cache_read_tokens = counts->cache_read_tokens,
        .cache_write_tokens = counts->cache_write_tokens,
        .reasoning_tokens = counts->reasoning_tokens > 0 ? counts->reasoning_tokens : 0,
        .is_priced = facts->cost != NULL && facts->cost->cost.is_known,
        .is_unpriced = facts->cost != NULL && !facts->cost->cost.is_known,
    };
    if (!output->bill.is_priced)
        return;
    output->bill.amount = facts->cost->cost.amount;
    memcpy(output->bill.currency, facts->cost->cost.currency, sizeof output->bill.currency);
}

static enum err end_draft(struct draft *draft, struct slice tenant, struct output **ret_output)
{
    draft_value_ends(draft);
    draft_header(draft, "content-type", SLICE("application/cloudevents+json; charset=UTF-8"));
    struct draft_address address = {
        .topic = draft->context->usage_topic, .partition = -1, .key = tenant};
    return draft_end(draft, &address, ret_output);
}

enum err output_usage(const struct output_context *context, const struct usage_facts *facts,
                      struct output **ret_output)
{
    const struct request *request = facts->request;
    size_t expected = USAGE_FRAME_BYTES + request->id.len + 2 * request->tenant.len +
                      request->labels.len + 2 * facts->attempt->model.len +
                      2 * request->base_model.len + facts->counts.raw.len +
                      facts->record->topic.len;
    struct draft draft;
    enum err err = draft_begin(&draft, context, OUTPUT_USAGE, expected);
    if (err != OK)
        return err;
    size_t model_end = add_value(draft.body, context, facts);
    err = end_draft(&draft, request->tenant, ret_output);
    if (err == OK)
        set_bill(*ret_output, facts, model_end);
    return err;
}

/* ---- calls that two owners may record ---- */

/* Big-endian. */
static uint64_t number_of(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | bytes[i];
    return number;
}

void output_lost_call_id(const struct output_context *context, const struct lost_call_name *name,
                         struct uuid *ret_id)
{
    int64_t timestamp_ms = name->timestamp_ms < 0 ? 0 : name->timestamp_ms;
    uint8_t digest[SHA256_LEN];
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, SIZE_MAX);
    buf_add(&text, context->group_id);
    buf_add_byte(&text, '\n');
    buf_add(&text, name->topic);
    buf_addf(&text, "\n%d\n%lld\n%lld\n%u", (int)name->partition, (long long)name->offset,
             (long long)timestamp_ms, name->begun);
    CHECK(text.failed == OK);
    hash_sha256(buf_slice(&text), digest);
    uuid_make(ret_id, timestamp_ms, number_of(digest), number_of(digest + sizeof(uint64_t)));
}

enum err output_usage_replacing(const struct output_context *context, const struct output *output,
                                const struct uuid *replaced, struct output **ret_output)
{
    struct slice ends = SLICE("}}");
    struct slice value = output->value;
    CHECK(output->kind == OUTPUT_USAGE && value.len > ends.len);
    struct draft draft;
    enum err err = draft_begin(&draft, context, OUTPUT_USAGE, value.len + USAGE_REPLACES_BYTES);
    if (err != OK)
        return err;
    buf_add(draft.body, slice_of(value.ptr, value.len - ends.len));
    json_add_text_member(draft.body, "replaces", uuid_slice(replaced));
    buf_add(draft.body, ends);
    err = end_draft(&draft, output->key, ret_output);
    if (err != OK)
        return err;
    struct output *copy = *ret_output;
    copy->is_replacing = true;
    copy->bill = output->bill;
    copy->bill.model.ptr = copy->value.ptr + (output->bill.model.ptr - value.ptr);
    return OK;
}
