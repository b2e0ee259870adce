/* InvokeModel as an API: which requests it gets, what it rejects, its path and headers, and its
 * chunks. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/invoke_kit.h"
#include "wire/bedrock/invocation.h"
#include "wire/formats/http.h"

#define SONNET   "anthropic.claude-3-sonnet-20240229-v1:0"
#define IMPORTED "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc"

/* ---- the choice ---- */

static void assert_family(const char *value, const char *api, const char *family)
{
    struct request_kit kit;
    request_kit_init(&kit);
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s (%s)", value, kit.why.message, kit.why.field);
    const struct dialect *dialect = dialect_for(NULL, &kit.request);
    assert_string_equal(dialect->api->name.api, api);
    assert_string_equal(dialect->family->name, family);
    request_kit_done(&kit);
}

static void converse_is_chosen_where_the_model_has_it(void **state)
{
    (void)state;
    assert_family("{" SAID ",\"model\":\"" SONNET "\"}", "converse", "converse");
    assert_family("{" SAID ",\"model\":\"" SONNET "\",\"api\":\"invoke\"}", "invoke",
                  "Anthropic Claude");
    assert_family("{" SAID ",\"model\":\"us." SONNET "\",\"api\":\"invoke\"}", "invoke",
                  "Anthropic Claude");
    assert_family("{" SAID ",\"model\":\"" IMPORTED "\",\"provider\":\"anthropic\"}", "invoke",
                  "Anthropic Claude");
    assert_family("{" SAID ",\"model\":\"" IMPORTED "\",\"base_model\":\"" SONNET "\"}", "invoke",
                  "Anthropic Claude");
    assert_family("{" SAID ",\"model\":\"" IMPORTED "\",\"provider\":\"anthropic\","
                  "\"api\":\"converse\"}",
                  "converse", "converse");
}

static void assert_why(const char *value, enum err err, const char *field, const char *words)
{
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, slice_of_text(value)), err);
    assert_string_equal(kit.why.field, field);
    if (strstr(kit.why.message, words) == NULL)
        fail_msg("%s does not say %s", kit.why.message, words);
    request_kit_done(&kit);
}

static void a_model_without_a_family_is_rejected_with_the_providers(void **state)
{
    (void)state;
    assert_why("{" SAID ",\"model\":\"" IMPORTED "\"}", ERR_INVALID, "model",
               "does not say whose model it is");
    assert_why("{" SAID ",\"model\":\"moonshotai.kimi-k2\",\"api\":\"invoke\"}", ERR_INVALID,
               "model", "has no family of InvokeModel (\"moonshotai\"); use api converse");
    assert_why("{" SAID ",\"model\":\"" IMPORTED "\",\"provider\":\"acme\"}", ERR_INVALID,
               "provider", "give provider or base_model: anthropic");
}

static void what_invoke_model_has_no_place_for_is_rejected_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *member, *field;
    } ROWS[] = {
        {"\"additional_model_response_field_paths\":[\"/usage\"]",
         "additional_model_response_field_paths"},
        {"\"output_config\":{}", "output_config"},
        {"\"guardrail\":{\"guardrail_identifier\":\"g\",\"guardrail_version\":\"1\","
         "\"last_turn_only\":true}",
         "guardrail.last_turn_only"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char value[512];
        (void)snprintf(value, sizeof value,
                       "{" SAID ",\"model\":\"" SONNET "\",\"api\":\"invoke\",%s}", ROWS[i].member);
        assert_why(value, ERR_UNSUPPORTED_FIELD, ROWS[i].field,
                   "InvokeModel has no place for it; api converse does");
    }
    assert_why("{\"messages\":[{\"role\":\"user\",\"content\":[{\"guardContent\":{\"text\":{"
               "\"text\":\"Hi\"}}}]}],\"model\":\"" SONNET "\",\"api\":\"invoke\"}",
               ERR_UNSUPPORTED_FIELD, "messages", "does not take guard content");
}

static void metadata_that_no_header_holds_are_rejected(void **state)
{
    (void)state;
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, 1 << 20);
    buf_add_text(&value,
                 "{" SAID ",\"model\":\"" SONNET "\",\"api\":\"invoke\",\"request_metadata\":{"
                 "\"a\":\"");
    for (size_t i = 0; i < 3000; i++)
        buf_add_text(&value, "\xc3\xbc"); /* six bytes in the header */
    buf_add_text(&value, "\"}}");
    assert_why(buf_text(&value), ERR_INVALID, "request_metadata",
               "is too long: with InvokeModel it is a header of at most 16384 bytes");
}

#define LLAMA  "meta.llama3-70b-instruct-v1:0"
#define TOOL   "{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}"
#define SCHEMA "{\"title\":\"P\",\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"}}}"

static void what_a_family_has_no_place_for_is_rejected_with_those_who_have(void **state)
{
    (void)state;
    static const struct {
        const char *model, *member, *field, *words;
    } ROWS[] = {
        {LLAMA, "\"tools\":[" TOOL "]", "tools",
         "Meta Llama does not take it with InvokeModel; it goes to Anthropic Claude, Amazon Nova"},
        {LLAMA, "\"structured_output\":{\"schema\":" SCHEMA "}", "structured_output",
         "or with api converse"},
        {LLAMA, "\"top_k\":3", "top_k", "it goes to Anthropic Claude"},
        {LLAMA, "\"cache_control\":{\"type\":\"ephemeral\"}", "cache_control",
         "it goes to Anthropic Claude"},
        {SONNET, "\"tools\":[\"nova_grounding\"]", "tools", "it goes to Amazon Nova"},
        {SONNET, "\"structured_output\":{\"schema\":" SCHEMA ",\"method\":\"json_schema\"}",
         "structured_output.method", "InvokeModel has no place for it; api converse does"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char value[512];
        (void)snprintf(value, sizeof value, "{" SAID ",\"model\":\"%s\",\"api\":\"invoke\",%s}",
                       ROWS[i].model, ROWS[i].member);
        assert_why(value, ERR_UNSUPPORTED_FIELD, ROWS[i].field, ROWS[i].words);
    }
}

static void a_block_that_a_family_has_no_place_for_is_rejected_by_its_kind(void **state)
{
    (void)state;
    static const struct {
        const char *model, *block, *words;
    } ROWS[] = {
        {LLAMA, "{\"type\":\"image\",\"base64\":\"AAAA\",\"mime_type\":\"image/png\"}",
         "Meta Llama does not take an image with InvokeModel"},
        {LLAMA, "{\"cachePoint\":{\"type\":\"default\"}}", "does not take a cache point"},
        {SONNET, "{\"type\":\"video\",\"base64\":\"AAAA\",\"mime_type\":\"video/mp4\"}",
         "Anthropic Claude does not take a video with InvokeModel; it goes to Amazon Nova"},
        {SONNET, "{\"type\":\"image\",\"url\":\"s3://b/k.png\"}",
         "Anthropic Claude takes no S3 location with InvokeModel"},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        char value[512];
        (void)snprintf(value, sizeof value,
                       "{\"messages\":[[\"user\",[\"a\",%s]]],\"model\":\"%s\",\"api\":"
                       "\"invoke\"}",
                       ROWS[i].block, ROWS[i].model);
        assert_why(value, ERR_UNSUPPORTED_FIELD, "messages", ROWS[i].words);
    }
}

/* ---- the call ---- */

static void add_call(struct invoke_kit *kit, bool stream, struct buf *url, struct buf *headers)
{
    const struct endpoint endpoint = {
        .scheme = SLICE("https"), .host = SLICE("h"), .base_path = SLICE("")};
    const struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                            .secret_access_key = SLICE("secret"),
                                            .expires_wall_ms = INT64_MAX};
    const struct invocation invocation = {.endpoint = &endpoint,
                                          .dialect = kit->dialect,
                                          .request = &kit->ask.request,
                                          .model = kit->ask.request.model,
                                          .stream = stream,
                                          .body = buf_slice(&kit->body),
                                          .region = SLICE("us-east-1"),
                                          .user_agent = SLICE("t"),
                                          .wall_ms = KIT_TIME_MS};
    struct sigv4_key key = {0};
    buf_init(url, 1 << 16);
    buf_init(headers, 1 << 16);
    assert_int_equal(invocation_add(url, headers, &invocation, &credentials, &key), OK);
}

static void assert_header(const struct buf *headers, const char *name, const char *value)
{
    assert_slice(http_header(buf_slice(headers), name), value);
}

static void fields_that_are_not_of_the_body_are_signed_headers(void **state)
{
    (void)state;
    struct invoke_kit kit;
    struct buf url OWNED_BY(buf_done), headers OWNED_BY(buf_done);
    invoke_kit_ask(&kit, SONNET,
                   SAID ",\"guardrail\":{\"guardrail_identifier\":\"g1\",\"guardrail_version\":"
                        "\"2\",\"trace\":\"enabled_full\"},\"performance\":{\"latency\":"
                        "\"optimized\"},\"service_tier\":\"flex\",\"request_metadata\":{ \"a\" : "
                        "\"b\\n\\u00fc\\ud83d\\ude00\\\"\",\"c\":\"d\" }");
    add_call(&kit, false, &url, &headers);
    assert_string_equal(url.ptr,
                        "https://h/model/anthropic.claude-3-sonnet-20240229-v1%3A0/invoke");
    assert_header(&headers, "accept", "application/json");
    assert_header(&headers, "content-type", "application/json");
    assert_header(&headers, "x-amzn-bedrock-guardrailidentifier", "g1");
    assert_header(&headers, "x-amzn-bedrock-guardrailversion", "2");
    assert_header(&headers, "x-amzn-bedrock-trace", "ENABLED_FULL");
    assert_header(&headers, "x-amzn-bedrock-performanceconfig-latency", "optimized");
    assert_header(&headers, "x-amzn-bedrock-service-tier", "flex");
    assert_header(&headers, "x-amzn-bedrock-request-metadata",
                  "{\"a\": \"b\\n\\u00fc\\ud83d\\ude00\\\"\", \"c\": \"d\"}");
    const char *authorization = buf_text(&headers);
    assert_non_null(strstr(authorization,
                           "SignedHeaders=accept;content-type;host;x-amz-date;"
                           "x-amzn-bedrock-guardrailidentifier;x-amzn-bedrock-guardrailversion;"
                           "x-amzn-bedrock-performanceconfig-latency;"
                           "x-amzn-bedrock-request-metadata;x-amzn-bedrock-service-tier;"
                           "x-amzn-bedrock-trace,"));
    invoke_kit_done(&kit);
}

static void a_stream_has_its_path_and_its_accept_header(void **state)
{
    (void)state;
    struct invoke_kit kit;
    struct buf url OWNED_BY(buf_done), headers OWNED_BY(buf_done);
    invoke_kit_ask(&kit, SONNET, SAID ",\"stream\":true");
    add_call(&kit, true, &url, &headers);
    assert_string_equal(url.ptr, "https://h/model/anthropic.claude-3-sonnet-20240229-v1%3A0/"
                                 "invoke-with-response-stream");
    assert_header(&headers, "x-amzn-bedrock-accept", "application/json");
    assert_null(http_header(buf_slice(&headers), "accept").ptr);
    invoke_kit_done(&kit);
}

/* ---- chunks ---- */

static void assert_broken(const char *payload, const char *words)
{
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, SAID ",\"stream\":true");
    enum err err = invoke_kit_frame(&kit, slice_of_text(payload));
    if (err != ERR_BROKEN_STREAM || strcmp(kit.why.message, words) != 0)
        fail_msg("%s: %s: %s", payload, err_name(err), kit.why.message);
    invoke_kit_done(&kit);
}

static void bytes_that_cannot_be_unwrapped_break_the_stream(void **state)
{
    (void)state;
    assert_broken("{\"p\":\"abc\"}", "a chunk without bytes");
    assert_broken("{\"bytes\":7}", "a chunk without bytes");
    assert_broken("no JSON", "a chunk without bytes");
    assert_broken("{\"bytes\":\"e3*9\"}",
                  "a chunk's bytes are not base64: character 3 of 4 is wrong");
    assert_broken("{\"bytes\":\"e30\"}", "a chunk's bytes are not base64: they end too early");
    assert_broken("{\"bytes\":\"eyI=\"}", "a chunk that is invalid JSON");
}

static void nesting_inside_of_a_chunk_has_the_limit_of_all_answers(void **state)
{
    (void)state;
    struct invoke_kit kit;
    struct buf deep OWNED_BY(buf_done);
    invoke_kit_ask(&kit, SONNET, SAID ",\"stream\":true");
    buf_init(&deep, 1 << 20);
    buf_add_text(&deep, "{\"type\":\"ping\",\"x\":");
    for (size_t i = 0; i < JSON_LOOSE_DEPTH_MAX; i++)
        buf_add_byte(&deep, '[');
    for (size_t i = 0; i < JSON_LOOSE_DEPTH_MAX; i++)
        buf_add_byte(&deep, ']');
    buf_add_byte(&deep, '}');
    assert_int_equal(invoke_kit_chunk(&kit, buf_text(&deep)), ERR_BROKEN_STREAM);
    invoke_kit_done(&kit);
}

static void events_that_are_no_chunks_are_skipped(void **state)
{
    (void)state;
    struct invoke_kit kit;
    invoke_kit_ask(&kit, SONNET, SAID ",\"stream\":true");
    assert_int_equal(invoke_kit_chunk(&kit, "{\"type\":\"ping\"}"), OK);
    struct event event = {
        .kind = EVENT_KIND_EVENT, .type = SLICE("later"), .payload = SLICE("no JSON")};
    assert_int_equal(dialect_stream_step(kit.dialect, kit.stream, &event, &kit.step, &kit.why), OK);
    assert_false(kit.step.is_chunk);
    invoke_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converse_is_chosen_where_the_model_has_it),
        cmocka_unit_test(a_model_without_a_family_is_rejected_with_the_providers),
        cmocka_unit_test(what_invoke_model_has_no_place_for_is_rejected_by_name),
        cmocka_unit_test(what_a_family_has_no_place_for_is_rejected_with_those_who_have),
        cmocka_unit_test(a_block_that_a_family_has_no_place_for_is_rejected_by_its_kind),
        cmocka_unit_test(metadata_that_no_header_holds_are_rejected),
        cmocka_unit_test(fields_that_are_not_of_the_body_are_signed_headers),
        cmocka_unit_test(a_stream_has_its_path_and_its_accept_header),
        cmocka_unit_test(bytes_that_cannot_be_unwrapped_break_the_stream),
        cmocka_unit_test(nesting_inside_of_a_chunk_has_the_limit_of_all_answers),
        cmocka_unit_test(events_that_are_no_chunks_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
