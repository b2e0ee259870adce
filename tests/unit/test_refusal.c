/* What Bedrock's answers to a probe say about a model: the texts as users of AWS quote them. */
#include "unit/unit.h"

#include "app/client/refusal.h"

static void a_text_of_bedrock_has_its_meaning(void **state)
{
    (void)state;
    static const struct {
        enum err err;
        const char *message;
        enum refusal_kind kind;
    } ROWS[] = {
        {ERR_REJECTED, "The provided model identifier is invalid.", REFUSAL_OF_MODEL},
        {ERR_REJECTED,
         "Invocation of model ID anthropic.claude-3-5-sonnet-20241022-v2:0 with on-demand "
         "throughput isn\xe2\x80\x99t supported. Retry your request with the ID or ARN of an "
         "inference profile that contains this model.",
         REFUSAL_OF_MODEL},
        {ERR_REJECTED, "Operation not allowed", REFUSAL_OF_MODEL},
        {ERR_ACCESS_DENIED, "You don't have access to the model with the specified model ID.",
         REFUSAL_OF_MODEL},
        {ERR_ACCESS_DENIED, "no text of the list", REFUSAL_OF_MODEL},
        {ERR_MODEL_NOT_FOUND, "This model version has reached the end of its life.",
         REFUSAL_OF_MODEL},
        {ERR_REJECTED,
         "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy "
         "constraint: Member must have value greater than or equal to 1",
         REFUSAL_OF_PROBE},
        {ERR_REJECTED,
         "2 validation errors detected: Value 'a b' at 'modelId' failed to satisfy constraint: "
         "…; Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint",
         REFUSAL_OF_MODEL},
        {ERR_REJECTED,
         "A conversation must start with a user message. Try again with a conversation that "
         "starts with a user message.",
         REFUSAL_OF_PROBE},
        {ERR_REJECTED,
         "Malformed input request: #: expected type: JSONObject, found: JSONArray, please "
         "reformat your input and try again.",
         REFUSAL_BY_MODEL},
        {ERR_SIGNATURE, "Credential should be scoped to a valid region.", REFUSAL_OF_KEYS},
        {ERR_THROTTLED, "Too many requests, please wait before trying again.", REFUSAL_FOR_NOW},
        {ERR_THROTTLED, "maxTokens", REFUSAL_FOR_NOW},
        {ERR_OVERLOADED, "", REFUSAL_FOR_NOW},
        {ERR_REJECTED, "no", REFUSAL_UNKNOWN},
        {ERR_UNAVAILABLE, "no", REFUSAL_OF_MODEL},
    };
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct why why;
        why_clear(&why);
        (void)why_set(&why, ROWS[i].err, NULL, "%s", ROWS[i].message);
        struct refusal refusal = refusal_of(&why);
        assert_int_equal(refusal.kind, ROWS[i].kind);
        if (refusal.kind == REFUSAL_OF_MODEL || refusal.kind == REFUSAL_FOR_NOW)
            assert_true(refusal.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_bedrock_has_its_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
