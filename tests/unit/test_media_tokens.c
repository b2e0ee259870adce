/* A guess what media count, by their kind. */
#include "unit/unit.h"

#include "unit/request_kit.h"

#include "wire/chat/media_tokens.h"

#define IMAGE "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"AAAA\"}}}"
#define PDF   "{\"document\":{\"format\":\"pdf\",\"name\":\"d\",\"source\":{\"bytes\":\"AAAA\"}}}"

static size_t tokens_of(const char *value)
{
    struct request_kit kit;
    request_kit_init(&kit);
    if (request_kit_read(&kit, slice_of_text(value)) != OK)
        fail_msg("%s: %s", kit.why.field, kit.why.message);
    size_t tokens = media_tokens(&kit.request);
    request_kit_done(&kit);
    return tokens;
}

static void text_has_no_media(void **state)
{
    (void)state;
    assert_int_equal(tokens_of("{\"messages\":[[\"human\",\"hi\"]]}"), 0);
}

static void each_picture_and_document_counts(void **state)
{
    (void)state;
    size_t one = tokens_of("{\"messages\":[[\"human\",[{\"text\":\"x\"}," IMAGE "]]]}");
    size_t more = tokens_of("{\"messages\":[[\"human\",[{\"text\":\"x\"}," IMAGE "," PDF "]]]}");
    assert_true(one > 0 && more > one);
    assert_int_equal(
        tokens_of("{\"messages\":[[\"human\",[{\"text\":\"x\"}," IMAGE "," IMAGE "]]]}"), 2 * one);
}

static void media_in_results_of_tools_count(void **state)
{
    (void)state;
    size_t one = tokens_of("{\"messages\":[[\"human\",[{\"text\":\"x\"}," IMAGE "]]]}");
    size_t result = tokens_of(
        "{\"messages\":[[\"human\",\"x\"],{\"role\":\"ai\",\"content\":\"\",\"tool_calls\":[{"
        "\"id\":\"t1\",\"name\":\"see\",\"args\":{}}]},{\"role\":\"tool\",\"tool_call_id\":\"t1\","
        "\"content\":[" IMAGE "]}],\"tools\":[{\"name\":\"see\",\"description\":\"d\","
        "\"input_schema\":{\"type\":\"object\"}}]}");
    assert_int_equal(result, one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_no_media),
        cmocka_unit_test(each_picture_and_document_counts),
        cmocka_unit_test(media_in_results_of_tools_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
