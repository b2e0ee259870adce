/* The mistakes of a request: an error lists up to eight, each with its place; the first one is the
 * error's code and field. What only follows from a mistake is not listed. */
#include "unit/unit.h"

#include <stdio.h>

#include "base/utf8.h"
#include "unit/engine_kit.h"
#include "unit/request_kit.h"
#include "wire/chat/reader.h"

/* What an error response says: `field: message; field: message`. */
static void assert_lists(const char *value, const char *expected)
{
    struct request_kit kit;
    char message[WHY_FIELD_MAX + WHY_MESSAGE_MAX + WHY_OTHERS_MAX + 4];
    request_kit_init(&kit);
    assert_int_not_equal(request_kit_read(&kit, slice_of_text(value)), OK);
    (void)snprintf(message, sizeof message, "%s%s%s%s", kit.why.field,
                   kit.why.field[0] != '\0' ? ": " : "", kit.why.message,
                   kit.why.others != NULL ? kit.why.others : "");
    assert_string_equal(message, expected);
    request_kit_done(&kit);
}

static void every_mistake_is_listed_with_its_place(void **state)
{
    (void)state;
    assert_lists("{\"temperature\":-1,\"messages\":[{\"role\":\"usr\",\"content\":\"x\"},"
                 "[\"human\",[{\"type\":\"sonnet\"},{\"image\":{}},7]],[\"human\",7]],"
                 "\"colour\":1,\"model_kwargs\":{\"max_tokens\":0,\"top_p\":2}}",
                 "colour: no such field; temperature: must be a number from 0; "
                 "model_kwargs.max_tokens: must be a whole number from 1; "
                 "model_kwargs.top_p: must be a number from 0 to 1; "
                 "messages[0].role: must be system, user (human), assistant (ai) or tool; "
                 "messages[1][1][0].type: Bedrock has no blocks of the type \"sonnet\"; leave out "
                 "another vendor's blocks; "
                 "messages[1][1][2]: a block must be an object or a string; "
                 "messages[2][1]: must be a string or an array of blocks");
    assert_lists("{\"messages\":[{\"role\":\"user\",\"colour\":1,\"status\":2}]}",
                 "messages[0].colour: no such field; messages[0].status: is allowed in tool "
                 "messages only; messages[0].content: missing");
    assert_lists("{" SAID ",\"model\":\"claud\",\"top_p\":2}",
                 "top_p: must be a number from 0 to 1; model: \"claud\" is neither an alias from "
                 "the settings nor a model id or ARN (aliases: claude, plain); did you mean "
                 "\"claude\"?");
}

static void a_foreign_name_gets_a_hint(void **state)
{
    (void)state;
    assert_lists("{" SAID ",\"stop_sequences\":[\"a\"],\"max_completion_tokens\":1}",
                 "stop_sequences: no such field; write stop; "
                 "max_completion_tokens: no such field; write max_tokens");
    assert_lists("{" SAID ",\"inferenceConfig\":{},\"guardrail_config\":{}}",
                 "inferenceConfig: no such field; its members are fields here: max_tokens, "
                 "temperature, top_p, stop; guardrail_config: no such field; write guardrail");
    assert_lists("{" SAID ",\"response_format\":{},\"tools_choice\":1,\"system\":null}",
                 "response_format: no such field; write structured_output; "
                 "tools_choice: no such field; write tool_choice; "
                 "system: no such field; write a message with the role system");
}

static void consequences_of_a_mistake_are_not_listed(void **state)
{
    (void)state;
    assert_lists("{" SAID ",\"model\":7}", "model: must be a string");
    assert_lists("{\"messages\":7}", "messages: must be an array");
    assert_lists("{\"prompt\":[]}", "prompt: must be an object");
    assert_lists("{\"messages\":[[\"human\",7],[\"ai\",\"x\"]]}",
                 "messages[0][1]: must be a string or an array of blocks");
    assert_lists("{\"messages\":[[\"usr\",\"x\"],[\"ai\",\"x\"]]}",
                 "messages[0][0]: must be system, user (human), assistant (ai) or tool");
    assert_lists("{\"prompt\":{\"template\":[[\"human\",7]],\"variables\":{\"a\":\"b\"}}}",
                 "prompt.template[0][1]: must be a string or an array of blocks");
    assert_lists("{\"prompt\":{\"template\":\"translate\",\"variables\":[]}}",
                 "prompt.variables: must be an object");
}

static void missing_variables_of_all_messages_are_listed(void **state)
{
    (void)state;
    assert_lists("{\"prompt\":{\"template\":[[\"system\",\"{a}\"],[\"human\",\"{b}\"]],"
                 "\"extra\":1}}",
                 "prompt.extra: no such field; prompt.variables: the template needs the variable "
                 "\"a\"; prompt.variables: the template needs the variable \"b\"");
}

static void add_wrong_messages(struct buf *value, size_t count)
{
    buf_add_text(value, "{\"messages\":[");
    for (size_t i = 0; i < count; i++)
        buf_add_text(value, i == 0 ? "7" : ",7");
    buf_add_text(value, "]}");
}

static void assert_count(size_t count, const char *end)
{
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    request_kit_init(&kit);
    buf_init(&value, 1 << 20);
    add_wrong_messages(&value, count);
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), ERR_INVALID);
    assert_string_equal(kit.why.field, "messages[0]");
    assert_true(slice_ends(slice_of_text(kit.why.others), slice_of_text(end)));
    assert_null(strstr(kit.why.others, "messages[8]"));
    request_kit_done(&kit);
}

static void eight_are_listed_and_more_are_counted(void **state)
{
    (void)state;
    assert_count(MISTAKES_SHOWN_MAX, "messages[7]: a message must be an object or [role, content]");
    assert_count(MISTAKES_SHOWN_MAX + 1, "; and 1 more");
    assert_count(MISTAKES_MAX - 1, "; and 55 more");
    assert_count(MISTAKES_MAX, "; and at least 56 more");
    assert_count(100000, "; and at least 56 more");
}

/* The longest possible texts. */
static void a_list_of_mistakes_is_bounded(void **state)
{
    (void)state;
    struct request_kit kit;
    struct buf value OWNED_BY(buf_done);
    request_kit_init(&kit);
    buf_init(&value, 1 << 20);
    buf_add_byte(&value, '{');
    for (size_t i = 0; i < 2 * MISTAKES_SHOWN_MAX; i++) {
        buf_addf(&value, "\"%zu", i);
        for (size_t j = 0; j < WHY_FIELD_MAX; j++)
            buf_add_text(&value, "\xc3\xa9");
        buf_add_text(&value, "\":1,");
    }
    buf_add_text(&value, SAID "}");
    assert_int_equal(request_kit_read(&kit, buf_slice(&value)), ERR_INVALID);
    struct slice others = slice_of_text(kit.why.others);
    assert_true(others.len < WHY_OTHERS_MAX);
    assert_int_equal(utf8_valid_len(others), others.len);
    assert_true(slice_ends(others, SLICE("; and 8 more")));
    request_kit_done(&kit);
}

static void mistakes_in_headers_come_first(void **state)
{
    (void)state;
    struct request_kit kit;
    const struct header headers[] = {{SLICE("ce_expirytime"), SLICE("soon")},
                                     {SLICE("ce_id"), SLICE("\n")}};
    request_kit_init(&kit);
    kit.record.headers = (struct headers){headers, COUNT_OF(headers)};
    kit.record.headers_sent = COUNT_OF(headers);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"top_k\":-1}")), ERR_INVALID);
    assert_string_equal(kit.why.field, "ce_expirytime");
    assert_string_equal(kit.why.others, "; ce_id: must be 1 to 128 characters of UTF-8 without "
                                        "controls; top_k: must be a whole number from 0");
    assert_int_equal(request_kit_read(&kit, SLICE("{")), ERR_INVALID);
    assert_non_null(strstr(kit.why.others, "at line 1, column 2"));
    request_kit_done(&kit);
}

static void response_and_dead_letter_carry_the_list(void **state)
{
    (void)state;
    struct kit *kit = kit_started(NULL);
    kit_record(kit, 0, 0, NULL, "{\"model\":\"m.1\",\"messages\":[7],\"top_k\":-1}");
    (void)kit_batch_with(kit, OUTPUT_RESPONSE);
    bool is_in_letter = false;
    for (size_t i = 0; i < kit->batch.output_count; i++)
        for (size_t j = 0; j < kit->batch.outputs[i]->header_count; j++)
            is_in_letter = is_in_letter ||
                           slice_equal_text(kit->batch.outputs[i]->headers[j].value,
                                            "top_k: must be a whole number from 0; messages[0]: a "
                                            "message must be an object or [role, content]");
    assert_true(is_in_letter);
    kit_settle(kit);
    assert_says(
        kit_output(kit, OUTPUT_RESPONSE, 0),
        "\"message\":\"top_k: must be a whole number from 0; messages[0]: a message must be an "
        "object or [role, content]\",\"retryable\":false,\"field\":\"top_k\"");
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_listed_with_its_place),
        cmocka_unit_test(a_foreign_name_gets_a_hint),
        cmocka_unit_test(consequences_of_a_mistake_are_not_listed),
        cmocka_unit_test(missing_variables_of_all_messages_are_listed),
        cmocka_unit_test(eight_are_listed_and_more_are_counted),
        cmocka_unit_test(a_list_of_mistakes_is_bounded),
        cmocka_unit_test(mistakes_in_headers_come_first),
        cmocka_unit_test(response_and_dead_letter_carry_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
