#include "io/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/alarm.h"
#include "io/exchange.h"
#include "io/sockets.h"

/* NAT gateways and load balancers forget idle connections after 350 s. */
#define KEEPALIVE_S          45L
#define UPLOAD_BUFFER_BYTES  16384L                            /* one per call under way with TLS */
#define RECEIVE_BYTES(calls) ((calls) > 1024 ? 2048L : 16384L) /* one per call under way */
/* Up to here curl copies a body behind the head, to send both at once. */
#define BODY_AT_ONCE_BYTES_MAX 65535
#define REQUEST_LINES_MAX      64

_Static_assert(SOCKET_READABLE == CURL_CSELECT_IN && SOCKET_READABLE == CURL_POLL_IN, "same bits");
_Static_assert(SOCKET_WRITABLE == CURL_CSELECT_OUT && SOCKET_WRITABLE == CURL_POLL_OUT,
               "same bits");
_Static_assert(sizeof(((struct exchange *)0)->words) >= CURL_ERROR_SIZE, "room for curl's words");

/* One connection pool of bounded size; see HTTP_CALLS_PER_MULTI. */
struct pool {
    struct http *http;
    CURLM *multi;
    int64_t due_ms; /* curl's own timer; INT64_MAX = none */
    uint32_t running;
    bool touched; /* something may have finished */
};

struct http {
    uv_loop_t *loop;
    struct http_config config;
    char *ca_bundle, *proxy; /* copies; config's are gone */
    CURLSH *share;
    struct sockets *sockets;
    struct exchanges exchanges;
    struct pool *pools;
    size_t pool_count;
    struct alarm alarm;
    bool closing;
    struct http_stats stats;
};

static struct http *http_of(const struct exchange *exchange)
{
    return LINK_OWNER(exchange->owner, struct http, exchanges);
}

static int64_t now_ms(const struct http *http)
{
    return (int64_t)uv_now(http->loop);
}

/* ---- what curl calls ---- */

static struct exchange *exchange_of(CURL *easy)
{
    struct exchange *exchange = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    CHECK(exchange != NULL);
    return exchange;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *unused)
{
    (void)unused;
    struct pool *pool = self;
    struct http *http = pool->http;
    int events = what == CURL_POLL_REMOVE ? 0 : what;
    if (!sockets_watch(http->sockets, fd, events, pool))
        http->stats.deaf++; /* this call ends at its deadline; -1 would end all of the multi */
    /* curl tells the end of connections that once stood; attempts it closes in silence. */
    if (events != 0 && exchange_of(easy)->stands)
        sockets_keep(http->sockets, fd);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *self)
{
    (void)multi;
    struct pool *pool = self;
    pool->due_ms = timeout_ms < 0 ? INT64_MAX : now_ms(pool->http) + timeout_ms;
    return 0;
}

static curl_socket_t open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct exchange *exchange = self;
    exchange->stands = false;
    struct http *http = http_of(exchange);
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    sockets_forget(http->sockets, fd); /* an attempt of this number that was closed in silence */
    http->stats.connections++;
    return fd;
}

static int close_socket(void *self, curl_socket_t fd)
{
    struct http *http = self;
    sockets_forget(http->sockets, fd);
    return close(fd);
}

static long request_size(const struct exchange *exchange)
{
    long size = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &size);
    return size;
}

/* Before every sending, curl's own second one included: that happens when a kept connection dies
 * before the first byte of the answer. Bedrock may have begun, and billed, the first one; so only
 * what never left may be sent again. */
static int before_sending(void *self, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    struct exchange *exchange = self;
    if (exchange->step != EXCHANGE_RUNNING)
        return CURL_PREREQFUNC_ABORT;
    if (exchange->due_to_send && request_size(exchange) > exchange->sent_before) {
        exchange->resend_refused = true;
        http_of(exchange)->stats.resends_refused++;
        return CURL_PREREQFUNC_ABORT;
    }
    exchange->stands = exchange->due_to_send = true;
    exchange->sent_before = request_size(exchange);
    return CURL_PREREQFUNC_OK;
}

static size_t give_body(char *ptr, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    if (exchange->step != EXCHANGE_RUNNING)
        return CURL_READFUNC_ABORT;
    struct slice piece = slice_sub(exchange->request.body, exchange->body_at, size * count);
    if (piece.len > 0)
        memcpy(ptr, piece.ptr, piece.len);
    exchange->body_at += piece.len;
    return piece.len;
}

static size_t hear_head(char *ptr, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    struct slice line = slice_of(ptr, size * count);
    return exchange_hear_line(exchange, line, now_ms(http_of(exchange))) ? line.len : 0;
}

static size_t hear_body(char *ptr, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    struct slice bytes = slice_of(ptr, size * count);
    return exchange_hear_body(exchange, bytes, now_ms(http_of(exchange))) ? bytes.len : 0;
}

/* ---- an exchange's life ---- */

/* Everything that is the same for all calls; the rest is set for each one. */
static CURL *easy_new(struct exchange *exchange)
{
    struct http *http = http_of(exchange);
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    if (http->ca_bundle != NULL)
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_bundle);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_SHARE, http->share);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->words);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES(http->config.max_in_flight));
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    (void)curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)(http->config.max_idle_age_ms / 1000));
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->config.connect_ms);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_sending);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, hear_head);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, hear_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    return easy;
}

static void let_go(struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    if (pool != NULL) {
        CHECK(curl_multi_remove_handle(pool->multi, exchange->easy) == CURLM_OK);
        pool->running--;
    }
    exchange->pool = NULL;
    memory_free(exchange->lines);
    exchange->lines = NULL;
}

static enum err err_of(const struct exchange *exchange, CURLcode result)
{
    if (exchange->verdict != OK)
        return exchange->verdict;
    if (exchange->head_done)
        return result == CURLE_OK ? OK : ERR_BROKEN_STREAM;
    if (result == CURLE_OPERATION_TIMEDOUT)
        return ERR_TIMEOUT;
    if (result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL)
        return ERR_BAD_ANSWER;
    /* Heap or not, this is what curl says of a header line over 100 KiB. */
    return result == CURLE_OUT_OF_MEMORY && exchange->due_to_send ? ERR_TOO_LARGE : ERR_CONNECTION;
}

static const char *words_of(const struct exchange *exchange, CURLcode result)
{
    if (result == CURLE_OK)
        return "closed within the answer's head";
    return exchange->words[0] != '\0' ? exchange->words : curl_easy_strerror(result);
}

static void finish(struct exchange *exchange, CURLcode result)
{
    char words[EXCHANGE_WORDS_MAX];
    struct call_end end;
    end.err = err_of(exchange, result);
    end.was_sent = exchange->heard ||
                   (exchange->due_to_send && request_size(exchange) > exchange->sent_before);
    exchange_write_words(exchange, end.err, words_of(exchange, result), words);
    end.words = slice_of_text(words);
    let_go(exchange);
    exchange_end(exchange, &end);
}

/* ---- beginning a call ---- */

static size_t count_lines(struct slice headers)
{
    size_t count = 0;
    for (size_t at = 0; at < headers.len; count++)
        at += slice_find(slice_sub(headers, at, headers.len), '\n') + 1;
    return count;
}

/* A header without a value is `Name;` for curl: a bare `Name:` takes a header of its own away. */
static void write_header(struct slice line, char *ret_text)
{
    line = slice_trim(line);
    memcpy(ret_text, line.ptr, line.len);
    if (line.len > 0 && slice_find(line, ':') == line.len - 1)
        ret_text[line.len - 1] = ';';
    ret_text[line.len] = '\0';
}

/* The request's headers, and none of curl's own; nodes and texts in one block. */
static bool list_headers(struct exchange *exchange)
{
    static char not_wanted[][16] = {"Accept:", "Expect:", "Content-Type:"};
    struct slice headers = exchange->request.headers;
    size_t lines = count_lines(headers);
    CHECK(lines <= REQUEST_LINES_MAX);
    size_t count = lines + COUNT_OF(not_wanted);
    struct curl_slist *nodes = memory_new(count * sizeof *nodes + headers.len + 1);
    if (nodes == NULL)
        return false;
    exchange->lines = nodes;
    for (size_t i = 0; i < COUNT_OF(not_wanted); i++)
        nodes[lines + i].data = not_wanted[i];
    char *text = (char *)(nodes + count);
    for (size_t i = 0, at = 0; i < lines; i++) {
        struct slice line = slice_sub(headers, at, headers.len);
        line = slice_sub(line, 0, slice_find(line, '\n'));
        nodes[i].data = text + at;
        write_header(line, text + at);
        at += line.len + 1;
    }
    for (size_t i = 0; i + 1 < count; i++)
        nodes[i].next = &nodes[i + 1];
    return true;
}

static bool set_request(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct slice body = exchange->request.body;
    bool at_once = body.len <= BODY_AT_ONCE_BYTES_MAX;
    if (!list_headers(exchange) ||
        curl_easy_setopt(easy, CURLOPT_URL, exchange->request.url.ptr) != CURLE_OK)
        return false;
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->lines);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    /* Read piece by piece, a big one can be broken off while curl still sends it. */
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                           !at_once        ? NULL
                           : body.len == 0 ? ""
                                           : body.ptr);
    return true;
}

/* The first pool with room: its connections are the warm ones. */
static struct pool *pool_with_room(struct http *http)
{
    size_t i = 0;
    while (http->pools[i].running == HTTP_CALLS_PER_MULTI) {
        i++;
        CHECK(i < http->pool_count);
    }
    return &http->pools[i];
}

static void begin(struct exchange *exchange)
{
    struct http *http = http_of(exchange);
    exchange_begin(exchange, now_ms(http));
    exchange->body_at = 0;
    exchange->sent_before = 0;
    exchange->stands = exchange->due_to_send = exchange->resend_refused = false;
    exchange->words[0] = '\0';
    http->stats.calls++;
    struct pool *pool = pool_with_room(http);
    if (exchange->easy == NULL)
        exchange->easy = easy_new(exchange);
    if (exchange->easy == NULL || !set_request(exchange) ||
        curl_multi_add_handle(pool->multi, exchange->easy) != CURLM_OK) {
        finish(exchange, CURLE_OUT_OF_MEMORY);
        return;
    }
    exchange->pool = pool;
    pool->running++;
}

void http_call_start(struct http *http, struct call_ref call, const struct http_request *request)
{
    CHECK(!http->closing);
    exchanges_start(&http->exchanges, call, request);
    alarm_set(&http->alarm, 0);
}

void http_call_cancel(struct http *http, struct call_ref call)
{
    if (http->closing)
        return;
    exchanges_cancel(&http->exchanges, call);
    alarm_set(&http->alarm, 0);
}

/* ---- the step ---- */

static void obey_commands(struct http *http)
{
    struct exchange *exchange;
    struct link batch, *link;
    while ((exchange = exchanges_next_doomed(&http->exchanges)) != NULL) {
        let_go(exchange);
        exchange_release(exchange);
    }
    exchanges_take_queued(&http->exchanges, &batch);
    while ((link = list_first(&batch)) != NULL)
        begin(LINK_OWNER(link, struct exchange, place));
}

/* The result of curl's actions tells of memory alone; a call that it leaves hanging ends at its
 * deadline. */
static void act(struct pool *pool, curl_socket_t fd, int events)
{
    int running;
    (void)curl_multi_socket_action(pool->multi, fd, events, &running);
    pool->touched = true;
}

static void serve_sockets(struct http *http)
{
    struct socket_event event;
    sockets_look(http->sockets);
    while (sockets_next(http->sockets, &event))
        act(event.owner, event.fd, event.events);
}

static void serve_timers(struct http *http)
{
    int64_t now = now_ms(http);
    for (size_t i = 0; i < http->pool_count; i++) {
        struct pool *pool = &http->pools[i];
        if (pool->due_ms > now)
            continue;
        pool->due_ms = INT64_MAX;
        act(pool, CURL_SOCKET_TIMEOUT, 0);
    }
}

static void reap(struct pool *pool)
{
    int left;
    const CURLMsg *message;
    pool->touched = false;
    while ((message = curl_multi_info_read(pool->multi, &left)) != NULL) {
        struct exchange *exchange = exchange_of(message->easy_handle);
        CURLcode result = message->data.result;
        if (exchange->step == EXCHANGE_RUNNING)
            finish(exchange, result);
    }
}

static void end_late_ones(struct http *http)
{
    struct exchange *exchange;
    while ((exchange = exchanges_next_late(&http->exchanges, now_ms(http))) != NULL)
        finish(exchange, CURLE_OPERATION_TIMEDOUT);
}

static void set_alarm(struct http *http)
{
    int64_t at_ms = timers_next_ms(&http->exchanges.deadlines);
    for (size_t i = 0; i < http->pool_count; i++) {
        if (http->pools[i].due_ms < at_ms)
            at_ms = http->pools[i].due_ms;
    }
    alarm_set(&http->alarm, exchanges_are_waiting(&http->exchanges) ? 0 : at_ms);
}

void http_step(struct http *http)
{
    if (http->closing)
        return;
    alarm_heard(&http->alarm);
    obey_commands(http);
    serve_sockets(http);
    serve_timers(http);
    for (size_t i = 0; i < http->pool_count; i++) {
        if (http->pools[i].touched)
            reap(&http->pools[i]);
    }
    end_late_ones(http);
    set_alarm(http);
}

void http_stats(const struct http *http, struct http_stats *ret_stats)
{
    *ret_stats = http->stats;
    ret_stats->sockets = http->sockets == NULL ? 0 : sockets_count(http->sockets);
}

/* ---- birth and death ---- */

static bool copy(const char *text, char **ret_copy)
{
    *ret_copy = text == NULL ? NULL : strdup(text);
    return text == NULL || *ret_copy != NULL;
}

static bool pool_init(struct pool *pool, struct http *http)
{
    pool->http = http;
    pool->due_ms = INT64_MAX;
    pool->multi = curl_multi_init();
    if (pool->multi == NULL)
        return false;
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CALLS_PER_MULTI);
    return true;
}

static bool make_parts(struct http *http, const struct http_config *config)
{
    size_t calls = config->max_in_flight;
    http->pools = memory_new((calls / HTTP_CALLS_PER_MULTI + 1) * sizeof *http->pools);
    http->share = curl_share_init();
    bool made = exchanges_init(&http->exchanges, &http->config);
    if (!made || http->pools == NULL || http->share == NULL ||
        !copy(config->ca_bundle, &http->ca_bundle) || !copy(config->proxy, &http->proxy))
        return false;
    (void)curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    (void)curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    size_t wanted = (calls + HTTP_CALLS_PER_MULTI - 1) / HTTP_CALLS_PER_MULTI;
    for (; http->pool_count < wanted; http->pool_count++) {
        if (!pool_init(&http->pools[http->pool_count], http))
            return false;
    }
    http->sockets = sockets_new(http->loop); /* last: it would have to be closed in the loop */
    return http->sockets != NULL;
}

struct http *http_new(struct uv_loop_s *loop, const struct http_config *config)
{
    CHECK(config->max_in_flight > 0);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct http *http = memory_new(sizeof *http);
    if (http == NULL) {
        curl_global_cleanup();
        return NULL;
    }
    http->loop = loop;
    http->config = *config;
    if (!make_parts(http, config)) {
        http->closing = true;
        http_free(http);
        return NULL;
    }
    alarm_init(&http->alarm, loop);
    return http;
}

void http_attach(struct http *http, struct engine *engine)
{
    http->exchanges.engine = engine;
}

/* Calls, then connections, then what both shared. */
static void end_curl(struct http *http)
{
    for (size_t i = 0; i < http->exchanges.used; i++) {
        let_go(&http->exchanges.all[i]);
        curl_easy_cleanup(http->exchanges.all[i].easy);
    }
    for (size_t i = 0; i < http->pool_count; i++)
        CHECK(curl_multi_cleanup(http->pools[i].multi) == CURLM_OK);
    if (http->share != NULL)
        CHECK(curl_share_cleanup(http->share) == CURLSHE_OK);
    http->pool_count = 0;
    http->share = NULL;
    exchanges_done(&http->exchanges);
}

void http_close(struct http *http)
{
    if (http->closing)
        return;
    http->closing = true;
    end_curl(http);
    sockets_close(http->sockets);
    alarm_close(&http->alarm);
}

bool http_is_closed(const struct http *http)
{
    return http->closing && alarm_is_closed(&http->alarm) && sockets_are_closed(http->sockets);
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    CHECK(http->closing);
    end_curl(http);
    sockets_free(http->sockets);
    free(http->ca_bundle);
    free(http->proxy);
    memory_free(http->pools);
    memory_free(http);
    curl_global_cleanup();
}
