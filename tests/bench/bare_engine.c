/* What a request costs the engine and wire, without any input or output: Converse requests go
 * through an engine whose ports do nothing, WINDOW at a time, each answered whole and committed.
 * tests/bench/instructions.py counts the instructions that this program executes.
 *
 *   bare_engine REQUESTS [TOOLS]     also prints the bytes that a request with an open call holds;
 *                                    with 20 tools a request has 8 kB of schemas
 *   bare_engine REQUESTS metrics     counts metrics, and prints what a scrape of PARTITIONS and
 *                                    TARGETS costs
 *   bare_engine REQUESTS prices      says what each request cost, by a table of PRICES rows
 *   bare_engine REQUESTS traces      makes the spans of every request, and the bodies in which they
 *                                    would go to their collector */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "engine/state.h"

#define WINDOW     64
#define PARTITIONS 100
#define TARGETS    50
#define SCRAPES    200
#define PRICES     400
#define WALL_MS    1795000000000LL
#define TURN_MS    100
#define TOPIC      SLICE("bedrock.requests")

#define MODEL "anthropic.claude-3-haiku-20240307-v1:0"
static const char REQUEST[] =
    "{\"id\":\"req-0001\",\"model\":\"%s\","
    "\"messages\":[{\"role\":\"system\",\"content\":\"You are a helper.\"},"
    "{\"role\":\"user\",\"content\":\"Say in one sentence what a ledger is.\"}],"
    "\"temperature\":0.5,\"max_tokens\":200,\"metadata\":{\"page\":7}}";
/* Of a request with tools: behind REQUEST without its closing brace. */
#define TOOL                                                                                       \
    "{\"type\":\"function\",\"function\":{\"name\":\"look_up_%ld\",\"description\":\"Looks up "    \
    "what "                                                                                        \
    "the ledger has of one customer.\",\"parameters\":{\"type\":\"object\",\"properties\":{"       \
    "\"customer\":{\"type\":\"string\",\"description\":\"The customer's number\"},\"since\":{"     \
    "\"type\":\"string\",\"format\":\"date\"},\"limit\":{\"type\":\"integer\",\"minimum\":1},"     \
    "\"kinds\":{\"type\":\"array\",\"items\":{\"enum\":[\"sale\",\"refund\"]}}},"                  \
    "\"required\":[\"customer\"]}}}"
static const char HEAD[] =
    "HTTP/1.1 200 OK\r\nDate: Sat, 20 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n"
    "Content-Length: 300\r\nx-amzn-RequestId: 01234567-89ab-cdef-0123-456789abcdef\r\n\r\n";
static const char BODY[] =
    "{\"metrics\":{\"latencyMs\":512},\"output\":{\"message\":{\"content\":[{\"text\":\"A ledger "
    "is "
    "a book in which a business writes down every transaction, so that its accounts can be "
    "checked.\"}],\"role\":\"assistant\"}},\"stopReason\":\"end_turn\",\"usage\":"
    "{\"inputTokens\":24,\"outputTokens\":23,\"totalTokens\":47}}";

static struct {
    struct engine *engine;
    struct metrics *metrics; /* NULL = none */
    struct spans *spans;     /* NULL = none */
    bool has_prices;
    size_t spans_taken;
    struct call_ref open[WINDOW];
    size_t open_count;
    uint32_t read_ticket;
    uint64_t batch; /* 0 = none is open */
    uint64_t outputs;
    struct buf request;
} bench;

static const struct tenure TENURE = {.slot = 0, .epoch = 1};

/* ---- ports ---- */

static void on_call_start(void *self, struct call_ref call, const struct http_request *request)
{
    (void)self, (void)request;
    CHECK(bench.open_count < WINDOW);
    bench.open[bench.open_count++] = call;
}

static bool on_call_cancel(void *self, struct call_ref call)
{
    (void)self, (void)call;
    return true;
}

static void on_refresh(void *self, uint32_t identity)
{
    (void)identity;
    (void)self;
}

static void on_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    (void)self, (void)tenure;
    bench.read_ticket = ticket;
}

static void on_tenure(void *self, struct tenure tenure)
{
    (void)self, (void)tenure;
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
    bench.outputs += batch->output_count;
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
    .credentials_refresh = on_refresh,
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

static struct engine_config config_make(void)
{
    return (struct engine_config){
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
        .ordering = ORDERING_KEY,
        .exactly_once = true,
        .send_dead_letters = true,
        .send_error_responses = true,
        .max_in_flight = WINDOW,
        .max_held = WINDOW,
        .max_held_bytes = 64 << 20,
        .max_request_bytes = 1 << 20,
        .max_answer_bytes = 1 << 20,
        .max_begun = 3,
        .batch_results_max = WINDOW,
        .batch_bytes_max = 16 << 20,
        .commit_interval_ms = TURN_MS,
        .drain_timeout_ms = 10000,
        .stall_ms = 22500,
        .heartbeat_ms = 3000,
        .offset_map_bytes_max = 4096,
        .retry.max_attempts = 6,
        .retry.max_elapsed_ms = 1800000,
        .retry.transient_base_ms = 200,
        .retry.throttle_base_ms = 1000,
        .retry.max_delay_ms = 20000,
        .seed = 1,
    };
}

static void turn(int64_t *now_ms)
{
    *now_ms += TURN_MS;
    engine_time(bench.engine, *now_ms, WALL_MS + *now_ms);
    (void)engine_turn(bench.engine);
}

/* Rows of other models, and one that is for the model. */
static const struct price_table *prices(void)
{
    static char models[PRICES][32];
    static struct price_row rows[PRICES];
    static struct price_table table = {
        .rows = rows, .count = PRICES, .currency = "USD", .version = "bench", .hash = 1};
    for (size_t i = 0; i < PRICES; i++) {
        (void)snprintf(models[i], sizeof models[i], "anthropic.claude-%zu-*", i);
        rows[i] = (struct price_row){
            .model = i == PRICES / 2 ? SLICE(MODEL) : slice_of_text(models[i]),
            .tier = SLICE(PRICE_TIER),
            .from_ms = PRICE_ALWAYS,
            .to_ms = PRICE_FOREVER,
            .price = {250000, 1250000, PRICE_NONE, PRICE_NONE, PRICE_NONE},
        };
    }
    price_table_sort(&table);
    return &table;
}

static void begin(void)
{
    static struct engine_config config;
    struct credentials credentials = {.access_key_id = SLICE("AKIDEXAMPLE"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    config = config_make();
    config.metrics = bench.metrics;
    config.spans = bench.spans;
    config.prices = bench.has_prices ? prices() : NULL;
    bench.engine = engine_new(&config, &PORTS, 0, WALL_MS);
    CHECK(bench.engine != NULL);
    engine_credentials(bench.engine, 0, &credentials, SLICE(""));
    engine_partition_assigned(bench.engine, TENURE, TOPIC, 0);
    engine_offsets_read(bench.engine, TENURE, bench.read_ticket, OK,
                        &(struct committed){.offset = 0});
}

static void write_request(long tools, const char *model)
{
    char text[sizeof REQUEST + 64];
    int len = snprintf(text, sizeof text, REQUEST, model);
    buf_done(&bench.request);
    buf_init(&bench.request, 1 << 20);
    buf_add(&bench.request, slice_of(text, (size_t)len - 1));
    buf_add_text(&bench.request, tools > 0 ? ",\"tools\":[" : "");
    for (long i = 0; i < tools; i++) {
        buf_add_text(&bench.request, i > 0 ? "," : "");
        buf_addf(&bench.request, TOOL, i);
    }
    buf_add_text(&bench.request, tools > 0 ? "]}" : "}");
}

static void take(int64_t offset)
{
    char key[24];
    (void)snprintf(key, sizeof key, "key-%lld", (long long)offset);
    struct record record = {
        .topic = TOPIC,
        .offset = offset,
        .timestamp_ms = WALL_MS,
        .timestamp_type = TIMESTAMP_CREATE,
        .key = slice_of_text(key),
        .value = buf_slice(&bench.request),
    };
    CHECK(engine_room(bench.engine, TENURE) > 0);
    engine_record(bench.engine, TENURE, &record);
}

static void answer(struct call_ref call)
{
    struct call_end end = {.was_sent = true, .words = SLICE("")};
    engine_call_head(bench.engine, call, 200, slice_of_text(HEAD));
    engine_call_body(bench.engine, call, slice_of_text(BODY));
    engine_call_ended(bench.engine, call, &end);
}

static void commit(void)
{
    if (bench.batch == 0)
        return;
    struct batch_end end = {.id = bench.batch, .outcome = BATCH_COMMITTED, .reason = SLICE("")};
    bench.batch = 0;
    engine_batch_ended(bench.engine, &end);
}

/* What the exporter does when a batch is full, without the connection. */
static void export_spans(void)
{
    struct buf body OWNED_BY(buf_done);
    size_t count;
    buf_init(&body, SPANS_BATCH_BYTES_MAX);
    while (bench.spans != NULL && (count = spans_take(bench.spans, &body)) > 0) {
        CHECK(body.failed == OK && body.len > count);
        spans_end(bench.spans, SPANS_SENT, count);
        bench.spans_taken += count;
        buf_reset(&body);
    }
}

/* ---- scrapes ---- */

static void answer_all(int64_t *now_ms)
{
    turn(now_ms);
    commit();
    while (bench.open_count > 0)
        answer(bench.open[--bench.open_count]);
    turn(now_ms);
    commit();
}

/* Each target has answered a call and has another one open. */
static void fill(int64_t offset, int64_t *now_ms)
{
    for (int64_t i = 0; i < 2 * TARGETS; i++) {
        char model[64];
        (void)snprintf(model, sizeof model, "bench.model-of-some-length-v%d:0", (int)i % TARGETS);
        write_request(0, model);
        take(offset + i);
        if (i == TARGETS - 1)
            answer_all(now_ms);
    }
    turn(now_ms);
    for (uint32_t i = 1; i < PARTITIONS; i++) {
        const struct tenure tenure = {.slot = i, .epoch = 1 + i};
        engine_partition_assigned(bench.engine, tenure, TOPIC, (int32_t)i);
        engine_offsets_read(bench.engine, tenure, bench.read_ticket, OK,
                            &(struct committed){.offset = 0});
        engine_partition_high(bench.engine, tenure, 1000);
    }
}

static void scrape(int64_t offset, int64_t *now_ms)
{
    struct timespec begin_at, end_at;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 16 << 20);
    fill(offset, now_ms);
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin_at) == 0);
    for (int i = 0; i < SCRAPES; i++) {
        buf_reset(&text);
        metrics_begin_scrape(bench.metrics);
        engine_meter_gauges(bench.engine);
        metrics_print(bench.metrics, &text);
    }
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end_at) == 0 && text.failed == OK);
    double us = (double)(end_at.tv_sec - begin_at.tv_sec) * 1e6 +
                (double)(end_at.tv_nsec - begin_at.tv_nsec) / 1e3;
    printf("a scrape of %d partitions and %d targets: %.0f us of CPU, %zu bytes\n", PARTITIONS,
           TARGETS, us / SCRAPES, text.len);
}

int main(int argc, char **argv)
{
    const struct spans_config spans = {.ratio = 1};
    bool is_metered = argc == 3 && strcmp(argv[2], "metrics") == 0;
    bool is_traced = argc == 3 && strcmp(argv[2], "traces") == 0;
    bench.has_prices = argc == 3 && strcmp(argv[2], "prices") == 0;
    long requests = argc >= 2 ? strtol(argv[1], NULL, 10) : 0;
    write_request(
        argc == 3 && !is_metered && !is_traced && !bench.has_prices ? strtol(argv[2], NULL, 10) : 0,
        MODEL);
    if (requests < WINDOW) {
        (void)fprintf(
            stderr,
            "usage: bare_engine REQUESTS [TOOLS | metrics | prices | traces] (at least %d)\n",
            WINDOW);
        return 2;
    }
    int64_t now_ms = 0;
    size_t open_bytes = 0;
    if (is_metered)
        bench.metrics = metrics_new();
    if (is_traced)
        bench.spans = spans_new(&spans);
    begin();
    for (long taken = 0; taken < requests; taken += WINDOW) {
        size_t before = mallinfo2().uordblks;
        for (int i = 0; i < WINDOW; i++)
            take(taken + i);
        turn(&now_ms);
        CHECK(bench.open_count == WINDOW);
        if (taken == 0)
            open_bytes = (mallinfo2().uordblks - before) / WINDOW;
        commit(); /* of a map with running calls */
        while (bench.open_count > 0)
            answer(bench.open[--bench.open_count]);
        turn(&now_ms);
        commit();
        export_spans();
    }
    struct engine_stats stats;
    engine_stats(bench.engine, &stats);
    CHECK(stats.answered >= (uint64_t)requests && stats.failed == 0);
    CHECK(bench.outputs == 2 * stats.answered);
    if (is_metered)
        scrape(requests, &now_ms);
    engine_free(bench.engine);
    metrics_free(bench.metrics);
    CHECK(!is_traced || bench.spans_taken >= 3 * (size_t)requests);
    spans_free(bench.spans);
    printf(
        "bytes of a request with an open call: %zu (struct job %zu, struct call %zu, heap %zu)\n",
        sizeof(struct job) + sizeof(struct call) + open_bytes, sizeof(struct job),
        sizeof(struct call), open_bytes);
    return 0;
}
