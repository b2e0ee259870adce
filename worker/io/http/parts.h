/* Private to io/http: shared by client.c (pools, the step, birth and death), easy.c (one exchange
 * on one easy handle of curl) and once.c (one blocking exchange). */
#ifndef IO_HTTP_PARTS_H
#define IO_HTTP_PARTS_H

#include <curl/curl.h>
#include <uv.h>

#include "io/loop/alarm.h"
#include "io/http/exchange.h"
#include "io/http/client.h"
#include "io/http/names.h"
#include "io/http/sockets.h"

/* A multi handle of curl with up to HTTP_CALLS_PER_MULTI exchanges, and its connections. */
struct pool {
    struct http *http;
    CURLM *multi;
    int64_t due_ms; /* curl's timer; INT64_MAX = not set */
    uint32_t running;
    int64_t idle_since_ms; /* INT64_MAX = not idle, or without connections */
    bool touched;          /* an exchange may have finished */
};

struct http {
    uv_loop_t *loop;
    struct http_config config; /* owns its texts */
    CURLSH *share;
    struct sockets *sockets;
    struct names *names; /* NULL with a proxy, which looks names up */
    struct exchanges exchanges;
    struct pool *pools;
    size_t pool_count;
    struct alarm alarm;
    bool closing;
    struct http_stats stats;
};

/* The client of an exchange. */
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

/* Sets up the exchange's easy handle for its request, and makes the handle if there is none. Gives
 * curl the addresses of `name` (NULL = none) if they are new. False: out of memory. */
MUST_CHECK bool http_easy_prepare(struct exchange *exchange, struct name *name);
/* Frees what the request needed, after its handle has left the multi handle. */
void http_easy_clear(struct exchange *exchange);
/* May a byte of the request have reached the service? */
bool http_easy_was_sent(const struct exchange *exchange);
/* Fills in how the exchange ended. ret_end->words borrows `reason` (EXCHANGE_REASON_MAX). */
void http_easy_judge(const struct exchange *exchange, CURLcode result, char *reason,
                     struct call_end *ret_end);
/* The exchange of an easy handle. */
struct exchange *http_easy_exchange(CURL *easy);

/* Sets the options of every request: certificates and proxy of `config`, protocols, no redirects.
 */
void http_easy_set_transport(CURL *easy, const struct http_config *config);
/* Sets URL, headers and body. The request is borrowed until the exchange ends; so is the list of
 * headers that is returned, and the caller then passes it to memory_free. NULL: out of memory. */
MUST_CHECK struct curl_slist *http_easy_set_request(CURL *easy, const struct http_request *request);

#endif
