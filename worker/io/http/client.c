#include "io/http/client.h"

#include "io/http/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "wire/formats/why.h"

_Static_assert(SOCKET_READABLE == CURL_CSELECT_IN && SOCKET_READABLE == CURL_POLL_IN, "same bits");
_Static_assert(SOCKET_WRITABLE == CURL_CSELECT_OUT && SOCKET_WRITABLE == CURL_POLL_OUT,
               "same bits");

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *unused)
{
    (void)unused;
    struct pool *pool = self;
    struct http *http = pool->http;
    int events = what == CURL_POLL_REMOVE ? 0 : what;
    if (!sockets_watch(http->sockets, fd, events, pool))
        http->stats.unwatched++; /* this call ends at its deadline; -1 would end all of the multi */
    /* curl reports the end of established connections; failed attempts it closes without a report.
     */
    if (events != 0 && http_easy_exchange(easy)->is_connected)
        sockets_keep(http->sockets, fd);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *self)
{
    (void)multi;
    struct pool *pool = self;
    pool->due_ms = timeout_ms < 0 ? INT64_MAX : http_now_ms(pool->http) + timeout_ms;
    return 0;
}

static void detach(struct exchange *exchange)
{
    struct pool *pool = exchange->pool;
    if (pool != NULL) {
        CHECK(curl_multi_remove_handle(pool->multi, exchange->easy) == CURLM_OK);
        pool->running--;
        pool->idle_since_ms = pool->running == 0 ? http_now_ms(pool->http) : INT64_MAX;
    }
    exchange->pool = NULL;
    http_easy_clear(exchange);
}

static void finish(struct exchange *exchange, CURLcode result)
{
    char reason[EXCHANGE_REASON_MAX];
    struct call_end end;
    http_easy_judge(exchange, result, reason, &end);
    detach(exchange);
    exchange_end(exchange, &end);
}

/* The first pool with room, because its idle connections were used last. */
static struct pool *pool_with_room(struct http *http)
{
    size_t i = 0;
    while (http->pools[i].running == HTTP_CALLS_PER_MULTI) {
        i++;
        CHECK(i < http->pool_count);
    }
    return &http->pools[i];
}

static void attach(struct exchange *exchange, struct name *name)
{
    struct pool *pool = pool_with_room(http_of(exchange));
    if (!http_easy_prepare(exchange, name) ||
        curl_multi_add_handle(pool->multi, exchange->easy) != CURLM_OK) {
        finish(exchange, CURLE_OUT_OF_MEMORY);
        return;
    }
    exchange->pool = pool;
    pool->running++;
    pool->idle_since_ms = INT64_MAX;
}

static void begin(struct exchange *exchange)
{
    struct http *http = http_of(exchange);
    struct name *name = NULL;
    exchange_begin(exchange, http_now_ms(http));
    exchange->body_at = 0;
    exchange->sent_before = 0;
    exchange->is_connected = exchange->due_to_send = exchange->resend_refused = false;
    exchange->carrier_error[0] = '\0';
    http->stats.calls++;
    if (http->names != NULL)
        name = names_find(http->names, exchange->request.url, http_now_ms(http));
    if (name != NULL && !name_is_known(name))
        exchange_wait(exchange, &name->waiting);
    else
        attach(exchange, name);
}

void http_start(struct exchange_channel *channel, struct call_ref ref,
                const struct http_request *request)
{
    struct http *http = http_of_channel(channel);
    CHECK(!http->closing);
    exchange_channel_start(channel, ref, request);
    alarm_set(&http->alarm, 0);
}

bool http_cancel(struct exchange_channel *channel, struct call_ref ref)
{
    struct http *http = http_of_channel(channel);
    if (http->closing)
        return true;
    const struct exchange *exchange = exchange_channel_cancel(channel, ref);
    alarm_set(&http->alarm, 0);
    return exchange != NULL && http_easy_was_sent(exchange);
}

/* ---- the step ---- */

static void execute_commands(struct http *http)
{
    struct exchange *exchange;
    struct link batch, *link;
    while ((exchange = exchanges_next_doomed(&http->exchanges)) != NULL) {
        detach(exchange);
        exchange_release(exchange);
    }
    exchanges_take_queued(&http->exchanges, &batch);
    while ((link = list_first(&batch)) != NULL)
        begin(LINK_OWNER(link, struct exchange, place));
}

static void serve_names(struct http *http)
{
    struct name *name;
    struct link *link;
    while (http->names != NULL && (name = names_next_answered(http->names)) != NULL) {
        while ((link = list_first(&name->waiting)) != NULL) {
            struct exchange *exchange = LINK_OWNER(link, struct exchange, place);
            exchange_resume(exchange);
            if (name_is_known(name)) {
                attach(exchange, name);
            } else {
                why_copy(exchange->carrier_error, sizeof exchange->carrier_error,
                         slice_of_text(name->reason));
                finish(exchange, CURLE_COULDNT_RESOLVE_HOST);
            }
        }
    }
}

/* The result of curl's actions reports only a lack of memory; a call that hangs then ends at its
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
    int64_t now = http_now_ms(http);
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
        struct exchange *exchange = http_easy_exchange(message->easy_handle);
        CURLcode result = message->data.result;
        if (exchange->step == EXCHANGE_RUNNING)
            finish(exchange, result);
    }
}

static void end_late_ones(struct http *http)
{
    struct exchange *exchange;
    while ((exchange = exchanges_next_late(&http->exchanges, http_now_ms(http))) != NULL)
        finish(exchange, CURLE_OPERATION_TIMEDOUT);
}

static CURLM *multi_new(struct pool *pool)
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return NULL;
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
    (void)curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CALLS_PER_MULTI);
    return multi;
}

/* curl closes an old connection only when it finds it while searching for another. The connections
 * of a pool that is no longer needed would stay for ever, half open once their peer has closed. */
static void close_idle(struct pool *pool)
{
    int64_t idle_ms = http_now_ms(pool->http) - pool->idle_since_ms;
    if (pool->idle_since_ms == INT64_MAX || idle_ms < pool->http->config.max_idle_age_ms)
        return;
    CURLM *fresh = multi_new(pool);
    if (fresh == NULL) {
        pool->idle_since_ms = http_now_ms(pool->http); /* try later */
        return;
    }
    CHECK(pool->running == 0);
    CHECK(curl_multi_cleanup(pool->multi) == CURLM_OK);
    pool->multi = fresh;
    pool->due_ms = pool->idle_since_ms = INT64_MAX;
}

static int64_t pool_due_ms(const struct pool *pool)
{
    int64_t due_ms = INT64_MAX;
    if (pool->idle_since_ms != INT64_MAX)
        due_ms = pool->idle_since_ms + pool->http->config.max_idle_age_ms;
    return pool->due_ms < due_ms ? pool->due_ms : due_ms;
}

static void set_alarm(struct http *http)
{
    int64_t at_ms = timers_next_ms(&http->exchanges.deadlines);
    for (size_t i = 0; i < http->pool_count; i++) {
        close_idle(&http->pools[i]);
        int64_t due_ms = pool_due_ms(&http->pools[i]);
        if (due_ms < at_ms)
            at_ms = due_ms;
    }
    alarm_set(&http->alarm, exchanges_are_waiting(&http->exchanges) ? 0 : at_ms);
}

static void reap_touched(struct http *http)
{
    for (size_t i = 0; i < http->pool_count; i++) {
        if (http->pools[i].touched)
            reap(&http->pools[i]);
    }
}

void http_step(struct http *http)
{
    if (http->closing)
        return;
    alarm_clear(&http->alarm);
    execute_commands(http);
    serve_names(http);
    serve_sockets(http);
    serve_timers(http);
    reap_touched(http);
    end_late_ones(http);
    set_alarm(http);
}

bool http_obey(struct http *http)
{
    if (http->closing || !exchanges_are_waiting(&http->exchanges))
        return false;
    uint64_t before = http->exchanges.events;
    alarm_clear(&http->alarm);
    execute_commands(http);
    serve_timers(http);
    reap_touched(http);
    set_alarm(http);
    return http->exchanges.events != before;
}

void http_stats(const struct http *http, struct http_stats *ret_stats)
{
    *ret_stats = http->stats;
    ret_stats->sockets = http->sockets == NULL ? 0 : sockets_count(http->sockets);
}

/* ---- birth and death ---- */

/* The texts of the configuration. */
#define TEXTS(config)                                                                              \
    {                                                                                              \
        &(config)->ca_bundle, &(config)->client_certificate, &(config)->client_key,                \
            &(config)->client_key_password, &(config)->proxy                                       \
    }

/* Replaces the texts, which are borrowed, by copies. False: out of memory. */
static bool texts_own(struct http_config *config)
{
    const char **const texts[] = TEXTS(config);
    bool is_good = true;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *borrowed = *texts[i];
        *texts[i] = borrowed == NULL ? NULL : strdup(borrowed);
        is_good = is_good && (borrowed == NULL || *texts[i] != NULL);
    }
    return is_good;
}

/* Two of them may be secret. */
static void texts_free(struct http_config *config)
{
    const char **const texts[] = TEXTS(config);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        union {
            const char *read;
            char *write;
        } text = {.read = *texts[i]};
        if (text.write != NULL)
            explicit_bzero(text.write, strlen(text.write));
        free(text.write);
        *texts[i] = NULL;
    }
}

static bool pool_init(struct pool *pool, struct http *http)
{
    pool->http = http;
    pool->due_ms = pool->idle_since_ms = INT64_MAX;
    pool->multi = multi_new(pool);
    return pool->multi != NULL;
}

/* Do the settings or the environment name a proxy? curl decides per host; any one counts here. */
static bool has_proxy(const struct http_config *config)
{
    static const char *const VARIABLES[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY"};
    if (config->proxy != NULL)
        return config->proxy[0] != '\0';
    for (size_t i = 0; i < COUNT_OF(VARIABLES); i++) {
        if (getenv(VARIABLES[i]) != NULL)
            return true;
    }
    return false;
}

static bool make_parts(struct http *http, const struct http_config *config)
{
    size_t calls = config->max_in_flight;
    http->pools = memory_new((calls / HTTP_CALLS_PER_MULTI + 1) * sizeof *http->pools);
    http->share = curl_share_init();
    bool made = exchanges_init(&http->exchanges, &http->config);
    if (!has_proxy(config))
        made = (http->names = names_new(http->loop, &http->alarm)) != NULL && made;
    if (!made || http->pools == NULL || http->share == NULL)
        return false;
    (void)curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    (void)curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    size_t wanted = (calls + HTTP_CALLS_PER_MULTI - 1) / HTTP_CALLS_PER_MULTI;
    for (; http->pool_count < wanted; http->pool_count++) {
        if (!pool_init(&http->pools[http->pool_count], http))
            return false;
    }
    http->sockets = sockets_new(http->loop); /* last, because closing it would need the loop */
    return http->sockets != NULL;
}

const char *http_library_versions(void)
{
    return curl_version();
}

void http_set_limits(struct http *http, const struct http_config *config)
{
    http->config.connect_ms = config->connect_ms;
    http->config.first_byte_ms = config->first_byte_ms;
    http->config.idle_ms = config->idle_ms;
    http->config.total_ms = config->total_ms;
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
    if (!texts_own(&http->config) || !make_parts(http, config)) {
        http->closing = true;
        http_free(http);
        return NULL;
    }
    alarm_init(&http->alarm, loop);
    return http;
}

struct exchange_channel *http_channel_open(struct http *http, const struct exchange_hearer *hearer,
                                           uint32_t exchanges_max)
{
    return exchange_channel_new(&http->exchanges, hearer, exchanges_max);
}

/* Frees the exchanges, then the connections, then what they share. */
static void end_curl(struct http *http)
{
    for (size_t i = 0; i < http->exchanges.used; i++) {
        detach(&http->exchanges.all[i]);
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
    if (http->names != NULL)
        names_close(http->names);
    alarm_close(&http->alarm);
}

bool http_is_closed(const struct http *http)
{
    return http->closing && alarm_is_closed(&http->alarm) && sockets_are_closed(http->sockets) &&
           (http->names == NULL || names_are_closed(http->names));
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    CHECK(http->closing);
    end_curl(http);
    exchange_channels_free(&http->exchanges);
    sockets_free(http->sockets);
    names_free(http->names);
    texts_free(&http->config);
    memory_free(http->pools);
    memory_free(http);
    curl_global_cleanup();
}
