/* Cancelling, sharing and closing in io/http/client.c, against hostile_server.py. */
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

static void a_cancelled_call_ends_silently_and_says_whether_it_was_sent(void **state)
{
    (void)state;
    kit_open(&kit);
    struct call_ref queued = kit_start(&kit, 0, "/ok", SLICE("{}"));
    assert_false(http_cancel(kit.channel, queued));
    struct call_ref running = kit_start(&kit, 1, "/stall-in-body", SLICE("{}"));
    kit_turn_until(&kit, kit.listener.calls[1].body_bytes > 0);
    assert_true(http_cancel(kit.channel, running));
    kit_turn(&kit, 100);
    assert_int_equal(kit.listener.ended, 0);
    assert_int_equal(server_seen(&kit.server, "/ok"), 0);
    kit_close(&kit);
}

static void the_index_of_a_cancelled_call_is_free_at_once(void **state)
{
    (void)state;
    kit_open(&kit);
    for (int i = 0; i < 50; i++) {
        struct call_ref call = kit_start(&kit, 0, i % 2 == 0 ? "/stall" : "/ok", SLICE("{}"));
        if (i % 3 != 0)
            kit_turn(&kit, 1);
        http_cancel(kit.channel, call);
    }
    int late = kit.listener.calls[0].late;
    int ended = kit.listener.ended;
    (void)kit_start(&kit, 0, "/ok", SLICE("{}"));
    kit_await(&kit, ended + 1);
    assert_int_equal(kit.listener.calls[0].err, OK);
    assert_int_equal(kit.listener.calls[0].late, late);
    kit_close(&kit);
}

static void a_call_can_be_cancelled_from_its_own_event(void **state)
{
    (void)state;
    kit.listener.cancel_at_bytes = 100000;
    kit_open(&kit);
    kit.listener.cancel_at_bytes = 100000;
    (void)kit_start(&kit, 0, "/endless-body", SLICE("{}"));
    kit_turn_until(&kit, kit.listener.calls[0].body_bytes >= 100000);
    size_t heard = kit.listener.calls[0].body_bytes;
    kit_turn(&kit, 100);
    assert_int_equal(kit.listener.calls[0].body_bytes, heard);
    assert_int_equal(kit.listener.ended, 0);
    kit_close(&kit);
}

static void a_call_can_begin_in_the_event_that_ends_another(void **state)
{
    (void)state;
    kit_open(&kit);
    (void)kit_start(&kit, 0, "/ok", SLICE("{}"));
    kit.listener.begin_again = &kit.requests[0];
    kit_await(&kit, 2);
    assert_int_equal(kit.listener.calls[0].err, OK);
    assert_int_equal(kit.listener.calls[0].generation, 2);
    assert_int_equal(kit.listener.calls[0].late, 0);
    kit_close(&kit);
}

static void a_late_cancel_is_ignored(void **state)
{
    (void)state;
    kit_open(&kit);
    struct call_ref first = kit_start(&kit, 0, "/ok", SLICE("{}"));
    kit_await(&kit, 1);
    http_cancel(kit.channel, first);
    (void)kit_start(&kit, 0, "/ok", SLICE("{}"));
    http_cancel(kit.channel, first);
    kit_await(&kit, 2);
    assert_int_equal(kit.listener.calls[0].err, OK);
    kit_close(&kit);
}

/* Credential providers and exporters will share the pool with the engine's calls. */
static void each_channel_hears_only_its_own_exchanges(void **state)
{
    (void)state;
    static struct listener other;
    struct call_ref ref = {0, 1};
    kit_open(&kit);
    memset(&other, 0, sizeof other);
    other.calls[0].generation = ref.generation;
    struct exchange_channel *channel = listener_open(&other, kit.http, KIT_OTHER_CALLS);
    /* The same index and generation in both channels. */
    (void)kit_start(&kit, 0, "/ok", SLICE("{}"));
    char url[sizeof kit.urls[0]];
    memcpy(url, kit.urls[0], sizeof url);
    struct http_request request = {
        .url = slice_of_text(url), .headers = kit.requests[0].headers, .body = SLICE("{}")};
    http_start(channel, ref, &request);
    kit_await(&kit, 1);
    listener_await(&other, &kit, 1);
    assert_int_equal(kit.listener.ended, 1);
    assert_int_equal(other.ended, 1);
    assert_int_equal(other.calls[0].heads, 1);
    assert_int_equal(other.calls[0].late, 0);
    assert_buf(&other.calls[0].body, "{\"ok\":true}");
    assert_int_equal(kit.listener.calls[0].late, 0);
    assert_int_equal(server_seen(&kit.server, "/ok"), 2);
    /* A cancel reaches only the exchange of its own channel. */
    other.calls[0].ends = other.calls[0].heads = 0;
    (void)kit_start(&kit, 0, "/stall", SLICE("{}"));
    http_start(channel, (struct call_ref){0, kit.listener.calls[0].generation}, &request);
    other.calls[0].generation = kit.listener.calls[0].generation;
    assert_false(http_cancel(kit.channel, (struct call_ref){0, other.calls[0].generation}));
    listener_await(&other, &kit, 2);
    assert_int_equal(other.calls[0].err, OK);
    assert_int_equal(kit.listener.ended, 1);
    kit_close(&kit);
    listener_close(&other);
}

static void closing_cancels_every_call(void **state)
{
    (void)state;
    kit_open(&kit);
    for (uint32_t i = 0; i < 100; i++)
        (void)kit_start(&kit, i, i % 2 == 0 ? "/stall" : "/endless-body", SLICE("{}"));
    kit_turn_until(&kit, kit.listener.calls[99].body_bytes > 0);
    (void)kit_start(&kit, 200, "/ok", SLICE("{}"));
    kit_close(&kit);
    assert_int_equal(kit.listener.ended, 0);
}

static void without_memory_no_client_is_created(void **state)
{
    (void)state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct http *http = NULL;
    int64_t passes = 0;
    for (; http == NULL; passes++) {
        int64_t live = memory_live();
        memory_fail_after(passes);
        http = http_new(&loop, &kit.config);
        memory_fail_after(-1);
        if (http == NULL)
            assert_int_equal(memory_live(), live);
    }
    assert_true(passes > 4);
    http_close(http);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(http_is_closed(http));
    http_free(http);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_cancelled_call_ends_silently_and_says_whether_it_was_sent),
        CASE(the_index_of_a_cancelled_call_is_free_at_once),
        CASE(a_call_can_be_cancelled_from_its_own_event),
        CASE(a_call_can_begin_in_the_event_that_ends_another),
        CASE(a_late_cancel_is_ignored),
        CASE(each_channel_hears_only_its_own_exchanges),
        CASE(closing_cancels_every_call),
        CASE(without_memory_no_client_is_created),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
