#include "wire/outputs/output.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/glob.h"
#include "base/instant.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "wire/formats/json.h"
#include "wire/outputs/draft.h"
#include "wire/outputs/letter_names.h"

#define ARENA_ALLOWANCE 64 /* what an arena adds to one allocation: its block's head, rounding */

void output_free(struct output *output)
{
    if (output == NULL)
        return;
    buf_done(&output->body);
    arena_done(&output->arena);
    memory_free(output);
}

enum err draft_begin(struct draft *draft, const struct output_context *context,
                     enum output_kind kind, size_t expected_bytes)
{
    struct output *output = memory_new(sizeof *output);
    if (output == NULL)
        return ERR_NO_MEMORY;
    link_init(&output->link);
    output->kind = kind;
    *draft = (struct draft){.context = context, .output = output, .body = &output->body};
    size_t limit = context->output_bytes_max;
    buf_init(draft->body, limit);
    /* A failure sticks in the body. */
    char *room = buf_reserve(draft->body, expected_bytes < limit ? expected_bytes : limit);
    (void)room;
    return OK;
}

void draft_value_ends(struct draft *draft)
{
    draft->value_len = draft->body->len;
}

void draft_header_begins(struct draft *draft, const char *name)
{
    CHECK(draft->own_count < DRAFT_HEADERS_MAX);
    draft->own[draft->own_count++] = (struct draft_header){.name = name, .from = draft->body->len};
}

void draft_header_ends(struct draft *draft)
{
    CHECK(draft->own_count > 0);
    draft->own[draft->own_count - 1].to = draft->body->len;
}

void draft_header(struct draft *draft, const char *name, struct slice value)
{
    draft_header_begins(draft, name);
    buf_add(draft->body, value);
    draft_header_ends(draft);
}

/* Hands out pieces of one block: room was counted before, so nothing here can fail. */
struct packer {
    char *next;
};

static struct slice pack(struct packer *packer, struct slice bytes)
{
    if (bytes.ptr == NULL)
        return SLICE_NULL;
    char *copy = packer->next;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    packer->next += bytes.len;
    return slice_of(copy, bytes.len);
}

void draft_traceparent(struct draft *draft, const struct record *record)
{
    if (record->traceparent.ptr == NULL)
        return;
    draft->has_traceparent = true;
    draft_header(draft, "traceparent", record->traceparent);
}

static bool choose(const struct draft *draft, const struct draft_address *address, size_t i)
{
    if (draft->has_traceparent &&
        slice_equal_nocase(address->headers.list[i].name, SLICE("traceparent")))
        return false;
    return address->keep != NULL && address->keep(draft->context, address->headers.list[i].name);
}

static bool is_kept(const struct draft *draft, const struct draft_address *address, size_t i)
{
    return i < DRAFT_KEPT_MAX ? (draft->kept >> i & 1) != 0 : choose(draft, address, i);
}

/* Fills the header list: the request's in their order, ours behind them, where readers look first.
 */
static void pack_headers(const struct draft *draft, const struct draft_address *address,
                         struct packer *packer, struct header *ret_list)
{
    size_t count = 0;
    for (size_t i = 0; i < address->headers.count; i++) {
        const struct header *header = &address->headers.list[i];
        if (!is_kept(draft, address, i))
            continue;
        ret_list[count].name = pack(packer, header->name);
        ret_list[count].value = pack(packer, header->value);
        count++;
    }
    struct slice body = buf_slice(draft->body);
    for (size_t i = 0; i < draft->own_count; i++) {
        const struct draft_header *own = &draft->own[i];
        ret_list[count].name = slice_of_text(own->name);
        ret_list[count].value = slice_of(body.ptr + own->from, own->to - own->from);
        count++;
    }
    draft->output->headers = ret_list;
    draft->output->header_count = count;
}

/* Everything that does not lie in the body goes into one block of the arena: header list first,
 * then bytes. */
static enum err draft_pack(struct draft *draft, const struct draft_address *address)
{
    struct output *output = draft->output;
    size_t count = draft->own_count;
    size_t bytes = address->key.len + (address->topic_is_foreign ? address->topic.len : 0);
    for (size_t i = 0; i < address->headers.count; i++) {
        if (!choose(draft, address, i))
            continue;
        if (i < DRAFT_KEPT_MAX)
            draft->kept |= UINT64_C(1) << i;
        count++;
        bytes += address->headers.list[i].name.len + address->headers.list[i].value.len;
    }
    size_t whole = count * sizeof(struct header) + bytes;
    if (whole > draft->context->output_bytes_max - draft->body->len)
        return ERR_TOO_LARGE;
    arena_init(&output->arena, whole + ARENA_ALLOWANCE);
    struct header *list = arena_new(&output->arena, whole);
    if (list == NULL)
        return ERR_NO_MEMORY;
    struct packer packer = {.next = (char *)(list + count)};
    output->topic = address->topic_is_foreign ? pack(&packer, address->topic) : address->topic;
    output->key = pack(&packer, address->key);
    pack_headers(draft, address, &packer, list);
    CHECK(packer.next == (char *)list + whole);
    return OK;
}

enum err draft_end(struct draft *draft, const struct draft_address *address,
                   struct output **ret_output)
{
    struct output *output = draft->output;
    enum err err = draft->body->failed;
    if (err == OK)
        err = draft_pack(draft, address);
    if (err != OK) {
        output_free(output);
        return err;
    }
    output->partition = address->partition;
    output->value = SLICE_NULL;
    if (!draft->value_is_null)
        output->value = slice_sub(buf_slice(draft->body), 0, draft->value_len);
    output->held_bytes = sizeof *output + output->body.room + output->arena.held;
    *ret_output = output;
    return OK;
}

void draft_event_headers(struct draft *draft, const char *type, struct slice subject,
                         int64_t wall_ms)
{
    draft_header(draft, "ce_specversion", SLICE("1.0"));
    draft_header(draft, "ce_source", draft->context->source);
    draft_header(draft, "ce_type", slice_of_text(type));
    if (subject.len > 0)
        draft_header(draft, "ce_subject", subject);
    if (wall_ms > 0) {
        draft_header_begins(draft, "ce_time");
        instant_add_rfc3339(draft->body, wall_ms);
        draft_header_ends(draft);
    }
    draft_header(draft, "content-type", SLICE("application/json"));
}

/* Headers that describe one record only, and would lie about another: CloudEvents attributes,
 * Spring's type hints and reply address, our own verdict. */
static bool is_never_echoed(struct slice name)
{
    static const char *const NAMES[] = {
        "content-type",         "__TypeId__", "spring_json_header_types", "kafka_replyTopic",
        "kafka_replyPartition", LETTER_CODE,  "bedrock-budget",
    };
    if (slice_equal_nocase(slice_sub(name, 0, 3), SLICE("ce_")))
        return true;
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (slice_equal_nocase(name, slice_of_text(NAMES[i])))
            return true;
    return false;
}

bool output_echoes(const struct output_context *context, struct slice name)
{
    for (size_t i = 0; i < context->echo_header_count; i++)
        if (glob_match(context->echo_headers[i], name, true))
            return !is_never_echoed(name);
    return false;
}

void output_add_instant_member(struct buf *body, const char *name, int64_t wall_ms)
{
    json_add_name(body, name);
    buf_add_byte(body, '"');
    instant_add_rfc3339(body, wall_ms);
    buf_add_byte(body, '"');
}

void output_add_foreign_member(struct buf *body, const char *name, const char *text)
{
    struct slice all = slice_of_text(text);
    if (all.len > 0)
        json_add_text_member(body, name, slice_sub(all, 0, utf8_valid_len(all)));
}

void output_add_members(struct buf *body, struct slice members)
{
    if (members.len == 0 || body->failed != OK)
        return;
    CHECK(body->len > 0);
    if (body->ptr[body->len - 1] != '{')
        buf_add_byte(body, ',');
    buf_add(body, members);
}

void output_add_usage(struct buf *body, const struct usage_counts *counts)
{
    json_add_name(body, "usage");
    buf_add_byte(body, '{');
    json_add_int_member(body, "input_tokens", counts->input_tokens);
    json_add_int_member(body, "output_tokens", counts->output_tokens);
    json_add_int_member(body, "total_tokens", counts->total_tokens);
    json_add_int_member(body, "cache_read_tokens", counts->cache_read_tokens);
    json_add_int_member(body, "cache_write_tokens", counts->cache_write_tokens);
    if (counts->cache_write_1h_tokens != ANSWER_COUNT_ABSENT)
        json_add_int_member(body, "cache_write_1h_tokens", counts->cache_write_1h_tokens);
    if (counts->reasoning_tokens != ANSWER_COUNT_ABSENT)
        json_add_int_member(body, "reasoning_tokens", counts->reasoning_tokens);
    json_add_text_member(body, "convention", SLICE("langchain"));
    json_add_member(body, "raw", counts->raw);
    buf_add_byte(body, '}');
}

static void put(struct output_cost *cost, struct slice text)
{
    CHECK(text.len <= sizeof cost->member - cost->len);
    memcpy(cost->member + cost->len, text.ptr, text.len);
    cost->len += text.len;
}

static void put_amount(struct output_cost *cost, struct slice before, int64_t amount)
{
    put(cost, before);
    CHECK(MONEY_TEXT_MAX <= sizeof cost->member - cost->len);
    cost->len += money_write_amount(cost->member + cost->len, amount);
}

void output_cost_write(struct output_cost *ret_cost)
{
    const struct money_cost *cost = &ret_cost->cost;
    ret_cost->len = 0;
    if (!cost->is_known)
        return;
    put_amount(ret_cost, SLICE("\"cost\":{\"amount\":\""), cost->amount);
    put(ret_cost, SLICE("\",\"currency\":\""));
    put(ret_cost, slice_of_text(cost->currency)); /* capitals, */
    put(ret_cost, SLICE("\",\"prices\":\""));
    put(ret_cost, slice_of_text(cost->prices)); /* digits and letters: nothing to escape */
    put_amount(ret_cost, SLICE("\",\"parts\":{\"input\":\""), cost->input);
    put_amount(ret_cost, SLICE("\",\"output\":\""), cost->output);
    put_amount(ret_cost, SLICE("\",\"cache_read\":\""), cost->cache_read);
    put_amount(ret_cost, SLICE("\",\"cache_write\":\""), cost->cache_write);
    put(ret_cost, SLICE("\"}}"));
}

void output_add_cost(struct buf *body, const struct output_cost *cost)
{
    if (cost == NULL || cost->len == 0)
        return;
    json_add_comma(body);
    buf_add(body, slice_of(cost->member, cost->len));
}

static bool has_lifetimes(const struct usage_counts *counts)
{
    return counts->cache_write_5m_tokens > 0 || counts->cache_write_1h_tokens > 0;
}

/* LangChain counts cache writes once: under their lifetimes where these are known (cache_creation
 * is 0 then), else as cache_creation. */
static void add_input_details(struct buf *body, const struct usage_counts *counts)
{
    bool is_split = has_lifetimes(counts) && !counts->is_detailed;
    json_add_name(body, "input_token_details");
    buf_add_byte(body, '{');
    json_add_int_member(body, "cache_read", counts->cache_read_tokens);
    json_add_int_member(body, "cache_creation", is_split ? 0 : counts->cache_write_tokens);
    if (is_split && counts->cache_write_5m_tokens > 0)
        json_add_int_member(body, "ephemeral_5m_input_tokens", counts->cache_write_5m_tokens);
    if (is_split && counts->cache_write_1h_tokens > 0)
        json_add_int_member(body, "ephemeral_1h_input_tokens", counts->cache_write_1h_tokens);
    buf_add_byte(body, '}');
}

void output_add_usage_metadata(struct buf *body, const struct usage_counts *counts)
{
    json_add_name(body, "usage_metadata");
    buf_add_byte(body, '{');
    json_add_int_member(body, "input_tokens", counts->input_tokens);
    json_add_int_member(body, "output_tokens", counts->output_tokens);
    json_add_int_member(body, "total_tokens", counts->total_tokens);
    if (counts->is_detailed || counts->cache_read_tokens > 0 || counts->cache_write_tokens > 0 ||
        has_lifetimes(counts))
        add_input_details(body, counts);
    if (counts->reasoning_tokens != ANSWER_COUNT_ABSENT) {
        json_add_name(body, "output_token_details");
        buf_add_byte(body, '{');
        json_add_int_member(body, "reasoning", counts->reasoning_tokens);
        buf_add_byte(body, '}');
    }
    buf_add_byte(body, '}');
}

const char *output_why_type(const struct why *why)
{
    return why->type[0] != '\0' ? why->type : err_code(why->err);
}

void output_why_message(const struct why *why, char ret_text[OUTPUT_MESSAGE_MAX])
{
    const char *message = why->message[0] != '\0' ? why->message : err_words(why->err);
    bool has_field = why->field[0] != '\0';
    (void)snprintf(ret_text, OUTPUT_MESSAGE_MAX, "%s%s%s%s", why->field, has_field ? ": " : "",
                   message, why->others != NULL ? why->others : "");
}

void output_add_error(struct buf *body, const struct why *why)
{
    char message[OUTPUT_MESSAGE_MAX];
    output_why_message(why, message);
    json_add_name(body, "error");
    buf_add_byte(body, '{');
    json_add_text_member(body, "code", slice_of_text(err_code(why->err)));
    output_add_foreign_member(body, "type", output_why_type(why));
    output_add_foreign_member(body, "message", message);
    json_add_bool_member(body, "retryable", err_retryable(why->err) != 0);
    output_add_foreign_member(body, "field", why->field);
    buf_add_byte(body, '}');
}

void output_add_call_metadata(struct buf *body, const struct attempt *attempt)
{
    json_add_name(body, "ResponseMetadata");
    buf_add_byte(body, '{');
    output_add_foreign_member(body, "RequestId", attempt->bedrock_request_id);
    if (attempt->status != 0)
        json_add_int_member(body, "HTTPStatusCode", attempt->status);
    json_add_int_member(body, "RetryAttempts", attempt->number - 1);
    buf_add_byte(body, '}');
}

/* The base model is that of the request's model, and not of another that was called in its place.
 */
void output_add_model_metadata(struct buf *body, const struct request *request,
                               const struct attempt *attempt)
{
    struct slice name = attempt->model;
    bool is_profile = glob_match(SLICE("*application-inference-profile*"), attempt->model, false);
    if (attempt->api->tells_base_model && request->base_model.len > 0 &&
        slice_equal(attempt->model, request->model))
        name = request->base_model;
    json_add_text_member(body, "model_name", name);
    if (attempt->api->tells_base_model && is_profile)
        json_add_text_member(body, "inference_profile_id", attempt->model);
    json_add_text_member(body, "model_provider", slice_of_text(attempt->api->provider));
}
