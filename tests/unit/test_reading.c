/* How commands read the worker's records. */
#include "unit/unit.h"

#include "app/client/reading.h"

#define ARENA_BYTES 65536

static void a_response_is_read(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct buf text OWNED_BY(buf_done);
    struct reading reading;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&text, 1000);
    enum err err = reading_of_response(
        &arena,
        SLICE(
            "{\"id\":\"a\",\"status\":\"ok\",\"model\":\"m\",\"stop_reason\":\"end_turn\","
            "\"message\":{\"type\":\"ai\",\"id\":\"call\",\"content\":[{\"type\":\"text\",\"text\":"
            "\"x\\u00e9\"},{\"type\":\"tool_use\",\"id\":\"t\"},{\"type\":\"text\",\"text\":\"y\"}]"
            "},"
            "\"usage\":{\"input_tokens\":3,\"output_tokens\":4},\"attempts\":[{},{}],"
            "\"timing\":{\"received_at\":\"2026-11-22T10:00:00.123Z\","
            "\"answered_at\":\"2026-11-22T10:00:01.623Z\"}}"),
        &reading);
    assert_int_equal(err, OK);
    assert_true(reading.is_ok);
    assert_slice(reading.id, "a");
    assert_slice(reading.message_id, "call");
    assert_slice(reading.model, "m");
    assert_int_equal(reading.calls, 2);
    assert_int_equal(reading.input_tokens, 3);
    assert_int_equal(reading.output_tokens, 4);
    assert_int_equal(reading.duration_ms, 1500);
    reading_add_text(&arena, reading.content, &text);
    assert_buf(&text, "x\xc3\xa9[tool_use]y");
}

static void an_error_response_is_read(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct reading reading;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(
        reading_of_response(&arena,
                            SLICE("{\"id\":\"a\",\"status\":\"error\",\"error\":{\"code\":"
                                  "\"throttled\",\"type\":\"T\",\"message\":\"m\"}}"),
                            &reading),
        OK);
    assert_false(reading.is_ok);
    assert_slice(reading.error_code, "throttled");
    assert_slice(reading.error_type, "T");
    assert_slice(reading.error_message, "m");
    assert_int_equal(reading.duration_ms, -1);
    assert_null(reading.content);
}

static void an_invalid_record_is_rejected(void **state)
{
    (void)state;
    static const char *const VALUES[] = {"", "x", "[]", "{}", "{\"status\":1}"};
    for (size_t i = 0; i < COUNT_OF(VALUES); i++) {
        struct arena arena OWNED_BY(arena_done);
        struct reading reading;
        struct chunk_reading chunk;
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(reading_of_response(&arena, slice_of_text(VALUES[i]), &reading),
                         ERR_FORMAT);
        assert_int_equal(reading_of_chunk(&arena, slice_of_text(VALUES[i]), &chunk), ERR_FORMAT);
    }
}

static void a_chunk_is_read(void **state)
{
    (void)state;
    struct arena arena OWNED_BY(arena_done);
    struct chunk_reading chunk;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(
        reading_of_chunk(&arena,
                         SLICE("{\"type\":\"AIMessageChunk\",\"id\":\"a\",\"run\":\"r\","
                               "\"seq\":3,\"content\":[],\"last\":true}"),
                         &chunk),
        OK);
    assert_slice(chunk.run, "r");
    assert_int_equal(chunk.seq, 3);
    assert_true(chunk.is_last);
}

static void the_last_ce_subject_names_the_request(void **state)
{
    (void)state;
    const struct header list[] = {{SLICE("ce_subject"), SLICE("old")},
                                  {SLICE("x"), SLICE("y")},
                                  {SLICE("ce_subject"), SLICE("new")}};
    struct record record = {.headers = {list, COUNT_OF(list)}};
    assert_slice(reading_subject(&record), "new");
    record.headers.count = 0;
    assert_null(reading_subject(&record).ptr);
}

static void control_sequences_of_a_terminal_are_left_out(void **state)
{
    (void)state;
    struct buf shown;
    buf_init(&shown, ARENA_BYTES);
    reading_add_shown(SLICE("a\tb\n\x1b[31mred\r\x07\x7f \xc2\x9b"
                            "2J é \xc2\xa0.\xc2\x85"),
                      &shown);
    assert_string_equal(buf_text(&shown), "a\tb\n[31mred 2J é \xc2\xa0.");
    buf_reset(&shown);
    reading_add_shown(SLICE_NULL, &shown);
    reading_add_shown(SLICE("plain"), &shown);
    assert_string_equal(buf_text(&shown), "plain");
    buf_done(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_is_read),
        cmocka_unit_test(an_error_response_is_read),
        cmocka_unit_test(an_invalid_record_is_rejected),
        cmocka_unit_test(a_chunk_is_read),
        cmocka_unit_test(the_last_ce_subject_names_the_request),
        cmocka_unit_test(control_sequences_of_a_terminal_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
