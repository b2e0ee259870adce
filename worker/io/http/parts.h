/* What the files of the HTTP room share: client.c (pools, the step, birth and death), easy.c
 * (one exchange on one of curl's handles) and once.c (one that somebody waits for). For nobody
 * else.
 */
#ifndef IO_HTTP_PARTS_H
#define IO_HTTP_PARTS_H

#include <curl/curl.h>
#include <uv.h>

#include "io/loop/alarm.h"
#include "io/http/exchange.h"
#include "io/http/client.h"
#include "io/http/names.h"
#include "io/http/sockets.h"

/* One connection pool of bounded size; see HTTP_CALLS_PER_MULTI. */
struct pool {
    struct http *http;
    CURLM *multi;
    int64_t due_ms; /* curl's own timer; INT64_MAX = none */
    uint32_t running;
    int64_t idle_since_ms; /* nothing is running; INT64_MAX = it is, or no connection was made */
    bool touched;          /* something may have finished */
};

struct http {
    uv_loop_t *loop;
    struct http_config config;
    char *ca_bundle, *proxy; /* copies; config's are gone */
    CURLSH *share;
    struct sockets *sockets;
    struct names *names; /* NULL: proxies look names up, or curl does */
    struct exchanges exchanges;
    struct pool *pools;
    size_t pool_count;
    struct alarm alarm;
    bool closing;
    struct http_stats stats;
};

static inline struct http *http_of(const struct exchange *exchange)
{
    return LINK_OWNER(exchange->owner, struct http, exchanges);
}

static inline struct http *http_of_channel(const struct exchange_channel *channel)
{
    return LINK_OWNER(channel->owner, struct http, exchanges);
}

static inline int64_t http_now_ms(const struct http *http)
{
    return (int64_t)uv_now(http->loop);
}

/* Sets the exchange's handle up for its request; made if it has none yet. Addresses of `name` (NULL
 * = none) that curl does not have go with it. false: out of memory. */
MUST_CHECK bool http_easy_prepare(struct exchange *exchange, struct name *name);
/* After it has left its multi: gives back what the request needed. */
void http_easy_clear(struct exchange *exchange);
/* A byte of the request may have reached the service. */
bool http_easy_was_sent(const struct exchange *exchange);
/* How it ended; `words` (EXCHANGE_WORDS_MAX) is where ret_end->words lies. */
void http_easy_judge(const struct exchange *exchange, CURLcode result, char *words,
                     struct call_end *ret_end);
struct exchange *http_easy_exchange(CURL *easy);

/* How every POST travels: certificates and proxy as in struct http_config, protocols, no redirects.
 */
void http_easy_set_way(CURL *easy, const char *ca_bundle, const char *proxy);
/* What is sent; all of it is borrowed until the exchange has ended, and so are the header lines
 * that are returned, which the caller then gives to memory_free. NULL: out of memory. */
MUST_CHECK struct curl_slist *http_easy_set_request(CURL *easy, const struct http_request *request);

#endif
