/* io/http/names.c by itself, and calls to a name. inet_pton does not take `127.1` for an address,
 * but every resolver knows it as a name. */
#include "io/http_kit.h"

#include <netdb.h>

#include "io/http/names.h"

static struct kit kit;
static uv_loop_t loop;
static struct alarm bell;
static struct names *names;

static int setup(void **state)
{
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    alarm_init(&bell, &loop);
    names = names_new(&loop, &bell);
    assert_non_null(names);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    names_close(names);
    alarm_close(&bell);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(names_are_closed(names));
    assert_true(alarm_is_closed(&bell));
    names_free(names);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(memory_live(), 0);
    return 0;
}

static struct name *await(void)
{
    struct name *name;
    while ((name = names_next_answered(names)) == NULL) {
        (void)uv_run(&loop, UV_RUN_ONCE);
        alarm_clear(&bell);
    }
    return name;
}

static void addresses_need_no_look_up(void **state)
{
    (void)state;
    static const char *const URLS[] = {"http://127.0.0.1:9000/x",
                                       "https://10.0.0.1/",
                                       "http://[::1]:80/x",
                                       "http://localhost:9000/",
                                       "https://a.LocalHost/",
                                       "ftp://a.b/",
                                       "http:///x",
                                       "http://"};
    for (size_t i = 0; i < COUNT_OF(URLS); i++)
        assert_null(names_find(names, slice_of_text(URLS[i]), 0));
}

static void a_name_is_looked_up_once_for_all_calls(void **state)
{
    (void)state;
    struct name *name = names_find(names, SLICE("http://127.1:9000/x"), 1000);
    assert_non_null(name);
    assert_false(name_is_known(name));
    assert_ptr_equal(names_find(names, SLICE("http://127.1:9000/y"), 1000), name);
    assert_ptr_equal(await(), name);
    assert_null(names_next_answered(names));
    assert_true(name_is_known(name));
    assert_string_equal(name_news(name), "127.1:9000:127.0.0.1");
    assert_null(name_news(name));
    assert_ptr_equal(names_find(names, SLICE("http://127.1:9000/z"), 1000), name);
    assert_false(name->is_asking);
}

static void ports_and_schemes_are_distinguished(void **state)
{
    (void)state;
    struct name *plain = names_find(names, SLICE("http://127.1/x"), 0);
    struct name *secure = names_find(names, SLICE("https://127.1/x"), 0);
    assert_ptr_not_equal(plain, secure);
    (void)await();
    (void)await();
    assert_string_equal(name_news(plain), "127.1:80:127.0.0.1");
    assert_string_equal(name_news(secure), "127.1:443:127.0.0.1");
}

static void a_known_name_is_refreshed_while_it_is_used(void **state)
{
    (void)state;
    struct name *name = names_find(names, SLICE("http://127.1/x"), 0);
    (void)await();
    (void)name_news(name);
    (void)names_find(names, SLICE("http://127.1/x"), NAME_FRESH_MS - 1);
    assert_false(name->is_asking);
    (void)names_find(names, SLICE("http://127.1/x"), NAME_FRESH_MS);
    assert_true(name->is_asking);
    assert_true(name_is_known(name));
    (void)await();
    assert_null(name_news(name)); /* the same addresses are no news */
}

static void an_unresolved_name_is_reported_with_the_reason(void **state)
{
    (void)state;
    struct name *name = names_find(names, SLICE("https://no-such-host.invalid/x"), 0);
    assert_ptr_equal(await(), name);
    assert_false(name_is_known(name));
    assert_non_null(strstr(name->reason, "no-such-host.invalid cannot be looked up: "));
    (void)names_find(names, SLICE("https://no-such-host.invalid/x"), 1);
    assert_true(name->is_asking);
}

static void names_over_the_limit_are_left_to_libcurl(void **state)
{
    (void)state;
    char url[64];
    for (int i = 0; i <= NAMES_MAX; i++) {
        (void)snprintf(url, sizeof url, "http://127.1:%d/", 1000 + i);
        struct name *name = names_find(names, slice_of_text(url), 0);
        assert_int_equal(name != NULL, i < NAMES_MAX);
    }
}

static void closing_cancels_look_ups(void **state)
{
    (void)state;
    assert_non_null(names_find(names, SLICE("http://127.1/x"), 0));
    assert_non_null(names_find(names, SLICE("http://no-such-host.invalid/x"), 0));
}

/* ---- calls ---- */

static void open_kit(void)
{
    static const char *const ARGUMENTS[] = {"--any", NULL};
    kit_init(&kit);
    server_start(&kit.server, ARGUMENTS);
    kit_open(&kit);
}

static void close_kit(void)
{
    kit_close(&kit);
    server_stop(&kit.server);
}

static void start_all(const char *host, const char *path)
{
    char url[128];
    (void)snprintf(url, sizeof url, "http://%s:%d%s", host, kit.server.port, path);
    for (uint32_t i = 0; i < KIT_CALLS_MAX; i++)
        (void)kit_start_url(&kit, i, url, SLICE("{}"));
}

static void calls_wait_for_their_name_together(void **state)
{
    (void)state;
    open_kit();
    start_all("127.1", "/ok");
    kit_await(&kit, KIT_CALLS_MAX);
    for (size_t i = 0; i < KIT_CALLS_MAX; i++)
        assert_int_equal(kit.listener.calls[i].err, OK);
    close_kit();
}

static void calls_fail_with_their_name_together(void **state)
{
    (void)state;
    open_kit();
    start_all("no-such-host.invalid", "/ok");
    kit_await(&kit, KIT_CALLS_MAX);
    for (size_t i = 0; i < KIT_CALLS_MAX; i++) {
        assert_int_equal(kit.listener.calls[i].err, ERR_CONNECTION);
        assert_false(kit.listener.calls[i].was_sent);
        assert_non_null(strstr(kit.listener.calls[i].words, "cannot be looked up"));
    }
    close_kit();
}

static void a_waiting_call_can_be_cancelled(void **state)
{
    (void)state;
    open_kit();
    char url[128];
    (void)snprintf(url, sizeof url, "http://127.1:%d/ok", kit.server.port);
    struct call_ref call = kit_start_url(&kit, 0, url, SLICE("{}"));
    http_step(kit.http);
    http_cancel(kit.channel, call);
    (void)kit_start_url(&kit, 1, url, SLICE("{}"));
    kit_await(&kit, 1);
    kit_turn(&kit, 50);
    assert_int_equal(kit.listener.calls[0].ends, 0);
    assert_int_equal(kit.listener.calls[1].err, OK);
    assert_int_equal(kit.listener.ended, 1);
    close_kit();
}

static void closing_with_waiting_calls_leaves_nothing_behind(void **state)
{
    (void)state;
    open_kit();
    start_all("127.1", "/ok");
    http_step(kit.http);
    close_kit();
    assert_int_equal(kit.listener.ended, 0);
}

/* curl uses the addresses that it is given: it would have to begin a thread to find them itself. */
static void a_machine_is_reached_by_its_own_name(void **state)
{
    (void)state;
    char host[64] = "";
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    if (getaddrinfo(host, NULL, &hints, &found) != 0) /* a machine that does not know its name */
        (void)snprintf(host, sizeof host, "localhost");
    else
        freeaddrinfo(found);
    open_kit();
    start_all(host, "/ok");
    kit_await(&kit, KIT_CALLS_MAX);
    for (size_t i = 0; i < KIT_CALLS_MAX; i++)
        assert_int_equal(kit.listener.calls[i].err, OK);
    close_kit();
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(addresses_need_no_look_up),
        CASE(a_name_is_looked_up_once_for_all_calls),
        CASE(ports_and_schemes_are_distinguished),
        CASE(a_known_name_is_refreshed_while_it_is_used),
        CASE(an_unresolved_name_is_reported_with_the_reason),
        CASE(names_over_the_limit_are_left_to_libcurl),
        CASE(closing_cancels_look_ups),
        cmocka_unit_test(calls_wait_for_their_name_together),
        cmocka_unit_test(calls_fail_with_their_name_together),
        cmocka_unit_test(a_waiting_call_can_be_cancelled),
        cmocka_unit_test(closing_with_waiting_calls_leaves_nothing_behind),
        cmocka_unit_test(a_machine_is_reached_by_its_own_name),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
