/* What a large picture costs from its record to the signed call, without any input or output: the
 * real engine takes a request with a picture of 3 MB, and its port hears of the call. Prints the
 * megabytes of the picture's bytes per second of this thread's CPU.
 *
 *   bare_media REQUESTS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "wire/formats/base64.h"

#define PICTURE_BYTES 3000000
#define VALUE_MAX     (8 << 20)
#define WALL_MS       1795000000000LL
#define TURN_MS       100
#define TOPIC         SLICE("bedrock.requests")

static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
static const char BODY[] =
    "{\"metrics\":{\"latencyMs\":1},\"output\":{\"message\":{\"content\":[{\"text\":\"A cat.\"}],"
    "\"role\":\"assistant\"}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":1,"
    "\"outputTokens\":1,\"totalTokens\":2}}";

static struct {
    struct engine *engine;
    struct call_ref call;
    size_t body_len; /* of the call; 0 = there is none */
    uint32_t read_ticket;
    uint64_t batch;
} bench;

static const struct tenure TENURE = {.slot = 0, .epoch = 1};

/* ---- ports ---- */

static void on_call_start(void *self, struct call_ref call, const struct http_request *request)
{
    (void)self;
    bench.call = call;
    bench.body_len = request->body.len;
}

static bool on_call_cancel(void *self, struct call_ref call)
{
    (void)self, (void)call;
    return true;
}

static void on_nothing(void *self, uint32_t identity)
{
    (void)identity;
    (void)self;
}

static void on_tenure(void *self, struct tenure tenure)
{
    (void)self, (void)tenure;
}

static void on_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    (void)self, (void)tenure;
    bench.read_ticket = ticket;
}

static void on_start(void *self, struct tenure tenure, int64_t offset, int32_t leader_epoch)
{
    (void)leader_epoch;
    (void)self, (void)tenure, (void)offset;
}

static void on_membership(void *self, struct buf *ret_metadata)
{
    (void)self;
    buf_add_text(ret_metadata, "generation 1");
}

static void on_commit(void *self, const struct batch *batch)
{
    (void)self;
    bench.batch = batch->id;
}

static void on_look_up(void *self, struct slice topic, uint32_t ticket)
{
    (void)self, (void)topic, (void)ticket;
}

static bool on_chunk(void *self, struct call_ref call, struct output *chunk, bool is_last)
{
    (void)self, (void)call, (void)is_last;
    output_free(chunk);
    return true;
}

static void on_log(void *self, enum log_event event, const struct log_field *fields, size_t count)
{
    (void)self, (void)event, (void)fields, (void)count;
}

static void on_ended(void *self, int exit_code)
{
    (void)self, (void)exit_code;
}

static const struct ports PORTS = {
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

/* ---- the run ---- */

static void begin(void)
{
    static struct engine_config config;
    struct credentials credentials = {.access_key_id = SLICE("AKIDEXAMPLE"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    config = (struct engine_config){
        .output = {.source = SLICE("/bedrock-worker/bench"),
                   .group_id = SLICE("bench"),
                   .responses_topic = SLICE("bedrock.responses"),
                   .chunks_topic = SLICE("bedrock.chunks"),
                   .usage_topic = SLICE("bedrock.usage"),
                   .dead_letters_topic = SLICE("bedrock.dead-letters"),
                   .output_bytes_max = 1 << 20},
        .region = SLICE("us-east-1"),
        .user_agent = SLICE("bedrock-worker/bench"),
        .transactional_id = SLICE("bench-1"),
        .exactly_once = true,
        .send_error_responses = true,
        .max_in_flight = 1,
        .max_held = 1,
        .max_held_bytes = 64 << 20,
        .max_request_bytes = VALUE_MAX,
        .max_answer_bytes = 1 << 20,
        .max_begun = 3,
        .batch_results_max = 1,
        .batch_bytes_max = 16 << 20,
        .commit_interval_ms = TURN_MS,
        .drain_timeout_ms = 10000,
        .stall_ms = 22500,
        .heartbeat_ms = 3000,
        .offset_map_bytes_max = 4096,
        .retry = {.max_attempts = 1,
                  .max_elapsed_ms = 1800000,
                  .transient_base_ms = 200,
                  .throttle_base_ms = 1000,
                  .max_delay_ms = 20000},
        .seed = 1,
    };
    bench.engine = engine_new(&config, &PORTS, 0, WALL_MS);
    CHECK(bench.engine != NULL);
    engine_credentials(bench.engine, 0, &credentials, SLICE(""));
    engine_partition_assigned(bench.engine, TENURE, TOPIC, 0);
    engine_offsets_read(bench.engine, TENURE, bench.read_ticket, OK,
                        &(struct committed){.offset = 0});
}

static void make_request(struct buf *ret_value)
{
    char *picture = memory_new(PICTURE_BYTES);
    CHECK(picture != NULL);
    for (size_t i = 0; i < PICTURE_BYTES; i++)
        picture[i] = (char)(i * 2654435761U >> 13);
    buf_init(ret_value, VALUE_MAX);
    buf_add_text(ret_value, "{\"model\":\"anthropic.claude-3-haiku-20240307-v1:0\",\"messages\":[["
                            "\"human\",[\"What is this?\",{\"type\":\"image_url\",\"image_url\":{"
                            "\"url\":\"data:image/png;base64,");
    base64_add(ret_value, slice_of(picture, PICTURE_BYTES));
    buf_add_text(ret_value, "\"}}]]]}");
    CHECK(ret_value->failed == OK);
    memory_free(picture);
}

static int64_t cpu_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void turn(int64_t *now_ms)
{
    *now_ms += TURN_MS;
    engine_time(bench.engine, *now_ms, WALL_MS + *now_ms);
    (void)engine_turn(bench.engine);
}

static void commit(void)
{
    struct batch_end end = {.id = bench.batch, .outcome = BATCH_COMMITTED, .reason = SLICE("")};
    if (bench.batch == 0)
        return;
    bench.batch = 0;
    engine_batch_ended(bench.engine, &end);
}

static void answer(void)
{
    struct call_end end = {.was_sent = true, .words = SLICE("")};
    engine_call_head(bench.engine, bench.call, 200, slice_of_text(HEAD));
    engine_call_body(bench.engine, bench.call, slice_of_text(BODY));
    engine_call_ended(bench.engine, bench.call, &end);
}

/* From the record to the call; CPU time. */
static int64_t call_once(int64_t *now_ms, int64_t offset, struct slice value)
{
    struct record record = {.topic = TOPIC,
                            .offset = offset,
                            .timestamp_ms = WALL_MS,
                            .timestamp_type = TIMESTAMP_CREATE,
                            .value = value};
    bench.body_len = 0;
    CHECK(engine_room(bench.engine, TENURE) > 0);
    int64_t from = cpu_ns();
    engine_record(bench.engine, TENURE, &record);
    turn(now_ms);
    int64_t taken = cpu_ns() - from;
    CHECK(bench.body_len > PICTURE_BYTES / 3 * 4);
    commit();
    answer();
    for (int i = 0; i < 3; i++) {
        turn(now_ms);
        commit();
    }
    return taken;
}

int main(int argc, char **argv)
{
    long requests = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (requests < 1) {
        (void)fprintf(stderr, "usage: bare_media REQUESTS\n");
        return 2;
    }
    struct buf value;
    int64_t now_ms = 0, taken = 0, least = INT64_MAX;
    begin();
    make_request(&value);
    for (long i = 0; i < requests; i++) {
        int64_t once = call_once(&now_ms, i, buf_slice(&value));
        taken += once;
        least = once < least ? once : least;
    }
    engine_free(bench.engine);
    buf_done(&value);
    printf("%.0f MB/s on average, %.0f MB/s at best, of a picture of %d bytes from its record to "
           "the signed call\n",
           1e3 * PICTURE_BYTES * (double)requests / (double)taken,
           1e3 * PICTURE_BYTES / (double)least, PICTURE_BYTES);
    return 0;
}
