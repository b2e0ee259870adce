/* io/http/client.c against a server that misbehaves in every way it can (hostile_server.py). */
#include "io/http_kit.h"

static struct kit kit;

static int setup(void **state)
{
    (void)state;
    return kit_begin(&kit);
}

static int teardown(void **state)
{
    (void)state;
    return kit_finish(&kit);
}

/* One call, its error, and that it was sent once. */
static struct heard *fails(const char *path, enum err err)
{
    struct heard *heard = kit_call_fails(&kit, path, err);
    assert_true(heard->was_sent);
    assert_int_equal(server_seen(&kit.server, path), 1);
    return heard;
}

/* One call, whole. */
static struct heard *answers(const char *path, int status)
{
    struct heard *heard = kit_call(&kit, path);
    if (heard->err != OK)
        print_message("%s: %s (%s)\n", path, err_name(heard->err), heard->words);
    assert_int_equal(heard->err, OK);
    assert_int_equal(heard->status, status);
    assert_int_equal(heard->heads, 1);
    assert_int_equal(heard->ends, 1);
    assert_int_equal(heard->late, 0);
    assert_true(heard->was_sent);
    assert_string_equal(heard->words, "");
    return heard;
}

static bool has(struct buf *buf, const char *text)
{
    return strstr(buf_text(buf), text) != NULL;
}

/* ---- requests ---- */

static void a_request_is_sent_unchanged(void **state)
{
    (void)state;
    kit_open(&kit);
    struct heard *heard = answers("/echo", 200);
    char host[64];
    (void)snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%d\r\n", kit.server.port);
    assert_true(has(&heard->body, "POST /echo HTTP/1.1\r\n"));
    assert_true(has(&heard->body, host));
    assert_true(has(&heard->body, "\r\ncontent-type: application/json\r\n"));
    assert_true(has(&heard->body, "\r\nX-Test: one\r\n"));
    assert_true(has(&heard->body, "\r\nX-Empty:\r\n"));
    assert_true(has(&heard->body, "\r\nContent-Length: 7"));
    assert_true(has(&heard->body, "\n\n{\"a\":1}"));
    kit_close(&kit);
}

static void no_header_of_libcurl_is_added(void **state)
{
    (void)state;
    kit_open(&kit);
    struct heard *heard = answers("/echo", 200);
    assert_false(has(&heard->body, "Accept"));
    assert_false(has(&heard->body, "User-Agent"));
    assert_false(has(&heard->body, "Expect"));
    assert_false(has(&heard->body, "x-www-form-urlencoded"));
    kit_close(&kit);
}

static void a_path_is_sent_without_being_resolved(void **state)
{
    (void)state;
    kit_open(&kit);
    (void)answers("/model/../a%3A0%2Fb/./converse", 404);
    assert_int_equal(server_seen(&kit.server, "/model/../a%3A0%2Fb/./converse"), 1);
    kit_close(&kit);
}

static void bodies_of_any_size_arrive_whole(void **state)
{
    (void)state;
    static const size_t SIZES[] = {0, 1, 65534, 65535, 65536, 65537, 5000000};
    static char body[5000000];
    kit_open(&kit);
    for (size_t i = 0; i < COUNT_OF(SIZES); i++) {
        char wanted[24];
        int ended = kit.listener.ended;
        (void)snprintf(wanted, sizeof wanted, "%zu", SIZES[i]);
        (void)kit_start(&kit, 0, "/length", slice_of(body, SIZES[i]));
        kit_await(&kit, ended + 1);
        assert_int_equal(kit.listener.calls[0].err, OK);
        assert_buf(&kit.listener.calls[0].body, wanted);
    }
    kit_close(&kit);
}

/* ---- answers ---- */

static void answers_of_every_framing_are_read(void **state)
{
    (void)state;
    kit_open(&kit);
    assert_buf(&answers("/ok", 200)->body, "{\"ok\":true}");
    assert_buf(&answers("/chunked", 200)->body, "{\"ok\":true}");
    assert_buf(&answers("/until-close", 200)->body, "{\"ok\":true}");
    assert_buf(&answers("/nowhere", 404)->body, "{\"message\":\"no such path\"}");
    kit_close(&kit);
}

static void an_interim_response_is_not_the_answer(void **state)
{
    (void)state;
    kit_open(&kit);
    struct heard *heard = answers("/interim", 200);
    assert_slice(http_header(buf_slice(&heard->head), "x-last"), "yes");
    assert_null(http_header(buf_slice(&heard->head), "link").ptr);
    assert_buf(&heard->body, "{\"ok\":true}");
    kit_close(&kit);
}

static void an_html_page_is_passed_on_as_an_answer(void **state)
{
    (void)state;
    kit_open(&kit);
    struct heard *heard = answers("/html", 200);
    assert_slice(http_header(buf_slice(&heard->head), "content-type"), "text/html");
    kit_close(&kit);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    kit_open(&kit);
    (void)answers("/redirect", 302);
    assert_int_equal(server_seen(&kit.server, "/ok"), 0);
    kit_close(&kit);
}

static void an_error_sent_before_the_body_was_read_is_heard(void **state)
{
    (void)state;
    static char body[8000000];
    kit_open(&kit);
    (void)kit_start(&kit, 0, "/early", slice_of(body, sizeof body));
    kit_await(&kit, 1);
    assert_int_equal(kit.listener.calls[0].status, 413);
    assert_true(kit.listener.calls[0].was_sent);
    kit_close(&kit);
}

/* ---- invalid answers ---- */

static void a_response_that_is_not_http_is_a_bad_answer(void **state)
{
    (void)state;
    assert_int_equal(fails("/not-http", ERR_BAD_ANSWER)->heads, 0);
    assert_int_equal(fails("/garbage", ERR_BAD_ANSWER)->heads, 0);
}

static void a_response_head_over_the_limit_ends_the_call(void **state)
{
    (void)state;
    assert_int_equal(fails("/endless-head", ERR_TOO_LARGE)->heads, 0);
    assert_int_equal(fails("/endless-line", ERR_TOO_LARGE)->heads, 0);
    assert_int_equal(fails("/endless-interim", ERR_TOO_LARGE)->heads, 0);
    assert_int_equal(fails("/endless-trailer", ERR_TOO_LARGE)->heads, 1);
}

static void a_connection_lost_before_the_answer_is_a_connection_error(void **state)
{
    (void)state;
    assert_int_equal(fails("/close", ERR_CONNECTION)->heads, 0);
    assert_int_equal(fails("/reset", ERR_CONNECTION)->heads, 0);
    assert_int_equal(fails("/close-in-head", ERR_CONNECTION)->heads, 0);
}

static void an_answer_cut_short_is_a_broken_stream(void **state)
{
    (void)state;
    assert_int_equal(fails("/close-in-body", ERR_BROKEN_STREAM)->body_bytes, 5);
    assert_int_equal(fails("/close-in-chunk", ERR_BROKEN_STREAM)->heads, 1);
    assert_int_equal(fails("/bad-chunk", ERR_BROKEN_STREAM)->heads, 1);
}

static void a_reset_in_the_body_is_a_broken_stream(void **state)
{
    (void)state;
    kit_open(&kit);
    (void)kit_start(&kit, 0, "/reset-in-body", SLICE("{}"));
    kit_turn_until(&kit, kit.listener.calls[0].body_bytes == 5);
    server_go_on(&kit.server);
    kit_await(&kit, 1);
    assert_int_equal(kit.listener.calls[0].err, ERR_BROKEN_STREAM);
    assert_int_equal(kit.listener.calls[0].heads, 1);
    assert_true(kit.listener.calls[0].was_sent);
    assert_int_equal(server_seen(&kit.server, "/reset-in-body"), 1);
    kit_close(&kit);
}

static void a_call_that_failed_before_sending_says_so(void **state)
{
    (void)state;
    kit_open(&kit);
    (void)kit_start_url(&kit, 0, "http://127.0.0.1:1/", SLICE("{}"));
    (void)kit_start_url(&kit, 1, "ftp://127.0.0.1/", SLICE("{}"));
    kit_await(&kit, 2);
    kit_close(&kit);
    kit.config.connect_ms = 300; /* a resolver that does not answer */
    kit_open(&kit);
    (void)kit_start_url(&kit, 2, "http://no-such-host.invalid/", SLICE("{}"));
    kit_await(&kit, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_not_equal(kit.listener.calls[i].err, OK);
        assert_false(kit.listener.calls[i].was_sent);
        assert_true(kit.listener.calls[i].words[0] != '\0');
    }
    assert_int_equal(kit.listener.calls[0].err, ERR_CONNECTION);
    kit_close(&kit);
}

/* ---- connections ---- */

static void connections_are_reused(void **state)
{
    (void)state;
    struct http_stats stats;
    kit_open(&kit);
    for (int i = 0; i < 20; i++)
        (void)answers("/ok", 200);
    http_stats(kit.http, &stats);
    assert_int_equal(stats.connections, 1);
    assert_int_equal(stats.sockets, 1);
    kit_close(&kit);
}

static void a_connection_closed_while_idle_is_replaced_silently(void **state)
{
    (void)state;
    struct http_stats stats;
    kit_open(&kit);
    for (int i = 1; i <= 5; i++) {
        (void)answers("/quiet-close", 200);
        server_await(&kit.server, "closed", "/quiet-close", i);
    }
    http_stats(kit.http, &stats);
    assert_int_equal(stats.connections, 5);
    assert_int_equal(stats.resends_refused, 0);
    kit_close(&kit);
}

/* The server closes a kept connection after it has read the next request: whether it acted on it is
 * unknown. */
static void no_request_is_sent_twice_silently(void **state)
{
    (void)state;
    static const char *const PATHS[] = {"/stale", "/stale-reset"};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++) {
        struct http_stats stats;
        kit_open(&kit);
        (void)answers(PATHS[i], 200);
        struct heard *heard = kit_call(&kit, PATHS[i]);
        assert_int_equal(heard->err, ERR_CONNECTION);
        assert_true(heard->was_sent);
        assert_int_equal(server_seen(&kit.server, PATHS[i]), 2);
        http_stats(kit.http, &stats);
        assert_int_equal(stats.resends_refused, 1);
        (void)answers(PATHS[i], 200);
        kit_close(&kit);
    }
}

static void a_request_with_a_large_body_is_not_sent_twice(void **state)
{
    (void)state;
    static char body[200000];
    kit_open(&kit);
    (void)answers("/stale", 200);
    (void)kit_start(&kit, 0, "/stale", slice_of(body, sizeof body));
    kit_await(&kit, 2);
    assert_int_equal(kit.listener.calls[0].err, ERR_CONNECTION);
    assert_true(kit.listener.calls[0].was_sent);
    assert_int_equal(server_seen(&kit.server, "/stale"), 2);
    kit_close(&kit);
}

static void a_connection_idle_for_too_long_is_not_reused(void **state)
{
    (void)state;
    struct http_stats stats;
    kit.config.max_idle_age_ms = 1000;
    kit_open(&kit);
    (void)answers("/ok", 200);
    kit_turn(&kit, 2200);
    (void)answers("/ok", 200);
    http_stats(kit.http, &stats);
    assert_int_equal(stats.connections, 2);
    kit_close(&kit);
}

static void many_calls_share_several_pools(void **state)
{
    (void)state;
    struct http_stats stats;
    kit_open(&kit);
    for (int round = 1; round <= 2; round++) {
        for (uint32_t i = 0; i < KIT_CALLS_MAX; i++)
            (void)kit_start(&kit, i, "/ok", SLICE("{}"));
        kit_await(&kit, KIT_CALLS_MAX * round);
        for (size_t i = 0; i < KIT_CALLS_MAX; i++) {
            assert_int_equal(kit.listener.calls[i].err, OK);
            assert_int_equal(kit.listener.calls[i].late, 0);
            assert_buf(&kit.listener.calls[i].body, "{\"ok\":true}");
        }
    }
    http_stats(kit.http, &stats);
    assert_int_equal(stats.calls, 2 * KIT_CALLS_MAX);
    assert_true(stats.connections <= KIT_CALLS_MAX);
    kit_close(&kit);
}

static void idle_pools_close_their_connections(void **state)
{
    (void)state;
    struct http_stats stats;
    kit.config.max_idle_age_ms = 1000;
    kit_open(&kit);
    for (int round = 1; round <= 2; round++) {
        for (uint32_t i = 0; i < KIT_CALLS_MAX; i++)
            (void)kit_start(&kit, i, "/ok", SLICE("{}"));
        kit_await(&kit, KIT_CALLS_MAX * round);
        http_stats(kit.http, &stats);
        assert_true(stats.sockets > 0);
        kit_turn_until(&kit, (http_stats(kit.http, &stats), stats.sockets == 0));
    }
    kit_close(&kit);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_request_is_sent_unchanged),
        CASE(no_header_of_libcurl_is_added),
        CASE(a_path_is_sent_without_being_resolved),
        CASE(bodies_of_any_size_arrive_whole),
        CASE(answers_of_every_framing_are_read),
        CASE(an_interim_response_is_not_the_answer),
        CASE(an_html_page_is_passed_on_as_an_answer),
        CASE(redirects_are_not_followed),
        CASE(an_error_sent_before_the_body_was_read_is_heard),
        CASE(a_response_that_is_not_http_is_a_bad_answer),
        CASE(a_response_head_over_the_limit_ends_the_call),
        CASE(a_connection_lost_before_the_answer_is_a_connection_error),
        CASE(an_answer_cut_short_is_a_broken_stream),
        CASE(a_reset_in_the_body_is_a_broken_stream),
        CASE(a_call_that_failed_before_sending_says_so),
        CASE(connections_are_reused),
        CASE(a_connection_closed_while_idle_is_replaced_silently),
        CASE(no_request_is_sent_twice_silently),
        CASE(a_request_with_a_large_body_is_not_sent_twice),
        CASE(a_connection_idle_for_too_long_is_not_reused),
        CASE(many_calls_share_several_pools),
        CASE(idle_pools_close_their_connections),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
