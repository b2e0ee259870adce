#include "unit/unit.h"

#include <stdio.h>

#include "unit/stream_kit.h"
#include "unit/torture.h"

/* --- the seed page --- */

static const struct expected_event seed_page[] = {
    {"messageStart", "{\"role\":\"assistant\"}", "[]", NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("Vo"), TEXT_CHUNK("Vo"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("ici"), TEXT_CHUNK("ici"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA(" la"), TEXT_CHUNK(" la"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA(" tra"), TEXT_CHUNK(" tra"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("duction"), TEXT_CHUNK("duction"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA(" en"), TEXT_CHUNK(" en"), NULL, NULL},
    {"contentBlockDelta",
     TEXT_DELTA(" fran\xc3\xa7"
                "ais"),
     TEXT_CHUNK(" fran\xc3\xa7"
                "ais"),
     NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA(" :"), TEXT_CHUNK(" :"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("\\n\\nJ"), TEXT_CHUNK("\\n\\nJ"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("'"), TEXT_CHUNK("'"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("a"), TEXT_CHUNK("a"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("ime"), TEXT_CHUNK("ime"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA(" la"), TEXT_CHUNK(" la"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA(" programm"), TEXT_CHUNK(" programm"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("ation"), TEXT_CHUNK("ation"), NULL, NULL},
    {"contentBlockDelta", TEXT_DELTA("."), TEXT_CHUNK("."), NULL, NULL},
    {"contentBlockStop", "{\"contentBlockIndex\":0,\"p\":\"a\"}", "[{\"index\":0}]", NULL, NULL},
    {"messageStop", STOP, "[]", NULL, "\"stopReason\":\"end_turn\""},
    {"metadata", COUNTS, "[]", NULL, "\"metrics\":{\"latencyMs\":713}"},
};

static void the_seed_page_stream_gives_its_twenty_chunks(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(COUNT_OF(seed_page), 20);
    assert_chunks(&kit, seed_page, COUNT_OF(seed_page));
    assert_true(kit.step.is_last);
    assert_true(kit.step.has_usage);
    assert_message(&kit,
                   "[{\"type\":\"text\",\"text\":\"Voici la traduction en fran\xc3\xa7"
                   "ais :\\n\\nJ'aime la programmation.\",\"index\":0}]",
                   "[]");
    assert_slice(kit.answer.invalid_tool_calls, "[]");
    assert_slice(kit.answer.stop_reason, "end_turn");
    assert_slice(kit.answer.metadata, "\"metrics\":{\"latencyMs\":713}");
    assert_int_equal(kit.answer.usage.input_tokens, 29);
    assert_int_equal(kit.answer.usage.output_tokens, 21);
    assert_int_equal(kit.answer.usage.total_tokens, 50);
    stream_kit_done(&kit);
}

/* StrOutputParser's view: one text per chunk, joined by bars. */
static void the_seed_page_text_has_its_twenty_bars(void **state)
{
    (void)state;
    struct stream_kit kit;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 1024);
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    for (size_t i = 0; i < COUNT_OF(seed_page); i++) {
        const struct json *content = NULL;
        struct slice piece = SLICE("");
        assert_int_equal(stream_kit_hear(&kit, seed_page[i].type, seed_page[i].payload), OK);
        assert_int_equal(json_parse(&kit.arena, kit.step.content, &content, NULL), OK);
        const struct json *member = json_member(content->first, "text");
        if (member != NULL)
            assert_true(json_string(&kit.arena, member, &piece));
        buf_add(&text, piece);
        buf_add_byte(&text, '|');
    }
    assert_buf(&text, "|Vo|ici| la| tra|duction| en| fran\xc3\xa7"
                      "ais| :|\n\nJ|'|a|ime| la| programm|ation|.||||");
    stream_kit_done(&kit);
}

/* --- metadata and counts --- */

static void each_member_of_the_metadata_is_streamed_once(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(
        stream_kit_hear(&kit, "messageStop",
                        "{\"additionalModelResponseFields\":{\"usage\":{\"output_tokens_details\":"
                        "{\"thinking_tokens\":9}}},\"stopReason\":\"tool_use\",\"new\":1}"),
        OK);
    assert_slice(kit.step.metadata,
                 "\"stopReason\":\"tool_use\",\"additionalModelResponseFields\":{\"usage\":"
                 "{\"output_tokens_details\":{\"thinking_tokens\":9}}},\"new\":1");
    assert_int_equal(
        stream_kit_hear(&kit, "metadata",
                        "{\"new\":2,\"trace\":{},\"serviceTier\":{\"type\":\"flex\"},\"usage\":"
                        "{\"inputTokens\":1,\"outputTokens\":2,\"cacheReadInputTokens\":4},"
                        "\"performanceConfig\":null}"),
        OK);
    assert_slice(kit.step.metadata, "\"trace\":{},\"serviceTier\":{\"type\":\"flex\"}");
    assert_int_equal(stream_kit_end(&kit), OK);
    assert_slice(
        kit.answer.metadata,
        "\"additionalModelResponseFields\":{\"usage\":{\"output_tokens_details\":"
        "{\"thinking_tokens\":9}}},\"new\":1,\"trace\":{},\"serviceTier\":{\"type\":\"flex\"}");
    assert_slice(kit.answer.service_tier, "flex");
    assert_slice(kit.answer.stop_reason, "tool_use");
    assert_int_equal(kit.answer.usage.reasoning_tokens, 9);
    assert_int_equal(kit.answer.usage.input_tokens, 5);
    assert_int_equal(kit.answer.usage.total_tokens, 7);
    stream_kit_done(&kit);
}

static void metadata_without_counts_still_ends_a_stream(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_hear(&kit, "metadata", "{\"metrics\":{}}"), OK);
    assert_false(kit.step.has_usage);
    assert_false(kit.step.is_last);
    assert_int_equal(stream_kit_hear(&kit, "messageStop", STOP), OK);
    assert_true(kit.step.is_last);
    assert_int_equal(stream_kit_end(&kit), OK);
    assert_false(kit.answer.usage.known);
    stream_kit_done(&kit);
}

static void a_cut_stream_keeps_its_counts_and_text_bytes(void **state)
{
    (void)state;
    struct stream_kit kit;
    struct usage_counts counts;
    size_t bytes;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(
        stream_kit_hear(&kit, "contentBlockDelta", TEXT_DELTA("abc\\n\\u00e9\xc3\xa9")), OK);
    assert_int_equal(
        stream_kit_hear(
            &kit, "contentBlockDelta",
            "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{\"text\":\"xy\"}}}"),
        OK);
    dialect_stream_heard(&dialect_converse, kit.stream, &counts, &bytes);
    assert_false(counts.known);
    assert_int_equal(bytes, 3 + 1 + 2 + 2 + 2);
    assert_int_equal(stream_kit_hear(&kit, "metadata", COUNTS), OK);
    dialect_stream_heard(&dialect_converse, kit.stream, &counts, &bytes);
    assert_true(counts.known);
    assert_int_equal(counts.input_tokens, 29);
    assert_int_equal(stream_kit_end(&kit), ERR_BROKEN_STREAM);
    stream_kit_done(&kit);
}

/* --- ends that are none --- */

static void a_stream_ends_with_message_stop_and_metadata(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_end(&kit), ERR_BROKEN_STREAM);
    assert_int_equal(stream_kit_hear(&kit, "messageStop", STOP), OK);
    assert_int_equal(stream_kit_end(&kit), ERR_BROKEN_STREAM);
    assert_int_equal(kit.why.err, ERR_BROKEN_STREAM);
    assert_non_null(strstr(kit.why.message, "metadata"));
    assert_int_equal(stream_kit_hear(&kit, "metadata", COUNTS), OK);
    assert_int_equal(stream_kit_end(&kit), OK);
    stream_kit_done(&kit);
}

/* The call was billed. */
static void a_billed_delta_with_invalid_text_is_kept(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", TEXT_DELTA("a\\u0000b")), OK);
    assert_slice(kit.step.content, "[{\"type\":\"text\",\"text\":\"a\xef\xbf\xbd"
                                   "b\",\"index\":0}]");
    stream_kit_done(&kit);
}

static void invalid_events_break_the_stream(void **state)
{
    (void)state;
    static const struct {
        const char *type, *payload;
    } cases[] = {
        {"messageStart", "no json"},
        {"messageStart", ""},
        {"messageStart", "[]"},
        {"contentBlockDelta", "7"},
        {"contentBlockStop", "{\"contentBlockIndex\":0"},
        {"metadata", "null"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stream_kit kit;
        stream_kit_init(&kit, STREAM_KIT_LIMIT);
        assert_int_equal(stream_kit_hear(&kit, cases[i].type, cases[i].payload), ERR_BROKEN_STREAM);
        assert_false(kit.step.is_chunk);
        assert_true(kit.why.message[0] != '\0');
        stream_kit_done(&kit);
    }
}

static void an_event_after_the_end_breaks_the_stream(void **state)
{
    (void)state;
    static const struct expected_event late[] = {
        {"contentBlockDelta", TEXT_DELTA("x"), NULL, NULL, NULL},
        {"contentBlockStop", "{\"contentBlockIndex\":0}", NULL, NULL, NULL},
        {"messageStart", "{\"role\":\"assistant\"}", NULL, NULL, NULL},
        {"messageStop", STOP, NULL, NULL, NULL},
        {"metadata", COUNTS, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(late); i++) {
        struct stream_kit kit;
        stream_kit_init(&kit, STREAM_KIT_LIMIT);
        hear_end(&kit);
        assert_int_equal(stream_kit_hear(&kit, late[i].type, late[i].payload), ERR_BROKEN_STREAM);
        stream_kit_done(&kit);
    }
}

static void unknown_events_are_skipped(void **state)
{
    (void)state;
    const struct event others[] = {
        {.kind = EVENT_KIND_EVENT, .type = SLICE("heartbeat"), .payload = SLICE("\xff")},
        {.kind = EVENT_KIND_EVENT, .type = SLICE_NULL, .payload = SLICE("")},
        {.kind = EVENT_KIND_OTHER, .type = SLICE("metadata"), .payload = SLICE(COUNTS)},
    };
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(
            dialect_stream_step(&dialect_converse, kit.stream, &others[i], &kit.step, &kit.why),
            OK);
        assert_false(kit.step.is_chunk);
    }
    assert_int_equal(stream_kit_end(&kit), ERR_BROKEN_STREAM);
    stream_kit_done(&kit);
}

static void an_exception_comes_back_as_its_error(void **state)
{
    (void)state;
    const struct event event = {.kind = EVENT_KIND_EXCEPTION,
                                .type = SLICE("throttlingException"),
                                .payload = SLICE("{\"message\":\"slow down\"}")};
    struct stream_kit kit;
    stream_kit_init(&kit, STREAM_KIT_LIMIT);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", TEXT_DELTA("a")), OK);
    assert_int_equal(
        dialect_stream_step(&dialect_converse, kit.stream, &event, &kit.step, &kit.why),
        ERR_THROTTLED);
    assert_int_equal(kit.why.err, ERR_THROTTLED);
    assert_string_equal(kit.why.type, "ThrottlingException");
    assert_string_equal(kit.why.message, "slow down");
    assert_false(kit.step.is_chunk);
    stream_kit_done(&kit);
}

/* --- limits --- */

static void an_answer_stops_at_its_limit(void **state)
{
    (void)state;
    struct stream_kit kit;
    stream_kit_init(&kit, 100);
    for (int i = 0; i < 10; i++)
        assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", TEXT_DELTA("0123456789")), OK);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", TEXT_DELTA("x")),
                     ERR_RESPONSE_TOO_LARGE);
    stream_kit_done(&kit);
}

static void blocks_stop_at_their_limit(void **state)
{
    (void)state;
    struct stream_kit kit;
    char payload[96];
    kit = (struct stream_kit){.stream = NULL};
    arena_init(&kit.arena, (size_t)8 << 20);
    assert_int_equal(dialect_stream_start(&dialect_converse, &kit.arena,
                                          &(struct heard){.status = 200}, STREAM_KIT_LIMIT,
                                          &kit.stream),
                     OK);
    for (int i = 0; i < STREAM_BLOCKS_MAX; i++) {
        snprintf(payload, sizeof payload, "{\"contentBlockIndex\":%d,\"delta\":{\"text\":\"\"}}",
                 i);
        assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", payload), OK);
    }
    snprintf(payload, sizeof payload, "{\"contentBlockIndex\":%d,\"delta\":{\"text\":\"\"}}",
             STREAM_BLOCKS_MAX);
    assert_int_equal(stream_kit_hear(&kit, "contentBlockDelta", payload), ERR_RESPONSE_TOO_LARGE);
    stream_kit_done(&kit);
}

/* --- memory --- */

static bool stream_once(void *self)
{
    (void)self;
    static const char *const events[][2] = {
        {"messageStart", "{}"},
        {"contentBlockDelta", TEXT_DELTA("abc")},
        {"contentBlockDelta",
         "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{\"text\":\"r\"}}}"},
        {"contentBlockStart", "{\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"name\":\"n\","
                              "\"toolUseId\":\"t\",\"x\":1}}}"},
        {"contentBlockDelta",
         "{\"contentBlockIndex\":2,\"delta\":{\"toolUse\":{\"input\":\"{\\\"a\\\":1}\"}}}"},
        {"contentBlockDelta", "{\"contentBlockIndex\":3,\"delta\":{\"y\":1}}"},
        {"contentBlockStop", "{\"contentBlockIndex\":2}"},
        {"messageStop", "{\"stopReason\":\"end_turn\",\"z\":1}"},
        {"metadata", COUNTS},
    };
    struct stream_kit kit = {.stream = NULL};
    arena_init(&kit.arena, STREAM_KIT_LIMIT);
    enum err err =
        dialect_stream_start(&dialect_converse, &kit.arena, &(struct heard){.status = 200},
                             STREAM_KIT_LIMIT, &kit.stream);
    for (size_t i = 0; err == OK && i < COUNT_OF(events); i++)
        err = stream_kit_hear(&kit, events[i][0], events[i][1]);
    if (err == OK)
        err = stream_kit_end(&kit);
    if (err == OK)
        assert_slice(kit.answer.tool_calls,
                     "[{\"name\":\"n\",\"args\":{\"a\":1},\"id\":\"t\",\"type\":\"tool_call\"}]");
    else
        assert_int_equal(err, ERR_NO_MEMORY);
    if (kit.stream != NULL)
        dialect_stream_done(&dialect_converse, kit.stream);
    arena_done(&kit.arena);
    return err == OK;
}

static void streaming_survives_failed_allocations(void **state)
{
    (void)state;
    assert_true(torture(stream_once, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_page_stream_gives_its_twenty_chunks),
        cmocka_unit_test(the_seed_page_text_has_its_twenty_bars),
        cmocka_unit_test(each_member_of_the_metadata_is_streamed_once),
        cmocka_unit_test(metadata_without_counts_still_ends_a_stream),
        cmocka_unit_test(a_cut_stream_keeps_its_counts_and_text_bytes),
        cmocka_unit_test(a_stream_ends_with_message_stop_and_metadata),
        cmocka_unit_test(a_billed_delta_with_invalid_text_is_kept),
        cmocka_unit_test(invalid_events_break_the_stream),
        cmocka_unit_test(an_event_after_the_end_breaks_the_stream),
        cmocka_unit_test(unknown_events_are_skipped),
        cmocka_unit_test(an_exception_comes_back_as_its_error),
        cmocka_unit_test(an_answer_stops_at_its_limit),
        cmocka_unit_test(blocks_stop_at_their_limit),
        cmocka_unit_test(streaming_survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
