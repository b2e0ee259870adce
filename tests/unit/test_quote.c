#include "unit/unit.h"

#include "unit/request_kit.h"
#include "wire/bedrock/quote.h"

#define CANARY "the canary sings at four"

/* Whether `words` quote a request whose value is this. */
static bool is_quote(const char *value, const char *words)
{
    struct request_kit kit;
    request_kit_init(&kit);
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s (%s)", value, kit.why.message, kit.why.field);
    bool is_quote = quote_is_of(&kit.request, slice_of_text(words));
    request_kit_done(&kit);
    return is_quote;
}

#define ASKING(text) "{\"messages\":[[\"human\",\"" text "\"]]}"

static void a_long_piece_is_a_quote_wherever_it_stands(void **state)
{
    (void)state;
    assert_true(is_quote(ASKING(CANARY), CANARY));
    assert_true(is_quote(ASKING("before " CANARY " after"), "failed on " CANARY ", sorry"));
    assert_true(is_quote(ASKING("xx" CANARY "yy"), "zz" CANARY "ww"));
    assert_false(is_quote(ASKING("The canary sings at four"), CANARY)); /* 23 bytes of it */
    assert_true(is_quote("{\"messages\":[[\"system\",\"so " CANARY "\"],[\"human\",\"Hi\"]]}",
                         "no: " CANARY));
    assert_true(is_quote("{\"messages\":[[\"human\",\"Hi\"],[\"ai\",\"Hm\"],"
                         "[\"human\",[{\"text\":\"Hm\"},{\"text\":\"" CANARY "\"}]]]}",
                         CANARY));
}

static void a_short_message_is_quoted_whole_or_not_at_all(void **state)
{
    (void)state;
    assert_true(is_quote(ASKING("my PIN: 1234"), "cannot say 'my PIN: 1234'"));
    assert_true(is_quote(ASKING(" my PIN: 1234\\n"), "cannot say 'my PIN: 1234'"));
    assert_false(is_quote(ASKING("my PIN: 1234"), "cannot say 'my PIN: 123'"));
    assert_false(is_quote(ASKING("Hi"), "Hi is too short to be known as a quote: this"));
}

static void an_escaped_quote_is_recognized(void **state)
{
    (void)state;
    const char *value = ASKING("say \\\"caf\\u00e9\\\"\\nto \\ud83d\\ude00 and all of us");
    assert_true(is_quote(value, "say \"caf\xc3\xa9\" to \xf0\x9f\x98\x80 and all of us"));
    assert_true(is_quote(value, "say \\\"caf\xc3\xa9\\\"\\nto \xf0\x9f\x98\x80 and all"));
    assert_true(is_quote(value, "say \\\"caf\\u00E9\\\"\\nto \\ud83d\\ude00 and all"));
    assert_true(is_quote(value, "say \\\\\"caf\\\\u00e9\\\\\"\\\\nto \\\\ud83d\\\\ude00 and all"));
    assert_true(is_quote("{\"messages\":[[\"human\",[{\"guardContent\":{\"text\":{\"text\":\"the "
                         "\\\"canary\\\" sings at four\"}}}]]]}",
                         "the \"canary\" sings at four"));
}

static void inputs_and_results_of_calls_are_messages_too(void **state)
{
    (void)state;
    assert_true(
        is_quote("{\"messages\":[[\"human\",\"Hi\"],{\"role\":\"ai\",\"tool_calls\":[{\"id\":"
                 "\"c\",\"name\":\"f\",\"args\":{\"a\":\"" CANARY "\"}}]}]}",
                 "not valid: " CANARY));
    assert_true(is_quote("{\"messages\":[[\"human\",\"Hi\"],[\"ai\",\"Hm\"],{\"role\":\"tool\","
                         "\"tool_call_id\":\"c\",\"content\":[\"x\",{\"json\":[\"" CANARY
                         "\"]}]}]}",
                         "not valid: " CANARY));
}

static void messages_in_bedrocks_own_words_are_not_quotes(void **state)
{
    (void)state;
    const char *value = "{\"model\":\"anthropic.claude-3-sonnet-20240229-v1:0\",\"metadata\":"
                        "{\"note\":\"the metadata never reach Bedrock\"},\"messages\":[[\"human\","
                        "\"Please tell me which model identifier is the provided one.\"]]}";
    assert_false(is_quote(value, ""));
    assert_false(is_quote(value, "\\"));
    assert_false(is_quote(value, "The provided model identifier is invalid: "
                                 "anthropic.claude-3-sonnet-20240229-v1:0"));
    assert_false(is_quote(value, "Malformed input request: #/messages/0/content: expected minimum "
                                 "item count: 1, found: 0, please reformat your input"));
}

static void texts_of_broken_escapes_are_read_to_their_end(void **state)
{
    (void)state;
    assert_false(is_quote(ASKING("a"), "\\u12"));
    assert_false(is_quote(ASKING("a"), "\\ud83d\\"));
    assert_false(is_quote(ASKING("a"), "\\ud83d\\u0041 \\udc00 \\u0000 \\uzzzz \\q"));
    assert_true(is_quote(ASKING("C:\\\\users\\\\udo\\\\ubuntu\\\\new file"),
                         "no C:\\users\\udo\\ubuntu\\new file"));
}

static struct why said(const char *type, const char *words, bool is_foreign)
{
    struct why why;
    (void)why_set(&why, ERR_UNAVAILABLE, NULL, "%s", words);
    why_copy(why.type, sizeof why.type, slice_of_text(type));
    why.is_foreign = is_foreign;
    return why;
}

static void status_and_type_replace_a_message_that_quotes(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    assert_int_equal(request_kit_read(&kit, SLICE(ASKING(CANARY))), OK);
    struct why why = said("InternalServerException", "oh: " CANARY, true);
    quote_hide(&kit.request, 500, &why);
    assert_string_equal(
        why.message,
        "status 500 InternalServerException (its message quotes the request and is left out)");
    assert_string_equal(why.type, "InternalServerException");
    assert_int_equal(why.err, ERR_UNAVAILABLE);
    assert_false(why.is_foreign);
    why = said("", CANARY, true);
    quote_hide(&kit.request, 502, &why);
    assert_string_equal(why.message, "status 502 (its message quotes the request and is left out)");
    why = said("ValidationException", "too many tokens", true);
    quote_hide(&kit.request, 400, &why);
    assert_string_equal(why.message, "too many tokens");
    why = said("", "the worker's own: " CANARY, false);
    quote_hide(&kit.request, 400, &why);
    assert_string_equal(why.message, "the worker's own: " CANARY);
    request_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_piece_is_a_quote_wherever_it_stands),
        cmocka_unit_test(a_short_message_is_quoted_whole_or_not_at_all),
        cmocka_unit_test(an_escaped_quote_is_recognized),
        cmocka_unit_test(inputs_and_results_of_calls_are_messages_too),
        cmocka_unit_test(messages_in_bedrocks_own_words_are_not_quotes),
        cmocka_unit_test(texts_of_broken_escapes_are_read_to_their_end),
        cmocka_unit_test(status_and_type_replace_a_message_that_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
