/* bedrock-sim's checks of request bodies. */
#include "unit/unit.h"

#include <stdio.h>

#include "sim/bodies/checks.h"
#include "unit/torture.h"

#define USER(text) "{\"role\":\"user\",\"content\":[{\"text\":\"" text "\"}]}"
#define BOT(text)  "{\"role\":\"assistant\",\"content\":[{\"text\":\"" text "\"}]}"
#define HELLO      "\"messages\":[" USER("Hello") "]"

static enum err check(const char *body, char *words)
{
    struct arena arena OWNED_BY(arena_done);
    struct conversation conversation;
    const struct family *family;
    arena_init(&arena, 1 << 20);
    words[0] = '\0';
    return check_body(&arena,
                      &(struct check_request){OPERATION_CONVERSE, SLICE_NULL, slice_of_text(body)},
                      &conversation, &family, words);
}

static void bodies_that_bedrock_accepts_are_accepted(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        ("{" HELLO "}"),
        ("{" HELLO
         ",\"system\":[{\"text\":\"Be kind.\"},{\"cachePoint\":{\"type\":\"default\"}}]}"),
        ("{" HELLO ",\"inferenceConfig\":{\"temperature\":0,\"topP\":1.0,\"maxTokens\":7,"
         "\"stopSequences\":[\"x\"]}}"),
        ("{\"messages\":[" USER("a") "," BOT("b") "," USER("c") "]}"),
        ("{" HELLO ",\"additionalModelRequestFields\":{\"any\":[{\"thing\":null}]},"
         "\"additionalModelResponseFieldPaths\":[\"/a\"],\"requestMetadata\":{\"team "
         "a\":\"b@c\"}}"),
        ("{" HELLO ",\"serviceTier\":{\"type\":\"flex\"},\"performanceConfig\":null}"),
        ("{\"messages\":[" USER("a") ",{\"role\":\"assistant\",\"content\":[{\"toolUse\":{"
                                     "\"toolUseId\":\"t1\",\"name\":\"f\","
                                     "\"input\":{}}}]},{\"role\":\"user\",\"content\":[{"
                                     "\"toolResult\":{\"toolUseId\":\"t1\",\"content\":[{\"json\":"
                                     "{}}]}}]}],\"toolConfig\":{\"tools\":[{\"toolSpec\":{\"name\":"
                                     "\"f\",\"inputSchema\":{\"json\":{\"type\":\"object\"}}}}]}}"),
        ("{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":"
         "{"
         "\"bytes\":\"aGk=\"}}}]}]}"),
    };
    char words[CHECK_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        enum err err = check(GOOD[i], words);
        assert_string_equal(words, "");
        assert_int_equal(err, OK);
    }
}

static const struct {
    const char *body, *words;
} BAD[] = {
    {"", "Malformed input request: not valid JSON at byte 0"},
    {"[]", "Malformed input request: #/: expected type: JSONObject"},
    {"{}", "A conversation must start with a user message."},
    {"{\"messages\":[]}", "A conversation must start with a user message."},
    {"{\"messages\":[" BOT("a") "]}", "A conversation must start with a user message."},
    {"{\"messages\":[" USER("a") "," USER("b") "]}",
     "The model returned the following errors: messages: roles must alternate between \"user\" "
     "and \"assistant\", but found multiple \"user\" roles in a row"},
    {"{\"messages\":[{\"role\":\"system\",\"content\":[{\"text\":\"x\"}]}]}",
     "The role `system` is not"},
    {"{\"messages\":[{\"role\":\"bot\",\"content\":[]}]}",
     "1 validation error detected: Value '\"bot\"' at 'messages.0.role' failed to satisfy "
     "constraint: "
     "Member must satisfy enum value set: [user, assistant, system]"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[]}]}",
     "The content field in the Message object at messages.0 is empty."},
    {"{\"messages\":[{\"role\":\"user\"}]}",
     "1 validation error detected: Value null at 'messages.0.content' failed to satisfy "
     "constraint: "
     "Member must not be null"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
     "Malformed input request: #/messages.0.content: expected type: JSONArray"},
    {"{\"messages\":[" USER(" \\n") "]}",
     "The text field in the ContentBlock object at messages.0.content.0 is blank."},
    {"{\"messages\":[" USER("\\u00a0\\u3000") "]}",
     "The text field in the ContentBlock object at messages.0.content.0 is blank."},
    {"{\"messages\":[" USER("a") "," BOT("b ") "]}",
     "The model returned the following errors: messages: final assistant content cannot end"},
    {"{" HELLO ",\"temperature\":1}",
     "Malformed input request: #: extraneous key [temperature] is not permitted"},
    {"{" HELLO ",\"inferenceConfig\":{\"top_p\":1}}",
     "Malformed input request: #/inferenceConfig: extraneous key [top_p] is not permitted"},
    {"{" HELLO ",\"inferenceConfig\":{\"temperature\":1.5}}",
     "1 validation error detected: Value '1.5' at 'inferenceConfig.temperature' failed to "
     "satisfy "
     "constraint: Member must have value less than or equal to 1"},
    {"{" HELLO ",\"inferenceConfig\":{\"maxTokens\":0}}",
     "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed"},
    {"{" HELLO ",\"inferenceConfig\":{\"maxTokens\":1.5}}",
     "Malformed input request: #/inferenceConfig.maxTokens: expected type: Integer"},
    {"{" HELLO ",\"inferenceConfig\":{\"maxTokens\":4294967296}}",
     "1 validation error detected: Value '4294967296' at 'inferenceConfig.maxTokens' failed"},
    {"{" HELLO ",\"inferenceConfig\":{\"stopSequences\":[\"\"]}}",
     "1 validation error detected: Value '\"\"' at 'inferenceConfig.stopSequences.0' failed"},
    {"{" HELLO ",\"requestMetadata\":{}}",
     "1 validation error detected: Value '{}' at 'requestMetadata'"},
    {"{" HELLO ",\"requestMetadata\":{\"a\":\"*\"}}",
     "1 validation error detected: Value '\"*\"' at 'requestMetadata.a' failed"},
    {"{" HELLO ",\"requestMetadata\":{\"*\":\"a\"}}",
     "1 validation error detected: Value at 'requestMetadata' failed"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\",\"json\":{}}]}]}",
     "Malformed input request: #/messages.0.content.0: extraneous key [json]"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{}]}]}",
     "Malformed input request: #/messages.0.content.0: exactly one member of the union"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":"
     "{\"bytes\":\"a\"}}}]}]}",
     "Malformed input request: #/messages.0.content.0.image.source.bytes: expected type: "
     "base64"},
    {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"toolResult\":{\"toolUseId\":\"t\","
     "\"content\":[]}}]}]}",
     "The toolConfig field must be defined when using toolUse and toolResult content blocks."},
    {"{" HELLO ",\"a\":1,\"a\":2}", "Malformed input request: not valid JSON at byte"},
};

static void bodies_that_bedrock_rejects_get_its_message(void **state)
{
    (void)state;
    char words[CHECK_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        assert_int_equal(check(BAD[i].body, words), ERR_REJECTED);
        words[strlen(BAD[i].words) < CHECK_TEXT_MAX ? strlen(BAD[i].words) : 0] = '\0';
        assert_string_equal(words, BAD[i].words);
    }
}

static void the_last_user_turn_is_the_prompt(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct conversation seen;
    char words[CHECK_TEXT_MAX];
    arena_init(&arena, 1 << 20);
    struct slice body =
        SLICE("{\"system\":[{\"text\":\"Be kind.\"}],\"messages\":[" USER("first") "," BOT(
            "second") ",{\"role\":\"user\",\"content\":[{\"text\":\"th\\u00efrd\"},{\"text\":"
                      "\"more\"}]}],"
                      "\"inferenceConfig\":{\"maxTokens\":9,\"stopSequences\":[\"q\"]}}");
    const struct family *family;
    assert_int_equal(check_body(&arena,
                                &(struct check_request){OPERATION_CONVERSE, SLICE_NULL, body},
                                &seen, &family, words),
                     OK);
    assert_slice(seen.system, "Be kind.");
    assert_slice(seen.prompt, "thïrd\nmore");
    assert_slice(seen.all, "Be kind.\nfirst\nsecond\nthïrd\nmore");
    assert_int_equal(seen.input_bytes, seen.all.len);
    assert_int_equal(seen.max_tokens, 9);
    assert_int_equal(seen.stop->count, 1);
}

static void a_fifth_cache_point_is_rejected(void **state)
{
    (void)state;
#define POINT ",{\"cachePoint\":{\"type\":\"default\"}}"
    char words[CHECK_TEXT_MAX];
    assert_int_equal(
        check("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}" POINT POINT POINT
                  POINT "]}]}",
              words),
        OK);
    assert_int_equal(
        check("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}" POINT POINT POINT
                  POINT POINT "]}]}",
              words),
        ERR_REJECTED);
}

static void additional_fields_may_nest_to_the_json_limit(void **state)
{
    (void)state;
    char body[1024] = "{" HELLO ",\"additionalModelRequestFields\":";
    char words[CHECK_TEXT_MAX];
    size_t len = strlen(body);
    for (int i = 0; i < 60; i++)
        body[len++] = '[';
    for (int i = 0; i < 60; i++)
        body[len++] = ']';
    (void)snprintf(body + len, sizeof body - len, "}");
    assert_int_equal(check(body, words), OK);
}

static void a_model_id_with_other_characters_is_rejected(void **state)
{
    (void)state;
    assert_true(check_model_id(SLICE("anthropic.claude-3-sonnet-20240229-v1:0")));
    assert_true(
        check_model_id(SLICE("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x_1")));
    assert_false(check_model_id(SLICE("")));
    assert_false(check_model_id(SLICE("a b")));
    assert_false(check_model_id(SLICE("a\nb")));
    assert_false(check_model_id(SLICE("a%b")));
}

static bool check_once(void *self)
{
    struct arena arena OWNED_BY(arena_done);
    struct conversation conversation;
    char words[CHECK_TEXT_MAX];
    arena_init(&arena, 1 << 20);
    const struct family *family;
    struct check_request request = {OPERATION_CONVERSE, SLICE_NULL, slice_of_text(self)};
    enum err err = check_body(&arena, &request, &conversation, &family, words);
    assert_true(err == OK || err == ERR_NO_MEMORY);
    return err == OK;
}

static void checks_survive_failed_allocations(void **state)
{
    (void)state;
    char body[] =
        "{" HELLO ",\"system\":[{\"text\":\"a\\nb\"}],\"requestMetadata\":{\"k\":\"v\\t\"}}";
    assert_true(torture(check_once, body) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_that_bedrock_accepts_are_accepted),
        cmocka_unit_test(bodies_that_bedrock_rejects_get_its_message),
        cmocka_unit_test(the_last_user_turn_is_the_prompt),
        cmocka_unit_test(a_fifth_cache_point_is_rejected),
        cmocka_unit_test(additional_fields_may_nest_to_the_json_limit),
        cmocka_unit_test(a_model_id_with_other_characters_is_rejected),
        cmocka_unit_test(checks_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
