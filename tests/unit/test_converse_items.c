#include "unit/unit.h"

#include <stdio.h>

#include "base/random.h"
#include "unit/stream_kit.h"

/* --- kinds of blocks --- */

static void a_tool_use_is_streamed_in_fragments(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"messageStart", "{\"role\":\"assistant\"}", "[]", NULL, NULL},
        {"contentBlockDelta", TEXT_DELTA("a"), TEXT_CHUNK("a"), NULL, NULL},
        {"contentBlockStart",
         "{\"contentBlockIndex\":1,\"start\":{\"toolUse\":{\"name\":\"get\",\"toolUseId\":\"t1\"}}"
         "}",
         "[{\"type\":\"tool_use\",\"name\":\"get\",\"id\":\"t1\",\"index\":1}]",
         "[{\"name\":\"get\",\"args\":\"\",\"id\":\"t1\",\"index\":1,\"type\":\"tool_call_chunk\"}"
         "]",
         NULL},
        {"contentBlockDelta",
         "{\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\"{\\\"a_b\\\": 1\"}}}",
         "[{\"type\":\"tool_use\",\"input\":\"{\\\"a_b\\\": 1\",\"index\":1}]",
         "[{\"args\":\"{\\\"a_b\\\": 1\",\"index\":1,\"type\":\"tool_call_chunk\"}]", NULL},
        {"contentBlockDelta",
         "{\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\".50}\"}}}",
         "[{\"type\":\"tool_use\",\"input\":\".50}\",\"index\":1}]",
         "[{\"args\":\".50}\",\"index\":1,\"type\":\"tool_call_chunk\"}]", NULL},
        {"contentBlockStop", "{\"contentBlockIndex\":1}", "[{\"index\":1}]", NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(
        &kit,
        "[{\"type\":\"text\",\"text\":\"a\",\"index\":0},{\"type\":\"tool_use\",\"name\":\"get\","
        "\"id\":\"t1\",\"input\":\"{\\\"a_b\\\": 1.50}\",\"index\":1}]",
        "[{\"name\":\"get\",\"args\":{\"a_b\": 1.50},\"id\":\"t1\",\"type\":\"tool_call\"}]");
    stream_kit_done(&kit);
}

static void assert_call(const char *input, const char *calls, const char *invalid)
{
    struct stream_kit kit;
    char delta[256];
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(
        stream_kit_hear(&kit, "contentBlockStart",
                        "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"name\":\"n\","
                        "\"toolUseId\":\"t\",\"type\":\"tool_use\",\"caller\":[1]}}}"),
        OK);
    assert_slice(
        kit.step.content,
        "[{\"type\":\"tool_use\",\"name\":\"n\",\"id\":\"t\",\"caller\":[1],\"index\":0}]");
    snprintf(delta, sizeof delta,
             "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"%s\"}}}", input);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", delta), OK);
    hear_end(&kit);
    assert_int_equal(stream_kit_end(&kit), OK);
    assert_slice(kit.answer.tool_calls, calls);
    assert_slice(kit.answer.invalid_tool_calls, invalid);
    stream_kit_done(&kit);
}

static void only_complete_arguments_make_a_tool_call(void **state)
{
    (void)state;
    assert_call("", "[{\"name\":\"n\",\"args\":{},\"id\":\"t\",\"type\":\"tool_call\"}]", "[]");
    assert_call("{}", "[{\"name\":\"n\",\"args\":{},\"id\":\"t\",\"type\":\"tool_call\"}]", "[]");
    assert_call(
        "{\\\"a\\\":", "[]",
        "[{\"name\":\"n\",\"args\":\"{\\\"a\\\":\",\"id\":\"t\",\"type\":\"invalid_tool_call\"}]");
    assert_call("[1]", "[]",
                "[{\"name\":\"n\",\"args\":\"[1]\",\"id\":\"t\",\"type\":\"invalid_tool_call\"}]");
}

static void tools_that_bedrock_runs_are_not_tool_calls(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockStart",
         "{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"name\":\"n\",\"toolUseId\":\"t\","
         "\"type\":"
         "\"server_tool_use\"}}}",
         "[{\"type\":\"server_tool_use\",\"name\":\"n\",\"id\":\"t\",\"index\":0}]", NULL, NULL},
        {"contentBlockDelta",
         "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}",
         "[{\"type\":\"server_tool_use\",\"input\":\"{}\",\"index\":0}]", NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(
        &kit,
        "[{\"type\":\"server_tool_use\",\"name\":\"n\",\"id\":\"t\",\"input\":\"{}\",\"index\":0}]",
        "[]");
    stream_kit_done(&kit);
}

#define REASONING(member) "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{" member "}}}"
#define REASONED(member)                                                                           \
    "[{\"type\":\"reasoning_content\",\"reasoning_content\":{" member "},\"index\":0}]"

static void reasoning_is_streamed_and_kept(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockDelta", REASONING("\"text\":\"I \""), REASONED("\"text\":\"I \""), NULL,
         NULL},
        {"contentBlockDelta", REASONING("\"text\":\"think\""), REASONED("\"text\":\"think\""), NULL,
         NULL},
        {"contentBlockDelta", REASONING("\"signature\":\"c2ln\""),
         REASONED("\"signature\":\"c2ln\""), NULL, NULL},
        {"contentBlockDelta", REASONING("\"redactedContent\":\"AA==\""),
         REASONED("\"redacted_content\":\"AA==\""), NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(
        &kit, REASONED("\"text\":\"I think\",\"signature\":\"c2ln\",\"redacted_content\":\"AA==\""),
        "[]");
    stream_kit_done(&kit);
}

static void citations_are_streamed_with_their_text(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockDelta",
         "{\"contentBlockIndex\":0,\"delta\":{\"citation\":{\"title\":\"a\"}}}",
         "[{\"type\":\"text\",\"text\":\"\",\"citations\":[{\"title\":\"a\"}],\"index\":0}]", NULL,
         NULL},
        {"contentBlockDelta", TEXT_DELTA("x"), TEXT_CHUNK("x"), NULL, NULL},
        {"contentBlockDelta",
         "{\"contentBlockIndex\":0,\"delta\":{\"citation\":{\"title\":\"b\"}}}",
         "[{\"type\":\"text\",\"text\":\"\",\"citations\":[{\"title\":\"b\"}],\"index\":0}]", NULL,
         NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(
        &kit,
        "[{\"type\":\"text\",\"text\":\"x\",\"citations\":[{\"title\":\"a\"},{\"title\":\"b\"}],"
        "\"index\":0}]",
        "[]");
    stream_kit_done(&kit);
}

static void unknown_kinds_are_kept_unchanged(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockStart",
         "{\"contentBlockIndex\":2,\"start\":{\"audio\":{\"format\":\"mp3\"}}}",
         "[{\"contentBlockIndex\":2,\"start\":{\"audio\":{\"format\":\"mp3\"}}}]", NULL, NULL},
        {"contentBlockDelta", "{\"delta\":{\"hologram\": {\"x\":1.50}},\"contentBlockIndex\":2}",
         "[{\"contentBlockIndex\":2,\"delta\":{\"hologram\": {\"x\":1.50}}}]", NULL, NULL},
        {"contentBlockStop", "{\"contentBlockIndex\":2}", "[]", NULL, NULL},
        {"contentBlockDelta", TEXT_DELTA("a"), TEXT_CHUNK("a"), NULL, NULL},
        /* of another kind than its block */
        {"contentBlockDelta",
         "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}",
         "[{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}]", NULL, NULL},
        {"contentBlockDelta", TEXT_DELTA("b"), TEXT_CHUNK("b"), NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(&kit,
                   "[{\"contentBlockIndex\":2,\"start\":{\"audio\":{\"format\":\"mp3\"}}},"
                   "{\"contentBlockIndex\":2,\"delta\":{\"hologram\": {\"x\":1.50}}},"
                   "{\"type\":\"text\",\"text\":\"ab\",\"index\":0},"
                   "{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}]",
                   "[]");
    stream_kit_done(&kit);
}

/* An event of a block: `start` or `delta`. */
#define BLOCK_EVENT(name, said) "{\"contentBlockIndex\":3,\"" name "\":" said "}"

static void results_of_tools_that_bedrock_runs_are_streamed(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockStart",
         BLOCK_EVENT("start", "{\"toolResult\":{\"toolUseId\":\"t\",\"status\":\"error\",\"type\":"
                              "\"x\"}}"),
         "[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":true,\"content\":[],"
         "\"index\":3}]",
         NULL, NULL},
        {"contentBlockDelta",
         BLOCK_EVENT("delta", "{\"toolResult\":[{\"text\":\"a\"},{\"text\":\"\\\"b\"}]}"),
         "[{\"type\":\"tool_result\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"index\":0},"
         "{\"type\":\"text\",\"text\":\"\\\"b\",\"index\":0}],\"index\":3}]",
         NULL, NULL},
        {"contentBlockDelta",
         BLOCK_EVENT("delta", "{\"toolResult\":[{\"json\":{\"aB\":1.50}},{\"text\":\"c\"}]}"),
         "[{\"type\":\"tool_result\",\"content\":[{\"type\":\"json\",\"json\":{\"aB\":1.50},"
         "\"index\":1},{\"type\":\"text\",\"text\":\"c\",\"index\":2}],\"index\":3}]",
         NULL, NULL},
        {"contentBlockDelta", BLOCK_EVENT("delta", "{\"toolResult\":[{\"hologram\":1}]}"),
         "[{\"contentBlockIndex\":3,\"delta\":{\"toolResult\":[{\"hologram\":1}]}}]", NULL, NULL},
        {"contentBlockStop", "{\"contentBlockIndex\":3}", "[{\"index\":3}]", NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(
        &kit,
        "[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"is_error\":true,\"content\":[{\"type\":"
        "\"text\",\"text\":\"a\\\"b\",\"index\":0},{\"type\":\"json\",\"json\":{\"aB\":1.50},"
        "\"index\":1},{\"type\":\"text\",\"text\":\"c\",\"index\":2}],\"index\":3},"
        "{\"contentBlockIndex\":3,\"delta\":{\"toolResult\":[{\"hologram\":1}]}}]",
        "[]");
    stream_kit_done(&kit);
}

#define IMAGE_PART(source) "[{\"type\":\"image\",\"source\":{" source "},\"index\":3}]"
#define IMAGE_BYTES(text)  BLOCK_EVENT("delta", "{\"image\":{\"source\":{\"bytes\":\"" text "\"}}}")
#define IMAGE_START        BLOCK_EVENT("start", "{\"image\":{\"format\":\"png\"}}")

/* Four pieces of one, two, three and one byte: `a`, `bc`, `d/f`, `g`. */
static void the_pieces_of_an_image_are_one_base64(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockStart", IMAGE_START, IMAGE_PART("\"media_type\":\"image/png\""), NULL, NULL},
        {"contentBlockDelta", IMAGE_BYTES("YQ=="), IMAGE_PART("\"type\":\"base64\",\"data\":\"\""),
         NULL, NULL},
        {"contentBlockDelta", IMAGE_BYTES("YmM="), IMAGE_PART("\"data\":\"YWJj\""), NULL, NULL},
        {"contentBlockDelta", IMAGE_BYTES("ZC9m"), IMAGE_PART("\"data\":\"ZC9m\""), NULL, NULL},
        {"contentBlockDelta", IMAGE_BYTES("Zw=="), IMAGE_PART("\"data\":\"\""), NULL, NULL},
        {"contentBlockStop", "{\"contentBlockIndex\":3}", IMAGE_PART("\"data\":\"Zw==\""), NULL,
         NULL},
        {"contentBlockDelta", IMAGE_BYTES("YQ=="),
         "[{\"contentBlockIndex\":3,\"delta\":{\"image\":{\"source\":{\"bytes\":\"YQ==\"}}}}]",
         NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(&kit,
                   "[{\"type\":\"image\",\"source\":{\"media_type\":\"image/png\",\"type\":"
                   "\"base64\",\"data\":\"YWJjZC9mZw==\"},\"index\":3},{\"contentBlockIndex\":3,"
                   "\"delta\":{\"image\":{\"source\":{\"bytes\":\"YQ==\"}}}}]",
                   "[]");
    stream_kit_done(&kit);
}

static void an_image_without_a_stop_ends_with_the_message(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockStart", IMAGE_START), OK);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", IMAGE_BYTES("YWI=")), OK);
    assert_int_equal(stream_kit_hear(&kit, "messageStop", STOP), OK);
    assert_slice(kit.step.content, IMAGE_PART("\"data\":\"YWI=\""));
    assert_int_equal(stream_kit_hear(&kit, "metadata", COUNTS), OK);
    assert_message(&kit,
                   IMAGE_PART("\"media_type\":\"image/png\",\"type\":\"base64\",\"data\":"
                              "\"YWI=\""),
                   "[]");
    stream_kit_done(&kit);
}

static void an_image_in_s3_keeps_its_place(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockStart", IMAGE_START, IMAGE_PART("\"media_type\":\"image/png\""), NULL, NULL},
        {"contentBlockDelta",
         BLOCK_EVENT("delta", "{\"image\":{\"source\":{\"s3Location\":{\"uri\":\"s3://b/k\"}}}}"),
         IMAGE_PART("\"type\":\"s3Location\",\"data\":{\"uri\":\"s3://b/k\"}"), NULL, NULL},
        {"contentBlockDelta", IMAGE_BYTES("YWJj"),
         "[{\"contentBlockIndex\":3,\"delta\":{\"image\":{\"source\":{\"bytes\":\"YWJj\"}}}}]",
         NULL, NULL},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(&kit,
                   "[{\"type\":\"image\",\"source\":{\"media_type\":\"image/png\",\"type\":"
                   "\"s3Location\",\"data\":{\"uri\":\"s3://b/k\"}},\"index\":3},"
                   "{\"contentBlockIndex\":3,\"delta\":{\"image\":{\"source\":{\"bytes\":"
                   "\"YWJj\"}}}}]",
                   "[]");
    stream_kit_done(&kit);
}

/* What was paid for is kept: as it came. */
static void odd_pieces_are_kept_unchanged(void **state)
{
    (void)state;
    static const char *const payloads[] = {
        BLOCK_EVENT("delta", "\"text\""),
        BLOCK_EVENT("delta", "[1]"),
        BLOCK_EVENT("delta", "{\"text\":7}"),
        BLOCK_EVENT("delta", "{\"text\":\"a\",\"more\":1}"),
        BLOCK_EVENT("delta", "{\"toolUse\":{\"input\":{}}}"),
        BLOCK_EVENT("delta", "{\"toolResult\":{\"text\":\"a\"}}"),
        BLOCK_EVENT("delta", "{\"toolResult\":[{\"text\":\"a\"}]}"),
        BLOCK_EVENT("delta", "{\"image\":{\"source\":{\"bytes\":\"AA==\"}}}"),
        BLOCK_EVENT("delta", "{\"image\":{\"error\":{\"message\":\"m\"}}}"),
        BLOCK_EVENT("delta", "{\"citation\":{\"Index\":1}}"),
        BLOCK_EVENT("delta", "{\"citation\":[]}"),
        BLOCK_EVENT("delta", "{\"reasoningContent\":{\"text\":1}}"),
        BLOCK_EVENT("delta", "{\"reasoningContent\":[]}"),
    };
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        struct stream_kit kit;
        char kept[256];
        stream_kit_init(&kit, STREAM_KIT_LIMIT);
        assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", payloads[i]), OK);
        snprintf(kept, sizeof kept, "[%s]", payloads[i]);
        assert_slice(kit.step.content, kept);
        hear_end(&kit);
        assert_message(&kit, kept, "[]");
        stream_kit_done(&kit);
    }
}

static void odd_pieces_of_an_image_are_kept_unchanged(void **state)
{
    (void)state;
    static const char *const payloads[] = {
        IMAGE_BYTES("A"),
        IMAGE_BYTES("AA=A"),
        IMAGE_BYTES("A*=="),
        IMAGE_BYTES("AA==="),
        IMAGE_BYTES("\\u0041A=="),
        BLOCK_EVENT("delta", "{\"image\":{\"source\":{\"bytes\":7}}}"),
        BLOCK_EVENT("delta", "{\"image\":7}"),
    };
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        struct stream_kit kit;
        char kept[256];
        stream_kit_init(&kit, STREAM_KIT_LIMIT);
        assert_int_equal(stream_kit_hear(&kit, "contentBlockStart", IMAGE_START), OK);
        assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", payloads[i]), OK);
        snprintf(kept, sizeof kept, "[%s]", payloads[i]);
        assert_slice(kit.step.content, kept);
        stream_kit_done(&kit);
    }
}

static void a_piece_without_an_index_stands_for_itself(void **state)
{
    (void)state;
    static const char *const payloads[][2] = {
        {"{\"delta\":{\"text\":\"a\"}}", "{\"delta\":{\"text\":\"a\"}}"},
        {"{\"contentBlockIndex\":-1,\"delta\":{\"text\":\"a\"}}", "{\"delta\":{\"text\":\"a\"}}"},
        {"{\"contentBlockIndex\":\"0\",\"delta\":{\"a\":1}}", "{\"delta\":{\"a\":1}}"},
    };
    struct stream_kit kit;
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        char kept[64];
        stream_kit_init(&kit, STREAM_KIT_LIMIT);
        assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", payloads[i][0]), OK);
        snprintf(kept, sizeof kept, "[%s]", payloads[i][1]);
        assert_slice(kit.step.content, kept);
        assert_int_equal(stream_kit_hear(&kit, "contentBlockStop", "{}"), OK);
        assert_slice(kit.step.content, "[]");
        hear_end(&kit);
        assert_message(&kit, kept, "[]");
        stream_kit_done(&kit);
    }
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", "{\"contentBlockIndex\":0}"), OK);
    assert_false(kit.step.is_chunk);
    stream_kit_done(&kit);
}

static void an_empty_event_makes_no_block(void **state)
{
    (void)state;
    static const struct expected_event events[] = {
        {"contentBlockDelta", TEXT_DELTA("a"), TEXT_CHUNK("a"), NULL, NULL}};
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(
        stream_kit_hear(&kit, "contentBlockStart", "{\"contentBlockIndex\":0,\"start\":{}}"), OK);
    assert_false(kit.step.is_chunk);
    assert_chunks(&kit, events, COUNT_OF(events));
    hear_end(&kit);
    assert_message(&kit, TEXT_CHUNK("a"), "[]");
    stream_kit_done(&kit);
}

static void a_message_may_be_empty(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_hear(&kit, "messageStart", "{\"role\":\"assistant\"}"), OK);
    hear_end(&kit);
    assert_message(&kit, "[]", "[]");
    stream_kit_done(&kit);
}

/* --- the sum --- */

/* `%d` is the block's index. */
static const char *const deltas[][2] = {
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"text\":\"a\\\"b\"}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"text\":\"\"}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"citation\":{\"title\":\"t\"}}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"citation\":{\"index\":1}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":%d,\"delta\":{\"reasoningContent\":{\"text\":\"r\"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":%d,\"delta\":{\"reasoningContent\":{\"signature\":\"s\"}}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"reasoningContent\":{\"x\":1}}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"toolUse\":{\"input\":\"{}\"}}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{\"index\":7}}"},
    {"contentBlockDelta", "{\"contentBlockIndex\":%d,\"delta\":{}}"},
    {"contentBlockStart",
     "{\"contentBlockIndex\":%d,\"start\":{\"toolUse\":{\"name\":\"n\",\"toolUseId\":\"t\"}}}"},
    {"contentBlockStart", "{\"contentBlockIndex\":%d,\"start\":{\"toolUse\":{\"name\":\"n\"}}}"},
    {"contentBlockStart", "{\"contentBlockIndex\":%d,\"start\":{\"image\":{\"index\":0}}}"},
    {"contentBlockStart", "{\"contentBlockIndex\":%d,\"start\":{\"image\":{\"format\":\"png\"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":%d,\"delta\":{\"image\":{\"source\":{\"bytes\":\"YWI=\"}}}}"},
    {"contentBlockStart",
     "{\"contentBlockIndex\":%d,\"start\":{\"toolResult\":{\"toolUseId\":\"t\"}}}"},
    {"contentBlockDelta",
     "{\"contentBlockIndex\":%d,\"delta\":{\"toolResult\":[{\"json\":1},{\"text\":\"a\"}]}}"},
    {"contentBlockStop", "{\"contentBlockIndex\":%d}"},
};

static void any_chunks_add_up_to_the_message(void **state)
{
    (void)state;
    static struct sum chunks, message;
    struct random random;
    random_init(&random, 11);
    for (int round = 0; round < 3000; round++) {
        struct stream_kit kit;
        stream_kit_init(&kit, STREAM_KIT_LIMIT);
        for (size_t left = random_below(&random, 24); left > 0; left--) {
            const char *const *delta = deltas[random_below(&random, COUNT_OF(deltas))];
            struct buf payload OWNED_BY(buf_done);
            buf_init(&payload, 512);
            struct slice text = slice_of_text(delta[1]);
            size_t at = slice_find(text, '%');
            buf_add(&payload, slice_sub(text, 0, at));
            buf_add_int(&payload, (int64_t)random_below(&random, 4));
            buf_add(&payload, slice_sub(text, at + 2, SIZE_MAX));
            assert_int_equal(stream_kit_hear(&kit, delta[0], buf_text(&payload)), OK);
            if (kit.step.is_chunk)
                sum_add(&chunks, kit.step.content);
        }
        assert_int_equal(stream_kit_hear(&kit, "messageStop", STOP), OK);
        sum_add(&chunks, kit.step.content);
        assert_int_equal(stream_kit_hear(&kit, "metadata", COUNTS), OK);
        assert_int_equal(stream_kit_end(&kit), OK);
        sum_add(&message, kit.answer.content);
        assert_sums_equal(&chunks, &message);
        sum_done(&chunks);
        sum_done(&message);
        stream_kit_done(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tool_use_is_streamed_in_fragments),
        cmocka_unit_test(only_complete_arguments_make_a_tool_call),
        cmocka_unit_test(tools_that_bedrock_runs_are_not_tool_calls),
        cmocka_unit_test(reasoning_is_streamed_and_kept),
        cmocka_unit_test(citations_are_streamed_with_their_text),
        cmocka_unit_test(unknown_kinds_are_kept_unchanged),
        cmocka_unit_test(results_of_tools_that_bedrock_runs_are_streamed),
        cmocka_unit_test(the_pieces_of_an_image_are_one_base64),
        cmocka_unit_test(an_image_without_a_stop_ends_with_the_message),
        cmocka_unit_test(an_image_in_s3_keeps_its_place),
        cmocka_unit_test(odd_pieces_are_kept_unchanged),
        cmocka_unit_test(odd_pieces_of_an_image_are_kept_unchanged),
        cmocka_unit_test(a_piece_without_an_index_stands_for_itself),
        cmocka_unit_test(an_empty_event_makes_no_block),
        cmocka_unit_test(a_message_may_be_empty),
        cmocka_unit_test(any_chunks_add_up_to_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
