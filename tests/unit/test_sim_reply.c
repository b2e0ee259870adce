/* bedrock-sim's bytes of answers and streams, the ledger's lines, and the check of signatures. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/instant.h"
#include "sim/access.h"
#include "sim/journal.h"
#include "sim/answers/reply.h"
#include "wire/bedrock/eventstream.h"
#include "wire/formats/json.h"

static void an_unstreamed_answer_is_the_json_of_converse(void **state)
{
    (void)state;
    struct buf head OWNED_BY(buf_done), tail OWNED_BY(buf_done);
    struct plan plan = {.text = SLICE("Say \"hi\"\n"),
                        .stop_reason = SLICE("end_turn"),
                        .input_tokens = 3,
                        .output_tokens = 4,
                        .metrics_ms = SIM_UNSET};
    buf_init(&head, 4096);
    buf_init(&tail, 4096);
    sim_reply_whole(&head, &tail, &plan, 12);
    buf_add(&head, buf_slice(&tail));
    assert_buf(
        &head,
        "{\"metrics\":{\"latencyMs\":12},\"output\":{\"message\":{\"content\":[{\"text\":\"Say "
        "\\\"hi\\\"\\n\"}],\"role\":\"assistant\"}},\"stopReason\":\"end_turn\",\"usage\":"
        "{\"inputTokens\":3,\"outputTokens\":4,\"totalTokens\":7}}");
}

static void the_filler_does_not_depend_on_how_it_is_cut(void **state)
{
    (void)state;
    char whole[1000], part[1000];
    sim_reply_fill(whole, 0, sizeof whole);
    for (size_t at = 0; at < sizeof whole; at += 7)
        sim_reply_fill(part + at, at, sizeof part - at < 7 ? sizeof part - at : 7);
    assert_memory_equal(whole, part, sizeof whole);
    assert_null(memchr(whole, '"', sizeof whole));
    assert_null(memchr(whole, '\\', sizeof whole));
}

/* Reads a stream's frames; the text of its deltas goes to ret_text, their names to ret_types. */
static void read_frames(struct plan *plan, struct buf *ret_text, struct buf *ret_types)
{
    struct arena arena OWNED_BY(arena_done);
    struct buf bytes OWNED_BY(buf_done);
    struct reply_stream stream = {.phase = REPLY_START};
    struct event_reader reader;
    struct event event;
    struct json_fault fault;
    const struct json *root;
    arena_init(&arena, 1 << 24);
    buf_init(&bytes, 1 << 24);
    while (sim_reply_frame(&bytes, plan, &stream, 5))
        continue;
    event_reader_init(&reader, 1 << 20);
    assert_int_equal(event_reader_hear(&reader, buf_slice(&bytes)), OK);
    while (event_reader_next(&reader, &event) == OK) {
        struct slice text;
        assert_int_equal(event.kind, EVENT_KIND_EVENT);
        buf_add(ret_types, slice_sub(event.type, 0, 15));
        buf_add_byte(ret_types, ' ');
        assert_int_equal(json_parse(&arena, event.payload, &root, &fault), OK);
        const struct json *delta = json_member(json_member(root, "delta"), "text");
        if (delta != NULL) {
            assert_true(json_string(&arena, delta, &text));
            buf_add(ret_text, text);
        }
    }
    assert_true(event_reader_is_between(&reader));
    event_reader_done(&reader);
}

static void a_stream_carries_the_answer_in_pieces(void **state)
{
    (void)state;
    struct buf text OWNED_BY(buf_done), types OWNED_BY(buf_done);
    struct slice list[] = {SLICE("Vo"), SLICE("ici")};
    struct sim_texts pieces = {list, 2};
    struct plan plan = {.text = SLICE("Voici"),
                        .pieces = &pieces,
                        .stop_reason = SLICE("end_turn"),
                        .padding_rate = 1};
    buf_init(&text, 1 << 20);
    buf_init(&types, 1 << 20);
    random_init(&plan.random, 1);
    read_frames(&plan, &text, &types);
    assert_buf(&text, "Voici");
    assert_buf(
        &types,
        "messageStart contentBlockDel contentBlockDel contentBlockSto messageStop metadata ");
    buf_reset(&text);
    plan = (struct plan){
        .text = SLICE("éééééééé éé"), .fill_bytes = 50000, .stop_reason = SLICE("end_turn")};
    read_frames(&plan, &text, &types);
    assert_int_equal(text.len, plan.text.len + 50000);
    assert_true(slice_starts(buf_slice(&text), plan.text));
}

static void every_exception_of_the_list_becomes_a_frame(void **state)
{
    (void)state;
    for (int fault = 1; fault < FAULT_COUNT; fault++) {
        struct buf bytes OWNED_BY(buf_done);
        struct event_reader reader;
        struct event event;
        buf_init(&bytes, 4096);
        if (FAULTS[fault].kind != FAULT_KIND_EXCEPTION)
            continue;
        sim_reply_exception(&bytes, (enum fault)fault);
        event_reader_init(&reader, 4096);
        assert_int_equal(event_reader_hear(&reader, buf_slice(&bytes)), OK);
        assert_int_equal(event_reader_next(&reader, &event), OK);
        assert_int_equal(event.kind,
                         fault == FAULT_STREAM_ERROR ? EVENT_KIND_ERROR : EVENT_KIND_EXCEPTION);
        assert_slice(event.type, FAULTS[fault].type);
        event_reader_done(&reader);
    }
}

static void every_fault_has_a_unique_name(void **state)
{
    (void)state;
    for (int fault = 0; fault < FAULT_COUNT; fault++) {
        enum fault found;
        assert_true(fault_from_word(slice_of_text(FAULTS[fault].word), &found));
        assert_int_equal(found, fault);
        assert_true(fault_fits(found, true) || fault_fits(found, false));
    }
}

static void a_call_has_one_ledger_line_at_its_begin_and_one_at_its_end(void **state)
{
    (void)state;
    char path[] = "/tmp/bedrock-sim-ledger-XXXXXX";
    char text[2048];
    struct journal journal;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(journal_open(&journal, slice_of_text(path), 50), OK);
    struct journal_call call = {.serial = 1,
                                .operation = "Converse",
                                .model = SLICE("m"),
                                .tag = SLICE("a\"b"),
                                .started_us = 1700000000123456};
    journal_begin(&journal, &call, 1000);
    journal_turn(&journal, 1049);
    assert_int_equal(read(file, text, sizeof text), 0); /* waits in memory */
    journal_turn(&journal, 1050);
    ssize_t len = read(file, text, sizeof text - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_string_equal(
        text, "{\"event\":\"begin\",\"call\":1,\"operation\":\"Converse\",\"model\":\"m\",\"tag\":"
              "\"a\\\"b\","
              "\"started_at\":\"2023-11-14T22:13:20.123Z\",\"started_us\":1700000000123456}\n");
    call.outcome = "ok";
    call.status = 200;
    call.ended_us = call.started_us + 1000;
    journal_end(&journal, &call, 2000);
    journal_close(&journal);
    len = read(file, text, sizeof text - 1);
    assert_true(len > 0);
    text[len] = '\0';
    assert_non_null(strstr(text, "\"event\":\"end\""));
    assert_non_null(strstr(text, "\"outcome\":\"ok\",\"status\":200,\"billed\":false"));
    (void)close(file);
    (void)unlink(path);
    assert_int_equal(journal_open(&journal, SLICE("/nonexistent/ledger"), 50), ERR_IO);
    journal_close(&journal);
}

/* A caller at the door: the headers that it sends. */
struct caller {
    char lines[4096]; /* from sigv4_add_headers */
    char value[4096]; /* the last one looked up */
    const char *override_name, *override_value;
};

static struct slice caller_header(void *self, const char *name)
{
    struct caller *caller = self;
    if (caller->override_name != NULL && strcmp(caller->override_name, name) == 0)
        return slice_of_text(caller->override_value);
    if (strcmp(name, "host") == 0)
        return SLICE("127.0.0.1:9911");
    if (strcmp(name, "content-type") == 0)
        return SLICE("application/json");
    const char *line = strcasestr(caller->lines, name);
    if (line == NULL)
        return SLICE_NULL;
    line += strlen(name) + 2;
    return slice_of(line, strcspn(line, "\r"));
}

struct door {
    struct sim_config *config;
    struct access_cache cache;
    struct access_request request;
    struct caller caller;
    struct access_verdict verdict;
};

#define NOON_MS 1700000000000

static void door_sign(struct door *door, const char *key_id, const char *secret, const char *region,
                      int64_t wall_ms)
{
    struct buf lines OWNED_BY(buf_done);
    struct sigv4_key key = {.scope = ""};
    struct sigv4_header header = {SLICE("content-type"), SLICE("application/json")};
    struct sigv4_request request = {.method = SLICE("POST"),
                                    .host = SLICE("127.0.0.1:9911"),
                                    .path = door->request.path,
                                    .query = SLICE(""),
                                    .headers = &header,
                                    .header_count = 1,
                                    .body = SLICE("{}"),
                                    .region = slice_of_text(region),
                                    .service = SLICE("bedrock"),
                                    .wall_ms = wall_ms};
    struct credentials credentials = {.access_key_id = slice_of_text(key_id),
                                      .secret_access_key = slice_of_text(secret)};
    buf_init(&lines, sizeof door->caller.lines - 1);
    assert_int_equal(sigv4_add_headers(&lines, &request, &credentials, &key), OK);
    (void)snprintf(door->caller.lines, sizeof door->caller.lines, "%s", buf_text(&lines));
}

static void door_open(struct door *door)
{
    memset(door, 0, sizeof *door);
    door->config = sim_config_new();
    assert_non_null(door->config);
    door->request = (struct access_request){.method = SLICE("POST"),
                                            .path = SLICE("/model/a.b-v1%3A0/converse"),
                                            .query = SLICE(""),
                                            .body = SLICE("{}"),
                                            .header = caller_header,
                                            .self = &door->caller};
    door_sign(door, "AKIASIMULATOREXAMPLE", "simulated/secret+key/for/local+tests", "us-east-1",
              NOON_MS);
}

static const char *door_knock(struct door *door, int64_t wall_ms)
{
    access_check(door->config, &door->cache, &door->request, wall_ms, &door->verdict);
    return door->verdict.type != NULL ? door->verdict.type : "welcome";
}

static void a_valid_signature_is_accepted(void **state)
{
    (void)state;
    static struct door door;
    door_open(&door);
    assert_string_equal(door_knock(&door, NOON_MS), "welcome");
    assert_slice(door.verdict.access_key_id, "AKIASIMULATOREXAMPLE");
    assert_string_equal(door_knock(&door, NOON_MS + 299000), "welcome");
    sim_config_free(door.config);
}

static void an_invalid_signature_is_rejected_as_by_aws(void **state)
{
    (void)state;
    static struct door door;
    door_open(&door);
    door.request.body = SLICE("{} ");
    assert_string_equal(door_knock(&door, NOON_MS), "InvalidSignatureException");
    door.request.body = SLICE("{}");
    door.request.path = SLICE("/model/a.b-v1:0/converse");
    assert_string_equal(door_knock(&door, NOON_MS), "InvalidSignatureException");
    door.request.path = SLICE("/model/a.b-v1%3A0/converse");
    assert_string_equal(door_knock(&door, NOON_MS), "welcome");
    door_sign(&door, "AKIASIMULATOREXAMPLE", "wrong", "us-east-1", NOON_MS);
    assert_string_equal(door_knock(&door, NOON_MS), "InvalidSignatureException");
    door_sign(&door, "AKIANOBODY", "x", "us-east-1", NOON_MS);
    assert_string_equal(door_knock(&door, NOON_MS), "UnrecognizedClientException");
    door.caller.override_name = "authorization";
    door.caller.override_value = "AWS4-HMAC-SHA256 Credential=x";
    assert_string_equal(door_knock(&door, NOON_MS), "IncompleteSignatureException");
    door.caller.override_value = "";
    assert_string_equal(door_knock(&door, NOON_MS), "MissingAuthenticationTokenException");
    sim_config_free(door.config);
}

static void a_clock_off_by_more_than_five_minutes_is_rejected(void **state)
{
    (void)state;
    static struct door door;
    door_open(&door);
    assert_string_equal(door_knock(&door, NOON_MS + 301000), "InvalidSignatureException");
    assert_string_equal(door.verdict.text,
                        "Signature expired: 20231114T221320Z is now earlier than 20231114T221321Z "
                        "(20231114T221821Z - 5 min.)");
    assert_string_equal(door_knock(&door, NOON_MS - 301000), "InvalidSignatureException");
    assert_non_null(strstr(door.verdict.text,
                           "Signature not yet current: 20231114T221320Z is still later than"));
    sim_config_free(door.config);
}

static void regions_session_tokens_and_expiry_are_checked(void **state)
{
    (void)state;
    static struct door door;
    door_open(&door);
    door.config->region = SLICE("eu-west-1");
    assert_string_equal(door_knock(&door, NOON_MS), "InvalidSignatureException");
    door.config->region = SLICE("");
    door.config->keys[0].expired = true;
    assert_string_equal(door_knock(&door, NOON_MS), "ExpiredTokenException");
    door.config->keys[0].expired = false;
    door.config->keys[0].session_token = SLICE("token");
    assert_string_equal(door_knock(&door, NOON_MS), "UnrecognizedClientException");
    door.caller.override_name = "x-amz-security-token";
    door.caller.override_value = "token";
    assert_string_equal(door_knock(&door, NOON_MS),
                        "InvalidSignatureException"); /* not signed with it */
    door.config->auth_required = false;
    assert_string_equal(door_knock(&door, NOON_MS), "welcome");
    sim_config_free(door.config);
}

static void bearer_tokens_are_compared(void **state)
{
    (void)state;
    static struct door door;
    door_open(&door);
    door.caller.override_name = "authorization";
    door.caller.override_value = "Bearer simulated-bearer-token";
    assert_string_equal(door_knock(&door, NOON_MS), "welcome");
    door.caller.override_value = "Bearer simulated-bearer-toke";
    assert_string_equal(door_knock(&door, NOON_MS), "AccessDeniedException");
    door.caller.override_value = "Bearer ";
    assert_string_equal(door_knock(&door, NOON_MS), "AccessDeniedException");
    sim_config_free(door.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unstreamed_answer_is_the_json_of_converse),
        cmocka_unit_test(the_filler_does_not_depend_on_how_it_is_cut),
        cmocka_unit_test(a_stream_carries_the_answer_in_pieces),
        cmocka_unit_test(every_exception_of_the_list_becomes_a_frame),
        cmocka_unit_test(every_fault_has_a_unique_name),
        cmocka_unit_test(a_call_has_one_ledger_line_at_its_begin_and_one_at_its_end),
        cmocka_unit_test(a_valid_signature_is_accepted),
        cmocka_unit_test(an_invalid_signature_is_rejected_as_by_aws),
        cmocka_unit_test(a_clock_off_by_more_than_five_minutes_is_rejected),
        cmocka_unit_test(regions_session_tokens_and_expiry_are_checked),
        cmocka_unit_test(bearer_tokens_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
