/* The HTTP client: many exchanges (a request and its answer) at once in one uv loop, on libcurl, by
 * HTTP/1.1 (RFC 9112) over pooled connections that are kept alive. Only the files of this folder
 * use curl. A sender opens a channel and gives its hearer, the callbacks that receive the answers.
 * The engine's calls are one channel. All channels share the connections.
 *
 * All work happens in http_step and http_obey. Commands only queue, and uv's callbacks only set
 * flags. So a hearer is called after engine_time of the same turn, a command never calls back, and
 * the client never adds or removes curl's handles inside a callback of curl. Queued commands and
 * due deadlines wake the loop.
 *
 * The client sends a request at most once. When a pooled connection turns out to be closed, curl
 * retries on a new one; the client permits that only while no byte of the request has left. The
 * hearer decides about all other retries. Everything belongs to the loop's thread. */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H

#include "engine/ports.h"

/* curl's search for a connection is linear, so the exchanges are spread over several multi handles.
 */
#define HTTP_CALLS_PER_MULTI 256

struct uv_loop_s;
struct http;
struct exchange_channel;

/* The callbacks of a channel. For each exchange: `head` once, with status and the whole head of the
 * final answer (RFC 9110; interim answers such as 100 are skipped), `body` with the bytes as they
 * arrive, `ended` once and last. An exchange that fails early gets `ended` only. Slices are valid
 * during the call. A callback may start and cancel exchanges. */
struct exchange_hearer {
    void *self; /* the first argument of each callback */
    void (*head)(void *self, struct call_ref ref, int status, struct slice head);
    void (*body)(void *self, struct call_ref ref, struct slice bytes);
    void (*ended)(void *self, struct call_ref ref, const struct call_end *end);
};

/* The texts are borrowed until http_new or http_once returns. */
struct http_config {
    int64_t connect_ms;    /* limit for DNS, TCP and TLS together */
    int64_t first_byte_ms; /* limit from the start of the call to the first byte of the answer */
    int64_t idle_ms;       /* limit between two pieces of the answer */
    int64_t total_ms;      /* limit from start to end */
    /* The client does not reuse a connection that was idle for longer, and closes it when nothing
     * uses its pool. */
    int64_t max_idle_age_ms;
    uint32_t max_in_flight; /* exchanges of all channels at once */
    size_t max_head_bytes;  /* of one answer, with interim answers and trailers */
    const char *ca_bundle;  /* path of a PEM file; NULL = the system's certificates */
    /* Paths of PEM files, for a server that asks for a client certificate; NULL = none. The key may
     * be in the first file; its password: NULL = none. */
    const char *client_certificate, *client_key, *client_key_password;
    /* The proxy's URL; "" = none; NULL = by the environment's http_proxy, https_proxy, no_proxy …
     */
    const char *proxy;
};

/* Makes a client on `loop`, which must outlive it. NULL: out of memory. */
MUST_CHECK struct http *http_new(struct uv_loop_s *loop, const struct http_config *config);
/* Changes the four limits of time to those of `config`, for exchanges that begin from now on. */
void http_set_limits(struct http *http, const struct http_config *config);
/* Opens a channel for up to `exchanges_max` exchanges at once, which have a ref.index below that
 * number. The channels together must not exceed max_in_flight. Copies `hearer`. http_free frees the
 * channel. NULL: out of memory. */
MUST_CHECK struct exchange_channel *
http_channel_open(struct http *http, const struct exchange_hearer *hearer, uint32_t exchanges_max);

/* Queues an exchange. No other exchange of the channel may have this ref.index. The request is
 * borrowed until hearer.ended or http_cancel. */
void http_start(struct exchange_channel *channel, struct call_ref ref,
                const struct http_request *request);
/* Cancels an exchange: its hearer gets no further event, and its index is free at once. Ignores an
 * exchange that has ended. True: a byte of the request may have reached the service. */
bool http_cancel(struct exchange_channel *channel, struct call_ref ref);

/* Executes the queued commands, reads and writes sockets, ends late exchanges and calls hearers.
 * Call it once per turn of the loop, after engine_time and before engine_turn. Never blocks. */
void http_step(struct http *http);
/* Executes the commands that were queued since http_step, so that they need not wait for the next
 * turn. Call it once per turn, after engine_turn. True: it called a hearer, so the engine needs
 * another turn at once. */
MUST_CHECK bool http_obey(struct http *http);

/* The versions of libcurl and of the libraries that it uses, in one line; a constant. */
const char *http_library_versions(void);

/* Counters since http_new; `sockets` is the number now. */
struct http_stats {
    uint64_t calls;           /* exchanges that began */
    uint64_t connections;     /* connections that began */
    uint64_t resends_refused; /* exchanges that curl wanted to send a second time */
    uint64_t unwatched;       /* sockets without events, because memory ran out */
    size_t sockets;
};
void http_stats(const struct http *http, struct http_stats *ret_stats);

/* The end, in this order: http_close aborts all exchanges without an event and closes all
 * connections; the caller runs the loop until http_is_closed; http_free frees the memory (NULL is
 * fine). */
void http_close(struct http *http);
bool http_is_closed(const struct http *http);
void http_free(struct http *http);

#endif
