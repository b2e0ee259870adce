/* Dialects: rows that are not Converse plug into the engine. The API here has another path, another
 * content type and frames that hide their events; its families echo their input and have their
 * counts in headers, as InvokeModel does. */
#include "unit/unit.h"

#include "unit/engine_stream_kit.h"
#include "unit/request_kit.h"
#include "unit/sources.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/bedrock/dialects.h"

/* ---- the API ---- */

static void add_path(const struct dialect *dialect, struct slice model, bool stream,
                     struct buf *ret_path)
{
    buf_addf(ret_path, "/%s/%.*s%s", dialect->family->name, SLICE_ARG(model),
             stream ? "/stream" : "");
}

/* The frames have their payload backwards. */
static enum err unwrap(const struct dialect *dialect, const struct event *frame,
                       struct buf *payload, struct event *ret_event, struct why *ret_why)
{
    (void)dialect;
    if (frame->payload.len == 0)
        return why_set(ret_why, ERR_BROKEN_STREAM, NULL, "an empty frame");
    for (size_t i = frame->payload.len; i > 0; i--)
        buf_add_byte(payload, frame->payload.ptr[i - 1]);
    ret_event->payload = buf_slice(payload);
    return payload->failed;
}

static const struct api api_echo = {
    .name = {.api = "echo", .provider = "echo_provider", .stop_reason = "stopReason"},
    .content_type = "text/plain",
    .stream_type = "application/vnd.amazon.eventstream",
    .add_path = add_path,
    .unwrap = unwrap,
};

/* ---- the families ---- */

static enum err encode(const struct dialect *dialect, const struct request *request,
                       struct buf *ret_body)
{
    buf_add_text(ret_body, dialect->family->name);
    for (size_t i = 0; i < request->turn_count; i++)
        for (size_t j = 0; j < request->turns[i].count; j++)
            buf_add(ret_body, request->turns[i].blocks[j].text);
    return ret_body->failed;
}

static void count(struct slice head, struct usage_counts *ret_counts)
{
    *ret_counts = (struct usage_counts){.cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
                                        .reasoning_tokens = ANSWER_COUNT_ABSENT};
    ret_counts->known = slice_to_int64(http_header(head, "x-in"), &ret_counts->input_tokens) &&
                        slice_to_int64(http_header(head, "x-out"), &ret_counts->output_tokens);
    ret_counts->total_tokens = ret_counts->input_tokens + ret_counts->output_tokens;
}

static enum err say(struct arena *arena, struct slice text, struct answer *ret_answer)
{
    struct buf content OWNED_BY(buf_done);
    buf_init(&content, 1 << 16);
    json_add_string(&content, text);
    ret_answer->tool_calls = ret_answer->invalid_tool_calls = SLICE("[]");
    ret_answer->text_bytes = text.len;
    return arena_copy(arena, buf_slice(&content), &ret_answer->content) ? OK : ERR_NO_MEMORY;
}

static enum err decode(const struct dialect *dialect, struct arena *arena,
                       const struct heard *heard, struct answer *ret_answer, struct why *ret_why)
{
    assert_int_equal(heard->status, 200);
    assert_non_null(dialect->family->decode);
    why_clear(ret_why);
    *ret_answer = (struct answer){.stop_reason = SLICE("echoed")};
    count(heard->head, &ret_answer->usage);
    return say(arena, heard->body, ret_answer);
}

struct stream {
    struct arena *arena;
    struct usage_counts counts; /* of the head */
    struct buf text, content;
};

static enum err stream_start(const struct dialect *dialect, struct arena *arena,
                             const struct heard *heard, size_t answer_limit,
                             struct stream **ret_stream)
{
    struct stream *stream = arena_new(arena, sizeof *stream);
    assert_non_null(stream);
    assert_true(dialect_streams(dialect, heard->request));
    stream->arena = arena;
    count(heard->head, &stream->counts);
    buf_init(&stream->text, answer_limit);
    buf_init(&stream->content, answer_limit);
    *ret_stream = stream;
    return OK;
}

static enum err stream_step(const struct dialect *dialect, struct stream *stream,
                            const struct event *event, struct stream_step *ret_step,
                            struct why *ret_why)
{
    (void)dialect;
    (void)ret_why;
    buf_add(&stream->text, event->payload);
    buf_reset(&stream->content);
    buf_add_byte(&stream->content, '[');
    json_add_string(&stream->content, event->payload);
    buf_add_byte(&stream->content, ']');
    *ret_step = (struct stream_step){.is_chunk = true, .content = buf_slice(&stream->content)};
    return OK;
}

static enum err stream_end(const struct dialect *dialect, struct stream *stream,
                           struct answer *ret_answer, struct why *ret_why)
{
    (void)dialect;
    why_clear(ret_why);
    *ret_answer = (struct answer){.stop_reason = SLICE("echoed"), .usage = stream->counts};
    return say(stream->arena, buf_slice(&stream->text), ret_answer);
}

static void stream_heard(const struct dialect *dialect, const struct stream *stream,
                         struct usage_counts *ret_counts, size_t *ret_text_bytes)
{
    (void)dialect;
    *ret_counts = stream->counts;
    *ret_text_bytes = stream->text.len;
}

static void stream_done(const struct dialect *dialect, struct stream *stream)
{
    (void)dialect;
    buf_done(&stream->text);
    buf_done(&stream->content);
}

static const struct family family_echo = {.name = "shout",
                                          .can_stream = true,
                                          .encode = encode,
                                          .decode = decode,
                                          .stream_start = stream_start,
                                          .stream_step = stream_step,
                                          .stream_end = stream_end,
                                          .stream_heard = stream_heard,
                                          .stream_done = stream_done};
static const struct family family_whole = {.name = "whole", .encode = encode, .decode = decode};

static const struct dialect dialect_echo = {&api_echo, &family_echo};
static const struct dialect dialect_whole = {&api_echo, &family_whole};

static const struct dialect *const ROWS[] = {&dialect_converse, &dialect_echo};
static const struct dialect *const ROWS_WHOLE[] = {&dialect_whole};
static const struct api_name *const APIS[] = {&api_converse.name, &api_echo.name};

static struct kit *kit_with(const struct dialects *dialects)
{
    struct engine_config config = kit_config();
    config.dialects = dialects;
    config.catalog.apis = APIS;
    config.catalog.api_count = COUNT_OF(APIS);
    return kit_started(&config);
}

static void assert_request(const struct kit *kit, const struct kit_call *call, const char *url,
                           const char *content_type, const char *body)
{
    const struct http_request *request = &kit->engine->calls.all[call->ref.index].request;
    assert_slice(request->url, url);
    assert_slice(http_header(request->headers, "content-type"), content_type);
    assert_slice(request->body, body);
}

#define COUNT_HEADERS "x-in: 5\r\nx-out: 2\r\n"

/* ---- tests ---- */

static void the_engine_calls_the_api_that_a_request_names(void **state)
{
    (void)state;
    struct kit *kit = kit_with(&(struct dialects){ROWS, COUNT_OF(ROWS)});
    kit_request(kit, 0, 0, NULL, ",\"api\":\"echo\"");
    kit_request(kit, 0, 1, NULL, "");
    kit_wait(kit, 10);
    assert_request(kit, kit_call(kit, 0), "http://127.0.0.1:1/shout/m.1", "text/plain",
                   "shout[[0]] hi");
    assert_slice(kit->engine->calls.all[kit_call(kit, 1)->ref.index].request.url,
                 "http://127.0.0.1:1/model/m.1/converse");
    kit_answer_with(kit, 0, 200, COUNT_HEADERS, "hello \"you\"");
    kit_answer(kit, 1);
    kit_settle(kit);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"content\":\"hello \\\"you\\\"\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"model_provider\":\"echo_provider\"");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 1), "\"model_provider\":\"bedrock_converse\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"api\":\"echo\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"input_tokens\":5,\"output_tokens\":2");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"estimated\":false");
    assert_says(kit_output(kit, OUTPUT_USAGE, 1), "\"api\":\"converse\"");
    kit_free(kit);
}

static void frames_are_unwrapped_before_the_family_reads_them(void **state)
{
    (void)state;
    struct kit *kit = kit_with(&(struct dialects){ROWS, COUNT_OF(ROWS)});
    kit_request(kit, 0, 0, NULL, ",\"api\":\"echo\",\"stream\":true");
    kit_wait(kit, 10);
    struct kit_call *call = kit_call(kit, 0);
    assert_request(kit, call, "http://127.0.0.1:1/shout/m.1/stream", "text/plain", "shout[[0]] hi");
    engine_call_head(kit->engine, call->ref, 200,
                     SLICE("HTTP/1.1 200 x\r\n" COUNT_HEADERS
                           "content-type: application/vnd.amazon.eventstream\r\n\r\n"));
    hear(kit, 0, "chunk", "olleh");
    hear(kit, 0, "chunk", "uoy ");
    kit_call_ends(kit, call, OK, true);
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 3);
    assert_says(&kit->chunks[0], "\"content\":[\"hello\"]");
    assert_says(&kit->chunks[2], "\"last\":true");
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"content\":\"hello you\"");
    assert_says(kit_output(kit, OUTPUT_USAGE, 0), "\"input_tokens\":5,\"output_tokens\":2");
    kit_free(kit);
}

static void a_frame_that_cannot_be_unwrapped_breaks_the_stream(void **state)
{
    (void)state;
    struct kit *kit = kit_with(&(struct dialects){ROWS, COUNT_OF(ROWS)});
    kit_request(kit, 0, 0, NULL, ",\"api\":\"echo\",\"stream\":true");
    kit_wait(kit, 10);
    hear_head(kit, 0);
    hear(kit, 0, "chunk", "");
    kit_wait(kit, 10);
    assert_int_equal(kit_open_calls(kit), 0);
    assert_true(kit->logged[LOG_CALL_FAILED] == 1);
    assert_non_null(strstr(kit->lines[LOG_CALL_FAILED], "\"error\":\"broken_stream\""));
    kit_free(kit);
}

static void a_family_without_streams_answers_in_one_piece(void **state)
{
    (void)state;
    struct kit *kit = kit_with(&(struct dialects){ROWS_WHOLE, COUNT_OF(ROWS_WHOLE)});
    kit_request(kit, 0, 0, NULL, ",\"api\":\"echo\",\"stream\":true");
    kit_wait(kit, 10);
    assert_request(kit, kit_call(kit, 0), "http://127.0.0.1:1/whole/m.1", "text/plain",
                   "whole[[0]] hi");
    kit_answer_with(kit, 0, 200, COUNT_HEADERS, "hello");
    kit_settle(kit);
    assert_int_equal(kit->chunk_count, 0);
    assert_says(kit_output(kit, OUTPUT_RESPONSE, 0), "\"content\":\"hello\"");
    kit_free(kit);
}

static void the_list_of_apis_matches_the_rows(void **state)
{
    (void)state;
    struct request request = {.api = SLICE_NULL};
    size_t count;
    const struct api_name *const *apis = dialect_apis(&count);
    assert_true(count > 0);
    assert_ptr_equal(&dialect_for(NULL, &request)->api->name, apis[0]);
    for (size_t i = 0; i < count; i++) {
        request.api = slice_of_text(apis[i]->api);
        assert_ptr_equal(&dialect_for(NULL, &request)->api->name, apis[i]);
    }
}

/* In quotes and whole, where a file of the worker's names an API: `"converse"`. */
static void find_name(const char *folder, const char *name, struct slice text, void *self)
{
    struct buf *report = self;
    size_t count;
    const struct api_name *const *apis = dialect_apis(&count);
    for (size_t i = 0; i < count; i++) {
        char quoted[64];
        (void)snprintf(quoted, sizeof quoted, "\"%s\"", apis[i]->api);
        if (memmem(text.ptr, text.len, quoted, strlen(quoted)) != NULL)
            buf_addf(report, "%s/%s says %s\n", folder, name, quoted);
    }
}

static void only_the_rows_name_an_api(void **state)
{
    (void)state;
    static const char *const FOLDERS[] = {"base",         "policy", "wire/formats", "wire/chat",
                                          "wire/outputs", "engine", "io",           "app"};
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, REPORT_BYTES_MAX);
    (void)sources_visit("worker/wire/bedrock/converse", find_name, &report);
    (void)sources_visit("worker/wire/bedrock/invoke", find_name, &report);
    assert_buf(&report, "worker/wire/bedrock/converse/converse.c says \"converse\"\n"
                        "worker/wire/bedrock/invoke/invoke.c says \"invoke\"\n");
    buf_reset(&report);
    for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
        char folder[64];
        (void)snprintf(folder, sizeof folder, "worker/%s", FOLDERS[i]);
        assert_true(sources_visit(folder, find_name, &report) > 0);
    }
    assert_buf(&report, "");
}

static void an_alias_chooses_the_api_where_the_request_does_not(void **state)
{
    (void)state;
    struct request_kit kit;
    request_kit_init(&kit);
    kit.catalog.apis = APIS;
    kit.catalog.api_count = COUNT_OF(APIS);
    kit.aliases[1].api = SLICE("echo");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID "}")), OK);
    assert_slice(kit.request.api, "echo");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"api\":\"converse\"}")), OK);
    assert_slice(kit.request.api, "converse");
    kit.aliases[1].api = SLICE("auto");
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"api\":\"auto\"}")), OK);
    assert_null(kit.request.api.ptr);
    assert_int_equal(request_kit_read(&kit, SLICE("{" SAID ",\"api\":\"grpc\"}")), ERR_INVALID);
    assert_string_equal(kit.why.message, "must be auto or converse or echo");
    request_kit_done(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_engine_calls_the_api_that_a_request_names),
        cmocka_unit_test(frames_are_unwrapped_before_the_family_reads_them),
        cmocka_unit_test(a_frame_that_cannot_be_unwrapped_breaks_the_stream),
        cmocka_unit_test(a_family_without_streams_answers_in_one_piece),
        cmocka_unit_test(the_list_of_apis_matches_the_rows),
        cmocka_unit_test(only_the_rows_name_an_api),
        cmocka_unit_test(an_alias_chooses_the_api_where_the_request_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
