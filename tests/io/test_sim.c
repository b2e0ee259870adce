/* bedrock-sim over real sockets: what a client sees of answers, faults and the ledger. */
#include "unit/unit.h"

#include <sys/resource.h>

#include "base/instant.h"
#include "io/sim_kit.h"
#include "wire/bedrock/sigv4.h"

#define OPEN_CALLS 8000
#define FRENCH                                                                                     \
    "{\"system\":[{\"text\":\"You are a helpful assistant that translates English to French.\"}]," \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"I love programming.\"}]}]}"

/* time() may lag CLOCK_REALTIME by a second. */
static int64_t wall_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

/* The lines of a signature over `body`, made by a clock that is off by skew_ms. */
static void sign(const struct stand *stand, const char *body, int64_t skew_ms,
                 struct buf *ret_lines)
{
    struct sigv4_key key = {.scope = ""};
    struct sigv4_header header = {SLICE("content-type"), SLICE("application/json")};
    struct sigv4_request request = {.method = SLICE("POST"),
                                    .host = SLICE("sim"),
                                    .path = SLICE(MODEL_PATH),
                                    .query = SLICE(""),
                                    .headers = &header,
                                    .header_count = 1,
                                    .body = slice_of_text(body),
                                    .region = SLICE("us-east-1"),
                                    .service = SLICE("bedrock"),
                                    .wall_ms = wall_seconds() * 1000 + skew_ms};
    struct credentials credentials = {.access_key_id = stand->config->keys[0].access_key_id,
                                      .secret_access_key =
                                          stand->config->keys[0].secret_access_key};
    buf_init(ret_lines, 4096);
    assert_int_equal(sigv4_add_headers(ret_lines, &request, &credentials, &key), OK);
}

static void ask_signed(const struct stand *stand, const char *body, int64_t skew_ms,
                       struct heard *ret_heard)
{
    struct buf lines OWNED_BY(buf_done);
    sign(stand, body, skew_ms, &lines);
    int fd = dial(stand);
    say(fd, MODEL_PATH, buf_text(&lines), body);
    hear(fd, ANSWER_BYTES_MAX, ret_heard);
    (void)close(fd);
}

static void a_signed_call_gets_the_answer_of_the_page(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    struct buf lines OWNED_BY(buf_done);
    stand_up(&stand, true);
    sign(&stand, FRENCH, 0, &lines);
    int fd = dial(&stand);
    say(fd, MODEL_PATH, buf_text(&lines), FRENCH);
    hear(fd, ANSWER_BYTES_MAX, &heard);
    assert_int_equal(heard.status, 200);
    assert_int_equal(heard.ending, ENDED_WHOLE);
    assert_buf(
        &heard.body,
        "{\"metrics\":{\"latencyMs\":672},\"output\":{\"message\":{\"content\":[{\"text\":\"Voici "
        "la "
        "traduction en français :\\n\\nJ'aime la programmation.\"}],\"role\":\"assistant\"}},"
        "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":29,\"outputTokens\":21,"
        "\"totalTokens\":50}}");
    assert_int_equal(http_header(heard.head, "x-amzn-requestid").len, 36);
    assert_int_equal(http_header(heard.head, "date").len, 29);
    heard_done(&heard);
    /* the same connection, without a signature */
    say(fd, MODEL_PATH, "", FRENCH);
    hear(fd, ANSWER_BYTES_MAX, &heard);
    assert_int_equal(heard.status, 403);
    assert_true(slice_starts(http_header(heard.head, "x-amzn-errortype"),
                             SLICE("MissingAuthenticationTokenException:")));
    heard_done(&heard);
    (void)close(fd);
    stand_down(&stand);
}

static void a_stream_comes_as_frames(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    bool between;
    enum err err;
    stand_up(&stand, false);
    int fd = dial(&stand);
    say(fd, MODEL_PATH "-stream", "", FRENCH);
    hear(fd, ANSWER_BYTES_MAX, &heard);
    (void)close(fd);
    assert_int_equal(heard.status, 200);
    assert_int_equal(heard.ending, ENDED_WHOLE);
    assert_slice(http_header(heard.head, "content-type"), "application/vnd.amazon.eventstream");
    assert_int_equal(count_frames(&heard, &between, &err), 20); /* S9's events */
    assert_true(between);
    heard_done(&heard);
    stand_down(&stand);
}

static void plain_errors_have_their_status_and_type(void **state)
{
    (void)state;
    struct stand stand;
    stand_up(&stand, false);
    for (int fault = 1; fault < FAULT_COUNT; fault++) {
        char prompt[128], type[96];
        struct heard heard;
        if (FAULTS[fault].kind != FAULT_KIND_STATUS)
            continue;
        (void)snprintf(prompt, sizeof prompt, "[[sim:fault=%s;retry_after=1500ms]]",
                       FAULTS[fault].word);
        (void)snprintf(type, sizeof type, "%s:", FAULTS[fault].type);
        ask(&stand, fault % 2 == 0, prompt, &heard);
        assert_int_equal(heard.status, FAULTS[fault].status);
        assert_true(slice_starts(http_header(heard.head, "x-amzn-errortype"), slice_of_text(type)));
        assert_slice(http_header(heard.head, "retry-after"), "2");
        assert_slice(http_header(heard.head, "x-amz-retry-after"), "1500");
        assert_non_null(strstr(buf_text(&heard.body), "\"message\":"));
        heard_done(&heard);
    }
    stand_down(&stand);
}

/* What a client sees of a fault: status, how the connection ends, and the stream's frames. */
static const struct sight {
    const char *prompt;
    bool stream;
    int status;
    enum ending ending;
    int frames;   /* -1 = do not look */
    bool between; /* the bytes end between frames */
} SIGHTS[] = {
    {"[[sim:fault=reset_before_body]]", false, 0, ENDED_RESET, -1, false},
    {"[[sim:fault=reset_after_body]]", true, 0, ENDED_RESET, -1, false},
    {"[[sim:fault=close]]", false, 0, ENDED_CLOSED, -1, false},
    {"[[sim:fault=cut_stream;after=2]]", true, 200, ENDED_CLOSED, 2, true},
    {"[[sim:fault=cut_frame;after=2]]", true, 200, ENDED_CLOSED, 2, false},
    {"[[sim:fault=cut_frame;after=2;gap=1ms]]", true, 200, ENDED_CLOSED, 2, false},
    {"[[sim:fault=reset_stream;after=2;gap=1ms]]", true, 200, ENDED_RESET, -1, false},
    {"[[sim:fault=short_stream;after=3]]", true, 200, ENDED_WHOLE, 3, true},
    {"[[sim:fault=short_stream;after=999]]", true, 200, ENDED_WHOLE, -1, true},
    {"[[sim:fault=short_frame;after=3]]", true, 200, ENDED_WHOLE, 3, false},
    {"[[sim:fault=corrupt_frame;after=1]]", true, 200, ENDED_WHOLE, 1, false},
    {"[[sim:fault=bad_event;after=1]] Hello there", true, 200, ENDED_WHOLE, 8, true},
    {"[[sim:fault=stream_throttling;after=1]]", true, 200, ENDED_WHOLE, 2, true},
    {"[[sim:fault=cut_body]]", false, 200, ENDED_CLOSED, -1, false},
    {"[[sim:fault=not_json]]", false, 200, ENDED_WHOLE, -1, false},
    {"[[sim:fault=html]]", false, 200, ENDED_WHOLE, -1, false},
    {"[[sim:fault=html_error]]", true, 502, ENDED_WHOLE, -1, false},
    {"[[sim:fault=error_in_200]]", true, 200, ENDED_WHOLE, -1, false},
    {"[[sim:fault=slow;gap=1ms]]", true, 200, ENDED_WHOLE, -1, true},
    {"[[sim:fault=slow;gap=1ms]]", false, 200, ENDED_WHOLE, -1, false},
    {"[[sim:fault=endless_headers]]", false, 0, ENDED_LATE, -1, false},
    {"[[sim:fault=endless_body;gap=0]]", false, 200, ENDED_LATE, -1, false},
    {"[[sim:fault=endless_body;gap=0]]", true, 200, ENDED_LATE, -1, false},
};

static void connection_faults_reach_the_client(void **state)
{
    (void)state;
    struct stand stand;
    stand_up(&stand, false);
    for (size_t i = 0; i < COUNT_OF(SIGHTS); i++) {
        const struct sight *sight = &SIGHTS[i];
        struct heard heard;
        bool between;
        enum err err;
        int fd = dial(&stand);
        say_prompt(fd, sight->stream, sight->prompt);
        hear(fd, 300000, &heard);
        (void)close(fd);
        assert_int_equal(heard.status, sight->status);
        assert_int_equal(heard.ending, sight->ending);
        if (sight->frames >= 0) {
            assert_int_equal(count_frames(&heard, &between, &err), sight->frames);
            assert_int_equal(between && err == ERR_NOT_FOUND, sight->between);
        }
        heard_done(&heard);
    }
    stand_down(&stand);
}

static void a_stalled_call_ends_when_its_client_leaves(void **state)
{
    (void)state;
    struct stand stand;
    struct sim_stats stats;
    stand_up(&stand, false);
    int first = dial(&stand), second = dial(&stand), third = dial(&stand);
    say_prompt(first, false, "[[id:one]] [[sim:fault=stall]]");
    say_prompt(second, true, "[[id:two]] [[sim:fault=stall_stream;after=1]]");
    say_prompt(third, false, "[[id:three]] [[sim:latency=1h]]");
    await_calls(&stand, 3, 3);
    (void)close(first);
    (void)close(second);
    (void)close(third);
    await_calls(&stand, 3, 0);
    sim_stats(stand.sim, &stats);
    assert_int_equal(stats.faults[FAULT_STALL], 1);
    sim_stop(stand.sim);
    const char *ledger = stand_ledger(&stand);
    assert_int_equal(count_of(ledger, "\"event\":\"begin\""), 3);
    assert_int_equal(count_of(ledger, "\"event\":\"end\""), 3);
    assert_int_equal(count_of(ledger, "\"outcome\":\"stall\""), 1);
    assert_int_equal(count_of(ledger, "\"outcome\":\"stall_stream\""), 1);
    assert_int_equal(count_of(ledger, "\"outcome\":\"client_gone\""), 1);
    assert_int_equal(count_of(ledger, "\"tag\":\"three\""), 2);
    stand_down(&stand);
}

static void stopping_ends_open_calls(void **state)
{
    (void)state;
    struct stand stand;
    struct sim_stats stats;
    int fds[20];
    stand_up(&stand, false);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = dial(&stand);
        say_prompt(fds[i], i % 2 == 0, i % 4 < 2 ? "[[sim:latency=1h]]" : "[[sim:gap=1h]]");
    }
    await_calls(&stand, 20, 15); /* whole answers have no gap */
    sim_stop(stand.sim);
    sim_stats(stand.sim, &stats);
    assert_int_equal(stats.open, 0);
    assert_int_equal(count_of(stand_ledger(&stand), "\"outcome\":\"stopped\""), 15);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        (void)close(fds[i]);
    stand_down(&stand);
}

static void pipelined_requests_are_answered(void **state)
{
    (void)state;
    struct stand stand;
    struct buf all OWNED_BY(buf_done);
    char room[4096];
    stand_up(&stand, false);
    buf_init(&all, 1 << 20);
    int fd = dial(&stand);
    for (int i = 0; i < 5; i++)
        say_prompt(fd, false, i == 2 ? "[[sim:latency=30ms]]" : "Hi.");
    while (count_of(buf_text(&all), "HTTP/1.1 200") < 5 ||
           count_of(buf_text(&all), "totalTokens") < 5) {
        ssize_t got = recv(fd, room, sizeof room, 0);
        assert_true(got > 0);
        buf_add(&all, slice_of(room, (size_t)got));
    }
    (void)close(fd);
    stand_down(&stand);
}

static void requests_that_are_not_calls_are_rejected(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
    } PATHS[] = {{"/model/a.b/apply", 404},    {"/", 404},
                 {"/model/a%2/converse", 404}, {"/model/a%20b/converse", 400},
                 {"/model//converse", 400},    {"/model/a.b/converse/", 404}};
    struct stand stand;
    struct heard heard;
    stand_up(&stand, false);
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        int fd = dial(&stand);
        say(fd, PATHS[i].path, "", FRENCH);
        hear(fd, ANSWER_BYTES_MAX, &heard);
        (void)close(fd);
        assert_int_equal(heard.status, PATHS[i].status);
        assert_int_equal(http_header(heard.head, "x-amzn-requestid").len, 36);
        heard_done(&heard);
    }
    sim_stop(stand.sim);
    assert_int_equal(count_of(stand_ledger(&stand), "\"event\":\"end\""), 2);
    stand_down(&stand);
}

static void a_body_over_the_limit_is_rejected(void **state)
{
    (void)state;
    static char body[200001];
    static char text[201000];
    struct stand stand;
    struct heard heard;
    stand_prepare(&stand, false);
    stand.config->body_bytes_max = 200000;
    stand_start(&stand);
    memset(body, ' ', sizeof body - 1);
    int fd = dial(&stand);
    int len = snprintf(text, sizeof text,
                       "POST %s HTTP/1.1\r\nHost: sim\r\nContent-Length: %zu\r\n\r\n%s", MODEL_PATH,
                       strlen(body) + 1, body);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
    assert_int_equal(send(fd, " ", 1, MSG_NOSIGNAL), 1);
    hear(fd, ANSWER_BYTES_MAX, &heard);
    (void)close(fd);
    assert_int_equal(heard.status, 413);
    heard_done(&heard);
    stand_down(&stand);
}

/* The Date of an answer to a request sent after `from` comes from a clock with this skew. */
static void assert_date(const struct heard *heard, int64_t from, int64_t skew_seconds)
{
    int64_t date_ms;
    assert_true(instant_from_http_date(http_header(heard->head, "date"), &date_ms));
    assert_in_range(date_ms / 1000 - skew_seconds, from, wall_seconds());
}

static void the_simulators_clock_can_be_skewed(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    stand_prepare(&stand, false);
    stand.config->clock_skew_ms = -7200000;
    stand_start(&stand);
    int64_t from = wall_seconds();
    ask(&stand, false, "Hi.", &heard);
    assert_date(&heard, from, -7200);
    heard_done(&heard);
    ask(&stand, false, "[[sim:fault=wrong_date;skew=24h]]", &heard);
    assert_int_equal(heard.status, 200);
    assert_date(&heard, from, -7200 + 86400);
    heard_done(&heard);
    stand_down(&stand);
}

static void a_skewed_clock_judges_signatures(void **state)
{
    (void)state;
    static const char BODY[] = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"[[sim:"
                               "fault=skewed_clock;skew=20m]]\"}]}]}";
    struct stand stand;
    struct heard heard;
    stand_up(&stand, true);
    int64_t from = wall_seconds();
    ask_signed(&stand, BODY, 0, &heard);
    assert_int_equal(heard.status, 403);
    assert_non_null(strstr(buf_text(&heard.body), "Signature expired: "));
    assert_date(&heard, from, 1200);
    heard_done(&heard);
    ask_signed(&stand, BODY, 1200000, &heard); /* corrected by that Date */
    assert_int_equal(heard.status, 200);
    heard_done(&heard);
    ask_signed(&stand, FRENCH, 1200000, &heard); /* another call meets the right clock */
    assert_int_equal(heard.status, 403);
    assert_non_null(strstr(buf_text(&heard.body), "Signature not yet current: "));
    heard_done(&heard);
    stand_down(&stand);
}

static void a_quota_throttles_calls_above_it(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    stand_prepare(&stand, false);
    assert_true(sim_config_add_quota(stand.config, SLICE("1")));
    stand.config->quotas[0].burst_ms = 3 * 60000; /* three at once, the fourth a minute later */
    stand_start(&stand);
    for (int i = 0; i < 5; i++) {
        ask(&stand, false, "Hi.", &heard);
        assert_int_equal(heard.status, i < 3 ? 200 : 429);
        heard_done(&heard);
    }
    stand_down(&stand);
}

static void an_early_reset_comes_before_the_body(void **state)
{
    (void)state;
    static const char HEAD[] =
        "POST " MODEL_PATH " HTTP/1.1\r\nHost: sim\r\nContent-Length: 9\r\n\r\n";
    struct stand stand;
    struct heard heard;
    stand_prepare(&stand, false);
    stand.config->fault_rates[FAULT_RESET_EARLY] = 1;
    stand_start(&stand);
    int fd = dial(&stand);
    assert_int_equal(send(fd, HEAD, sizeof HEAD - 1, MSG_NOSIGNAL), sizeof HEAD - 1);
    hear(fd, ANSWER_BYTES_MAX, &heard);
    (void)close(fd);
    assert_int_equal(heard.ending, ENDED_RESET);
    heard_done(&heard);
    sim_stop(stand.sim);
    assert_int_equal(count_of(stand_ledger(&stand), "\"outcome\":\"reset_before_body\""), 1);
    stand_down(&stand);
}

static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    struct stand stand;
    struct heard heard;
    bool between;
    enum err err;
    stand_up(&stand, false);
    ask(&stand, false, "[[sim:bytes=3000000]]", &heard);
    assert_int_equal(heard.ending, ENDED_WHOLE);
    assert_true(heard.body.len > 3000000 && heard.body.len < 3000400);
    heard_done(&heard);
    ask(&stand, true, "[[sim:bytes=1000000]]", &heard);
    assert_int_equal(heard.ending, ENDED_WHOLE);
    assert_true(count_frames(&heard, &between, &err) > 400);
    assert_true(between);
    heard_done(&heard);
    stand_down(&stand);
}

static void a_port_in_use_is_reported(void **state)
{
    (void)state;
    struct stand stand;
    stand_up(&stand, false);
    struct sim_config *config = sim_config_new();
    assert_non_null(config);
    config->port = sim_port(stand.sim);
    struct sim *sim = sim_new(config);
    assert_non_null(sim);
    assert_int_equal(sim_start(sim), ERR_IO);
    assert_non_null(strstr(sim_problem(sim), "cannot listen on 127.0.0.1:"));
    sim_free(sim);
    sim_config_free(config);
    stand_down(&stand);
}

static void raise_open_files(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 2 * OPEN_CALLS + 100)
        skip(); /* both ends of each connection are ours */
}

static void eight_thousand_calls_may_be_open(void **state)
{
    (void)state;
    static int fds[OPEN_CALLS];
    struct stand stand;
    raise_open_files();
    stand_up(&stand, false);
    for (size_t i = 0; i < OPEN_CALLS; i++) {
        fds[i] = dial(&stand);
        say_prompt(fds[i], i % 2 == 0, "[[sim:fault=stall]]");
    }
    await_calls(&stand, OPEN_CALLS, OPEN_CALLS);
    struct heard heard;
    ask(&stand, false, "Still there?", &heard);
    assert_int_equal(heard.status, 200);
    heard_done(&heard);
    for (size_t i = 0; i < OPEN_CALLS; i++)
        (void)close(fds[i]);
    stand_down(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_call_gets_the_answer_of_the_page),
        cmocka_unit_test(a_stream_comes_as_frames),
        cmocka_unit_test(plain_errors_have_their_status_and_type),
        cmocka_unit_test(connection_faults_reach_the_client),
        cmocka_unit_test(a_stalled_call_ends_when_its_client_leaves),
        cmocka_unit_test(stopping_ends_open_calls),
        cmocka_unit_test(pipelined_requests_are_answered),
        cmocka_unit_test(requests_that_are_not_calls_are_rejected),
        cmocka_unit_test(a_body_over_the_limit_is_rejected),
        cmocka_unit_test(the_simulators_clock_can_be_skewed),
        cmocka_unit_test(a_skewed_clock_judges_signatures),
        cmocka_unit_test(a_quota_throttles_calls_above_it),
        cmocka_unit_test(an_early_reset_comes_before_the_body),
        cmocka_unit_test(a_large_answer_arrives_whole),
        cmocka_unit_test(a_port_in_use_is_reported),
        cmocka_unit_test(eight_thousand_calls_may_be_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
