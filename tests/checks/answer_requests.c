/* A worker without Kafka and without a network: the real engine, told on standard input what comes
 * in and what Bedrock answers, says on standard output what goes out. One JSON object a line:
 *     in   {"request": {…}, "answers": [{"status": 200, "head": "HTTP/1.1 200 OK\r\n…", "hex":
 * "…"}]} out  {"calls": [{"url": …, "headers": …, "body": …}], "records": [{"kind": "response",
 * "value": {…}}]} `hex` is the answer's body. A call beyond the last answer gets that one again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "engine/engine.h"
#include "wire/formats/json.h"

#define LINE_BYTES_MAX    ((size_t)64 * 1024 * 1024)
#define REQUEST_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define WALL_MS           INT64_C(1795000000000)
#define TURNS_MAX         2000 /* of 100 ms for one request */

static const struct tenure TENURE = {0, 1};

struct bench {
    struct engine *engine;
    int64_t now_ms, offset;
    const struct json *answer; /* of the next call */
    struct buf calls, records;
    struct call_ref call;
    bool is_calling, is_reading, has_batch, has_topic, is_answered;
    uint32_t read_ticket, topic_ticket;
    struct batch batch;
};

/* --- commands of the engine --- */

static void on_call_start(void *self, struct call_ref ref, const struct http_request *request)
{
    struct bench *bench = self;
    bench->call = ref;
    bench->is_calling = true;
    json_add_comma(&bench->calls);
    buf_add_byte(&bench->calls, '{');
    json_add_text_member(&bench->calls, "url", slice_of_text(request->url.ptr));
    json_add_text_member(&bench->calls, "headers", request->headers);
    json_add_text_member(&bench->calls, "body", request->body);
    buf_add_byte(&bench->calls, '}');
}

static bool on_call_cancel(void *self, struct call_ref ref)
{
    (void)ref;
    ((struct bench *)self)->is_calling = false;
    return true;
}

static void on_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    struct bench *bench = self;
    (void)tenure;
    bench->is_reading = true;
    bench->read_ticket = ticket;
}

static void on_tenure(void *self, struct tenure tenure)
{
    (void)self;
    (void)tenure;
}

static void on_start(void *self, struct tenure tenure, int64_t offset, int32_t leader_epoch)
{
    (void)leader_epoch;
    (void)offset;
    on_tenure(self, tenure);
}

static void on_nothing(void *self, uint32_t identity)
{
    (void)identity;
    (void)self;
}

static void on_membership(void *self, struct buf *ret_metadata)
{
    (void)self;
    buf_add_text(ret_metadata, "generation 1");
}

static void on_commit(void *self, const struct batch *batch)
{
    struct bench *bench = self;
    bench->batch = *batch;
    bench->has_batch = true;
}

static void on_look_up(void *self, struct slice topic, uint32_t ticket)
{
    struct bench *bench = self;
    (void)topic;
    bench->has_topic = true;
    bench->topic_ticket = ticket;
}

static const char *const kind_names[] = {
    [OUTPUT_RESPONSE] = "response",
    [OUTPUT_USAGE] = "usage",
    [OUTPUT_CHUNK] = "chunk",
};

static void add_record(struct bench *bench, const struct output *output)
{
    if (output->kind >= COUNT_OF(kind_names) || kind_names[output->kind] == NULL)
        return;
    bench->is_answered = bench->is_answered || output->kind == OUTPUT_RESPONSE;
    json_add_comma(&bench->records);
    buf_add_byte(&bench->records, '{');
    json_add_text_member(&bench->records, "kind", slice_of_text(kind_names[output->kind]));
    json_add_member(&bench->records, "value", output->value);
    buf_add_byte(&bench->records, '}');
}

static bool on_chunk(void *self, struct call_ref ref, struct output *chunk, bool is_last)
{
    (void)ref, (void)is_last;
    add_record(self, chunk);
    output_free(chunk);
    return true;
}

static void on_log(void *self, enum log_event event, const struct log_field *fields, size_t count)
{
    struct buf line OWNED_BY(buf_done);
    (void)self;
    buf_init(&line, 65536);
    log_add_text(&line, WALL_MS, event, fields, count);
    (void)fprintf(stderr, "%.*s\n", SLICE_ARG(buf_slice(&line)));
}

static void on_ended(void *self, int exit_code)
{
    (void)self;
    (void)fprintf(stderr, "the engine ended with exit code %d\n", exit_code);
    exit(1);
}

/* --- what happens to it --- */

static void start(struct bench *bench)
{
    static struct engine_config config;
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    struct ports ports = {
        .self = bench,
        .call_start = on_call_start,
        .call_cancel = on_call_cancel,
        .credentials_refresh = on_nothing,
        .offsets_read = on_offsets_read,
        .watermarks_read = on_tenure,
        .partition_start = on_start,
        .partition_pause = on_tenure,
        .partition_release = on_tenure,
        .membership = on_membership,
        .batch_commit = on_commit,
        .topic_look_up = on_look_up,
        .chunk_send = on_chunk,
        .log = on_log,
        .ended = on_ended,
    };
    config = (struct engine_config){
        .output = {.source = SLICE("/bedrock-worker/bench"),
                   .group_id = SLICE("bench"),
                   .responses_topic = SLICE("responses"),
                   .chunks_topic = SLICE("chunks"),
                   .usage_topic = SLICE("usage"),
                   .dead_letters_topic = SLICE("letters"),
                   .output_bytes_max = REQUEST_BYTES_MAX},
        .region = SLICE("us-east-1"),
        .endpoint_url = SLICE("http://127.0.0.1:1"),
        .user_agent = SLICE("bedrock-worker/bench"),
        .transactional_id = SLICE("bench"),
        .ordering = ORDERING_NONE,
        .exactly_once = true,
        .send_error_responses = true,
        .max_in_flight = 4,
        .max_held = 4,
        .max_held_bytes = 64 * REQUEST_BYTES_MAX,
        .max_request_bytes = REQUEST_BYTES_MAX,
        .max_answer_bytes = REQUEST_BYTES_MAX,
        .max_begun = 3,
        .batch_results_max = 100,
        .batch_bytes_max = 16 * REQUEST_BYTES_MAX,
        .commit_interval_ms = 10,
        .drain_timeout_ms = 1000,
        .stall_ms = 5000,
        .heartbeat_ms = 3000,
        .offset_map_bytes_max = 4096,
        .retry = {.max_attempts = 3,
                  .max_elapsed_ms = 60000,
                  .transient_base_ms = 1,
                  .throttle_base_ms = 1,
                  .max_delay_ms = 10},
        .seed = 1,
    };
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    config.catalog.apis = dialect_apis(&config.catalog.api_count);
    config.catalog.choose = dialect_choose;
    config.catalog.check = dialect_check;
    bench->now_ms = 1000;
    bench->engine = engine_new(&config, &ports, bench->now_ms, WALL_MS);
    CHECK(bench->engine != NULL);
    engine_credentials(bench->engine, 0, &credentials, SLICE(""));
    engine_partition_assigned(bench->engine, TENURE, SLICE("requests"), 0);
}

static int digit(char hex)
{
    return hex <= '9' ? hex - '0' : hex - 'a' + 10;
}

static void hear_body(struct bench *bench, struct slice hex)
{
    char *bytes = malloc(hex.len / 2 + 1);
    CHECK(bytes != NULL && hex.len % 2 == 0);
    for (size_t i = 0; i < hex.len; i += 2)
        bytes[i / 2] = (char)(digit(hex.ptr[i]) << 4 | digit(hex.ptr[i + 1]));
    engine_call_body(bench->engine, bench->call, slice_of(bytes, hex.len / 2));
    free(bytes);
}

static void hear_answer(struct bench *bench, struct arena *arena)
{
    struct call_end end = {.err = OK, .was_sent = true, .words = SLICE("")};
    struct slice head, hex;
    int64_t status;
    CHECK(bench->answer != NULL);
    CHECK(json_int64(json_member(bench->answer, "status"), &status) &&
          json_string(arena, json_member(bench->answer, "head"), &head) &&
          json_string(arena, json_member(bench->answer, "hex"), &hex));
    if (bench->answer->next != NULL)
        bench->answer = bench->answer->next;
    engine_call_head(bench->engine, bench->call, (int)status, head);
    if (bench->is_calling)
        hear_body(bench, hex);
    if (bench->is_calling)
        engine_call_ended(bench->engine, bench->call, &end);
    bench->is_calling = false;
}

static void hear_batch(struct bench *bench)
{
    struct batch_end end = {
        .id = bench->batch.id, .outcome = BATCH_COMMITTED, .reason = SLICE("committed")};
    for (size_t i = 0; i < bench->batch.output_count; i++)
        add_record(bench, bench->batch.outputs[i]);
    bench->has_batch = false;
    engine_batch_ended(bench->engine, &end);
}

/* One turn of the loop, with the answers to what the engine asked in the last one. */
static void turn(struct bench *bench, struct arena *arena)
{
    bench->now_ms += 100;
    engine_time(bench->engine, bench->now_ms, WALL_MS + bench->now_ms);
    if (bench->is_reading)
        engine_offsets_read(bench->engine, TENURE, bench->read_ticket, OK,
                            &(struct committed){.offset = 0});
    bench->is_reading = false;
    if (bench->has_topic)
        engine_topic_found(bench->engine, bench->topic_ticket, OK, 4);
    bench->has_topic = false;
    if (bench->is_calling)
        hear_answer(bench, arena);
    if (bench->has_batch)
        hear_batch(bench);
    (void)engine_turn(bench->engine);
}

static void answer_line(struct bench *bench, struct slice line)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root;
    arena_init(&arena, LINE_BYTES_MAX);
    CHECK(json_parse(&arena, line, &root, NULL) == OK);
    const struct json *request = json_member(root, "request"),
                      *answers = json_member(root, "answers");
    CHECK(request != NULL && json_is(answers, JSON_ARRAY));
    struct record record = {.topic = SLICE("requests"),
                            .offset = bench->offset++,
                            .timestamp_ms = WALL_MS + bench->now_ms,
                            .timestamp_type = TIMESTAMP_CREATE,
                            .value = request->source};
    bench->answer = answers->first;
    bench->is_answered = false;
    for (int i = 0; engine_room(bench->engine, TENURE) == 0; i++) {
        CHECK(i < TURNS_MAX);
        turn(bench, &arena);
    }
    engine_record(bench->engine, TENURE, &record);
    for (int i = 0; !bench->is_answered || bench->has_batch; i++) {
        CHECK(i < TURNS_MAX);
        turn(bench, &arena);
    }
}

static void print_line(struct bench *bench)
{
    CHECK(bench->calls.failed == OK && bench->records.failed == OK);
    (void)printf("{\"calls\":%.*s],\"records\":%.*s]}\n", SLICE_ARG(buf_slice(&bench->calls)),
                 SLICE_ARG(buf_slice(&bench->records)));
    (void)fflush(stdout);
}

int main(void)
{
    static struct bench bench;
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    buf_init(&bench.calls, LINE_BYTES_MAX);
    buf_init(&bench.records, LINE_BYTES_MAX);
    start(&bench);
    while ((len = getline(&line, &room, stdin)) > 0) {
        buf_reset(&bench.calls);
        buf_reset(&bench.records);
        buf_add_byte(&bench.calls, '[');
        buf_add_byte(&bench.records, '[');
        answer_line(&bench, slice_of(line, (size_t)len - (line[len - 1] == '\n')));
        print_line(&bench);
    }
    free(line);
    engine_free(bench.engine);
    buf_done(&bench.calls);
    buf_done(&bench.records);
    return 0;
}
