/* Pages served from the loop to real sockets. */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "io/server/server.h"

#define LARGE_BYTES ((size_t)8 << 20)

struct kit {
    uv_loop_t loop;
    struct server *server;
    uv_async_t wake;
    pthread_t thread;
    atomic_bool ends;
    atomic_int answered;
};

static void answer(void *self, struct slice path, struct slice query, struct server_page *ret_page)
{
    struct kit *kit = self;
    kit->answered++;
    if (slice_equal_text(path, "/large"))
        for (size_t i = 0; i < LARGE_BYTES; i += 16)
            buf_add_text(ret_page->body, "sixteen letters\n");
    buf_addf(ret_page->body, "path %.*s query %.*s\n", SLICE_ARG(path), SLICE_ARG(query));
}

static void on_wake(uv_async_t *wake)
{
    (void)wake;
}

static void *run(void *self)
{
    struct kit *kit = self;
    bool more = false;
    while (!atomic_load(&kit->ends)) {
        (void)uv_run(&kit->loop, more ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        more = server_step(kit->server);
    }
    return NULL;
}

static struct kit *kit_new(const char *address)
{
    static const struct slice HOSTS[] = {{"*.example.org", 13}};
    struct kit *kit = calloc(1, sizeof *kit);
    char problem[SERVER_PROBLEM_MAX];
    struct server_config config = {
        .address = address, .hosts = HOSTS, .host_count = 1, .answer = answer, .self = kit};
    assert_non_null(kit);
    assert_int_equal(uv_loop_init(&kit->loop), 0);
    assert_int_equal(uv_async_init(&kit->loop, &kit->wake, on_wake), 0);
    kit->server = server_new(&kit->loop, &config, problem);
    assert_non_null(kit->server);
    assert_int_equal(pthread_create(&kit->thread, NULL, run, kit), 0);
    return kit;
}

static void kit_free(struct kit *kit)
{
    atomic_store(&kit->ends, true);
    (void)uv_async_send(&kit->wake);
    assert_int_equal(pthread_join(kit->thread, NULL), 0);
    server_close(kit->server);
    uv_close((uv_handle_t *)&kit->wake, NULL);
    while (!server_is_closed(kit->server))
        (void)uv_run(&kit->loop, UV_RUN_ONCE);
    server_free(kit->server);
    (void)uv_run(&kit->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&kit->loop), 0);
    free(kit);
}

static int connect_to(const struct kit *kit)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port(kit->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Sends a text and reads until the server closes. */
static char *ask(const struct kit *kit, const char *text)
{
    static char answer_text[65536];
    int fd = connect_to(kit);
    size_t len = 0;
    ssize_t got;
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    while (len + 1 < sizeof answer_text &&
           (got = recv(fd, answer_text + len, sizeof answer_text - 1 - len, 0)) > 0)
        len += (size_t)got;
    answer_text[len] = '\0';
    (void)close(fd);
    return answer_text;
}

static void a_page_has_path_and_query_as_they_came(void **state)
{
    (void)state;
    struct kit *kit = kit_new("127.0.0.1:0");
    const char *text = ask(kit, "GET /explain?id=a%20b HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                "Connection: close\r\n\r\n");
    assert_non_null(strstr(text, "HTTP/1.1 200"));
    assert_non_null(strstr(text, "path /explain query id=a%20b\n"));
    assert_non_null(strstr(text, "Content-Security-Policy: default-src 'none'"));
    kit_free(kit);
}

static void head_has_no_body_and_other_methods_are_rejected(void **state)
{
    (void)state;
    struct kit *kit = kit_new("127.0.0.1:0");
    const char *text = ask(kit, "HEAD /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(text, "HTTP/1.1 200"));
    assert_null(strstr(text, "path /x"));
    text = ask(kit, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                    "Connection: close\r\n\r\nabc");
    assert_non_null(strstr(text, "HTTP/1.1 405"));
    assert_non_null(strstr(text, "Allow: GET, HEAD"));
    assert_int_equal(kit->answered, 1);
    kit_free(kit);
}

static void an_answer_ends_its_connection(void **state)
{
    (void)state;
    struct kit *kit = kit_new("127.0.0.1:0");
    const char *text =
        ask(kit, "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n"
                 "GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_non_null(strstr(text, "path /x"));
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_non_null(strstr(text, "Server: bedrock-worker\r\n"));
    assert_null(strstr(text, "path /y"));
    text = ask(kit, "GET /z HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
    assert_non_null(strstr(text, "path /z")); /* the body never comes */
    kit_free(kit);
}

static void an_unknown_host_is_rejected(void **state)
{
    (void)state;
    static const char *const KNOWN[] = {"127.0.0.1:9464", "[::1]:80", "LOCALHOST",
                                        "a.example.org:1"};
    static const char *const UNKNOWN[] = {"example.org", "evil.com", "127.0.0.1.evil.com", "", "["};
    const struct slice hosts[] = {SLICE("*.example.org")};
    for (size_t i = 0; i < COUNT_OF(KNOWN); i++)
        assert_true(server_knows_host(hosts, 1, slice_of_text(KNOWN[i])));
    for (size_t i = 0; i < COUNT_OF(UNKNOWN); i++)
        assert_false(server_knows_host(hosts, 1, slice_of_text(UNKNOWN[i])));
    struct kit *kit = kit_new("127.0.0.1:0");
    assert_non_null(strstr(
        ask(kit, "GET / HTTP/1.1\r\nHost: evil.com\r\nConnection: close\r\n\r\n"), "HTTP/1.1 421"));
    assert_int_equal(kit->answered, 0);
    kit_free(kit);
}

static void ten_thousand_requests_are_answered(void **state)
{
    (void)state;
    struct kit *kit = kit_new("127.0.0.1:0");
    for (int i = 0; i < 10000; i++)
        assert_non_null(strstr(ask(kit, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
                                        "Connection: close\r\n\r\n"),
                               "path /metrics query \n"));
    assert_int_equal(kit->answered, 10000);
    kit_free(kit);
}

static void hostile_requests_delay_no_one(void **state)
{
    (void)state;
    static const char *const REQUESTS[] = {
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01",
        "GET\r\n\r\n",
        "GET /metrics\r\n\r\n",
        "GET http://127.0.0.1/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%00%ff%2e%2e/metrics?%0d%0aX: y HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /metrics HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    struct kit *kit = kit_new("127.0.0.1:0");
    for (size_t i = 0; i < COUNT_OF(REQUESTS); i++) {
        int fd = connect_to(kit);
        char byte;
        (void)send(fd, REQUESTS[i], strlen(REQUESTS[i]), MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        (void)recv(fd, &byte, 1, MSG_DONTWAIT);
        const char *text = ask(kit, "GET /x HTTP/1.1\r\nHost: localhost\r\n"
                                    "Connection: close\r\n\r\n");
        assert_non_null(strstr(text, "path /x query"));
        (void)close(fd);
    }
    kit_free(kit);
}

static void half_open_clients_delay_no_one(void **state)
{
    (void)state;
    struct kit *kit = kit_new("127.0.0.1:0");
    int idle[2 * SERVER_CONNECTIONS_MAX];
    for (size_t i = 0; i < COUNT_OF(idle); i++) {
        idle[i] = connect_to(kit);
        assert_int_equal(send(idle[i], "GET /", 5, MSG_NOSIGNAL), 5);
    }
    assert_non_null(strstr(
        ask(kit, "GET /y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "path /y"));
    for (size_t i = 0; i < COUNT_OF(idle); i++)
        (void)close(idle[i]);
    kit_free(kit);
}

/* Their answers are far larger than what a socket holds. */
static void clients_that_never_read_their_answers_delay_no_one(void **state)
{
    (void)state;
    static const char REQUEST[] = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct kit *kit = kit_new("127.0.0.1:0");
    int deaf[2 * SERVER_CONNECTIONS_MAX];
    for (size_t i = 0; i < COUNT_OF(deaf); i++) {
        deaf[i] = connect_to(kit);
        assert_true(send(deaf[i], REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) > 0);
    }
    for (int i = 0; i < 10; i++)
        assert_non_null(
            strstr(ask(kit, "GET /y HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                   "path /y"));
    for (size_t i = 0; i < COUNT_OF(deaf); i++)
        (void)close(deaf[i]);
    kit_free(kit);
}

static void a_taken_port_is_passed_over_only_where_that_is_allowed(void **state)
{
    (void)state;
    struct kit *kit = kit_new("127.0.0.1:0");
    char address[32], problem[SERVER_PROBLEM_MAX];
    (void)snprintf(address, sizeof address, "127.0.0.1:%d", server_port(kit->server));
    struct server_config config = {.address = address, .answer = answer, .self = kit};
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_null(server_new(&loop, &config, problem));
    assert_non_null(strstr(problem, "Address already in use"));
    config.may_take_next = true;
    struct server *next = server_new(&loop, &config, problem);
    assert_non_null(next);
    assert_int_not_equal(server_port(next), server_port(kit->server));
    server_close(next);
    while (!server_is_closed(next))
        (void)uv_run(&loop, UV_RUN_ONCE);
    server_free(next);
    assert_int_equal(uv_loop_close(&loop), 0);
    kit_free(kit);
}

static void a_wrong_address_is_named(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "9464", "localhost:1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "::1:80", "[::1]"};
    uv_loop_t loop;
    char problem[SERVER_PROBLEM_MAX];
    assert_int_equal(uv_loop_init(&loop), 0);
    for (size_t i = 0; i < COUNT_OF(WRONG); i++) {
        struct server_config config = {.address = WRONG[i], .answer = answer};
        assert_null(server_new(&loop, &config, problem));
        assert_non_null(strstr(problem, "is not an IP address with a port"));
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_path_and_query_as_they_came),
        cmocka_unit_test(head_has_no_body_and_other_methods_are_rejected),
        cmocka_unit_test(an_answer_ends_its_connection),
        cmocka_unit_test(an_unknown_host_is_rejected),
        cmocka_unit_test(ten_thousand_requests_are_answered),
        cmocka_unit_test(hostile_requests_delay_no_one),
        cmocka_unit_test(half_open_clients_delay_no_one),
        cmocka_unit_test(clients_that_never_read_their_answers_delay_no_one),
        cmocka_unit_test(a_taken_port_is_passed_over_only_where_that_is_allowed),
        cmocka_unit_test(a_wrong_address_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
