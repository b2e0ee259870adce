/* io/http/client.c with TLS and proxies: a private CA made by the openssl program, and
 * hostile_server.py as both ends. */
#include "io/http_kit.h"

#include "base/secrets.h"

#define FOLDER       BINARY_DIR "/test-http-tls"
#define CA           FOLDER "/ca.pem"
#define KEY_PASSWORD "key-canary-7Hq"
#define PROXY_LOGIN  "user:p@ss/canary-9"
#define PROXY_USER   "user:p%40ss%2Fcanary-9@"

static struct kit kit;
static struct server proxy;
static char proxy_url[64];

/* A CA, a certificate for 127.0.0.1 by it, one for another name, one that has expired, one that is
 * self-signed, and a client's, whose key has a password. */
static int make_certificates(void **state)
{
    (void)state;
    static const char *const COMMANDS[] = {
        "mkdir -p " FOLDER,
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca -keyout " FOLDER
        "/ca.key -out " CA " 2>/dev/null",
        "openssl req -newkey rsa:2048 -nodes -subj /CN=local -keyout " FOLDER
        "/local.key -out " FOLDER "/local.csr 2>/dev/null",
        "printf 'subjectAltName=IP:127.0.0.1\\n' > " FOLDER "/local.ext",
        "printf 'subjectAltName=DNS:other.example\\n' > " FOLDER "/other.ext",
        "openssl x509 -req -days 2 -in " FOLDER "/local.csr -CA " CA " -CAkey " FOLDER
        "/ca.key -CAcreateserial -extfile " FOLDER "/local.ext -out " FOLDER
        "/local.pem 2>/dev/null",
        "openssl x509 -req -days 2 -in " FOLDER "/local.csr -CA " CA " -CAkey " FOLDER
        "/ca.key -CAcreateserial -extfile " FOLDER "/other.ext -out " FOLDER
        "/other.pem 2>/dev/null",
        "openssl x509 -req -days -1 -in " FOLDER "/local.csr -CA " CA " -CAkey " FOLDER
        "/ca.key -CAcreateserial -extfile " FOLDER "/local.ext -out " FOLDER
        "/expired.pem 2>/dev/null",
        "openssl x509 -req -days 2 -in " FOLDER "/local.csr -signkey " FOLDER
        "/local.key -extfile " FOLDER "/local.ext -out " FOLDER "/self.pem 2>/dev/null",
        "openssl req -newkey rsa:2048 -passout pass:" KEY_PASSWORD
        " -subj /CN=client -keyout " FOLDER "/client.key -out " FOLDER "/client.csr 2>/dev/null",
        "openssl x509 -req -days 2 -in " FOLDER "/client.csr -CA " CA " -CAkey " FOLDER
        "/ca.key -CAcreateserial -out " FOLDER "/client.pem 2>/dev/null",
    };
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
        assert_int_equal(system(COMMANDS[i]), 0);
    return 0;
}

static void begin(const char *certificate)
{
    const char *const tls[] = {"--tls", certificate, FOLDER "/local.key", NULL};
    const char *const plain[] = {NULL};
    kit_init(&kit);
    server_start(&kit.server, certificate == NULL ? plain : tls);
}

static void begin_proxy(void)
{
    static const char *const ARGUMENTS[] = {"--proxy", NULL};
    server_start(&proxy, ARGUMENTS);
    (void)snprintf(proxy_url, sizeof proxy_url, "http://127.0.0.1:%d", proxy.port);
}

static void end(void)
{
    kit_close(&kit);
    server_stop(&kit.server);
    if (proxy.pid != 0)
        server_stop(&proxy);
    proxy.pid = 0;
    assert_int_equal(memory_live(), 0);
}

static struct heard *start(const char *scheme, const char *path, struct slice body)
{
    char url[128];
    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%d%s", scheme, kit.server.port, path);
    (void)kit_start_url(&kit, 0, url, body);
    return &kit.listener.calls[0];
}

static struct heard *call(const char *scheme, const char *path, struct slice body)
{
    struct heard *heard = start(scheme, path, body);
    kit_turn_until(&kit, heard->ends == 1);
    return heard;
}

static void answers(const char *scheme, const char *path, const char *body)
{
    struct heard *heard = call(scheme, path, SLICE("{}"));
    if (heard->err != OK)
        print_message("%s\n", heard->words);
    assert_int_equal(heard->err, OK);
    assert_int_equal(heard->status, 200);
    assert_buf(&heard->body, body);
    assert_null(http_header(buf_slice(&heard->head), "x-proxy").ptr);
}

static void was_not_sent(enum err err)
{
    struct heard *heard = call("https", "/ok", SLICE("{}"));
    assert_int_equal(heard->err, err);
    assert_int_equal(heard->heads, 0);
    assert_true(heard->words[0] != '\0');
    assert_int_equal(server_seen(&kit.server, "/ok"), 0);
}

/* A server that is wrong in one way: `more` are arguments behind the certificate. */
static void begin_with(const char *certificate, const char *more, const char *value)
{
    const char *const arguments[] = {"--tls", certificate, FOLDER "/local.key", more, value, NULL};
    kit_init(&kit);
    server_start(&kit.server, arguments);
    kit.config.ca_bundle = CA;
}

/* No byte of a request leaves, and the words say why. */
static void is_rejected(const char *words)
{
    kit_open(&kit);
    was_not_sent(ERR_CONNECTION);
    assert_false(kit.listener.calls[0].was_sent);
    if (strstr(kit.listener.calls[0].words, words) == NULL)
        fail_msg("%s", kit.listener.calls[0].words);
    end();
}

static void begin_login_proxy(const char *user)
{
    static const char *const ARGUMENTS[] = {"--proxy", "--login", PROXY_LOGIN, NULL};
    server_start(&proxy, ARGUMENTS);
    (void)snprintf(proxy_url, sizeof proxy_url, "http://%s127.0.0.1:%d", user, proxy.port);
    kit.config.proxy = proxy_url;
}

/* ---- TLS ---- */

static void an_expired_certificate_is_named(void **state)
{
    (void)state;
    begin_with(FOLDER "/expired.pem", NULL, NULL);
    is_rejected("the certificate has expired");
}

static void a_self_signed_certificate_is_named(void **state)
{
    (void)state;
    begin_with(FOLDER "/self.pem", NULL, NULL);
    is_rejected("self-signed");
}

static void another_hosts_certificate_is_named(void **state)
{
    (void)state;
    begin_with(FOLDER "/other.pem", NULL, NULL);
    is_rejected("the certificate is for other host names");
}

/* curl's words name the file. */
static void a_secret_in_curls_words_is_masked(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", NULL, NULL);
    secrets_learn(SLICE("canary-in-a-path"), true);
    kit.config.ca_bundle = FOLDER "/canary-in-a-path.pem";
    kit_open(&kit);
    was_not_sent(ERR_CONNECTION);
    secrets_forget_all();
    assert_null(strstr(kit.listener.calls[0].words, "canary"));
    assert_non_null(strstr(kit.listener.calls[0].words, "/***.pem"));
    end();
}

static void an_unknown_issuer_is_named_with_the_setting(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", NULL, NULL);
    kit.config.ca_bundle = NULL;
    is_rejected("bedrock.ca_bundle");
}

static void old_tls_is_named(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", "--old", NULL);
    is_rejected("TLS 1.2");
}

static void a_port_without_tls_is_named(void **state)
{
    (void)state;
    begin_proxy();
    begin_with(FOLDER "/local.pem", NULL, NULL);
    int port = kit.server.port;
    kit.server.port = proxy.port;
    kit.config.first_byte_ms = 1000;
    kit_open(&kit);
    struct heard *heard = call("https", "/ok", SLICE("{}"));
    assert_int_not_equal(heard->err, OK);
    assert_false(heard->was_sent);
    kit.server.port = port;
    end();
}

static void a_client_certificate_is_shown_where_it_is_wanted(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", "--ask", CA);
    kit.config.client_certificate = FOLDER "/client.pem";
    kit.config.client_key = FOLDER "/client.key";
    kit.config.client_key_password = KEY_PASSWORD;
    kit_open(&kit);
    answers("https", "/ok", "{\"ok\":true}");
    end();
}

static void a_wanted_client_certificate_is_named(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", "--ask", CA);
    kit_open(&kit);
    struct heard *heard = call("https", "/ok", SLICE("{}"));
    assert_int_equal(heard->err, ERR_CONNECTION);
    assert_int_equal(server_seen(&kit.server, "/ok"), 0);
    if (strstr(heard->words, "bedrock.client_certificate") == NULL)
        fail_msg("%s", heard->words);
    end();
}

static void a_wrong_password_of_the_client_key_is_named(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", "--ask", CA);
    kit.config.client_certificate = FOLDER "/client.pem";
    kit.config.client_key = FOLDER "/client.key";
    kit.config.client_key_password = "another one";
    is_rejected("bedrock.client_key");
}

static void a_configured_private_ca_is_trusted(void **state)
{
    (void)state;
    struct http_stats stats;
    begin(FOLDER "/local.pem");
    kit.config.ca_bundle = CA;
    kit_open(&kit);
    for (int i = 0; i < 5; i++)
        answers("https", "/ok", "{\"ok\":true}");
    answers("https", "/chunked", "{\"ok\":true}");
    http_stats(kit.http, &stats);
    assert_int_equal(stats.connections, 1);
    end();
}

static void an_unknown_ca_is_rejected_before_anything_is_sent(void **state)
{
    (void)state;
    begin(FOLDER "/local.pem");
    kit_open(&kit);
    was_not_sent(ERR_CONNECTION);
    assert_false(kit.listener.calls[0].was_sent);
    end();
}

static void another_hosts_certificate_is_rejected(void **state)
{
    (void)state;
    begin(FOLDER "/other.pem");
    kit.config.ca_bundle = CA;
    kit_open(&kit);
    was_not_sent(ERR_CONNECTION);
    assert_false(kit.listener.calls[0].was_sent);
    end();
}

static void a_missing_ca_bundle_is_named(void **state)
{
    (void)state;
    begin(FOLDER "/local.pem");
    kit.config.ca_bundle = FOLDER "/nowhere.pem";
    kit_open(&kit);
    was_not_sent(ERR_CONNECTION);
    assert_non_null(strstr(kit.listener.calls[0].words, "nowhere.pem"));
    end();
}

static void a_server_without_tls_is_a_connection_error(void **state)
{
    (void)state;
    begin(NULL);
    kit.config.first_byte_ms = 1000;
    kit_open(&kit);
    struct heard *heard = call("https", "/ok", SLICE("{}"));
    assert_int_not_equal(heard->err, OK);
    assert_false(heard->was_sent);
    end();
}

static void large_bodies_pass_through_tls(void **state)
{
    (void)state;
    static char body[3000000];
    begin(FOLDER "/local.pem");
    kit.config.ca_bundle = CA;
    kit_open(&kit);
    struct heard *heard = call("https", "/length", slice_of(body, sizeof body));
    assert_int_equal(heard->err, OK);
    assert_buf(&heard->body, "3000000");
    heard = call("https", "/length", slice_of(body, 40000));
    assert_buf(&heard->body, "40000");
    end();
}

static void cut_tls_connections_are_reported(void **state)
{
    (void)state;
    begin(FOLDER "/local.pem");
    kit.config.ca_bundle = CA;
    kit_open(&kit);
    assert_int_equal(call("https", "/close", SLICE("{}"))->err, ERR_CONNECTION);
    assert_int_equal(call("https", "/close-in-body", SLICE("{}"))->err, ERR_BROKEN_STREAM);
    struct heard *heard = start("https", "/reset-in-body", SLICE("{}"));
    kit_turn_until(&kit, heard->body_bytes == 5);
    server_go_on(&kit.server);
    kit_turn_until(&kit, heard->ends == 1);
    assert_int_equal(heard->err, ERR_BROKEN_STREAM);
    (void)call("https", "/stale", SLICE("{}"));
    heard = call("https", "/stale", SLICE("{}"));
    assert_int_equal(heard->err, ERR_CONNECTION);
    assert_true(heard->was_sent);
    assert_int_equal(server_seen(&kit.server, "/stale"), 2);
    end();
}

/* ---- proxies ---- */

static void a_proxy_gets_the_whole_url(void **state)
{
    (void)state;
    char target[128];
    begin(NULL);
    begin_proxy();
    kit.config.proxy = proxy_url;
    kit_open(&kit);
    answers("http", "/ok", "{\"ok\":true}");
    (void)snprintf(target, sizeof target, "http://127.0.0.1:%d/ok", kit.server.port);
    assert_int_equal(server_seen(&proxy, target), 1);
    assert_int_equal(server_seen(&kit.server, "/ok"), 0);
    end();
}

static void tls_passes_through_a_tunnel(void **state)
{
    (void)state;
    char target[128];
    struct http_stats stats;
    begin(FOLDER "/local.pem");
    begin_proxy();
    kit.config.ca_bundle = CA;
    kit.config.proxy = proxy_url;
    kit_open(&kit);
    answers("https", "/ok", "{\"ok\":true}");
    answers("https", "/ok", "{\"ok\":true}");
    (void)snprintf(target, sizeof target, "127.0.0.1:%d", kit.server.port);
    assert_int_equal(server_seen(&proxy, target), 1);
    assert_int_equal(server_seen(&kit.server, "/ok"), 2);
    http_stats(kit.http, &stats);
    assert_int_equal(stats.connections, 1);
    end();
}

/* The proxy got a CONNECT only: nothing that is billed was sent. */
static void a_tunnel_that_fails_has_sent_nothing(void **state)
{
    (void)state;
    begin(FOLDER "/local.pem");
    begin_proxy();
    kit.config.proxy = proxy_url;
    kit_open(&kit);
    (void)kit_start_url(&kit, 0, "https://127.0.0.1:1/ok", SLICE("{}"));
    kit_await(&kit, 1);
    assert_int_equal(kit.listener.calls[0].err, ERR_CONNECTION);
    assert_false(kit.listener.calls[0].was_sent);
    end();
}

static void a_proxy_with_a_login_is_used(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", NULL, NULL);
    begin_login_proxy(PROXY_USER);
    kit_open(&kit);
    answers("https", "/ok", "{\"ok\":true}");
    assert_int_equal(server_seen(&kit.server, "/ok"), 1);
    end();
}

static void a_proxy_that_wants_another_login_is_named_without_the_password(void **state)
{
    (void)state;
    begin_with(FOLDER "/local.pem", NULL, NULL);
    begin_login_proxy("user:wrong-canary@");
    kit_open(&kit);
    was_not_sent(ERR_CONNECTION);
    const char *words = kit.listener.calls[0].words;
    if (strstr(words, "the proxy wants another user and password") == NULL)
        fail_msg("%s", words);
    assert_null(strstr(words, "canary"));
    end();
}

static void the_environment_can_name_a_proxy(void **state)
{
    (void)state;
    begin(NULL);
    begin_proxy();
    assert_int_equal(setenv("http_proxy", proxy_url, 1), 0);
    assert_int_equal(unsetenv("no_proxy"), 0);
    assert_int_equal(unsetenv("NO_PROXY"), 0);
    kit.config.proxy = NULL;
    kit_open(&kit);
    answers("http", "/ok", "{\"ok\":true}");
    assert_int_equal(server_seen(&kit.server, "/ok"), 0);
    assert_int_equal(setenv("no_proxy", "127.0.0.1", 1), 0);
    answers("http", "/ok", "{\"ok\":true}");
    assert_int_equal(server_seen(&kit.server, "/ok"), 1);
    assert_int_equal(unsetenv("no_proxy"), 0);
    kit_close(&kit);
    kit.config.proxy = "";
    kit_open(&kit);
    answers("http", "/ok", "{\"ok\":true}");
    assert_int_equal(server_seen(&kit.server, "/ok"), 2);
    assert_int_equal(unsetenv("http_proxy"), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configured_private_ca_is_trusted),
        cmocka_unit_test(an_expired_certificate_is_named),
        cmocka_unit_test(a_self_signed_certificate_is_named),
        cmocka_unit_test(another_hosts_certificate_is_named),
        cmocka_unit_test(an_unknown_issuer_is_named_with_the_setting),
        cmocka_unit_test(old_tls_is_named),
        cmocka_unit_test(a_secret_in_curls_words_is_masked),
        cmocka_unit_test(a_port_without_tls_is_named),
        cmocka_unit_test(a_client_certificate_is_shown_where_it_is_wanted),
        cmocka_unit_test(a_wanted_client_certificate_is_named),
        cmocka_unit_test(a_wrong_password_of_the_client_key_is_named),
        cmocka_unit_test(a_proxy_with_a_login_is_used),
        cmocka_unit_test(a_proxy_that_wants_another_login_is_named_without_the_password),
        cmocka_unit_test(an_unknown_ca_is_rejected_before_anything_is_sent),
        cmocka_unit_test(another_hosts_certificate_is_rejected),
        cmocka_unit_test(a_missing_ca_bundle_is_named),
        cmocka_unit_test(a_server_without_tls_is_a_connection_error),
        cmocka_unit_test(large_bodies_pass_through_tls),
        cmocka_unit_test(cut_tls_connections_are_reported),
        cmocka_unit_test(a_proxy_gets_the_whole_url),
        cmocka_unit_test(tls_passes_through_a_tunnel),
        cmocka_unit_test(a_tunnel_that_fails_has_sent_nothing),
        cmocka_unit_test(the_environment_can_name_a_proxy),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, make_certificates, NULL);
}
