/* The engine at its fullest: as many requests, calls and answers as its settings allow, all of the
 * largest size, and a broker that accepts nothing. The heap stays below the stated bound. */
#include "unit/engine_kit.h"

#include <malloc.h>

#define REQUEST_BYTES (256 * 1024)
#define ANSWER_BYTES  (256 * 1024)

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static struct engine_config large_config(void)
{
    struct engine_config config = kit_config();
    config.max_in_flight = 16;
    config.max_held = 64;
    config.max_held_bytes = 8 << 20;
    config.max_request_bytes = REQUEST_BYTES;
    config.max_answer_bytes = ANSWER_BYTES;
    config.output.output_bytes_max = 4 * ANSWER_BYTES;
    return config;
}

/* A text of almost `bytes` bytes, of copies of `piece` between two ends. */
static char *text_of(size_t bytes, const char *begin, const char *piece, const char *end)
{
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    struct buf buf OWNED_BY(buf_done);
    buf_init(&buf, bytes);
    buf_add_text(&buf, begin);
    while (buf.len + strlen(piece) + strlen(end) < bytes - 1)
        buf_add_text(&buf, piece);
    buf_add_text(&buf, end);
    (void)snprintf(text, bytes + 1, "%s", buf_text(&buf));
    return text;
}

static void fill(struct kit *kit, int64_t *next, const char *piece)
{
    while (engine_room(kit->engine, kit->tenures[0]) > 0) {
        char begin[96];
        (void)snprintf(begin, sizeof begin,
                       "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[%lld]]",
                       (long long)(*next)++);
        char *request = text_of(REQUEST_BYTES, begin, piece, "\"]]}");
        kit_record(kit, 0, *next - 1, NULL, request);
        free(request);
    }
    kit_turn(kit);
}

/* All open calls hear an answer of the largest size, except for its end. */
static void hear_almost_all(struct kit *kit, const char *answer)
{
    struct slice text = slice_of_text(answer);
    for (size_t i = 0; i < kit->call_count; i++) {
        struct kit_call *call = &kit->calls[i];
        if (!call->is_open)
            continue;
        engine_call_head(kit->engine, call->ref, 200,
                         SLICE("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"));
        engine_call_body(kit->engine, call->ref, slice_sub(text, 0, text.len - 10));
    }
}

static void end_all(struct kit *kit, const char *answer)
{
    struct slice text = slice_of_text(answer);
    for (size_t i = 0; i < kit->call_count; i++) {
        struct kit_call *call = &kit->calls[i];
        if (!call->is_open)
            continue;
        engine_call_body(kit->engine, call->ref, slice_sub(text, text.len - 10, SIZE_MAX));
        kit_call_ends(kit, call, OK, true);
    }
}

static void fill_to_the_brim(const char *piece)
{
    struct engine_config config = large_config();
    size_t before = heap_bytes(), most = 0;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    char *answer = text_of(
        ANSWER_BYTES - 1,
        "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"", piece,
        "\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,\"outputTokens\":3,"
        "\"totalTokens\":10},\"metrics\":{\"latencyMs\":5}}");
    int64_t next = 0;
    for (int round = 0; round < 20; round++) {
        fill(kit, &next, piece);
        hear_almost_all(kit, answer);
        size_t now = heap_bytes() - before;
        most = now > most ? now : most;
        end_all(kit, answer);
        kit_wait(kit, 200); /* the committer never comes back */
    }
    /* Without the memory that reading takes for a moment; with the request over the share, as app
     * counts it. */
    uint64_t bound = engine_memory_bound(&config) - REQUEST_SCRATCH_BYTES(REQUEST_BYTES) -
                     DIALECT_SCRATCH_BYTES(ANSWER_BYTES) + 2 * REQUEST_BYTES + sizeof(struct kit);
    print_message("%zu bytes held, %llu promised\n", most, (unsigned long long)bound);
    assert_true(most <= bound);
    assert_true(kit->call_count >= config.max_in_flight);
    assert_int_equal(engine_room(kit->engine, kit->tenures[0]), 0);
    free(answer);
    kit_settle(kit);
    kit_free(kit);
}

static void the_memory_bound_holds_for_plain_texts(void **state)
{
    (void)state;
    fill_to_the_brim("hello world ");
}

static void the_memory_bound_holds_for_texts_of_escapes(void **state)
{
    (void)state;
    fill_to_the_brim("\\n\\\"");
    fill_to_the_brim("\\u0001");
}

/* The memory that its job is charged for bounds a body: no valid request may reach that limit. */
static void the_largest_requests_are_called(void **state)
{
    (void)state;
    static const char *const PIECES[] = {"x", "\\n", "\\u0001", "\"],[\"ai\",\"", "\xc3\xa9"};
    for (size_t i = 0; i < COUNT_OF(PIECES); i++) {
        struct engine_config config = large_config();
        struct kit *kit = kit_new(&config);
        kit_assign(kit, 0);
        char *request =
            text_of(REQUEST_BYTES, "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[0]] ",
                    PIECES[i], "\"]]}");
        kit_record(kit, 0, 0, NULL, request);
        free(request);
        kit_turn(kit);
        assert_int_equal(kit_open_calls(kit), 1);
        kit_free(kit);
    }
}

/* It becomes the call's block itself, with url and headers behind it. */
static void a_large_body_is_called_as_a_small_one_is(void **state)
{
    (void)state;
    struct engine_config config = large_config();
    config.max_request_bytes = 4 << 20;
    config.max_held_bytes = 64 << 20;
    struct kit *kit = kit_new(&config);
    kit_assign(kit, 0);
    kit_request(kit, 0, 0, NULL, "");
    char *large =
        text_of(2 << 20, "{\"model\":\"m.1\",\"messages\":[[\"human\",\"[[1]]", "x", "\"]]}");
    kit_record(kit, 0, 1, NULL, large);
    kit_turn(kit);
    assert_int_equal(kit->call_count, 2);
    const struct http_request *request = kit->calls[1].request;
    struct slice said = slice_sub(slice_of_text(large), 37, strlen(large) - 37 - 4);
    struct slice begin = SLICE("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"");
    struct slice end = SLICE("\"}]}]}");
    assert_int_equal(request->body.len, begin.len + said.len + end.len);
    assert_true(slice_starts(request->body, begin));
    assert_true(slice_equal(slice_sub(request->body, begin.len, said.len), said));
    assert_true(slice_ends(request->body, end));
    assert_true(slice_equal(request->url, kit->calls[0].request->url));
    assert_int_equal(strlen(request->url.ptr), request->url.len);
    assert_true(http_header(request->headers, "authorization").len > 0);
    assert_string_equal(kit->calls[1].sdk, "attempt=1; max=3");
    free(large);
    kit_free(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_body_is_called_as_a_small_one_is),
        cmocka_unit_test(the_memory_bound_holds_for_plain_texts),
        cmocka_unit_test(the_memory_bound_holds_for_texts_of_escapes),
        cmocka_unit_test(the_largest_requests_are_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
